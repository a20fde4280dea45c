"""Doing what is asked of many segments with one key: each is a command, and has its own answer.

The request itself is noted first, so that its key is never good for another. Each segment goes by a
key made of it. A request that was cut off in the middle, and comes again, does what is not done.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from brands.callers import Caller
from brands.coalition import Coalition
from brands.errors import DomainError, InvalidInput
from brands.ids import book_of, new_id
from brands.ledger.commands import Claim, Command, Note, Outcome, Refuse
from brands.rejections import Rejection
from brands.travel.booking_steps import accepted, answered_before, part_of
from brands.travel.bookings import Booking, Segment, seen_by, segments_by_id

MAX_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """A segment as the caller sees it now, and why what was asked of it was refused, if it was.

    It is None where she sees it no more: its agency has credited it to another program meanwhile.
    """

    segment: Segment | None
    error: DomainError | None


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to a request, with a result for each segment in the order asked for."""

    results: tuple[SegmentResult, ...]
    replayed: bool


Otherwise = Callable[[Rejection, Claim], Command | None]
"""What is done instead of something that the books have refused, now or before (`replayed`), if
anything is."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked of one segment: the command for it, given its claim, and what the caller is
    told of a refusal."""

    segment: Segment
    command: Callable[[Claim], Command]
    otherwise: Otherwise = lambda *_: None
    told: Callable[[Rejection], Rejection] = lambda rejection: rejection


@dataclass(frozen=True, slots=True)
class Chosen:
    """Segments of one reading, whole and as far as the caller sees them, and those of which her
    request was answered before: its answer is hers, whatever she sees now.

    One reading, so that what is done is done to what she was found to be allowed to do it to.
    """

    whole: Mapping[UUID, Segment]
    seen: Mapping[UUID, Segment]
    answered: frozenset[UUID]


async def choose(
    coalition: Coalition,
    caller: Caller,
    found: Mapping[UUID, Booking],
    claim: Claim,
    operation: str,
) -> Chosen:
    """The segments of bookings that were read whole, for an operation on them."""
    seen = await seen_by(coalition, caller, found)
    whole = _segments(found)
    keys = {id: part_of(claim, operation, id) for id in whole}
    done = await answered_before(coalition, list(keys.values()))
    answered = frozenset(id for id, part in keys.items() if part.key in done)
    return Chosen(whole, _segments(seen), answered)


def _segments(found: Mapping[UUID, Booking]) -> dict[UUID, Segment]:
    return {each.id: each for booking in found.values() for each in booking.segments}


def refusing(segment: Segment, rejection: Rejection) -> Part:
    """A part that is refused for good."""
    return Part(segment, lambda claim: Refuse(new_id(book_of(segment.id)), claim, rejection))


def require_few(ids: Sequence[UUID], path: str) -> None:
    """Raises `InvalidInput` unless there are 1 to 100, each once."""
    if not 1 <= len(ids) <= MAX_AT_ONCE:
        raise InvalidInput(path=path, reason=f"Give 1 to {MAX_AT_ONCE} segments.")
    if len(set(ids)) < len(ids):
        raise InvalidInput(path=path, reason="Give each segment once.")


async def carry_out(
    coalition: Coalition,
    caller: Caller,
    claim: Claim,
    operation: str,
    subject: UUID,
    parts: Sequence[Part],
) -> Done:
    """Does all parts, side by side; `subject` is the booking, or one of them. Raises
    `IdempotencyKeyReused`, `LedgerUnavailable`."""
    note = Note(new_id(book_of(subject)), claim, operation, subject, request_id=caller.request_id)
    asked = accepted(await coalition.ledger.submit(note))
    commands = [part.command(part_of(claim, operation, part.segment.id)) for part in parts]
    answers = await coalition.ledger.submit_many(commands)
    errors = [
        await _settled(coalition, claim, part, answer)
        for part, answer in zip(parts, answers, strict=True)
    ]
    now = await segments_by_id(coalition, caller, [part.segment.id for part in parts])
    results = [
        SegmentResult(now.get(part.segment.id), error)
        for part, error in zip(parts, errors, strict=True)
    ]
    return Done(tuple(results), asked.replayed)


async def _settled(
    coalition: Coalition, claim: Claim, part: Part, answer: Outcome | DomainError
) -> DomainError | None:
    """Why a part was refused, in words of bookings; what is done instead is done by then."""
    if not isinstance(answer, Outcome):
        raise answer
    if answer.rejection is not None:
        other = part_of(claim, type(answer.rejection).__name__, part.segment.id)
        refused = replace(answer.rejection, replayed=answer.replayed)
        instead = part.otherwise(refused, other)
        if instead is None and answer.replayed and await answered_before(coalition, [other]):
            instead = Refuse(new_id(book_of(part.segment.id)), other, answer.rejection)
        if instead is not None:
            answer = await coalition.ledger.submit(instead)
    try:
        accepted(answer)
    except Rejection as rejection:
        return part.told(rejection)
    return None
