"""What happens, as it happens: subscriptions to a membership, a brand or a transfer.

Every event has a cursor, and whoever comes back with the last one that he has seen misses nothing.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, cast

import strawberry
from graphql import GraphQLError

from brands.activity import (
    BrandActivity,
    MembershipActivity,
    TransferUpdate,
    brand_activity,
    membership_activity,
    transfer_updates,
)
from brands.errors import MembershipNotFound, TransferNotFound
from brands.following.watches import Cursor
from schema.context import Context, Info
from schema.fields import derived
from schema.nodes import Tag, id_of

if TYPE_CHECKING:
    from schema.brands import BrandType
    from schema.ledger import LedgerTransactionType
    from schema.memberships import MembershipType
    from schema.transfers import TransferType

Happened = TypeVar("Happened", MembershipActivity, BrandActivity, TransferUpdate)
Resolver = TypeVar("Resolver", bound=Callable[..., Any])

_CURSOR = "Where this event stands. Subscribe again `after` it to go on from here. Opaque."

After = Annotated[
    str | None,
    strawberry.argument(
        description="The cursor of the last event that was seen: whatever came after it follows. "
        "Left out, it is whatever happens from now on."
    ),
]


@dataclass(frozen=True, slots=True)
class Event(Generic[Happened]):
    """What happened, with its cursor as clients get it."""

    cursor: str
    happened: Happened


def _subscription(*, description: str, graphql_type: Any) -> Callable[[Resolver], Resolver]:
    field = strawberry.subscription(description=description, graphql_type=graphql_type)
    return cast("Callable[[Resolver], Resolver]", field)


@strawberry.type(name="MembershipActivity", description="Points of a membership moved.")
class MembershipActivityType:
    """Resolved on an `Event` of `brands.activity.MembershipActivity`."""

    cursor: str = strawberry.field(description=_CURSOR)
    transaction: Annotated["LedgerTransactionType", strawberry.lazy("schema.ledger")] = derived(
        lambda event: event.happened.transaction,
        description="The transaction by which they did.",
    )
    membership: Annotated["MembershipType", strawberry.lazy("schema.memberships")] = derived(
        lambda event: event.happened.membership,
        description="The membership, as it stands by now.",
    )


@strawberry.type(name="BrandActivity", description="Points of a brand moved, or its money.")
class BrandActivityType:
    """Resolved on an `Event` of `brands.activity.BrandActivity`."""

    cursor: str = strawberry.field(description=_CURSOR)
    transaction: Annotated["LedgerTransactionType", strawberry.lazy("schema.ledger")] = derived(
        lambda event: event.happened.transaction,
        description="The transaction by which they did.",
    )
    brand: Annotated["BrandType", strawberry.lazy("schema.brands")] = derived(
        lambda event: event.happened.brand, description="The brand."
    )


@strawberry.type(name="TransferUpdate", description="Something was posted for a transfer.")
class TransferUpdateType:
    """Resolved on an `Event` of `brands.activity.TransferUpdate`."""

    cursor: str = strawberry.field(description=_CURSOR)
    transaction: Annotated["LedgerTransactionType", strawberry.lazy("schema.ledger")] | None = (
        derived(
            lambda event: event.happened.transaction,
            description="What was posted; null to whoever sees but the other side of the transfer.",
        )
    )
    transfer: Annotated["TransferType", strawberry.lazy("schema.transfers")] = derived(
        lambda event: event.happened.transfer, description="The transfer, as it stands by now."
    )


@strawberry.type
class ActivitySubscriptions:
    """Subscriptions to what is posted."""

    @_subscription(
        graphql_type=MembershipActivityType,
        description="Whatever moves the points of a membership: at least once, in the order in "
        "which it is posted.",
    )
    @staticmethod
    async def membership_activity(
        info: Info,
        membership: Annotated[
            strawberry.ID, strawberry.argument(description="The membership's id.")
        ],
        after: After = strawberry.UNSET,
    ) -> AsyncIterator[Event[MembershipActivity]]:
        """Followed from the cursor on."""
        context = info.context
        id = id_of(Tag.MEMBERSHIP, membership, MembershipNotFound, path="membership")
        cursor = _cursor(context, after)
        events = await membership_activity(context.coalition, context.caller, id, cursor)
        return _afresh(context, events)

    @_subscription(
        graphql_type=BrandActivityType,
        description="Whatever moves the points of a brand, or its money: at least once, for each "
        "member in the order in which it is posted. For the brand itself, and the operator.",
    )
    @staticmethod
    async def brand_activity(
        info: Info,
        brand: Annotated[str, strawberry.argument(description="The brand's code.")],
        after: After = strawberry.UNSET,
    ) -> AsyncIterator[Event[BrandActivity]]:
        """Followed from the cursor on."""
        context = info.context
        cursor = _cursor(context, after)
        events = await brand_activity(context.coalition, context.caller, brand, cursor)
        return _afresh(context, events)

    @_subscription(
        graphql_type=TransferUpdateType,
        description="Whatever is posted for a transfer, at least once: its points arrive, it is "
        "called off, or it is taken back.",
    )
    @staticmethod
    async def transfer_updated(
        info: Info,
        transfer: Annotated[strawberry.ID, strawberry.argument(description="The transfer's id.")],
        after: After = strawberry.UNSET,
    ) -> AsyncIterator[Event[TransferUpdate]]:
        """Followed from the cursor on."""
        context = info.context
        id = id_of(Tag.TRANSFER, transfer, TransferNotFound, path="transfer")
        cursor = _cursor(context, after)
        events = await transfer_updates(context.coalition, context.caller, id, cursor)
        return _afresh(context, events)


def _cursor(context: Context, after: str | None) -> Cursor | None:
    """What was seen last. A client that comes back by itself repeats the request with which it
    began, so what it has seen meanwhile counts before what it had seen then. Raises
    `GraphQLError` for a cursor that was never given out."""
    text = context.seen or after
    if text is None or text is strawberry.UNSET:
        return None
    cursor = context.cursors.read(text)
    if cursor is None:
        extensions = {"code": "BAD_USER_INPUT", "argument": "after"}
        message = "`after` is not a cursor of this subscription."
        raise GraphQLError(message, extensions=extensions)
    return cursor


async def _afresh(
    context: Context, events: AsyncIterator[Happened]
) -> AsyncGenerator[Event[Happened], None]:
    """The events, for each of which everything that hangs on it is loaded anew."""
    async with aclosing(cast("AsyncGenerator[Happened, None]", events)):
        async for happened in events:
            context.forget()
            yield Event(context.cursors.write(happened.cursor), happened)
