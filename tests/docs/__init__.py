"""Tests of the documentation: its commands run, its fragments load, its links lead somewhere."""
