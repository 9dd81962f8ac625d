"""Tests of the jobs: whose turn it is."""
