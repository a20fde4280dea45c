"""Bad input: each kind of it has a typed error, and nothing has changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.gateway.stage import Json, Person, Stage, key

HUGE = 2**53
POSSIBLE = 2**53 - 1
NOWHERE = "TXMAAAAAAAAAAAAAAAAAAAAA"
"""A membership's global id in due form, of a membership that there is not."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Who and what there is when the bad request comes."""

    ada: Person
    bob: Person
    closed: str


@dataclass(frozen=True, slots=True)
class Case:
    """A request, and what it gets: a typed error's code and path, or a top-level code."""

    name: str
    mutation: str
    given: Callable[[Scene], Json]
    code: str
    path: list[str] | None = None
    who: str = "operator"
    top_level: bool = False


def adjust(**more: Any) -> Callable[[Scene], Json]:
    """An adjustment of Ada's points, but for what is wrong with it."""
    return lambda scene: (
        {
            "membership": scene.ada.memberships["AERO"],
            "points": 10,
            "reason": "a test",
            "idempotencyKey": key(),
        }
        | {name: value(scene) if callable(value) else value for name, value in more.items()}
    )


def ways(**more: Any) -> Callable[[Scene], Json]:
    """A transfer from Ada's AERO to her HOTEL, but for what is wrong with it."""
    return lambda scene: (
        {
            "source": scene.ada.memberships["AERO"],
            "destination": scene.ada.memberships["HOTEL"],
            "pointsOut": 100,
        }
        | {name: value(scene) if callable(value) else value for name, value in more.items()}
    )


def transfer(idempotency_key: str | None = None, **more: Any) -> Callable[[Scene], Json]:
    """Such a transfer, to be made."""
    return lambda scene: {
        "transfer": {name: value for name, value in ways(**more)(scene).items() if value},
        "idempotencyKey": key() if idempotency_key is None else idempotency_key,
    }


def rates(**more: Any) -> Callable[[Scene], Json]:
    """A valuation of AERO, but for what is wrong with it."""
    return lambda _: {"brand": "AERO", "redemptionRate": "0.01"} | more


def enrol(**more: Any) -> Callable[[Scene], Json]:
    """An enrolment, but for what is wrong with it."""
    return lambda _: {"brands": ["AERO"], "idempotencyKey": key()} | more


def brand(**more: Any) -> Callable[[Scene], Json]:
    """A brand, but for what is wrong with it."""
    return lambda _: (
        {
            "code": "NEWS",
            "name": "News",
            "pointsName": "Lines",
            "timeZone": "UTC",
            "valuation": {"redemptionRate": "0.01"},
        }
        | more
    )


AERO = "AERO"
IDEMPOTENCY = ["idempotencyKey"]
BAD = "BAD_USER_INPUT"

