"""Brands: looking at them."""

from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.clock import now
from brands.errors import BrandNotFound
from brands.ledger.commands import Shortfall
from brands.naming.check_digits import CheckScheme
from brands.program_terms import Program
from brands.registry import Brand, BrandStatus
from brands.travel.booking_pages import bookings_of_brand
from brands.travel.bookings import Booking
from brands.travel.claim_lists import ClaimsOf
from brands.travel.claims import CreditClaim
from brands.valuations import Valuation
from schema.booking_pages import WithStatus, booking_list, booking_window
from schema.claim_pages import Status, claim_list
from schema.connections import (
    After,
    Before,
    Connection,
    First,
    FirstOnly,
    Last,
    PageInfo,
    slice_of,
    window,
)
from schema.context import Info
from schema.enums import described
from schema.fields import derived, resolved
from schema.nodes import Node, Tag, global_id

if TYPE_CHECKING:
    from schema.bookings import BookingConnection
    from schema.claims import MissingCreditClaimConnection
    from schema.programs import ProgramTermsType
    from schema.valuations import ValuationConnection, ValuationType

described(
    BrandStatus,
    "Whether a brand takes part in the coalition.",
    {
        BrandStatus.ACTIVE: "It takes part.",
        BrandStatus.SUSPENDED: "It does not, for the time being: nobody earns its points or spends "
        "them, sends them away or receives them, or becomes a member of it; its credentials are "
        "refused, and its numbers are nobody's. What has begun goes on, and what was done can be "
        "taken back.",
    },
)
described(
    CheckScheme,
    "How a loyalty number's last digit follows from the others. Schemes over digits leave letters "
    "aside.",
    {
        CheckScheme.NONE: "It does not: there is no check digit.",
        CheckScheme.LUHN: "By the Luhn algorithm (ISO/IEC 7812-1), over digits.",
        CheckScheme.MOD_7: "The rest of the digits before it, as one number, divided by 7 (air "
        "waybills, airline tickets).",
        CheckScheme.MOD_9: "The rest of the digits before it, as one number, divided by 9 (postal "
        "money orders).",
        CheckScheme.MOD_11: "Over digits, with weights 2 to 10 from the right, and again; X is ten "
        "(ISBN-10).",
        CheckScheme.ISO7064_MOD11_2: "ISO/IEC 7064, MOD 11-2, over digits; X is ten (ISNI, ORCID).",
        CheckScheme.ISO7064_MOD37_2: "ISO/IEC 7064, MOD 37-2, over digits and letters; * is 36.",
        CheckScheme.ISO7064_MOD97_10: "ISO/IEC 7064, MOD 97-10, two digits, over digits and "
        "letters, A being 10 (IBAN, LEI).",
        CheckScheme.ISO7064_MOD11_10: "ISO/IEC 7064, MOD 11,10, over digits.",
        CheckScheme.ISO7064_MOD37_36: "ISO/IEC 7064, MOD 37,36, over digits and letters (GRid).",
        CheckScheme.UNKNOWN: "In a way that is not known. No number is told to be wrong.",
    },
)
described(
    Shortfall,
    "What happens when points are taken back and some of them are spent already.",
    {
        Shortfall.REJECT: "Nothing is taken back; the request is refused.",
        Shortfall.ALLOW_NEGATIVE: "All are taken back; the balance goes below zero.",
        Shortfall.UP_TO_BALANCE: "What is left is taken back, and no more.",
    },
    name="ClawbackPolicy",
)


@strawberry.type(
    name="NumberFormat",
    description="What a brand's loyalty numbers look like as the brand writes them; what people "
    "add, spaces, hyphens and small letters, is left out when a number is read. A number that "
    "has another form is nobody's.",
)
class NumberFormatType:
    """Resolved on `brands.naming.numbers.NumberFormat`."""

    pattern: str | None = strawberry.field(
        description="A regular expression for the whole number: characters and classes such as "
        "[A-Z] or \\d, each repeated by ?, *, + or {2,5}; no groups. The * that "
        "ISO7064_MOD37_2 may end in counts as a capital letter. Null for any letters and digits."
    )
    length: int | None = strawberry.field(
        description="The number of characters; null if it is open: 64 at most."
    )
    check: CheckScheme = strawberry.field(description="How the check digit is made.")


