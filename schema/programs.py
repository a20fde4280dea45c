"""What a brand lays down for travel that is credited to its program, and what a journey earns."""

from datetime import datetime
from typing import Annotated

import strawberry

from brands.errors import DomainError
from brands.itineraries import Facts, Flight, Stay
from brands.program_terms import ChartRow, Program, TermsChange
from brands.travel.programs import Estimate, Journey, estimate, publish_terms
from schema.context import Info
from schema.errors import UserError, told
from schema.fields import derived, mutation, resolved
from schema.journeys import FlightInput, FlightType, StayInput, StayType
from schema.scalars import Points


@strawberry.type(
    description="A row of an earn chart: what a flight earns, or each night of a stay. The first "
    "row that fits holds."
)
class EarnChartRow:
    """Resolved on `brands.program_terms.ChartRow`."""

    points_per_segment: Points | None = derived(
        lambda row: row.per_segment, description="What a flight earns; null if this is of stays."
    )
    points_per_night: Points | None = derived(
        lambda row: row.per_night,
        description="What each night of a stay earns; null if this is of flights.",
    )
    carrier: str | None = strawberry.field(
        description="The carrier that operates the flight, or the chain; null for any."
    )
    booking_classes: list[str] = derived(
        lambda row: list(row.booking_classes), description="Of a flight; empty for any."
    )
    fare_basis_prefix: str | None = derived(
        lambda row: row.fare_prefix,
        description="What the fare basis, or the rate code, begins with; null for any.",
    )
    reason: str | None = strawberry.field(description="Why so, above all where it earns nothing.")


@strawberry.type(
    name="ProgramTerms",
    description="What a brand lays down for travel that is credited to its program. It is public.",
)
class ProgramTermsType:
    """Resolved on `brands.program_terms.Program`."""

    carriers: list[str] = derived(
        lambda program: list(program.terms.carriers),
        description="How the trade names the brand: designators of carriers and chains.",
    )
    claim_window_months: int = derived(
        lambda program: program.terms.claim_window_months,
        description="Within so many months of travel, credit that is missing can be claimed.",
    )
    pending_shown: bool = derived(
        lambda program: program.terms.pending_shown,
        description="Whether points are shown as pending from the moment a number is attached.",
    )
    chart: list[EarnChartRow] = derived(
        lambda program: program.terms.chart,
        description="What travel earns, the first row that fits. Where none does, nothing can be "
        "said in advance.",
    )
    effective_from: datetime = strawberry.field(description="When the terms came into force.")


@strawberry.input(description="A row of an earn chart. Give exactly one number of points.")
class EarnChartRowInput:
    """See `brands.program_terms.ChartRow`."""

    points_per_segment: Points | None = strawberry.field(
        description="What a flight earns. 0 with a reason for what is not eligible."
    )
    points_per_night: Points | None = strawberry.field(description="What a night of a stay earns.")
    carrier: str | None = strawberry.field(
        description="Only of this carrier, which operates the flight, or of this chain."
    )
    booking_classes: list[str] | None = strawberry.field(description="Only of these classes.")
    fare_basis_prefix: str | None = strawberry.field(
        description="Only where the fare basis, or the rate code, begins so."
    )
    reason: str | None = strawberry.field(description="Why so, in 1 to 500 characters.")

    def row(self) -> ChartRow:
        """As the domain has it."""
        return ChartRow(
            self.points_per_segment,
            self.points_per_night,
            self.carrier,
            tuple(self.booking_classes or ()),
            self.fare_basis_prefix,
            self.reason,
        )


