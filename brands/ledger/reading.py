"""What only some batches need to know, read on PostgreSQL: spent tokens, holds, limits, and the
transactions that are to be reversed. Read once the accounts are locked, so all of it is settled."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import asyncpg

from brands.ledger.batch import TOKENS, Needs, require
from brands.ledger.commands import Token
from brands.ledger.rows import fill_caps, fill_originals
from brands.ledger.state import Hold, State
from brands.ledger.statements import (
    CAPS_USED,
    HOLDS,
    ORIGINAL_CAPS,
    ORIGINAL_ENTRIES,
    ORIGINAL_REVERSED,
    ORIGINAL_USES,
    TOKENS_SPENT,
    literal,
    places,
)


class Originals(NamedTuple):
    """Rows of the transactions that are to be reversed: they never change."""

    entries: Sequence[Any]
    caps: Sequence[Any]


async def read_originals(connection: "asyncpg.Connection[Any]", needs: Needs) -> Originals:
    """Transactions to be reversed; what they touched is added to what is to be locked."""
    if not needs.originals:
        return Originals((), ())
    entries = await connection.fetch(ORIGINAL_ENTRIES, *places(needs.originals))
    for row in entries:
        needs.original_touches(row["id"], (row["book"], row["account_id"]), row["unit"])
    if not needs.counted:
        return Originals(entries, ())
    asked = (literal(column) for column in zip(*needs.counted, strict=True))
    caps = await connection.fetch(ORIGINAL_CAPS, *asked)
    needs.accounts.update((row["book"], row["account_id"]) for row in caps)
    return Originals(entries, caps)


async def read_rare(
    connection: "asyncpg.Connection[Any]", needs: Needs, originals: Originals, state: State
) -> None:
    """Completes a state whose accounts and lots are there already."""
    if needs.tokens:
        books, tokens = zip(*needs.tokens, strict=True)
        rows = await connection.fetch(TOKENS_SPENT, TOKENS, literal(books), tokens)
        state.spent_tokens.update(Token(row["book"], row["key"]) for row in rows)
    if needs.caps:
        books, accounts, names = zip(*needs.caps, strict=True)
        rows = await connection.fetch(CAPS_USED, literal(books), literal(accounts), names)
        fill_caps(state, needs.caps, rows)
    if needs.holds:
        for row in await connection.fetch(HOLDS, *places(needs.holds)):
            id, account, points, status, expires_at, lot_ids, amounts = row
            lots = list(zip(lot_ids, amounts, strict=True))
            state.holds[id] = Hold(id, account, points, status, expires_at, lots)
    if originals.entries:
        asked = places(needs.originals)
        uses = await connection.fetch(ORIGINAL_USES, *asked)
        done = {
            row["reverses"]: row["points"]
            for row in await connection.fetch(ORIGINAL_REVERSED, *asked)
        }
        fill_originals(state, originals.entries, uses, originals.caps, done)
    require("hold", needs.holds, state.holds)
    require("transaction", needs.originals, state.originals)
