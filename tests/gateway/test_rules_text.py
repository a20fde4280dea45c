"""Transfer rules in words: the file that would publish them, and what changes in them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from brands.rules import (
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
from gateway.files.rules_file import read_rules
from gateway.files.rules_text import differences, fields_of, file_of, terms_shown, way_of
from tests.gateway.test_rules_file import BRANDS, SNAPSHOT

AERO, STAY = (brand.id for brand in BRANDS)
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)

micros = st.integers(0, 10**9)
points = st.integers(1, 2**53 - 1)
moments = st.none() | st.integers(0, 10**15).map(lambda after: NOON + timedelta(0, 0, after))
fees = st.builds(
    Fee,
    micros,
    micros,
    st.none() | st.builds(BlockFee, points, micros),
    st.none() | micros,
    st.integers(0, 999_999),
).filter(lambda fee: fee.cap is None or fee.flat > 0)
limits = st.lists(
    st.builds(
        Limit,
        st.sampled_from(Period),
        st.sampled_from(Direction),
        st.none() | points,
        st.none() | st.integers(1, 2**31 - 1),
    ).filter(lambda limit: limit.points or limit.count),
    max_size=4,
    unique_by=lambda limit: (limit.period, limit.direction),
)
bonuses = st.builds(
    PercentBonus, st.integers(1, 10**7), moments, st.just(NOON + timedelta(99_999)) | st.none()
)
sponsored = st.sampled_from(({}, {"sponsor": AERO}, {"sponsor": AERO, "allow_cycle": True}))
TERMS = st.just(RuleTerms(closed=True)) | st.builds(
    lambda sponsor, **terms: RuleTerms(**sponsor, **terms),
    sponsored,
    ratio=st.none() | st.builds(Ratio, st.integers(1, 10**15 - 1), st.integers(1, 10**15 - 1)),
    minimum=st.none() | st.integers(1, 10**6),
    maximum=st.none() | st.integers(2 * 10**6, 2**53 - 1),
    increment=st.none() | st.integers(1, 10**6),
    block_bonus=st.none() | st.builds(BlockBonus, points, points),
    percent_bonus=st.none() | bonuses,
    fee=st.just(Fee()) | fees,
    limits=limits.map(tuple),
    membership_age_days=st.integers(0, 36_500),
    recipient_age_days=st.integers(0, 36_500),
    arrives_after_seconds=st.integers(0, 31_536_000),
    lot_expiry=st.none() | st.sampled_from(LotExpiry),
)
PLAIN = TransferRule(UUID(int=9), Pair(STAY, AERO), RuleTerms(), NOON, None, NOON)


@example(RuleTerms(fee=Fee(flat=5, cap=0)), False, None)
@given(TERMS, st.booleans(), moments)
def test_what_is_shown_can_be_read(
    terms: RuleTerms, household: bool, ends: datetime | None
) -> None:
    """Whatever a rule lays down, the file that shows it says just that, field by field."""
    if household:
        terms = replace(terms, fee=Fee())
    rule = replace(PLAIN, pair=Pair(STAY, AERO, household), terms=terms, effective_to=ends)
    (read,) = read_rules(file_of([rule], SNAPSHOT).encode(), SNAPSHOT)
    assert read.rule.terms == replace(terms, sponsor=None)
    assert read.rule.sponsor == (terms.sponsor and "AERO")
    assert (read.pair, read.rule.effective_to) == (rule.pair, ends)
    assert read.rule.effective_from is None


def test_a_file_is_fit_for_people() -> None:
    """A rule is shown in the fewest words that say it."""
    terms = RuleTerms(ratio=Ratio(3, 1), minimum=3_000, fee=Fee(per_point=600, cap=99_000_000))
    shown = file_of([replace(PLAIN, terms=terms), PLAIN], SNAPSHOT)
    assert shown.splitlines() == [
        "[[rule]]  # since 2026-12-01T12:00:00Z",
        'from = "STAY"',
        'to = "AERO"',
        'ratio = "3:1"',
        "minimum = 3000",
        'fee = {per_point = "0.0006", cap = "99"}',
        "",
        "[[rule]]  # since 2026-12-01T12:00:00Z",
        'from = "STAY"',
        'to = "AERO"',
    ]


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        (RuleTerms(), RuleTerms(), []),
        (RuleTerms(minimum=1_000), RuleTerms(minimum=3_000), ["minimum: 1,000 -> 3,000"]),
        (RuleTerms(), RuleTerms(maximum=5), ["maximum: none -> 5"]),
        (RuleTerms(closed=True), RuleTerms(), ["closed: yes -> none"]),
        (
            RuleTerms(fee=Fee(per_point=600, cap=5_000_000)),
            RuleTerms(fee=Fee(per_point=600, flat=1_500_000)),
            ["fee.flat: none -> 1.5", "fee.cap: 5 -> none"],
        ),
        (
            RuleTerms(block_bonus=BlockBonus(60_000, 5_000)),
            RuleTerms(block_bonus=BlockBonus(60_000, 6_000)),
            ["block_bonus: 5,000 per 60,000 -> 6,000 per 60,000"],
        ),
        (
            RuleTerms(limits=(Limit(Period.MONTH, Direction.OUT, 20_000, 2),)),
            RuleTerms(limits=(Limit(Period.YEAR, Direction.IN, count=1),)),
            ["limits: 20,000 points in 2 transfers OUT a MONTH -> 1 transfer IN a YEAR"],
        ),
        (
            RuleTerms(percent_bonus=PercentBonus(125_000)),
            RuleTerms(percent_bonus=PercentBonus(125_000, NOON)),
            ["percent_bonus_from: none -> 2026-12-01T12:00:00Z"],
        ),
    ],
)
def test_differences(old: RuleTerms, new: RuleTerms, lines: list[str]) -> None:
    """What differs between two rules is told field by field, and nothing else is."""
    before, after = (fields_of(replace(PLAIN, terms=terms), SNAPSHOT) for terms in (old, new))
    assert list(differences(before, after)) == lines


def test_a_new_rule_in_words() -> None:
    """A rule that there was none before is told with all that it lays down."""
    terms = RuleTerms(increment=3_000, fee=Fee(points_share=100_000), sponsor=AERO)
    shown = fields_of(replace(PLAIN, terms=terms, effective_to=NOON), SNAPSHOT)
    assert list(terms_shown(shown)) == [
        "increment: 3,000",
        "fee.points_share: 0.1",
        "sponsor: AERO",
        "effective_to: 2026-12-01T12:00:00Z",
    ]


def test_a_way_in_words() -> None:
    """A pair is told by the codes of its brands, and for whom it is."""
    assert way_of(Pair(STAY, AERO), SNAPSHOT) == "STAY -> AERO"
    assert way_of(Pair(AERO, AERO, household=True), SNAPSHOT) == "AERO -> AERO (household)"
