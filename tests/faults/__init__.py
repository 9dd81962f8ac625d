"""Faults of the whole service, with real processes."""
