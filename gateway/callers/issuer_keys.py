"""The public keys of an issuer: fetched when they are needed, kept, and looked after.

Keys are fetched again every ten minutes while they are in use, so that one that the issuer has
withdrawn is good for no longer; and when a token names one that nobody has heard of, though not
more often than once a minute, whatever tokens are sent. While the issuer is down the last ones
that it published are good for a day.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from gateway.issuers import Issuer, is_loopback, is_safe_url
from gateway.logs import logger, traces

REFRESH_SECONDS = 600.0
COOL_DOWN_SECONDS = 60.0
RETRY_SECONDS = 10.0
"""How soon an issuer that gave no answer is asked again."""

STALE_SECONDS = 86_400.0
TIMEOUT_SECONDS = 5.0
MAX_BYTES = 262_144
MAX_KEYS = 100
RSA_DIGITS = range(342, 1_367)
"""How long the modulus of an RSA key is in base64: from 2048 bits to 8192."""


AnyKey = RSAKey | ECKey | OKPKey
_KINDS: Mapping[str, type[AnyKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_DISCOVERY = "/.well-known/openid-configuration"


class NoKeys(Exception):
    """An issuer did not publish its keys as it should. The text says what it did."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One public key. `algorithm` is the only one that it is for, if it says so."""

    id: str
    key: AnyKey
    algorithm: str | None
    thumbprint: str

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether this is its signature, by an algorithm that fits it."""
        if self.algorithm not in (None, algorithm):
            return False
        # The library has `EdDSA` by the name of its curve, which alone we take.
        model = JWSRegistry.algorithms["Ed25519" if algorithm == "EdDSA" else algorithm]
        try:
            model.check_key(self.key)
            return model.verify(signed, signature, self.key)
        except (JoseError, ValueError):
            return False


class KeySource(Protocol):
    """Where the keys of one issuer come from."""

    async def find(self, key_id: str) -> SigningKey | None:
        """The key of this id, if the issuer has one."""

    def holds(self, key: SigningKey) -> bool:
        """Whether the issuer still has this key, as far as is known at the moment."""

    async def close(self) -> None:
        """Ends whatever is under way."""


class FixedKeys:
    """Keys that are always the same."""

    def __init__(self, keys: Mapping[str, SigningKey]) -> None:
        self._keys = keys

    async def find(self, key_id: str) -> SigningKey | None:
        """Known from the beginning."""
        return self._keys.get(key_id)

    def holds(self, key: SigningKey) -> bool:
        """For ever."""
        return key.id in self._keys

    async def close(self) -> None:
        """Nothing is ever under way."""


class PublishedKeys:
    """Keys that an issuer publishes on the web."""

    def __init__(
        self,
        issuer: Issuer,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._http = httpx.AsyncClient(transport=transport)
        self._clock = clock
        self._keys: Mapping[str, SigningKey] = {}
        self._fetched_at = -STALE_SECONDS
        self._ask_again_at = 0.0
        self._asking: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> SigningKey | None:
        """The key of this id; asks for it where it is not known, if it may."""
        found = self._known(key_id)
        if found is None:
            asking = self._ask()
            if asking is not None:
                await asyncio.shield(asking)  # others wait for the same answer
                found = self._known(key_id)
        return found

    def holds(self, key: SigningKey) -> bool:
        """As far as is known; what is known is looked after meanwhile."""
        known = self._known(key.id)
        return known is not None and known.thumbprint == key.thumbprint

    async def close(self) -> None:
        """Gives up what is asked for."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._http.aclose()

    def _known(self, key_id: str) -> SigningKey | None:
        age = self._clock() - self._fetched_at
        if age >= STALE_SECONDS:
            return None
        if age >= REFRESH_SECONDS:
            self._ask()
        return self._keys.get(key_id)

    def _ask(self) -> asyncio.Task[None] | None:
        """The one question under way, begun if it is time; None if it is not."""
        if self._asking is None and self._clock() >= self._ask_again_at:
            self._asking = asyncio.create_task(self._refresh(), name="issuer keys")
        return self._asking

    async def _refresh(self) -> None:
        pause = RETRY_SECONDS
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                self._keys = await self._fetch()
            self._fetched_at = self._clock()
            pause = COOL_DOWN_SECONDS
        except Exception as error:
            issuer = self._issuer.issuer
            why = {"reason": str(error)} if isinstance(error, NoKeys) else {"error": traces(error)}
            logger().warning("keys of an issuer not fetched", issuer=issuer, **why)
        finally:
            self._ask_again_at = self._clock() + pause
            self._asking = None

    async def _fetch(self) -> Mapping[str, SigningKey]:
        place = self._issuer.jwks_uri
        if place is None:
            base = self._issuer.issuer.rstrip("/")
            told = await _get(self._http, base + _DISCOVERY)
            place = told.get("jwks_uri")
            if told.get("issuer") != self._issuer.issuer:
                raise NoKeys("it calls itself by another name")
            if not isinstance(place, str) or not is_safe_url(place):
                raise NoKeys("it names no safe place for its keys")
            if is_loopback(place) and not is_loopback(base):
                raise NoKeys("it names a place on this machine, which it is not on")
        return signing_keys(await _get(self._http, place))


def signing_keys(key_set: Mapping[str, Any]) -> Mapping[str, SigningKey]:
    """The keys of a JWK Set (RFC 7517) that can verify a signature, by id; others are passed over.

    Raises `NoKeys` where it is none, or none of them can.
    """
    listed = key_set.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise NoKeys(f"it publishes no list of at most {MAX_KEYS} keys")
    keys = [key for each in listed if (key := _signing_key(each)) is not None]
    if not keys:
        raise NoKeys("it publishes no key that verifies a signature")
    return {key.id: key for key in keys}


def _signing_key(given: Any) -> SigningKey | None:
    """A key as it is published; None for one of another use, and for a secret one."""
    match given:
        case {"kty": str(kind), "kid": str(id)} if kind in _KINDS and "d" not in given:
            pass
        case _:
            return None
    algorithm, uses = given.get("alg"), given.get("key_ops", ["verify"])
    if given.get("use", "sig") != "sig" or not isinstance(uses, list) or "verify" not in uses:
        return None
    if kind == "RSA" and len(str(given.get("n")).rstrip("=")) not in RSA_DIGITS:
        return None
    try:
        key = _KINDS[kind].import_key(given)
        return SigningKey(id, key, None if algorithm is None else str(algorithm), key.thumbprint())
    except (JoseError, ValueError, TypeError, KeyError):
        return None


async def _get(http: httpx.AsyncClient, url: str) -> Mapping[str, Any]:
    """A JSON object from the web. Raises `NoKeys`, `httpx.HTTPError`."""
    # Not compressed: a few bytes could become very many.
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    async with http.stream("GET", url, headers=headers, follow_redirects=False) as response:
        if response.status_code != httpx.codes.OK:
            raise NoKeys(f"it answered {response.status_code}")
        if "content-encoding" in response.headers:
            raise NoKeys("it answered in an encoding that nobody asked for")
        content = b""
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > MAX_BYTES:
                raise NoKeys(f"it answered more than {MAX_BYTES} bytes")
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise NoKeys("it answered no JSON") from None
    if not isinstance(found, dict):
        raise NoKeys("it answered no JSON object")
    return found
