"""Replycast."""
