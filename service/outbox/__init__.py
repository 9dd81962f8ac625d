"""Sends what is due, and records how it went. What a mail says was decided before; it never decides."""

from service.outbox.calling import call_due
from service.outbox.fanning_out import fan_out
from service.outbox.relay import Relay
from service.outbox.sending import Courier
from service.outbox.unrecorded import unrecorded_of

__all__ = ["Courier", "Relay", "call_due", "fan_out", "unrecorded_of"]
