"""The terms of a transfer: its figures, and every rate and rule that they come from.

They are kept with a quote and with a transfer, word for word, and never reckoned again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.ledger.commands import Cap
from brands.money import Money
from brands.moving.figures import ConversionRates, Figures
from brands.moving.limits import caps_of
from brands.registry import Snapshot
from brands.rules import NO_RULE, LotExpiry, RuleTerms, TransferRule


@dataclass(frozen=True, slots=True)
class Terms:
    """A transfer's two memberships, its figures, and the rule and rates behind them."""

    source: UUID
    destination: UUID
    figures: Figures
    rates: ConversionRates
    currency: str
    rule: TransferRule | None = None
    is_gift: bool = False
    """Whether the points go to another member."""

    @property
    def points_out(self) -> int:
        """Points that leave the source, those kept as a fee among them."""
        return self.figures.points_out

    @property
    def points_in(self) -> int:
        """Points that arrive at the destination."""
        return self.figures.points_in

    @property
    def base_points(self) -> int:
        """Points that arrive by the ratio alone."""
        return self.figures.base_points

    @property
    def bonus_points(self) -> int:
        """Points that arrive beyond the ratio."""
        return self.figures.bonus_points

    @property
    def fee_points(self) -> int:
        """Of the points that leave, those kept as a fee."""
        return self.figures.fee_points

    @property
    def fee(self) -> Money | None:
        """What the transfer costs in money, or None if nothing."""
        return Money(self.figures.fee, self.currency) if self.figures.fee else None

    @property
    def effective_rate(self) -> Decimal:
        """Points that arrive for one that leaves, to twelve significant digits."""
        return self.figures.effective_rate

    @property
    def laid_down(self) -> RuleTerms:
        """What the rule lays down."""
        return NO_RULE if self.rule is None else self.rule.terms

    @property
    def sponsor(self) -> UUID:
        """The brand that pays for what arrives beyond the rates."""
        return self.laid_down.sponsor or self.rates.source_brand

    @property
    def keeps_expiry(self) -> bool:
        """Whether the arriving points expire with the earliest of those that left.

        Where no rule says so, that is so within one brand: giving points away and getting them
        back must not make them last longer.
        """
        within = self.rates.source_brand == self.rates.destination_brand
        default = LotExpiry.KEEP_EARLIEST if within else LotExpiry.FRESH
        return (self.laid_down.lot_expiry or default) is LotExpiry.KEEP_EARLIEST

    @property
    def columns(self) -> tuple[int, int, int, int, int]:
        """Points out, in, base and bonus, and the fee: what has columns of its own."""
        points_out, points_in, base, bonus, fee, *_ = self.figures
        return points_out, points_in, base, bonus, fee


def caps_of_terms(snapshot: Snapshot, terms: Terms, at: datetime) -> tuple[Cap, ...]:
    """What a transfer uses of its rule's limits at an instant."""
    rule = terms.rule
    if rule is None or not rule.terms.limits:
        return ()
    return caps_of(
        rule.pair,
        rule.terms,
        terms.source,
        terms.destination,
        terms.figures,
        at,
        snapshot,
    )


async def learn_rules(coalition: Coalition, rows: Iterable[Row]) -> None:
    """Lets the registry learn of rules that rows of quotes or of transfers go by, if it knows one
    of them not: it may have been published, and used elsewhere, since the request began."""
    known = coalition.registry.snapshot
    rules = {_from_text(row["terms"]).rule for row in rows}
    if any(known.rule_by_id(rule) is None for rule in rules if rule is not None):
        await coalition.registry.refresh()


def terms_of_row(row: Row, coalition: Coalition) -> Terms:
    """The terms that a row of quotes or of transfers holds."""
    kept = _from_text(row["terms"])
    figures = Figures(
        row["points_out"],
        row["points_in"],
        row["base_points"],
        row["bonus_points"],
        row["fee"],
        kept.fee_points,
        kept.sponsored,
    )
    rule = None
    if kept.rule is not None:
        rule = coalition.registry.snapshot.rule_by_id(kept.rule)
        assert rule is not None, "whoever reads rows has the registry learn their rules first"
    return Terms(
        as_uuid(row["source_id"]),
        as_uuid(row["destination_id"]),
        figures,
        kept.rates,
        coalition.currency,
        rule,
        kept.is_gift,
    )


def terms_as_text(terms: Terms) -> str:
    """What has no columns, as JSON, to be kept with the quote or transfer."""
    rule = None if terms.rule is None else terms.rule.id
    figures = terms.figures
    return _as_text(_Kept(terms.rates, rule, terms.is_gift, figures.fee_points, figures.sponsored))


class _Kept(NamedTuple):
    rates: ConversionRates
    rule: UUID | None = None
    is_gift: bool = False
    fee_points: int = 0
    sponsored: int = 0


@lru_cache(maxsize=1_024)
def _as_text(kept: _Kept) -> str:
    _, *rest = kept._asdict().items()
    fields = kept.rates._asdict() | {name: value for name, value in rest if value}
    return orjson.dumps(fields, default=str).decode()


@lru_cache(maxsize=1_024)
def _from_text(text: str) -> _Kept:
    fields: dict[str, Any] = orjson.loads(text)
    rates = {name: fields.pop(name) for name in ConversionRates._fields}
    brands = {name: as_uuid(rates[name]) for name in ("source_brand", "destination_brand")}
    if "rule" in fields:
        fields["rule"] = as_uuid(fields["rule"])
    return _Kept(ConversionRates(**rates | brands), **fields)
