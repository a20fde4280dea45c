"""Fixtures: a gateway that is up, on each database in turn."""

import io
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from gateway.logs import configure_logs
from tests.brands.conftest import postgres_template, postgres_url, sqlite_template, url
from tests.gateway.stage import Stage, open_stage

__all__ = ["postgres_template", "postgres_url", "sqlite_template", "stage", "url"]


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite database in which a coalition was founded and nothing has happened yet."""
    shutil.copy(sqlite_template, tmp_path / "coalition.db")
    return f"sqlite:///{tmp_path / 'coalition.db'}"


@pytest.fixture
async def stage(url: str) -> AsyncIterator[Stage]:
    """A gateway over a coalition of four brands, with credentials of each kind."""
    async with open_stage(url) as opened:
        yield opened


@pytest.fixture
def lines() -> Iterator[io.BytesIO]:
    """What the process logs."""
    written = io.BytesIO()
    configure_logs(written)
    yield written
    structlog.reset_defaults()
