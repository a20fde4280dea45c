"""The figures of a conversion: how many points arrive for those that leave, and the money behind.

Pure: rates in, whole numbers out, nothing rounded but the points that arrive, and those downward.
Whatever a transfer rule may change about a transfer is decided here.
"""

from dataclasses import dataclass
from decimal import Context, Decimal
from math import gcd
from typing import NamedTuple
from uuid import UUID

from brands.ledger.chart import COALITION, MONEY, AccountKind, stripe
from brands.ledger.commands import Posting
from brands.money import MAX_POINTS
from brands.rejections import AmountTooLarge, TransferTooSmall

_TWELVE_DIGITS = Context(prec=12)


class ConversionRates(NamedTuple):
    """What a conversion is reckoned by: two brands and, in micro-units per point, their rates."""

    source_brand: UUID
    destination_brand: UUID
    transfer_out_rate: int
    """What a point leaving the source brand carries away (o)."""
    transfer_in_rate: int
    """What a point arriving at the destination brand costs (i)."""
    source_value: int
    """The redemption rate behind the points that leave (v)."""
    destination_value: int
    """The redemption rate that will stand behind the points that arrive (v)."""


class Figures(NamedTuple):
    """How many points leave and how many arrive: `base_points` by the rates, `bonus_points` beyond
    them. `fee` is in micro-units."""

    points_out: int
    points_in: int
    base_points: int
    bonus_points: int
    fee: int

    @property
    def effective_rate(self) -> Decimal:
        """Points that arrive for one that leaves, to twelve significant digits."""
        return _TWELVE_DIGITS.divide(Decimal(self.points_in), Decimal(self.points_out))


@dataclass(frozen=True, slots=True)
class ExactRatio:
    """The smallest numbers of points that convert with nothing lost to rounding, and what each
    side is worth at its brand's redemption rate, in micro-units."""

    points_out: int
    points_in: int
    value_out: int
    value_in: int


def for_points_out(points_out: int, rates: ConversionRates) -> Figures:
    """What arrives when `points_out` (1 to 2^53-1) leave: floor(points_out x o / i).

    Raises `TransferTooSmall` when nothing would arrive, `AmountTooLarge` above 2^53-1.
    """
    points_in = points_out * rates.transfer_out_rate // rates.transfer_in_rate
    if points_in == 0:
        raise TransferTooSmall(points_out=points_out, minimum=_least_points_out(1, rates))
    return _figures(points_out, points_in)


def for_points_in(points_in: int, rates: ConversionRates) -> Figures:
    """The least points out for which at least `points_in` (1 to 2^53-1) arrive.

    More may arrive than was asked for, where a point leaving is worth several arriving. Raises
    `AmountTooLarge` when more than 2^53-1 points would have to leave.
    """
    points_out = _least_points_out(points_in, rates)
    return _figures(points_out, points_out * rates.transfer_out_rate // rates.transfer_in_rate)


def exact_ratio(rates: ConversionRates) -> ExactRatio:
    """The rate of exchange between two brands, in lowest terms."""
    common = gcd(rates.transfer_out_rate, rates.transfer_in_rate)
    points_out = rates.transfer_in_rate // common
    points_in = rates.transfer_out_rate // common
    return ExactRatio(
        points_out, points_in, points_out * rates.source_value, points_in * rates.destination_value
    )


def postings(
    book: int, source: UUID, destination: UUID, rates: ConversionRates, figures: Figures
) -> tuple[Posting, ...]:
    """A conversion of one member's points: both legs of points, and the money that goes with them.

    The margin takes what the source's pool gives up and the destination's does not need.
    """
    brand_out, brand_in = rates.source_brand, rates.destination_brand
    points_out, points_in = figures.points_out, figures.points_in
    margin = stripe(book, COALITION, AccountKind.MARGIN)
    pool_out = stripe(book, brand_out, AccountKind.POOL)
    pool_in = stripe(book, brand_in, AccountKind.POOL)
    gone = stripe(book, brand_out, AccountKind.CONVERTED)
    come = stripe(book, brand_in, AccountKind.CONVERTED)
    return (
        Posting(brand_out, source, gone, points_out),
        Posting(brand_in, come, destination, points_in),
        Posting(MONEY, pool_out, margin, points_out * rates.source_value),
        Posting(MONEY, margin, pool_in, points_in * rates.destination_value),
    )


def _least_points_out(points_in: int, rates: ConversionRates) -> int:
    return -(-points_in * rates.transfer_in_rate // rates.transfer_out_rate)


def _figures(points_out: int, points_in: int) -> Figures:
    if points_out > MAX_POINTS or points_in > MAX_POINTS:
        raise AmountTooLarge
    return Figures(points_out, points_in, base_points=points_in, bonus_points=0, fee=0)
