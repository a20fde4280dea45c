"""The figures of a transfer: the rates, what a rule changes, and the laws behind both."""

from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, inf

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brands.money import MAX_POINTS, MAX_RATE
from brands.moving.figures import (
    ConversionRates,
    Figures,
    exact_ratio,
    for_points_in,
    for_points_out,
)
from brands.rejections import (
    AmountTooLarge,
    Rejection,
    TransferAboveMaximum,
    TransferBelowMinimum,
    TransferNotInIncrement,
    TransferTooSmall,
)
from brands.rules import NO_RULE, BlockBonus, BlockFee, Fee, PercentBonus, Ratio, RuleTerms
from tests.brands.rates import (
    AT,
    BrandRates,
    between,
    lawful_brands,
    lawful_rates,
    lawful_terms,
    rated,
    within,
)

PAR = rated(10_000, 10_000)
"""A point for a point."""

points = st.integers(1, MAX_POINTS)


def off_step(below: int | None, above: int | None) -> TransferNotInIncrement:
    """The refusal of points that are no multiple of ten."""
    return TransferNotInIncrement(increment=10, nearest_below=below, nearest_above=above)


@pytest.mark.parametrize(
    ("out_rate", "in_rate", "points_out", "points_in"),
    [
        (8_000, 12_500, 1_000, 640),
        (4_500, 6_100, 1_000, 737),
        (8_000, 12_500, 2, 1),
        (10_000, 10_000, 1, 1),
        (20_000, 10_000, 1, 2),
        (1, MAX_RATE, MAX_RATE, 1),
        (10_000, 10_000, MAX_POINTS, MAX_POINTS),
    ],
)
def test_points_arrive_by_the_rates_rounded_down(
    out_rate: int, in_rate: int, points_out: int, points_in: int
) -> None:
    """The points that arrive are floor(points out x transfer-out rate / transfer-in rate)."""
    figures = for_points_out(points_out, rated(out_rate, in_rate), NO_RULE, AT)
    assert figures == Figures(points_out, points_in, points_in, 0, 0)


@pytest.mark.parametrize(
    ("out_rate", "in_rate", "asked", "points_out", "points_in"),
    [
        (8_000, 12_500, 640, 1_000, 640),
        (4_500, 6_100, 737, 1_000, 737),
        (8_000, 12_500, 1, 2, 1),
        (30_000, 10_000, 4, 2, 6),
    ],
)
def test_the_least_points_leave_that_bring_what_is_asked(
    out_rate: int, in_rate: int, asked: int, points_out: int, points_in: int
) -> None:
    """Asked for points in, the fewest points leave that make at least so many arrive."""
    figures = for_points_in(asked, rated(out_rate, in_rate), NO_RULE, AT)
    assert (figures.points_out, figures.points_in) == (points_out, points_in)


def test_within_a_brand_a_point_is_a_point() -> None:
    """A gift arrives whole, whatever its brand asks for points that leave for another."""
    rates = within((8_000, 10_000, 12_500))
    assert for_points_out(777, rates, NO_RULE, AT) == Figures(777, 777, 777, 0, 0)
    assert exact_ratio(rates).points_out == exact_ratio(rates).points_in == 1


def test_what_is_too_small_to_arrive_is_refused_with_the_minimum() -> None:
    """Points worth less than one point at the other brand do not leave; the minimum is one that
    the rule allows."""
    for terms, minimum in (
        (NO_RULE, 2),
        (RuleTerms(ratio=Ratio(7, 1), increment=4), 8),
        (RuleTerms(ratio=Ratio(1_000, 1), block_bonus=BlockBonus(30, 1)), 30),
        (RuleTerms(ratio=Ratio(1, 1), fee=Fee(points_share=900_000)), 10),
    ):
        leaving = terms.increment or 1
        with pytest.raises(TransferTooSmall) as refusal:
            for_points_out(leaving, rated(8_000, 12_500), terms, AT)
        assert (refusal.value.points_out, refusal.value.minimum) == (leaving, minimum)
        assert for_points_out(minimum, rated(8_000, 12_500), terms, AT).points_in >= 1


