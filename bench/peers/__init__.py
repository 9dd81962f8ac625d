"""What the programs of `bench` share: servers of ours and of others, generators of load, databases, figures."""
