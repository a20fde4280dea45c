"""Terms that real programs have published, as rules: one line a transfer, ending in its figures.

Programs change their terms; each line says what these terms come to, not what they are today.
"""

from decimal import Decimal
from typing import NamedTuple

import pytest

from brands.money import decimal_of, rate_of
from brands.moving.figures import ConversionRates, for_points_in, for_points_out
from brands.rejections import (
    Rejection,
    TransferAboveMaximum,
    TransferBelowMinimum,
    TransferNotInIncrement,
)
from brands.rules import NO_RULE, BlockBonus, BlockFee, Fee, PercentBonus, Ratio, RuleTerms
from tests.brands.rates import AT, rated, within

PAR = rated(10_000, 10_000)
ONE_BRAND = within((8_000, 10_000, 12_500))
POINT_320_TO_500 = rated(8_000, 12_500)
POINT_45_TO_61 = rated(4_500, 6_100)


class Line(NamedTuple):
    """A program's terms, what leaves, and what that comes to; the fee in money."""

    program: str
    rates: ConversionRates
    terms: RuleTerms
    leave: int
    base: int
    bonus: int = 0
    fee: str = "0"
    fee_points: int = 0


def usd(amount: str) -> int:
    """Micro-units of an amount of money."""
    return rate_of(amount)


def by(
    from_points: int,
    to_points: int,
    step: int | None = None,
    least: int | None = None,
    block: BlockBonus | None = None,
) -> RuleTerms:
    """A ratio, the step and the minimum of what leaves, and a bonus for each block."""
    ratio = Ratio(from_points, to_points)
    return RuleTerms(ratio=ratio, minimum=least, increment=step, block_bonus=block)


def charged(fee: Fee, step: int | None = None, most: int | None = None) -> RuleTerms:
    """A point for a point, for a fee."""
    return RuleTerms(ratio=Ratio(1, 1), increment=step, minimum=step, maximum=most, fee=fee)


EXCISE = Fee(per_point=usd("0.0006"), cap=usd("99"))

MARRIOTT = by(3, 1, 3, 3_000, BlockBonus(60_000, 5_000))
MARRIOTT_UNITED = by(3, 1, 3, 3_000, BlockBonus(60_000, 10_000))
HYATT = by(5, 2, 1_250, 5_000, BlockBonus(50_000, 5_000))
AMEX = charged(EXCISE, 1_000)
AMEX_JETBLUE = RuleTerms(ratio=Ratio(250, 200), minimum=250, increment=250, fee=EXCISE)
PLUS_30 = RuleTerms(increment=1_000, percent_bonus=PercentBonus(300_000), fee=EXCISE)
PLUS_25 = RuleTerms(ratio=Ratio(2, 1), percent_bonus=PercentBonus(250_000))
AMERICAN = charged(Fee(usd("15"), per_block=BlockFee(1_000, usd("12.50"))), 1_000)
DELTA = charged(Fee(flat=usd("30"), per_point=usd("0.01")), 1_000, 30_000)
UNITED = charged(Fee(usd("30"), per_block=BlockFee(500, usd("7.50"))), 500)
SOUTHWEST = charged(Fee(per_block=BlockFee(500, usd("5"))), 500, 60_000)
IHG_GIFT = charged(Fee(per_block=BlockFee(1_000, usd("5"))), 1_000)
TENTH_KEPT = charged(Fee(points_share=100_000))

