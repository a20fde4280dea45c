"""Members' tokens that are no good: bad claims, and the known ways of forging one.

Each is refused in the same words as a request without any credential.
"""

import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc.jwk import ECKey

from gateway.callers.member_tokens import LIFETIME_SECONDS
from tests.gateway.issuing import (
    AERO_LOGIN,
    LOGIN,
    MODELS,
    Scene,
    TestIssuer,
    coded,
    open_scene,
)
from tests.gateway.stage import Json

NOW = int(time.time())


@pytest.fixture(scope="module")
def issuers() -> tuple[TestIssuer, TestIssuer]:
    """Their keys take a while to make."""
    return TestIssuer(LOGIN), TestIssuer(AERO_LOGIN)


@pytest.fixture
async def scene(sqlite_url: str, issuers: tuple[TestIssuer, TestIssuer]) -> AsyncIterator[Scene]:
    """A gateway that trusts both issuers."""
    async with open_scene(sqlite_url, *issuers) as opened:
        yield opened


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": NOW - 61},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": 10**400},
        {"exp": -1},
        {"exp": NOW + LIFETIME_SECONDS + 3_600},
        {"iat": None, "exp": NOW + LIFETIME_SECONDS + 3_600},
        {"iat": NOW + 3_600, "exp": NOW + 3_700},
        {"nbf": NOW + 3_600},
        {"nbf": "soon"},
        {"aud": None},
        {"aud": "another"},
        {"aud": ["another", "coalition2"]},
        {"aud": {"coalition": True}},
        {"aud": []},
        {"iss": None},
        {"iss": "https://login.test/"},
        {"iss": AERO_LOGIN},
        {"iss": ["https://login.test"]},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": ["a"]},
        {"sub": "x" * 201},
        {"sub": "\0"},
    ],
)
async def test_claims_that_do_not_do(scene: Scene, claims: Json) -> None:
    """A token that is expired, not yet good, endless, for somebody else, by somebody else or about
    nobody is refused, though its issuer signed it."""
    assert await scene.admitted(scene.login.token(scene.ada))
    given = scene.login.claims(scene.ada) | claims
    kept = {name: value for name, value in given.items() if value is not None}
    assert await scene.admitted(scene.login.signed(scene.login.header(), kept)) is None


async def test_clocks_that_differ_a_little(scene: Scene) -> None:
    """A minute is forgiven of an expiry, a beginning and an instant of issue; ours may be one of
    several audiences, and the type that of an access token."""
    now = int(time.time())
    for good in (
        {"exp": now - 50},
        {"nbf": now + 50},
        {"iat": now + 50},
        {"iat": None},
        {"aud": ["another", "coalition"]},
        {"exp": now + 600.5},
    ):
        assert await scene.admitted(scene.login.token(scene.ada, **good)), good
    for header in ({"typ": "at+jwt"}, {"typ": None}, {"typ": "jwt"}):
        assert await scene.admitted(scene.login.token(scene.ada, header=header)), header


def _unsigned(scene: Scene, alg: Any) -> str:
    header = {"alg": alg, "kid": f"{LOGIN}#ES256", "typ": "JWT"}
    return f"{coded(header)}.{coded(scene.login.claims(scene.ada))}"


