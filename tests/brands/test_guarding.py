"""The guard of lookups by number and name: budgets, whoever asks and however."""

import asyncio
from dataclasses import replace

import pytest

from brands.alarms import (
    alarms,
    forget_lookups,
    release_agency,
    release_number,
    unreported_alarms,
)
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition, open_coalition
from brands.errors import (
    LookupsThrottled,
    NotPermitted,
)
from brands.guarding.lookup_marks import Question
from brands.guarding.lookup_store import read
from brands.guarding.suspicion import CLIENT, MEMBER, NUMBER, AlarmKind
from brands.ids import new_id
from brands.moving.recipients import Recipient, find_recipient
from brands.rejections import RecipientNotFound
from brands.verification import guarded_lookup, verify
from tests.brands.cast import (
    OPERATOR,
    OPERATOR_WITH_PII,
    brand_caller,
    count_rows,
    member_caller,
    somebody,
)
from tests.brands.verifying import (
    JOSE,
    MATCH,
    NO_MATCH,
    REVIEW,
    agency,
    guess,
    row,
    scene,
)


async def test_those_who_may_read_names_are_not_counted(coalition: Coalition) -> None:
    """A brand of its own members, and an operator with the scope `pii`, are told whatever they
    ask, and leave nothing behind."""
    await scene(coalition)
    brand = coalition.registry.snapshot.brand("AERO")
    for caller in (brand_caller(brand), OPERATOR_WITH_PII):
        for _ in range(3):
            rows = [guess() for _ in range(100)]
            assert set(await verify(coalition, caller, rows)) == {NO_MATCH}
    assert await count_rows(coalition, "lookup_meters") == 0
    assert await count_rows(coalition, "lookups_seen") == 0


async def test_every_no_match_takes_the_same_statements(
    coalition: Coalition, statements: list[str]
) -> None:
    """A number that is unknown, the wrong name, a closed membership and a match take the same two
    statements; asked again one, and so do a hundred rows."""
    skytrip = await scene(coalition)
    await verify(coalition, skytrip, [guess()])
    sent = set()
    for asked in (row("A-9"), row("A-1", "Smith"), row("A-2"), row("A-3"), row("A-1")):
        statements.clear()
        await verify(coalition, skytrip, [asked])
        sent.add(tuple(statements))
        statements.clear()
        await verify(coalition, skytrip, [asked])
        assert len(statements) == 1
    assert len(sent) == 1
    (once,) = sent
    assert len(once) == (3 if coalition.database.is_sqlite else 2)


async def test_where_there_is_no_such_number_the_next_one_is_read(coalition: Coalition) -> None:
    """An unknown number leads to the row behind it, with its member's name, so that there is as
    much to be read and to be compared as where a name is wrong."""
    await scene(coalition)
    brand = coalition.registry.snapshot.brand("AERO").id
    asked = [Question(brand, (number,), number, "Smith") for number in ("A-0", "A-1", "A-10")]
    _, found = await read(coalition.database, None, [], asked)
    rows = [found[brand, number] for number in ("A-0", "A-1", "A-10")]
    assert [(each["number"], each["family_name"]) for each in rows] == [
        ("A-1", JOSE.family_name),
        ("A-1", JOSE.family_name),
        ("A-2", JOSE.family_name),
    ]


async def test_many_at_once_do_not_undo_each_other(
    coalition: Coalition, statements: list[str]
) -> None:
    """Guesses of one agency that come at the same moment to one process take as few statements
    each as one by itself."""
    skytrip = await scene(coalition)
    statements.clear()
    await asyncio.gather(*(verify(coalition, skytrip, [guess()]) for _ in range(12)))
    assert len(statements) == 12 * (3 if coalition.database.is_sqlite else 2)


async def test_nothing_that_was_typed_is_kept(coalition: Coalition) -> None:
    """What is remembered of lookups are hashes, and no number and no name."""
    skytrip = await scene(coalition)
    await verify(coalition, skytrip, [row("A-1"), row("SECRET-1", "Verysecret", "Anna")])
    kept = [
        str(dict(each))
        for table in ("lookup_meters", "lookups_seen")
        for each in await coalition.database.fetch(f"SELECT * FROM {table}")
    ]
    assert len(kept) == 7
    assert not any(word in text for text in kept for word in ("A-1", "SECRET", "ecret", "Garc"))


async def use_up(coalition: Coalition, caller: Caller) -> LookupsThrottled:
    """Guesses until it is refused."""
    for _ in range(CLIENT.free + 1):
        assert await verify(coalition, caller, [guess()]) == [NO_MATCH]
    with pytest.raises(LookupsThrottled) as refused:
        await verify(coalition, caller, [guess()])
    return refused.value


