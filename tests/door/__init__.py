"""Replies that a mail server hands over, without a mailbox."""
