"""Alarms in the log: each one a warning, told once, by whichever worker finds it first."""

from brands.alarms import unreported_alarms
from brands.coalition import Coalition
from gateway.logs import logger


async def report_alarms(coalition: Coalition) -> int:
    """Logs the alarms that were raised since; of how many."""
    found = await unreported_alarms(coalition)
    for alarm in found:
        logger().warning(
            "alarm",
            kind=alarm.kind,
            caller_kind=alarm.caller_kind,
            client=alarm.client,
            brand=coalition.registry.snapshot.brand_by_id(alarm.brand_id).code,
            misses=alarm.misses,
            raised_at=alarm.at.isoformat(),
            request=alarm.request_id,
        )
    return len(found)
