"""What the contract is made of: scalars, ids, cursors, errors, loaders."""

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from brands import errors as failures
from brands.errors import DomainError, LedgerUnavailable
from schema.connections import BadPage, cursor_of, slice_of, window
from schema.errors import USER_ERRORS, failure_classes, told
from schema.failures import ERRORS, NOT_FOR_CLIENTS
from schema.loaders import Batch
from schema.nodes import Tag, global_id, read_global_id
from schema.scalars import (
    SCALARS,
    parse_date,
    parse_decimal,
    parse_instant,
    parse_points,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize("value", [0, 1, -1, 2**53 - 1, 1 - 2**53])
def test_points_that_are_points(value: int) -> None:
    """Points are integers up to 2^53-1 either way."""
    assert parse_points(value) == value


@pytest.mark.parametrize("value", [1.0, 1.5, "1", True, None, 2**53, -(2**53), float("inf"), [1]])
def test_points_that_are_none(value: Any) -> None:
    """Anything else is refused, however near it comes."""
    with pytest.raises(GraphQLError):
        parse_points(value)


@pytest.mark.parametrize(
    ("value", "meant"),
    [("0.0045", "0.0045"), ("-1", "-1"), (3, "3"), ("1000.10", "1000.10"), ("007", "7")],
)
def test_decimals_that_are_decimals(value: Any, meant: str) -> None:
    """A decimal is exact: a string, or an integer."""
    assert parse_decimal(value) == Decimal(meant)


@pytest.mark.parametrize(
    "value", [0.1, "1e3", "NaN", "Infinity", "", " 1", "1_000", ".5", "5.", "٣", True, "1" * 40]
)
def test_decimals_that_are_none(value: Any) -> None:
    """Floats, exponents and whatever is no plain number are refused."""
    with pytest.raises(GraphQLError):
        parse_decimal(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("0.000001"), "0.000001"),
        (Decimal("1E-12"), "0.000000000001"),
        (Decimal(640), "640"),
        (Decimal("1E+3"), "1000"),
    ],
)
def test_decimals_are_shown_plainly(value: Decimal, shown: str) -> None:
    """No decimal is shown with an exponent."""
    serialize = SCALARS[Decimal].serialize
    assert serialize is not None
    assert serialize(value) == shown


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31t12:00:00z", NOON),
        ("2026-01-31T14:00:00+02:00", NOON),
        ("2026-01-31T12:00:00.000001999Z", NOON.replace(microsecond=1)),
        ("2026-01-31T12:00:00.5Z", NOON.replace(microsecond=500_000)),
    ],
)
def test_instants_that_are_instants(value: str, meant: datetime) -> None:
    """An instant has an offset; it is kept to the microsecond."""
    assert parse_instant(value) == meant


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31T12:00:00",
        "2026-01-31",
        "2026-02-30T12:00:00Z",
        "2026-01-31T25:00:00Z",
        "2026-01-31 12:00:00Z",
        "2026-W05-6T12:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "2026-01-31T12:00:00+24:00",
        "20260131T120000Z",
        "noon",
        1769860800,
        None,
    ],
)
def test_instants_that_are_none(value: Any) -> None:
    """No offset, another form, a day or an hour that there is not: refused."""
    with pytest.raises(GraphQLError):
        parse_instant(value)


def test_instants_are_shown_in_utc() -> None:
    """What is shown can be sent back."""
    serialize = SCALARS[datetime].serialize
    assert serialize is not None
    assert serialize(NOON) == "2026-01-31T12:00:00Z"
    assert parse_instant(serialize(NOON.replace(microsecond=1))) == NOON.replace(microsecond=1)


def test_dates() -> None:
    """A date is a day of the calendar, in one form."""
    assert parse_date("1815-12-10") == date(1815, 12, 10)
    for value in ("1815-13-10", "18151210", "10.12.1815", "1815-12-10T00:00:00Z", 1815):
        with pytest.raises(GraphQLError):
            parse_date(value)


@given(st.sampled_from(Tag), st.uuids())
def test_global_ids(tag: Tag, identifier: UUID) -> None:
    """A global id says again what it was made of, in 24 characters that fit into a URL."""
    text = global_id(tag, identifier)
    assert read_global_id(text) == (tag, identifier)
    assert len(text) == 24
    assert text.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=30) | st.text("ABCTXMabc-_=", min_size=24, max_size=24))
def test_ids_of_others(text: str) -> None:
    """What is no id of ours is read as nothing, and never in two ways."""
    name = read_global_id(text)
    assert name is None or global_id(*name) == text


def test_ids_in_another_form() -> None:
    """An id is accepted only as it was given out: not in another alphabet, nor with junk in it."""
    given_out = global_id(Tag.MEMBER, UUID(int=2**128 - 1))
    assert "_" in given_out
    assert read_global_id(given_out) is not None
    for other in (given_out.replace("_", "/"), given_out[:20] + "!!!!", given_out + "AAAA"):
        assert read_global_id(other) is None


