"""Tests, named as sentences about behaviour."""
