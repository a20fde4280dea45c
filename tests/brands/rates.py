"""Rates and rules for tests of pure figures: of two brands, whatever could be published."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from brands.money import MAX_POINTS, MAX_RATE
from brands.moving.figures import ConversionRates
from brands.rules import BlockBonus, BlockFee, Fee, PercentBonus, Ratio, RuleTerms

A, B, SPONSOR = UUID(int=1), UUID(int=2), UUID(int=3)

AT = datetime(2026, 7, 1, 12, tzinfo=UTC)
"""An instant at which transfers are made."""

BrandRates = tuple[int, int, int]
"""Transfer-out rate, redemption rate and transfer-in rate of one brand, in that order."""


def between(source: BrandRates, destination: BrandRates) -> ConversionRates:
    """The rates of a conversion from one brand to another."""
    return ConversionRates(A, B, source[0], destination[2], source[1], destination[1])


def within(brand: BrandRates) -> ConversionRates:
    """The rates of a gift within one brand."""
    return ConversionRates(A, A, brand[0], brand[2], brand[1], brand[1])


def rated(out: int, into: int) -> ConversionRates:
    """The rates of a conversion between two brands that charge nothing for it."""
    return between((out, out, out), (into, into, into))


def in_order(rates: BrandRates) -> BrandRates:
    """Three rates, the lowest first."""
    low, middle, high = sorted(rates)
    return low, middle, high


def lawful_brands() -> st.SearchStrategy[BrandRates]:
    """A brand whose rates could be published: o <= v <= i, all above zero."""
    rate = st.integers(1, MAX_RATE)
    return st.tuples(rate, rate, rate).map(in_order)


def lawful_rates() -> st.SearchStrategy[ConversionRates]:
    """Rates between two such brands, or within one."""
    return st.builds(between, lawful_brands(), lawful_brands()) | lawful_brands().map(within)


@st.composite
def lawful_terms(draw: st.DrawFn, most: int = 1_000_000) -> RuleTerms:
    """What a rule could lay down about figures, in numbers up to `most`."""
    number = st.integers(1, most)
    increment = draw(st.none() | st.integers(1, max(1, most // 100)))
    minimum = draw(st.none() | number)
    least = max(minimum or 1, increment or 1) + (increment or 0)
    return RuleTerms(
        ratio=draw(st.none() | st.builds(Ratio, number, number)),
        minimum=minimum,
        maximum=draw(st.none() | st.integers(least, MAX_POINTS) | st.integers(least, least + most)),
        increment=increment,
        block_bonus=draw(st.none() | st.builds(BlockBonus, number, number)),
        percent_bonus=draw(st.none() | st.builds(PercentBonus, number, *_windows())),
        fee=draw(fees(most)),
    )


def fees(most: int) -> st.SearchStrategy[Fee]:
    """What a rule could charge: each part, or none."""
    number = st.integers(0, most)
    return st.builds(
        Fee,
        flat=number,
        per_point=number,
        per_block=st.none() | st.builds(BlockFee, st.integers(1, most), number),
        cap=st.none() | number,
        points_share=st.just(0) | st.integers(0, 999_999),
    )


def _windows() -> tuple[st.SearchStrategy[datetime | None], st.SearchStrategy[datetime | None]]:
    """When a bonus begins and ends: around `AT`, or for ever."""
    days = st.integers(-2, 2)
    return (
        st.none() | days.map(lambda day: AT + timedelta(days=day)),
        st.none() | days.map(lambda day: AT + timedelta(days=day)),
    )
