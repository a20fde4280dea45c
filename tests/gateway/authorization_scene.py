"""The scene of the authorization table: Ada, with as much of everything as can be, and the others.

Ada is a member of AERO, HOTEL and GROCER. AERO enrolled her. She has earned points there, a part
of which was taken back; has converted some to HOTEL by a quote; some are under way to GROCER. She
pools with Bea, and Finn has invited her. Bob has nothing to do with her.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from brands.accruals import Accrual, accrue
from brands.agencies import find_agency
from brands.callers import Caller, CallerKind
from brands.credentials import NewKey
from brands.errors import LookupsThrottled
from brands.following.watches import Cursor
from brands.ids import book_of
from brands.verification import NumberAndName, guarded_lookup
from schema.cursors import Cursors
from schema.nodes import Tag, global_id
from tests.gateway.booking import STAY, attachment, book, confirm, flight, publish_terms
from tests.gateway.claiming import (
    LAST_WEEK,
    appeal,
    appeal_of,
    claim,
    claim_of,
    decide,
    decision,
    recent,
    recent_stay,
)
from tests.gateway.founding import found_rail
from tests.gateway.stage import OPERATOR, PEPPER, Json, Stage, key, uuid_of
from tests.gateway.transferring import Somebody, conversion, create, lay_down, quote, somebody

RULE: Json = {
    "ratio": {"from": 2, "to": 1},
    "minimum": 2,
    "maximum": 900_000,
    "increment": 2,
    "blockBonus": {"every": 100, "bonus": 1},
    "percentBonus": "12.5",
    "percentBonusFrom": "2020-01-01T00:00:00Z",
    "percentBonusTo": "2100-02-01T00:00:00Z",
    "fee": {
        "flat": "1.5",
        "perPoint": "0.0006",
        "perBlock": {"every": 1_000, "amount": "0.25"},
        "cap": "99",
        "pointsShare": "0.1",
    },
    "limits": [{"period": "MONTH", "direction": "OUT", "points": 20_000, "count": 20}],
    "lotExpiry": "KEEP_EARLIEST",
    "sponsor": "AERO",
    "allowCycle": True,
    "effectiveTo": "2100-12-01T00:00:00Z",
}


_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Scene:
    """Ada and others; and the ids of her things, and what others are called by, by name."""

    ada: Somebody
    carol: Somebody
    things: dict[str, str]


async def set_scene(stage: Stage) -> Scene:
    """A scene of its own; the members get credentials by their names."""
    ada = await _ada(stage)
    carol = await somebody(stage, "carol", "Carroll", "COFFEE")
    await somebody(stage, "bob", "Boole", "COFFEE", "AERO")
    earned = await _earn(stage, ada.memberships["AERO"])
    given = {"transaction": earned, "points": 10, "reason": "a return", "idempotencyKey": key()}
    undone = await stage.do("transactionReverse", given, "transaction { id }")
    rule = await lay_down(stage, "AERO", "HOTEL", **RULE)
    await found_rail(stage, f"RAIL{next(_numbers)}")
    other = {"code": "FARAWAY", "name": "Far Away"}
    assert (await stage.do("agencyCreate", other))["errors"] == []
    await _guess(stage, carol)
    later = {"brand": "AERO", "redemptionRate": "0.01", "effectiveFrom": _next_year()}
    assert (await stage.do("valuationPublish", later))["errors"] == []
    await lay_down(stage, "AERO", "GROCER", arrivesAfterSeconds=3_600)
    offer = await quote(stage, conversion(ada, 100), "ada")
    made = await create(stage, {"quote": offer["quote"]["id"]}, "ada")
    sent = await create(stage, {"transfer": conversion(ada, 50, "GROCER")}, "ada")
    assert [each["errors"] for each in (offer, made, sent)] == [[], [], []]
    data = await stage.data(
        """query S($ada: ID!, $carol: ID!) {
            brand(code: "AERO") { id }
            agency(code: "SKYTRIP") { id }
            ada: member(by: {id: $ada}) { coalitionNumber }
            carol: member(by: {id: $carol}) { coalitionNumber }
        }""",
        {"ada": ada.id, "carol": carol.id},
    )
    things = {
        "ada": ada.id,
        "number": data["ada"]["coalitionNumber"],
        "newcomer": data["carol"]["coalitionNumber"],
        "aero": data["brand"]["id"],
        "skytrip": data["agency"]["id"],
        "atAero": ada.memberships["AERO"],
        "atHotel": ada.memberships["HOTEL"],
        "earned": earned,
        "undone": undone["transaction"]["id"],
        "rule": rule,
        "quote": offer["quote"]["id"],
        "transfer": made["transfer"]["id"],
        "conversion": made["transfer"]["transactions"][0]["id"],
        "pending": sent["transfer"]["id"],
        "start": _before_all((book_of(uuid_of(ada.id)),)),
        "everywhere": _before_all(range(stage.coalition.books)),
    }
    things |= await _pool(stage, ada)
    things |= await _booked(stage, ada)
    things |= await _claimed(stage, ada)
    return Scene(ada, carol, things)


async def _booked(stage: Stage, ada: Somebody) -> dict[str, str]:
    """A booking of the agency's for Ada: of three flights the first is credited; the stay is at
    HOTEL, for points of AERO."""
    await publish_terms(stage)
    given: Json = {"segments": [flight(n) for n in (1, 2, 3)], "stays": [STAY]}
    booking = await book(stage, attachment(ada.numbers["AERO"], **given))
    first, second, third, _ = (each["id"] for each in booking["segments"])
    credited = await confirm(stage, first, reason="On time.")
    assert [each["errors"] for each in credited["results"]] == [[]]
    return {"booking": booking["id"], "segment": second, "spare": third}


async def _claimed(stage: Stage, ada: Somebody) -> dict[str, str]:
    """Claims for points of AERO: of one flight Ada's own, which is open, and the agency's, which is
    approved on appeal; another of the agency's, rejected; and one of a stay at HOTEL."""
    number = ada.numbers["AERO"]
    hers = await claim(stage, claim_of(number, flight=recent(11)), "ada")
    theirs = await claim(stage, claim_of(number, flight=recent(11)), "agency")
    rejected = await claim(stage, claim_of(number, flight=recent(12)))
    for each in (theirs, rejected):
        assert (await decide(stage, each, "REJECT"))["errors"] == []
    assert (await appeal(stage, theirs))["errors"] == []
    assert (await decide(stage, theirs, "APPROVE"))["errors"] == []
    booked: Json = {"segments": [], "stays": [recent_stay()], "recordLocator": "ST4Y"}
    await book(stage, attachment(number, **booked))
    stay = await claim(stage, claim_of(number, stay=recent_stay()))
    return {"claim": theirs, "hers": hers, "rejected": rejected, "claimedStay": stay}


