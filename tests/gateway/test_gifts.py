"""Gifts over GraphQL: what the giver, the recipient and everybody else see of them."""

from typing import Any

import pytest

from tests.gateway.stage import Json, Stage, key
from tests.gateway.transferring import (
    Somebody,
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


async def people(stage: Stage) -> tuple[Somebody, Somebody]:
    """Ada, who has 1,000 points at AERO, and Bea."""
    ada = await somebody(stage, "ada", "Lovelace", "AERO", "HOTEL")
    bea = await somebody(stage, "bea", "O'Brien-Müller", "AERO", "HOTEL")
    await stage.give(ada.memberships["AERO"], 1_000)
    return ada, bea


def secrets(of: Somebody) -> list[str]:
    """What nobody is to learn of a member who names her rightly: ids, names, other numbers."""
    return [of.id, *of.memberships.values(), "Brien", of.who.title()]


@pytest.mark.parametrize(("to", "points_in"), [("AERO", 100), ("HOTEL", 64)])
async def test_a_gift_from_quote_to_receipt(stage: Stage, to: str, points_in: int) -> None:
    """Ada quotes a gift, makes it, and makes it but once; she sees her points leave and nothing of
    Bea, who sees hers arrive, and nothing of Ada."""
    ada, bea = await people(stage)
    request = gift(ada, bea, 100, to)
    request["recipient"] = bea.named(to, surname="OBRIEN MULLER")
    shown = await preview(stage, request, "ada")
    offer = await quote(stage, request, "ada")
    assert (shown["errors"], offer["errors"]) == ([], [])
    assert shown["quote"] == offer["quote"] | {"id": None, "expiresAt": None}
    figures = {name: offer["quote"][name] for name in ("pointsOut", "pointsIn", "isGift", "fee")}
    assert figures == {"pointsOut": 100, "pointsIn": points_in, "isGift": True, "fee": None}
    assert offer["quote"]["source"] == {"id": ada.memberships["AERO"]}
    assert offer["quote"]["destination"] is None
    given = {"quote": offer["quote"]["id"], "idempotencyKey": key()}
    made = await create(stage, given, "ada")
    again = await create(stage, given, "ada")
    assert (made["errors"], made["replayed"]) == ([], False)
    assert again == made | {"replayed": True}
    transfer = made["transfer"]
    assert (transfer["status"], transfer["isGift"]) == ("COMPLETED", True)
    assert (transfer["destination"], transfer["quote"]) == (None, {"id": offer["quote"]["id"]})
    (left,) = transfer["transactions"]
    assert (left["kind"], left["points"]) == ("TRANSFER_OUT", 100)
    assert [(each["amount"], each["account"]["owner"]) for each in left["entries"]] == [
        ("-100", ada.id)
    ]
    told = str((shown, offer, made, await seen(stage, transfer["id"], "ada")))
    assert [secret for secret in secrets(bea) if secret in told] == []

    hers = await seen(stage, transfer["id"], "bea")
    assert (hers["source"], hers["quote"]) == (None, None)
    assert hers["destination"] == {"id": bea.memberships[to]}
    (arrived,) = hers["transactions"]
    assert (arrived["kind"], arrived["points"]) == ("TRANSFER_IN", points_in)
    assert [(each["amount"], each["account"]["owner"]) for each in arrived["entries"]] == [
        (str(points_in), bea.id)
    ]
    assert [secret for secret in (ada.id, *ada.memberships.values()) if secret in str(hers)] == []
    assert await posted(stage, ada.memberships["AERO"], "ada") == 900
    assert await posted(stage, bea.memberships[to], "bea") == points_in
    assert await posted(stage, bea.memberships[to], "ada") is None
    assert await stage.audit() == []


async def test_who_sees_a_gift(stage: Stage) -> None:
    """The operator sees all of a gift, each brand what concerns its points, and nobody else any of
    it; histories show each side her own."""
    ada, bea = await people(stage)
    made = await create(stage, {"transfer": gift(ada, bea, 100, "HOTEL")}, "ada")
    identifier = made["transfer"]["id"]
    await somebody(stage, "eve", "Moneypenny", "AERO", "HOTEL")
    sides = {"source": ada.memberships["AERO"], "destination": bea.memberships["HOTEL"]}
    for who, source, destination in (
        ("operator", True, True),
        ("aero", True, False),
        ("hotel", False, True),
    ):
        shown = await seen(stage, identifier, who)
        visible = {side: shown[side] and shown[side]["id"] for side in sides}
        assert visible == {
            "source": sides["source"] if source else None,
            "destination": sides["destination"] if destination else None,
        }
        kinds = [each["kind"] for each in shown["transactions"]]
        assert kinds == ["TRANSFER_OUT"] * source + ["TRANSFER_IN"] * destination
    for who in ("eve", "coffee", "agency"):
        assert await seen(stage, identifier, who) is None
    history = """query H($id: ID!) { node(id: $id) { ... on Membership {
        transactions(first: 5) { edges { node { kind points entries { amount } } } }
    } } }"""
    for person, code, kind, amount in (
        (ada, "AERO", "TRANSFER_OUT", "-100"),
        (bea, "HOTEL", "TRANSFER_IN", "64"),
    ):
        data = await stage.data(history, {"id": person.memberships[code]}, person.who)
        latest = data["node"]["transactions"]["edges"][0]["node"]
        assert (latest["kind"], latest["entries"]) == (kind, [{"amount": amount}])


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        ("ada", True),
        ("aero", True),
        ("operator", True),
        ("bea", False),
        ("hotel", False),
        ("agency", False),
    ],
)
async def test_who_may_give(stage: Stage, who: str, allowed: bool) -> None:
    """The member, the brand that her points leave and the operator; to anybody else her membership
    does not exist, whoever is the recipient, and nothing has changed."""
    ada, bea = await people(stage)
    before = await stage.books()
    request = gift(ada, bea, 100)
    answers = [
        (await preview(stage, request, who), ["source"]),
        (await quote(stage, request, who), ["source"]),
        (await create(stage, {"transfer": request}, who), ["transfer", "source"]),
    ]
    for payload, path in answers:
        told = [(each["code"], each["path"]) for each in payload["errors"]]
        assert told == ([] if allowed else [("MEMBERSHIP_NOT_FOUND", path)])
    if not allowed:
        assert await stage.books() == before
    assert await posted(stage, bea.memberships["AERO"]) == (100 if allowed else 0)


