"""The one door through which members are looked up by number and name, and the guard at it.

Two statements for any number of questions: one reads the meters and looks up, one charges what did
not match, before anything is answered. What is charged holds only if nobody else has charged the
same asker since it was read; else all is done again. So the questions of one asker are answered one
after the other, however many processes they come to at once. A number's meter is added to, whoever
else does: of askers who try one number in the same instant, each has one answer more at most. And
a member's right answer, which is not charged, does not wait for what is asked elsewhere.

An unknown number, another name and a closed membership take the same way. Looked up is the number
asked for or, where there is none, the next one behind it: so a row is found, read and compared in
any case, and told by its number afterwards. Where a brand is suspended nothing depends on what is
stored: nothing is looked up there, and nothing charged.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID
from weakref import WeakValueDictionary

from brands.callers import Caller
from brands.clock import Micros, from_micros, now_micros
from brands.database import Database, Row, as_uuid
from brands.errors import LookupsThrottled
from brands.guarding.lookup_marks import Asker, Marker, Question
from brands.guarding.lookup_store import Found, raise_alarms, read, write
from brands.guarding.suspicion import Charge, charge_of, obstacle
from brands.naming.name_matching import NameMatch
from brands.parties import Party

Compare: TypeAlias = Callable[[str, str | None, str | None, str | None], NameMatch]
"""Compares a surname and a given name with a member's, which may be none."""

_ATTEMPTS = 50
_SECOND: Micros = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """How well the name fits, and whose the number is: told to nobody who was not named rightly."""

    verdict: NameMatch
    party: Party | None


_NOBODYS = Answer(NameMatch.NO_MATCH, None)


class Guard:
    """Answers questions, and remembers how many were wrong. Belongs to one event loop."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._marker = Marker(key)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def ask(
        self, caller: Caller, questions: Sequence[Question], compare: Compare
    ) -> list[Answer]:
        """The answers, in the order of the questions. Raises `LookupsThrottled`, with a `path` if
        it is a number that is shut and not the caller."""
        open_ones = [each for each in questions if not each.suspended]
        answers = iter(await self._ask(caller, open_ones, compare))
        return [_NOBODYS if each.suspended else next(answers) for each in questions]

    async def _ask(
        self, caller: Caller, questions: Sequence[Question], compare: Compare
    ) -> list[Answer]:
        if not questions:
            return []
        asker = self._marker.asker(caller)
        marks = self._marker.marks(asker, questions)
        # One at a time here, so that they do not undo each other's work in the database.
        turn = self._turns.setdefault(asker.key, asyncio.Lock())
        async with turn:
            for _ in range(_ATTEMPTS):
                memory, found = await read(self._database, asker, marks, questions)
                _refuse(obstacle(memory, asker.key, marks), memory.now, questions)
                answers = [_answer(each, found, compare) for each in questions]
                matched = [each.verdict is NameMatch.MATCH for each in answers]
                charge = charge_of(memory, asker.key, asker.budget, marks, matched)
                if charge is None:
                    return answers
                if await self._charge(asker, caller, charge, questions):
                    if charge.retry_at is not None:
                        raise _throttled(charge.retry_at, charge.now)
                    return answers
        at = now_micros()
        raise _throttled(at + _SECOND, at)

    async def ask_freely(self, questions: Sequence[Question], compare: Compare) -> list[Answer]:
        """The same for whoever may read the names anyway: nothing is counted. One statement."""
        _, found = await read(self._database, None, [], questions)
        return [_answer(each, found, compare) for each in questions]

    def number_key(self, brand_id: UUID, number: str) -> str:
        """The key of a number's meter."""
        return self._marker.number(brand_id, number)

    def asker_key(self, caller: Caller) -> str:
        """The key of an asker's meter."""
        return self._marker.asker(caller).key

    async def _charge(
        self, asker: Asker, caller: Caller, charge: Charge, questions: Sequence[Question]
    ) -> bool:
        """Whether it holds: nobody was faster."""
        if not (self._database.is_sqlite or charge.alarms):
            return await write(self._database, asker, charge, is_sqlite=False)
        async with self._database.transaction() as tx:
            holds = await write(tx, asker, charge, is_sqlite=self._database.is_sqlite)
            if holds and charge.alarms:
                await raise_alarms(tx, caller, charge, questions)
        return holds


def _answer(asked: Question, found: Found, compare: Compare) -> Answer:
    """Every number is compared, whether or not it is what was asked for, and is open."""
    best = _NOBODYS
    for number in asked.numbers:
        row = found.get((asked.brand_id, number), _NOBODY)
        verdict = compare(asked.surname, asked.given_name, row["family_name"], row["given_name"])
        is_it = row["number"] == number and row["status"] == "ACTIVE" and not asked.suspended
        if is_it and verdict > best.verdict:
            ids = (as_uuid(row[name]) for name in ("id", "member_id", "asked_brand"))
            best = Answer(verdict, Party(*ids))
    return best


def _refuse(
    until: tuple[Micros, int | None] | None, now: Micros, questions: Sequence[Question]
) -> None:
    if until is not None:
        at, place = until
        raise _throttled(at, now, None if place is None else questions[place].path)


def _throttled(at: Micros, now: Micros, path: str | None = None) -> LookupsThrottled:
    seconds = max(-(-(at - now) // _SECOND), 1)
    return LookupsThrottled(path=path, retry_at=from_micros(at), retry_after_seconds=seconds)


_NOBODY: Row = {"number": None, "status": "", "family_name": None, "given_name": None}
"""Behind the last number of a brand there is none."""
