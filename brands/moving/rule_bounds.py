"""What the terms of a transfer rule may be, whoever publishes it. Each refusal names the field."""

from dataclasses import replace
from datetime import datetime

from brands.errors import InvalidInput
from brands.money import MAX_POINTS, MAX_RATE, MICRO
from brands.rules import NO_RULE, WHOLE, Fee, Limit, PercentBonus, RuleTerms

MAX_FEE = 1_000_000 * MICRO
"""The highest flat fee, fee per block, or cap: a million units of the currency."""

MAX_PERCENT = 10 * WHOLE
"""The highest percentage bonus: ten times the base."""

MAX_LIMITS = 4
MAX_COUNT = 2**31 - 1
"""The highest limit on the number of transfers."""

MAX_AGE_DAYS = 36_500
MAX_DELAY_SECONDS = 31_536_000
"""A year of 365 days."""


def require_lawful(terms: RuleTerms, *, household: bool) -> None:
    """Raises `InvalidInput` unless these can be the terms of a rule.

    Paths are those of the API's input: `fee.perPoint`, `limits.0.points`.
    """
    if terms.closed and terms != replace(NO_RULE, closed=True):
        raise InvalidInput(path="closed", reason="A closed pair has no other terms.")
    if terms.allow_cycle and terms.sponsor is None:
        raise InvalidInput(path="allowCycle", reason="Such a rule names the brand that pays.")
    if household and terms.fee != NO_RULE.fee:
        raise InvalidInput(path="fee", reason="Within a household there is no fee.")
    if terms.ratio is not None:
        _whole(terms.ratio.from_points, "ratio.from", 1, MAX_POINTS)
        _whole(terms.ratio.to_points, "ratio.to", 1, MAX_POINTS)
    if terms.block_bonus is not None:
        _whole(terms.block_bonus.every, "blockBonus.every", 1, MAX_POINTS)
        _whole(terms.block_bonus.bonus, "blockBonus.bonus", 1, MAX_POINTS)
    if terms.percent_bonus is not None:
        _percent_bonus(terms.percent_bonus)
    _amounts(terms)
    _fee(terms.fee)
    _limits(terms.limits)
    _whole(terms.membership_age_days, "membershipAgeDays", 0, MAX_AGE_DAYS)
    _whole(terms.recipient_age_days, "recipientAgeDays", 0, MAX_AGE_DAYS)
    _whole(terms.arrives_after_seconds, "arrivesAfterSeconds", 0, MAX_DELAY_SECONDS)


def aware(instant: datetime | None, path: str) -> None:
    """Raises `InvalidInput` for a local time that does not say of where."""
    if instant is not None and instant.tzinfo is None:
        raise InvalidInput(path=path, reason="A time has an offset.")


def _whole(value: int | None, path: str, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise InvalidInput(path=path, reason=f"From {least} to {most}, not {value}.")


def _amounts(terms: RuleTerms) -> None:
    """How many points may leave at once: there must be some number that may."""
    for path in ("minimum", "maximum", "increment"):
        _whole(getattr(terms, path), path, 1, MAX_POINTS)
    least, most = terms.minimum or 1, terms.maximum or MAX_POINTS
    if most < least:
        raise InvalidInput(path="maximum", reason=f"At least the minimum, {least}.")
    step = terms.increment or 1
    if most // step * step < least:
        raise InvalidInput(
            path="increment", reason=f"No multiple of {step} is from {least} to {most}."
        )


def _percent_bonus(bonus: PercentBonus) -> None:
    if not 0 < bonus.millionths <= MAX_PERCENT:
        raise InvalidInput(path="percentBonus", reason="Above 0 % and at most 1000 %.")
    aware(bonus.begins, "percentBonusFrom")
    aware(bonus.ends, "percentBonusTo")
    if bonus.begins is not None and bonus.ends is not None and bonus.ends <= bonus.begins:
        raise InvalidInput(path="percentBonusTo", reason="It ends after it begins.")


def _fee(fee: Fee) -> None:
    _money(fee.flat, "fee.flat", MAX_FEE)
    _money(fee.per_point, "fee.perPoint", MAX_RATE)
    if fee.per_block is not None:
        _whole(fee.per_block.every, "fee.perBlock.every", 1, MAX_POINTS)
        _money(fee.per_block.amount, "fee.perBlock.amount", MAX_FEE)
    if fee.cap is not None:
        _money(fee.cap, "fee.cap", MAX_FEE)
        if not (fee.flat or fee.per_point or (fee.per_block and fee.per_block.amount)):
            raise InvalidInput(path="fee.cap", reason="There is no fee in money to be capped.")
    if not 0 <= fee.points_share < WHOLE:
        raise InvalidInput(path="fee.pointsShare", reason="From 0 % to below 100 %.")


def _money(micros: int, path: str, most: int) -> None:
    if not 0 <= micros <= most:
        raise InvalidInput(path=path, reason=f"From 0 to {most // MICRO}.")


def _limits(limits: tuple[Limit, ...]) -> None:
    if len(limits) > MAX_LIMITS:
        raise InvalidInput(path="limits", reason=f"At most {MAX_LIMITS}.")
    seen = set()
    for place, limit in enumerate(limits):
        path = f"limits.{place}"
        seen.add((limit.period, limit.direction))
        if len(seen) == place:
            raise InvalidInput(path=path, reason="One for each period and direction.")
        if limit.points is None and limit.count is None:
            raise InvalidInput(path=path, reason="It limits points, transfers, or both.")
        _whole(limit.points, f"{path}.points", 1, MAX_POINTS)
        _whole(limit.count, f"{path}.count", 1, MAX_COUNT)
