"""Metrics: what is counted, who may look, and that no client can make a label."""

import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from brands.ledger.postgres import PostgresLane
from brands.ledger.sqlite import SqliteLane
from gateway.telemetry.metrics import Metrics
from gateway.worker import Worker
from tests.gateway.stage import Stage, open_bare

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
PER_REQUEST_MICROSECONDS = 15
"""A bound that a slow machine keeps too; it takes a tenth of that."""


async def scraped(stage: Stage, who: str = "operator") -> dict[str, float]:
    """Every series, by its name with its labels in order."""
    token = stage.tokens.get(who, who)
    response = await stage.client.get("/metrics", headers={"authorization": f"Bearer {token}"})
    assert response.status_code == 200
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_what_is_counted(stage: Stage) -> None:
    """An operation is counted by how it came, its type, code, caller and status, and a posting with
    the batch that it was in."""
    before = await scraped(stage)
    ada = await stage.enrol("AERO")
    await stage.give(ada.memberships["AERO"], 5)
    await stage.data("{ viewer { kind } }", who=ada.token)
    await stage.ask("{ nothing }")
    after = await scraped(stage)

    def more(series: str) -> float:
        return after.get(series, 0) - before.get(series, 0)

    assert more("coalition_requests_total['200', 'OPERATOR', 'http', 'mutation', 'none']") == 2
    assert more("coalition_requests_total['200', 'MEMBER', 'http', 'none', 'query']") == 1
    invalid = ["200", "GRAPHQL_VALIDATION_FAILED", "OPERATOR", "http", "none"]
    assert more(f"coalition_requests_total{invalid}") == 1
    assert more("coalition_request_seconds_count['mutation']") == 2
    assert more("coalition_ledger_batch_commands_sum[]") == 1
    assert more("coalition_ledger_batch_seconds_count[]") == 1
    assert after["coalition_requests_in_flight[]"] == 0
    assert after["coalition_ledger_commands_waiting[]"] == 0
    assert ("coalition_sql_connections['busy']" in after) is True


async def test_failed_batches_are_counted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that fails and is committed again is counted as failed once."""
    ada = await stage.enrol("AERO")
    kind = SqliteLane if stage.coalition.database.is_sqlite else PostgresLane
    commit, failed = kind.commit, list[object]()

    async def fails_once(lane: object, commands: object) -> object:
        if not failed:
            failed.append(commands)
            raise OSError
        return await commit(lane, commands)  # type: ignore[arg-type]

    monkeypatch.setattr(kind, "commit", fails_once)
    await stage.give(ada.memberships["AERO"], 5)
    assert (await scraped(stage))["coalition_ledger_batches_failed_total[]"] == 1


async def test_who_may_look(stage: Stage) -> None:
    """The metrics are shown to operators and to nobody else, with the usual headers."""
    ada = await stage.enrol("AERO")
    tokens = {None: 401, "nonsense": 401, stage.tokens["aero"]: 403, ada.token: 403}
    tokens[stage.tokens["agency"]] = 403
    for token, status in tokens.items():
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        response = await stage.client.get("/metrics", headers=headers)
        assert response.status_code == status
        assert "coalition_" not in response.text
        assert response.headers["x-content-type-options"] == "nosniff"
    assert (await stage.client.post("/metrics")).status_code == 405


async def test_shown_to_everybody(sqlite_url: str) -> None:
    """A deployment may show them to whoever can reach the port."""
    async with open_bare(sqlite_url, public_metrics=True) as stage:
        response = await stage.client.get("/metrics")
        assert response.status_code == 200
        assert "coalition_build_info" in response.text


async def test_clients_make_no_labels(sqlite_url: str) -> None:
    """Whatever a client sends, no label repeats it and the number of series stays bounded."""
    seen: list[set[str]] = []
    async with open_bare(sqlite_url) as stage:
        for number in range(3):
            name = f"Hostile{number}"
            await stage.ask(f"query {name} {{ __typename }}")
            await stage.post({"query": "{ __typename }", "operationName": name})
            await stage.post({"query": f"{{ {name} }}"}, headers={"x-request-id": name * 2})
            await stage.client.get(f"/{name}")
            seen.append(set(await scraped(stage)))
    assert seen[0] == seen[1] == seen[2]
    assert "Hostile" not in str(seen)


def test_codes_are_known() -> None:
    """A code that no page of ours has is counted as OTHER."""
    metrics = Metrics(frozenset({"KNOWN"}))
    for code in ("KNOWN", "INVENTED", "INVENTED TOO"):
        metrics.request("http", "query", code, "MEMBER", 200, 0.1)
    page = metrics.page(None)[0].decode()
    assert 'code="KNOWN"' in page
    assert 'code="OTHER",status="200",transport="http",type="query"} 2.0' in page
    assert "INVENTED" not in page


async def test_applications_share_nothing(sqlite_url: str) -> None:
    """Two applications in one process count apart."""
    async with open_bare(sqlite_url) as one:
        await one.ask("{ __typename }")
        async with open_bare(sqlite_url) as two:
            series = "coalition_request_seconds_count['query']"
            assert (await scraped(one))[series] == 1
            assert series not in await scraped(two)


async def test_duties_are_counted(stage: Stage) -> None:
    """Each duty of the worker has its rounds, its items, its duration and its last success."""
    metrics = Metrics()
    await Worker(stage.coalition, metrics).round()
    page = metrics.page(None)[0].decode()
    assert 'coalition_duties_total{duty="expire_lots",outcome="done"} 1.0' in page
    assert 'coalition_duty_items_total{duty="expire_lots"} 0.0' in page
    assert 'coalition_duty_seconds_count{duty="expire_lots"} 1.0' in page
    assert 'coalition_duty_last_success_timestamp_seconds{duty="expire_lots"} 1.' in page


def test_the_page_has_them_all() -> None:
    """Each metric of ours is in the table of the operations page with its type, and the table has
    no other."""
    rows = {
        tuple(cell.strip(" `") for cell in line.split("|")[1:3])
        for line in PAGE.read_text().splitlines()
        if line.startswith("| `coalition_")
    }
    suffixes = {"counter": "_total", "info": "_info"}
    assert rows == {
        (family.name + suffixes.get(family.type, ""), family.type)
        for family in Metrics().registry.collect()
        if family.name.startswith("coalition_")
    }


def test_counting_is_cheap() -> None:
    """To count an operation takes a few microseconds."""
    metrics = Metrics(frozenset())
    metrics.request("http", "query", None, "MEMBER", 200, 0.001)
    took = []
    for _ in range(5):
        began = time.process_time_ns()
        for _ in range(2_000):
            metrics.request("http", "query", None, "MEMBER", 200, 0.001)
        took.append((time.process_time_ns() - began) / 2_000 / 1_000)
    assert min(took) < PER_REQUEST_MICROSECONDS