@pytest.mark.parametrize(
    ("points_out", "rates", "terms"),
    [
        (MAX_POINTS, rated(2, 1), NO_RULE),
        (MAX_POINTS, PAR, RuleTerms(fee=Fee(per_point=MAX_RATE))),
        (2**40, between((1, 1, 1), (1, 1, MAX_RATE)), RuleTerms(ratio=Ratio(1, 1))),
    ],
)
def test_what_the_books_cannot_hold_is_refused(
    points_out: int, rates: ConversionRates, terms: RuleTerms
) -> None:
    """Points above 2^53-1 on either side, or money above 2^63-1, are refused, not cut off."""
    with pytest.raises(AmountTooLarge):
        for_points_out(points_out, rates, terms, AT)
    with pytest.raises(AmountTooLarge):
        for_points_in(MAX_POINTS, rated(1, 2), NO_RULE, AT)


def test_the_rate_of_exchange_is_told_in_lowest_terms() -> None:
    """The rate of exchange is the smallest exact pair, with what each side is worth to a member."""
    rates = between((8_000, 9_000, 9_000), (10_000, 12_000, 12_500))
    ratio = exact_ratio(rates)
    assert (ratio.points_out, ratio.points_in) == (25, 16)
    assert (ratio.value_out, ratio.value_in) == (25 * 9_000, 16 * 12_000)
    by_rule = exact_ratio(rates, RuleTerms(ratio=Ratio(250, 200)))
    assert (by_rule.points_out, by_rule.points_in) == (5, 4)
    assert (by_rule.value_out, by_rule.value_in) == (5 * 9_000, 4 * 12_000)


def test_the_effective_rate_is_what_one_point_brings() -> None:
    """The effective rate is points in for one point out, as an exact decimal where there is one."""
    exact = for_points_out(1_000, rated(8_000, 12_500), NO_RULE, AT)
    assert str(exact.effective_rate) == "0.64"
    assert str(for_points_out(3, rated(1, 3), NO_RULE, AT).effective_rate) == "0.333333333333"


@pytest.mark.parametrize(
    ("terms", "points_out", "refusal"),
    [
        (RuleTerms(minimum=500), 499, TransferBelowMinimum(minimum=500)),
        (RuleTerms(maximum=500), 501, TransferAboveMaximum(maximum=500)),
        (RuleTerms(increment=10), 15, off_step(10, 20)),
        (RuleTerms(increment=10), 5, off_step(None, 10)),
        (RuleTerms(increment=10, minimum=12), 15, off_step(None, 20)),
        (RuleTerms(increment=10, maximum=18), 15, off_step(10, None)),
        (RuleTerms(increment=10), MAX_POINTS, off_step(MAX_POINTS - 1, None)),
        (RuleTerms(increment=10, minimum=20), 15, TransferBelowMinimum(minimum=20)),
        (RuleTerms(increment=10, maximum=20), 25, TransferAboveMaximum(maximum=20)),
    ],
)
def test_what_a_rule_does_not_allow_is_refused_with_what_it_does(
    terms: RuleTerms, points_out: int, refusal: Rejection
) -> None:
    """Too few, then too many, then points between two steps: each refusal tells what to ask for."""
    with pytest.raises(type(refusal)) as refused:
        for_points_out(points_out, PAR, terms, AT)
    assert refused.value == refusal


@pytest.mark.parametrize(
    ("terms", "asked", "points_out", "points_in"),
    [
        (RuleTerms(minimum=500), 1, 500, 500),
        (RuleTerms(increment=10), 11, 20, 20),
        (RuleTerms(increment=10, minimum=12), 1, 20, 20),
        (RuleTerms(maximum=20), 20, 20, 20),
        (RuleTerms(block_bonus=BlockBonus(100, 50)), 101, 100, 150),
        (RuleTerms(block_bonus=BlockBonus(100, 50)), 151, 101, 151),
        (RuleTerms(fee=Fee(points_share=100_000)), 9, 10, 9),
        (RuleTerms(percent_bonus=PercentBonus(250_000)), 5, 4, 5),
    ],
)
def test_points_asked_for_cost_the_least_that_a_rule_allows(
    terms: RuleTerms, asked: int, points_out: int, points_in: int
) -> None:
    """Minimum, increment, bonuses and the fee's share are all reckoned with."""
    figures = for_points_in(asked, PAR, terms, AT)
    assert (figures.points_out, figures.points_in) == (points_out, points_in)


def test_more_than_the_maximum_brings_cannot_be_asked_for() -> None:
    """Where more would have to leave than the rule allows, the refusal tells how much it does."""
    for terms in (RuleTerms(maximum=20), RuleTerms(maximum=25, increment=10, minimum=5)):
        with pytest.raises(TransferAboveMaximum) as refusal:
            for_points_in(21, PAR, terms, AT)
        assert refusal.value.maximum == terms.maximum