@strawberry.federation.type(
    name="Brand",
    keys=["id", "code"],
    description="A partner of the coalition. It issues points, redeems points, or both; its points "
    "are a currency of their own.",
)
class BrandType(Node):
    """Resolved on `brands.registry.Brand`."""

    id: strawberry.ID = derived(
        lambda brand: global_id(Tag.BRAND, brand.id), description="The brand's global id."
    )
    code: str = strawberry.field(
        description='The short name by which the API knows the brand, like "AERO".'
    )
    name: str = strawberry.field(description="What the brand is called.")
    points_name: str = strawberry.field(description="What its points are called.")
    status: BrandStatus = strawberry.field(description="Whether it takes part in the coalition.")
    time_zone: str = strawberry.field(
        description="The time zone (IANA) in which its days and months are counted."
    )
    clawback: Shortfall = strawberry.field(
        description="What happens when points that a member received at the brand are taken back "
        "and she has spent some of them already."
    )
    number_format: NumberFormatType = strawberry.field(
        description="What its loyalty numbers look like: to check one before asking for it."
    )
    created_at: datetime = strawberry.field(description="When it joined the coalition.")

    @resolved(description="The currency in which the coalition settles with the brand (ISO 4217).")
    @staticmethod
    def settlement_currency(root: Brand, info: Info) -> str:
        """The coalition's."""
        return info.context.coalition.currency

    @resolved(
        graphql_type=Annotated["ValuationType", strawberry.lazy("schema.valuations")],
        description="What its points are worth: the valuation in force at an instant. Before the "
        "brand's first valuation that one applies.",
    )
    @staticmethod
    def valuation(
        root: Brand,
        info: Info,
        at: Annotated[
            datetime | None, strawberry.argument(description="The instant; now if omitted.")
        ] = strawberry.UNSET,
    ) -> Valuation:
        """From the registry's snapshot."""
        return info.context.coalition.registry.snapshot.valuation(root.id, at or None)

    @resolved(
        graphql_type=Annotated["ValuationConnection", strawberry.lazy("schema.valuations")],
        description="Every valuation published, those of the future included, the first to take "
        "effect first.",
    )
    @staticmethod
    def valuations(
        root: Brand,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
    ) -> Connection[Valuation]:
        """From the registry's snapshot."""
        wanted = window(first, after, last, before)
        known = info.context.coalition.registry.snapshot.valuations(root.id)
        return slice_of(known, lambda each: each.effective_from.isoformat(), wanted)

    @resolved(
        graphql_type=Annotated["ProgramTermsType", strawberry.lazy("schema.programs")] | None,
        description="What it lays down for travel, as in force now; null if it never has.",
    )
    @staticmethod
    def program(root: Brand, info: Info) -> Program | None:
        """From the registry's snapshot."""
        programs = info.context.coalition.registry.snapshot.programs
        return programs.in_force(root.id, now())

    @resolved(
        graphql_type=Annotated["BookingConnection", strawberry.lazy("schema.bookings")],
        description="Bookings that concern it, the newest first: those with segments that its "
        "program credits or that it supplies. For itself and the operator; empty for others.",
    )
    @staticmethod
    async def bookings(
        root: Brand,
        info: Info,
        first: FirstOnly = strawberry.UNSET,
        after: After = strawberry.UNSET,
        status: WithStatus = None,
    ) -> Connection[Booking]:
        """Read by the page. Raises `BadPage`."""
        context, wanted = info.context, booking_window(first, after)
        found = bookings_of_brand(context.coalition, context.caller, root.id, wanted, status)
        return booking_list(await found)

    @resolved(
        graphql_type=Annotated["MissingCreditClaimConnection", strawberry.lazy("schema.claims")],
        description="Claims for missing credit at its program, and those that it decides and "
        "pays for, the newest first. For the brand and the operator; to others there are none.",
    )
    @staticmethod
    def claims(
        root: Brand,
        info: Info,
        first: FirstOnly = strawberry.UNSET,
        after: After = strawberry.UNSET,
        status: Status = None,
    ) -> Awaitable[Connection[CreditClaim]]:
        """Read by the page. Raises `BadPage`."""
        return claim_list(info.context, ClaimsOf(brand_id=root.id), first, after, status)

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Whether an object is a brand."""
        return isinstance(value, Brand)


@strawberry.type(name="BrandEdge", description="A brand in a list.")
class BrandEdge:
    """Resolved on `schema.connections.Edge`."""

    node: BrandType = strawberry.field(description="The brand.")
    cursor: str = strawberry.field(description="Where it stands in the list.")


@strawberry.type(name="BrandConnection", description="Brands, in the order of their codes.")
class BrandConnection:
    """Resolved on `schema.connections.Connection`."""

    edges: list[BrandEdge] = strawberry.field(description="The brands of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page begins and ends.")


@strawberry.type
class BrandQueries:
    """Queries about brands. What they tell is public to every caller."""

    @resolved(graphql_type=BrandType | None, description="The brand with this code.")
    @staticmethod
    def brand(
        info: Info,
        code: Annotated[str, strawberry.argument(description="The brand's code.")],
    ) -> Brand | None:
        """From the registry's snapshot."""
        try:
            return info.context.coalition.registry.snapshot.brand(code)
        except BrandNotFound:
            return None

    @resolved(graphql_type=BrandConnection, description="The brands of the coalition, by code.")
    @staticmethod
    def brands(
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
    ) -> Connection[Brand]:
        """From the registry's snapshot."""
        wanted = window(first, after, last, before)
        snapshot = info.context.coalition.registry.snapshot
        return slice_of(snapshot.brands, lambda brand: brand.code, wanted)
