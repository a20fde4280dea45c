"""Enrolling members: each once per idempotency key, one at a time or a whole file of them.

An enrolment and the key that asked for it lie in the same book and are written in one transaction,
so a retry finds both or neither. Many are written at a time; where one of them meets a name that
another transaction took at the same moment, the lot is halved and tried again, down to the one.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple, TypeAlias
from uuid import UUID

from brands import bounds
from brands.admission import Request, admit
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.database import Row, Transaction, as_uuid
from brands.errors import (
    DomainError,
    ExternalIdTaken,
    IdempotencyKeyReused,
    InvalidInput,
    MemberNotFound,
    NotPermitted,
    NumberTaken,
)
from brands.ids import home_book
from brands.intents import claim_of
from brands.joining import ATTEMPTS, CONTENTION, checked_number, taken_numbers
from brands.members import Member, Profile, members_by_id, namespace_of
from brands.memberships import Membership, memberships_of
from brands.registry import Brand
from brands.suspension import suspension

CHUNK = 500
"""Enrolments in one database transaction, at most."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A person to be enrolled, with memberships of (brand code, number or None to generate one).

    `external_id` is the caller's own name for her, unique among the caller's.
    """

    external_id: str | None
    profile: Profile | None
    memberships: tuple[tuple[str, str | None], ...]
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The member, and her memberships as the caller sees them; `replayed` if it was done before."""

    member: Member
    memberships: tuple[Membership, ...]
    replayed: bool


_Answers: TypeAlias = dict[str, Enrolled | DomainError]
"""Answers by idempotency key."""


async def enroll(coalition: Coalition, caller: Caller, enrolment: Enrolment) -> Enrolled:
    """Enrols a member. For the operator, and for a brand at that brand.

    Raises `NotPermitted`, `BrandNotFound`, `InvalidInput`, `InvalidIdempotencyKey`,
    `IdempotencyKeyReused`, `BrandSuspended`, `ExternalIdTaken`, `NumberMalformed`, `NumberTaken`. A
    refusal does not stick to the key.
    """
    request = _checked(coalition, caller, enrolment)
    answer = (await _settle(coalition, caller, [request]))[request.claim.key]
    if isinstance(answer, DomainError):
        raise answer
    return answer


async def enroll_many(
    coalition: Coalition, caller: Caller, enrolments: Sequence[Enrolment]
) -> list[Enrolled | DomainError]:
    """Enrols members set-wise: for each, in order, what `enroll` would return or raise."""
    checked: list[Request | DomainError] = []
    for enrolment in enrolments:
        try:
            checked.append(_checked(coalition, caller, enrolment))
        except DomainError as error:
            checked.append(error)
    results: list[Enrolled | DomainError] = []
    for start in range(0, len(checked), CHUNK):
        results += await _enroll_chunk(coalition, caller, checked[start : start + CHUNK])
    return results


async def _enroll_chunk(
    coalition: Coalition, caller: Caller, chunk: Sequence[Request | DomainError]
) -> list[Enrolled | DomainError]:
    first: dict[str, Request] = {}
    for request in chunk:
        if isinstance(request, Request):
            first.setdefault(request.claim.key, request)
    answers = await _settle(coalition, caller, list(first.values()))
    return [
        _again(request, first[request.claim.key], answers[request.claim.key])
        if isinstance(request, Request)
        else request
        for request in chunk
    ]


def _again(
    request: Request, first: Request, answer: Enrolled | DomainError
) -> Enrolled | DomainError:
    """The answer to a request whose key came `first` in the same chunk, perhaps as another one."""
    if request is first:
        return answer
    if request.claim.fingerprint != first.claim.fingerprint:
        return IdempotencyKeyReused(path="idempotencyKey")
    return replace(answer, replayed=True) if isinstance(answer, Enrolled) else answer


def _checked(coalition: Coalition, caller: Caller, enrolment: Enrolment) -> Request:
    if caller.kind not in (CallerKind.OPERATOR, CallerKind.BRAND):
        raise NotPermitted
    external_id = bounds.optional_text(enrolment.external_id, "externalId", bounds.MAX_EXTERNAL_ID)
    profile = _checked_profile(enrolment.profile)
    seats = _checked_seats(coalition, caller, enrolment.memberships)
    claim = claim_of(
        caller,
        enrolment.idempotency_key,
        "enroll",
        external_id=external_id,
        profile=None if profile is None else asdict(profile),
        memberships=[(brand.code, number) for brand, number in seats],
    )
    book = home_book(f"{claim.client}/{claim.key}", coalition.books)
    return Request(claim, book, external_id, profile, seats)


def _checked_profile(profile: Profile | None) -> Profile | None:
    if profile is None or profile == Profile():
        return None
    born = profile.birth_date
    address = profile.email
    return Profile(
        given_name=bounds.optional_text(profile.given_name, "profile.givenName", bounds.MAX_NAME),
        family_name=bounds.optional_text(
            profile.family_name, "profile.familyName", bounds.MAX_NAME
        ),
        email=None if address is None else bounds.email(address, "profile.email"),
        birth_date=None if born is None else bounds.birth_date(born, "profile.birthDate"),
    )


