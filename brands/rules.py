"""Transfer rules: what a coalition lays down for points that move from one brand to another.

A rule is for an ordered pair of brands (a brand and itself, for gifts), for everybody or for
members of one household. It is published once and never changed; of the rules in force at an
instant, the one that began last is *the* rule. `brands.moving.rulebook` publishes them,
`brands.moving.conversions` reckons by them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID

WHOLE = 1_000_000
"""A share or percentage of everything, in millionths."""


class Period(StrEnum):
    """What a limit counts over: a calendar month or year of the brand's time zone."""

    MONTH = "MONTH"
    YEAR = "YEAR"


class Direction(StrEnum):
    """Which side of a transfer a limit counts."""

    OUT = "OUT"
    """What leaves the source membership, in its points and its brand's time zone."""
    IN = "IN"
    """What arrives at the destination membership, in its points and its brand's time zone."""


class LotExpiry(StrEnum):
    """When points that have arrived expire."""

    FRESH = "FRESH"
    """By the policy of the brand that they arrive at, as if newly earned."""
    KEEP_EARLIEST = "KEEP_EARLIEST"
    """With the earliest-expiring of the points that left."""


class Ratio(NamedTuple):
    """For `from_points` that leave, `to_points` arrive, in place of the rates."""

    from_points: int
    to_points: int


class BlockBonus(NamedTuple):
    """For every `every` points that leave, `bonus` more arrive."""

    every: int
    bonus: int


class BlockFee(NamedTuple):
    """`amount` micro-units for every `every` points that leave, or part of them."""

    every: int
    amount: int


class PercentBonus(NamedTuple):
    """`percent` (in millionths: 25 % is 250,000) of the base points more, within a window."""

    millionths: int
    begins: datetime | None = None
    ends: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether the bonus is given at an instant."""
        return (self.begins is None or self.begins <= at) and (self.ends is None or at < self.ends)


@dataclass(frozen=True, slots=True)
class Fee:
    """What a transfer costs: the sum of the parts in money, at most `cap`, and a share of points.

    Money is in micro-units of the settlement currency; `points_share` is in millionths of the
    points that leave (a tenth is 100,000), rounded up to whole points.
    """

    flat: int = 0
    per_point: int = 0
    per_block: BlockFee | None = None
    cap: int | None = None
    points_share: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """How much one member may transfer by the rule in a period: points, transfers, or both."""

    period: Period
    direction: Direction
    points: int | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """What a rule lays down; what it leaves out is as without a rule."""

    ratio: Ratio | None = None
    minimum: int | None = None
    maximum: int | None = None
    increment: int | None = None
    block_bonus: BlockBonus | None = None
    percent_bonus: PercentBonus | None = None
    fee: Fee = field(default_factory=Fee)
    limits: tuple[Limit, ...] = ()
    membership_age_days: int = 0
    """How long the membership that the points leave has existed, at least."""
    recipient_age_days: int = 0
    """The same of the membership that they arrive at."""
    arrives_after_seconds: int = 0
    """How long the points are on their way; until they arrive, the transfer can be cancelled."""
    lot_expiry: LotExpiry | None = None
    """Left out: KEEP_EARLIEST within one brand, FRESH between two."""
    sponsor: UUID | None = None
    """The brand that pays for what the rule gives beyond the rates; left out, the source's."""
    closed: bool = False
    """No transfers between these brands."""
    allow_cycle: bool = False
    """Let a cycle of transfers gain by this rule: its sponsor, who is named, pays for that."""


NO_RULE = RuleTerms()


class Pair(NamedTuple):
    """Between which brands a rule is, and for whom: everybody, or members of one household."""

    source_brand: UUID
    destination_brand: UUID
    household: bool = False


@dataclass(frozen=True, slots=True)
class TransferRule:
    """Terms for a pair, in force from `effective_from` until `effective_to`, if there is an end.

    A later rule for the pair supersedes it; where that one ends, this one goes on.
    """

    id: UUID
    pair: Pair
    terms: RuleTerms
    effective_from: datetime
    effective_to: datetime | None
    published_at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether the rule is in force at an instant, unless a later one is."""
        return self.effective_from <= at and (self.effective_to is None or at < self.effective_to)


def in_force(history: Sequence[TransferRule], at: datetime) -> TransferRule | None:
    """Of a pair's rules, in the order of `by_beginning`, the one in force at an instant."""
    for rule in reversed(history):
        if rule.holds(at):
            return rule
    return None


def instants_of(rule: TransferRule) -> tuple[datetime | None, ...]:
    """When a rule begins and ends, and its percentage bonus; None where there is no such time."""
    bonus = rule.terms.percent_bonus
    if bonus is None:
        return rule.effective_from, rule.effective_to
    return rule.effective_from, rule.effective_to, bonus.begins, bonus.ends


def is_to_change(rule: TransferRule, at: datetime) -> bool:
    """Whether anything about a rule begins or ends after an instant."""
    return any(instant is not None and instant > at for instant in instants_of(rule))


def by_beginning(rule: TransferRule) -> tuple[datetime, datetime]:
    """The order of a pair's rules: what begins later supersedes, then what is published later."""
    return rule.effective_from, rule.published_at


def best_parts(terms: RuleTerms, plain: tuple[int, int], at: datetime) -> tuple[int, int]:
    """`best_ratio` as numerator and denominator, not in lowest terms; `plain` likewise."""
    if terms.ratio is None:
        num, den = plain
    else:
        den, num = terms.ratio
    share = terms.fee.points_share
    if share:
        num *= WHOLE - share
        den *= WHOLE
    if terms.percent_bonus is not None and terms.percent_bonus.holds(at):
        num *= WHOLE + terms.percent_bonus.millionths
        den *= WHOLE
    block = terms.block_bonus
    if block is not None and (terms.maximum is None or terms.maximum >= block.every):
        num = num * block.every + block.bonus * den
        den *= block.every
    return num, den


def best_ratio(terms: RuleTerms, plain: Fraction, at: datetime) -> Fraction:
    """The most points that can arrive for one that leaves: block bonus and rounding at their best.

    `plain` is the ratio that the rates alone give (one, within a brand). Money fees are no points
    and do not count.
    """
    return Fraction(*best_parts(terms, plain.as_integer_ratio(), at))
