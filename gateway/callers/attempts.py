"""Attempts: how often an address may come with a credential that is no good, or with none.

In the memory of each process, for an address is not worth a statement. Whoever was let in before
goes on whatever others behind the same address do: only credentials that this process has not seen
to be good are turned away unlooked at, once too many were wrong. They are counted by the key that
they claim to be as well, so that whoever tries one shuts nobody out who comes with another.
"""

from ipaddress import IPv6Address, ip_address

from starlette.types import Scope

from brands.authentication import key_id_of
from brands.buckets import Bucket, Rate
from brands.callers import Caller
from gateway.callers.auth import Gate
from gateway.graphql.costs import ABOUT_THE_SCHEMA
from gateway.graphql.latest import Latest
from gateway.graphql.requests import Refused
from gateway.graphql.throttle import clock, put_off, refusal, told

WRONG = Rate(300, 5)
"""Wrong credentials from one address that claim to be the same key, or none of ours: so many at
once, and so many more each second. Behind one address may be a whole company with an expired key in
its tills."""

WRONG_IN_ALL = Rate(3_000, 50)
"""The same, whatever they claim to be."""

MAX_ADDRESSES = 10_000
MAX_KNOWN = 100_000
"""Credentials that were good. Of each a number is kept from which it cannot be told."""


class Door:
    """The gate, with an eye on who knocks how often."""

    def __init__(self, gate: Gate, anonymous: Rate) -> None:
        self._gate = gate
        self._anonymous_rate = anonymous
        self._wrong: Latest[str, Bucket] = Latest(MAX_ADDRESSES)
        self._anonymous: Latest[str, Bucket] = Latest(MAX_ADDRESSES)
        self._known: Latest[int, bool] = Latest(MAX_KNOWN)

    async def admit(
        self, scope: Scope, authorization: bytes | None, request_id: str
    ) -> Caller | None:
        """See `Gate.admit`. Raises `Refused` with 429 as well, and with 400 where there are several
        `Authorization` headers: readers differ in which of them counts."""
        if sum(name == b"authorization" for name, _ in scope["headers"]) > 1:
            raise Refused(400, "There is more than one `Authorization` header.")
        if authorization is None:
            return await self._nobody(scope, request_id)
        known = hash(authorization)
        self._look_at(scope, authorization, known)
        try:
            caller = await self._gate.admit(authorization, request_id)
        except Refused as refused:
            if refused.status == 401:
                self._was_wrong(scope, authorization, known)
            raise
        self._known.put(known, True)
        return caller

    def _look_at(self, scope: Scope, authorization: bytes, known: int) -> None:
        if not len(self._wrong) or self._known.get(known):
            return
        for name in _attempts(scope, authorization):
            bucket = self._wrong.get(name)
            if bucket is not None and (wait := bucket.wait(1, clock())):
                raise put_off("Too many wrong credentials from this address.", wait)

    def _was_wrong(self, scope: Scope, authorization: bytes, known: int) -> None:
        self._known.drop(known)
        for name, rate in _attempts(scope, authorization).items():
            _bucket(self._wrong, name, rate).take(1, clock())

    async def _nobody(self, scope: Scope, request_id: str) -> Caller | None:
        """Somebody without a credential, who may ask for the schema where it is public."""
        caller = await self._gate.admit(None, request_id)
        bucket = _bucket(self._anonymous, address_of(scope), self._anonymous_rate)
        _take(bucket, ABOUT_THE_SCHEMA)
        return caller

    def charge(self, scope: Scope, points: int) -> None:
        """Takes what somebody without a credential asks for beyond the least, which was paid at
        the door. Raises `Refused` with 429."""
        bucket = _bucket(self._anonymous, address_of(scope), self._anonymous_rate)
        _take(bucket, min(max(points - ABOUT_THE_SCHEMA, 0), bucket.rate.maximum))


def address_of(scope: Scope) -> str:
    """Where a request comes from: one address, or one network of IPv6, which is one customer's."""
    client = scope.get("client")
    if client is None:
        return ""
    try:
        address = ip_address(client[0])
    except ValueError:
        return str(client[0])
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
    return str(address)


def _attempts(scope: Scope, authorization: bytes) -> dict[str, Rate]:
    """What an attempt counts for, and how often that may be."""
    address = address_of(scope)
    claimed = key_id_of(authorization.rpartition(b" ")[2].decode("latin-1"))
    return {f"{address} {claimed}": WRONG, address: WRONG_IN_ALL}


def _bucket(buckets: Latest[str, Bucket], name: str, rate: Rate) -> Bucket:
    return buckets.put(name, buckets.get(name) or Bucket(rate))


def _take(bucket: Bucket, points: int) -> None:
    now = clock()
    if not bucket.take(points, now):
        figures = told(bucket.rate, bucket.available(now))
        raise refusal(points, bucket.wait(points, now), figures)
