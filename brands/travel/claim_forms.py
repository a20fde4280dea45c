"""A claim for missing credit in due form: what is claimed, by whom, and for which number."""

from dataclasses import dataclass, replace
from uuid import UUID

from brands import bounds
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.errors import InvalidInput, NotPermitted
from brands.itineraries import Facts, Flight, checked_flight, checked_stay
from brands.naming.number_reading import bare, judge
from brands.naming.numbers import MAX_NUMBER
from brands.registry import Brand
from brands.travel.bookings import Passenger, checked_number, checked_passenger
from brands.travel.claims import CreditClaim, Evidence

MAX_EVIDENCE = 10
MAX_VALUE = 500


@dataclass(frozen=True, slots=True)
class NewClaim:
    """A flight or stay that is to be credited to a number of a brand (its code), and what shows
    that it was made. A member need not say her name."""

    brand: str
    number: str
    traveller: Passenger | None
    facts: Facts
    evidence: tuple[Evidence, ...]
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A claim in due form: by whom, for whom, and of what brand."""

    new: NewClaim
    brand: Brand
    number: str
    agency_id: UUID | None
    member_id: UUID | None

    @property
    def claimant(self) -> UUID:
        """Who claims."""
        claimant = self.agency_id or self.member_id
        assert claimant is not None
        return claimant

    @property
    def written(self) -> tuple[str, str | None] | None:
        """The traveller's name as it was given, if it was."""
        who = self.new.traveller
        return None if who is None else (who.surname, who.given_name)

    def is_from(self, claim: CreditClaim) -> bool:
        """Whether another claim is of the same claimant."""
        return self.claimant in (claim.agency_id, claim.member_id)

    def is_same_name(self, claim: CreditClaim) -> bool:
        """Whether another claim of the same claimant is for the same traveller: a member claims for
        herself, whatever name she gives; names that are not known count as the same."""
        one, other = self.new.traveller, claim.traveller
        if self.member_id is not None or one is None or other is None:
            return True
        return one.told_apart_by == other.told_apart_by


def asked_of(coalition: Coalition, caller: Caller, given: NewClaim) -> Asked:
    """The same in due form. Raises `NotPermitted`, `BrandNotFound`, `InvalidInput`."""
    is_agency = caller.kind is CallerKind.AGENCY
    if (caller.agency_id if is_agency else caller.member_id) is None:
        raise NotPermitted
    if not 1 <= len(given.evidence) <= MAX_EVIDENCE:
        reason = f"Give 1 to {MAX_EVIDENCE} pieces of evidence."
        raise InvalidInput(path="evidence", reason=reason)
    evidence = tuple(
        replace(each, value=bounds.text(each.value, f"evidence.{place}.value", MAX_VALUE))
        for place, each in enumerate(given.evidence)
    )
    facts = (
        checked_flight(given.facts, "flight")
        if isinstance(given.facts, Flight)
        else checked_stay(given.facts, "stay")
    )
    new = replace(given, facts=facts, evidence=evidence, traveller=_traveller(given, is_agency))
    brand = coalition.registry.snapshot.brand(given.brand, path="loyalty.brand")
    written = bounds.text(given.number, "loyalty.number", MAX_NUMBER)
    if is_agency:
        return Asked(new, brand, checked_number(brand, written), caller.agency_id, None)
    number = judge(written, brand.number_format).number or bare(written)
    return Asked(new, brand, number, None, caller.member_id)


def _traveller(given: NewClaim, is_agency: bool) -> Passenger | None:
    who = given.traveller
    if who is None:
        if is_agency:
            raise InvalidInput(path="traveller", reason="An agency says who has travelled.")
        return None
    return checked_passenger(who, "traveller")
