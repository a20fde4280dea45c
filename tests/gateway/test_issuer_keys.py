"""The keys of an issuer: when they are fetched, how long they are good, and what is no key."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, RSAKey

from gateway.callers.issuer_keys import (
    COOL_DOWN_SECONDS,
    MAX_BYTES,
    REFRESH_SECONDS,
    RETRY_SECONDS,
    STALE_SECONDS,
    NoKeys,
    PublishedKeys,
    signing_keys,
)
from tests.gateway.issuing import LOGIN, MODELS, TestIssuer, web

KNOWN = f"{LOGIN}#ES256"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def login() -> TestIssuer:
    """An issuer of its own."""
    return TestIssuer()


@pytest.fixture
def clock() -> Clock:
    """The time of the cache."""
    return Clock()


@pytest.fixture
async def keys(login: TestIssuer, clock: Clock) -> AsyncIterator[PublishedKeys]:
    """Its keys as the gateway has them: none, to begin with."""
    published = PublishedKeys(login.trusted(), web(login), clock)
    yield published
    await published.close()


async def settle() -> None:
    """Lets what goes on in the background come to its end."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_fetched_when_needed(keys: PublishedKeys, login: TestIssuer) -> None:
    """Nothing is fetched before a key is wanted; then all are, at once for all who wait."""
    assert login.asked == []
    found = await asyncio.gather(*(keys.find(KNOWN) for _ in range(50)))
    assert {each.id for each in found if each} == {KNOWN}
    assert None not in found
    assert await keys.find(f"{LOGIN}#RS256")
    assert login.asked == ["/jwks.json"]


async def test_unknown_keys_are_asked_for_rarely(
    keys: PublishedKeys, login: TestIssuer, clock: Clock
) -> None:
    """However many keys that nobody knows are named, the issuer is asked once a minute."""
    for number in range(1_000):
        assert await keys.find(f"unknown-{number}") is None
    assert len(login.asked) == 1
    clock.now += COOL_DOWN_SECONDS - 1
    assert await keys.find("unknown") is None
    assert len(login.asked) == 1
    clock.now += 1
    await asyncio.gather(*(keys.find(f"unknown-{number}") for number in range(100)))
    assert len(login.asked) == 2


async def test_a_new_key_is_found(keys: PublishedKeys, login: TestIssuer, clock: Clock) -> None:
    """A key that the issuer has begun to use is found with the first token that names it."""
    new = {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "new"}
    assert await keys.find("new") is None
    login.published = [*login.published, new]
    clock.now += COOL_DOWN_SECONDS
    assert await keys.find("new")


async def test_a_withdrawn_key_is_over(
    keys: PublishedKeys, login: TestIssuer, clock: Clock
) -> None:
    """A key that the issuer publishes no more is good until the next look, ten minutes after the
    last at most; whoever asks meanwhile does not wait."""
    key = await keys.find(KNOWN)
    assert key
    login.published = [each for each in login.published if each["kid"] != KNOWN]
    clock.now += REFRESH_SECONDS - 1
    assert keys.holds(key)
    clock.now += 1
    assert keys.holds(key), "what is known goes on while the issuer is asked"
    await settle()
    assert not keys.holds(key)
    assert await keys.find(KNOWN) is None


async def test_another_key_of_the_same_name(
    keys: PublishedKeys, login: TestIssuer, clock: Clock
) -> None:
    """A key that took over the name of another is another: what that one signed is over."""
    key = await keys.find(KNOWN)
    assert key
    login.published = [{**ECKey.generate_key("P-256").as_dict(private=False), "kid": KNOWN}]
    clock.now += REFRESH_SECONDS
    assert await keys.find(KNOWN)
    await settle()
    assert await keys.find(KNOWN)
    assert not keys.holds(key)


async def test_an_issuer_that_is_down(keys: PublishedKeys, login: TestIssuer, clock: Clock) -> None:
    """The last keys are good for a day while the issuer gives no answer, and it is asked again
    every ten seconds at most; after the day nothing is known any more."""
    key = await keys.find(KNOWN)
    assert key
    login.answer = httpx.ConnectError("down")
    clock.now += REFRESH_SECONDS
    for _ in range(100):
        assert keys.holds(key)
        await settle()
    assert len(login.asked) == 2
    clock.now += RETRY_SECONDS
    assert keys.holds(key)
    await settle()
    assert len(login.asked) == 3
    clock.now = 1_000 + STALE_SECONDS
    assert not keys.holds(key)
    assert await keys.find(KNOWN) is None
    login.answer = None
    clock.now += RETRY_SECONDS
    assert await keys.find(KNOWN)


