"""Claims that are decided, appealed against, withdrawn, confirmed beside and taken back at once, by
several writers of one coalition, who come a little sooner or later."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from random import Random
from typing import Any

import pytest

from brands.coalition import Coalition, open_coalition
from brands.errors import DomainError
from brands.travel.booking_parts import Done
from brands.travel.bookings import SegmentStatus
from brands.travel.claiming import claim
from brands.travel.claims import ClaimStatus, CreditClaim
from brands.travel.crediting import Confirmation, confirm
from brands.travel.deciding import Decision, Verdict, decide
from brands.travel.pursuing import appeal, withdraw
from brands.travel.taking_back import void
from brands.travel.voiding import VoidReason
from brands.travel.voiding import void as void_booking
from tests.brands.booked import Scene, booked, flight, points, scene, statuses
from tests.brands.claimed import approve, claimed, new_claim, reject, whole
from tests.brands.stage import OPERATOR, key, require_sound

Ask = Callable[[], Awaitable[Any]]

ROUNDS = 8
BEATEN = {"ClaimDecided", "ClaimChanged"}
"""What who decides too late is told."""

LATEST = 0.012
"""In seconds: about as long as it takes to read a claim and to write what was decided."""


@pytest.fixture
async def writers(postgres_url: str) -> AsyncIterator[list[Coalition]]:
    """Three writers of the coalition, each with connections of its own."""
    async with AsyncExitStack() as opened:
        made = []
        for _ in range(3):
            made.append(await open_coalition(postgres_url))
            opened.push_async_callback(made[-1].close)
        yield made


async def set_scene(writers: Sequence[Coalition]) -> Scene:
    """The scene, which every writer knows of."""
    it = await scene(writers[0])
    for writer in writers:
        await writer.registry.refresh()
    return it


async def _answer(ask: Ask, after: float = 0) -> str:
    await asyncio.sleep(after)
    try:
        done = await ask()
    except DomainError as error:
        return type(error).__name__
    refused = [each.error for each in done.results if each.error] if isinstance(done, Done) else []
    return type(refused[0]).__name__ if refused else "done"


async def meet(chance: Random, *asks: Ask) -> list[str]:
    """What each is answered that is asked at about the same time; asked again, it is the same."""
    first = await asyncio.gather(*(_answer(ask, chance.uniform(0, LATEST)) for ask in asks))
    assert [await _answer(ask) for ask in asks] == first
    return first


def deciding(writer: Coalition, one: CreditClaim, verdict: Verdict) -> Ask:
    """A decision of the operator's."""
    decision = Decision(one.id, verdict, None, verdict.value, key())
    return lambda: decide(writer, OPERATOR, decision)


async def test_one_of_two_decisions_holds(writers: list[Coalition]) -> None:
    """Of clerks who decide one claim, one does, and his decision stays."""
    it, chance = await set_scene(writers), Random(1)
    for number in range(1, ROUNDS + 1):
        made, before = await claimed(writers[0], it, flight(number)), await points(writers[0], it)
        verdicts = [Verdict.APPROVE, *[Verdict.REJECT] * 2, Verdict.APPROVE]
        chance.shuffle(verdicts)
        asks = [
            deciding(writers[place % 3], made, verdict) for place, verdict in enumerate(verdicts)
        ]
        answers = await meet(chance, *asks)
        assert answers.count("done") == 1
        assert set(answers) <= {"done", *BEATEN}
        won = verdicts[answers.index("done")]
        approved = won is Verdict.APPROVE
        now = await whole(writers[0], made)
        assert now.status is (ClaimStatus.APPROVED if approved else ClaimStatus.REJECTED)
        assert await points(writers[0], it) - before == (500 if approved else 0)
    await require_sound(writers[0])