LINES = [
    Line("no rule, 0.0080 to 0.0125", POINT_320_TO_500, NO_RULE, 1_000, 640),
    Line("no rule, 0.0045 to 0.0061", POINT_45_TO_61, NO_RULE, 1_000, 737),
    Line("Marriott Bonvoy to airlines", PAR, MARRIOTT, 60_000, 20_000, 5_000),
    Line("Marriott Bonvoy, two blocks", PAR, MARRIOTT, 120_003, 40_001, 10_000),
    Line("Marriott Bonvoy, below a block", PAR, MARRIOTT, 59_997, 19_999),
    Line("Marriott Bonvoy, a day's most", PAR, MARRIOTT, 240_000, 80_000, 20_000),
    Line("Marriott Bonvoy to United", PAR, MARRIOTT_UNITED, 60_000, 20_000, 10_000),
    Line("Marriott Bonvoy to Air New Zealand", PAR, by(200, 1, 200, 3_000), 60_000, 300),
    Line("World of Hyatt to airlines", PAR, HYATT, 50_000, 20_000, 5_000),
    Line("World of Hyatt, a step more", PAR, HYATT, 51_250, 20_500, 5_000),
    Line("World of Hyatt, the least", PAR, HYATT, 5_000, 2_000),
    Line("Hilton Honors to airlines", PAR, by(10, 1, 10_000), 10_000, 1_000),
    Line("IHG One Rewards to airlines", PAR, by(5, 1, 10_000), 10_000, 2_000),
    Line("Wyndham Rewards to airlines", PAR, by(5, 1, 6_000), 6_000, 1_200),
    Line("Choice Privileges to airlines", PAR, by(5, 1, 5_000), 5_000, 1_000),
    Line("Best Western Rewards to airlines", PAR, by(5, 1, 5_000), 10_000, 2_000),
    Line("Radisson Rewards to airlines", PAR, by(10, 1), 50_000, 5_000),
    Line("ALL Accor to airlines", PAR, by(2, 1, 4_000), 4_000, 2_000),
    Line("ALL Accor, a quarter more", PAR, PLUS_25, 4_000, 2_000, 500),
    Line("Amex Membership Rewards to airlines", PAR, AMEX, 1_000, 1_000, fee="0.6"),
    Line("Amex, the excise fee", PAR, AMEX, 100_000, 100_000, fee="60"),
    Line("Amex, the excise fee at its cap", PAR, AMEX, 165_000, 165_000, fee="99"),
    Line("Amex, the excise fee beyond", PAR, AMEX, 200_000, 200_000, fee="99"),
    Line("Amex to Hilton", PAR, by(1, 2, 1_000), 10_000, 20_000),
    Line("Amex to JetBlue", PAR, AMEX_JETBLUE, 10_000, 8_000, fee="6"),
    Line("Amex to JetBlue, the least", PAR, AMEX_JETBLUE, 250, 200, fee="0.15"),
    Line("Amex to Aeromexico", PAR, by(1_000, 1_600, 1_000), 5_000, 8_000),
    Line("Amex to Virgin, 30 % more", PAR, PLUS_30, 50_000, 50_000, 15_000, fee="30"),
    Line("Amex Canada to Marriott", PAR, by(5, 6), 10_000, 12_000),
    Line("Chase Ultimate Rewards", PAR, by(1, 1, 1_000), 50_000, 50_000),
    Line("Citi ThankYou to Choice", PAR, by(1, 2, 1_000), 1_000, 2_000),
    Line("Citi ThankYou to Accor", PAR, by(2, 1, 1_000), 5_000, 2_500),
    Line("Citi ThankYou to Leaders Club", PAR, by(5, 1, 1_000), 10_000, 2_000),
    Line("Capital One to Accor", PAR, by(2, 1, 1_000), 10_000, 5_000),
    Line("Capital One to EVA", PAR, by(1_000, 750), 3_000, 2_250),
    Line("Bilt Rewards to Accor", PAR, by(3, 2), 3_000, 2_000),
    Line("Nectar to Avios", PAR, by(400, 250, 400), 1_200, 750),
    Line("Avios to Nectar", PAR, by(250, 400, 250), 750, 1_200),
    Line("Avios between airlines", PAR, by(1, 1), 12_345, 12_345),
    Line("KrisFlyer to Velocity", PAR, by(31, 20, None, 5_000), 15_500, 10_000),
    Line("KrisFlyer to Velocity, rounded", PAR, by(31, 20, None, 5_000), 5_000, 3_225),
    Line("American AAdvantage, to another", ONE_BRAND, AMERICAN, 10_000, 10_000, fee="140"),
    Line("American AAdvantage, the least", ONE_BRAND, AMERICAN, 1_000, 1_000, fee="27.5"),
    Line("Delta SkyMiles, to another", ONE_BRAND, DELTA, 30_000, 30_000, fee="330"),
    Line("Delta SkyMiles, the least", ONE_BRAND, DELTA, 1_000, 1_000, fee="40"),
    Line("United MileagePlus, to another", ONE_BRAND, UNITED, 10_000, 10_000, fee="180"),
    Line("Southwest, to another", ONE_BRAND, SOUTHWEST, 10_000, 10_000, fee="100"),
    Line("IHG One Rewards, to another", ONE_BRAND, IHG_GIFT, 10_000, 10_000, fee="50"),
    Line("Aeroplan, family sharing", ONE_BRAND, NO_RULE, 33_333, 33_333),
    Line("a tenth of the points kept", ONE_BRAND, TENTH_KEPT, 10_001, 9_000, fee_points=1_001),
]


@pytest.mark.parametrize("line", LINES, ids=[line.program for line in LINES])
def test_published_terms_come_to_their_published_figures(line: Line) -> None:
    """What leaves brings base, bonus and fee as published; and asking for what arrived costs no
    more than that."""
    figures = for_points_out(line.leave, line.rates, line.terms, AT)
    assert (figures.points_out, figures.points_in) == (line.leave, line.base + line.bonus)
    assert (figures.base_points, figures.bonus_points) == (line.base, line.bonus)
    assert (decimal_of(figures.fee), figures.fee_points) == (Decimal(line.fee), line.fee_points)
    asked = for_points_in(figures.points_in, line.rates, line.terms, AT)
    assert asked.points_in >= figures.points_in
    assert asked.points_out <= line.leave


class Refused(NamedTuple):
    """A program's terms, what may not leave, and why."""

    program: str
    terms: RuleTerms
    leave: int
    refusal: Rejection


def off_step(increment: int, below: int | None, above: int | None) -> TransferNotInIncrement:
    """The refusal of what is no multiple of the step."""
    return TransferNotInIncrement(increment=increment, nearest_below=below, nearest_above=above)


REFUSED = [
    Refused("Marriott Bonvoy, too few", MARRIOTT, 2_997, TransferBelowMinimum(minimum=3_000)),
    Refused("Marriott Bonvoy, off its step", MARRIOTT, 60_001, off_step(3, 60_000, 60_003)),
    Refused("World of Hyatt, off its step", HYATT, 6_000, off_step(1_250, 5_000, 6_250)),
    Refused("Chase, off its step", by(1, 1, 1_000), 1_500, off_step(1_000, 1_000, 2_000)),
    Refused("Chase, below its step", by(1, 1, 1_000), 999, off_step(1_000, None, 1_000)),
    Refused("Amex to JetBlue, too few", AMEX_JETBLUE, 100, TransferBelowMinimum(minimum=250)),
    Refused("Delta, too many", DELTA, 31_000, TransferAboveMaximum(maximum=30_000)),
    Refused("Delta, off its step", DELTA, 29_500, off_step(1_000, 29_000, 30_000)),
]


@pytest.mark.parametrize("case", REFUSED, ids=[case.program for case in REFUSED])
def test_what_published_terms_do_not_allow_is_refused(case: Refused) -> None:
    """The refusal tells the program's own figures."""
    with pytest.raises(type(case.refusal)) as refused:
        for_points_out(case.leave, PAR, case.terms, AT)
    assert refused.value == case.refusal