def _before_all(books: Iterable[int]) -> str:
    """The cursor with which one sees all that was ever posted in some books."""
    return Cursors(PEPPER).write(Cursor(tuple((book, 0) for book in books)))


def _next_year() -> str:
    """The year after the last one, in the next century."""
    return f"{2100 + next(_numbers)}-01-01T00:00:00Z"


async def _ada(stage: Stage) -> Somebody:
    """Enrolled by AERO, which calls her by a name of its own; the operator does the rest."""
    profile = {
        "givenName": "Ada",
        "familyName": "Lovelace",
        "email": "ada@ada.test",
        "birthDate": "1815-12-10",
    }
    external = key()
    given = {"externalId": external, "profile": profile, "brands": ["AERO"]}
    made = await stage.do(
        "memberEnroll", given | {"idempotencyKey": key()}, "member { id }", who="aero"
    )
    assert made["errors"] == []
    member = made["member"]["id"]
    stage.tokens["ada"] = await stage.token(
        NewKey(CallerKind.MEMBER, "app", member_id=uuid_of(member))
    )
    for code in ("HOTEL", "GROCER"):
        opened = await stage.do("membershipOpen", {"member": {"id": member}, "brand": code})
        assert opened["errors"] == []
    data = await stage.data(
        "{ viewer { member { memberships { id number brand { code } } } } }", who="ada"
    )
    held = {each["brand"]["code"]: each for each in data["viewer"]["member"]["memberships"]}
    return Somebody(
        member,
        "ada",
        "Lovelace",
        {code: each["id"] for code, each in held.items()},
        {code: each["number"] for code, each in held.items()},
    )


