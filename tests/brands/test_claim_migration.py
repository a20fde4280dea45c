"""Claims of before they were withdrawn, and before taking one back was a step of its own."""

from pathlib import Path

import pytest
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

from brands.coalition import found, open_coalition
from brands.database import _tortoise_config, migrate, open_database
from brands.ids import new_id
from brands.travel.claims import ClaimStatus, all_claims
from tests.postgres import Databases


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path, postgres: Databases) -> str:
    """A database in which there is nothing yet, of each kind in turn."""
    if request.param == "postgresql":
        return postgres.fresh_database()
    return f"sqlite:///{tmp_path / 'old.db'}"


async def _migrate_to(url: str, name: str) -> None:
    database = await open_database(url)
    try:
        with database.active():
            apps = _tortoise_config(database.target, 2)["apps"]
            target = MigrationTarget("brands", name)
            await MigrationExecutor(database.client, apps).migrate([target], direction="forward")
    finally:
        await database.close()


async def test_what_was_taken_back_before_says_so(new_url: str) -> None:
    """A claim whose credit was taken back gets a step that says why and when; the others are as
    they were, all have the days of their journeys, and whatever is done to one can be written."""
    await _migrate_to(new_url, "m0011_claims")
    await found(new_url, name="Test", books=1)
    voided, standing, rejected, brand, member = (new_id(0) for _ in range(5))
    database = await open_database(new_url)
    claim = "INSERT INTO credit_claims VALUES (0, $1, $2, NULL, $2, 'A1', NULL, $2, $3, 1)"
    step = "INSERT INTO credit_claim_steps VALUES (0, $1, $2, $3, $4, $5, $6, 'brand', $7)"
    facts = '{"carrier": "AE", "number": "1", "origin": "LIS", "departs_on": "2026-01-05"}'
    stay = '{"place": "LISBON 1", "check_in": "2026-01-05", "check_out": "2026-01-07"}'
    claims = [voided, standing, rejected]
    for each in claims:
        await database.fetch(claim, each, brand, stay if each == rejected else facts)
        await database.fetch(step, each, 0, "OPEN", None, None, None, 1)
    await database.fetch(step, rejected, 1, "REJECTED", None, "No.", None, 2)
    for each in (voided, standing):
        await database.fetch(step, each, 1, "APPROVED", 500, "Yes.", each, 2)
        flown = "INSERT INTO flown VALUES (0, $1, $2, 0, $3, $4, $5)"
        await database.fetch(flown, member, f"flight/{each}", 0, each, 2)
        if each == voided:
            await database.fetch(flown, member, f"flight/{each}", 1, each, 7)
    await database.fetch(
        "INSERT INTO transactions (book, id, kind, event_at, recorded_at, client, request_id,"
        " description, reverses, points, position)"
        " VALUES (0, $1, 'REVERSAL', 7, 7, 'clerk', '', 'A mistake.', $2, 500, 1)",
        *(new_id(0), voided),
    )
    await database.close()
    for _ in range(2):
        await migrate(new_url)
    coalition = await open_coalition(new_url)
    try:
        by_id = {each.id: each for each in await all_claims(coalition, claims)}
        one, two, three = (by_id[id] for id in claims)
        assert (one.status, one.step, one.reason) == (ClaimStatus.VOIDED, 2, "A mistake.")
        assert (one.points, one.transaction_id, one.is_appealed) == (500, voided, False)
        assert (two.status, two.step, two.reason) == (ClaimStatus.APPROVED, 1, "Yes.")
        assert (three.status, three.step, three.reason) == (ClaimStatus.REJECTED, 1, "No.")
        assert [each.changed_at.microsecond for each in (one, two, three)] == [7, 2, 2]
        days = await coalition.database.fetch(
            "SELECT DISTINCT begins_on, travelled_on FROM credit_claims ORDER BY travelled_on"
        )
        assert [tuple(row.values()) for row in days] == [
            ("2026-01-05", "2026-01-05"),
            ("2026-01-05", "2026-01-07"),
        ]
        await coalition.database.fetch(step, rejected, 2, "WITHDRAWN", None, None, None, 9)
        for wrong in (("LOST", None, None, None), ("VOIDED", None, "Why.", None)):
            with pytest.raises(Exception, match=r"(?i)check"):
                await coalition.database.fetch(step, standing, 2, *wrong, 9)
        with pytest.raises(Exception, match="append-only"):
            await coalition.database.fetch("DELETE FROM credit_claim_steps")
    finally:
        await coalition.close()
