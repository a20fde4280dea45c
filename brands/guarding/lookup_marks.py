"""What lookups leave behind: keyed hashes, from which no number and no name can be read.

The key is a secret of the coalition. Hashes of one kind never meet those of another, and whatever a
client typed is in them only as it was typed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.guarding.suspicion import CLIENT, MEMBER, Budget, Marks
from brands.naming.names import folded
from brands.naming.number_reading import bare

_NEIGHBOURS = 3
"""Numbers are neighbours that differ in so many characters at their end: a check digit and two."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whether one of these numbers at a brand is somebody's of this name. `written` is the number
    as the client wrote it, and `path` the input field that it came in. While a brand is suspended,
    nobody is its member."""

    brand_id: UUID
    numbers: tuple[str, ...]
    written: str
    surname: str = field(repr=False)  # personal data, for no log
    given_name: str | None = field(default=None, repr=False)
    path: str | None = None
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose budget a question is charged to."""

    key: str
    budget: Budget


class Marker:
    """Makes the hashes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def asker(self, caller: Caller) -> Asker:
        """All credentials of one agency, one brand or one member are one asker."""
        who = caller.agency_id or caller.member_id or caller.brand_id or caller.client
        budget = MEMBER if caller.kind is CallerKind.MEMBER else CLIENT
        return Asker(self._mark("asker", caller.kind, str(who)), budget)

    def marks(self, asker: Asker, questions: Sequence[Question]) -> list[Marks]:
        """What each of the questions leaves behind."""
        return [self._marks(asker.key, each) for each in questions]

    def number(self, brand_id: UUID, written: str) -> str:
        """The key of a number's meter."""
        return self._mark("number", brand_id.hex, bare(written))

    def _marks(self, asker: str, asked: Question) -> Marks:
        brand, number = asked.brand_id.hex, bare(asked.written)
        name = (asked.surname, "-" if asked.given_name is None else f"+{asked.given_name}")
        return Marks(
            guess=self._mark("guess", asker, brand, asked.written, *name),
            wrong=self._mark("wrong", brand, number, *name),
            match=self._mark("match", asker, brand, number),
            number=self.number(asked.brand_id, asked.written),
            surname=self._mark("surname", asker, folded(asked.surname)),
            neighbours=self._mark("neighbours", asker, brand, number[:-_NEIGHBOURS]),
        )

    def _mark(self, *parts: str) -> str:
        # Each part with its length, so that no two lists of parts are one text.
        told = "".join(f"{len(part)}:{part}" for part in parts)
        digest = blake2b(told.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16)
        return digest.hexdigest()
