"""Cursors of subscriptions: sealed, and read only as they were given out."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brands.following.watches import Cursor
from schema.cursors import Cursors

CURSORS = Cursors(b"a secret of the deployment")
cursors = st.lists(
    st.tuples(st.integers(0, 1_023), st.integers(0, 2**63 - 1)), min_size=1, max_size=16
).map(lambda places: Cursor(tuple(places)))


@given(cursor=cursors)
def test_what_is_written_is_read(cursor: Cursor) -> None:
    """A cursor comes back as it was, is written alike each time, and fits into a header."""
    text = CURSORS.write(cursor)
    assert CURSORS.read(text) == cursor
    assert CURSORS.write(cursor) == text
    assert text.replace("-", "").replace("_", "").isalnum()
    assert text.isascii()


@given(cursor=cursors, at=st.integers(0), bit=st.integers(0, 7))
def test_what_was_changed_is_none(cursor: Cursor, at: int, bit: int) -> None:
    """A cursor of which a single bit was changed is none."""
    text = CURSORS.write(cursor)
    sealed = bytearray(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    sealed[at % len(sealed)] ^= 1 << bit
    assert CURSORS.read(urlsafe_b64encode(sealed).decode().rstrip("=")) is None


@given(text=st.text())
def test_what_is_none(text: str) -> None:
    """Nothing else is a cursor."""
    assert CURSORS.read(text) is None


@pytest.mark.parametrize("spoilt", ["{}=", "{}\n", " {}", "{}A", "{}~", "{0}{0}"])
def test_no_other_spelling(spoilt: str) -> None:
    """A cursor is written in one way only."""
    text = CURSORS.write(Cursor(((0, 1),)))
    assert CURSORS.read(spoilt.format(text)) is None


def test_what_others_have_sealed() -> None:
    """A cursor of another deployment is none, nor can it be seen what two have in common."""
    cursor = Cursor(((3, 1_000_000), (4, 2_000_000)))
    text = CURSORS.write(cursor)
    assert Cursors(b"another secret").read(text) is None
    following = CURSORS.write(cursor.having(4, 2_000_001))
    same = sum(one == other for one, other in zip(text, following, strict=True))
    assert same < len(text) // 3