async def test_an_appeal_meets_decisions(writers: list[Coalition]) -> None:
    """However a rejection, an appeal and further decisions fall together, each follows one that it
    can follow, and what is approved is credited."""
    it, chance = await set_scene(writers), Random(2)
    for number in range(1, ROUNDS + 1):
        made, before = await claimed(writers[0], it, flight(number)), await points(writers[0], it)
        await reject(writers[0], OPERATOR, made)
        name, other = key(), key()
        answers = await meet(
            chance,
            lambda made=made, name=name: appeal(writers[1], it.sky, made.id, "She flew.", name),  # type: ignore[misc]
            lambda made=made, name=other: appeal(writers[2], it.sky, made.id, "She flew.", name),  # type: ignore[misc]
            deciding(writers[0], made, Verdict.APPROVE),
            deciding(writers[1], made, Verdict.REJECT),
            deciding(writers[2], made, Verdict.APPROVE),
        )
        assert answers[:2].count("done") == 1
        assert answers[2:].count("done") <= 1
        now = await whole(writers[0], made)
        assert now.is_appealed
        assert now.is_undecided is ("done" not in answers[2:])
        if now.is_undecided:
            await reject(writers[0], OPERATOR, made)
        approved = now.status is ClaimStatus.APPROVED
        assert await points(writers[0], it) - before == (500 if approved else 0)
    await require_sound(writers[0])


async def test_what_is_withdrawn_is_not_decided(writers: list[Coalition]) -> None:
    """A claim is withdrawn or decided, and never both."""
    it, chance = await set_scene(writers), Random(3)
    for number in range(1, ROUNDS + 1):
        made, before = await claimed(writers[0], it, flight(number)), await points(writers[0], it)
        name = key()
        answers = await meet(
            chance,
            lambda made=made, name=name: withdraw(writers[1], it.sky, made.id, name),  # type: ignore[misc]
            deciding(writers[0], made, Verdict.APPROVE),
            deciding(writers[2], made, Verdict.REJECT),
        )
        assert answers.count("done") == 1
        ended = (ClaimStatus.WITHDRAWN, ClaimStatus.APPROVED, ClaimStatus.REJECTED)
        assert (await whole(writers[0], made)).status is ended[answers.index("done")]
        gained = await points(writers[0], it) - before
        assert gained == (500 if answers[1] == "done" else 0)
    await require_sound(writers[0])


async def test_a_claim_meets_a_confirmation(writers: list[Coalition]) -> None:
    """A flight that is claimed, and approved, while its booking is confirmed is credited once."""
    it, chance = await set_scene(writers), Random(4)
    for number in range(1, ROUNDS + 1):
        booking = await booked(writers[0], it, flight(number), record_locator=f"LOC{number}")
        new, asked, name = (
            new_claim(it, flight(number)),
            [Confirmation(booking.segments[0].id)],
            key(),
        )
        named = key()
        before = await points(writers[0], it)

        async def claimed_and_approved(new: Any = new, named: str = named) -> Any:
            made = await claim(writers[0], it.ada.caller, new)
            decision = Decision(made.claim.id, Verdict.APPROVE, None, "Yes.", named)
            return await decide(writers[1], it.brand("AERO"), decision)

        answers = await meet(
            chance,
            claimed_and_approved,
            lambda asked=asked, name=name: confirm(writers[2], OPERATOR, asked, name),  # type: ignore[misc]
        )
        assert answers.count("done") == 1
        assert await points(writers[0], it) - before == 500
        assert await statuses(writers[0], booking) == [SegmentStatus.CREDITED]
    await require_sound(writers[0])


async def test_what_is_credited_is_taken_back_once(writers: list[Coalition]) -> None:
    """Of several who take back one claim, or void the booking that it has credited, one does."""
    it, chance = await set_scene(writers), Random(5)
    for number in range(1, ROUNDS + 1):
        booking = await booked(writers[0], it, flight(number), record_locator=f"LOC{number}")
        made = await claimed(writers[0], it, flight(number), it.ada.caller)
        before = await points(writers[0], it)
        await approve(writers[0], it.brand("AERO"), made)
        which, names = [booking.segments[0].id], [key() for _ in range(4)]

        def taking_back(writer: int, one: CreditClaim = made, names: list[str] = names) -> Ask:
            return lambda: void(writers[writer], OPERATOR, one.id, "A mistake.", names[writer])

        answers = await meet(
            chance,
            *(taking_back(writer) for writer in range(3)),
            lambda which=which, name=names[3]: void_booking(  # type: ignore[misc]
                writers[0], OPERATOR, which, VoidReason.REFUND, name
            ),
        )
        assert answers.count("done") == 1
        assert await points(writers[0], it) == before
        assert (await whole(writers[0], made)).status is ClaimStatus.VOIDED
        assert await statuses(writers[0], booking) == [SegmentStatus.VOIDED]
    await require_sound(writers[0])
