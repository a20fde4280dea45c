"""API keys: whom a token stands for, what is stored of it, and when it ends."""

import asyncio
from datetime import timedelta

import pytest

from brands.agencies import NewAgency, create_agency
from brands.authentication import authenticate, key_id_of
from brands.callers import Caller, CallerKind
from brands.clock import now
from brands.coalition import Coalition, open_coalition
from brands.credentials import (
    CreatedKey,
    NewKey,
    create_key,
    list_keys,
    note_use,
    revoke_key,
)
from brands.errors import (
    AgencyNotFound,
    BrandNotFound,
    CredentialNotFound,
    DomainError,
    InvalidInput,
    MemberNotFound,
    NotPermitted,
    TooManyKeys,
)
from brands.ids import new_id
from tests.brands.cast import (
    AGENCY,
    OPERATOR,
    OPERATOR_WITH_PII,
    aero,
    bean,
    brand_caller,
    connect_all,
    count_all,
    member_caller,
    somebody,
)

PEPPER = b"pepper"
TILL = NewKey(CallerKind.BRAND, "till", "AERO")


async def test_a_token_stands_for_its_holder(coalition: Coalition) -> None:
    """A token of each kind is answered with its caller: the brand or member, and the scopes."""
    airline = await aero(coalition)
    her = (await somebody(coalition, ("AERO", None))).member
    sky = await create_agency(coalition, OPERATOR, NewAgency("SKYTRIP", "Sky Trip"))
    made = [
        NewKey(CallerKind.OPERATOR, "back office", scopes=frozenset({"pii"})),
        TILL,
        NewKey(CallerKind.AGENCY, "booking", agency_code="SKYTRIP"),
        NewKey(CallerKind.MEMBER, "app", member_id=her.id),
    ]
    for new in made:
        created = await create_key(coalition, OPERATOR_WITH_PII, new, PEPPER)
        assert created.token.startswith(f"ck_{new.kind[0].lower()}_{created.key.id}.")
        caller = await authenticate(coalition, created.token, PEPPER, request_id="r")
        assert caller == Caller(
            new.kind,
            created.key.client,
            new.scopes,
            airline.id if new is TILL else None,
            new.member_id,
            "r",
            sky.id if new.agency_code else None,
        )
    assert len({key.client for key in await list_keys(coalition, OPERATOR)}) == 4


async def test_only_a_keyed_hash_is_stored(coalition: Coalition) -> None:
    """Neither the secret nor anything that yields it without the pepper is in the database."""
    await aero(coalition)
    created = await create_key(coalition, OPERATOR, TILL, PEPPER)
    secret = created.token.partition(".")[2]
    rows = [
        *await coalition.database.fetch("SELECT * FROM credentials"),
        *await coalition.database.fetch("SELECT * FROM actions"),
    ]
    assert secret not in repr([dict(row) for row in rows])
    assert secret not in repr(created.key)
    assert await authenticate(coalition, created.token, b"another pepper") is None
    other = await create_key(coalition, OPERATOR, TILL, PEPPER)
    assert other.token != created.token


async def test_a_token_altered_anywhere_is_nobodys(coalition: Coalition) -> None:
    """A token with one character changed, added or missing stands for nobody."""
    await aero(coalition)
    token = (await create_key(coalition, OPERATOR, TILL, PEPPER)).token
    other = (await create_key(coalition, OPERATOR, TILL, PEPPER)).token
    altered = [
        token[:place] + wrong + token[place + 1 :]
        for place in range(len(token))
        for wrong in "ao1"
        if token[place] != wrong
    ]
    mixed = token.partition(".")[0] + "." + other.partition(".")[2]
    for bad in (*altered, token[:-1], token + "A", token + "\n", token.upper(), "", ".", mixed):
        assert await authenticate(coalition, bad, PEPPER) is None
    assert await authenticate(coalition, token, PEPPER) is not None


async def test_authentication_is_one_statement(coalition: Coalition, url: str) -> None:
    """Authenticating takes one statement, and brings the registry up to date when it has changed
    elsewhere."""
    await aero(coalition)
    token = (await create_key(coalition, OPERATOR, TILL, PEPPER)).token
    other = await open_coalition(url)
    try:
        cafe = await bean(other)
    finally:
        await other.close()
    assert cafe not in coalition.registry.snapshot.brands
    assert await authenticate(coalition, token, PEPPER) is not None
    assert cafe in coalition.registry.snapshot.brands


async def test_a_known_registry_costs_nothing_more(
    coalition: Coalition, statements: list[str]
) -> None:
    """With the registry up to date authenticating is one statement; none for no token."""
    await aero(coalition)
    token = (await create_key(coalition, OPERATOR, TILL, PEPPER)).token
    statements.clear()
    assert await authenticate(coalition, token, PEPPER) is not None
    assert len(statements) == 1
    assert await authenticate(coalition, "Bearer of nothing", PEPPER) is None
    assert len(statements) == 1


