"""Publishing transfer rules: their form, who may, when they hold, and that none can be farmed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from brands.callers import Caller
from brands.clock import now
from brands.coalition import Coalition, open_coalition
from brands.errors import (
    BrandNotFound,
    DomainError,
    InvalidInput,
    NotPermitted,
    RuleInPast,
    TransferCycleGains,
)
from brands.ids import new_id
from brands.moving import rulebook
from brands.moving.rulebook import NewRule, publish_rule, publish_rules
from brands.rule_texts import rule_terms_from_text, rule_terms_to_text
from brands.rules import (
    NO_RULE,
    BlockBonus,
    BlockFee,
    Direction,
    Fee,
    Limit,
    LotExpiry,
    Pair,
    PercentBonus,
    Period,
    Ratio,
    RuleTerms,
    TransferRule,
)
from tests.brands.cast import (
    AGENCY,
    OPERATOR,
    aero,
    bean,
    brand_caller,
    connect_all,
    count_rows,
    member_caller,
)

DAY = timedelta(days=1)
SOON = now() + DAY
LATER = SOON + DAY
NAIVE = datetime(2100, 1, 1)  # noqa: DTZ001 - that is the point
HALF = RuleTerms(ratio=Ratio(2, 1))
THIRD = RuleTerms(ratio=Ratio(3, 1))
DOUBLE = RuleTerms(ratio=Ratio(1, 2))
EVEN = RuleTerms(ratio=Ratio(1, 1))
CLOSED = RuleTerms(closed=True)
EVERYTHING = RuleTerms(
    ratio=Ratio(3, 1),
    minimum=3_000,
    maximum=2**53 - 1,
    increment=3,
    block_bonus=BlockBonus(60_000, 5_000),
    percent_bonus=PercentBonus(250_000, SOON, LATER.astimezone(UTC)),
    fee=Fee(1, 600, BlockFee(1_000, 5), 99_000_000, 100_000),
    limits=(
        Limit(Period.MONTH, Direction.OUT, 100_000, 2),
        Limit(Period.YEAR, Direction.IN, None, 9),
    ),
    membership_age_days=30,
    recipient_age_days=1,
    arrives_after_seconds=86_400,
    lot_expiry=LotExpiry.KEEP_EARLIEST,
    sponsor=UUID(int=7),
    allow_cycle=True,
)


def to_bean(terms: RuleTerms = HALF, **rest: Any) -> NewRule:
    """A rule from the airline to the coffee chain."""
    return NewRule("AERO", "BEAN", terms, **rest)


async def pair_of(coalition: Coalition, household: bool = False) -> Pair:
    """The airline and the coffee chain, made."""
    return Pair((await aero(coalition)).id, (await bean(coalition)).id, household)


async def written(coalition: Coalition) -> list[int]:
    """How much there is of all that publishing writes."""
    epoch = (await coalition.database.fetch("SELECT epoch FROM coalition"))[0]["epoch"]
    return [epoch, *[await count_rows(coalition, each) for each in ("transfer_rules", "actions")]]


@pytest.mark.parametrize("terms", [NO_RULE, EVERYTHING, HALF, CLOSED])
def test_terms_come_back_from_their_text(terms: RuleTerms) -> None:
    """Terms that were written as text are read as they were."""
    assert rule_terms_from_text(rule_terms_to_text(terms)) == terms


async def test_a_published_rule_is_in_force(coalition: Coalition, url: str) -> None:
    """A rule without a beginning is in force at once, here and for every other process."""
    pair = await pair_of(coalition)
    made = await publish_rule(coalition, OPERATOR, to_bean(EVERYTHING, sponsor="BEAN"))
    assert made.terms == replace(EVERYTHING, sponsor=pair.destination_brand)
    assert coalition.registry.snapshot.rule(pair) == made
    other = await open_coalition(url)
    try:
        assert other.registry.snapshot.rule(pair) == made
        assert other.registry.snapshot.rule_by_id(made.id) == made
    finally:
        await other.close()


async def test_publishing_a_rule_is_on_record(coalition: Coalition) -> None:
    """The record says who published which rule, for whom and how it goes."""
    await pair_of(coalition)
    made = await publish_rule(coalition, OPERATOR, to_bean(household=True, effective_from=SOON))
    row = (await coalition.database.fetch("SELECT * FROM actions ORDER BY at"))[-1]
    assert (row["client"], row["action"]) == (OPERATOR.client, "rule.publish")
    assert row["subject"] == str(made.id)
    details = orjson.loads(row["details"])
    assert (details["source"], details["destination"]) == ("AERO", "BEAN")
    assert rule_terms_from_text(details["terms"]) == HALF
    assert details["household"] is True


async def test_a_promotion_lapses_and_the_standing_rule_goes_on(coalition: Coalition) -> None:
    """A rule with an end supersedes the one before, which is in force again after that end."""
    pair = await pair_of(coalition)
    standing = await publish_rule(coalition, OPERATOR, to_bean())
    passing = to_bean(THIRD, effective_from=SOON, effective_to=LATER)
    (change,) = await publish_rules(coalition, OPERATOR, [passing])
    assert (change.old, change.unchanged) == (standing, False)
    snapshot = coalition.registry.snapshot
    assert snapshot.rules(pair) == (standing, change.new)
    at = (SOON - DAY / 2, SOON, LATER - timedelta(microseconds=1), LATER)
    in_force = [snapshot.rule(pair, each) for each in at]
    assert in_force == [standing, change.new, change.new, standing]


BAD: list[tuple[str, RuleTerms]] = [
    ("ratio.from", RuleTerms(ratio=Ratio(0, 1))),
    ("ratio.to", RuleTerms(ratio=Ratio(1, 0))),
    ("ratio.to", RuleTerms(ratio=Ratio(1, 2**53))),
    ("minimum", RuleTerms(minimum=0)),
    ("maximum", RuleTerms(maximum=2**53)),
    ("maximum", RuleTerms(minimum=10, maximum=9)),
    ("increment", RuleTerms(increment=0)),
    ("increment", RuleTerms(minimum=10, maximum=11, increment=12)),
    ("increment", RuleTerms(maximum=11, increment=12)),
    ("blockBonus.every", RuleTerms(block_bonus=BlockBonus(0, 1))),
    ("blockBonus.bonus", RuleTerms(block_bonus=BlockBonus(1, 0))),
    ("percentBonus", RuleTerms(percent_bonus=PercentBonus(0))),
    ("percentBonus", RuleTerms(percent_bonus=PercentBonus(10_000_001))),
    ("percentBonusFrom", RuleTerms(percent_bonus=PercentBonus(1, NAIVE))),
    ("percentBonusTo", RuleTerms(percent_bonus=PercentBonus(1, None, NAIVE))),
    ("percentBonusTo", RuleTerms(percent_bonus=PercentBonus(1, SOON, SOON))),
    ("fee.flat", RuleTerms(fee=Fee(flat=-1))),
    ("fee.flat", RuleTerms(fee=Fee(flat=10**12 + 1))),
    ("fee.perPoint", RuleTerms(fee=Fee(per_point=-1))),
    ("fee.perPoint", RuleTerms(fee=Fee(per_point=10**9 + 1))),
    ("fee.perBlock.every", RuleTerms(fee=Fee(per_block=BlockFee(0, 1)))),
    ("fee.perBlock.amount", RuleTerms(fee=Fee(per_block=BlockFee(1, -1)))),
    ("fee.cap", RuleTerms(fee=Fee(flat=1, cap=-1))),
    ("fee.cap", RuleTerms(fee=Fee(cap=1))),
    ("fee.cap", RuleTerms(fee=Fee(cap=1, points_share=1))),
    ("fee.pointsShare", RuleTerms(fee=Fee(points_share=-1))),
    ("fee.pointsShare", RuleTerms(fee=Fee(points_share=1_000_000))),
    ("limits.0", RuleTerms(limits=(Limit(Period.MONTH, Direction.OUT),))),
    ("limits.0.points", RuleTerms(limits=(Limit(Period.MONTH, Direction.OUT, 0),))),
    ("limits.0.count", RuleTerms(limits=(Limit(Period.MONTH, Direction.OUT, 1, 0),))),
    ("limits.1", RuleTerms(limits=(Limit(Period.MONTH, Direction.OUT, 1),) * 2)),
    ("limits", RuleTerms(limits=(Limit(Period.MONTH, Direction.OUT, 1),) * 5)),
    ("membershipAgeDays", RuleTerms(membership_age_days=-1)),
    ("recipientAgeDays", RuleTerms(recipient_age_days=36_501)),
    ("arrivesAfterSeconds", RuleTerms(arrives_after_seconds=31_536_001)),
    ("closed", RuleTerms(closed=True, minimum=1)),
    ("allowCycle", RuleTerms(allow_cycle=True)),
]


@pytest.mark.parametrize(("path", "terms"), BAD)
async def test_terms_in_bad_form_are_refused(
    coalition: Coalition, path: str, terms: RuleTerms
) -> None:
    """Terms that could not be a rule's are refused at the field concerned; nothing changes."""
    await pair_of(coalition)
    before = await written(coalition)
    with pytest.raises(InvalidInput) as refused:
        await publish_rule(coalition, OPERATOR, to_bean(terms))
    assert refused.value.path == path
    with pytest.raises(InvalidInput) as refused:
        await publish_rules(coalition, OPERATOR, [to_bean(), to_bean(terms)])
    assert refused.value.path == f"1.{path}"
    assert await written(coalition) == before


