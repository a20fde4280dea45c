"""The record of administrative acts: who did what to which subject, when, in which request.

Written in the transaction of the act itself. It holds no personal data and is never changed.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from brands.callers import Caller
from brands.clock import Micros
from brands.database import Transaction
from brands.ids import new_id

INSERT_ACTION = (
    "INSERT INTO actions (id, at, client, request_id, action, subject, details)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
)


class Action(NamedTuple):
    """One act: what was done, to what (an id or a code), and figures that tell it apart."""

    name: str
    subject: str
    details: dict[str, Any]


async def record(tx: Transaction, caller: Caller, at: Micros, actions: Iterable[Action]) -> None:
    """Records what the caller does in this transaction."""
    await tx.execute_many(
        INSERT_ACTION,
        [
            (
                new_id(0),
                at,
                caller.client,
                caller.request_id,
                action.name,
                action.subject,
                orjson.dumps(action.details, default=str).decode(),
            )
            for action in actions
        ],
    )
