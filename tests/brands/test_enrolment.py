"""Enrolling members: once per key, whatever is retried, raced or wrong."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

import pytest

from brands.callers import Caller
from brands.coalition import Coalition, open_coalition
from brands.database import Row, Transaction
from brands.enrolment import CHUNK, Enrolled, Enrolment, enroll, enroll_many
from brands.errors import (
    BrandNotFound,
    DomainError,
    ExternalIdTaken,
    IdempotencyKeyReused,
    InvalidIdempotencyKey,
    InvalidInput,
    NotPermitted,
    NumberMalformed,
    NumberTaken,
)
from brands.ids import book_of, home_book, new_id
from brands.members import MemberBy, Profile, find, profiles_of
from brands.naming.check_digits import CheckScheme, passes
from brands.naming.numbers import generated_number
from tests.brands.cast import (
    ADA,
    AGENCY,
    OPERATOR,
    OPERATOR_WITH_PII,
    aero,
    bean,
    brand_caller,
    connect_all,
    count_all,
    enrolment,
    member_caller,
    somebody,
)

TOMORROW = datetime.now(UTC).date() + timedelta(days=2)


async def test_enrolling_makes_a_member_complete(coalition: Coalition) -> None:
    """An enrolment makes the member, her profile, each membership with its account, a key and a
    record, all in the book that the key names."""
    await aero(coalition)
    await bean(coalition)
    before = await count_all(coalition)
    asked = enrolment(("BEAN", "B-1"), ("AERO", None), external_id=" x-1 ", profile=ADA)
    her = await enroll(coalition, OPERATOR_WITH_PII, asked)
    after = await count_all(coalition)
    assert {table: n - before[table] for table, n in after.items() if n != before[table]} == {
        "members": 1, "profiles": 1, "memberships": 2, "accounts": 2, "idempotency_keys": 1,
        "actions": 1,
    }  # fmt: skip
    given, generated = (m.number for m in her.memberships)
    assert given == "B-1"
    assert re.fullmatch(r"AERO\d{11}", generated)
    assert passes(CheckScheme.LUHN, her.member.coalition_number)
    book = home_book(f"{OPERATOR_WITH_PII.client}/{asked.idempotency_key}", coalition.books)
    assert {book_of(her.member.id), *(book_of(m.id) for m in her.memberships)} == {book}
    assert await find(coalition, OPERATOR, MemberBy(external_id="x-1")) == her.member
    profiles = await profiles_of(coalition, OPERATOR_WITH_PII, [her.member.id])
    assert profiles == {her.member.id: ADA}


async def test_the_record_holds_no_personal_data(coalition: Coalition) -> None:
    """The record of an enrolment says who enrolled whom where, and nothing personal."""
    await aero(coalition)
    profile = Profile("Grace", "Hopper", "grace@example.org", date(1906, 12, 9))
    her = await somebody(coalition, ("AERO", "A-1"), external_id="x-1", profile=profile)
    (row,) = await coalition.database.fetch("SELECT * FROM actions WHERE action = 'member.enroll'")
    assert (row["subject"], row["client"]) == (str(her.member.id), OPERATOR.client)
    assert row["details"] == '{"brands":["AERO"]}'


async def test_a_retry_finds_it_done(coalition: Coalition) -> None:
    """The same enrolment under the same key is answered as before, marked, and writes nothing."""
    await aero(coalition)
    asked = enrolment(("AERO", None), external_id="x", profile=ADA)
    first = await enroll(coalition, OPERATOR, asked)
    before = await count_all(coalition)
    assert not first.replayed
    assert await enroll(coalition, OPERATOR, asked) == replace(first, replayed=True)
    assert await count_all(coalition) == before


@pytest.mark.parametrize(
    "other",
    [
        Enrolment("x", ADA, (("AERO", "A-2"),), "key"),
        Enrolment("y", ADA, (("AERO", "A-1"),), "key"),
        Enrolment(None, ADA, (("AERO", "A-1"),), "key"),
        Enrolment("x", None, (("AERO", "A-1"),), "key"),
        Enrolment("x", replace(ADA, birth_date=date(1815, 12, 10)), (("AERO", "A-1"),), "key"),
        Enrolment("x", ADA, (), "key"),
    ],
)
async def test_a_key_is_for_one_intent(coalition: Coalition, other: Enrolment) -> None:
    """A key that enrolled somebody refuses another intent, and nothing changes."""
    await aero(coalition)
    await enroll(coalition, OPERATOR, Enrolment("x", ADA, (("AERO", "A-1"),), "key"))
    before = await count_all(coalition)
    with pytest.raises(IdempotencyKeyReused):
        await enroll(coalition, OPERATOR, other)
    assert await count_all(coalition) == before


async def test_clients_do_not_share_keys_nor_external_ids(coalition: Coalition) -> None:
    """The same key and the same external id mean different members to different brands."""
    airline, cafe = await aero(coalition), await bean(coalition)
    asked = Enrolment("x", None, (("AERO", None),), "key")
    one = await enroll(coalition, brand_caller(airline), asked)
    asked = replace(asked, memberships=(("BEAN", None),))
    other = await enroll(coalition, brand_caller(cafe), asked)
    assert one.member.id != other.member.id
    for brand, enrolled in ((airline, one), (cafe, other)):
        by = MemberBy(external_id="x")
        assert await find(coalition, brand_caller(brand), by) == enrolled.member


@pytest.mark.parametrize(
    ("asked", "error", "path"),
    [
        (enrolment(("AERO", None), ("NONE", None)), BrandNotFound, "memberships.1.brand"),
        (enrolment(("AERO", "A-1")), NumberTaken, "memberships.0.number"),
        (enrolment(("BEAN", None), ("AERO", "A-1")), NumberTaken, "memberships.1.number"),
        (enrolment(("AERO", "é")), NumberMalformed, "memberships.0.number"),
        (enrolment(("AERO", None), ("AERO", "A-9")), InvalidInput, "memberships.1.brand"),
        (enrolment(*[("AERO", None)] * 101), InvalidInput, "memberships"),
        (enrolment(external_id="x-1"), ExternalIdTaken, "externalId"),
        (enrolment(external_id=""), InvalidInput, "externalId"),
        (enrolment(external_id="x" * 256), InvalidInput, "externalId"),
        (enrolment(external_id="x\0"), InvalidInput, "externalId"),
        (enrolment(key="k" * 256), InvalidIdempotencyKey, "idempotencyKey"),
        (Enrolment(None, None, (), ""), InvalidIdempotencyKey, "idempotencyKey"),
        (enrolment(key="k\0"), InvalidInput, "idempotencyKey"),
        (enrolment(profile=Profile(given_name=" ")), InvalidInput, "profile.givenName"),
        (enrolment(profile=Profile(family_name="x" * 201)), InvalidInput, "profile.familyName"),
        (enrolment(profile=Profile(family_name="\ud800")), InvalidInput, "profile.familyName"),
        (enrolment(profile=Profile(email="ada")), InvalidInput, "profile.email"),
        (enrolment(profile=Profile(email="a@b")), InvalidInput, "profile.email"),
        (enrolment(profile=Profile(email="a@b@c.de")), InvalidInput, "profile.email"),
        (enrolment(profile=Profile(email="a@b.cd e")), InvalidInput, "profile.email"),
        (enrolment(profile=Profile(email="a b@c.de")), InvalidInput, "profile.email"),
        (enrolment(profile=Profile(email=f"{'a' * 250}@c.de")), InvalidInput, "profile.email"),
        (enrolment(profile=Profile(birth_date=TOMORROW)), InvalidInput, "profile.birthDate"),
    ],
)
async def test_an_enrolment_in_bad_form_is_refused(
    coalition: Coalition, asked: Enrolment, error: type[DomainError], path: str | None
) -> None:
    """What is wrong with an enrolment is said by field, alone and in a list, and nothing changes;
    the key is free for the corrected one."""
    await aero(coalition)
    await bean(coalition)
    await somebody(coalition, ("AERO", "A-1"), external_id="x-1")
    before = await count_all(coalition)
    with pytest.raises(error) as refused:
        await enroll(coalition, OPERATOR, asked)
    assert refused.value.path == path
    (listed,) = await enroll_many(coalition, OPERATOR, [asked])
    assert (type(listed), getattr(listed, "path", "")) == (error, path)
    assert await count_all(coalition) == before
    if path != "idempotencyKey":
        corrected = Enrolment(None, None, (("AERO", None),), asked.idempotency_key)
        assert not (await enroll(coalition, OPERATOR, corrected)).replayed


@pytest.mark.parametrize(
    ("name", "codes", "error"),
    [
        ("aero", ["AERO"], None),
        ("aero", ["BEAN"], NotPermitted),
        ("aero", ["AERO", "BEAN"], NotPermitted),
        ("aero", [], InvalidInput),
        ("operator", [], None),
        ("agency", ["AERO"], NotPermitted),
        ("member", ["AERO"], NotPermitted),
    ],
)
async def test_a_brand_enrols_at_itself(
    coalition: Coalition, name: str, codes: list[str], error: type[DomainError] | None
) -> None:
    """The operator enrols anywhere, a brand at itself, nobody else at all; on denial nothing
    changes."""
    airline = await aero(coalition)
    await bean(coalition)
    caller: Caller = {
        "aero": brand_caller(airline),
        "operator": OPERATOR,
        "agency": AGENCY,
        "member": member_caller(new_id(0)),
    }[name]
    before = await count_all(coalition)
    asked = enrolment(*((code, None) for code in codes))
    if error is None:
        assert len((await enroll(coalition, caller, asked)).memberships) == len(codes)
    else:
        with pytest.raises(error):
            await enroll(coalition, caller, asked)
        assert await count_all(coalition) == before


async def test_many_at_once_under_one_key_are_one_member(coalition: Coalition) -> None:
    """Fifty simultaneous requests with one key enrol one member and get one answer."""
    await aero(coalition)
    await connect_all(coalition)
    asked = enrolment(("AERO", None), external_id="x")
    results = await asyncio.gather(*(enroll(coalition, OPERATOR, asked) for _ in range(50)))
    assert len({result.member.id for result in results}) == 1
    assert Counter(result.replayed for result in results) == {True: 49, False: 1}
    assert (await count_all(coalition))["members"] == 1


async def test_a_name_is_taken_once(coalition: Coalition) -> None:
    """Of simultaneous enrolments that want one external id, or one number, one succeeds."""
    await aero(coalition)
    await connect_all(coalition)
    for asked, error in (
        ([enrolment(external_id="x") for _ in range(10)], ExternalIdTaken),
        ([enrolment(("AERO", "A-1")) for _ in range(10)], NumberTaken),
    ):
        results = await asyncio.gather(
            *(enroll(coalition, OPERATOR, each) for each in asked), return_exceptions=True
        )
        assert Counter(type(result) for result in results) == {Enrolled: 1, error: 9}


async def test_brands_are_counted_in_one_order(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever order the memberships have, the brands' counters are locked in that of their ids:
    so two enrolments at the same brands never wait for each other in a circle."""
    brands = [await aero(coalition), await bean(coalition)]
    counted: list[UUID] = []
    fetch = Transaction.fetch

    async def spy(self: Transaction, sql: str, *values: Any) -> Sequence[Row]:
        if sql.startswith("UPDATE brands"):
            counted.append(values[0])
        return await fetch(self, sql, *values)

    monkeypatch.setattr(Transaction, "fetch", spy)
    for codes in (("AERO", "BEAN"), ("BEAN", "AERO")):
        counted.clear()
        await somebody(coalition, *((code, None) for code in codes))
        assert counted == sorted(brand.id for brand in brands)