@pytest.mark.parametrize(
    ("path", "error", "rule"),
    [
        ("from", BrandNotFound, NewRule("NONE", "BEAN", HALF)),
        ("to", BrandNotFound, NewRule("AERO", "NONE", HALF)),
        ("sponsor", BrandNotFound, to_bean(sponsor="NONE")),
        ("fee", InvalidInput, to_bean(RuleTerms(fee=Fee(flat=1)), household=True)),
        ("closed", InvalidInput, to_bean(CLOSED, sponsor="AERO")),
        ("effectiveFrom", InvalidInput, to_bean(effective_from=NAIVE)),
        ("effectiveTo", InvalidInput, to_bean(effective_to=NAIVE)),
        ("effectiveTo", InvalidInput, to_bean(effective_from=SOON, effective_to=SOON)),
        ("effectiveTo", InvalidInput, to_bean(effective_to=SOON - 2 * DAY)),
        ("effectiveFrom", RuleInPast, to_bean(effective_from=SOON - 2 * DAY)),
    ],
)
async def test_brands_and_times_must_be_right(
    coalition: Coalition, path: str, error: type[DomainError], rule: NewRule
) -> None:
    """Unknown brands, times without an offset, of the past or in disorder change nothing."""
    await pair_of(coalition)
    before = await written(coalition)
    with pytest.raises(error) as refused:
        await publish_rule(coalition, OPERATOR, rule)
    assert refused.value.path == path
    assert await written(coalition) == before


