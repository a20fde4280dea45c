"""What the demo's airline and hotels lay down for travel, so that its agency can book something."""

from brands.callers import Caller
from brands.coalition import Coalition
from brands.program_terms import ChartRow, ProgramTerms
from brands.travel.programs import publish_terms

PROGRAMS = {
    "AERO": ProgramTerms(
        carriers=("AM",),
        claim_window_months=12,
        pending_shown=True,
        chart=(
            ChartRow(per_segment=0, fare_prefix="ID", reason="Staff tickets earn no miles."),
            ChartRow(per_segment=2_500, carrier="AM", booking_classes=("J", "C")),
            ChartRow(per_segment=1_000, carrier="AM"),
            ChartRow(per_night=250, carrier="STAY"),
        ),
    ),
    "STAY": ProgramTerms(
        carriers=("STAY",),
        pending_shown=True,
        chart=(
            ChartRow(per_night=0, fare_prefix="OTA", reason="Booked through another site."),
            ChartRow(per_night=600, carrier="STAY"),
            ChartRow(per_segment=400, carrier="AM"),
        ),
    ),
}
"""By brand. Each gives less for what the other supplies."""


async def ensure_programs(coalition: Coalition, caller: Caller) -> None:
    """Publishes the terms of brands that never had any. What was published since is left alone."""
    for code, terms in PROGRAMS.items():
        snapshot = coalition.registry.snapshot
        if not snapshot.programs.of_brand(snapshot.brand(code).id):
            await publish_terms(coalition, caller, code, terms, None)
