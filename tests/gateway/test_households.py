"""Households over GraphQL: two members agree to pool, see each other, and part."""

from typing import Any

import pytest

from tests.gateway.stage import Json, Person, Stage, key, uuid_of

INVITATION = "invitation { id invitedAt from { givenName familyInitial } }"
HOUSEHOLD = (
    "household { id since members { coalitionNumber since name { givenName familyInitial }}}"
)
MINE = f"""{{ viewer {{ member {{
    {HOUSEHOLD} householdInvitations {{ id from {{ givenName }} }}
}} }} }}"""


async def enrol(stage: Stage, who: str, family_name: str) -> Person:
    """A member at the airline under number `A-<who>`, with a credential by that name."""
    person = await stage.enrol("AERO")
    await stage.coalition.database.fetch(
        "UPDATE profiles SET given_name = $2, family_name = $3 WHERE member_id = $1",
        *(uuid_of(person.id), who.title(), family_name),
    )
    stage.tokens[who] = person.token
    return person


async def named(stage: Stage, person: Person, surname: str) -> Json:
    """How a member is named by who knows her."""
    data = await stage.data(
        "query N($id: ID!) { node(id: $id) { ... on Membership { number } } }",
        {"id": person.memberships["AERO"]},
    )
    return {"brand": "AERO", "number": data["node"]["number"], "surname": surname}


async def mine(stage: Stage, who: str) -> Any:
    """What a member sees of her household and her invitations."""
    return (await stage.data(MINE, who=who))["viewer"]["member"]


async def test_two_members_pool_and_part(stage: Stage) -> None:
    """A member invites another by number and surname, who sees that, accepts, and leaves; each is
    shown to the other by given name and initial, to herself by number as well."""
    ada = await enrol(stage, "ada", "Lovelace")
    bea = await enrol(stage, "bea", "O'Brien-Müller")
    recipient = await named(stage, bea, "obrien muller")
    sent = await stage.do("householdInvite", {"recipient": recipient}, INVITATION, "ada")
    assert sent["errors"] == []
    assert sent["invitation"]["from"] == {"givenName": "Ada", "familyInitial": "L"}
    assert (await mine(stage, "ada"))["householdInvitations"] == []
    seen = await mine(stage, "bea")
    assert seen["household"] is None
    assert seen["householdInvitations"] == [
        {"id": sent["invitation"]["id"], "from": {"givenName": "Ada"}}
    ]

    given = {"invitation": sent["invitation"]["id"], "accept": True}
    accepted = await stage.do("householdAnswer", given, HOUSEHOLD, "bea")
    assert accepted["errors"] == []
    names = [
        {"givenName": "Ada", "familyInitial": "L"},
        {"givenName": "Bea", "familyInitial": "O"},
    ]
    for who, numbers in (("ada", [ada.number, None]), ("bea", [None, bea.number])):
        seen = await mine(stage, who)
        members = seen["household"]["members"]
        assert [each["name"] for each in members] == names
        assert [each["coalitionNumber"] for each in members] == numbers
        assert seen["householdInvitations"] == []
    assert (await mine(stage, "bea"))["household"] == accepted["household"]

    given = {"household": accepted["household"]["id"]}
    for _ in range(2):
        assert await stage.do("householdLeave", given, "left", "bea") == {
            "left": True,
            "errors": [],
        }
    for who in ("ada", "bea"):
        assert (await mine(stage, who))["household"] is None


async def test_a_decline(stage: Stage) -> None:
    """Who declines is in no household, and so is who invited her."""
    await enrol(stage, "ada", "Lovelace")
    recipient = await named(stage, await enrol(stage, "bea", "Byron"), "Byron")
    sent = await stage.do("householdInvite", {"recipient": recipient}, INVITATION, "ada")
    given = {"invitation": sent["invitation"]["id"], "accept": False}
    declined = await stage.do("householdAnswer", given, HOUSEHOLD, "bea")
    assert declined == {"household": None, "errors": []}
    for who in ("ada", "bea"):
        assert await mine(stage, who) == {"household": None, "householdInvitations": []}


