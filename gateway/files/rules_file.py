"""The file of transfer rules that `coalition rules apply` reads: TOML, one `[[rule]]` a rule.

The form is told in `docs/rules.md`. A rule of a file has the fields of the API's
`TransferRulePublishInput`, by their names in snake case, and becomes one: so what can be said
there can be said here, and what is checked there is checked here.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple, cast, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from brands.errors import DomainError, TransferCycleGains
from brands.money import MAX_POINTS
from brands.moving.rule_bounds import require_lawful
from brands.moving.rulebook import NewRule
from brands.registry import Brand, Snapshot
from brands.rules import Pair
from schema.rule_inputs import TransferRatioInput, TransferRulePublishInput
from schema.scalars import Points

MAX_INTEGER = 2**31 - 1
"""The largest number that is no points: GraphQL's Int."""

_BRANDS = ("from", "to", "sponsor")
"""The fields that name a brand."""

_RATIO = re.compile(r"([0-9]{1,16}):([0-9]{1,16})", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?", re.ASCII)
_HEADING = re.compile(r"\s*\[\[\s*(rule|\"rule\"|'rule')\s*\]\]")


class Place(NamedTuple):
    """Where a rule is in its file: the first is number 1; the line is None where it is unclear."""

    number: int
    line: int | None

    def __str__(self) -> str:
        return f"rule {self.number}" + (f" (line {self.line})" if self.line else "")


@dataclass(frozen=True, slots=True)
class FileRule:
    """A rule of a file, and where it is."""

    place: Place
    pair: Pair
    rule: NewRule


class BadRules(Exception):
    """A file that is no file of rules; `problems` are all that was found wrong, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems[0])
        self.problems = tuple(problems)


class _BadValue(Exception):
    """A value that is not what its field takes; the text says what would be."""


def read_rules(content: bytes, snapshot: Snapshot) -> list[FileRule]:
    """The rules of a file, in its order. Raises `BadRules` with everything that is wrong.

    Days and times without an offset are in the time zone of the brand that the points leave.
    """
    text, tables = _tables(content)
    lines = [n for n, line in enumerate(text.splitlines(), 1) if _HEADING.match(line)]
    known = len(lines) == len(tables)
    problems: list[str] = []
    rules = []
    for number, table in enumerate(tables, 1):
        place = Place(number, lines[number - 1] if known else None)
        reading = _Reading(place, snapshot, problems)
        read = reading.rule(table)
        if read is not None:
            rules.append(read)
    problems += _repeated(rules)
    if problems:
        raise BadRules(problems)
    return rules


def problem_of(error: DomainError, rules: Sequence[FileRule]) -> str:
    """A refusal of some of the rules in the words of their file: which one, which field, why.

    The path begins with the rule's index, unless there is but one. A cycle that gains is the fault
    of all the rules on it.
    """
    if isinstance(error, TransferCycleGains):
        ways = set(pairwise(error.cycle))
        on_it = [it.place for it in rules if (it.rule.source, it.rule.destination) in ways]
        may = "Only a rule that names its sponsor may do so, with allow_cycle = true."
        return ": ".join(filter(None, (", ".join(map(str, on_it)), f"{error.message} {may}")))
    head, _, rest = (error.path or "").partition(".")
    if head.isdecimal() and int(head) < len(rules):
        return _problem(rules[int(head)].place, _field_at(rest), error.message)
    if len(rules) == 1:
        return _problem(rules[0].place, _field_at(error.path or ""), error.message)
    return error.message


def _field_at(path: str) -> str:
    """A path of the contract in the names of a file, whose lists are counted from 1."""
    parts = [str(int(part) + 1) if part.isdecimal() else part for part in path.split(".")]
    return re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", ".".join(parts))


def _problem(place: Place, field: str, reason: str) -> str:
    return f"{place}, {field}: {reason}" if field else f"{place}: {reason}"


def _tables(content: bytes) -> tuple[str, list[Mapping[str, Any]]]:
    """The text of a file, and its `[[rule]]` tables."""
    try:
        text = content.decode("utf-8-sig")
        document = tomllib.loads(text, parse_float=Decimal)
    except UnicodeDecodeError as error:
        raise BadRules([f"not UTF-8 at byte {error.start + 1}"]) from None
    except (tomllib.TOMLDecodeError, ArithmeticError, RecursionError, ValueError) as error:
        raise BadRules([f"not TOML: {' '.join(str(error).split())}"]) from None
    problems = [f"{name}: there is nothing but [[rule]]" for name in document if name != "rule"]
    tables = document.get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        problems.append("a rule begins with [[rule]], in double brackets")
    if problems:
        raise BadRules(problems)
    return text, tables


def _repeated(rules: Sequence[FileRule]) -> Iterator[str]:
    """Rules for the same pair that begin at the same time: which would hold is not told."""
    seen: dict[tuple[Pair, datetime | None], Place] = {}
    for read in rules:
        begins = read.rule.effective_from
        first = seen.setdefault((read.pair, begins), read.place)
        if first != read.place:
            way = f"{read.rule.source} -> {read.rule.destination}"
            yield _problem(
                read.place, "", f"{way} begins with {first} already; give it another effective_from"
            )


class _Reading:
    """Reads one rule, and goes on after what is wrong in it, so that all of that is told."""

    def __init__(self, place: Place, snapshot: Snapshot, problems: list[str]) -> None:
        self._place = place
        self._brands = {brand.code: brand for brand in snapshot.brands}
        self._problems = problems
        self._zone: tzinfo = UTC
        self._readers: dict[object, Callable[[Any], object]] = {
            str: _text,
            bool: _flag,
            int: lambda value: _whole(value, MAX_INTEGER),
            Points: lambda value: _whole(value, MAX_POINTS),
            Decimal: _decimal,
            datetime: self._instant,
            TransferRatioInput: _ratio,
        }

    def rule(self, table: Mapping[str, Any]) -> FileRule | None:
        """The rule, or None if something is wrong with it."""
        before = len(self._problems)
        source, destination, sponsor = (self._brand(table, name) for name in _BRANDS)
        if source is not None:
            self._zone = ZoneInfo(source.time_zone)
        given = self._input(table, TransferRulePublishInput, "")
        if len(self._problems) > before or source is None or destination is None:
            return None
        try:
            rule = cast("TransferRulePublishInput", given).new_rule()
            terms = replace(rule.terms, sponsor=sponsor.id if sponsor else None)
            require_lawful(terms, household=rule.household)  # here, to tell of every rule
        except DomainError as error:
            self._complain(_field_at(error.path or ""), error.message)
            return None
        pair = Pair(source.id, destination.id, rule.household)
        return FileRule(self._place, pair, rule)

    def _complain(self, path: str, reason: str) -> None:
        self._problems.append(_problem(self._place, path, reason))

    def _brand(self, table: Mapping[str, Any], name: str) -> Brand | None:
        code = table.get(name)
        if not isinstance(code, str):  # that it is missing, or no text, is told elsewhere
            return None
        if code not in self._brands:
            known = ", ".join(self._brands)
            self._complain(name, f'there is no brand "{code[:40]}"; there are {known}')
        return self._brands.get(code)

    def _input(self, table: Mapping[str, Any], kind: type, path: str) -> object | None:
        """An input of the contract from a table; None if something is wrong with it."""
        hints = {name.rstrip("_"): hint for name, hint in get_type_hints(kind).items()}
        for name in table:
            if name not in hints:
                self._complain(f"{path}{name}", f"no such field{_perhaps(name, hints)}")
        values = {name: self._field(table, name, hint, path) for name, hint in hints.items()}
        if any(values[name] is None for name in hints if name in table):
            return None
        arguments = {name: values[name.rstrip("_")] for name in get_type_hints(kind)}
        return cast("object", kind(**arguments))

    def _field(self, table: Mapping[str, Any], name: str, hint: Any, path: str) -> object | None:
        """The value of a field; None if there is none, or none that will do."""
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        is_optional = len(kinds) < len(get_args(hint))
        if name in table:
            return self._value(table[name], kinds[0] if is_optional else hint, f"{path}{name}")
        if not is_optional:
            self._complain(f"{path}{name}", "is missing")
        return None

    def _value(self, value: Any, kind: Any, path: str) -> object | None:
        if get_origin(kind) is list:
            return self._list(value, get_args(kind)[0], path)
        if kind not in self._readers and is_dataclass(kind):
            if isinstance(value, dict):
                return self._input(value, cast("type", kind), f"{path}.")
            self._complain(path, "is a table: {name = value, ...}")
            return None
        try:
            return _choice(value, kind) if kind not in self._readers else self._readers[kind](value)
        except _BadValue as bad:
            self._complain(path, str(bad))
            return None

    def _list(self, value: Any, kind: Any, path: str) -> object | None:
        if not isinstance(value, list):
            self._complain(path, "is a list of tables: [{name = value, ...}, ...]")
            return None
        items = [self._value(item, kind, f"{path}.{index}") for index, item in enumerate(value, 1)]
        return None if None in items else items

    def _instant(self, value: Any) -> datetime:
        if not isinstance(value, date):
            raise _BadValue("is a day or a time without quotes, like 2026-12-01")
        if not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=self._zone)
        elif value.tzinfo is None:
            value = value.replace(tzinfo=self._zone)
        try:
            return cast("datetime", value.astimezone(UTC))
        except OverflowError:
            raise _BadValue("is out of the calendar") from None


def _perhaps(name: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(name, known, 1)
    return f"; perhaps {close[0]}" if close else f"; there are {', '.join(known)}"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _BadValue('is a text in quotes, like "AERO"')
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _BadValue("is true or false, without quotes")
    return value


def _whole(value: Any, maximum: int) -> int:
    if type(value) is not int:
        raise _BadValue("is a whole number without quotes, like 3000")
    if not 0 <= value <= maximum:
        raise _BadValue(f"is between 0 and {maximum:,}")
    return value


def _decimal(value: Any) -> Decimal:
    """An exact number: a text, or a number, which is read from the file digit by digit."""
    if isinstance(value, Decimal | str) or type(value) is int:
        text = format(value, "f") if isinstance(value, Decimal) else str(value)
        if _AMOUNT.fullmatch(text):
            return Decimal(text)
    raise _BadValue('is a number that is not negative, like "0.0006"')


def _ratio(value: Any) -> TransferRatioInput:
    match = _RATIO.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _BadValue('is two whole numbers, like "3:1": for 3 that leave, 1 arrives')
    return TransferRatioInput(from_=Points(int(match[1])), to=Points(int(match[2])))


def _choice(value: Any, kind: type[StrEnum]) -> StrEnum:
    if isinstance(value, str) and value in kind.__members__:
        return kind[value]
    raise _BadValue("is " + " or ".join(f'"{name}"' for name in kind.__members__))
