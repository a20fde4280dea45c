"""What every request that moves points says of itself: its key, its instant, its reference, why.

These are matters of form. A request that breaks them is refused before the books are asked, and
the refusal does not stick to its key.
"""

from datetime import datetime, timedelta
from typing import Any

from brands.bounds import idempotency_key as checked_key
from brands.bounds import optional_text, text
from brands.callers import Caller
from brands.clock import Micros, now, now_micros, to_micros
from brands.errors import EventInFuture
from brands.ledger.commands import Claim, fingerprint

MAX_REFERENCE = 255
MAX_WORDING = 500

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead of ours a client's clock may be."""


def claim_of(caller: Caller, idempotency_key: str, operation: str, **intent: Any) -> Claim:
    """The caller's claim on an idempotency key for what it means to do.

    Raises `InvalidIdempotencyKey` unless the key has 1 to 255 characters, `InvalidInput`.
    """
    key = checked_key(idempotency_key)
    return Claim(caller.client, key, fingerprint(operation, **intent))


def happened_at(event_at: datetime | None) -> Micros:
    """When it happened: now unless said otherwise. Raises `EventInFuture` beyond five minutes."""
    if event_at is None:
        return now_micros()
    if event_at > now() + CLOCK_TOLERANCE:
        raise EventInFuture(path="eventAt", event_at=event_at)
    return to_micros(event_at)


def reference_of(reference: str | None) -> str | None:
    """A client's own name for a transaction: at most 255 characters, else `InvalidInput`."""
    return optional_text(reference, "reference", MAX_REFERENCE)


def wording_of(words: str, path: str) -> str:
    """A description or a reason: 1 to 500 characters, else `InvalidInput`."""
    return text(words, path, MAX_WORDING)
