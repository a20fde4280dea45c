"""Fixtures: a gateway that is up, on each database in turn."""

from collections.abc import AsyncIterator

import pytest

from tests.brands.conftest import postgres_template, postgres_url, sqlite_template, url
from tests.gateway.stage import Stage, open_stage

__all__ = ["postgres_template", "postgres_url", "sqlite_template", "stage", "url"]


@pytest.fixture
async def stage(url: str) -> AsyncIterator[Stage]:
    """A gateway over a coalition of four brands, with credentials of each kind."""
    async with open_stage(url) as opened:
        yield opened
