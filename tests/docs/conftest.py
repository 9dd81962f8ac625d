"""The fixture of real mail servers, for the examples that need some."""

from tests.mailservers.conftest import mail_servers

__all__ = ["mail_servers"]
