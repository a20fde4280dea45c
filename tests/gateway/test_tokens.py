"""`/oauth/token`: who gets a token, and the errors of RFC 6749."""

from base64 import b64encode
from typing import Any

import httpx
import pytest

from brands.buckets import Rate
from brands.callers import CallerKind
from brands.coalition import Coalition, open_coalition
from brands.credentials import NewKey, list_keys
from gateway.callers.auth import KeysInUse
from tests.gateway.stage import OPERATOR, Stage, open_bare, open_stage
from tests.gateway.test_statements import WALLET, statements

__all__ = ["statements"]

GRANT = {"grant_type": "client_credentials"}
FEW = 20
"""Wrong secrets that are looked at, in a test."""

FORM = "application/x-www-form-urlencoded"


def parts(key: str) -> tuple[str, str]:
    """The id and the secret of a client whose key this is."""
    id, _, secret = key.partition(".")
    return id, secret


def in_form(key: str, **more: str) -> dict[str, str]:
    """A good request in a form."""
    id, secret = parts(key)
    return {**GRANT, "client_id": id, "client_secret": secret, **more}


def basic(id: str, secret: str) -> dict[str, str]:
    """A header by which a client authenticates."""
    return {"authorization": "Basic " + b64encode(f"{id}:{secret}".encode()).decode()}


async def ask(stage: Stage, data: Any = None, **more: Any) -> httpx.Response:
    """The answer to a request, which is never stored."""
    response = await stage.client.post("/oauth/token", data=data, **more)
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    assert response.status_code < 500
    return response


def refused(response: httpx.Response, error: str, status: int = 400) -> None:
    """Checks a refusal."""
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert set(response.json()) == {"error", "error_description"}
    assert ("www-authenticate" in response.headers) is (status == 401)


@pytest.mark.parametrize("who", ["aero", "agency", "operator"])
async def test_a_client_gets_a_token(stage: Stage, who: str) -> None:
    """By a form or by a header a brand, an agency and an operator get a token that is the same
    client as their key."""
    key = stage.tokens[who]
    answers = [
        await ask(stage, in_form(key)),
        await ask(stage, GRANT, headers=basic(*parts(key))),
        await ask(stage, {**GRANT, "client_id": parts(key)[0]}, headers=basic(*parts(key))),
    ]
    viewer = "{ viewer { kind client scopes brand { code } agency { code } } }"
    for answer in answers:
        assert answer.status_code == 200
        body = answer.json()
        scope = "pii" if who == "operator" else ""
        assert {**body, "access_token": ""} == {
            "access_token": "",
            "token_type": "Bearer",
            "expires_in": 900,
            "scope": scope,
        }
        assert body["access_token"].startswith("ct_")
        assert await stage.data(viewer, who=body["access_token"]) == await stage.data(
            viewer, who=who
        )


async def test_fewer_scopes(stage: Stage) -> None:
    """A token can have fewer scopes than its key, and not more."""
    key = stage.tokens["operator"]
    assert (await ask(stage, in_form(key, scope="pii"))).json()["scope"] == "pii"
    assert (await ask(stage, in_form(key, scope=""))).json()["scope"] == "pii"
    for bad in ("all", "pii all", "pii  pii", " pii", 'p"ii', "pii\\", "é", "\0", "x" * 1_000):
        refused(await ask(stage, in_form(key, scope=bad)), "invalid_scope")
    refused(await ask(stage, in_form(stage.tokens["aero"], scope="pii")), "invalid_scope")


async def test_a_key_that_is_over(stage: Stage) -> None:
    """A revoked key gets no token, and those that it got are over."""
    key = stage.tokens["agency"]
    token = (await ask(stage, in_form(key))).json()["access_token"]
    await stage.coalition.database.fetch("UPDATE credentials SET revoked_at = 1")
    refused(await ask(stage, in_form(key)), "invalid_client", 401)
    assert (await stage.post({"query": "{ viewer { kind } }"}, token)).status_code == 401


