"""Mails out and in: composing, SMTP, IMAP, reading replies, the embedded sandbox. Never decides."""