async def test_an_agency_that_guesses_is_stopped_with_all_its_keys(coalition: Coalition) -> None:
    """When the free misses are used up nothing more is looked up for any key of the agency, what
    it knows included; others go on, and the operator can end it."""
    skytrip, again = await scene(coalition), await agency(coalition)
    error = await use_up(coalition, skytrip)
    assert 0 < error.retry_after_seconds <= 60
    for caller in (skytrip, again):
        with pytest.raises(LookupsThrottled):
            await verify(coalition, caller, [row("A-1")])
    assert await verify(coalition, await agency(coalition, "FARAWAY"), [row("A-1")]) == [MATCH]
    with pytest.raises(NotPermitted):
        await release_agency(coalition, skytrip, "SKYTRIP")
    await release_agency(coalition, OPERATOR, "SKYTRIP")
    assert await verify(coalition, again, [row("A-1")]) == [MATCH]


async def test_while_it_is_shut_nothing_is_looked_up(
    coalition: Coalition, statements: list[str]
) -> None:
    """A refused request takes the one statement that finds it shut, reads no membership and
    charges nothing."""
    skytrip = await scene(coalition)
    await use_up(coalition, skytrip)
    before = await coalition.database.fetch("SELECT * FROM lookup_meters ORDER BY key")
    statements.clear()
    with pytest.raises(LookupsThrottled):
        await verify(coalition, skytrip, [row("A-1"), *(guess() for _ in range(99))])
    assert len(statements) == 1
    assert await coalition.database.fetch("SELECT * FROM lookup_meters ORDER BY key") == before


async def test_what_came_at_once_is_counted_one_after_the_other(
    coalition: Coalition, url: str
) -> None:
    """A hundred guesses at the same moment, by several keys and several processes, get no more
    answers than a hundred one after the other; nor does a right one among them get by when they
    do not."""
    skytrip = await scene(coalition)
    keys = [skytrip, await agency(coalition)]
    others = [await open_coalition(url) for _ in range(2)]
    try:
        await asyncio.gather(*(each.registry.refresh() for each in others))
        doors = [coalition, *others]
        asked = [verify(doors[place % 3], keys[place % 2], [guess()]) for place in range(100)]
        told = await asyncio.gather(*asked, return_exceptions=True)
    finally:
        for each in others:
            await each.close()
    answered = [each for each in told if each == [NO_MATCH]]
    assert len(answered) == CLIENT.free + 1
    assert all(isinstance(each, LookupsThrottled) for each in told if each != [NO_MATCH])


async def test_a_right_name_sent_in_parallel_counts_once(coalition: Coalition) -> None:
    """The same known row, sent fifty times at once, makes up for a quarter of a miss."""
    skytrip = await scene(coalition)
    for _ in range(10):
        await verify(coalition, skytrip, [guess()])
    before = await own_level(coalition, skytrip)
    assert (
        await asyncio.gather(
            *(verify(coalition, skytrip, [row("A-1", given="J")]) for _ in range(50))
        )
        == [[MATCH]] * 50
    )
    assert before - await own_level(coalition, skytrip) == CLIENT.leak // 4


async def own_level(coalition: Coalition, caller: Caller) -> int:
    """When a caller's meter will be empty."""
    (meter,) = await coalition.database.fetch(
        "SELECT empty_at FROM lookup_meters WHERE key = $1", coalition.guard.asker_key(caller)
    )
    return int(meter["empty_at"])


async def test_a_number_is_guarded_over_all_agencies(coalition: Coalition) -> None:
    """Wrong names tried with a number by different agencies shut it for all of them, an unknown
    number just as a known one; an agency that has named its member before goes on."""
    skytrip = await scene(coalition)
    assert await verify(coalition, skytrip, [row("A-1")]) == [MATCH]
    for number in ("A-1", "A-77"):
        for place in range(NUMBER.free + 1):
            caller = await agency(coalition, f"AG{place}")
            assert await verify(coalition, caller, [row(number, f"Name{place}")]) == [NO_MATCH]
        caller = await agency(coalition, "FARAWAY")
        with pytest.raises(LookupsThrottled) as refused:
            await verify(coalition, caller, [row("A-3"), row(number)])
        assert refused.value.path == "rows.1.number"
    assert await verify(coalition, skytrip, [row("A-1")]) == [MATCH]
    with pytest.raises(NotPermitted):
        await release_number(coalition, skytrip, "AERO", "A-1")
    brand = coalition.registry.snapshot.brand("AERO")
    await release_number(coalition, brand_caller(brand), "AERO", "a-1")
    somebody_else = await agency(coalition, "FARAWAY")
    assert await verify(coalition, somebody_else, [row("A-1")]) == [MATCH]
    kinds = {each.kind for each in await alarms(coalition, OPERATOR, 100)}
    assert kinds == {AlarmKind.NAMES}


