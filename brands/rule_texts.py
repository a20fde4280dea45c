"""The terms of a transfer rule as text: so the table of rules keeps them."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from brands.ids import compiled
from brands.rules import (
    NO_RULE,
    BlockBonus,
    BlockFee,
    Direction,
    Fee,
    Limit,
    LotExpiry,
    PercentBonus,
    Period,
    Ratio,
    RuleTerms,
)


def rule_terms_to_text(terms: RuleTerms) -> str:
    """Terms as they are stored: JSON of what they lay down, without what they leave out."""
    laid_down = {
        name: value for name in _FIELDS if (value := getattr(terms, name)) != getattr(NO_RULE, name)
    }
    return orjson.dumps(laid_down, default=_plain).decode()


@lru_cache(maxsize=4_096)
def rule_terms_from_text(text: str) -> RuleTerms:
    """The terms that `rule_terms_to_text` wrote. Many rules say the same, and share the object."""
    said: dict[str, Any] = orjson.loads(text)
    return RuleTerms(**{name: _READERS.get(name, _as_it_is)(said[name]) for name in said})


def _plain(value: Any) -> Any:
    # What orjson leaves to us: tuples whose places have names, and compiled ids.
    return list(value) if isinstance(value, tuple) else str(value)


def _as_it_is(said: Any) -> Any:
    return said


def _percent_bonus(said: list[Any]) -> PercentBonus:
    millionths, begins, ends = said
    return PercentBonus(millionths, _instant(begins), _instant(ends))


def _instant(said: str | None) -> datetime | None:
    return None if said is None else datetime.fromisoformat(said).astimezone(UTC)


def _fee(said: dict[str, Any]) -> Fee:
    block = said["per_block"]
    return Fee(**{**said, "per_block": None if block is None else BlockFee(*block)})


def _limit(said: dict[str, Any]) -> Limit:
    return Limit(
        Period(said["period"]), Direction(said["direction"]), said["points"], said["count"]
    )


_FIELDS: Final = tuple(field.name for field in fields(RuleTerms))

_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "ratio": lambda said: Ratio(*said),
    "block_bonus": lambda said: BlockBonus(*said),
    "percent_bonus": _percent_bonus,
    "fee": _fee,
    "limits": lambda said: tuple(_limit(limit) for limit in said),
    "lot_expiry": LotExpiry,
    "sponsor": compiled,
}
