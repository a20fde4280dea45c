"""Attempts: who is put off for wrong credentials, and who is not."""

import pytest

from brands.buckets import Rate
from tests.gateway.stage import Stage, open_stage

VIEWER = "{ viewer { kind } }"
FEW, MORE = 10, 30


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few attempts are allowed."""
    monkeypatch.setattr("gateway.callers.attempts.WRONG", Rate(FEW, 1))
    monkeypatch.setattr("gateway.callers.attempts.WRONG_IN_ALL", Rate(MORE, 1))


async def knock(stage: Stage, token: str) -> int:
    """The status of one question."""
    return (await stage.post({"query": VIEWER}, token)).status_code


async def test_a_key_of_another_is_looked_at(sqlite_url: str) -> None:
    """Whoever tries one key too often shuts out that key, and no other behind the same address."""
    async with open_stage(sqlite_url) as stage:
        tried = stage.tokens["aero"]
        wrong = tried[:-5] + ("A" * 5 if not tried.endswith("A" * 5) else "B" * 5)
        assert [await knock(stage, wrong) for _ in range(FEW)] == [401] * FEW
        assert await knock(stage, wrong) == 429
        assert await knock(stage, tried) == 429
        assert await knock(stage, stage.tokens["hotel"]) == 200


async def test_all_attempts_of_an_address_are_bounded(sqlite_url: str) -> None:
    """Whoever tries many keys is put off in the end."""
    async with open_stage(sqlite_url) as stage:
        rest = stage.tokens["aero"].partition(".")[2]
        tokens = [f"ck_b_{number:016x}.{rest}" for number in range(MORE + 1)]
        statuses = [await knock(stage, token) for token in tokens]
        assert statuses == [401] * MORE + [429]
        refused = await stage.post({"query": VIEWER}, tokens[0])
        (error,) = refused.json()["errors"]
        assert error["message"].startswith("Too many wrong credentials from this address.")
        assert error["extensions"] == {"code": "THROTTLED"}
        assert int(refused.headers["retry-after"]) >= 1
