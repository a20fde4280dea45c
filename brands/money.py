"""Points, money and rates as whole numbers, and the one rounding rule.

Points are integers. Money inside the books is an integer count of micro-units (0.000001 of the
settlement currency); a rate is micro-units per point. So points x rate is always whole and nothing
in the books is ever rounded. Money is rounded only for a statement: half even, to the currency's
minor unit. No float touches any of it.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction

from brands.errors import (
    InvalidInput,
    InvalidRate,
    PointsNotPositive,
    PointsOutOfRange,
    RateNotPositive,
    RateTooPrecise,
)

MICRO = 1_000_000
"""Micro-units in one unit of a currency."""

MAX_POINTS = 2**53 - 1
"""The largest number of points in one operation: what every JSON client can represent."""

MAX_BALANCE = 2**63 - 1
"""The largest absolute balance, in points or micro-units: what a database integer holds."""

MAX_RATE = 1_000 * MICRO
"""The highest rate: a thousand units of the currency for one point."""

RATE_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency."""

    micros: int
    currency: str

    @property
    def amount(self) -> Decimal:
        """The amount in units of the currency, exact, with no needless zeros."""
        return decimal_of(self.micros)


def decimal_of(micros: int) -> Decimal:
    """Micro-units as an exact decimal: 4500 is 0.0045."""
    whole, part = divmod(abs(micros), MICRO)
    text = f"{whole}.{part:06d}".rstrip("0").rstrip(".")
    return Decimal(f"-{text}" if micros < 0 else text)


def rate_of(value: Decimal | str | int, *, path: str = "rate") -> int:
    """A rate in micro-units per point.

    Raises `InvalidRate` (no finite number, or above 1000), `RateNotPositive`, `RateTooPrecise`
    (more than six decimals).
    """
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise InvalidRate(path=path, rate=str(value)) from None
    if not number.is_finite():
        raise InvalidRate(path=path, rate=str(value))
    if number <= 0:
        raise RateNotPositive(path=path, rate=str(value))
    if number > MAX_RATE // MICRO:
        raise InvalidRate(path=path, rate=str(value))
    micros = Fraction(number) * MICRO
    if micros.denominator != 1:
        raise RateTooPrecise(path=path, rate=str(value), decimals=RATE_DECIMALS)
    return int(micros)


def scaled(value: Decimal, decimals: int, *, path: str) -> int:
    """A number that is not negative as a whole count of its last decimals: at six, an amount in
    micro-units, or a fraction in millionths; at four, a percentage in millionths.

    Raises `InvalidInput` for a number with more decimals, below zero, or above 2^53-1 of them.
    """
    if not value.is_finite() or value < 0 or value > MAX_POINTS // 10**decimals:
        most = f"{MAX_POINTS // 10**decimals:,}"
        raise InvalidInput(path=path, reason=f"A number between 0 and {most}.")
    count = Fraction(value) * 10**decimals
    if count.denominator != 1:
        raise InvalidInput(path=path, reason=f"At most {decimals} decimals.")
    return int(count)


def positive_points(points: int, *, path: str = "points") -> int:
    """The points of one operation: 1 to 2^53-1. Raises `PointsNotPositive`, `PointsOutOfRange`."""
    if points <= 0:
        raise PointsNotPositive(path=path, points=points)
    if points > MAX_POINTS:
        raise PointsOutOfRange(path=path, maximum=MAX_POINTS)
    return points


def to_minor_unit(micros: int, minor_digits: int) -> tuple[int, int]:
    """Micro-units as a count of minor units, rounded half even, and the remainder in micro-units.

    `minor_digits` is ISO 4217's exponent: 2 for cents, 0 for yen.
    """
    unit = 10 ** (6 - minor_digits)
    minor = int((Decimal(micros) / unit).to_integral_value(rounding=ROUND_HALF_EVEN))
    return minor, micros - minor * unit
