"""The REST API for programs, by bearer tokens of limited scope. What it does, `actions` does, as for the dashboard."""

from service.web.api.routes import routes

__all__ = ["routes"]