async def test_a_list_is_answered_in_its_order(coalition: Coalition) -> None:
    """Each enrolment of a list gets what it would get alone: enrolled, refused for what was taken
    before or in the list, replayed, or refused for its form."""
    await aero(coalition)
    done = enrolment(("AERO", "A-0"), external_id="x-0")
    await enroll(coalition, OPERATOR, done)
    twice = enrolment(("AERO", "A-1"), external_id="x-1")
    results = await enroll_many(
        coalition,
        OPERATOR,
        [
            twice,
            enrolment(("AERO", "A-1")),
            enrolment(external_id="x-0"),
            enrolment(external_id="x-1"),
            enrolment(("NONE", None)),
            done,
            replace(done, external_id="y"),
            twice,
            replace(twice, external_id=None),
            enrolment(("AERO", None)),
        ],
    )
    kinds = [
        ("replayed" if result.replayed else "new") if isinstance(result, Enrolled) else type(result)
        for result in results
    ]
    assert kinds == [
        "new", NumberTaken, ExternalIdTaken, ExternalIdTaken, BrandNotFound, "replayed",
        IdempotencyKeyReused, "replayed", IdempotencyKeyReused, "new",
    ]  # fmt: skip
    assert (await count_all(coalition))["members"] == 3


async def test_a_long_list_takes_few_statements(
    coalition: Coalition, statements: list[str]
) -> None:
    """Enrolling takes so many statements per chunk, and no more for more members in it."""
    brand = await aero(coalition)
    asked = [enrolment(("AERO", None), external_id=f"x{n}", profile=ADA) for n in range(2 * CHUNK)]
    statements.clear()
    results = await enroll_many(coalition, OPERATOR, asked)
    assert all(isinstance(result, Enrolled) for result in results)
    per_chunk = 12 if coalition.database.is_sqlite else 13  # there it asks for the time, too
    assert len(statements) <= 2 * per_chunk
    statements.clear()
    again = await enroll_many(coalition, OPERATOR, asked)
    assert [each for each in again if isinstance(each, Enrolled) and each.replayed] == again
    assert len(statements) == 2 * 4
    numbers = [result.memberships[0].number for result in results if isinstance(result, Enrolled)]
    assert numbers == [
        generated_number(brand.code, brand.number_format, count, brand.number_key)
        for count in range(1, 2 * CHUNK + 1)
    ]