def test_a_bonus_is_given_within_its_window() -> None:
    """A percentage bonus holds from its beginning until just before its end."""
    moment = timedelta(microseconds=1)
    terms = RuleTerms(percent_bonus=PercentBonus(300_000, AT, AT + timedelta(days=1)))
    for at, bonus in (
        (AT - moment, 0),
        (AT, 300),
        (AT + timedelta(days=1) - moment, 300),
        (AT + timedelta(days=1), 0),
    ):
        assert for_points_out(1_000, PAR, terms, at) == Figures(
            1_000, 1_000 + bonus, 1_000, bonus, 0, 0, bonus * PAR.transfer_in_rate
        )


def test_the_parts_of_a_fee_add_up_to_its_cap() -> None:
    """Flat, per point and per block begun: their sum, and never more than the cap."""
    fee = Fee(flat=30, per_point=2, per_block=BlockFee(1_000, 500), cap=5_000)
    for points_out, expected in ((1, 532), (1_000, 2_530), (1_001, 3_032), (2_000, 5_000)):
        assert for_points_out(points_out, PAR, RuleTerms(fee=fee), AT).fee == expected


def test_a_share_of_the_points_is_kept_before_they_are_converted() -> None:
    """The share is rounded up to whole points, and what is left is converted."""
    terms = RuleTerms(ratio=Ratio(3, 1), fee=Fee(points_share=100_000))
    figures = for_points_out(1_001, PAR, terms, AT)
    assert (figures.fee_points, figures.base_points) == (101, 300)


def test_the_sponsor_pays_for_what_the_rates_do_not_give() -> None:
    """Sponsored is what arrives beyond the rates, at what a point costs; less is no credit."""
    rates = between((8_000, 9_000, 9_500), (10_000, 12_000, 12_500))
    doubled = for_points_out(1_000, rates, RuleTerms(ratio=Ratio(1, 2)), AT)
    assert doubled.sponsored == (2_000 - 640) * 12_500
    assert for_points_out(1_000, rates, RuleTerms(ratio=Ratio(2, 1)), AT).sponsored == 0
    gift = for_points_out(1_000, within((8, 9, 10)), RuleTerms(block_bonus=BlockBonus(500, 1)), AT)
    assert gift.sponsored == 2 * 10


@given(lawful_brands(), lawful_brands(), points)
def test_no_value_is_made(source: BrandRates, destination: BrandRates, points_out: int) -> None:
    """What arrives is never worth more than what left, and one point more would be."""
    rates = between(source, destination)
    figures = made(points_out, rates, NO_RULE)
    carried = points_out * rates.transfer_out_rate
    assert figures.points_in * rates.transfer_in_rate <= carried
    assert (figures.points_in + 1) * rates.transfer_in_rate > carried
    assert figures.points_in * rates.destination_value <= points_out * rates.source_value


@given(lawful_rates(), lawful_terms(), points | st.integers(1, 1_000_000))
def test_figures_are_as_they_are_defined(
    rates: ConversionRates, terms: RuleTerms, points_out: int
) -> None:
    """Points and money are those of the definition, in exact fractions."""
    figures = made(points_out, rates, terms)
    points_out, plain = figures.points_out, Fraction(1)
    if rates.source_brand != rates.destination_brand:
        plain = Fraction(rates.transfer_out_rate, rates.transfer_in_rate)
    ratio = Fraction(terms.ratio.to_points, terms.ratio.from_points) if terms.ratio else plain
    kept = ceil(points_out * Fraction(terms.fee.points_share, 1_000_000))
    base = floor((points_out - kept) * ratio)
    bonus, fee = 0, terms.fee.flat + points_out * terms.fee.per_point
    if terms.block_bonus:
        bonus += floor(Fraction(points_out, terms.block_bonus.every)) * terms.block_bonus.bonus
    if terms.percent_bonus and terms.percent_bonus.holds(AT):
        bonus += floor(base * Fraction(terms.percent_bonus.millionths, 1_000_000))
    if terms.fee.per_block:
        fee += ceil(Fraction(points_out, terms.fee.per_block.every)) * terms.fee.per_block.amount
    fee = fee if terms.fee.cap is None else min(fee, terms.fee.cap)
    beyond = max(0, base + bonus - floor(points_out * plain))
    paid = beyond * rates.transfer_in_rate
    assert figures == Figures(points_out, base + bonus, base, bonus, fee, kept, paid)


