"""Segments and claims that others have credited while somebody read on: what she is told."""

from typing import Any

import pytest

from brands.coalition import Coalition
from brands.travel import crediting, deciding
from brands.travel.flown import turns_of
from brands.travel.rejections import ClaimDecided, FlightAlreadyCredited, SegmentAlreadyCredited
from tests.brands.booked import booked, confirmed, errors, flight, points, scene
from tests.brands.claimed import approve, claimed
from tests.brands.stage import OPERATOR, require_sound


async def test_a_segment_that_was_confirmed_meanwhile(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who confirms a segment that was confirmed, or credited by a claim, after she has read it, is
    told that the segment is credited; and of another booking of the flight, that the flight is."""
    it = await scene(coalition)
    one = await booked(coalition, it, flight(1), flight(2))
    two = await booked(coalition, it, flight(1), who=it.sea)
    made = await claimed(coalition, it, flight(2))

    async def meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(crediting, "turns_of", turns_of)
        await confirmed(coalition, OPERATOR, one.segments[0])
        await approve(coalition, OPERATOR, made)
        return await turns_of(*given)

    monkeypatch.setattr(crediting, "turns_of", meanwhile)
    done = await confirmed(coalition, OPERATOR, *one.segments, *two.segments)
    credited = SegmentAlreadyCredited()
    assert errors(done) == [credited, credited, FlightAlreadyCredited()]
    assert await points(coalition, it) == 1_000
    await require_sound(coalition)


async def test_a_claim_that_was_approved_meanwhile(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who approves a claim that was approved after she has read it is told that it is decided; and
    of another claim for the journey, that the flight is credited."""
    it = await scene(coalition)
    one, two = await claimed(coalition, it), await claimed(coalition, it, who=it.sea)

    async def meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(deciding, "turns_of", turns_of)
        await approve(coalition, OPERATOR, one)
        return await turns_of(*given)

    monkeypatch.setattr(deciding, "turns_of", meanwhile)
    with pytest.raises(ClaimDecided) as met:
        await approve(coalition, OPERATOR, one)
    assert met.value.status == "APPROVED"
    with pytest.raises(FlightAlreadyCredited):
        await approve(coalition, OPERATOR, two)
    assert await points(coalition, it) == 500
    await require_sound(coalition)
