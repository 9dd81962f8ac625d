"""What the service can do, one transaction each; the only writer of incidents, through `decide` alone."""
