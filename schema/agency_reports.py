"""A travel agency's report: how many of its bookings and claims became what."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.agencies import Agency
from brands.errors import DomainError
from brands.registry import Brand
from brands.travel.agency_reports import AgencyReport, ReportLine, report_of
from brands.travel.bookings import SegmentStatus
from brands.travel.claims import ClaimStatus
from schema.context import Info
from schema.errors import UserError, told
from schema.fields import derived, resolved

if TYPE_CHECKING:
    from schema.agencies import AgencyType
    from schema.brands import BrandType


def _of(status: SegmentStatus | ClaimStatus, description: str) -> int:
    found: int = derived(lambda counts: counts[status], graphql_type=int, description=description)
    return found


def _total(description: str) -> int:
    found: int = derived(
        lambda counts: sum(counts.values()), graphql_type=int, description=description
    )
    return found


@strawberry.type(
    name="AgencyJourneyCounts",
    description="How many flights, or stays, became what. Each is counted once, as it stands now: "
    "`attached` is the sum of the others.",
)
class AgencyJourneyCountsType:
    """Resolved on a mapping by status."""

    attached: int = _total("All that had a loyalty number attached.")
    pending: int = _of(SegmentStatus.PENDING, "Not confirmed yet.")
    credited: int = _of(SegmentStatus.CREDITED, "Travelled and credited.")
    ineligible: int = _of(SegmentStatus.INELIGIBLE, "Travelled, and earning nothing.")
    not_credited: int = _of(SegmentStatus.NOT_CREDITED, "Travelled, and not credited.")
    detached: int = _of(SegmentStatus.DETACHED, "Detached by the agency.")
    voided: int = _of(SegmentStatus.VOIDED, "Voided, before or after they were credited.")


@strawberry.type(
    name="AgencyClaimCounts",
    description="How many claims for missing credit became what. Each is counted once, as it "
    "stands now: `made` is the sum of the others.",
)
class AgencyClaimCountsType:
    """Resolved on a mapping by status."""

    made: int = _total("All that were made.")
    open: int = _of(ClaimStatus.OPEN, "Not decided yet.")
    appealed: int = _of(ClaimStatus.APPEALED, "Appealed against, and not decided again yet.")
    approved: int = _of(ClaimStatus.APPROVED, "Approved and credited.")
    rejected: int = _of(ClaimStatus.REJECTED, "Rejected.")
    voided: int = _of(ClaimStatus.VOIDED, "Approved, and taken back since.")
    withdrawn: int = _of(ClaimStatus.WITHDRAWN, "Withdrawn before it was decided on.")


@strawberry.type(name="AgencyReportLine", description="An agency's business with one brand.")
class AgencyReportLineType:
    """Resolved on `brands.travel.agency_reports.ReportLine`."""

    flights: Mapping[SegmentStatus, int] = strawberry.field(
        graphql_type=AgencyJourneyCountsType, description="Flights, by the day of departure."
    )
    stays: Mapping[SegmentStatus, int] = strawberry.field(
        graphql_type=AgencyJourneyCountsType, description="Stays, by the day of check-out."
    )
    claims: Mapping[ClaimStatus, int] = strawberry.field(
        graphql_type=AgencyClaimCountsType,
        description="Claims, by the day on which they were made, in the brand's time zone.",
    )

    @resolved(
        graphql_type=Annotated["BrandType", strawberry.lazy("schema.brands")],
        description="The brand whose loyalty numbers they have.",
    )
    @staticmethod
    def brand(root: ReportLine, info: Info) -> Brand:
        """From the registry's snapshot."""
        return info.context.loaders.brand(root.brand_id)


@strawberry.type(
    name="AgencyReport",
    description="What became of an agency's bookings and claims: the basis of its commission. "
    "There are no members' points in it.",
)
class AgencyReportType:
    """Resolved on `brands.travel.agency_reports.AgencyReport`."""

    agency: Agency = strawberry.field(
        graphql_type=Annotated["AgencyType", strawberry.lazy("schema.agencies")],
        description="The agency.",
    )
    from_: date = derived(
        lambda report: report.first_day, name="from", description="The first day of the period."
    )
    to: date = derived(lambda report: report.last_day, description="The last day of the period.")
    lines: list[ReportLine] = strawberry.field(
        graphql_type=list[AgencyReportLineType],
        description="A line for each brand with which there was business, by code.",
    )


@strawberry.type(description="The answer to `agencyReport`.")
class AgencyReportPayload:
    """Either a report or errors."""

    report: AgencyReport | None = strawberry.field(
        default=None,
        graphql_type=AgencyReportType | None,
        description="The report; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why there is none; empty if there is one."
    )


@strawberry.type
class AgencyReportQueries:
    """Queries about agencies' business."""

    @resolved(
        description="What became of a travel agency's bookings and claims in a period. For the "
        "agency, and for the operator."
    )
    @staticmethod
    async def agency_report(
        info: Info,
        from_: Annotated[
            date, strawberry.argument(name="from", description="The first day of the period.")
        ],
        to: Annotated[
            date,
            strawberry.argument(description="Its last day; at most 366 days are one period."),
        ],
        agency: Annotated[
            str | None,
            strawberry.argument(description="The agency's code; who asks, if left out."),
        ] = None,
    ) -> AgencyReportPayload:
        """One report."""
        context = info.context
        try:
            report = await report_of(context.coalition, context.caller, agency or None, from_, to)
        except DomainError as error:
            return AgencyReportPayload(errors=told(error))
        return AgencyReportPayload(report=report)
