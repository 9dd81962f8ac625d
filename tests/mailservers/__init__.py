"""Tests against real mail servers, Postfix and Dovecot, and the fixtures that start them."""
