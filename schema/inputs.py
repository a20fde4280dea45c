"""Inputs that several concepts share."""

from typing import Annotated
from uuid import UUID

import strawberry

from brands.errors import MemberNotFound, MembershipNotFound
from brands.members import MemberBy
from brands.moving.recipients import Recipient
from brands.moving.routes import TransferRequest
from schema.nodes import Tag, id_of
from schema.scalars import Points

MAX_LIST = 100
"""The longest list in an input."""

IdempotencyKey = Annotated[
    str,
    strawberry.field(
        description="The client's own name for this request, 1 to 255 characters. The same key "
        "with the same input gives the same answer again and does nothing; with another input it "
        "is refused."
    ),
]


@strawberry.input(description="A membership by its loyalty number.")
class MembershipNumberInput:
    """A brand and a number of it."""

    brand: str = strawberry.field(description="The brand's code.")
    number: str = strawberry.field(description="The loyalty number at that brand.")


@strawberry.input(
    description="Another member, by what one knows of her. Whether it is the number or the surname "
    "that is wrong, is not told."
)
class RecipientInput:
    """See `brands.moving.recipients.Recipient`."""

    brand: str = strawberry.field(description="The code of a brand that she is a member of.")
    number: str = strawberry.field(description="Her loyalty number at that brand.")
    surname: str = strawberry.field(
        description="Her family name; case, accents, hyphens, apostrophes and spaces do not matter."
    )

    def recipient(self) -> Recipient:
        """As the domain has it."""
        return Recipient(self.brand, self.number, self.surname)


@strawberry.input(
    description="A transfer between two memberships. Give exactly one of `destination` and "
    "`recipient`, and exactly one of `pointsOut` and `pointsIn`."
)
class TransferQuoteInput:
    """See `brands.moving.routes.TransferRequest`."""

    source: strawberry.ID = strawberry.field(
        description="The id of the membership that the points leave."
    )
    destination: strawberry.ID | None = strawberry.field(
        description="The id of the same member's membership that the points arrive at."
    )
    recipient: RecipientInput | None = strawberry.field(
        description="Another member, whom the points are given to: at the same brand, or converted "
        "to another's."
    )
    points_out: Points | None = strawberry.field(description="How many points leave.")
    points_in: Points | None = strawberry.field(
        description="How many points arrive, at least: as few leave as will do."
    )

    def request(self) -> TransferRequest:
        """As the domain has it. Raises `MembershipNotFound`."""
        return TransferRequest(
            source=id_of(Tag.MEMBERSHIP, self.source, MembershipNotFound, path="source"),
            destination=None
            if self.destination is None
            else id_of(Tag.MEMBERSHIP, self.destination, MembershipNotFound, path="destination"),
            points_out=self.points_out,
            points_in=self.points_in,
            recipient=None if self.recipient is None else self.recipient.recipient(),
        )


@strawberry.input(
    name="MemberBy", one_of=True, description="A member, named in exactly one of four ways."
)
class MemberByInput:
    """See `brands.members.MemberBy`."""

    id: strawberry.ID | None = strawberry.field(description="By her global id.")
    coalition_number: str | None = strawberry.field(
        description="By her number in the whole coalition."
    )
    external_id: str | None = strawberry.field(
        description="By the name that this caller gave her on enrolment."
    )
    membership: MembershipNumberInput | None = strawberry.field(
        description="By her loyalty number at a brand."
    )

    def named(self) -> MemberBy | None:
        """As the domain has it; None for an id that is nobody's."""
        if self.id is None:
            numbered = self.membership and (self.membership.brand, self.membership.number)
            return MemberBy(
                coalition_number=self.coalition_number,
                external_id=self.external_id,
                membership=numbered or None,
            )
        identifier = self._member_id()
        return None if identifier is None else MemberBy(id=identifier)

    def required(self) -> MemberBy:
        """As the domain has it. Raises `MemberNotFound` for an id that is nobody's."""
        named = self.named()
        if named is None:
            raise MemberNotFound(path="member", name=self.id or "")
        return named

    def _member_id(self) -> UUID | None:
        try:
            return id_of(Tag.MEMBER, self.id or "", MemberNotFound, path="member")
        except MemberNotFound:
            return None
