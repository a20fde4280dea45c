"""Transfer rules in words: as the file that would publish them, and as what changes in them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from brands.money import decimal_of
from brands.registry import Snapshot
from brands.rules import Fee, Limit, Pair, RuleTerms, TransferRule

Fields = Mapping[str, Any]
"""What a rule lays down, by the names of the file; what is left out is as without a rule."""


def way_of(pair: Pair, snapshot: Snapshot) -> str:
    """A pair in words: `STAY -> AERO`."""
    source, destination = (snapshot.brand_by_id(id).code for id in pair[:2])
    return f"{source} -> {destination}" + (" (household)" if pair.household else "")


def file_of(rules: Sequence[TransferRule], snapshot: Snapshot) -> str:
    """The file that holds these rules. Applied while they are in force, it changes nothing.

    It does not say when they began: a rule that is changed begins when the file is applied.
    """
    return "\n".join("\n".join(_table(rule, snapshot)) + "\n" for rule in rules)


def _table(rule: TransferRule, snapshot: Snapshot) -> Iterator[str]:
    source, destination = (snapshot.brand_by_id(id).code for id in rule.pair[:2])
    yield f"[[rule]]  # since {_instant(rule.effective_from)}"
    fields = {"from": source, "to": destination, **fields_of(rule, snapshot)}
    for name, value in fields.items():
        yield f"{name} = {_toml(value)}"


def fields_of(rule: TransferRule, snapshot: Snapshot) -> Fields:
    """What a rule lays down, but not between whom, nor from when on."""
    terms = rule.terms
    fields = {
        "household": rule.pair.household,
        **_numbers(terms),
        "fee": _fee(terms.fee),
        "limits": [_limit(limit) for limit in terms.limits],
        "membership_age_days": terms.membership_age_days,
        "recipient_age_days": terms.recipient_age_days,
        "arrives_after_seconds": terms.arrives_after_seconds,
        "lot_expiry": terms.lot_expiry and terms.lot_expiry.value,
        "sponsor": terms.sponsor and snapshot.brand_by_id(terms.sponsor).code,
        "closed": terms.closed,
        "allow_cycle": terms.allow_cycle,
        "effective_to": rule.effective_to,
    }
    return {name: value for name, value in fields.items() if value}


def _numbers(terms: RuleTerms) -> Fields:
    percent, block = terms.percent_bonus, terms.block_bonus
    return {
        "ratio": terms.ratio and f"{terms.ratio.from_points}:{terms.ratio.to_points}",
        "minimum": terms.minimum,
        "maximum": terms.maximum,
        "increment": terms.increment,
        "block_bonus": block and {"every": block.every, "bonus": block.bonus},
        "percent_bonus": percent and decimal_of(percent.millionths * 100),
        "percent_bonus_from": percent and percent.begins,
        "percent_bonus_to": percent and percent.ends,
    }


def _fee(fee: Fee) -> Fields:
    block = fee.per_block
    parts = {
        "flat": decimal_of(fee.flat),
        "per_point": decimal_of(fee.per_point),
        "per_block": block and {"every": block.every, "amount": decimal_of(block.amount)},
        "cap": None if fee.cap is None else decimal_of(fee.cap),
        "points_share": decimal_of(fee.points_share),
    }
    return {name: part for name, part in parts.items() if part or (name == "cap" and part == 0)}


def _limit(limit: Limit) -> Fields:
    parts = {"points": limit.points, "count": limit.count}
    return {
        "period": limit.period.value,
        "direction": limit.direction.value,
        **{name: part for name, part in parts.items() if part is not None},
    }


def _toml(value: Any) -> str:
    """A value as TOML has it. The texts are codes, words and ratios: none needs escaping."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case datetime():
            return _instant(value)
        case list():
            return "[" + ", ".join(_toml(each) for each in value) + "]"
        case Mapping():
            parts = ", ".join(f"{name} = {_toml(part)}" for name, part in value.items())
            return f"{{{parts}}}"
    return f'"{value}"'


def _instant(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def terms_shown(fields: Fields) -> Iterator[str]:
    """What a rule lays down, line by line: `minimum: 3,000`."""
    for name, value in _lines(fields):
        yield f"{name}: {value}"


def differences(old: Fields, new: Fields) -> Iterator[str]:
    """What is otherwise in a rule than in the one before it: `minimum: 1,000 -> 3,000`."""
    before, after = dict(_lines(old)), dict(_lines(new))
    for name in [*after, *(name for name in before if name not in after)]:
        was, will = before.get(name, "none"), after.get(name, "none")
        if was != will:
            yield f"{name}: {was} -> {will}"


def _lines(fields: Fields, path: str = "") -> Iterator[tuple[str, str]]:
    """The fields one by one, those of a fee by their own names: `fee.cap`."""
    for name, value in fields.items():
        if name == "fee":
            yield from _lines(value, "fee.")
        elif name != "household":  # that is told with the pair
            yield f"{path}{name}", _shown(value)


def _shown(value: Any) -> str:
    match value:
        case bool():
            return "yes"
        case int() | Decimal():
            return f"{value:,}"
        case datetime():
            return _instant(value)
        case list():
            return "; ".join(_shown_limit(each) for each in value)
        case Mapping():  # of two parts: so much for every so many
            every, amount = value.values()
            return f"{_shown(amount)} per {_shown(every)}"
    return str(value)


def _shown_limit(limit: Fields) -> str:
    """A limit in words: `20,000 points in 2 transfers OUT a MONTH`."""
    counted = (("points", "point"), ("count", "transfer"))
    most = [
        f"{limit[name]:,} {what}" + ("" if limit[name] == 1 else "s")
        for name, what in counted
        if name in limit
    ]
    return f"{' in '.join(most)} {limit['direction']} a {limit['period']}"
