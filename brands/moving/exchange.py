"""The rate of exchange: what points of one brand become at another, by rule or by rates."""

from dataclasses import dataclass
from datetime import datetime

from brands.clock import now
from brands.coalition import Coalition
from brands.errors import SameBrand
from brands.money import Money
from brands.moving.figures import exact_ratio
from brands.moving.routes import rates_between
from brands.rules import NO_RULE, Pair, TransferRule


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """So many points out become so many in, exactly; each side's worth where it is redeemed.

    Bonuses and fees aside: they are the rule's. Where that is closed, the figures are the rates'.
    """

    points_out: int
    points_in: int
    value_out: Money
    value_in: Money
    rule: TransferRule | None


def exchange_rate(
    coalition: Coalition, from_code: str, to_code: str, at: datetime | None = None
) -> ExchangeRate:
    """What points of one brand become at another, by what is in force at an instant, or now.

    Raises `BrandNotFound` and `SameBrand`.
    """
    at = at or now()
    snapshot = coalition.registry.snapshot
    source = snapshot.brand(from_code, path="from")
    destination = snapshot.brand(to_code, path="to")
    if source.id == destination.id:
        raise SameBrand(path="to", brand=to_code)
    rule = snapshot.rule(Pair(source.id, destination.id), at)
    rates = rates_between(snapshot, source.id, destination.id, at)
    ratio = exact_ratio(rates, NO_RULE if rule is None else rule.terms)
    return ExchangeRate(
        ratio.points_out,
        ratio.points_in,
        Money(ratio.value_out, coalition.currency),
        Money(ratio.value_in, coalition.currency),
        rule,
    )
