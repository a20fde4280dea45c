"""The scalars of the contract, and money: exact in both directions, strict about what comes in.

A value that does not have its scalar's form is refused before anything runs. Whether a well-formed
value makes sense (a rate of seven decimals, zero points) is for the domain to say.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry
from graphql import GraphQLError, IntValueNode, StringValueNode, ValueNode, print_ast
from strawberry.types.scalar import ScalarDefinition

from brands.money import MAX_POINTS

Points = NewType("Points", int)
"""A whole number of points, of either sign."""

_DECIMAL = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def parse_points(value: Any) -> int:
    """A JSON integer of at most 2^53-1 either way. A fraction, `1.0` and a string are refused."""
    if type(value) is not int:
        raise GraphQLError(f"Points are a JSON integer, at most {MAX_POINTS}.")
    if abs(value) > MAX_POINTS:
        raise GraphQLError(f"Points are at most {MAX_POINTS}.")
    return value


def parse_decimal(value: Any) -> Decimal:
    """An exact decimal: a string like "0.0045", or a JSON integer. A JSON float is refused: it is
    not exact."""
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise GraphQLError('A Decimal is a string like "0.0045", or a JSON integer of 64 bits.')
    return Decimal(text)


def parse_instant(value: Any) -> datetime:
    """An RFC 3339 date-time, whose offset is required. Finer than microseconds is cut off."""
    match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise GraphQLError('A DateTime is like "2026-01-31T12:00:00Z", and its offset is required.')
    day, time, fraction, offset = match.groups()
    try:
        instant = datetime.fromisoformat(f"{day}T{time}{(fraction or '')[:7]}{offset.upper()}")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("There is no such DateTime.") from None


def parse_date(value: Any) -> date:
    """A day of the calendar, as RFC 3339 writes it: `2026-01-31`."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise GraphQLError('A Date is like "2026-01-31".')
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise GraphQLError("There is no such Date.") from None


def _integer_literal(node: ValueNode, _variables: Any = None) -> int:
    if not isinstance(node, IntValueNode):
        raise GraphQLError(f"Points are an integer, not {print_ast(node)}.", node)
    return parse_points(int(node.value))


def _decimal_literal(node: ValueNode, _variables: Any = None) -> Decimal:
    if not isinstance(node, IntValueNode | StringValueNode):
        raise GraphQLError(f"A Decimal is a string, not {print_ast(node)}.", node)
    return parse_decimal(node.value)


def _print_instant(value: datetime) -> str:
    text = value.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def _print_decimal(value: Decimal) -> str:
    return format(value, "f")


_RFC_3339 = "https://datatracker.ietf.org/doc/html/rfc3339"

SCALARS: dict[object, ScalarDefinition] = {
    Points: strawberry.scalar(
        name="Points",
        description="A whole number of points: a JSON integer between -(2^53-1) and 2^53-1. "
        "Strings and numbers with a fraction, even `1.0`, are refused.",
        serialize=int,
        parse_value=parse_points,
        parse_literal=_integer_literal,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number as a string, like "0.0045". As input a JSON integer '
        "will do too; a JSON number with a fraction is refused, for it is not exact.",
        serialize=_print_decimal,
        parse_value=parse_decimal,
        parse_literal=_decimal_literal,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description='An instant as RFC 3339 writes it, like "2026-01-31T12:00:00Z". The offset '
        "from UTC is required. The books count microseconds; anything finer is cut off.",
        specified_by_url=_RFC_3339,
        serialize=_print_instant,
        parse_value=parse_instant,
    ),
    date: strawberry.scalar(
        name="Date",
        description='A day of the calendar as RFC 3339 writes it, like "2026-01-31".',
        specified_by_url=_RFC_3339,
        serialize=date.isoformat,
        parse_value=parse_date,
    ),
}
"""The Python types that stand for a scalar of the contract."""


@strawberry.federation.type(
    name="Money",
    shareable=True,
    description="An exact amount of money. Amounts behind points are kept to a millionth of the "
    "currency's unit, and are never rounded on the way.",
)
class MoneyType:
    """Resolved on `brands.money.Money`."""

    amount: Decimal = strawberry.field(description="The amount, in units of the currency.")
    currency: str = strawberry.field(description="The currency's code (ISO 4217).")