async def test_a_rule_is_its_source_brands(coalition: Coalition) -> None:
    """A brand publishes rules for points that leave it and that it pays for itself, unless a cycle
    may gain by them; others, and those of other callers, change nothing."""
    airline, chain = await aero(coalition), await bean(coalition)
    own = brand_caller(airline)
    await publish_rule(coalition, own, to_bean())
    await publish_rule(coalition, own, to_bean(THIRD, sponsor="AERO"))
    gainful = replace(DOUBLE, allow_cycle=True)
    before = await written(coalition)
    attempts: list[tuple[Caller, NewRule]] = [
        (own, to_bean(sponsor="BEAN")),
        (own, to_bean(gainful, sponsor="AERO")),
        (own, to_bean(gainful, sponsor="BEAN")),
        (brand_caller(chain), to_bean()),
        (brand_caller(chain), to_bean(sponsor="BEAN")),
        (AGENCY, to_bean()),
        (member_caller(new_id(0)), to_bean()),
    ]
    for caller, rule in attempts:
        with pytest.raises(NotPermitted):
            await publish_rule(coalition, caller, rule)
    assert await written(coalition) == before


async def test_terms_cannot_smuggle_in_a_sponsor(coalition: Coalition) -> None:
    """Who pays is told by code alone: an id within the terms counts for nothing."""
    airline, chain = await aero(coalition), await bean(coalition)
    smuggled = replace(HALF, sponsor=chain.id)
    made = await publish_rule(coalition, brand_caller(airline), to_bean(smuggled))
    assert made.terms.sponsor is None
    nobodys = replace(DOUBLE, sponsor=airline.id, allow_cycle=True)
    with pytest.raises(InvalidInput):
        await publish_rule(coalition, OPERATOR, to_bean(nobodys))


