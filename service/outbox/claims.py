"""For how long what is claimed may be sent: no mail is claimed anew while the relay has to do with it.

It decides, and neither claims nor sends.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from service.mail.smtp import DATA_TIMEOUT
from service.mail.smtp_login import COMMAND_TIMEOUT
from service.outbox.outcomes import LEASE

LONGEST_MAIL: Final = timedelta(seconds=3 * COMMAND_TIMEOUT + DATA_TIMEOUT)
"""Of one mail: until MAIL, RCPT, DATA and its text are answered, or given up."""
TO_RECORD: Final = timedelta(seconds=30)
"""Until what came of it is written down, behind whoever else writes."""
BEGUN_WITHIN: Final = LEASE - LONGEST_MAIL - TO_RECORD
"""Since its claim. A mail that begins in this time is over before the claim is: with the usual time-outs that is
10 min - (3 x 60 s + 300 s) - 30 s = 90 s. One that begins later is claimed anew right before."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Until when what was claimed may be begun, by two clocks: the first that says no is right.

    The wall clock is what others go by, and may be set; the monotonic one stands still while the machine sleeps.
    """

    by: int | None
    """The number of whoever claimed it; None: nobody did."""
    at: datetime
    at_monotonic: float

    def may_begin(self, now: datetime, monotonic: float) -> bool:
        """Tell whether a mail that begins now is over before the claim is."""
        return now - self.at < BEGUN_WITHIN and monotonic - self.at_monotonic < BEGUN_WITHIN.total_seconds()