def _checked_seats(
    coalition: Coalition, caller: Caller, memberships: Sequence[tuple[str, str | None]]
) -> tuple[tuple[Brand, str | None], ...]:
    if len(memberships) > bounds.MAX_LIST:
        raise InvalidInput(path="memberships", reason=f"At most {bounds.MAX_LIST} memberships.")
    if not memberships and not caller.is_operator:
        # Nobody but the operator would see her, not even who enrolled her.
        raise InvalidInput(path="memberships", reason="A brand enrols members at itself.")
    seats: dict[UUID, tuple[Brand, str | None]] = {}
    for index, (code, number) in enumerate(memberships):
        path = f"memberships.{index}"
        brand = coalition.registry.snapshot.brand(code, path=f"{path}.brand")
        if not caller.acts_for_brand(brand.id):
            raise NotPermitted(path=f"{path}.brand")
        if brand.id in seats:
            raise InvalidInput(path=f"{path}.brand", reason="One membership at each brand.")
        seats[brand.id] = (brand, checked_number(brand, number, f"{path}.number"))
    return tuple(seats.values())


async def _settle(
    coalition: Coalition, caller: Caller, requests: Sequence[Request], attempt: int = 1
) -> _Answers:
    """The answers to requests whose keys differ, whatever else is being enrolled meanwhile."""
    try:
        return await _write(coalition, caller, requests)
    except CONTENTION:
        if len(requests) == 1 and attempt == ATTEMPTS:
            raise
    if len(requests) == 1:
        return await _settle(coalition, caller, requests, attempt + 1)
    half = len(requests) // 2
    return {
        **await _settle(coalition, caller, requests[:half]),
        **await _settle(coalition, caller, requests[half:]),
    }


async def _write(coalition: Coalition, caller: Caller, requests: Sequence[Request]) -> _Answers:
    async with coalition.database.transaction() as tx:
        # Names before keys: whoever takes a name commits the key with it, so a name that was found
        # taken by this very request, a moment ago, is known for its own when the keys are read.
        taken = await _taken(tx, caller, requests)
        answers, before = await _stored(tx, caller, requests)
        fresh = [r for r in requests if r.claim.key not in answers | before]
        answers |= _refusals(fresh, taken)
        good = [r for r in fresh if r.claim.key not in answers]
        if good:
            admitted = await admit(tx, caller, good)
            for request, (member, memberships) in zip(good, admitted, strict=True):
                answers[request.claim.key] = Enrolled(member, memberships, replayed=False)
    if before:
        answers |= await _replayed(coalition, caller, before)
    return answers


async def _stored(
    tx: Transaction, caller: Caller, requests: Sequence[Request]
) -> tuple[_Answers, dict[str, UUID]]:
    """The keys that were used before: for another intent, or for this one to make that member."""
    rows = await tx.fetch(
        "SELECT key, fingerprint, command_id FROM idempotency_keys"
        " WHERE client = $1 AND book = ANY($2) AND key = ANY($3)",
        caller.client,
        sorted({request.book for request in requests}),
        [request.claim.key for request in requests],
    )
    meant = {request.claim.key: request.claim.fingerprint for request in requests}
    reused: _Answers = {}
    before: dict[str, UUID] = {}
    for row in rows:
        if bytes(row["fingerprint"]) == meant[row["key"]]:
            before[row["key"]] = as_uuid(row["command_id"])
        else:
            reused[row["key"]] = IdempotencyKeyReused(path="idempotencyKey")
    return reused, before


class _Taken(NamedTuple):
    """External ids and (brand, number) pairs that are somebody's."""

    external_ids: set[str]
    numbers: set[tuple[UUID, str]]


async def _taken(tx: Transaction, caller: Caller, requests: Sequence[Request]) -> _Taken:
    """Those of the names in the requests that are taken."""
    external_ids = [r.external_id for r in requests if r.external_id is not None]
    numbers = ((b.id, number) for r in requests for b, number in r.seats if number is not None)
    rows: Sequence[Row] = ()
    if external_ids:
        rows = await tx.fetch(
            "SELECT external_id FROM members WHERE external_owner = $1 AND external_id = ANY($2)",
            *(namespace_of(caller), external_ids),
        )
    return _Taken({row["external_id"] for row in rows}, await taken_numbers(tx, numbers))


def _refusals(requests: Sequence[Request], taken: _Taken) -> _Answers:
    """The requests that name what is taken, by others or by one before them, and those at a brand
    that is suspended."""
    external_ids, numbers = taken
    refused: _Answers = {}
    for request in requests:
        given = {(brand.id, number) for brand, number in request.seats if number is not None}
        suspended = (
            suspension(brand, f"memberships.{index}.brand")
            for index, (brand, _) in enumerate(request.seats)
        )
        if refusal := next(filter(None, suspended), None):
            refused[request.claim.key] = refusal
        elif request.external_id is not None and request.external_id in external_ids:
            refused[request.claim.key] = ExternalIdTaken(
                path="externalId", external_id=request.external_id
            )
        elif given & numbers:
            refused[request.claim.key] = _number_taken(request, numbers)
        else:
            numbers |= given
            if request.external_id is not None:
                external_ids.add(request.external_id)
    return refused


def _number_taken(request: Request, taken: set[tuple[UUID, str]]) -> NumberTaken:
    return next(
        NumberTaken(path=f"memberships.{index}.number", brand=brand.code, number=number)
        for index, (brand, number) in enumerate(request.seats)
        if number is not None and (brand.id, number) in taken
    )


async def _replayed(coalition: Coalition, caller: Caller, before: dict[str, UUID]) -> _Answers:
    ids = list(before.values())
    members = await members_by_id(coalition, caller, ids)
    memberships = await memberships_of(coalition, caller, ids)
    return {
        key: Enrolled(members[id], tuple(memberships[id]), replayed=True)
        if id in members
        else MemberNotFound(name=str(id))
        for key, id in before.items()
    }
