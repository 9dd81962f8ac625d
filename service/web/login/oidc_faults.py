"""What goes wrong with a log-in by an OpenID Connect provider."""

from service.errors import PermanentFault, TemporaryFault


class ProviderUnavailable(TemporaryFault):
    """The provider cannot be reached, or answers what is no answer: the text is for the log."""


class IdentityRefused(PermanentFault):
    """What came back proves nobody's identity; the text is one sentence for whoever wanted to log in."""
