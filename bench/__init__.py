"""Measures how fast the service is; each module is a program: `python -m bench.NAME`."""