async def _earn(stage: Stage, membership: str) -> str:
    """Points for a purchase, which no mutation records yet: from the domain."""
    snapshot = stage.coalition.registry.snapshot
    accrual = Accrual(
        uuid_of(membership),
        snapshot.brand("AERO").id,
        5_000,
        "receipt 7",
        "a purchase",
        None,
        key(),
    )
    outcome = await accrue(stage.coalition, OPERATOR, accrual)
    return global_id(Tag.TRANSACTION, outcome.id)


async def _guess(stage: Stage, carol: Somebody) -> None:
    """Alarms: an agency and a member have tried too many numbers."""
    agency = await find_agency(stage.coalition, OPERATOR, "FARAWAY")
    assert agency is not None
    rows = [NumberAndName("AERO", f"X{number}", "Nobody") for number in range(21)]
    for caller in (
        Caller(CallerKind.AGENCY, "agency/far", agency_id=agency.id, request_id="r-1"),
        Caller(CallerKind.MEMBER, "member/app", member_id=uuid_of(carol.id), request_id="r-2"),
    ):
        with suppress(LookupsThrottled):
            await guarded_lookup(stage.coalition, caller, rows)


async def _pool(stage: Stage, ada: Somebody) -> dict[str, str]:
    """Ada's household with Bea, and Finn's invitation to her."""
    bea = await somebody(stage, "bea", "Byron", "HOTEL")
    await somebody(stage, "finn", "Finch", "COFFEE")
    given = {"invitation": await _invite(stage, "ada", bea.named("HOTEL")), "accept": True}
    pooled = await stage.do("householdAnswer", given, "household { id }", "bea")
    assert pooled["errors"] == []
    return {
        "household": pooled["household"]["id"],
        "invitation": await _invite(stage, "finn", ada.named("AERO")),
    }


async def _invite(stage: Stage, who: str, recipient: Json) -> str:
    sent = await stage.do("householdInvite", {"recipient": recipient}, "invitation { id }", who)
    assert sent["errors"] == []
    invitation: str = sent["invitation"]["id"]
    return invitation


def arguments(scene: Scene) -> dict[str, str]:
    """What fields are asked with, where the schema or the table wants arguments."""
    things, first, today = scene.things, "first: 10", LAST_WEEK + timedelta(days=7)
    start = f'after: "{things["start"]}"'
    route = 'from: "AERO", to: "HOTEL"'
    ways = f'source: "{things["atAero"]}", destination: "{things["atHotel"]}", pointsOut: 100'
    return {
        "Query.brand": 'code: "AERO"',
        "Query.agency": 'code: "SKYTRIP"',
        "Query.brands": first,
        "Query.alarms": first,
        "Query.exchangeRate": route,
        "Query.transferRule": route,
        "Query.transferRules": f"{route}, {first}",
        "Query.member": f'by: {{coalitionNumber: "{things["number"]}"}}',
        "Query.transferPreview": f"input: {{{ways}}}",
        "Query.ledgerTransaction": f'id: "{things["earned"]}"',
        "Query.node": f'id: "{things["ada"]}"',
        "Query._entities": f'representations: {{__typename: "Member", id: "{things["ada"]}"}}',
        "Brand.valuations": first,
        "Brand.bookings": first,
        "Agency.bookings": first,
        "Brand.claims": first,
        "Agency.claims": first,
        "Membership.claims": first,
        "Query.agencyReport": f'agency: "SKYTRIP", from: "{LAST_WEEK}", to: "{today}"',
        "Membership.bookings": first,
        "Query.accrualEstimate": 'input: {brand: "AERO", segments: [{carrier: "AE",'
        ' flightNumber: "1", origin: "LIS", departureDate: "2026-01-05", bookingClass: "J"}],'
        ' stays: [{property: "A", checkIn: "2026-01-05", checkOut: "2026-01-08"}]}',
        "Member.membership": 'brand: "AERO"',
        "Member.transactions": first,
        "Membership.balanceAt": 'at: "2100-01-01T00:00:00Z"',
        "Membership.transactions": first,
        "Subscription.membershipActivity": f'membership: "{things["atAero"]}", {start}',
        "Subscription.brandActivity": f'brand: "AERO", after: "{things["everywhere"]}"',
        "Subscription.transferUpdated": f'transfer: "{things["transfer"]}", {start}',
    }