@pytest.mark.parametrize(
    ("who", "wrong", "code", "path"),
    [
        ("operator", {}, "NOT_PERMITTED", None),
        ("aero", {}, "NOT_PERMITTED", None),
        ("agency", {}, "NOT_PERMITTED", None),
        ("bea", {}, "SAME_MEMBER", ["recipient"]),
        ("ada", {"surname": "Lovelace"}, "RECIPIENT_NOT_FOUND", ["recipient"]),
        ("ada", {"surname": ""}, "RECIPIENT_NOT_FOUND", ["recipient"]),
        ("ada", {"number": "A-1"}, "RECIPIENT_NOT_FOUND", ["recipient"]),
        ("ada", {"brand": "HOTEL"}, "RECIPIENT_NOT_FOUND", ["recipient"]),
        ("ada", {"brand": "NONE"}, "BRAND_NOT_FOUND", ["recipient", "brand"]),
    ],
)
async def test_invitations_that_are_refused(
    stage: Stage, who: str, wrong: Json, code: str, path: list[str] | None
) -> None:
    """Only members invite, only others, and only whom they can name; nothing has changed after."""
    await enrol(stage, "ada", "Lovelace")
    recipient = await named(stage, await enrol(stage, "bea", "Byron"), "Byron")
    before = await stage.books()
    payload = await stage.do("householdInvite", {"recipient": recipient | wrong}, INVITATION, who)
    assert payload["invitation"] is None
    (error,) = payload["errors"]
    assert (error["code"], error["path"]) == (code, path)
    assert "yron" not in str(payload)
    assert await stage.books() == before


@pytest.mark.parametrize(
    ("who", "answered", "left"),
    [
        ("operator", "NOT_PERMITTED", "NOT_PERMITTED"),
        ("aero", "NOT_PERMITTED", "NOT_PERMITTED"),
        ("agency", "NOT_PERMITTED", "NOT_PERMITTED"),
        ("ada", "INVITATION_NOT_FOUND", None),
        ("eve", "INVITATION_NOT_FOUND", "HOUSEHOLD_NOT_FOUND"),
        ("bea", None, "HOUSEHOLD_NOT_FOUND"),
    ],
)
async def test_who_may_answer_and_leave(
    stage: Stage, who: str, answered: str | None, left: str | None
) -> None:
    """Only the invited answers, only who is in a household leaves it; and to brands, agencies and
    strangers there is neither."""
    ada = await enrol(stage, "ada", "Lovelace")
    bea = await enrol(stage, "bea", "Byron")
    await enrol(stage, "eve", "Moneypenny")
    recipient = await named(stage, bea, "Byron")
    sent = await stage.do("householdInvite", {"recipient": recipient}, INVITATION, "ada")
    household = (await mine(stage, "ada"))["household"]["id"]

    looked = f"""query L($ada: ID!, $bea: ID!) {{
        ada: node(id: $ada) {{ ... on Member {{ {HOUSEHOLD} }} }}
        bea: node(id: $bea) {{ ... on Member {{ householdInvitations {{ id }} }} }}
    }}"""
    seen = await stage.data(looked, {"ada": ada.id, "bea": bea.id}, who)
    assert bool(seen["ada"] and seen["ada"]["household"]) is (who in {"operator", "ada"})
    assert bool(seen["bea"] and seen["bea"]["householdInvitations"]) is (who in {"operator", "bea"})

    before = await stage.books()
    for mutation, given, code in (
        ("householdAnswer", {"invitation": sent["invitation"]["id"], "accept": True}, answered),
        ("householdLeave", {"household": household}, left),
    ):
        if code is not None:
            payload = await stage.do(mutation, given, who=who)
            assert [error["code"] for error in payload["errors"]] == [code]
    if answered and left:
        assert await stage.books() == before


@pytest.mark.parametrize("identifier", ["", "x", "Ho", key()])
async def test_ids_that_are_none(stage: Stage, identifier: str) -> None:
    """What is no id names no invitation and no household."""
    await enrol(stage, "ada", "Lovelace")
    given: Json = {"invitation": identifier, "accept": True}
    payload = await stage.do("householdAnswer", given, HOUSEHOLD, "ada")
    assert [error["code"] for error in payload["errors"]] == ["INVITATION_NOT_FOUND"]
    payload = await stage.do("householdLeave", {"household": identifier}, "left", "ada")
    assert payload["left"] is False
    assert [error["code"] for error in payload["errors"]] == ["HOUSEHOLD_NOT_FOUND"]


async def test_the_statements_of_a_household(stage: Stage) -> None:
    """Households of many members are fetched together, each as her own would be."""
    await enrol(stage, "ada", "Lovelace")
    people = [await enrol(stage, f"p{i}", "Byron") for i in range(3)]
    for person in people:
        recipient = await named(stage, person, "Byron")
        await stage.do("householdInvite", {"recipient": recipient}, INVITATION, "ada")
    asked = " ".join(
        f'a{i}: node(id: "{person.id}") {{ ... on Member {{ householdInvitations {{ id }} }} }}'
        for i, person in enumerate(people)
    )
    data = await stage.data(f"{{ {asked} }}")
    assert [len(data[f"a{i}"]["householdInvitations"]) for i in range(3)] == [1, 1, 1]
