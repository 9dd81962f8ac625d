"""What stands in `deploy/` can be used as it stands."""