def _recipient(**wrong: Any) -> Any:
    return lambda ada, bea: {"recipient": bea.named("AERO") | wrong}


REFUSED: dict[str, tuple[Any, str, list[str]]] = {
    "no such number": (_recipient(number="x"), "RecipientNotFound", ["recipient"]),
    "another surname": (_recipient(surname="Byron"), "RecipientNotFound", ["recipient"]),
    "part of a surname": (_recipient(surname="Müller"), "RecipientNotFound", ["recipient"]),
    "no surname": (_recipient(surname=""), "RecipientNotFound", ["recipient"]),
    "another brand": (_recipient(brand="COFFEE"), "RecipientNotFound", ["recipient"]),
    "no such brand": (_recipient(brand="NONE"), "BrandNotFound", ["recipient", "brand"]),
    "oneself": (
        lambda ada, bea: {"recipient": ada.named("AERO")},
        "SameMembership",
        ["recipient"],
    ),
    "two recipients": (
        lambda ada, bea: {"destination": ada.memberships["HOTEL"]},
        "InvalidInput",
        ["destination"],
    ),
    "nobody": (lambda ada, bea: {"recipient": None}, "InvalidInput", ["destination"]),
    "another's id": (
        lambda ada, bea: {"recipient": None, "destination": bea.memberships["HOTEL"]},
        "MembershipNotFound",
        ["destination"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_gifts_that_name_nobody(stage: Stage, name: str) -> None:
    """What is wrong with the recipient is told by type and field, and nothing of the recipient;
    nothing has changed."""
    change, typename, path = REFUSED[name]
    ada, bea = await people(stage)
    request = gift(ada, bea, 100) | change(ada, bea)
    before = await stage.books()
    for payload, way in (
        (await preview(stage, request, "ada"), path),
        (await quote(stage, request, "ada"), path),
        (await create(stage, {"transfer": request}, "ada"), ["transfer", *path]),
    ):
        (error,) = payload["errors"]
        assert (error["__typename"], error["path"]) == (typename, way)
        assert [secret for secret in secrets(bea) if secret in str(payload)] == []
    assert await stage.books() == before


async def test_a_recipient_who_cannot_receive(stage: Stage) -> None:
    """Why a recipient cannot receive is not told: by transfer, by quote, the first time and when
    the key comes again."""
    ada, bea = await people(stage)
    limit: Json = {"period": "YEAR", "direction": "IN", "points": 150}
    await lay_down(stage, "AERO", "AERO", limits=[limit])
    offer = (await quote(stage, gift(ada, bea, 100), "ada"))["quote"]["id"]
    await create(stage, {"transfer": gift(ada, bea, 100)}, "ada")
    await lay_down(stage, "AERO", "AERO", limits=[limit], recipientAgeDays=0)
    expected = {"__typename": "RecipientCannotReceive", "code": "RECIPIENT_CANNOT_RECEIVE"}
    given: list[tuple[Json, list[str]]] = [
        ({"transfer": gift(ada, bea, 100)}, ["transfer", "recipient"]),
        ({"quote": offer}, ["quote"]),
    ]
    for order, path in given:
        order["idempotencyKey"] = key()
        for replayed in (False, True):
            refused = await create(stage, order, "ada")
            assert refused["errors"] == [expected | {"path": path}]
            assert (refused["transfer"], refused["replayed"]) == (None, replayed)
            assert "150" not in str(refused)
    for points in (50, 51):  # beforehand nothing is told, or it could be told to the point
        assert (await preview(stage, gift(ada, bea, points), "ada"))["errors"] == []
    assert await stage.audit() == []


async def test_a_gift_taken_back(stage: Stage) -> None:
    """The operator takes a gift back, in parts too, and each side sees a reversal of her own."""
    ada, bea = await people(stage)
    made = await create(stage, {"transfer": gift(ada, bea, 100, "HOTEL")}, "ada")
    identifier = made["transfer"]["id"]
    part = await reverse(stage, identifier, points=25)
    assert (part["transfer"]["status"], part["transfer"]["reversedPoints"]) == ("COMPLETED", 25)
    assert await posted(stage, bea.memberships["HOTEL"]) == 48
    whole = await reverse(stage, identifier)
    assert (whole["transfer"]["status"], whole["transfer"]["reversedPoints"]) == ("REVERSED", 100)
    for person, kinds in (
        (ada, ["TRANSFER_OUT", "REVERSAL", "REVERSAL"]),
        (bea, ["TRANSFER_IN", "REVERSAL", "REVERSAL"]),
    ):
        shown = await seen(stage, identifier, person.who)
        assert [each["kind"] for each in shown["transactions"]] == kinds
    assert await posted(stage, ada.memberships["AERO"]) == 1_000
    assert await posted(stage, bea.memberships["HOTEL"]) == 0
    assert await stage.audit() == []


async def test_ones_own_number(stage: Stage) -> None:
    """Who names herself at another brand converts, and sees both sides."""
    ada, _ = await people(stage)
    request = conversion(ada, 100) | {"destination": None, "recipient": ada.named("HOTEL")}
    made = await create(stage, {"transfer": request}, "ada")
    assert made["transfer"]["isGift"] is False
    assert made["transfer"]["destination"] == {"id": ada.memberships["HOTEL"]}
    assert [each["kind"] for each in made["transfer"]["transactions"]] == ["CONVERSION"]
