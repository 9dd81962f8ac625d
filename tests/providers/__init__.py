"""The monitoring products' posts: what they are taken for, and what is said of those that cannot be read."""
