"""Webhooks of subscribers: what is said, how it is signed, and the call itself."""
