"""What a brand lays down for travel that is credited to its program: its earn chart, and the rest.

Pure, but for the form in which it is stored. An earning engine that reckons what a journey earns
will take the chart's place; until then the brand says so in rows, the first that fits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from brands.itineraries import Facts, Flight


class ChartRow(NamedTuple):
    """What a flight earns, or each night of a stay: only one of these is given.

    It is of any carrier, booking class or fare, but for those it names; a stay has a rate code for
    a fare, and its chain for a carrier. With no points it says why.
    """

    per_segment: int | None = None
    per_night: int | None = None
    carrier: str | None = None
    booking_classes: tuple[str, ...] = ()
    fare_prefix: str | None = None
    reason: str | None = None

    def fits(self, facts: Facts) -> bool:
        """Whether it speaks of this flight or stay."""
        if isinstance(facts, Flight):
            return (
                self.per_segment is not None
                and self.carrier in (None, facts.flown_by)
                and (not self.booking_classes or facts.booking_class in self.booking_classes)
                and (facts.fare_basis or "").startswith(self.fare_prefix or "")
            )
        return (
            self.per_night is not None
            and self.carrier in (None, facts.chain)
            and (facts.rate_code or "").startswith(self.fare_prefix or "")
        )

    def earned(self, facts: Facts) -> "Earned":
        """What it gives."""
        if isinstance(facts, Flight):
            return Earned(self.per_segment or 0, self.reason)
        return Earned((self.per_night or 0) * facts.nights, self.reason)


class Earned(NamedTuple):
    """What a flight or stay earns, and why, where the chart says so."""

    points: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class ProgramTerms:
    """A brand's terms of travel. `carriers` is how the trade names it; within `claim_window_months`
    of travel credit that is missing can be claimed; points are shown as pending where
    `pending_shown`."""

    carriers: tuple[str, ...] = ()
    claim_window_months: int = 6
    pending_shown: bool = False
    chart: tuple[ChartRow, ...] = field(default=())

    def earned(self, facts: Facts) -> Earned | None:
        """By the first row that fits; None where no row does, and so nothing can be said."""
        return next((row.earned(facts) for row in self.chart if row.fits(facts)), None)


@dataclass(frozen=True, slots=True)
class TermsChange:
    """Terms as they are to be; what is None stays as it is."""

    carriers: tuple[str, ...] | None = None
    claim_window_months: int | None = None
    pending_shown: bool | None = None
    chart: tuple[ChartRow, ...] | None = None

    def made_to(self, terms: ProgramTerms) -> ProgramTerms:
        """The terms after it."""
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(terms, **{name: value for name, value in said.items() if value is not None})


NO_TERMS = ProgramTerms()
"""Of a brand that has published none: it is no carrier, and nothing can be said of its points."""


@dataclass(frozen=True, slots=True)
class Program:
    """Terms as published: in force from then on, until the brand's next. `epoch` rises from one
    that is published to the next."""

    id: UUID
    brand_id: UUID
    terms: ProgramTerms
    effective_from: datetime
    epoch: int = 0


class Programs:
    """All terms of all brands that hold or will, as of one moment. Immutable.

    What a brand publishes holds from its beginning on; what it had published to begin then or later
    is withdrawn by it.
    """

    def __init__(self, programs: Iterable[Program] = ()) -> None:
        self._by_brand: dict[UUID, list[Program]] = {}
        for program in sorted(programs, key=lambda each: each.epoch):
            published = self._by_brand.setdefault(program.brand_id, [])
            while published and published[-1].effective_from >= program.effective_from:
                published.pop()
            published.append(program)

    def all(self) -> Sequence[Program]:
        """Every one that is not withdrawn."""
        return [each for of_brand in self._by_brand.values() for each in of_brand]

    def of_brand(self, brand_id: UUID) -> Sequence[Program]:
        """A brand's, the first to take effect first; future ones included."""
        return self._by_brand.get(brand_id, ())

    def terms(self, brand_id: UUID, at: datetime) -> ProgramTerms:
        """A brand's terms in force at an instant."""
        program = self.in_force(brand_id, at)
        return NO_TERMS if program is None else program.terms

    def in_force(self, brand_id: UUID, at: datetime) -> Program | None:
        """The same as published; None where it has published none that has begun."""
        begun = [each for each in self.of_brand(brand_id) if each.effective_from <= at]
        return begun[-1] if begun else None

    def terms_for(self, brand_id: UUID, travelled_at: datetime, now: datetime) -> ProgramTerms:
        """The terms by which travel at an instant earns: those in force then; of travel before a
        brand's first terms, these, once they have begun."""
        first = next(iter(self.of_brand(brand_id)), None)
        if first is not None and travelled_at < first.effective_from <= now:
            return first.terms
        return self.terms(brand_id, travelled_at)

    def named(self, designator: str, at: datetime) -> UUID | None:
        """The brand that the trade calls so at an instant, if there is one."""
        return next(
            (id for id in self._by_brand if designator in self.terms(id, at).carriers), None
        )

    def claimed_by(self, designator: str, since: datetime, *, but: UUID) -> UUID | None:
        """Another brand that is called so at that instant, or is to be called so later."""
        for brand_id, programs in self._by_brand.items():
            later = [each.terms for each in programs if each.effective_from > since]
            terms = (self.terms(brand_id, since), *later)
            if brand_id != but and any(designator in each.carriers for each in terms):
                return brand_id
        return None


def supplier_of(programs: Programs, program: UUID, facts: Facts, at: datetime) -> UUID:
    """The brand that supplies a flight or stay, and so pays for its points: by who operates it, by
    who sells it, or, where neither is a brand, the one whose program it is credited to."""
    found = (programs.named(each, at) for each in facts.sellers)
    return next((brand_id for brand_id in found if brand_id is not None), program)


def terms_to_text(terms: ProgramTerms) -> str:
    """Terms as they are stored."""
    return orjson.dumps(
        {
            "carriers": terms.carriers,
            "claim_window_months": terms.claim_window_months,
            "pending_shown": terms.pending_shown,
            "chart": [row._asdict() for row in terms.chart],
        }
    ).decode()


@lru_cache(maxsize=1_024)
def terms_from_text(text: str) -> ProgramTerms:
    """The terms that `terms_to_text` wrote."""
    said: dict[str, Any] = orjson.loads(text)
    chart = [
        ChartRow(**{**row, "booking_classes": tuple(row["booking_classes"])})
        for row in said["chart"]
    ]
    return ProgramTerms(
        tuple(said["carriers"]), said["claim_window_months"], said["pending_shown"], tuple(chart)
    )
