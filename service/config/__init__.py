"""config.yaml → frozen `Config`, or every fault at once with line and column."""

from service.config.loading import load, parse
from service.config.settings import Config, Imap, Mail, Secret, Security, Site, Smtp

__all__ = ["Config", "Imap", "Mail", "Secret", "Security", "Site", "Smtp", "load", "parse"]