@pytest.mark.parametrize("after", range(1, 9))
async def test_whenever_another_gets_there_first(
    coalition_on_postgres: Coalition, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Between whichever two statements the same request is done elsewhere, the slower one is
    answered with what was done."""
    coalition = coalition_on_postgres
    await aero(coalition)
    asked = enrolment(("AERO", "A-1"), external_id="x")
    done: list[Enrolled] = []
    fetch, reads = Transaction.fetch, count(1)

    async def overtaken(self: Transaction, sql: str, *values: Any) -> Sequence[Row]:
        rows = await fetch(self, sql, *values)
        if next(reads) == after:
            done.append(await enroll(coalition, OPERATOR, asked))
        return rows

    monkeypatch.setattr(Transaction, "fetch", overtaken)
    slower = await enroll(coalition, OPERATOR, asked)
    monkeypatch.undo()
    if done:
        assert slower == replace(done[0], replayed=True)
    assert (await count_all(coalition))["members"] == 1
    assert done or after > 5  # statements of the enrolment itself


async def test_two_gateways_import_one_file(postgres_url: str) -> None:
    """Two processes that enrol the same people at the same time, each in an order of its own, make
    each member once, and both are told of the same ones."""
    one, other = await open_coalition(postgres_url), await open_coalition(postgres_url)
    try:
        await aero(one)
        await other.registry.refresh()
        await connect_all(one)
        await connect_all(other)
        asked = [enrolment(("AERO", None), external_id=f"x{n}") for n in range(1_200)]
        orders = [Random(seed).sample(asked, len(asked)) for seed in range(4)]
        lists = await asyncio.gather(
            *(
                enroll_many(gateway, OPERATOR, order)
                for gateway, order in zip((one, other, one, other), orders, strict=True)
            )
        )
        told = [
            {
                each.idempotency_key: result.member.id
                for each, result in zip(order, results, strict=True)
                if isinstance(result, Enrolled)
            }
            for order, results in zip(orders, lists, strict=True)
        ]
        assert told[0] == told[1] == told[2] == told[3]
        assert len(told[0]) == (await count_all(one))["members"] == 1_200
    finally:
        await one.close()
        await other.close()
