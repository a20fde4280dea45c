"""Access tokens made of API keys, and whose credentials are refused."""

import hmac
from typing import Any

import pytest

from brands import authentication
from brands.agencies import AgencyStatus, NewAgency, create_agency, set_status
from brands.authentication import (
    ACCESS_SECONDS,
    Vouched,
    authenticate,
    authenticate_member,
    exchange,
    is_key,
    key_id_of,
)
from brands.callers import CallerKind
from brands.clock import now_micros
from brands.coalition import Coalition
from brands.credentials import CreatedKey, NewKey, create_key, revoke_key
from brands.errors import InvalidInput, NotPermitted
from brands.members import MemberBy
from tests.brands.cast import OPERATOR, OPERATOR_WITH_PII, aero, bean, brand_caller, somebody

PEPPER = b"pepper"
TILL = NewKey(CallerKind.BRAND, "till", "AERO")


async def operators_key(coalition: Coalition) -> CreatedKey:
    """A key with a scope."""
    new = NewKey(CallerKind.OPERATOR, "back office", scopes=frozenset({"pii"}))
    return await create_key(coalition, OPERATOR_WITH_PII, new, PEPPER)


async def token_of(
    coalition: Coalition, key: CreatedKey, scopes: frozenset[str] | None = None
) -> str:
    """An access token for a key that is good."""
    caller = await authenticate(coalition, key.token, PEPPER)
    assert caller is not None
    return exchange(caller, key.token, PEPPER, scopes).token


async def test_an_access_token_stands_for_the_keys_holder(
    coalition: Coalition, statements: list[str]
) -> None:
    """A token is the same client as the key that it is made of, takes one statement, and is
    stored nowhere."""
    await aero(coalition)
    key = await create_key(coalition, OPERATOR, TILL, PEPPER)
    token = await token_of(coalition, key)
    statements.clear()
    caller = await authenticate(coalition, token, PEPPER, request_id="r")
    assert len(statements) == 1
    assert caller == await authenticate(coalition, key.token, PEPPER, request_id="r")
    assert key_id_of(token) == key_id_of(key.token) == key.key.id
    seal = token.rpartition(".")[2]
    tables = ("credentials", "actions")
    rows = [await coalition.database.fetch(f"SELECT * FROM {table}") for table in tables]
    assert seal not in repr([dict(row) for found in rows for row in found])


async def test_a_token_has_the_scopes_asked_for(coalition: Coalition) -> None:
    """All of the key's, or fewer; one that the key has not is refused."""
    key = await operators_key(coalition)
    for asked, given in ((None, {"pii"}), (frozenset({"pii"}), {"pii"}), (frozenset(), set())):
        caller = await authenticate(coalition, await token_of(coalition, key, asked), PEPPER)
        assert caller is not None
        assert caller.scopes == given
    with pytest.raises(InvalidInput):
        await token_of(coalition, key, frozenset({"pii", "all"}))


async def test_a_members_key_gives_no_token(coalition: Coalition) -> None:
    """A member's key is for no such thing."""
    await aero(coalition)
    her = (await somebody(coalition, ("AERO", None))).member
    new = NewKey(CallerKind.MEMBER, "app", member_id=her.id)
    key = await create_key(coalition, OPERATOR, new, PEPPER)
    with pytest.raises(NotPermitted):
        await token_of(coalition, key)


async def test_a_token_of_another_secret(coalition: Coalition) -> None:
    """A token is sealed with the secret of its key: one made with another's is nobody's."""
    key = await operators_key(coalition)
    other = await create_key(coalition, OPERATOR, NewKey(CallerKind.OPERATOR, "two"), PEPPER)
    mixed = key.token.partition(".")[0] + "." + other.token.partition(".")[2]
    caller = await authenticate(coalition, other.token, PEPPER)
    assert caller is not None
    for made in (mixed, other.token[:-1] + ("A" if other.token[-1] != "A" else "B")):
        token = exchange(caller, made, PEPPER, None).token
        assert await authenticate(coalition, token, PEPPER) is None
    assert not is_key(await token_of(coalition, key)), "no token is made of a token"


async def test_a_token_altered_anywhere_is_nobodys(coalition: Coalition) -> None:
    """A token with one character changed, added or missing stands for nobody, and neither does one
    put together from two."""
    key = await operators_key(coalition)
    token = await token_of(coalition, key, frozenset())
    wide = await token_of(coalition, key)
    altered = [
        token[:place] + wrong + token[place + 1 :]
        for place in range(len(token))
        for wrong in "a1"
        if token[place] != wrong
    ]
    said, _, seal = token.rpartition(".")
    mixed = (
        wide.rpartition(".")[0] + "." + seal,
        said + "pii." + seal,
        key.token.partition(".")[0].replace("ck_", "ct_") + "." + key.token.partition(".")[2],
    )
    for bad in (*altered, *mixed, token[:-1], token + "A", token + "\n", said, said + "."):
        assert await authenticate(coalition, bad, PEPPER) is None, bad
    assert await authenticate(coalition, token, b"another pepper") is None
    assert await authenticate(coalition, token, PEPPER) is not None


