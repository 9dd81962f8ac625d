"""Tests of sending and reading mail that need no mail server but the embedded one."""
