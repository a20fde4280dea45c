"""The demo coalition: what is in it, that it is made once, and that its query does what it says."""

import gzip
import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from itertools import pairwise
from pathlib import Path
from sqlite3 import connect
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from brands import purchases
from brands.authentication import authenticate
from brands.callers import CallerKind
from brands.coalition import open_coalition
from brands.ledger.audit import audit
from brands.purchases import Purchase, points_of
from gateway.demo import coalition as demo
from gateway.demo.cast import BRANDS, CONVERSIONS, PEOPLE, PURCHASES
from gateway.demo.keys import DemoKeys, keys_file
from gateway.files import purchase_import as imports
from gateway.files.purchase_file import read_purchases
from gateway.files.purchase_import import open_purchases
from gateway.settings import Settings
from tests.gateway.test_cli import environment

SAMPLE = 1_000
PORT = re.compile(r"(?<=127.0.0.1):\d+")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with an embedded database that is not there yet."""
    return Settings(f"sqlite:///{tmp_path}/var/coalition.db", b"0123456789abcdef")


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """The demo with the first purchases only: how many of them earn points, and how many points."""
    file = tmp_path / "sample.csv.gz"
    with gzip.open(PURCHASES) as whole:
        lines = [whole.readline() for _ in range(SAMPLE + 1)]
    file.write_bytes(gzip.compress(b"".join(lines)))
    monkeypatch.setattr(demo, "PURCHASES", file)
    points = [int(line.decode().split(",")[-1].split(".")[0]) for line in lines[1:]]
    return sum(each > 0 for each in points), sum(points)


def posted(settings: Settings) -> tuple[Any, ...]:
    """The accruals in the books and their points, and the transactions of any kind."""
    with closing(connect(settings.database.removeprefix("sqlite:///"))) as database:
        accruals = "kind = 'ACCRUAL'"
        row: tuple[Any, ...] = database.execute(
            f"SELECT count(*) FILTER (WHERE {accruals}), sum(points) FILTER (WHERE {accruals}),"
            " count(*) FROM transactions"
        ).fetchone()
        return row


async def holders(settings: Settings, keys: DemoKeys) -> list[CallerKind | None]:
    """Who each of the keys says its bearer is."""
    coalition = await open_coalition(settings.database)
    try:
        assert await audit(coalition.database) == []
        tokens = (keys.operator, keys.brand, keys.agency, keys.member)
        found = [await authenticate(coalition, token, settings.pepper) for token in tokens]
        return [None if caller is None else caller.kind for caller in found]
    finally:
        await coalition.close()


def test_the_purchases_are_all_there() -> None:
    """The demo's file holds the 69,659 purchases of 23,570 customers, to the cent."""
    with open_purchases(PURCHASES) as file:
        lines = [line.content for line in read_purchases(file, ZoneInfo("UTC"))]
    bought = [each for each in lines if isinstance(each, Purchase)]
    assert len(bought) == len(lines) == 69_659
    assert len({each.customer for each in bought}) == 23_570
    assert len({each.reference for each in bought}) == 69_659
    assert sum(each.amount for each in bought) == 2_500_315_630_000
    assert sum(points_of(each) for each in bought) == 2_453_159
    assert min(each.event_at for each in bought).date() == date(1997, 1, 1)
    assert max(each.event_at for each in bought).date() == date(1998, 6, 30)


def test_five_brands_worth_different_things() -> None:
    """The five brands differ in what their points are worth, and two pairs are the worked ones."""
    rates = {brand.code: brand.rates for brand in BRANDS}
    assert len(rates) == len(set(rates.values())) == 5
    assert len({each.redemption_rate for each in rates.values()}) == 5
    arriving = [
        1_000 * rates[source].transfer_out_rate // rates[destination].transfer_in_rate
        for _, source, destination in CONVERSIONS
    ]
    assert arriving == [640, 737]