async def test_a_token_ends(coalition: Coalition, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is good for a quarter of an hour, and not an instant longer."""
    token = await token_of(coalition, await operators_key(coalition))
    real = now_micros()
    for later, good in ((ACCESS_SECONDS - 2, True), (ACCESS_SECONDS, False)):
        monkeypatch.setattr(
            authentication, "now_micros", lambda later=later: real + later * 1_000_000
        )
        assert (await authenticate(coalition, token, PEPPER) is not None) is good


async def test_a_token_ends_with_its_key(coalition: Coalition) -> None:
    """When a key is revoked, or expires, or its secret is another's, its tokens are over."""
    fetch = coalition.database.fetch
    key, other = await operators_key(coalition), await operators_key(coalition)
    token, second = await token_of(coalition, key), await token_of(coalition, other)
    await revoke_key(coalition, OPERATOR, key.key.id)
    assert await authenticate(coalition, token, PEPPER) is None
    assert await authenticate(coalition, second, PEPPER)
    await fetch("UPDATE credentials SET expires_at = 1 WHERE id = $1", other.key.id)
    assert await authenticate(coalition, second, PEPPER) is None
    await fetch("UPDATE credentials SET expires_at = NULL, secret_hash = $1", bytes(32))
    assert await authenticate(coalition, second, PEPPER) is None


async def test_the_same_work_for_unknown_and_wrong(
    coalition: Coalition, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown id costs what a known one with a wrong secret does: one statement, and one
    comparison in constant time of as many bytes."""
    key = await operators_key(coalition)
    token = await token_of(coalition, key)
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def noted(a: Any, b: Any) -> bool:
        compared.append((len(a), len(b)))
        return compare(a, b)

    monkeypatch.setattr("brands.authentication.hmac.compare_digest", noted)
    work = []
    for good in (key.token, token):
        wrong = good[:-4] + "AAAA"
        unknown = good.replace(key.key.id, "0" * 16)
        for bad in (wrong, unknown):
            statements.clear()
            compared.clear()
            assert await authenticate(coalition, bad, PEPPER) is None
            work.append((len(statements), list(compared)))
    assert work == [(1, [(32, 32)])] * 2 + [(1, [(43, 43)])] * 2


async def test_the_suspended_are_refused(coalition: Coalition) -> None:
    """While an agency or a brand is suspended its keys and tokens are nobody's, from the next
    request on; then they are good again."""
    await aero(coalition)
    await create_agency(coalition, OPERATOR, NewAgency("SKYTRIP", "Sky Trip"))
    desk = NewKey(CallerKind.AGENCY, "desk", agency_code="SKYTRIP")
    agency, brand = [await create_key(coalition, OPERATOR, new, PEPPER) for new in (desk, TILL)]
    tokens = [agency.token, await token_of(coalition, agency)]
    for status, good in ((AgencyStatus.SUSPENDED, False), (AgencyStatus.ACTIVE, True)):
        await set_status(coalition, OPERATOR, "SKYTRIP", status)
        for token in tokens:
            assert (await authenticate(coalition, token, PEPPER) is not None) is good
    made = await token_of(coalition, brand)
    for name, good in (("SUSPENDED", False), ("ACTIVE", True)):
        await coalition.database.fetch("UPDATE brands SET status = $1", name)
        await coalition.database.fetch("UPDATE coalition SET epoch = epoch + 1")
        for token in (brand.token, made):
            assert (await authenticate(coalition, token, PEPPER) is not None) is good


async def test_an_agencys_key_of_old(coalition: Coalition) -> None:
    """A key that was made before keys named their agency goes on, without one."""
    await create_agency(coalition, OPERATOR, NewAgency("SKYTRIP", "Sky Trip"))
    desk = NewKey(CallerKind.AGENCY, "desk", agency_code="SKYTRIP")
    key = await create_key(coalition, OPERATOR, desk, PEPPER)
    await coalition.database.fetch("UPDATE credentials SET agency_id = NULL")
    caller = await authenticate(coalition, key.token, PEPPER)
    assert caller is not None
    assert (caller.kind, caller.agency_id) == (CallerKind.AGENCY, None)


async def test_members_whom_issuers_name(coalition: Coalition, statements: list[str]) -> None:
    """The coalition's issuer names any member, a brand's one with an open membership there; each
    in its own namespace of external ids, by one statement."""
    airline = await aero(coalition)
    await bean(coalition)
    flyer = await somebody(coalition, ("AERO", None), external_id="x", caller=brand_caller(airline))
    drinker = await somebody(coalition, ("BEAN", None), external_id="x")
    both = {None: drinker.member, "AERO": flyer.member}
    for brand, member in both.items():
        for by in (MemberBy(external_id="x"), MemberBy(id=member.id)):
            statements.clear()
            caller = await authenticate_member(coalition, Vouched("https://i", by, brand))
            assert caller is not None
            assert caller.member_id == member.id
            assert len(statements) == 1
    nobody = [
        Vouched("https://i", MemberBy(external_id="x"), "BEAN"),
        Vouched("https://i", MemberBy(id=drinker.member.id), "AERO"),
        Vouched("https://i", MemberBy(coalition_number=drinker.member.coalition_number), "AERO"),
        Vouched("https://i", MemberBy(external_id="x"), "NONE"),
        Vouched("https://i", MemberBy(external_id="\0")),
        Vouched("https://i", MemberBy(external_id="y")),
        Vouched("https://i", MemberBy(coalition_number="1" * 100)),
    ]
    for vouched in nobody:
        assert await authenticate_member(coalition, vouched) is None
