"""The guard against farming: it finds a gain if there is one, exactly, and fast enough."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise, permutations
from time import perf_counter
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brands.errors import TransferCycleGains
from brands.moving.arbitrage import find_gain, gain_as_text, require_no_gain
from brands.naming.numbers import NumberFormat
from brands.registry import Brand, BrandStatus, Snapshot
from brands.rules import (
    NO_RULE,
    BlockBonus,
    Fee,
    Pair,
    PercentBonus,
    Ratio,
    RuleTerms,
    TransferRule,
    best_ratio,
)
from brands.valuations import Rates, Valuation

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
CLOSED = RuleTerms(closed=True)
EVEN = Rates(100, 100, 100, 100)
APART = Rates(10_000, 10_000, 1, 1_000_000_000)
"""So far apart that the rates alone give next to nothing."""


def brand(place: int) -> Brand:
    """A brand whose id tells its place: A, B, C."""
    code = chr(ord("A") + place) if place < 26 else f"B{place:03}"
    return Brand(
        UUID(int=place + 1), code, code, code, "UTC", BrandStatus.ACTIVE, NumberFormat(), NOON
    )


def rule(
    source: int,
    destination: int,
    terms: RuleTerms,
    *,
    household: bool = False,
    begins: datetime = NOON,
    ends: datetime | None = None,
    number: int = 0,
) -> TransferRule:
    """A rule between two places; those of a higher number were published later."""
    pair = Pair(UUID(int=source + 1), UUID(int=destination + 1), household)
    return TransferRule(UUID(int=number), pair, terms, begins, ends, NOON + number * TICK)


def ratio(leave: int, arrive: int) -> RuleTerms:
    """So many leave, so many arrive."""
    return RuleTerms(ratio=Ratio(leave, arrive))


def world(rates: Sequence[Rates], *rules: TransferRule) -> Snapshot:
    """Brands with these rates, in force since noon, and rules."""
    brands = [brand(place) for place in range(len(rates))]
    valuations = [
        Valuation(brand.id, its, NOON, None) for brand, its in zip(brands, rates, strict=True)
    ]
    return Snapshot(1, brands, valuations, rules)


def cycle_of(snapshot: Snapshot, at: datetime = NOON, ends: datetime | None = None) -> str | None:
    """The cycle that is refused, as codes and gain in a text."""
    try:
        require_no_gain(snapshot, at, ends)
    except TransferCycleGains as refused:
        return " ".join([*refused.cycle, refused.gain])
    return None


BONUS = RuleTerms(block_bonus=BlockBonus(60_000, 5_000))


@pytest.mark.parametrize(
    ("rules", "refused"),
    [
        ([], None),
        ([rule(0, 1, ratio(1, 1)), rule(1, 0, ratio(1, 1))], None),
        ([rule(0, 1, ratio(2, 3)), rule(1, 0, CLOSED)], None),
        ([rule(0, 1, ratio(2, 3))], "A B A 1.5"),
        ([rule(0, 1, ratio(2, 3)), rule(1, 0, ratio(3, 2))], None),
        (
            [
                rule(0, 1, ratio(2, 3)),
                rule(1, 0, ratio(3, 2)),
                rule(1, 0, ratio(1, 1), household=True),
            ],
            "A B A 1.5",
        ),
        ([rule(0, 0, RuleTerms(percent_bonus=PercentBonus(1)))], "A A 1.000001"),
        ([rule(0, 0, ratio(1, 2), household=True)], "A A 2"),
        ([rule(0, 0, RuleTerms(fee=Fee(points_share=1)))], None),
        ([rule(0, 1, BONUS)], "A B A 1.08333333333"),
        ([rule(0, 1, RuleTerms(block_bonus=BlockBonus(60_000, 5_000), maximum=59_999))], None),
        ([rule(0, 1, RuleTerms(block_bonus=BlockBonus(6, 5), maximum=6))], "A B A 1.83333333333"),
        ([rule(0, 1, ratio(2, 3)), rule(0, 1, NO_RULE, number=1)], None),  # superseded
        (
            [
                rule(0, 1, RuleTerms(ratio=Ratio(2, 3), allow_cycle=True, sponsor=UUID(int=1))),
                rule(1, 0, ratio(1, 1)),
            ],
            None,
        ),
        ([rule(0, 1, CLOSED, household=True), rule(0, 1, ratio(1, 2))], "A B A 2"),
        ([rule(0, 1, CLOSED), rule(0, 1, ratio(1, 2), household=True)], "A B A 2"),
        ([rule(0, 1, RuleTerms(ratio=Ratio(1, 2), fee=Fee(points_share=500_000)))], None),
        ([rule(0, 1, RuleTerms(ratio=Ratio(1, 2), fee=Fee(flat=10**9)))], "A B A 2"),
        ([rule(0, 1, RuleTerms(ratio=Ratio(10**15, 10**15 + 1)))], "A B A 1.00000000001"),
    ],
)
def test_a_cycle_that_gains_is_refused_with_its_gain(
    rules: list[TransferRule], refused: str | None
) -> None:
    """Between two brands of one value, rules are refused that make one point more than one."""
    assert cycle_of(world([EVEN, EVEN], *rules)) == refused


def test_a_way_round_a_closed_pair_is_found() -> None:
    """A closed pair hinders no gain that a third brand makes possible."""
    rules = [rule(0, 1, ratio(2, 3)), rule(1, 0, CLOSED)]
    assert cycle_of(world([EVEN, EVEN], *rules)) is None
    assert cycle_of(world([EVEN, EVEN, EVEN], *rules)) == "A B C A 1.5"


@pytest.mark.parametrize(
    ("terms", "begins", "ends", "refused"),
    [
        (ratio(1, 2), 1, None, True),
        (ratio(1, 2), 1, 2, True),
        (ratio(1, 2), 5, None, False),  # when what is published has ended
        (ratio(1, 2), -2, 0, False),  # it was before
        (RuleTerms(percent_bonus=PercentBonus(1, NOON + HOUR)), -2, None, True),
        (RuleTerms(percent_bonus=PercentBonus(1, NOON + 5 * HOUR)), -2, None, False),
        (RuleTerms(percent_bonus=PercentBonus(1, None, NOON)), -2, None, False),
        (RuleTerms(percent_bonus=PercentBonus(1, None, NOON + TICK)), -2, None, True),
    ],
)
def test_every_instant_is_looked_at(
    terms: RuleTerms, begins: int, ends: int | None, refused: bool
) -> None:
    """A gain at any instant from the beginning until before the end counts, and no other does."""
    lasts = None if ends is None else NOON + ends * HOUR
    made = world([EVEN, EVEN], rule(0, 1, terms, begins=NOON + begins * HOUR, ends=lasts))
    assert (cycle_of(made, NOON, NOON + 5 * HOUR) is not None) == refused


def test_future_rates_are_looked_at() -> None:
    """A rule that is harmless by today's rates is refused if it gains by tomorrow's."""
    made = world([EVEN, EVEN], rule(0, 1, ratio(1, 1)))
    dear = Rates(200, 200, 200, 200)
    changed = made.having(valuations=[Valuation(UUID(int=2), dear, NOON + HOUR, None)])
    assert cycle_of(made) is None
    assert cycle_of(changed) == "A B A 2"
    assert cycle_of(changed, NOON, NOON + HOUR) is None


TERMS = st.builds(
    RuleTerms,
    ratio=st.none() | st.builds(Ratio, st.integers(1, 4), st.integers(1, 4)),
    maximum=st.none() | st.just(3),
    block_bonus=st.none() | st.builds(BlockBonus, st.integers(2, 4), st.integers(1, 2)),
    percent_bonus=st.none()
    | st.builds(
        PercentBonus,
        st.sampled_from([250_000, 1_000_000]),
        st.sampled_from([None, NOON + HOUR]),
        st.sampled_from([None, NOON + 2 * HOUR]),
    ),
    fee=st.builds(Fee, points_share=st.sampled_from([0, 250_000, 500_000])),
    allow_cycle=st.booleans(),
) | st.just(CLOSED)
RATES = st.builds(
    lambda o, v, i: Rates(o + v, o + v + i, o, o + v + i),
    st.integers(1, 3),
    st.integers(0, 2),
    st.integers(0, 2),
)


@st.composite
def worlds(draw: st.DrawFn) -> Snapshot:
    """Up to five brands, whose rates and rules change from hour to hour."""
    count = draw(st.integers(1, 5))
    place, hour = st.integers(0, count - 1), st.integers(0, 2)
    drawn = st.tuples(place, place, TERMS, st.booleans(), hour, st.none() | st.integers(1, 2))
    rules = [
        rule(
            *(source, destination, terms),
            household=household,
            begins=NOON + begins * HOUR,
            ends=None if lasts is None else NOON + (begins + lasts) * HOUR,
            number=number,
        )
        for number, (source, destination, terms, household, begins, lasts) in enumerate(
            draw(st.lists(drawn, max_size=8))
        )
    ]
    made = world([draw(RATES) for _ in range(count)], *rules)
    later = draw(st.dictionaries(place, RATES, max_size=2))
    return made.having(
        valuations=[
            Valuation(UUID(int=at + 1), its, NOON + HOUR, None) for at, its in later.items()
        ]
    )


def weights(made: Snapshot, at: datetime) -> dict[tuple[UUID, UUID], Fraction]:
    """What a point becomes at best between each two brands, reckoned one by one."""
    found = {}
    for source in made.brands:
        for destination in made.brands:
            pair = Pair(source.id, destination.id)
            out = made.valuation(source.id, at).rates.transfer_out_rate
            into = made.valuation(destination.id, at).rates.transfer_in_rate
            plain = Fraction(1) if source is destination else Fraction(out, into)
            general = made.rule(pair, at)
            household = made.rule(pair._replace(household=True), at)
            ways = [general.terms if general else NO_RULE]
            if household:
                ways.append(household.terms)
            open_ways = [each for each in ways if not (each.closed or each.allow_cycle)]
            best = [best_ratio(each, plain, at) for each in open_ways]
            found[source.id, destination.id] = max(best, default=Fraction(0))
    return found


def best_gain(made: Snapshot, at: datetime) -> Fraction:
    """The most that any cycle gains, by trying every one."""
    by_edge = weights(made, at)
    ids = [each.id for each in made.brands]
    cycles = (cycle for size in range(1, len(ids) + 1) for cycle in permutations(ids, size))
    return max(product(by_edge, cycle) for cycle in cycles if cycle[0] == min(cycle))


def product(by_edge: dict[tuple[UUID, UUID], Fraction], cycle: Sequence[UUID]) -> Fraction:
    """What a point becomes by going round."""
    gain = Fraction(1)
    for edge in pairwise((*cycle, cycle[0])):
        gain *= by_edge[edge]
    return gain


@settings(max_examples=400, deadline=None)
@given(worlds())
def test_the_guard_agrees_with_trying_every_cycle(made: Snapshot) -> None:
    """A gain is found if and only if some cycle gains at some hour, and what is found gains so."""
    hours = [NOON + hour * HOUR for hour in range(6)]
    found = find_gain(made, NOON)
    assert (found is not None) == any(best_gain(made, at) > 1 for at in hours)
    if found is not None:
        assert found.gain > 1
        assert len(set(found.brands)) == len(found.brands)
        assert found.gain in {product(weights(made, at), found.brands) for at in hours}


@pytest.mark.parametrize(
    ("gain", "text"),
    [
        (Fraction(3, 2), "1.5"),
        (Fraction(100), "100"),
        (Fraction(4, 3), "1.33333333333"),
        (Fraction(5, 3), "1.66666666666"),
        (1 + Fraction(1, 10**40), "1.00000000001"),
    ],
)
def test_a_gain_is_told_in_twelve_digits_and_is_above_one(gain: Fraction, text: str) -> None:
    """A gain is rounded down to twelve digits, unless that would deny it."""
    assert gain_as_text(gain) == text


WORTH = [1_000 + (place * 7_919) % 49_001 for place in range(200)]


def at_par(source: int, destination: int) -> RuleTerms:
    """By which every cycle is exactly one."""
    return ratio(WORTH[destination], WORTH[source])


def various(source: int, destination: int) -> RuleTerms:
    """Something less than par, another for every pair, with all that terms can say."""
    kept = 800 + (source * 31 + destination * 17) % 200
    return RuleTerms(
        ratio=Ratio(WORTH[destination] * 1_000, WORTH[source] * kept),
        block_bonus=BlockBonus(60_000, 5),
        percent_bonus=PercentBonus(100, NOON, NOON + HOUR),
        fee=Fee(points_share=2_000),
    )


def one_too_rich(source: int, destination: int) -> RuleTerms:
    """At par but for one pair."""
    return ratio(1, 100) if (source, destination) == (150, 20) else at_par(source, destination)


def a_ring(source: int, destination: int) -> RuleTerms:
    """Open only to the next brand; all the way round there is a millionth to gain."""
    if destination != (source + 1) % 200:
        return CLOSED
    return ratio(1_000_000, 1_000_001 if source == 0 else 1_000_000)


def a_ladder(source: int, destination: int) -> RuleTerms:
    """Upward only, and the better the smaller the steps: values rise along the longest way."""
    if destination < source:
        return CLOSED
    return ratio(2**50, 2**50 + 2 * (destination - source) - 1)


@pytest.mark.parametrize(
    ("terms", "gains"),
    [(at_par, 0), (various, 0), (one_too_rich, 2), (a_ring, 200), (a_ladder, 0)],
)
def test_every_pair_of_two_hundred_brands_is_told_in_no_time(
    terms: Callable[[int, int], RuleTerms], gains: int
) -> None:
    """With 200 brands and a rule for each of their 39,800 pairs the answer takes under 2 s."""
    pairs = permutations(range(200), 2)
    made = world(
        [APART] * 200,
        *(rule(*pair, terms(*pair), number=number) for number, pair in enumerate(pairs)),
    )
    began = perf_counter()
    found = find_gain(made, NOON)
    assert perf_counter() - began < 2
    assert (0 if found is None else len(found.brands)) == gains