@pytest.mark.parametrize("alg", ["none", "NONE", "nOnE", "", "HS256", None, ["ES256"], {}, 0])
async def test_no_signature(scene: Scene, alg: Any) -> None:
    """A token that says it needs no signature is refused, however it says so and whatever stands
    in its place."""
    unsigned = _unsigned(scene, alg)
    good = scene.login.token(scene.ada).rpartition(".")[2]
    for signature in (".", ".AA", f".{good}", ""):
        assert await scene.admitted(unsigned + signature) is None


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_a_public_key_as_a_secret(scene: Scene, alg: str) -> None:
    """A signature made with a public key as the secret of an HMAC is none, in whatever form of the
    key: PEM, DER, JWK."""
    for name in ("RS256", "ES256"):
        public = scene.login.keys[name]
        jwk = public.as_dict(private=False)
        secrets = [
            public.as_pem(private=False),
            public.as_pem(private=False).strip(),
            public.as_der(private=False),
            json.dumps(jwk).encode(),
            json.dumps(scene.login.public(name)).encode(),
            str(jwk.get("n", jwk.get("x"))).encode(),
        ]
        for secret in secrets:
            for kid in (f"{LOGIN}#{name}", LOGIN):
                header = scene.login.header(alg, kid=kid)
                said = f"{coded(header)}.{coded(scene.login.claims(scene.ada))}"
                signed = hmac.digest(secret, said.encode(), f"sha{alg[2:]}")
                assert await scene.admitted(f"{said}.{coded(signed)}") is None


async def test_keys_and_algorithms_that_do_not_fit(scene: Scene) -> None:
    """A key verifies by its own algorithm only, and an algorithm that is not allowed by none."""
    login = scene.login
    for alg, key_of in (("RS256", "ES256"), ("ES256", "RS256"), ("EdDSA", "ES256")):
        header = login.header(alg, kid=f"{LOGIN}#{key_of}")
        assert await scene.admitted(login.signed(header, login.claims(scene.ada), alg)) is None
        assert await scene.admitted(login.signed(header, login.claims(scene.ada), key_of)) is None
    for other in ("PS256", "RS512"):  # good signatures, but not allowed here
        header = login.header(other, kid=f"{LOGIN}#RS256")
        said = f"{coded(header)}.{coded(login.claims(scene.ada))}"
        signature = coded(MODELS[other].sign(said.encode(), login.keys["RS256"]))
        assert await scene.admitted(f"{said}.{signature}") is None


async def test_a_key_of_another_issuer(scene: Scene) -> None:
    """What one issuer signs is no word of another's, by whichever of the two it names the key."""
    for kid in (f"{LOGIN}#ES256", f"{AERO_LOGIN}#ES256"):
        forged = scene.aero.signed(scene.aero.header(kid=kid), scene.login.claims(scene.ada))
        assert await scene.admitted(forged) is None
    forged = scene.login.signed(scene.login.header(), scene.aero.claims("crm-1"))
    assert await scene.admitted(forged) is None


async def test_a_key_that_the_token_brings(scene: Scene) -> None:
    """Keys and places of keys in a token's header are passed over."""
    mine = ECKey.generate_key("P-256")
    bait = TestIssuer("https://evil.test")
    for more in (
        {"jwk": mine.as_dict(private=False)},
        {"jku": "https://evil.test/jwks.json"},
        {"x5u": "https://evil.test/cert.pem"},
        {"x5c": ["AAAA"]},
    ):
        for kid in (f"{LOGIN}#ES256", "mine", None):
            header = {"alg": "ES256", "typ": "JWT", "kid": kid, **more}
            said = f"{coded(header)}.{coded(scene.login.claims(scene.ada))}"
            signature = coded(MODELS["ES256"].sign(said.encode(), mine))
            assert await scene.admitted(f"{said}.{signature}") is None
        good = scene.login.token(scene.ada, header=more)
        assert await scene.admitted(good), "what is passed over does no harm either"
    assert bait.asked == []


@pytest.mark.parametrize(
    "kid",
    ["../../../../dev/null", "' OR 1=1 --", "https://evil.test/k", "", "\0", "x" * 500, 7, None, [],
     {"a": 1}, "/proc/self/environ", "key\nid"],
)  # fmt: skip
async def test_names_of_keys_that_are_more(scene: Scene, kid: Any) -> None:
    """The id of a key is compared with those that are known and used for nothing else."""
    header = {"alg": "ES256", "typ": "JWT", "kid": kid}
    token = scene.login.signed(header, scene.login.claims(scene.ada))
    assert await scene.admitted(token) is None
    assert set(scene.login.asked) <= {"/jwks.json"}


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"cty": "JWT"},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": 7},
    ],
)
async def test_tokens_for_something_else(scene: Scene, header: Json) -> None:
    """A token of another kind, or with conditions that are not understood, is refused."""
    assert await scene.admitted(scene.login.token(scene.ada, header=header)) is None


