"""Connections to PostgreSQL that give themselves up where whoever asks has no more patience."""

from collections.abc import Callable, Generator
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import psycopg

from service.store.patience import Haste, MayBeDone, patience_of_asker

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from psycopg.waiting import Ready, Wait

STILL_SILENT: Final = 1.0
"""Seconds after which a server that was silent is asked again; whoever comes before is refused at once.

Else each of a crowd would wait his whole time in a thread, and all others for a thread.
"""
_T = TypeVar("_T")


class Silent(psycopg.OperationalError):
    """The server did not answer in time; the connection is given up, and with it what was not committed."""


class Uncertain(MayBeDone, psycopg.OperationalError):
    """The connection ended while the server was to commit: whether it did is not known."""


class Silence:
    """When a server was last found silent, and who waits for it all the same; of one pool of connections."""

    def __init__(self, haste: Haste | None = None) -> None:
        self._found_at = float("-inf")
        self._haste = haste or Haste()

    def patience(self) -> float | None:
        """Give how many seconds whoever asks at the moment waits at most; None: until the server goes on."""
        own = patience_of_asker()
        return self._haste.patience if own is None else own

    def note(self) -> None:
        """Remember that it is silent."""
        self._found_at = monotonic()

    def refuse(self) -> None:
        """Raise Silent where it was silent just now and somebody asks who is not to wait for long."""
        if self.patience() is not None and monotonic() - self._found_at < STILL_SILENT:
            raise Silent("the server did not answer a moment ago")


class PatientConnection(psycopg.Connection[Any]):
    """A connection that gives itself up where the server is silent for longer than whoever uses it can wait."""

    silence: Silence
    was_lent = False
    """Whether it was used before, and may have gone bad since."""

    @classmethod
    def open(cls, silence: Silence, *given: Any, **named: Any) -> Self:  # noqa: ANN401  psycopg's own
        """Connect. Raises psycopg.Error, and Silent at once where the server was silent a moment ago."""
        silence.refuse()
        try:
            made = cls.connect(*given, **named)
        except psycopg.errors.ConnectionTimeout:
            silence.note()
            raise
        except OSError as error:
            # psycopg waits for the server by a descriptor of its own, and does not call it its fault to get none
            raise psycopg.OperationalError(str(error)) from error
        made.silence = silence
        return made

    def wait(self, gen: "PQGen[_T]", *given: Any, **named: Any) -> _T:  # noqa: ANN401  psycopg's own
        """Wait for the server as psycopg does, but no longer than whoever asks."""
        own = patience_of_asker()
        patience = self.silence.patience if own is None else lambda: own
        try:
            return super().wait(_bounded(gen, patience), *given, **named)
        except Silent:
            self.silence.note()
            self.close()
            raise

    def commit(self) -> None:
        """Commit. Raises Uncertain where the connection ends before the server says that it did."""
        try:
            super().commit()
        except psycopg.OperationalError as error:
            if self.closed:
                raise Uncertain(str(error)) from error
            raise


def _bounded(gen: "PQGen[_T]", patience: Callable[[], float | None]) -> Generator["Wait", "Ready | int", _T]:
    """Let a generator of psycopg's go on as long as the server says something now and then."""
    heard_at = monotonic()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                heard_at = monotonic()
            else:
                # asked each time, for it may end while somebody waits
                seconds = patience()
                if seconds is not None and monotonic() - heard_at >= seconds:
                    raise Silent(f"the server did not answer for {seconds:g} seconds")
            wanted = gen.send(ready)
    except StopIteration as ended:
        result: _T = ended.value
        return result
    finally:
        gen.close()
