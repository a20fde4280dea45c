"""How many SQL statements a request takes: never one for each row."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.gateway.stage import Stage, open_bare, open_stage

WALLET = """
    id coalitionNumber totalValue { amount }
    memberships {
        id number brand { code pointsName valuation { redemptionRate transferInRate } }
        balance { posted held available value { amount currency } } member { id }
    }
"""


class Statements(logging.Handler):
    """What Tortoise sends to the database, as its debug log tells; but for leases of buckets, of
    which one does for many requests."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.sent: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Notes one statement."""
        message = record.getMessage()
        if "INSERT INTO buckets" not in message:
            self.sent.append(message)


@pytest.fixture
def statements() -> Any:
    """The statements that are sent from here on."""
    log, handler = logging.getLogger("tortoise.db_client"), Statements()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield handler.sent
    log.removeHandler(handler)
    log.setLevel(level)


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Stage]:
    """A gateway on SQLite."""
    async with open_stage(sqlite_url) as stage:
        yield stage


@pytest.mark.parametrize("members", [1, 20])
async def test_the_wallet_takes_three(stage: Stage, statements: list[str], members: int) -> None:
    """The wallets of any number of members, however they are named, take three statements:
    one for the credential, one for the members, one for their memberships."""
    people = [await stage.enrol("AERO", "HOTEL", "GROCER") for _ in range(members)]
    asked = [f'a{i}: member(by: {{coalitionNumber: "{p.number}"}})' for i, p in enumerate(people)]
    named = [f'b{i}: member(by: {{id: "{p.id}"}})' for i, p in enumerate(people)]
    nodes = [f'c{i}: node(id: "{p.id}")' for i, p in enumerate(people)]
    query = " ".join(f"{each} {{ ...Wallet }}" for each in (*asked, *named, *nodes))
    document = f"{{ {query} }} fragment Wallet on Member {{ {WALLET} }}"
    for who in ("operator", "aero"):
        statements.clear()
        data = await stage.data(document, who=who)
        assert len(statements) <= 3, statements
        assert len(data) == 3 * members
        for i in range(members):
            assert data[f"a{i}"] == data[f"b{i}"] == data[f"c{i}"]
            assert len(data[f"a{i}"]["memberships"]) == (3 if who == "operator" else 1)


async def test_members_however_they_are_named(stage: Stage, statements: list[str]) -> None:
    """Members named in all four ways are found by one statement, each by her own name."""
    for index in range(3):
        given = {
            "externalId": f"crm-{index}",
            "memberships": [{"brand": "AERO", "number": f"A-{index}"}],
            "idempotencyKey": f"enrol-{index}",
        }
        await stage.do("memberEnroll", given, who="aero")
    asked = [f'e{i}: member(by: {{externalId: "crm-{i}"}}) {{ externalId }}' for i in range(4)]
    asked += [
        f'm{i}: member(by: {{membership: {{brand: "AERO", number: "A-{i}"}}}}) {{ externalId }}'
        for i in range(4)
    ]
    asked.append('x: member(by: {membership: {brand: "HOTEL", number: "A-1"}}) { externalId }')
    asked.append('y: member(by: {coalitionNumber: "A-1"}) { externalId }')
    statements.clear()
    data = await stage.data(f"{{ {' '.join(asked)} }}", who="aero")
    assert len(statements) == 2, statements
    for i in range(3):
        assert data[f"e{i}"] == data[f"m{i}"] == {"externalId": f"crm-{i}"}
    assert [data[name] for name in ("e3", "m3", "x", "y")] == [None] * 4


async def test_a_number_at_another_brand_names_nobody(stage: Stage) -> None:
    """A brand does not learn whose another brand's number is, though she is its member as well."""
    both = [{"brand": "AERO", "number": "A-1"}, {"brand": "HOTEL", "number": "H-1"}]
    await stage.do("memberEnroll", {"memberships": both, "idempotencyKey": "both"})
    query = '{ member(by: {membership: {brand: "HOTEL", number: "H-1"}}) { coalitionNumber } }'
    seen = {who: (await stage.data(query, who=who))["member"] for who in ("hotel", "aero")}
    assert seen["hotel"] is not None
    assert seen["aero"] is None


async def test_histories_take_few(stage: Stage, statements: list[str]) -> None:
    """The histories of twenty memberships, with every entry, take as many statements as one's."""
    people = [await stage.enrol("AERO") for _ in range(20)]
    for person in people:
        await stage.give(person.memberships["AERO"], 10)
    history = "transactions(first: 5) { edges { node { kind entries { account { unit } } } } } lots"
    history += ' { remaining transaction { id } } balanceAt(at: "2101-01-01T00:00:00Z")'
    counts = []
    for some in (people[:1], people):
        query = " ".join(
            f'a{i}: node(id: "{p.memberships["AERO"]}") {{ ... on Membership {{ {history} }} }}'
            for i, p in enumerate(some)
        )
        statements.clear()
        data = await stage.data(f"{{ {query} }}")
        counts.append(len(statements))
        assert all(each["balanceAt"] == 10 for each in data.values())
    assert counts[0] == counts[1]


async def test_brands_take_none(sqlite: Stage, statements: list[str]) -> None:
    """Brands, valuations and rates take no statement but the credential's."""
    await sqlite.data(
        """{ brands(first: 100) { edges { node { code valuation { issuePrice }
            valuations(first: 5) { edges { node { effectiveFrom } } } } } }
            brand(code: "AERO") { name } viewer { kind }
            exchangeRate(from: "AERO", to: "HOTEL") { pointsIn } }"""
    )
    assert len(statements) == 1


async def test_another_process_published(sqlite: Stage, sqlite_url: str) -> None:
    """What another gateway publishes is seen by the very next request."""
    async with open_bare(sqlite_url) as other:
        payload = await other.do("valuationPublish", {"brand": "AERO", "redemptionRate": "0.5"})
        assert payload["errors"] == []
    data = await sqlite.data('{ brand(code: "AERO") { valuation { redemptionRate } } }')
    assert data["brand"]["valuation"]["redemptionRate"] == "0.5"


async def test_entities_are_found_together(stage: Stage, statements: list[str]) -> None:
    """A hundred entities take one statement besides those for the credential and its limit;
    memberships that are named by their numbers two, as their members are found first."""
    people = [await stage.enrol("AERO") for _ in range(20)]
    query = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on Membership { number"
    by_id = [{"__typename": "Membership", "id": each.memberships["AERO"]} for each in people]
    query += " balance { posted } } } }"
    statements.clear()
    data = await stage.data(query, {"r": by_id * 5}, "aero")
    assert sum(" memberships " in each for each in statements) == 1, statements
    by_number = [
        {"__typename": "Membership", "brand": {"code": "AERO"}, "number": each["number"]}
        for each in data["_entities"]
    ]
    assert len(by_number) == 100
    statements.clear()
    assert await stage.data(query, {"r": by_number}, "aero") == data
    assert sum(" memberships " in each for each in statements) == 2, statements