LETTERS = ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("arguments", "chosen", "before", "after"),
    [
        ({"first": 2}, "ab", False, True),
        ({"first": 5}, "abcde", False, False),
        ({"first": 2, "after": "b"}, "cd", True, True),
        ({"first": 9, "after": "d"}, "e", True, False),
        ({"last": 2}, "de", True, False),
        ({"last": 2, "before": "c"}, "ab", False, True),
        ({"last": 1, "before": "c"}, "b", True, True),
        ({"first": 9, "after": "a", "before": "d"}, "bc", True, True),
        ({"first": 1, "after": "e"}, "", True, False),
        ({"first": 1, "after": "d", "before": "b"}, "", True, True),
    ],
)
def test_slices(arguments: dict[str, Any], chosen: str, before: bool, after: bool) -> None:
    """A page is what its arguments say, and knows whether there is more on either side."""
    cursors = {
        name: cursor_of(value) if isinstance(value, str) else value
        for name, value in arguments.items()
    }
    page = slice_of(LETTERS, str, window(**cursors))
    assert [edge.node for edge in page.edges] == list(chosen)
    assert page.page_info.has_previous_page is before
    assert page.page_info.has_next_page is after
    assert page.page_info.start_cursor == (cursor_of(chosen[0]) if chosen else None)
    assert page.page_info.end_cursor == (cursor_of(chosen[-1]) if chosen else None)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"first": 0},
        {"first": -1},
        {"first": 101},
        {"last": 101},
        {"first": 1, "last": 1},
        {"first": 1, "after": "a"},
        {"first": 1, "after": ""},
        {"first": 1, "after": "é"},
        {"first": 1, "before": cursor_of("a") + "="},
        {"last": 1, "before": "!!!!"},
    ],
)
def test_bad_pages(arguments: dict[str, Any]) -> None:
    """Too few, too many, both or none, and a cursor never given out: a typed error."""
    with pytest.raises(BadPage) as refused:
        window(**arguments)
    assert (refused.value.extensions or {})["code"] == "BAD_USER_INPUT"


def test_a_cursor_of_another_list() -> None:
    """A cursor in due form that names nothing in the list is a bad one too."""
    with pytest.raises(BadPage):
        slice_of(LETTERS, str, window(first=1, after=cursor_of("x")))


@given(st.text(max_size=40))
def test_cursors_are_read_or_refused(cursor: str) -> None:
    """Any text is a cursor that was given out, or refused as none."""
    try:
        key = window(first=1, after=cursor).after
    except BadPage:
        return
    assert key is not None
    assert cursor_of(key) == cursor


FIGURES: dict[Any, Any] = {
    int: 7,
    str: "x",
    UUID: UUID(int=7),
    datetime: NOON,
    "int": 7,
    "str": "x",
    "UUID": UUID(int=7),
    "datetime": NOON,
    list[str]: ["AERO", "STAY", "AERO"],
    int | None: None,
}


def made(failure: type[DomainError]) -> DomainError:
    """A failure with some figures."""
    fields = failure.__dataclass_fields__
    return failure(
        **{
            name: FIGURES[field.type]
            for name, field in fields.items()
            if name in ERRORS[failure].figures
        }
    )


def test_no_failure_is_forgotten() -> None:
    """Every failure of the domain is told to clients, or named among those that are not."""
    assert set(failure_classes()) == ERRORS.keys() | NOT_FOR_CLIENTS
    assert not ERRORS.keys() & NOT_FOR_CLIENTS


@pytest.mark.parametrize("failure", list(ERRORS), ids=lambda failure: failure.__name__)
def test_every_failure_is_told(failure: type[DomainError]) -> None:
    """A failure becomes the GraphQL type of its name, with its code, its words and all its
    figures."""
    error = made(failure)
    error.path = "a.b"
    (shown,) = told(error, inside="input")
    assert isinstance(shown, USER_ERRORS[failure])
    assert type(shown).__name__ == failure.__name__
    assert shown.message == error.message
    assert shown.path == ["input", "a", "b"]
    figures = {each.name for each in dataclasses.fields(failure)} - {"path", "replayed"}
    assert set(ERRORS[failure].figures) == figures


def test_the_machinerys_failures_are_raised() -> None:
    """What nobody can act on is not made into data."""
    with pytest.raises(LedgerUnavailable):
        told(LedgerUnavailable())


def test_an_error_without_a_field() -> None:
    """An error that concerns no one field has no path."""
    (shown,) = told(failures.NotPermitted())
    assert shown.path is None


async def test_a_batch() -> None:
    """What is asked for in one turn is fetched together, each key once; what there is not is
    None."""
    asked: list[Sequence[int]] = []

    async def fetch(keys: Sequence[int]) -> dict[int, str]:
        asked.append(keys)
        return {key: str(key) for key in keys if key < 3}

    batch = Batch(fetch)
    assert await asyncio.gather(*(batch.load(key) for key in (1, 2, 1, 3))) == ["1", "2", "1", None]
    assert await batch.load(2) == "2"
    assert await batch.load(0) == "0"
    assert asked == [[1, 2, 3], [0]]


async def test_a_batch_that_fails() -> None:
    """When fetching fails, everyone who asked is told, and nobody waits for ever."""

    async def fetch(keys: Sequence[int]) -> dict[int, str]:
        raise LedgerUnavailable

    batch = Batch(fetch)
    loads = [batch.load(1), batch.load(2)]
    for load in loads:
        with pytest.raises(LedgerUnavailable):
            await load


async def test_who_gives_up_takes_nobody_along() -> None:
    """When one of two who asked for the same is cancelled, the other still gets it."""
    going = asyncio.Event()

    async def fetch(keys: Sequence[int]) -> dict[int, str]:
        await going.wait()
        return {key: str(key) for key in keys}

    batch = Batch(fetch)
    patient, hasty = batch.load(1), batch.load(1)
    hasty.cancel()
    going.set()
    assert await patient == "1"
    assert await batch.load(1) == "1"
