"""Transfers by rules over GraphQL: their figures, their refusals, their delays and allowances."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from brands.clock import now
from brands.moving.arriving import complete_transfers
from tests.gateway.stage import Json, Stage, key
from tests.gateway.transferring import (
    Somebody,
    cancel,
    conversion,
    create,
    gift,
    lay_down,
    posted,
    preview,
    quote,
    reverse,
    seen,
    somebody,
)

THREE_TO_ONE: Json = {
    "ratio": {"from": 3, "to": 1},
    "blockBonus": {"every": 60_000, "bonus": 5_000},
    "minimum": 3_000,
    "increment": 3,
}
CAPPED: Json = {"ratio": {"from": 1, "to": 1}, "fee": {"perPoint": "0.0006", "cap": "99.00"}}

WORKED: list[tuple[str, str, Json | None, int, tuple[int, int, int], str | None]] = [
    ("AERO", "HOTEL", THREE_TO_ONE, 60_000, (25_000, 20_000, 5_000), None),
    ("AERO", "HOTEL", THREE_TO_ONE, 120_003, (50_001, 40_001, 10_000), None),
    ("HOTEL", "AERO", CAPPED, 100_000, (100_000, 100_000, 0), "60"),
    ("HOTEL", "AERO", CAPPED, 200_000, (200_000, 200_000, 0), "99"),
    ("AERO", "HOTEL", None, 1_000, (640, 640, 0), None),
    ("GROCER", "COFFEE", None, 1_000, (737, 737, 0), None),
]


async def people(stage: Stage, points: int = 1_000) -> tuple[Somebody, Somebody]:
    """Ada, who has points at AERO, and Bea."""
    ada = await somebody(stage, "ada", "Lovelace", "AERO", "HOTEL")
    bea = await somebody(stage, "bea", "Byron", "AERO", "HOTEL")
    await stage.give(ada.memberships["AERO"], points)
    return ada, bea


@pytest.mark.parametrize(("by", "to", "terms", "leave", "arrive", "fee"), WORKED)
async def test_the_worked_table(
    stage: Stage,
    by: str,
    to: str,
    terms: Json | None,
    leave: int,
    arrive: tuple[int, int, int],
    fee: str | None,
) -> None:
    """Each line of the worked table: a preview, a quote and its execution say what arrives, of it
    base and bonus, and the fee; and that is what is on the memberships then."""
    ada = await somebody(stage, "ada", "Lovelace", by, to)
    await stage.give(ada.memberships[by], leave)
    rule = None if terms is None else {"id": await lay_down(stage, by, to, **terms)}
    request = conversion(ada, leave, to, by)
    shown = (await preview(stage, request, "ada"))["quote"]
    offer = (await quote(stage, request, "ada"))["quote"]
    assert shown == offer | {"id": None, "expiresAt": None}
    assert (offer["pointsIn"], offer["basePoints"], offer["bonusPoints"]) == arrive
    assert offer["fee"] == (None if fee is None else {"amount": fee, "currency": "USD"})
    assert offer["rule"] == rule
    made = await create(stage, {"quote": offer["id"], "minimumPointsIn": arrive[0]}, "ada")
    assert (made["errors"], made["transfer"]["status"]) == ([], "COMPLETED")
    assert (made["transfer"]["pointsOut"], made["transfer"]["pointsIn"]) == (leave, arrive[0])
    assert made["transfer"]["fee"] == (None if fee is None else {"amount": fee})
    assert await posted(stage, ada.memberships[by]) == 0
    assert await posted(stage, ada.memberships[to]) == arrive[0]
    assert await stage.audit() == []


async def test_the_money_of_the_worked_table(stage: Stage) -> None:
    """1,000 points of GROCER become 737 of COFFEE: one pool gives up 1,000 times its value, the
    other gets 737 times its own, the margin has the rest."""
    ada = await somebody(stage, "ada", "Lovelace", "GROCER", "COFFEE")
    await stage.give(ada.memberships["GROCER"], 1_000)
    request = conversion(ada, 1_000, "COFFEE", "GROCER")
    made = await create(stage, {"transfer": request}, "operator")
    (posting,) = made["transfer"]["transactions"]
    money = {
        each["account"]["kind"] + each["amount"][:1].replace("-", " gives"): each["amount"]
        for each in posting["entries"]
        if each["account"]["unit"] == "USD"
    }
    assert money == {"POOL gives": "-5", "POOL4": "4.422", "MARGIN0": "0.578"}


async def test_points_asked_for(stage: Stage) -> None:
    """Asked for points in, the least that a rule allows and that does it leaves."""
    ada, _ = await people(stage)
    await lay_down(stage, "AERO", "HOTEL", **THREE_TO_ONE)
    for wanted, leaving, arriving in ((1, 3_000, 1_000), (1_001, 3_003, 1_001)):
        request = conversion(ada, 0) | {"pointsOut": None, "pointsIn": wanted}
        offer = (await preview(stage, request, "ada"))["quote"]
        assert (offer["pointsOut"], offer["pointsIn"]) == (leaving, arriving)
        assert offer["effectiveRate"].startswith("0.333333")


def refused(name: str, **figures: Any) -> Json:
    """An error of a type with figures."""
    return {"__typename": name, **figures}


REFUSALS: dict[str, tuple[Json, int, Json]] = {
    "closed": (
        {"closed": True},
        100,
        refused("TransferPairClosed", source="AERO", destination="HOTEL"),
    ),
    "too few": ({"minimum": 101}, 100, refused("TransferBelowMinimum", minimum=101)),
    "too many": ({"maximum": 99}, 100, refused("TransferAboveMaximum", maximum=99)),
    "off the step": (
        {"increment": 30},
        100,
        refused("TransferNotInIncrement", increment=30, nearestBelow=90, nearestAbove=120),
    ),
    "below the step": (
        {"increment": 300, "maximum": 300},
        100,
        refused("TransferNotInIncrement", increment=300, nearestBelow=None, nearestAbove=300),
    ),
    "too small": (
        {"ratio": {"from": 1_000, "to": 1}},
        999,
        refused("TransferTooSmall", pointsOut=999, minimum=1_000),
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("who", ["ada", "aero", "operator"])
async def test_refusals_by_a_rule(stage: Stage, name: str, who: str) -> None:
    """Whoever asks, a refusal by a rule has the rule's figures; a transfer is refused so for good,
    and nothing has changed."""
    terms, points, expected = REFUSALS[name]
    ada, _ = await people(stage)
    await lay_down(stage, "AERO", "HOTEL", **terms)
    before = await stage.books()
    request, once = conversion(ada, points), key()
    answers = [
        await preview(stage, request, who),
        await quote(stage, request, who),
        await create(stage, {"transfer": request, "idempotencyKey": once}, who),
    ]
    await lay_down(stage, "AERO", "HOTEL", minimum=1)
    again = await create(stage, {"transfer": request, "idempotencyKey": once}, who)
    assert again == answers[2] | {"replayed": True}
    for payload in answers:
        (error,) = payload["errors"]
        assert {name: error[name] for name in expected} == expected
        assert set(error) == {"code", "path", *expected}
    after = dict(await stage.books())
    assert {name for name, was in before if after[name] != was} == {"actions"}


async def test_a_membership_too_new(stage: Stage) -> None:
    """A membership that is too new is told when it will not be."""
    ada, _ = await people(stage)
    await lay_down(stage, "AERO", "HOTEL", membershipAgeDays=30)
    (error,) = (await preview(stage, conversion(ada, 100), "ada"))["errors"]
    assert error["__typename"] == "MembershipTooNew"
    assert 29 <= (datetime.fromisoformat(error["eligibleAt"]) - now()).days <= 30


ALLOWANCE = """query A($id: ID!) { node(id: $id) { ... on Membership { transferAllowance {
    direction period household from { code } to { code } resetsAt
    points { limit used remaining } count { limit used remaining }
} } } }"""


async def allowance(stage: Stage, membership: str, who: str) -> Any:
    """What the limits leave a membership, as somebody sees it."""
    node = (await stage.data(ALLOWANCE, {"id": membership}, who))["node"]
    return node and node["transferAllowance"]


async def test_an_allowance_is_used_told_and_given_back(stage: Stage) -> None:
    """What a limit leaves is shown to the member, her brand and the operator; beyond it a transfer
    is refused with the same figures, and one taken back has used nothing."""
    ada, bea = await people(stage)
    limits = [
        {"period": "MONTH", "direction": "OUT", "points": 250, "count": 2},
        {"period": "YEAR", "direction": "IN", "count": 9},
    ]
    await lay_down(stage, "AERO", "HOTEL", limits=limits)
    hers = ada.memberships["AERO"]
    made = await create(stage, {"transfer": conversion(ada, 200)}, "ada")
    (shown,) = await allowance(stage, hers, "ada")
    for who in ("ada", "aero", "operator"):
        (left,) = await allowance(stage, hers, who)
        assert left == shown
        assert (left["direction"], left["period"], left["household"]) == ("OUT", "MONTH", False)
        assert (left["from"], left["to"]) == ({"code": "AERO"}, {"code": "HOTEL"})
        assert left["points"] == {"limit": 250, "used": 200, "remaining": 50}
        assert left["count"] == {"limit": 2, "used": 1, "remaining": 1}
    for who in ("bea", "hotel", "agency"):
        assert await allowance(stage, hers, who) is None
    (arrived,) = await allowance(stage, ada.memberships["HOTEL"], "ada")
    assert (arrived["points"], arrived["count"]["used"]) == (None, 1)
    before = await stage.books()
    for request in (conversion(ada, 51), gift(ada, bea, 51, "HOTEL")):
        (error,) = (await create(stage, {"transfer": request}, "ada"))["errors"]
        assert error == {
            "__typename": "TransferLimitReached",
            "code": "TRANSFER_LIMIT_REACHED",
            "path": ["transfer", "pointsOut"],
            "period": "MONTH",
            "direction": "OUT",
            "unit": "POINTS",
            "limit": 250,
            "used": 200,
            "remaining": 50,
            "resetsAt": shown["resetsAt"],
        }
    assert await stage.books() == before
    await reverse(stage, made["transfer"]["id"])
    (left,) = await allowance(stage, hers, "ada")
    assert (left["points"]["used"], left["count"]["used"]) == (0, 0)
    assert await stage.audit() == []


async def test_points_under_way_and_called_off(stage: Stage) -> None:
    """A transfer that takes its time is pending; who made it calls it off, and but once; the
    recipient, her brand, agencies and strangers do not."""
    ada, bea = await people(stage)
    await somebody(stage, "eve", "Moneypenny", "AERO")
    await lay_down(stage, "AERO", "HOTEL", arrivesAfterSeconds=3_600)
    assert (await preview(stage, conversion(ada, 1), "aero"))["quote"] is None  # too small
    shown = (await preview(stage, gift(ada, bea, 100, "HOTEL"), "ada"))["quote"]
    assert shown["arrivesAfterSeconds"] == 3_600
    for who in ("ada", "aero", "operator"):
        made = await create(stage, {"transfer": gift(ada, bea, 100, "HOTEL")}, "ada")
        transfer = made["transfer"]
        sent, due = (datetime.fromisoformat(transfer[at]) for at in ("createdAt", "arrivesAt"))
        assert (transfer["status"], (due - sent).total_seconds()) == ("PENDING", 3_600)
        assert [each["kind"] for each in transfer["transactions"]] == ["TRANSFER_OUT"]
        assert await posted(stage, ada.memberships["AERO"], "ada") == 900
        before = await stage.books()
        for stranger, code in (
            ("bea", "TRANSFER_NOT_FOUND"),
            ("hotel", "TRANSFER_NOT_FOUND"),
            ("coffee", "TRANSFER_NOT_FOUND"),
            ("agency", "TRANSFER_NOT_FOUND"),
            ("eve", "TRANSFER_NOT_FOUND"),
        ):
            payload = await cancel(stage, transfer["id"], stranger)
            assert [each["code"] for each in payload["errors"]] == [code]
        assert await stage.books() == before
        (error,) = (await reverse(stage, transfer["id"]))["errors"]
        assert (error["code"], error["status"]) == ("TRANSFER_NOT_COMPLETED", "PENDING")
        once = key()
        off = await cancel(stage, transfer["id"], who, once)
        assert (off["errors"], off["transfer"]["status"]) == ([], "CANCELLED")
        assert off["transfer"]["reversedPoints"] == 100
        again = await cancel(stage, transfer["id"], who, once)
        assert again == off | {"replayed": True}
        (error,) = (await cancel(stage, transfer["id"], who))["errors"]
        assert (error["code"], error["arrivesAt"]) == (
            "TRANSFER_NOT_CANCELLABLE",
            transfer["arrivesAt"],
        )
        assert await posted(stage, ada.memberships["AERO"], "ada") == 1_000
    assert await posted(stage, bea.memberships["HOTEL"]) == 0
    assert await stage.audit() == []


async def test_points_under_way_arrive(stage: Stage) -> None:
    """When they are due the points arrive, and from then on the transfer is not called off."""
    ada, bea = await people(stage)
    await lay_down(stage, "AERO", "HOTEL", arrivesAfterSeconds=1)
    made = await create(stage, {"transfer": gift(ada, bea, 100, "HOTEL")}, "ada")
    assert made["transfer"]["status"] == "PENDING"
    due = datetime.fromisoformat(made["transfer"]["arrivesAt"])
    await asyncio.sleep((due - now()).total_seconds() + 0.05)
    (error,) = (await cancel(stage, made["transfer"]["id"], "ada"))["errors"]
    assert error["code"] == "TRANSFER_NOT_CANCELLABLE"
    assert await complete_transfers(stage.coalition) == 1
    hers = await seen(stage, made["transfer"]["id"], "bea")
    assert (hers["status"], hers["arrivesAt"]) == ("COMPLETED", made["transfer"]["arrivesAt"])
    assert [each["kind"] for each in hers["transactions"]] == ["TRANSFER_IN"]
    assert await posted(stage, bea.memberships["HOTEL"], "bea") == 64
    assert await stage.audit() == []


async def test_a_quote_is_kept(stage: Stage) -> None:
    """A quote gives its figures though the pair is closed since; another client has no such quote,
    it is used once, and it holds what the caller insists on."""
    ada, _ = await people(stage, 3_000)
    await lay_down(stage, "AERO", "HOTEL", **THREE_TO_ONE)
    offer = (await quote(stage, conversion(ada, 3_000), "ada"))["quote"]["id"]
    await lay_down(stage, "AERO", "HOTEL", closed=True)
    assert (await quote(stage, conversion(ada, 3_000), "ada"))["quote"] is None
    for who in ("operator", "aero", "agency", "bea"):
        (error,) = (await create(stage, {"quote": offer}, who))["errors"]
        assert (error["code"], error["path"]) == ("QUOTE_NOT_FOUND", ["quote"])
    (error,) = (await create(stage, {"quote": offer, "minimumPointsIn": 1_001}, "ada"))["errors"]
    assert (error["code"], error["pointsIn"], error["minimum"]) == (
        *("POINTS_IN_BELOW_MINIMUM", 1_000),
        1_001,
    )
    made = await create(stage, {"quote": offer}, "ada")
    assert made["transfer"]["pointsIn"] == 1_000
    (error,) = (await create(stage, {"quote": offer}, "ada"))["errors"]
    assert (error["code"], error["path"]) == ("QUOTE_USED", ["quote"])
    assert await stage.audit() == []
