"""The figures of a transfer: how many points arrive for those that leave, and what it costs.

Pure: rates and a rule's terms in, whole numbers out. Nothing is rounded but points: those that
arrive downward, those kept as a fee upward. Whatever a rule may change about how much moves is
decided here; whether it may move at all (closed pairs, ages, limits) is asked elsewhere.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from math import gcd
from typing import NamedTuple
from uuid import UUID

from brands.money import MAX_BALANCE, MAX_POINTS
from brands.rejections import (
    AmountTooLarge,
    TransferAboveMaximum,
    TransferBelowMinimum,
    TransferNotInIncrement,
    TransferTooSmall,
)
from brands.rules import NO_RULE, WHOLE, Fee, Ratio, RuleTerms

_TWELVE_DIGITS = Context(prec=12)


class ConversionRates(NamedTuple):
    """What a transfer is reckoned by: two brands and, in micro-units per point, their rates.

    Within one brand a point is a point: the rates only say what is behind it.
    """

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
    """How many points leave and how many arrive: `base_points` by the ratio, `bonus_points` beyond.

    `fee` is in micro-units; `fee_points` are among those that leave. `sponsored` is what the
    sponsor pays, in micro-units, for the points that arrive beyond what the rates give.
    """

    points_out: int
    points_in: int
    base_points: int
    bonus_points: int
    fee: int
    fee_points: int = 0
    sponsored: int = 0

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


def for_points_out(
    points_out: int, rates: ConversionRates, terms: RuleTerms, at: datetime
) -> Figures:
    """What arrives when `points_out` (1 to 2^53-1) leave at an instant.

    Raises `TransferBelowMinimum`, `TransferAboveMaximum`, `TransferNotInIncrement`,
    `TransferTooSmall` when nothing would arrive (its minimum may be above the rule's maximum: then
    nothing ever does), and `AmountTooLarge` for points above 2^53-1 or money above 2^63-1
    micro-units.
    """
    _require_allowed(points_out, terms)
    figures = _figures(points_out, rates, terms, at)
    if figures.points_in == 0:
        minimum = _least_points_out(1, rates, terms, at)
        if minimum > MAX_POINTS:
            raise AmountTooLarge
        raise TransferTooSmall(points_out=points_out, minimum=minimum)
    return _held(figures)


def for_points_in(
    points_in: int, rates: ConversionRates, terms: RuleTerms, at: datetime
) -> Figures:
    """The least points out that a rule allows for which at least `points_in` (1 to 2^53-1) arrive.

    More may arrive than was asked for, where a point leaving is worth several arriving, or where
    a rule allows no fewer to leave. Raises `TransferAboveMaximum` when more would have to leave
    than the rule allows, `AmountTooLarge` when it is more than the books can hold.
    """
    points_out = _least_points_out(points_in, rates, terms, at)
    if terms.maximum is not None and points_out > terms.maximum:
        raise TransferAboveMaximum(maximum=terms.maximum)
    return _held(_figures(points_out, rates, terms, at))


def exact_ratio(rates: ConversionRates, terms: RuleTerms = NO_RULE) -> ExactRatio:
    """The rate of exchange between two brands, in lowest terms: bonuses and fees aside."""
    points_out, points_in = _ratio(rates, terms)
    common = gcd(points_out, points_in)
    points_out, points_in = points_out // common, points_in // common
    return ExactRatio(
        points_out, points_in, points_out * rates.source_value, points_in * rates.destination_value
    )


def _figures(points_out: int, rates: ConversionRates, terms: RuleTerms, at: datetime) -> Figures:
    from_points, to_points = _ratio(rates, terms)
    fee_points = -(-points_out * terms.fee.points_share // WHOLE)
    base = (points_out - fee_points) * to_points // from_points
    bonus = _bonus(points_out, base, terms, at)
    unsponsored = _by_rates(points_out, rates)
    return Figures(
        points_out,
        base + bonus,
        base,
        bonus,
        _fee(points_out, terms.fee),
        fee_points,
        max(0, base + bonus - unsponsored) * rates.transfer_in_rate,
    )


def _ratio(rates: ConversionRates, terms: RuleTerms) -> Ratio:
    return terms.ratio or _plain_ratio(rates)


def _plain_ratio(rates: ConversionRates) -> Ratio:
    if rates.source_brand == rates.destination_brand:
        return Ratio(1, 1)
    return Ratio(rates.transfer_in_rate, rates.transfer_out_rate)


def _by_rates(points_out: int, rates: ConversionRates) -> int:
    """What would arrive without a rule: nobody need pay for that."""
    from_points, to_points = _plain_ratio(rates)
    return points_out * to_points // from_points


def _bonus(points_out: int, base: int, terms: RuleTerms, at: datetime) -> int:
    block, percent = terms.block_bonus, terms.percent_bonus
    bonus = points_out // block.every * block.bonus if block else 0
    if percent is not None and percent.holds(at):
        bonus += base * percent.millionths // WHOLE
    return bonus


def _fee(points_out: int, fee: Fee) -> int:
    amount = fee.flat + points_out * fee.per_point
    if fee.per_block is not None:
        amount += -(-points_out // fee.per_block.every) * fee.per_block.amount
    return amount if fee.cap is None else min(amount, fee.cap)


def _require_allowed(points_out: int, terms: RuleTerms) -> None:
    if terms.minimum is not None and points_out < terms.minimum:
        raise TransferBelowMinimum(minimum=terms.minimum)
    if terms.maximum is not None and points_out > terms.maximum:
        raise TransferAboveMaximum(maximum=terms.maximum)
    if terms.increment is not None and points_out % terms.increment:
        below = points_out - points_out % terms.increment
        above = below + terms.increment
        raise TransferNotInIncrement(
            increment=terms.increment,
            nearest_below=below if below >= (terms.minimum or 1) else None,
            nearest_above=above if above <= (terms.maximum or MAX_POINTS) else None,
        )


def _least_points_out(
    points_in: int, rates: ConversionRates, terms: RuleTerms, at: datetime
) -> int:
    """The least points out, above the rule's minimum and in its increment, that give so many.

    A rule's maximum does not bound it. More points never bring fewer: so halving finds it, between
    what must leave anyway and what would have to leave were there no bonus.
    """
    step = terms.increment or 1
    low = -(-(terms.minimum or 1) // step)
    high = max(low, -(-_without_bonus(points_in, rates, terms) // step))
    if terms.block_bonus is None and terms.percent_bonus is None:
        return high * step
    while low < high:
        middle = (low + high) // 2
        if _figures(middle * step, rates, terms, at).points_in >= points_in:
            high = middle
        else:
            low = middle + 1
    return high * step


def _without_bonus(points_in: int, rates: ConversionRates, terms: RuleTerms) -> int:
    """The least points out whose base points are at least so many."""
    from_points, to_points = _ratio(rates, terms)
    after_fee = -(-points_in * from_points // to_points)
    return -(-after_fee * WHOLE // (WHOLE - terms.fee.points_share))


def _held(figures: Figures) -> Figures:
    """The same figures, if the books can hold them."""
    if max(figures.points_out, figures.points_in) > MAX_POINTS:
        raise AmountTooLarge
    if max(figures.fee, figures.sponsored) > MAX_BALANCE:
        raise AmountTooLarge
    return figures
