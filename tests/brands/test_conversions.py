"""The figures of a conversion: the worked table, and the laws behind it."""

from fractions import Fraction
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brands.conversions import (
    ConversionRates,
    Figures,
    exact_ratio,
    for_points_in,
    for_points_out,
    postings,
)
from brands.ids import new_id
from brands.ledger.chart import COALITION, AccountKind, stripe
from brands.money import MAX_POINTS, MAX_RATE
from brands.rejections import AmountTooLarge, TransferTooSmall

A, B = UUID(int=1), UUID(int=2)

BrandRates = tuple[int, int, int]
"""Transfer-out rate, redemption rate and transfer-in rate of one brand, in that order."""


def between(source: BrandRates, destination: BrandRates) -> ConversionRates:
    """The rates of a conversion from one brand to another."""
    return ConversionRates(A, B, source[0], destination[2], source[1], destination[1])


def rated(out: int, into: int) -> ConversionRates:
    """The rates of a conversion between two brands that charge nothing for it."""
    return between((out, out, out), (into, into, into))


def brands() -> st.SearchStrategy[BrandRates]:
    """A brand whose rates could be published: o <= v <= i, all above zero."""
    rate = st.integers(1, MAX_RATE)
    return st.tuples(rate, rate, rate).map(in_order)


def in_order(rates: BrandRates) -> BrandRates:
    """Three rates, the lowest first."""
    low, middle, high = sorted(rates)
    return low, middle, high


points = st.integers(1, MAX_POINTS)


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
    rates = rated(out_rate, in_rate)
    assert for_points_out(points_out, rates) == Figures(points_out, points_in, points_in, 0, 0)


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
    figures = for_points_in(asked, rated(out_rate, in_rate))
    assert (figures.points_out, figures.points_in) == (points_out, points_in)


def test_what_is_too_small_to_arrive_is_refused_with_the_minimum() -> None:
    """Points worth less than one point at the other brand do not leave."""
    with pytest.raises(TransferTooSmall) as refusal:
        for_points_out(1, rated(8_000, 12_500))
    assert (refusal.value.points_out, refusal.value.minimum) == (1, 2)


def test_what_the_books_cannot_hold_is_refused() -> None:
    """Figures above 2^53-1 on either side are refused, not cut off."""
    with pytest.raises(AmountTooLarge):
        for_points_out(MAX_POINTS, rated(2, 1))
    with pytest.raises(AmountTooLarge):
        for_points_in(MAX_POINTS, rated(1, 2))


def test_the_rate_of_exchange_is_told_in_lowest_terms() -> None:
    """The rate of exchange is the smallest exact pair, with what each side is worth to a member."""
    ratio = exact_ratio(between((8_000, 9_000, 9_000), (10_000, 12_000, 12_500)))
    assert (ratio.points_out, ratio.points_in) == (25, 16)
    assert (ratio.value_out, ratio.value_in) == (25 * 9_000, 16 * 12_000)


def test_the_effective_rate_is_what_one_point_brings() -> None:
    """The effective rate is points in for one point out, as an exact decimal where there is one."""
    assert str(for_points_out(1_000, rated(8_000, 12_500)).effective_rate) == "0.64"
    assert str(for_points_out(3, rated(1, 3)).effective_rate) == "0.333333333333"


def test_the_money_follows_the_points() -> None:
    """1,000 points at 0.0045 into 0.0061 take 4.50 from one pool, bring 4.4957 to the other, and
    leave the rest as margin."""
    book, rates = 3, rated(4_500, 6_100)
    source, destination = new_id(book), new_id(book)
    legs = postings(book, source, destination, rates, for_points_out(1_000, rates))
    totals: dict[UUID, int] = {}
    for leg in legs:
        totals[leg.source] = totals.get(leg.source, 0) - leg.amount
        totals[leg.destination] = totals.get(leg.destination, 0) + leg.amount
    assert totals == {
        source: -1_000,
        stripe(book, A, AccountKind.CONVERTED): 1_000,
        stripe(book, B, AccountKind.CONVERTED): -737,
        destination: 737,
        stripe(book, A, AccountKind.POOL): -4_500_000,
        stripe(book, B, AccountKind.POOL): 4_495_700,
        stripe(book, COALITION, AccountKind.MARGIN): 4_300,
    }


@given(brands(), brands(), points)
def test_no_value_is_made(source: BrandRates, destination: BrandRates, points_out: int) -> None:
    """What arrives is never worth more than what left, and one point more would be."""
    rates = between(source, destination)
    try:
        figures = for_points_out(points_out, rates)
    except (TransferTooSmall, AmountTooLarge):
        return
    carried = points_out * rates.transfer_out_rate
    assert figures.points_in * rates.transfer_in_rate <= carried
    assert (figures.points_in + 1) * rates.transfer_in_rate > carried
    assert figures.points_in * rates.destination_value <= points_out * rates.source_value


@given(brands(), brands(), points)
def test_asking_for_points_in_costs_the_least(
    source: BrandRates, destination: BrandRates, asked: int
) -> None:
    """Points asked for do arrive, and with one point fewer leaving they would not."""
    rates = between(source, destination)
    try:
        figures = for_points_in(asked, rates)
    except AmountTooLarge:
        return
    ratio = Fraction(rates.transfer_out_rate, rates.transfer_in_rate)
    assert figures.points_in == figures.points_out * ratio // 1 >= asked
    assert (figures.points_out - 1) * ratio // 1 < asked


@given(brands(), brands(), points)
def test_the_minimum_is_the_least_that_converts(
    source: BrandRates, destination: BrandRates, points_out: int
) -> None:
    """The minimum that a refusal names does convert, unless it is more than anyone can hold."""
    rates = between(source, destination)
    minimum = points_out + 1
    try:
        for_points_out(points_out, rates)
    except TransferTooSmall as refusal:
        minimum = refusal.minimum
    except AmountTooLarge:
        return
    assert points_out < minimum
    assert minimum > MAX_POINTS or for_points_out(minimum, rates).points_in >= 1


@given(st.lists(brands(), min_size=2, max_size=5), points)
def test_no_round_trip_gains(trip: list[BrandRates], start: int) -> None:
    """Points converted through any brands and back to where they began are never more."""
    held = start
    for source, destination in pairwise([*trip, trip[0]]):
        try:
            held = for_points_out(held, between(source, destination)).points_in
        except (TransferTooSmall, AmountTooLarge):
            return
    assert held <= start