@strawberry.input(
    description="What a brand lays down for travel. What is left out, or null, stays as the newest "
    "terms that the brand has published have it; an empty list empties it."
)
class ProgramTermsPublishInput:
    """See `brands.travel.programs.publish_terms`."""

    brand: str = strawberry.field(description="The brand's code.")
    carriers: list[str] | None = strawberry.field(
        description="How the trade names the brand: 2 to 8 capitals and digits each, like BA. No "
        "two brands are named alike. All of them; at first there are none."
    )
    claim_window_months: int | None = strawberry.field(
        description="Within so many months missing credit can be claimed; at first 6."
    )
    pending_shown: bool | None = strawberry.field(
        description="Whether members see points as pending; at first they do not."
    )
    chart: list[EarnChartRowInput] | None = strawberry.field(
        description="What travel earns, at most 100 rows; the first that fits holds. The whole "
        "chart; at first it is empty."
    )
    effective_from: datetime | None = strawberry.field(
        description="When they come into force, not in the past; now if left out. What was to "
        "begin then or later is withdrawn."
    )

    def change(self) -> TermsChange:
        """As the domain has it."""
        return TermsChange(
            carriers=None if self.carriers is None else tuple(self.carriers),
            claim_window_months=self.claim_window_months,
            pending_shown=self.pending_shown,
            chart=None if self.chart is None else tuple(row.row() for row in self.chart),
        )


@strawberry.type(description="The answer to `programTermsPublish`.")
class ProgramTermsPublishPayload:
    """Either terms or errors."""

    program: Program | None = strawberry.field(
        default=None,
        graphql_type=ProgramTermsType | None,
        description="The terms as published; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.input(description="A journey, of which is asked what it would earn.")
class AccrualEstimateInput:
    """See `brands.travel.programs.estimate`."""

    brand: str = strawberry.field(description="The code of the brand whose points they would be.")
    segments: list[FlightInput] | None = strawberry.field(description="Flights.")
    stays: list[StayInput] | None = strawberry.field(description="Stays.")

    def journey(self) -> Journey:
        """As the domain has it."""
        flights = tuple(each.flight() for each in self.segments or ())
        return Journey(flights, tuple(each.stay() for each in self.stays or ()))


@strawberry.type(description="What a flight or a stay would earn, as things stand.")
class AccrualEstimate:
    """Resolved on `brands.travel.programs.Estimate`."""

    points: Points | None = derived(
        lambda found: None if found.earned is None else found.earned.points,
        description="The points; null where nothing can be said in advance.",
    )
    reason: str | None = derived(
        lambda found: None if found.earned is None else found.earned.reason,
        description="Why so, where the chart says why.",
    )
    flight: Facts | None = derived(
        lambda found: found.facts if isinstance(found.facts, Flight) else None,
        graphql_type=FlightType | None,
        description="The flight, as it was understood; null if it is a stay.",
    )
    stay: Facts | None = derived(
        lambda found: found.facts if isinstance(found.facts, Stay) else None,
        graphql_type=StayType | None,
        description="The stay, as it was understood; null if it is a flight.",
    )


@strawberry.type(description="The answer to `accrualEstimate`.")
class AccrualEstimatePayload:
    """Either estimates or errors."""

    estimates: list[Estimate] = strawberry.field(
        default_factory=list,
        graphql_type=list[AccrualEstimate],
        description="One for each flight, then one for each stay; empty if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class ProgramQueries:
    """Queries about programs."""

    @resolved(
        description="What flights and stays would earn at a brand's program, by its chart as it "
        "stands. Nothing is promised: the brand says what is earned once it is travelled."
    )
    @staticmethod
    def accrual_estimate(
        info: Info,
        input: Annotated[AccrualEstimateInput, strawberry.argument(description="The journey.")],
    ) -> AccrualEstimatePayload:
        """From the registry's snapshot."""
        try:
            found = estimate(info.context.coalition, input.brand, input.journey())
        except DomainError as error:
            return AccrualEstimatePayload(errors=told(error))
        return AccrualEstimatePayload(estimates=found)


@strawberry.type
class ProgramMutations:
    """Mutations of programs."""

    @mutation(
        description="Publishes what a brand lays down for travel: how the trade names it, and what "
        "flights and stays earn. What is left out stays as the newest terms have it. For the "
        "operator, and for the brand. Publishing the newest terms again changes nothing."
    )
    @staticmethod
    async def program_terms_publish(
        info: Info,
        input: Annotated[ProgramTermsPublishInput, strawberry.argument(description="The terms.")],
    ) -> ProgramTermsPublishPayload:
        """One brand's."""
        context = info.context
        try:
            program = await publish_terms(
                context.coalition,
                context.caller,
                input.brand,
                input.change(),
                input.effective_from,
            )
        except DomainError as error:
            return ProgramTermsPublishPayload(errors=told(error))
        return ProgramTermsPublishPayload(program=program)
