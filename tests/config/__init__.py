"""What config.yaml may say, and what is said about it where it may not."""