CASES = (
    # Unknown things.
    Case("brand", "valuationPublish", rates(brand="NONE"), "BRAND_NOT_FOUND"),
    Case("brand to enrol at", "memberEnroll", enrol(brands=["NONE"]), "BRAND_NOT_FOUND"),
    Case("sponsor", "pointsAdjust", adjust(sponsor="NONE"), "BRAND_NOT_FOUND"),
    Case(
        "membership",
        "pointsAdjust",
        adjust(membership=NOWHERE),
        "MEMBERSHIP_NOT_FOUND",
        ["membership"],
    ),
    Case(
        "no id at all",
        "pointsAdjust",
        adjust(membership="AERO-1"),
        "MEMBERSHIP_NOT_FOUND",
        ["membership"],
    ),
    Case(
        "another thing's id",
        "pointsAdjust",
        adjust(membership=lambda scene: scene.ada.id),
        "MEMBERSHIP_NOT_FOUND",
        ["membership"],
    ),
    Case("source", "transferQuote", ways(source=NOWHERE), "MEMBERSHIP_NOT_FOUND", ["source"]),
    Case(
        "destination",
        "transferCreate",
        transfer(destination=NOWHERE),
        "MEMBERSHIP_NOT_FOUND",
        ["transfer", "destination"],
    ),
    Case(
        "quote",
        "transferCreate",
        lambda _: {"quote": "x", "idempotencyKey": key()},
        "QUOTE_NOT_FOUND",
        ["quote"],
    ),
    Case(
        "transfer",
        "transferReverse",
        lambda _: {"transfer": NOWHERE, "reason": "none", "idempotencyKey": key()},
        "TRANSFER_NOT_FOUND",
        ["transfer"],
    ),
    Case(
        "transaction",
        "transactionReverse",
        lambda _: {"transaction": NOWHERE, "reason": "none", "idempotencyKey": key()},
        "TRANSACTION_NOT_FOUND",
        ["transaction"],
    ),
    Case(
        "member",
        "membershipOpen",
        lambda _: {"member": {"coalitionNumber": "none"}, "brand": "AERO"},
        "MEMBER_NOT_FOUND",
        ["member"],
    ),
    # Points.
    Case("zero", "transferQuote", ways(pointsOut=0), "POINTS_NOT_POSITIVE", ["pointsOut"]),
    Case("zero given", "pointsAdjust", adjust(points=0), "INVALID_INPUT", ["points"]),
    Case("negative", "transferQuote", ways(pointsOut=-1), "POINTS_NOT_POSITIVE", ["pointsOut"]),
    Case("huge", "transferQuote", ways(pointsOut=HUGE), BAD, top_level=True),
    Case("hugely negative", "pointsAdjust", adjust(points=-HUGE), BAD, top_level=True),
    Case(
        "more than there are", "transferCreate", transfer(pointsOut=POSSIBLE), "INSUFFICIENT_POINTS"
    ),
    Case("a fraction", "transferQuote", ways(pointsOut=1.5), BAD, top_level=True),
    Case("a whole float", "transferQuote", ways(pointsOut=1.0), BAD, top_level=True),
    Case("a string", "pointsAdjust", adjust(points="10"), BAD, top_level=True),
    Case("a truth", "pointsAdjust", adjust(points=True), BAD, top_level=True),
    Case("none at all", "pointsAdjust", adjust(points=None), BAD, top_level=True),
    Case("in and out", "transferQuote", ways(pointsIn=5), "INVALID_INPUT", ["pointsOut"]),
    Case("neither", "transferQuote", ways(pointsOut=None), "INVALID_INPUT", ["pointsOut"]),
    Case("worth nothing", "transferQuote", ways(pointsOut=1), "TRANSFER_TOO_SMALL"),
    # Memberships.
    Case(
        "same membership",
        "transferQuote",
        ways(destination=lambda scene: scene.ada.memberships["AERO"]),
        "SAME_MEMBERSHIP",
        ["destination"],
    ),
    Case(
        "same brand",
        "transferQuote",
        ways(destination=lambda scene: scene.bob.memberships["AERO"]),
        "SAME_BRAND",
        ["destination"],
    ),
    Case(
        "another member",
        "transferQuote",
        ways(destination=lambda scene: scene.bob.memberships["HOTEL"]),
        "DIFFERENT_MEMBERS",
        ["destination"],
    ),
    Case(
        "no destination", "transferQuote", ways(destination=None), "INVALID_INPUT", ["destination"]
    ),
    Case(
        "closed membership",
        "pointsAdjust",
        adjust(membership=lambda scene: scene.closed),
        "MEMBERSHIP_CLOSED",
    ),
    Case(
        "into a closed membership",
        "transferCreate",
        transfer(destination=lambda scene: scene.closed),
        "MEMBERSHIP_CLOSED",
    ),
    Case(
        "a membership there is",
        "membershipOpen",
        lambda scene: {"member": {"id": scene.ada.id}, "brand": "AERO"},
        "ALREADY_MEMBER",
        ["brand"],
    ),
    # Keys.
    Case(
        "no key", "pointsAdjust", adjust(idempotencyKey=""), "INVALID_IDEMPOTENCY_KEY", IDEMPOTENCY
    ),
    Case(
        "a key too long",
        "pointsAdjust",
        adjust(idempotencyKey="k" * 256),
        "INVALID_IDEMPOTENCY_KEY",
        IDEMPOTENCY,
    ),
    Case("no key", "transferCreate", transfer(""), "INVALID_IDEMPOTENCY_KEY", IDEMPOTENCY),
    Case(
        "a key too long",
        "memberEnroll",
        enrol(idempotencyKey="k" * 256),
        "INVALID_IDEMPOTENCY_KEY",
        IDEMPOTENCY,
    ),
    Case("key left out", "memberEnroll", enrol(idempotencyKey=None), BAD, top_level=True),
    # Rates.
    Case("i < v", "valuationPublish", rates(transferInRate="0.009"), "RATES_OUT_OF_ORDER"),
    Case("v < o", "valuationPublish", rates(transferOutRate="0.011"), "RATES_OUT_OF_ORDER"),
    Case("p < v", "valuationPublish", rates(issuePrice="0.009"), "RATES_OUT_OF_ORDER"),
    Case(
        "i < v of a new brand",
        "brandCreate",
        brand(valuation={"redemptionRate": "0.01", "transferInRate": "0.009"}),
        "RATES_OUT_OF_ORDER",
        ["valuation", "transferInRate"],
    ),
    Case(
        "seven decimals", "valuationPublish", rates(redemptionRate="0.0000001"), "RATE_TOO_PRECISE"
    ),
    Case("rate zero", "valuationPublish", rates(redemptionRate=0), "RATE_NOT_POSITIVE"),
    Case("rate below zero", "valuationPublish", rates(redemptionRate="-1"), "RATE_NOT_POSITIVE"),
    Case("rate above 1000", "valuationPublish", rates(redemptionRate=1001), "INVALID_RATE"),
    Case("rate a float", "valuationPublish", rates(redemptionRate=0.01), BAD, top_level=True),
    Case(
        "rate infinite", "valuationPublish", rates(redemptionRate="Infinity"), BAD, top_level=True
    ),
    Case(
        "a valuation in the past",
        "valuationPublish",
        rates(effectiveFrom="2001-01-01T00:00:00Z"),
        "VALUATION_IN_PAST",
        ["effectiveFrom"],
    ),
    Case(
        "a time without offset",
        "valuationPublish",
        rates(effectiveFrom="2101-01-01T00:00:00"),
        BAD,
        top_level=True,
    ),
    Case(
        "in the future", "pointsAdjust", adjust(eventAt="2101-01-01T00:00:00Z"), "EVENT_IN_FUTURE"
    ),
    # Form.
    Case("no reason", "pointsAdjust", adjust(reason=""), "INVALID_INPUT", ["reason"]),
    Case("code taken", "brandCreate", brand(code="AERO"), "BRAND_CODE_TAKEN", ["code"]),
    Case("bad code", "brandCreate", brand(code="news"), "INVALID_INPUT", ["code"]),
    Case("bad zone", "brandCreate", brand(timeZone="Mars"), "INVALID_INPUT", ["timeZone"]),
    Case("a long list", "memberEnroll", enrol(brands=["AERO"] * 101), "INVALID_INPUT", ["brands"]),
    Case("twice at a brand", "memberEnroll", enrol(brands=["AERO", "AERO"]), "INVALID_INPUT"),
    Case(
        "named twice",
        "membershipOpen",
        lambda scene: {
            "member": {"id": scene.ada.id, "coalitionNumber": scene.ada.number},
            "brand": "COFFEE",
        },
        BAD,
        top_level=True,
    ),
    Case("a field too many", "pointsAdjust", adjust(colour="red"), BAD, top_level=True),
    # Other callers.
    Case("a brand adjusts", "pointsAdjust", adjust(), "NOT_PERMITTED", who="aero"),
    Case("a brand founds one", "brandCreate", brand(), "NOT_PERMITTED", who="aero"),
    Case("a brand's rates by another", "valuationPublish", rates(), "NOT_PERMITTED", who="hotel"),
    Case("another brand enrols", "memberEnroll", enrol(), "NOT_PERMITTED", who="hotel"),
    Case(
        "another brand converts",
        "transferCreate",
        transfer(),
        "MEMBERSHIP_NOT_FOUND",
        ["transfer", "source"],
        who="coffee",
    ),
    Case(
        "another brand closes",
        "membershipClose",
        lambda scene: {"membership": scene.ada.memberships["AERO"]},
        "MEMBERSHIP_NOT_FOUND",
        who="hotel",
    ),
    Case("an agency", "transferQuote", ways(), "MEMBERSHIP_NOT_FOUND", ["source"], who="agency"),
    Case("another member", "transferQuote", ways(), "MEMBERSHIP_NOT_FOUND", ["source"], who="bob"),
    # Nobody.
    Case(
        "a wrong credential",
        "pointsAdjust",
        adjust(),
        "UNAUTHENTICATED",
        who="ck_o_0",
        top_level=True,
    ),
)


