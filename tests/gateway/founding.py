"""A brand whose loyalty numbers have a form of their own, for tests."""

from tests.gateway.stage import Json, Stage

RAIL_NUMBERS: Json = {"pattern": "RAIL\\d+", "length": 15, "check": "LUHN"}


async def found_rail(stage: Stage, code: str = "RAIL") -> None:
    """The railway, founded."""
    rail = {
        "code": code,
        "name": "Rail",
        "pointsName": "Miles",
        "timeZone": "UTC",
        "valuation": {"redemptionRate": "0.01"},
        "numberFormat": RAIL_NUMBERS,
    }
    assert (await stage.do("brandCreate", rail))["errors"] == []
