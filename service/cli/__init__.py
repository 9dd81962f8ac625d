"""The commands, for a person at a terminal; each is a thin shell around what the service itself uses."""

from service.cli.main import main

__all__ = ["main"]