async def test_whoever_is_no_client(stage: Stage) -> None:
    """Whoever is not known by this id and secret gets one answer, whatever is wrong with them."""
    id, secret = parts(stage.tokens["aero"])
    other = parts(stage.tokens["hotel"])[1]
    pairs = [
        *((id, other), (id, ""), ("", secret), ("ck_b_" + "0" * 16, secret), (id, secret + "A")),
        *(("\0", "\0"), (id, "é"), (id.replace("ck_", "ct_"), secret), (id + "." + secret, "")),
        *(("' OR 1=1 --", "x"), ("x" * 3_000, "x"), (id.upper(), secret), (f" {id}", secret)),
    ]
    answers = []
    for pair in pairs:
        given = {**GRANT, "client_id": pair[0], "client_secret": pair[1]}
        answers += [await ask(stage, given), await ask(stage, GRANT, headers=basic(*pair))]
    for header in (
        "Basic",
        "Basic !",
        "Basic " + b64encode(b"no colon").decode(),
        "Basic " + b64encode(b"\xff\xfe:x").decode(),
        f"Bearer {stage.tokens['aero']}",
        f"Digest {stage.tokens['aero']}",
        "Basic " + "A" * 5_000,
    ):
        answers += [await ask(stage, GRANT, headers={"authorization": header})]
    answers += [await ask(stage, GRANT)]
    for answer in answers:
        refused(answer, "invalid_client", 401)
        assert answer.headers["www-authenticate"].startswith("Basic")
    assert len({answer.content for answer in answers}) == 1


async def test_an_access_token_is_no_secret(stage: Stage) -> None:
    """A token cannot be exchanged for another, which would make it last for ever."""
    token = (await ask(stage, in_form(stage.tokens["aero"]))).json()["access_token"]
    refused(await ask(stage, in_form(token)), "invalid_client", 401)


async def test_a_member_is_no_client(stage: Stage) -> None:
    """A member's key gets no token: her tokens are her issuer's."""
    ada = await stage.enrol("AERO")
    refused(await ask(stage, in_form(ada.token)), "unauthorized_client")


async def test_requests_that_are_none(stage: Stage) -> None:
    """A request that is no form, says a thing twice, or authenticates twice, is refused as such."""
    good = in_form(stage.tokens["aero"])
    text = httpx.QueryParams(good)
    form = {"content-type": FORM}
    bodies: list[tuple[bytes, dict[str, str]]] = [
        (b"", {}),
        (str(text).encode(), {}),
        (str(text).encode(), {"content-type": "application/json"}),
        (str(text).encode(), {"content-type": "multipart/form-data; boundary=x"}),
        (f"{text}&grant_type=client_credentials".encode(), form),
        (f"{text}&scope=a&scope=b".encode(), form),
        (f"{text}&{'&'.join(f'a{n}=1' for n in range(20))}".encode(), form),
        (f"{text}&a".encode(), form),
        (f"{text}&a=%ff".encode(), form),
        (f"{text}&a=\xff".encode("latin-1"), form),
        (bytes(100), form),
        (b"{}", form),
    ]
    for content, headers in bodies:
        refused(await ask(stage, content=content, headers=headers), "invalid_request")
    long = await ask(stage, content=b"a=" + b"x" * 8_192, headers=form)
    refused(long, "invalid_request", 413)
    no_grant = {name: value for name, value in good.items() if name != "grant_type"}
    refused(await ask(stage, no_grant), "invalid_request")
    own = basic(*parts(stage.tokens["aero"]))
    refused(await ask(stage, good, headers=own), "invalid_request")
    refused(await ask(stage, {**GRANT, "client_id": "another"}, headers=own), "invalid_request")


@pytest.mark.parametrize(
    "grant", ["", "password", "authorization_code", "CLIENT_CREDENTIALS", "\0"]
)
async def test_other_grants(stage: Stage, grant: str) -> None:
    """There is one grant."""
    given = {**in_form(stage.tokens["aero"]), "grant_type": grant}
    refused(await ask(stage, given), "unsupported_grant_type")


async def test_other_methods(stage: Stage) -> None:
    """A token is asked for with POST: a secret in an address would end up in logs."""
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        response = await stage.client.request(method, "/oauth/token", params=GRANT)
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"


async def test_a_form_as_libraries_send_it(stage: Stage) -> None:
    """Upper case in a scheme or a media type, a charset, and escapes in a header do no harm."""
    id, secret = parts(stage.tokens["aero"])
    escaped = {"authorization": basic(id.replace("_", "%5F"), secret)["authorization"]}
    kind = {"content-type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"}
    content = b"grant_type=client_credentials"
    assert (await ask(stage, content=content, headers=escaped | kind)).status_code == 200


