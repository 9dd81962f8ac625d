"""How an employee is let in: the link in a mail, OpenID Connect, the session cookie."""
