"""Tests of the pages on which employees see and decide."""
