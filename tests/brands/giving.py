"""People who give each other points: enrolled under numbers and surnames, and rules for them."""

from dataclasses import dataclass, replace
from random import Random

from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.enrolment import Enrolled, Enrolment, enroll_many
from brands.errors import TransferCycleGains
from brands.ledger.audit import audit
from brands.members import Profile
from brands.moving.recipients import Recipient
from brands.moving.routes import TransferRequest
from brands.moving.rulebook import NewRule, publish_rule
from brands.rules import (
    BlockBonus,
    BlockFee,
    Direction,
    Fee,
    Limit,
    LotExpiry,
    PercentBonus,
    Period,
    Ratio,
    RuleTerms,
    TransferRule,
)
from tests.brands.stage import OPERATOR, Person, key


@dataclass(frozen=True, slots=True)
class Giver(Person):
    """A member, and how others name her, by brand code."""

    named: dict[str, Recipient]


async def givers(coalition: Coalition, count: int, *codes: str) -> list[Giver]:
    """So many members, each with a membership at each of these brands."""
    seats = tuple((code, None) for code in codes)
    made = await enroll_many(
        coalition,
        OPERATOR,
        [Enrolment(None, Profile("Grace", f"Giver {i}"), seats, key()) for i in range(count)],
    )
    return [_giver(codes, each, f"Giver {i}") for i, each in enumerate(made)]


def _giver(codes: tuple[str, ...], made: object, surname: str) -> Giver:
    assert isinstance(made, Enrolled)
    at = dict(zip(codes, made.memberships, strict=True))
    member = made.member.id
    return Giver(
        member,
        {code: its.id for code, its in at.items()},
        Caller(CallerKind.MEMBER, client=f"m{member}", member_id=member),
        {code: Recipient(code, str(its.number), surname) for code, its in at.items()},
    )


def gift(giver: Giver, receiver: Giver, points: int, code: str, to: str = "") -> TransferRequest:
    """A request to give somebody points of a brand, at that brand or at another."""
    return TransferRequest(
        giver.at[code], None, points_out=points, recipient=receiver.named[to or code]
    )


def random_terms(chance: Random) -> RuleTerms:
    """What a rule could lay down, in numbers that a thousand points are enough for."""
    block = BlockFee(chance.randint(1, 50), chance.randint(1, 9_999))
    charged = Fee(
        flat=chance.choice([0, 250_000]),
        per_point=chance.choice([0, 7]),
        per_block=chance.choice([None, block]),
        points_share=chance.choice([0, 100_000, 333_333]),
    )
    return RuleTerms(
        ratio=chance.choice([None, Ratio(chance.randint(1, 9), chance.randint(1, 9))]),
        minimum=chance.choice([None, chance.randint(1, 40)]),
        maximum=chance.choice([None, chance.randint(60, 200)]),
        increment=chance.choice([None, chance.randint(2, 10)]),
        block_bonus=chance.choice([None, BlockBonus(chance.randint(5, 50), chance.randint(1, 20))]),
        percent_bonus=chance.choice([None, PercentBonus(chance.randint(1, 400_000))]),
        fee=chance.choice([Fee(), charged]),
        limits=chance.choice([(), (), random_limits(chance)]),
        arrives_after_seconds=chance.choice([0, 0, 1]),
        lot_expiry=chance.choice([None, *LotExpiry]),
    )


def random_limits(chance: Random) -> tuple[Limit, ...]:
    """Limits on what leaves and on what arrives."""
    return (
        Limit(Period.MONTH, Direction.OUT, points=chance.randint(60, 400)),
        Limit(Period.YEAR, Direction.IN, count=chance.randint(1, 4)),
    )


async def lay_down(
    coalition: Coalition,
    source: str,
    destination: str,
    terms: RuleTerms,
    *,
    household: bool = False,
) -> TransferRule:
    """Publishes a rule; one by which a cycle gains, with a sponsor who wants it so."""
    if household:
        terms = replace(terms, fee=Fee())
    rule = NewRule(source, destination, terms, household)
    try:
        return await publish_rule(coalition, OPERATOR, rule)
    except TransferCycleGains:
        sponsored = replace(terms, allow_cycle=True)
        rule = replace(rule, terms=sponsored, sponsor=destination)
        return await publish_rule(coalition, OPERATOR, rule)


async def sound(coalition: Coalition) -> bool:
    """Whether the books pass their audit, and nothing is due that is still under way."""
    rows = await coalition.database.fetch("SELECT transfer_id FROM pending_arrivals")
    assert list(rows) == []
    assert await audit(coalition.database) == []
    return True
