"""The four rates: which are lawful, and what is said of those that are not."""

from decimal import Decimal

import pytest

from brands.errors import (
    DomainError,
    InvalidRate,
    RateNotPositive,
    RatesOutOfOrder,
    RateTooPrecise,
)
from brands.valuations import Rates, rates_of


def decimals(v: str, *others: str | None) -> Rates:
    """The rates of these decimals, the redemption rate first."""
    return rates_of(Decimal(v), *(None if rate is None else Decimal(rate) for rate in others))


def test_what_is_left_out_is_the_value_of_a_point() -> None:
    """Issue price, transfer-out rate and transfer-in rate default to the redemption rate."""
    assert rates_of(Decimal("0.0045")) == Rates(4_500, 4_500, 4_500, 4_500)


@pytest.mark.parametrize(
    ("v", "p", "o", "i"),
    [
        ("0.01", "0.012", "0.008", "0.0125"),
        ("0.000001", None, None, None),
        ("1000", None, None, None),
        ("0.01", "0.01", "0.01", "0.01"),
        ("0.010000000", None, "0.000001", "1000"),
    ],
)
def test_lawful_rates(v: str, p: str | None, o: str | None, i: str | None) -> None:
    """Rates with transfer-in >= value >= transfer-out > 0 and issue price >= value are lawful."""
    rates = decimals(v, p, o, i)
    assert rates.redemption_rate == Decimal(v) * 1_000_000


@pytest.mark.parametrize(
    ("v", "p", "o", "i", "error", "path"),
    [
        ("0", None, None, None, RateNotPositive, "redemptionRate"),
        ("-0.01", None, None, None, RateNotPositive, "redemptionRate"),
        ("0.01", None, "0", None, RateNotPositive, "transferOutRate"),
        ("0.01", "-1", None, None, RateNotPositive, "issuePrice"),
        ("0.0000001", None, None, None, RateTooPrecise, "redemptionRate"),
        ("0.01", None, None, "0.0100001", RateTooPrecise, "transferInRate"),
        ("1000.000001", None, None, None, InvalidRate, "redemptionRate"),
        ("NaN", None, None, None, InvalidRate, "redemptionRate"),
        ("Infinity", None, None, None, InvalidRate, "redemptionRate"),
        ("0.01", "0.009999", None, None, RatesOutOfOrder, "issuePrice"),
        ("0.01", None, "0.010001", None, RatesOutOfOrder, "transferOutRate"),
        ("0.01", None, None, "0.009999", RatesOutOfOrder, "transferInRate"),
    ],
)
def test_unlawful_rates(
    v: str, p: str | None, o: str | None, i: str | None, error: type[DomainError], path: str
) -> None:
    """A rate that is not positive, finite, of six decimals and in order is refused by name."""
    with pytest.raises(error) as refused:
        decimals(v, p, o, i)
    assert refused.value.path == path


def test_rates_out_of_order_say_which() -> None:
    """The error names both rates and both figures, in units of the currency."""
    with pytest.raises(RatesOutOfOrder) as refused:
        Rates(10_000, 10_000, 10_001, 10_000)
    assert refused.value.message == (
        "redemptionRate must not be below transferOutRate, but 0.01 is below 0.010001."
    )


@pytest.mark.parametrize("figures", [(0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (-1, 1, 1, 1)])
def test_no_unlawful_rates_exist(figures: tuple[int, int, int, int]) -> None:
    """Rates that break the law cannot be made, from whatever figures."""
    with pytest.raises(DomainError):
        Rates(*figures)
