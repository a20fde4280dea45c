"""The walk of the contract: whoever asks for whatever, the laws of an answer hold."""

import io
from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from brands.buckets import Rate
from gateway.logs import configure_logs
from schema.root import SCHEMA
from tests.gateway.stage import Stage, open_stage
from tests.gateway.walk import Walk, operations

CONTRACT = SCHEMA._schema
EXAMPLES = {"sqlite": 2_000, "postgresql": 400}
KINDS = ("operator", "brand", "agency", "member", "anonymous")
RATES = {f"rate_{kind}": Rate(10**9, 10**9) for kind in KINDS}
SHOWN, LENGTH = 5, 5_000
"""So many broken laws are told, and so much of each; the others most likely are of one cause."""


@pytest.fixture
def written() -> Iterator[io.BytesIO]:
    """What the process logs."""
    to = io.BytesIO()
    configure_logs(to)
    yield to
    structlog.reset_defaults()


@pytest.fixture
async def unhurried(url: str) -> AsyncIterator[Stage]:
    """A gateway whose callers may ask as often as they like."""
    async with open_stage(url, **RATES) as opened:
        yield opened


async def test_whoever_asks_for_whatever(unhurried: Stage, written: io.BytesIO) -> None:
    """Every operation answers every kind of caller in time, in due form and with a documented code;
    tells nobody what is not for it, not even the log; changes nothing but what it says; and the
    books are in order afterwards."""
    stage = unhurried
    database = "sqlite" if stage.coalition.database.is_sqlite else "postgresql"
    walk = Walk(stage, CONTRACT)
    await walk.go(EXAMPLES[database])
    if walk.found:
        told = "\n".join(each[:LENGTH] for each in walk.found[:SHOWN])
        pytest.fail(f"{len(walk.found)} broken laws:\n{told}")
    log = written.getvalue().decode()
    texts = [canary.text for canary in walk.cast.canaries] + walk.cast.secrets()
    assert [text for text in texts if text in log] == []
    assert '"level":"error"' not in log
    assert await stage.audit() == []
    if database == "sqlite":
        listed = {field for _, field in operations(CONTRACT)}
        done = {field for field, outcome in walk.outcomes if outcome == "done"}
        refused = {field for field, outcome in walk.outcomes if outcome == "refused"}
        assert listed <= done | refused, "never answered"
        assert len(listed - done) <= len(listed) // 10, f"never carried out: {listed - done}"
