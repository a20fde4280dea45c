"""Inputs that several concepts share."""

from typing import Annotated
from uuid import UUID

import strawberry

from brands.errors import MemberNotFound
from brands.members import MemberBy
from schema.nodes import Tag, id_of

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
