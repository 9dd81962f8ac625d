"""Webhooks of subscribers."""
