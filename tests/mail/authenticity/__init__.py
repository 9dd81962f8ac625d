"""Mails as mail systems deliver them, and how to sign one."""