@pytest.mark.parametrize("begins", [None, SOON])
async def test_a_rule_published_twice_is_published_once(
    coalition: Coalition, begins: datetime | None
) -> None:
    """What is in force, or about to be, is answered as it was when published again."""
    await pair_of(coalition)
    rule = to_bean(EVERYTHING, sponsor="AERO", effective_from=begins, effective_to=LATER)
    first = await publish_rule(coalition, OPERATOR, rule)
    before = await written(coalition)
    (again,) = await publish_rules(coalition, OPERATOR, [rule])
    assert (again.new, again.unchanged) == (first, True)
    assert await written(coalition) == before
    await publish_rule(coalition, OPERATOR, replace(rule, effective_to=LATER + DAY))
    assert await written(coalition) != before


async def test_a_rule_goes_back_to_what_was_before(coalition: Coalition) -> None:
    """What was superseded is no longer in force, and can be published again."""
    pair = await pair_of(coalition)
    first = await publish_rule(coalition, OPERATOR, to_bean())
    await publish_rule(coalition, OPERATOR, to_bean(THIRD))
    back = await publish_rule(coalition, OPERATOR, to_bean())
    assert back.id != first.id
    assert coalition.registry.snapshot.rule(pair) == back


async def test_a_list_published_again_changes_nothing(coalition: Coalition) -> None:
    """A list with a standing rule and a promotion over it is there already while that lasts."""
    pair = await pair_of(coalition)
    begins = now() + timedelta(seconds=0.3)
    both = [to_bean(THIRD, effective_from=begins, effective_to=LATER), to_bean()]
    made = [change.new for change in await publish_rules(coalition, OPERATOR, both)]
    await asyncio.sleep(0.4)
    before = await written(coalition)
    again = await publish_rules(coalition, OPERATOR, both)
    assert [change.new for change in again] == made
    assert [change.unchanged for change in again] == [True, True]
    assert await written(coalition) == before
    assert coalition.registry.snapshot.rule(pair) == made[0]


async def test_two_rules_of_a_list_do_not_begin_together(coalition: Coalition) -> None:
    """Of two rules of a pair one begins later, or the list is refused; other pairs may."""
    await pair_of(coalition)
    with pytest.raises(InvalidInput) as refused:
        await publish_rules(coalition, OPERATOR, [to_bean(), to_bean(THIRD)])
    assert refused.value.path == "1.effectiveFrom"
    await publish_rules(coalition, OPERATOR, [to_bean(), to_bean(household=True)])