async def test_who_is_shut_out_and_for_whose_misses_is_told_apart(coalition: Coalition) -> None:
    """A service can go on where a number alone is shut: that refusal has a path and costs nothing,
    and the one for the caller's own misses has none."""
    skytrip = await scene(coalition)
    for place in range(NUMBER.free + 1):
        caller = await agency(coalition, f"AG{place}")
        await verify(coalition, caller, [row("A-1", f"Name{place}")])
    before = await coalition.database.fetch("SELECT * FROM lookup_meters ORDER BY key")
    with pytest.raises(LookupsThrottled) as refused:
        await guarded_lookup(coalition, skytrip, [row("A-1", "Smith")])
    assert refused.value.path == "rows.0.number"
    assert await coalition.database.fetch("SELECT * FROM lookup_meters ORDER BY key") == before
    assert (await use_up(coalition, skytrip)).path is None
    with pytest.raises(LookupsThrottled) as refused:
        await guarded_lookup(coalition, skytrip, [row("A-1", "Smith")])
    assert refused.value.path is None


async def test_review_costs_as_much_as_no_match(coalition: Coalition) -> None:
    """Names that are nearly right are told so no more often than wrong ones."""
    skytrip = await scene(coalition)
    for place in range(CLIENT.free + 1):
        await somebody(coalition, ("AERO", f"R-{place}"), profile=JOSE)
        assert await verify(coalition, skytrip, [row(f"R-{place}", "Garcia")]) == [REVIEW]
    with pytest.raises(LookupsThrottled):
        await verify(coalition, skytrip, [row("A-1", "Garcia")])


async def test_an_alarm_says_who_and_how_much(coalition: Coalition) -> None:
    """The operator sees who walks along numbers, and is told of each alarm once; nobody else sees
    any, and no number is in it."""
    skytrip = await scene(coalition)
    for number in range(CLIENT.free + 1):
        await verify(coalition, skytrip, [row(f"55512{number:03d}", "Smith")])
    found = await alarms(coalition, OPERATOR, 100)
    assert found[0].kind is AlarmKind.MISSES
    assert {each.kind for each in found[1:]} == {AlarmKind.NEIGHBOURS, AlarmKind.SURNAME}
    assert {(each.agency_id, each.client, each.request_id) for each in found} == {
        (skytrip.agency_id, skytrip.client, "r-1")
    }
    assert [each.misses for each in found] == [CLIENT.free + 1, 13, 13]
    assert not any("55512" in str((each.client, each.misses, each.kind)) for each in found)
    assert await alarms(coalition, OPERATOR, 1, after=found[0].id) == found[1:2]
    assert await alarms(coalition, skytrip, 100) == []
    assert await unreported_alarms(coalition) == found[::-1]
    assert await unreported_alarms(coalition) == []


async def test_a_member_cannot_try_surnames(coalition: Coalition) -> None:
    """A member who names recipients wrongly is stopped after a few; a right one takes one statement
    and counts for nothing."""
    await scene(coalition)
    giver = await somebody(coalition, ("AERO", "A-5"))
    caller = member_caller(giver.member.id)
    right = Recipient("AERO", "A-1", "García Márquez")
    for place in range(MEMBER.free + 1):
        with pytest.raises(RecipientNotFound):
            await find_recipient(coalition, caller, Recipient("AERO", f"A-{place}", "Smith"))
    other = replace(caller, client="another app of hers")
    with pytest.raises(LookupsThrottled):
        await find_recipient(coalition, other, right)
    somebody_else = member_caller(new_id(0))
    await find_recipient(coalition, somebody_else, right)


async def test_who_is_named_rightly_takes_one_statement(
    coalition: Coalition, statements: list[str]
) -> None:
    """A member who names a recipient rightly leaves nothing behind."""
    await scene(coalition)
    statements.clear()
    caller = member_caller(new_id(0))
    await find_recipient(coalition, caller, Recipient("AERO", "A-1", "García Márquez"))
    assert len(statements) == 1
    assert await count_rows(coalition, "lookups_seen") == 0


async def test_what_is_over_is_forgotten(coalition: Coalition) -> None:
    """What says nothing any more is let go of; what still counts is not."""
    skytrip = await scene(coalition)
    await verify(coalition, skytrip, [guess()])
    assert await forget_lookups(coalition) == 0
    await coalition.database.fetch("UPDATE lookup_meters SET empty_at = 1, shut_until = 1")
    await coalition.database.fetch("UPDATE lookups_seen SET forgotten_at = 1")
    assert await forget_lookups(coalition) == 6
    assert await verify(coalition, skytrip, [guess()]) == [NO_MATCH]


async def test_old_keys_of_agencies_have_a_budget_too(coalition: Coalition) -> None:
    """A credential from before credentials named their agency is counted by itself."""
    await scene(coalition)
    nameless = Caller(CallerKind.AGENCY, "agency/old")
    await use_up(coalition, nameless)
    other = replace(nameless, client="agency/older")
    assert await verify(coalition, other, [row("A-1")]) == [MATCH]