async def test_a_token_altered(scene: Scene) -> None:
    """A token that is cut, padded, spliced or written in another way is nobody's."""
    token = scene.login.token(scene.ada)
    head, claims, signature = token.split(".")
    other = scene.login.token(scene.bob).split(".")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(signature[-1])
    twin = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last ^ 1]
    bad = [
        token[:-1],
        token + "A",
        token + "=",
        token + ".",
        token + ".A.B",
        f"{head}.{claims}",
        f"{head}..{signature}",
        f".{claims}.{signature}",
        f"{head}.{other[1]}.{signature}",
        f"{head}.{claims}.{other[2]}",
        f"{head}=.{claims}.{signature}",
        f"{head}.{claims}.{signature[:-1]}{twin}",
        f"{head}.{claims}.{'A' * 86}",
        f"{head}.{claims}.{coded(bytes(64))}",
        f"{head}.{claims}.",
        f"{coded(b'[]')}.{claims}.{signature}",
        f"{coded(b'null')}.{claims}.{signature}",
        f"{coded(b'{')}.{claims}.{signature}",
        f"{head}.{coded(b'[' * 3_000)}.{signature}",
        f"{head}.{coded(bytes([255, 254]))}.{signature}",
        token[:40],
        "a.b.c",
        "ck_m_0000000000000000.a.b",
        "ct_m_0000000000000000.a.b",
    ]
    for each in bad:
        assert await scene.admitted(each) is None, each
    assert await scene.admitted(token)


async def test_json_that_says_two_things(scene: Scene) -> None:
    """A name that comes twice in a token, or what JSON does not have, is refused: readers differ
    in what it says."""
    claims = json.dumps(scene.login.claims(scene.ada))
    for bad in (
        claims[:-1] + f', "sub": "{scene.bob}"}}',
        claims[:-1] + ', "exp": 9999999999}',
        claims[:-1] + ', "x": {"a": 1, "a": 2}}',
        claims[:-1] + ', "x": NaN}',
        claims[:-1] + ', "exp2": Infinity}',
        claims + " {}",
        f"[{claims}]",
        json.dumps(claims),
    ):
        forged = scene.login.signed(scene.login.header(), bad.encode())
        assert await scene.admitted(forged) is None, bad
    twice = json.dumps(scene.login.header())[:-1] + ', "alg": "none"}'
    assert await scene.admitted(scene.login.signed(twice.encode(), json.loads(claims))) is None


async def test_other_compact_forms(scene: Scene) -> None:
    """An encrypted token, one within another, and one that is very long are refused."""
    five = ".".join([coded({"alg": "dir", "enc": "A256GCM"}), "", *("AAAA" for _ in range(3))])
    inner = scene.login.token(scene.ada)
    nested = scene.login.signed(scene.login.header(cty="JWT"), inner.encode())
    plain = scene.login.signed(scene.login.header(), inner.encode())
    long = scene.login.token(scene.ada, more="x" * 8_000)
    for bad in (five, nested, plain, long):
        assert await scene.admitted(bad) is None
    assert await scene.admitted(scene.login.token(scene.ada, more="x" * 4_000))


async def test_weak_keys(scene: Scene) -> None:
    """The code of a curve's point at infinity, and small or secret keys, sign nothing."""
    for raw in (bytes(64), bytes(63) + b"\1", b"\xff" * 64):
        said = scene.login.token(scene.ada).rpartition(".")[0]
        assert await scene.admitted(f"{said}.{coded(raw)}") is None