async def test_rules_are_published_all_or_none(coalition: Coalition) -> None:
    """If one rule of a list is refused, none is published, and its number is told."""
    await pair_of(coalition)
    before = await written(coalition)
    with pytest.raises(BrandNotFound) as refused:
        await publish_rules(coalition, OPERATOR, [to_bean(), NewRule("AERO", "NONE", HALF)])
    assert refused.value.path == "1.to"
    assert await written(coalition) == before
    assert await publish_rules(coalition, OPERATOR, []) == []
    assert await written(coalition) == before


async def test_a_dry_run_only_tells(coalition: Coalition) -> None:
    """A dry run tells what would change, or what would be refused, and nothing changes."""
    pair = await pair_of(coalition)
    before = await written(coalition)
    (change,) = await publish_rules(coalition, OPERATOR, [to_bean()], dry_run=True)
    assert (change.new.terms, change.old, change.unchanged) == (HALF, None, False)
    with pytest.raises(TransferCycleGains):
        await publish_rules(coalition, OPERATOR, [to_bean(DOUBLE)], dry_run=True)
    assert await written(coalition) == before
    assert coalition.registry.snapshot.rule(pair) is None


async def test_a_rule_that_could_be_farmed_is_refused(coalition: Coalition) -> None:
    """A rule that closes a cycle with a gain is refused with that cycle, and nothing changes;
    one whose sponsor is named and who lets cycles gain is published."""
    await pair_of(coalition)
    before = await written(coalition)
    with pytest.raises(TransferCycleGains) as refused:
        await publish_rule(coalition, OPERATOR, to_bean(DOUBLE))
    assert (refused.value.cycle, refused.value.gain) == (["AERO", "BEAN", "AERO"], "2")
    assert await written(coalition) == before
    with pytest.raises(TransferCycleGains):
        await publish_rule(coalition, OPERATOR, to_bean(DOUBLE, effective_from=SOON))
    await publish_rule(
        coalition, OPERATOR, to_bean(replace(DOUBLE, allow_cycle=True), sponsor="BEAN")
    )


async def test_rules_published_at_once_do_not_gain_together(
    coalition_on_postgres: Coalition,
) -> None:
    """Of two rules that are harmless alone and gain together, published at the same moment, one
    is published."""
    coalition = coalition_on_postgres
    await pair_of(coalition)
    await connect_all(coalition)
    closed = [NewRule("AERO", "BEAN", CLOSED), NewRule("BEAN", "AERO", CLOSED)]
    await publish_rules(coalition, OPERATOR, closed)
    attempts = [
        publish_rule(coalition, OPERATOR, NewRule(*pair, terms, effective_from=SOON))
        for _ in range(3)
        for pair, terms in ((("AERO", "BEAN"), DOUBLE), (("BEAN", "AERO"), EVEN))
    ]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [each for each in results if isinstance(each, BaseException)]
    assert [type(each) for each in refused] == [TransferCycleGains] * 3
    assert len({each.id for each in results if isinstance(each, TransferRule)}) == 1
    assert await count_rows(coalition, "transfer_rules") == len(closed) + 1


async def test_a_pair_has_so_many_rules_at_most(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one pair so many rules have something to come; a rule that begins now and does not end is
    not of them, and what is there already may be published again."""
    monkeypatch.setattr(rulebook, "MAX_RULES_OF_PAIR", 3)
    await pair_of(coalition)
    days = [to_bean(effective_from=SOON + timedelta(days=day)) for day in range(4)]
    await publish_rules(coalition, OPERATOR, days[:2])
    await publish_rule(coalition, OPERATOR, to_bean(THIRD, effective_to=SOON))
    await publish_rules(coalition, OPERATOR, days[:2])
    await publish_rule(coalition, OPERATOR, to_bean(HALF))
    with pytest.raises(InvalidInput) as refusal:
        await publish_rule(coalition, OPERATOR, days[2])
    assert refusal.value.path == "effectiveFrom"
    await publish_rule(coalition, OPERATOR, replace(days[2], household=True))
