"""The contract beside the one that was released last: nothing that clients rely on is broken."""

import tomllib
from pathlib import Path

import pytest
from graphql import build_schema, find_breaking_changes

from schema.root import SCHEMA

RELEASED = Path(__file__).with_name("released.graphql").read_text()
ACCEPTED: dict[str, str] = tomllib.loads(
    Path(__file__).with_name("breaking.toml").read_text(encoding="utf-8")
)


def breaking(new: str) -> list[str]:
    """What in a contract breaks clients of the released one."""
    changes = find_breaking_changes(build_schema(RELEASED), build_schema(new))
    return [f"{change.type.name}: {change.description}" for change in changes]


def not_accepted(new: str, accepted: dict[str, str]) -> list[str]:
    """What breaks clients and was not accepted; and what was, but breaks nobody any more."""
    return sorted(set(breaking(new)) ^ set(accepted))


def test_nothing_that_clients_rely_on_is_broken() -> None:
    """No change since the last release breaks a client, but for those that were accepted."""
    assert not_accepted(SCHEMA.as_str(), ACCEPTED) == []


def test_what_is_accepted_has_a_reason() -> None:
    """Whoever accepts a break says why, in a sentence."""
    assert [change for change, reason in ACCEPTED.items() if not reason.endswith(".")] == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('  """What its points are called."""\n  pointsName: String!\n', ""),
        ("  coalitionNumber: String!\n", "  coalitionNumber: String\n"),
        ("  pointsIn: Points!\n", "  pointsIn: Int!\n"),
        ("  idempotencyKey: String!\n", "  idempotencyKey: ID!\n"),
        ("  brand(\n", "  brandByCode(\n"),
        ("  CONVERSION\n", "  EXCHANGE\n"),
        ("type SameBrand implements UserError {", "type SameBrand {"),
    ],
)
def test_a_break_would_be_seen(before: str, after: str) -> None:
    """What clients rely on cannot be taken away, loosened or renamed unseen."""
    assert before in RELEASED
    broken = RELEASED.replace(before, after, 1)
    faults = not_accepted(broken, {})
    assert faults != []
    assert not_accepted(broken, dict.fromkeys(faults, "We had to.")) == []


def test_what_is_accepted_is_not_kept_for_ever() -> None:
    """An accepted break that is none, or none any more, is refused."""
    once = {"FIELD_REMOVED: Brand.logo was removed.": "It was never filled in."}
    assert not_accepted(RELEASED, once) == list(once)