async def test_a_revoked_key_is_over(coalition: Coalition) -> None:
    """A revoked key stands for nobody at once and for good; revoking it again changes nothing."""
    await aero(coalition)
    created = await create_key(coalition, OPERATOR, TILL, PEPPER)
    revoked = await revoke_key(coalition, OPERATOR, created.key.id)
    assert revoked.revoked_at is not None
    assert await authenticate(coalition, created.token, PEPPER) is None
    before = await count_all(coalition)
    assert await revoke_key(coalition, OPERATOR, created.key.id) == revoked
    assert await count_all(coalition) == before
    for unknown in ("0" * 16, "", "\0", "x" * 10_000):
        with pytest.raises(CredentialNotFound):
            await revoke_key(coalition, OPERATOR, unknown)


async def test_a_key_expires(coalition: Coalition) -> None:
    """A key stands for its holder until the instant at which it expires."""
    await aero(coalition)
    soon = now() + timedelta(milliseconds=300)
    new = NewKey(CallerKind.BRAND, "till", "AERO", expires_at=soon)
    created = await create_key(coalition, OPERATOR, new, PEPPER)
    assert await authenticate(coalition, created.token, PEPPER) is not None
    await asyncio.sleep(0.35)
    assert await authenticate(coalition, created.token, PEPPER) is None


async def test_two_keys_of_a_client_live(coalition: Coalition) -> None:
    """A client has two live keys and one namespace; a third key has to wait for one to end."""
    await aero(coalition)
    await connect_all(coalition)
    results = await asyncio.gather(
        *(create_key(coalition, OPERATOR, TILL, PEPPER) for _ in range(5)), return_exceptions=True
    )
    made = [result for result in results if isinstance(result, CreatedKey)]
    assert len(made) == 2
    assert sum(isinstance(result, TooManyKeys) for result in results) == 3
    assert made[0].key.client == made[1].key.client
    await create_key(coalition, OPERATOR, NewKey(CallerKind.BRAND, "shop", "AERO"), PEPPER)
    await revoke_key(coalition, OPERATOR, made[0].key.id)
    third = await create_key(coalition, OPERATOR, TILL, PEPPER)
    assert third.key.client == made[0].key.client


@pytest.mark.parametrize(
    ("new", "error"),
    [
        (NewKey(CallerKind.BRAND, "till"), InvalidInput),
        (NewKey(CallerKind.BRAND, "till", "NONE"), BrandNotFound),
        (NewKey(CallerKind.BRAND, "", "AERO"), InvalidInput),
        (NewKey(CallerKind.BRAND, "x" * 201, "AERO"), InvalidInput),
        (NewKey(CallerKind.OPERATOR, "x", "AERO"), InvalidInput),
        (NewKey(CallerKind.MEMBER, "x"), InvalidInput),
        (NewKey(CallerKind.MEMBER, "x", member_id=new_id(0)), MemberNotFound),
        (NewKey(CallerKind.AGENCY, "x", member_id=new_id(0)), InvalidInput),
        (NewKey(CallerKind.AGENCY, "x"), InvalidInput),
        (NewKey(CallerKind.AGENCY, "x", agency_code="NONE"), AgencyNotFound),
        (NewKey(CallerKind.AGENCY, "x", agency_code="\0"), AgencyNotFound),
        (NewKey(CallerKind.BRAND, "till", "AERO", agency_code="SKYTRIP"), InvalidInput),
        (NewKey(CallerKind.BRAND, "till", "AERO", scopes=frozenset({"pii"})), InvalidInput),
        (NewKey(CallerKind.OPERATOR, "x", scopes=frozenset({"all"})), InvalidInput),
        (NewKey(CallerKind.OPERATOR, "x", scopes=frozenset({"pii"})), NotPermitted),
        (NewKey(CallerKind.BRAND, "till", "AERO", expires_at=now()), InvalidInput),
    ],
)
async def test_a_key_in_bad_form_is_refused(
    coalition: Coalition, new: NewKey, error: type[DomainError]
) -> None:
    """A key without its brand or member, with a scope that is not its kind's or not its maker's to
    give, or expired already, is not made."""
    await aero(coalition)
    before = await count_all(coalition)
    with pytest.raises(error):
        await create_key(coalition, OPERATOR, new, PEPPER)
    assert await count_all(coalition) == before


async def test_keys_are_the_operators_business(coalition: Coalition) -> None:
    """Nobody but the operator makes, lists or revokes keys; on denial nothing changes."""
    airline = await aero(coalition)
    created = await create_key(coalition, OPERATOR, TILL, PEPPER)
    before = await count_all(coalition)
    for caller in (brand_caller(airline), AGENCY, member_caller(new_id(0))):
        with pytest.raises(NotPermitted):
            await create_key(coalition, caller, TILL, PEPPER)
        with pytest.raises(NotPermitted):
            await list_keys(coalition, caller)
        with pytest.raises(NotPermitted):
            await revoke_key(coalition, caller, created.key.id)
    assert await count_all(coalition) == before
    assert await list_keys(coalition, OPERATOR) == [created.key]


async def test_the_last_use_is_noted(coalition: Coalition) -> None:
    """Noting a use moves the last use of those keys forward, never back."""
    await aero(coalition)
    created = await create_key(coalition, OPERATOR, TILL, PEPPER)
    assert key_id_of(created.token) == created.key.id
    assert key_id_of("something else") is None
    later = now()
    for at in (later, later - timedelta(hours=1)):
        await note_use(coalition, [created.key.id], at)
        (key,) = await list_keys(coalition, OPERATOR)
        assert key.last_used_at == later
