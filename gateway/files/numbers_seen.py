"""Which number a file has given to which flight or stay of a booking, so that no second one takes
its place: that would be no correction but a traveller with two accounts.

It is kept in a temporary database of SQLite, which is on disk where it grows large: memory does
not grow with the file.
"""

import sqlite3
from hashlib import blake2b

from brands.itineraries import Facts, Flight
from brands.travel.attachments import Attachment

_TABLE = "CREATE TABLE seen (travelled BLOB NOT NULL, ticket TEXT, number BLOB, line INTEGER)"
_OTHER = """
SELECT line FROM seen
WHERE travelled = ? AND number <> ? AND (ticket IS NULL OR ? IS NULL OR ticket = ?) LIMIT 1
"""
"""Without a ticket, two are on one flight as far as can be told."""


class NumbersSeen:
    """The numbers of one file."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(_TABLE)
        self._database.execute("CREATE INDEX travelled ON seen (travelled)")
        self._database.execute("BEGIN")

    def other(self, given: Attachment) -> int | None:
        """The line that gave another number to something in it; None if none did."""
        for travelled, ticket in _travelled(given):
            values = (travelled, _digest(given.brand, given.number), ticket, ticket)
            found = self._database.execute(_OTHER, values).fetchone()
            if found is not None:
                return int(found[0])
        return None

    def add(self, given: Attachment, line: int) -> None:
        """This number has it now."""
        number = _digest(given.brand, given.number)
        rows = [(travelled, ticket, number, line) for travelled, ticket in _travelled(given)]
        self._database.executemany("INSERT INTO seen VALUES (?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Forgets them."""
        self._database.close()


def _travelled(given: Attachment) -> list[tuple[bytes, str | None]]:
    names = given.passenger.told_apart_by
    journey: tuple[Facts, ...] = (*given.flights, *given.stays)
    return [
        (
            _digest(given.record_locator, *names, facts.identity),
            facts.ticket if isinstance(facts, Flight) else None,
        )
        for facts in journey
    ]


def _digest(*words: str) -> bytes:
    return blake2b("\n".join(words).encode(), digest_size=16).digest()
