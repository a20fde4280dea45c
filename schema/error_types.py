"""How the contract says what is wrong: a type for each failure of the domain, with its figures."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schema.scalars import Points


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure that an error carries: its GraphQL type, what it says, and how it is put."""

    type: Any
    description: str
    convert: Callable[[Any], Any] = lambda value: value
    name: str | None = None
    """What the contract calls it (in snake case), where that is not what the domain does."""


@dataclass(frozen=True, slots=True)
class ErrorType:
    """What the contract says about one failure of the domain."""

    description: str
    figures: dict[str, Figure] = field(default_factory=dict)


def points(description: str) -> Figure:
    """A number of points."""
    return Figure(Points, description)


def count(description: str) -> Figure:
    """A whole number."""
    return Figure(int, description)


def text(description: str) -> Figure:
    """A text."""
    return Figure(str, description)


def instant(description: str) -> Figure:
    """An instant."""
    return Figure(datetime, description)


def nearest(description: str) -> Figure:
    """A number of points, if there is one."""
    return Figure(Points | None, f"{description}; null if there is none.")