async def scene_of(stage: Stage) -> Scene:
    """Ada, Bob, points for Ada, and a closed membership of hers."""
    ada = await stage.enrol("AERO", "HOTEL", "GROCER")
    bob = await stage.enrol("AERO", "HOTEL")
    stage.tokens["bob"] = bob.token
    await stage.give(ada.memberships["AERO"], 1_000)
    closed = ada.memberships["GROCER"]
    await stage.do("membershipClose", {"membership": closed})
    return Scene(ada, bob, closed)


async def test_bad_input_changes_nothing(stage: Stage) -> None:
    """Whatever is wrong with a request, it gets a typed error, a null object, and no change."""
    scene = await scene_of(stage)
    before = await stage.books()
    for case in CASES:
        query = (
            f"mutation M($input: {case.mutation[0].upper()}{case.mutation[1:]}Input!)"
            f" {{ {case.mutation}(input: $input) {{ __typename errors {{ code path message }} }} }}"
        )
        answer = await stage.ask(query, {"input": case.given(scene)}, case.who)
        said = f"{case.mutation}, {case.name}: {answer}"
        if case.top_level:
            codes = [error["extensions"]["code"] for error in answer["errors"]]
            assert codes, said
            assert set(codes) == {case.code}, said
        else:
            (error,) = answer["data"][case.mutation]["errors"]
            assert error["code"] == case.code, said
            assert case.path in (None, error["path"]), said
        assert await stage.books() == before, said
    assert await stage.audit() == []


async def test_no_credential(stage: Stage) -> None:
    """Without a credential nothing is done, and the answer is 401 with a code and a challenge."""
    scene = await scene_of(stage)
    before = await stage.books()
    query = "mutation M($input: PointsAdjustInput!) { pointsAdjust(input: $input) { replayed } }"
    response = await stage.post({"query": query, "variables": {"input": adjust()(scene)}}, who=None)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert await stage.books() == before
