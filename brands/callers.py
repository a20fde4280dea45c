"""Who is asking. Identity comes from the credential, never from an argument.

The rules of who may do what are stated here once, as small questions that services ask before they
act. They fail closed: what is not granted is refused, and what a caller may not see is answered as
if it did not exist.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from brands.errors import NotPermitted


class CallerKind(StrEnum):
    """The kinds of credential."""

    OPERATOR = "OPERATOR"
    BRAND = "BRAND"
    AGENCY = "AGENCY"
    MEMBER = "MEMBER"


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated client. `client` is the namespace of its idempotency keys."""

    kind: CallerKind
    client: str
    scopes: frozenset[str] = field(default=frozenset())
    brand_id: UUID | None = None
    member_id: UUID | None = None
    request_id: str = ""
    agency_id: UUID | None = None

    @property
    def is_operator(self) -> bool:
        """Whether this caller runs the coalition."""
        return self.kind is CallerKind.OPERATOR

    def require_operator(self) -> None:
        """Raises `NotPermitted` unless the caller runs the coalition."""
        if not self.is_operator:
            raise NotPermitted

    def acts_for_brand(self, brand_id: UUID) -> bool:
        """Whether the caller administers this brand: the operator, or the brand itself."""
        return self.is_operator or (self.kind is CallerKind.BRAND and self.brand_id == brand_id)

    def sees_membership(self, brand_id: UUID, member_id: UUID) -> bool:
        """Whether a membership exists for this caller: the operator's all, a brand's own, hers."""
        if self.kind is CallerKind.MEMBER:
            return self.member_id == member_id
        return self.acts_for_brand(brand_id)

    def sees_agency(self, agency_id: UUID) -> bool:
        """Whether an agency exists for this caller: for the operator, and for itself."""
        return self.is_operator or (self.kind is CallerKind.AGENCY and self.agency_id == agency_id)

    def sees_profile(self, member_id: UUID, at_brands: frozenset[UUID]) -> bool:
        """Whether personal data may be shown: hers, a brand's own members', or scope `pii`."""
        if self.kind is CallerKind.MEMBER:
            return self.member_id == member_id
        if self.kind is CallerKind.BRAND:
            return self.brand_id in at_brands
        return self.is_operator and "pii" in self.scopes