def representations(scene: Scene) -> dict[str, list[Json]]:
    """A thing of each type that is an entity, by each of its keys."""
    things = scene.things
    return {
        "Brand": [{"id": things["aero"]}, {"code": "AERO"}],
        "Member": [{"id": things["ada"]}, {"coalitionNumber": things["number"]}],
        "Membership": [
            {"id": things["atAero"]},
            {"brand": {"code": "AERO"}, "number": scene.ada.numbers["AERO"]},
        ],
    }


def inputs(scene: Scene) -> dict[str, Json]:
    """The input of every mutation, on Ada's things; those that end something come last."""
    things = scene.things
    rates = {"redemptionRate": "0.01", "issuePrice": "0.012"}
    later = {"effectiveFrom": _next_year()}
    ways = conversion(scene.ada, 100)
    return {
        "brandCreate": {
            "code": f"NEWS{next(_numbers)}",
            "name": "News",
            "pointsName": "Lines",
            "timeZone": "UTC",
            "valuation": rates,
        },
        **_of_agencies(scene),
        "brandUpdate": {"brand": "AERO", "name": f"Aero {next(_numbers)}", "pointsName": "Miles"},
        "agencyStatusSet": {"code": "FARAWAY", "status": "SUSPENDED"},
        "valuationPublish": {"brand": "AERO", **rates, **later},
        "transferRulePublish": {"from": "AERO", "to": "COFFEE", "minimum": 2},
        "memberEnroll": {"brands": ["AERO"], "idempotencyKey": key()},
        "membershipOpen": {"member": {"coalitionNumber": things["newcomer"]}, "brand": "AERO"},
        "pointsAdjust": {
            "membership": things["atAero"],
            "points": 5,
            "reason": "a gift",
            "idempotencyKey": key(),
        },
        "transferQuote": ways,
        "transferCreate": {"transfer": ways, "idempotencyKey": key()},
        "transferCancel": {"transfer": things["pending"], "idempotencyKey": key()},
        "transferReverse": {
            "transfer": things["transfer"],
            "reason": "a mistake",
            "idempotencyKey": key(),
        },
        "transactionReverse": {
            "transaction": things["earned"],
            "points": 1,
            "reason": "a mistake",
            "idempotencyKey": key(),
        },
        "householdInvite": {"recipient": scene.carol.named("COFFEE")},
        "householdAnswer": {"invitation": things["invitation"], "accept": False},
        "householdLeave": {"household": things["household"]},
        "membershipClose": {"membership": things["atAero"]},
    }


def _of_agencies(scene: Scene) -> dict[str, Json]:
    """The input of the mutations that have to do with travel agencies."""
    things = scene.things
    return {
        "programTermsPublish": {"brand": "AERO", "carriers": ["AE"]},
        "bookingAttach": attachment(scene.ada.numbers["AERO"], agency="SKYTRIP"),
        "bookingDetach": {
            "booking": things["booking"],
            "segments": [things["segment"]],
            "idempotencyKey": key(),
        },
        "bookingSegmentConfirm": {
            "segments": [{"segment": things["spare"]}],
            "idempotencyKey": key(),
        },
        "bookingVoid": {
            "segments": [things["spare"]],
            "reason": "REFUND",
            "idempotencyKey": key(),
        },
        "agencyCreate": {"code": f"NEWS{next(_numbers)}", "name": "News"},
        "loyaltyNumbersVerify": {
            "rows": [
                {
                    "brand": "AERO",
                    "number": scene.ada.numbers["AERO"],
                    "surname": "Lovelace",
                    "givenName": "A",
                }
            ]
        },
        "lookupsRelease": {"agency": "FARAWAY"},
        "missingCreditClaim": claim_of(scene.ada.numbers["AERO"], flight=recent(13)),
        "missingCreditDecide": decision(things["hers"], "REJECT"),
        "missingCreditAppeal": appeal_of(things["rejected"]),
        "missingCreditWithdraw": {"claim": things["claimedStay"], "idempotencyKey": key()},
        "missingCreditVoid": {
            "claim": things["claim"],
            "reason": "a mistake",
            "idempotencyKey": key(),
        },
    }
