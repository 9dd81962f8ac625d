"""Every error raised on purpose, named by what is wrong.

The docstring of each is its explanation. Temporary faults (try again) and permanent ones (give up and show
it) have different parents, so that no caller ever has to read a message to know what to do.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

_RUN_OUT: Final = {
    errno.EMFILE: "this process has no file descriptor left (`LimitNOFILE=`, `ulimit -n`)",
    errno.ENFILE: "this machine has no file descriptor left",
    errno.ENOSPC: "there is no room left on the disk",
    errno.EDQUOT: "there is no room left in the quota of the disk",
}
"""By what the system says: what there is nothing left of. Memory is none of it, which one hostile post may use up."""


class ReplycastError(Exception):
    """Anything that this service says on purpose; the text is one plain sentence for a person."""


class TemporaryFault(ReplycastError):
    """It may work later by itself: the caller tries again."""


class PermanentFault(ReplycastError):
    """It will not work by being tried again: the caller gives up and shows it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with config.yaml: where (1-based) and what, with a hint how to mend it."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        """Give the form that editors and `replycast check` print: `FILE:LINE:COLUMN: text`."""
        return f"{self.file}:{self.line}:{self.column}: {self.text}"


class ConfigFaulty(PermanentFault):
    """config.yaml cannot be used; `faults` holds every fault at once, in the order of the file."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


class PostUnreadable(PermanentFault):
    """A webhook's body cannot be read as alerts; the text says what to mend (`monitorName is missing`)."""


class ProviderUnknown(PermanentFault):
    """The URL names a monitoring product that is not one of ours."""


class SecretWrong(PermanentFault):
    """The post carries no secret or a wrong one."""


class StoreUnavailable(TemporaryFault):
    """The database cannot take a row just now (locked, full, unreachable): nothing was accepted."""


class OutcomeUnknown(StoreUnavailable):
    """The database went away or fell silent while it was to commit: whether it did shows once it is back."""


class MailUnreadable(PermanentFault):
    """A mail cannot be parsed within the bounds that are set for hostile input."""


class RelayUnavailable(TemporaryFault):
    """The mail relay cannot be reached or answered 421: no mail is to blame, all wait."""


class RecipientRefusedForNow(TemporaryFault):
    """The relay answered 4xx to this mail: try it again later."""


class AnswerLost(RecipientRefusedForNow):
    """It went out whole and no answer came: it may have arrived, and is tried again as the same one."""


class RecipientRefused(PermanentFault):
    """The relay answered 5xx to this mail: it will never be delivered."""


class MailboxUnavailable(TemporaryFault):
    """The IMAP server cannot be reached, went away or timed out: connect again after a pause."""


class MailboxLoginRefused(PermanentFault):
    """The IMAP server refused the user name or password: trying again quickly would lock the account."""


class TemplateFaulty(PermanentFault):
    """A Jinja template of a monitor or a mail cannot be compiled or rendered."""


class AddressInvalid(PermanentFault):
    """A text given as an e-mail address is not one."""


class TokenInvalid(PermanentFault):
    """A token in a link or reply is unknown, used or expired; the text says which."""


class NotAllowed(PermanentFault):
    """The employee's role does not allow this act."""


class NotFound(PermanentFault):
    """There is no such incident, subscriber or other thing, or it is not for this reader."""


class IncidentChangedMeanwhile(TemporaryFault):
    """Another transaction changed the incident first: read it again and decide again."""


class MachineExhausted(TemporaryFault):
    """The machine has no descriptor or no room left just now: no mail, post or reply is to blame, all wait."""


def what_ran_out(fault: BaseException | None) -> str:
    """Say what the machine has nothing left of, where something failed through that; "" where it did not."""
    while fault is not None:
        for number, said in _RUN_OUT.items():
            if isinstance(fault, OSError) and fault.errno == number:
                return said
            # a library that could not be opened is known by the text alone
            if isinstance(fault, ImportError) and os.strerror(number) in str(fault):
                return said
        fault = fault.__cause__ or fault.__context__
    return ""


@contextmanager
def exhaustion_named() -> Iterator[None]:
    """Raise MachineExhausted for what fails within through that alone, however it is called there."""
    try:
        yield
    except TemporaryFault:
        raise
    except Exception as fault:
        if said := what_ran_out(fault):
            raise MachineExhausted(said) from fault
        raise
