"""Identifiers: UUIDs of version 7 (RFC 9562) that also say in which book their row lives.

Layout: 48 bits of Unix milliseconds, version, 12 random bits, variant, 10 bits of book, 52 random
bits. Ids made later sort later, so indexes grow at their right edge; and whoever holds an id knows
the book to look in, without asking an index first.

Ids are `uuid.UUID`s; those made here are of asyncpg's compiled subclass, equal in every way. A
posting hashes ids a hundred times, and the standard library's hash is a Python function.
"""

import time
from hashlib import blake2b
from secrets import randbits
from uuid import UUID

from asyncpg.pgproto import pgproto

MAX_BOOKS = 1024

_VERSION = 7 << 76
_VARIANT = 2 << 62
BOOK_SHIFT = 52


def new_id(book: int) -> UUID:
    """A fresh id of a row that lives in `book` (0 to 1023)."""
    assert 0 <= book < MAX_BOOKS
    noise = randbits(64)
    number = (
        (time.time_ns() // 1_000_000 & 0xFFFF_FFFF_FFFF) << 80
        | _VERSION
        | (noise >> 52) << 64
        | _VARIANT
        | book << BOOK_SHIFT
        | noise & 0xF_FFFF_FFFF_FFFF
    )
    return compiled(number.to_bytes(16))


def compiled(value: bytes | str) -> UUID:
    """The id of these 16 bytes, or of this text, as a compiled `UUID`."""
    made: UUID = pgproto.UUID(value)
    return made


def book_of(identifier: UUID) -> int:
    """The book that an id made by `new_id` names."""
    return identifier.int >> BOOK_SHIFT & (MAX_BOOKS - 1)


def home_book(name: str, books: int) -> int:
    """The book in which something known only by its name lives: hash(name) mod books."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) % books