async def test_the_wallet_takes_three(stage: Stage, statements: list[str]) -> None:
    """With an access token, too, the wallet takes three statements."""
    ada = await stage.enrol("AERO", "HOTEL")
    token = (await ask(stage, in_form(stage.tokens["operator"]))).json()["access_token"]
    statements.clear()
    query = f'{{ member(by: {{id: "{ada.id}"}}) {{ {WALLET} }} }}'
    data = await stage.data(query, who=token)
    assert len(data["member"]["memberships"]) == 2
    assert len(statements) <= 3, statements


async def test_a_namespace_of_keys(stage: Stage) -> None:
    """What was done with a key is found done with a token of it: one namespace of idempotency."""
    ada = await stage.enrol("AERO")
    token = (await ask(stage, in_form(stage.tokens["operator"]))).json()["access_token"]
    given = {
        "membership": ada.memberships["AERO"],
        "points": 5,
        "reason": "a gift",
        "idempotencyKey": "once",
    }
    for who, replayed in (("operator", False), (token, True)):
        payload = await stage.do("pointsAdjust", given, "replayed", who)
        assert payload == {"replayed": replayed, "errors": []}


async def test_the_last_use(url: str) -> None:
    """Getting a token is a use of its key, and so is using it; both are written down before the
    gateway has gone."""
    async with open_stage(url) as stage:
        key = stage.tokens["aero"]
        token = (await ask(stage, in_form(key))).json()["access_token"]
        assert await used(stage.coalition) == set()
    async with open_bare(url) as stage:
        assert parts(key)[0][5:] in await used(stage.coalition)
        await stage.coalition.database.fetch("UPDATE credentials SET last_used_at = NULL")
        await stage.data("{ viewer { kind } }", who=token)
    coalition = await open_coalition(url)
    assert await used(coalition) == {parts(key)[0][5:]}
    await coalition.close()


async def used(coalition: Coalition) -> set[str]:
    """The keys of which a use is written down."""
    return {key.id for key in await list_keys(coalition, OPERATOR) if key.last_used_at}


async def test_a_use_that_was_not_written_down(stage: Stage) -> None:
    """A use that could not be written down is written down the next time."""
    keys = KeysInUse()
    keys.note(stage.tokens["aero"])
    await stage.coalition.database.fetch("ALTER TABLE credentials RENAME TO away")
    with pytest.raises(Exception, match="credentials"):
        await keys.write_down(stage.coalition)
    await stage.coalition.database.fetch("ALTER TABLE away RENAME TO credentials")
    await keys.write_down(stage.coalition)
    assert await used(stage.coalition) == {parts(stage.tokens["aero"])[0][5:]}


async def test_a_key_with_an_end(stage: Stage) -> None:
    """A token is no longer good than its key, whatever it was given for."""
    new = NewKey(CallerKind.BRAND, "soon", brand_code="AERO")
    key = await stage.token(new)
    token = (await ask(stage, in_form(key))).json()["access_token"]
    await stage.coalition.database.fetch("UPDATE credentials SET expires_at = 1")
    assert (await stage.post({"query": "{ viewer { kind } }"}, token)).status_code == 401


async def test_attempts_are_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong secrets from one address are turned away unlooked at after a while, with a time to
    come again; a client that came before goes on."""
    monkeypatch.setattr("gateway.callers.attempts.WRONG", Rate(FEW, 1))
    id, _ = parts(stage.tokens["aero"])
    assert (await ask(stage, in_form(stage.tokens["hotel"]))).status_code == 200
    wrong = {**GRANT, "client_id": id, "client_secret": "A" * 43}
    answer = await ask(stage, wrong)
    for _ in range(2 * FEW):
        if answer.status_code == 429:
            break
        refused(answer, "invalid_client", 401)
        answer = await ask(stage, wrong)
    refused(answer, "temporarily_unavailable", 429)
    assert int(answer.headers["retry-after"]) >= 1
    assert (await ask(stage, in_form(stage.tokens["aero"]))).status_code == 429
    assert (await ask(stage, in_form(stage.tokens["hotel"]))).status_code == 200
