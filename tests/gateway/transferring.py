"""What the tests of transfers ask for: members with surnames, rules, transfers of every kind."""

from dataclasses import dataclass
from typing import Any

from brands.callers import CallerKind
from brands.credentials import NewKey
from tests.gateway.stage import Json, Stage, key, uuid_of

QUOTE = """quote {
    id pointsOut pointsIn basePoints bonusPoints feePoints fee { amount currency } effectiveRate
    isGift arrivesAfterSeconds expiresAt rule { id } source { id } destination { id }
    rates { transferOutRate transferInRate sourceValue destinationValue }
}"""
TRANSFER = """transfer {
    id status pointsOut pointsIn feePoints fee { amount } reversedPoints isGift
    createdAt arrivesAt source { id } destination { id } quote { id }
    transactions { id kind points reverses { id }
                   entries { amount account { kind unit owner } } }
} replayed"""
ERRORS = """errors {
    __typename code path
    ... on TransferPairClosed { source destination }
    ... on TransferBelowMinimum { minimum }
    ... on TransferAboveMaximum { maximum }
    ... on TransferNotInIncrement { increment nearestBelow nearestAbove }
    ... on TransferTooSmall { pointsOut minimum }
    ... on TransferLimitReached { period direction unit limit used remaining resetsAt }
    ... on MembershipTooNew { eligibleAt }
    ... on PointsInBelowMinimum { pointsIn minimum }
    ... on TransferNotCancellable { arrivesAt }
    ... on TransferNotCompleted { status }
}"""


@dataclass(frozen=True, slots=True)
class Somebody:
    """A member: her memberships and her numbers by brand code, and the name of her credential."""

    id: str
    who: str
    surname: str
    memberships: dict[str, str]
    numbers: dict[str, str]

    def named(self, code: str, **more: Any) -> Json:
        """How others name her at a brand."""
        return {"brand": code, "number": self.numbers[code], "surname": self.surname, **more}


async def somebody(stage: Stage, who: str, surname: str, *codes: str) -> Somebody:
    """A member at these brands, with a credential by that name."""
    made = await stage.do(
        "memberEnroll",
        {
            "profile": {"givenName": who.title(), "familyName": surname},
            "brands": list(codes),
            "idempotencyKey": key(),
        },
        "member { id memberships { id number brand { code } } }",
    )
    member = made["member"]
    new = NewKey(CallerKind.MEMBER, "app", member_id=uuid_of(member["id"]))
    stage.tokens[who] = await stage.token(new)
    held = {each["brand"]["code"]: each for each in member["memberships"]}
    return Somebody(
        member["id"],
        who,
        surname,
        {code: each["id"] for code, each in held.items()},
        {code: each["number"] for code, each in held.items()},
    )


async def lay_down(stage: Stage, source: str, destination: str, **terms: Any) -> str:
    """A rule that is in force from now on; its id."""
    given = {"from": source, "to": destination, **terms}
    payload = await stage.do("transferRulePublish", given, "rule { id }")
    assert payload["errors"] == []
    identifier: str = payload["rule"]["id"]
    return identifier


def gift(giver: Somebody, recipient: Somebody, points: int, to: str = "AERO") -> Json:
    """So many points at AERO for another member."""
    source = giver.memberships["AERO"]
    return {"source": source, "recipient": recipient.named(to), "pointsOut": points}


def conversion(member: Somebody, points: int, to: str = "HOTEL", by: str = "AERO") -> Json:
    """So many points for her own membership at another brand."""
    held = member.memberships
    return {"source": held[by], "destination": held[to], "pointsOut": points}


async def preview(stage: Stage, request: Json, who: str) -> Json:
    """The answer to `transferPreview`."""
    query = f"""query P($input: TransferQuoteInput!) {{
        transferPreview(input: $input) {{ {QUOTE} {ERRORS} }}
    }}"""
    payload: Json = (await stage.data(query, {"input": request}, who))["transferPreview"]
    return payload


async def _mutate(stage: Stage, mutation: str, given: Json, fields: str, who: str) -> Json:
    name = mutation[0].upper() + mutation[1:]
    query = f"""mutation M($input: {name}Input!) {{
        {mutation}(input: $input) {{ {fields} {ERRORS} }}
    }}"""
    payload: Json = (await stage.data(query, {"input": given}, who))[mutation]
    return payload


async def quote(stage: Stage, request: Json, who: str) -> Json:
    """The answer to `transferQuote`."""
    query = f"""mutation Q($input: TransferQuoteInput!) {{
        transferQuote(input: $input) {{ {QUOTE} {ERRORS} }}
    }}"""
    payload: Json = (await stage.data(query, {"input": request}, who))["transferQuote"]
    return payload


async def create(stage: Stage, given: Json, who: str) -> Json:
    """The answer to `transferCreate`, under a key of its own unless one is given."""
    return await _mutate(stage, "transferCreate", {"idempotencyKey": key()} | given, TRANSFER, who)


async def cancel(stage: Stage, transfer: str, who: str, once: str | None = None) -> Json:
    """The answer to `transferCancel`."""
    given = {"transfer": transfer, "idempotencyKey": once or key()}
    return await _mutate(stage, "transferCancel", given, TRANSFER, who)


async def reverse(stage: Stage, transfer: str, **more: Any) -> Json:
    """The answer to `transferReverse`, by the operator."""
    given = {"transfer": transfer, "reason": "oops", "idempotencyKey": key(), **more}
    return await _mutate(stage, "transferReverse", given, TRANSFER, "operator")


async def seen(stage: Stage, transfer: str, who: str) -> Any:
    """A transfer as somebody sees it; None if not."""
    fields = TRANSFER.removesuffix("replayed").replace("transfer {", "... on Transfer {", 1)
    query = f"query T($id: ID!) {{ node(id: $id) {{ {fields} }} }}"
    return (await stage.data(query, {"id": transfer}, who))["node"]


async def posted(stage: Stage, membership: str, who: str = "operator") -> Any:
    """The points on a membership; None if one may not see it."""
    query = "query B($id: ID!) { node(id: $id) { ... on Membership { balance { posted } } } }"
    node = (await stage.data(query, {"id": membership}, who))["node"]
    return node and node["balance"]["posted"]