@given(lawful_rates(), lawful_terms(), points | st.integers(1, 1_000_000))
def test_asking_for_points_in_costs_the_least(
    rates: ConversionRates, terms: RuleTerms, asked: int
) -> None:
    """Points asked for do arrive, and with one step fewer leaving they would not."""
    try:
        figures = for_points_in(asked, rates, terms, AT)
    except (AmountTooLarge, TransferAboveMaximum):
        assume(False)
        raise
    assert figures.points_in >= asked
    assert for_points_out(figures.points_out, rates, terms, AT) == figures
    fewer = figures.points_out - (terms.increment or 1)
    if fewer >= (terms.minimum or 1):
        assert brought(fewer, rates, terms) < asked


@given(lawful_rates(), lawful_terms(most=40), st.integers(1, 60))
def test_asking_for_points_in_finds_what_trying_all_would(
    rates: ConversionRates, terms: RuleTerms, asked: int
) -> None:
    """Of all that a rule allows, tried one by one, the first that brings enough is the answer."""
    tried = range(1, 400)
    first = next((n for n in tried if brought(n, rates, terms) >= asked), None)
    try:
        found = for_points_in(asked, rates, terms, AT).points_out
    except (AmountTooLarge, TransferAboveMaximum):
        found = None
    assert found == first or (first is None and found is not None and found not in tried)


@given(lawful_rates(), lawful_terms(), points | st.integers(1, 1_000_000))
def test_what_a_refusal_names_is_allowed(
    rates: ConversionRates, terms: RuleTerms, points_out: int
) -> None:
    """The minimum, the maximum and the nearest steps that refusals name lead to a transfer, or to
    a refusal for another reason: never back to the same one."""
    refusal = refusal_of(points_out, rates, terms)
    named: list[int | None] = []
    if isinstance(refusal, TransferBelowMinimum | TransferTooSmall):
        assert refusal.minimum > points_out
        named = [refusal.minimum]
    elif isinstance(refusal, TransferAboveMaximum):
        assert refusal.maximum < points_out
        named = [refusal.maximum]
    elif isinstance(refusal, TransferNotInIncrement):
        named = [refusal.nearest_below, refusal.nearest_above]
        assert all(n is None or abs(points_out - n) < refusal.increment for n in named)
    for each in named:
        assert each is None or type(refusal_of(each, rates, terms)) is not type(refusal)


@given(st.lists(lawful_brands(), min_size=2, max_size=5), points)
def test_no_round_trip_gains(trip: list[BrandRates], start: int) -> None:
    """Points converted through any brands and back to where they began are never more."""
    held = start
    for source, destination in pairwise([*trip, trip[0]]):
        try:
            held = for_points_out(held, between(source, destination), NO_RULE, AT).points_in
        except (TransferTooSmall, AmountTooLarge):
            return
    assert held <= start


def made(points_out: int, rates: ConversionRates, terms: RuleTerms) -> Figures:
    """The figures, if the rule allows the nearest number of points that is in its bounds."""
    step, least = terms.increment or 1, terms.minimum or 1
    most = MAX_POINTS if terms.maximum is None else terms.maximum
    points_out = max(least, min(points_out, most))
    try:
        return for_points_out(points_out // step * step, rates, terms, AT)
    except Rejection:
        assume(False)
        raise


def brought(points_out: int, rates: ConversionRates, terms: RuleTerms) -> float:
    """How many points arrive: none if the rule refuses, no end of them if the books do."""
    match refusal_of(points_out, rates, terms):
        case None:
            return for_points_out(points_out, rates, terms, AT).points_in
        case AmountTooLarge():
            return inf
        case _:
            return 0


def refusal_of(points_out: int, rates: ConversionRates, terms: RuleTerms) -> Rejection | None:
    """Why so many points may not leave, if they may not."""
    try:
        for_points_out(points_out, rates, terms, AT)
    except Rejection as refusal:
        return refusal
    return None


def test_what_no_number_of_points_could_bring() -> None:
    """Where not even the most points that there can be bring one, that is what is said."""
    terms = RuleTerms(ratio=Ratio(MAX_POINTS, 1), fee=Fee(points_share=999_999))
    with pytest.raises(AmountTooLarge):
        for_points_out(100, rated(1, 1), terms, AT)
