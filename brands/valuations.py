"""What one point of a brand is worth, from when on. `brands.publishing` publishes it."""

from dataclasses import astuple, dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from brands.errors import InvalidRate, RateNotPositive, RatesOutOfOrder
from brands.money import MAX_RATE, decimal_of, rate_of


@dataclass(frozen=True, slots=True)
class Rates:
    """The four rates of a valuation, in micro-units of the settlement currency per point.

    `redemption_rate` (v) is the value of a point; `issue_price` (p) what a sponsor pays when it is
    issued; `transfer_out_rate` (o) what it carries away when converted; `transfer_in_rate` (i)
    what it costs when converted into. Lawful or not at all: all are above zero, i >= v >= o and
    p >= v, so that no round trip of conversions gains. Raises `RateNotPositive`, `InvalidRate`,
    `RatesOutOfOrder`.
    """

    redemption_rate: int
    issue_price: int
    transfer_out_rate: int
    transfer_in_rate: int

    def __post_init__(self) -> None:
        v = ("redemptionRate", self.redemption_rate)
        p = ("issuePrice", self.issue_price)
        o = ("transferOutRate", self.transfer_out_rate)
        i = ("transferInRate", self.transfer_in_rate)
        for name, rate in (v, p, o, i):
            if rate <= 0:
                raise RateNotPositive(path=name, rate=str(decimal_of(rate)))
            if rate > MAX_RATE:
                raise InvalidRate(path=name, rate=str(decimal_of(rate)))
        for offender, higher, lower in ((p, p, v), (o, v, o), (i, i, v)):
            if higher[1] < lower[1]:
                raise RatesOutOfOrder(
                    path=offender[0],
                    higher=higher[0],
                    lower=lower[0],
                    higher_rate=str(decimal_of(higher[1])),
                    lower_rate=str(decimal_of(lower[1])),
                )


def dearer(one: Rates, other: Rates) -> Rates:
    """Of each rate the higher one: lawful, as both are."""
    return Rates(*map(max, astuple(one), astuple(other)))


@dataclass(frozen=True, slots=True)
class Valuation:
    """A brand's rates from `effective_from` until the next valuation's, if there is one."""

    brand_id: UUID
    rates: Rates
    effective_from: datetime
    effective_to: datetime | None


def rates_of(
    redemption_rate: Decimal,
    issue_price: Decimal | None = None,
    transfer_out_rate: Decimal | None = None,
    transfer_in_rate: Decimal | None = None,
) -> Rates:
    """Rates from decimals, in units of the currency per point; what is left out is v.

    Raises `InvalidRate`, `RateNotPositive`, `RateTooPrecise`, `RatesOutOfOrder`.
    """
    v = rate_of(redemption_rate, path="redemptionRate")

    def rate(value: Decimal | None, path: str) -> int:
        return v if value is None else rate_of(value, path=path)

    return Rates(
        redemption_rate=v,
        issue_price=rate(issue_price, "issuePrice"),
        transfer_out_rate=rate(transfer_out_rate, "transferOutRate"),
        transfer_in_rate=rate(transfer_in_rate, "transferInRate"),
    )