async def test_whoever_leaves_leaves_the_others_waiting(
    keys: PublishedKeys, login: TestIssuer
) -> None:
    """A request that is given up does not end the question that others wait for."""
    first, second = (asyncio.create_task(keys.find(KNOWN)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second
    assert len(login.asked) == 1


async def test_discovery(login: TestIssuer) -> None:
    """Where no place of keys is given it is looked up at the issuer, who must call itself so."""
    keys = PublishedKeys(login.trusted(jwks_uri=None), web(login))
    assert await keys.find(KNOWN)
    assert login.asked == ["/.well-known/openid-configuration", "/jwks.json"]
    await keys.close()
    for told in (
        {"issuer": "https://other.test", "jwks_uri": f"{LOGIN}/jwks.json"},
        {"issuer": LOGIN, "jwks_uri": "http://login.test/jwks.json"},
        {"issuer": LOGIN, "jwks_uri": "file:///etc/passwd"},
        {"issuer": LOGIN, "jwks_uri": 7},
        {"issuer": LOGIN},
        {},
    ):
        login.answer, login.asked = httpx.Response(200, json=told), []
        keys = PublishedKeys(login.trusted(jwks_uri=None), web(login))
        assert await keys.find(KNOWN) is None
        assert login.asked == ["/.well-known/openid-configuration"]
        await keys.close()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(302, headers={"location": "https://evil.test/jwks.json"}),
        httpx.Response(404),
        httpx.Response(500, json={"keys": []}),
        httpx.Response(200, content=b"no JSON"),
        httpx.Response(200, content=b'{"keys": [' + b" " * MAX_BYTES + b"]}"),
        httpx.Response(200, headers={"content-encoding": "gzip"}, content=b""),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"keys": {}}),
        httpx.Response(200, json={"keys": []}),
        httpx.Response(200, json={"keys": [7, None, [], {}]}),
        httpx.Response(200, json={"keys": [{}] * 101}),
        httpx.ReadTimeout("slow"),
        RuntimeError("anything"),
    ],
)
async def test_answers_that_are_none(keys: PublishedKeys, login: TestIssuer, answer: Any) -> None:
    """An answer that is no list of keys, is somewhere else, is too long or does not come at all
    gives no key, and is not asked for again at once."""
    login.answer = answer
    assert await keys.find(KNOWN) is None
    assert await keys.find(KNOWN) is None
    assert len(login.asked) == 1


def test_what_is_a_key(login: TestIssuer) -> None:
    """Of what is published only public keys that are meant for signatures, and strong, count."""
    rsa, ec = login.keys["RS256"], login.keys["ES256"]
    good = login.published
    with pytest.warns(SecurityWarning):
        small = RSAKey.generate_key(1024)
    others: list[Any] = [
        {**ec.as_dict(private=False)},
        {**ec.as_dict(private=False), "kid": 7},
        {**ec.as_dict(private=False), "kid": "enc", "use": "enc"},
        {**ec.as_dict(private=False), "kid": "ops", "key_ops": ["encrypt"]},
        {**ec.as_dict(private=False), "kid": "ops2", "key_ops": "verify"},
        {**ec.as_dict(private=True), "kid": "private"},
        {**rsa.as_dict(private=True), "kid": "private2"},
        {**OctKey.generate_key(256).as_dict(private=True), "kid": "oct"},
        {**small.as_dict(private=False), "kid": "small"},
        {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": "broken2", "crv": "P-256"},
        {"kty": "EC", "kid": "broken3", "crv": 7, "x": [], "y": {}},
        {"kty": "RSA", "kid": "broken4", "n": "", "e": ""},
        {"kty": "ML-DSA", "kid": "later"},
        "key",
    ]
    assert set(signing_keys({"keys": [*good, *others]})) == {each["kid"] for each in good}
    with pytest.raises(NoKeys):
        signing_keys({"keys": others})


def test_a_key_for_one_algorithm(login: TestIssuer) -> None:
    """A key that says what it is for is for nothing else, and none for what does not fit it."""
    key, said = login.keys["RS256"], b"said"
    signature = MODELS["RS256"].sign(said, key)
    given = {**key.as_dict(private=False), "kid": "k"}
    for alg, fits in ((None, True), ("RS256", True), ("PS256", False), ("ES256", False)):
        named = given if alg is None else {**given, "alg": alg}
        (found,) = signing_keys({"keys": [named]}).values()
        assert found.verifies("RS256", said, signature) is fits
        assert not found.verifies("ES256", said, signature)


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/keys", "https://localhost/keys"])
async def test_an_issuer_elsewhere_has_no_keys_here(login: TestIssuer, place: str) -> None:
    """An issuer on the web cannot have us ask ourselves for its keys; one of this machine can."""
    login.answer = httpx.Response(200, json={"issuer": LOGIN, "jwks_uri": place})
    published = PublishedKeys(login.trusted(jwks_uri=None), web(login))
    with pytest.raises(NoKeys, match="this machine"):
        await published._fetch()
    await published.close()