async def test_prepared_once(
    settings: Settings, sample: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prepared again, the demo is as it was: nothing is posted twice, the query and the keys are
    the same, which are good, in a file of their owner's alone, and hashed in the database."""
    first = await demo.prepare(settings)
    books = posted(settings)
    assert books[:2] == sample
    assert books[2] == sample[0] + sum(len(person.points) for person in PEOPLE)
    monkeypatch.setattr(demo, "import_purchases", None)  # not so much as tried again
    assert await demo.prepare(settings) == first
    assert posted(settings) == books

    kinds = [CallerKind.OPERATOR, CallerKind.BRAND, CallerKind.AGENCY, CallerKind.MEMBER]
    assert await holders(settings, first.keys) == kinds
    kept = keys_file(settings.database)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert first.keys == DemoKeys(**json.loads(kept.read_text()))
    secret = first.keys.operator.partition(".")[2].encode()
    assert all(secret not in file.read_bytes() for file in kept.parent.iterdir() if file != kept)


async def test_begun_again(
    settings: Settings, sample: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preparation that broke off in the middle is completed by the next."""
    load, blocks = purchases.load, []

    async def breaks_off(*arguments: Any) -> list[purchases.Answer]:
        blocks.append(1)
        if len(blocks) == 3:
            raise RuntimeError("killed")
        return await load(*arguments)

    monkeypatch.setattr(imports, "BLOCK", 100)
    with monkeypatch.context() as patched:
        patched.setattr(purchases, "load", breaks_off)
        with pytest.raises(RuntimeError, match="killed"):
            await demo.prepare(settings)
    assert 0 < posted(settings)[0] < sample[0]
    await demo.prepare(settings)
    assert posted(settings)[:2] == sample


async def test_keys_that_were_lost(settings: Settings, sample: tuple[int, int]) -> None:
    """When the file of keys is lost, or one of them is no good, new ones are made, and those that
    nobody knows any more are good for nothing."""
    first = (await demo.prepare(settings)).keys
    keys_file(settings.database).unlink()
    second = (await demo.prepare(settings)).keys
    assert await holders(settings, first) == [None] * 4
    kept = keys_file(settings.database)
    kept.write_text(json.dumps({"operator": first.operator, "brand": second.brand, "member": 1}))
    third = (await demo.prepare(settings)).keys
    assert third.brand == second.brand
    assert None not in await holders(settings, third)
    kept.write_text("no JSON")
    assert None not in await holders(settings, (await demo.prepare(settings)).keys)


@contextmanager
def served(directory: Path) -> Iterator[tuple[str, list[str]]]:
    """`serve --demo` in a directory: where it listens, and what it has printed by then."""
    command = [sys.executable, "-m", "gateway", "serve", "--demo", "--port", "0"]
    with subprocess.Popen(
        command, cwd=directory, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not (lines and lines[-1].startswith("curl ")):
            line = process.stdout.readline()
            assert line, "it ended before it was up"
            lines.append(line.rstrip())
        yield lines[0].split()[1], lines
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def paste(line: str) -> Any:
    """What the printed shell command gets for an answer."""
    arguments = shlex.split(line)
    headers = dict(value.split(": ", 1) for flag, value in pairwise(arguments) if flag == "-H")
    url = next(argument for argument in arguments if argument.startswith("http"))
    body = arguments[arguments.index("-d") + 1]
    return httpx.post(url, headers=headers, content=body, timeout=30).json()["data"]


def name_by_token(lines: list[str]) -> Any:
    """The name of the member whose token the printed command for one gets."""
    (line,) = [line for line in lines if line.startswith("  curl ") and "issuer" in line]
    _, _, url, _, data = shlex.split(line)
    token = httpx.post(url, data=dict([data.split("=")])).text.strip()
    query = {"query": "{ viewer { member { profile { givenName } } } }"}
    headers = {"authorization": f"Bearer {token}"}
    answer = httpx.post(url.replace("demo/issuer/token", "graphql"), json=query, headers=headers)
    return answer.json()["data"]["viewer"]["member"]["profile"]["givenName"]


def test_the_demo_from_nothing(tmp_path: Path) -> None:
    """Served from nothing, the demo has every purchase, and the query that it prints converts
    points at the worked figures, and the member gets a token at the issuer that it names; started
    again, it prints the same and has nothing twice."""
    with served(tmp_path) as (url, first):
        assert httpx.get(url).status_code == 200
        assert name_by_token(first) == "Ada"
        answer = paste(first[-1])
        for name, points_in in (("milesToNights", 640), ("leavesToBeans", 737)):
            assert answer[name] == {
                "transfer": {"status": "COMPLETED", "pointsOut": 1_000, "pointsIn": points_in},
                "replayed": False,
                "errors": [],
            }
    settings = Settings(f"sqlite:///{tmp_path}/var/coalition.db", b"unused")
    books = posted(settings)
    assert books[:2] == (69_579, 2_453_159)
    with served(tmp_path) as (_, second):
        assert [PORT.sub("", line) for line in second] == [PORT.sub("", line) for line in first]
        assert all(each["replayed"] for each in paste(second[-1]).values())
    assert posted(settings) == books
