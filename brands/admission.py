"""Writing new members down: their keys, numbers, profiles and memberships, many at a time."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from brands.actions import Action, record
from brands.callers import Caller
from brands.clock import Micros, from_micros
from brands.database import Transaction
from brands.ids import new_id
from brands.joining import Seat, join
from brands.ledger.commands import Claim
from brands.members import Member, Profile, namespace_of
from brands.memberships import Membership, new_membership
from brands.naming.numbers import coalition_number
from brands.registry import Brand


class Request(NamedTuple):
    """An enrolment in due form. Its member will live in the book of its key."""

    claim: Claim
    book: int
    external_id: str | None
    profile: Profile | None
    seats: tuple[tuple[Brand, str | None], ...]


async def admit(
    tx: Transaction, caller: Caller, requests: Sequence[Request]
) -> list[tuple[Member, tuple[Membership, ...]]]:
    """Makes the members, in the order given, with their memberships.

    It writes in one order, so that two who want the same wait for one another: keys, members, the
    brands' counters, memberships. Raises one of `joining.CONTENTION` if a name is taken.
    """
    now = await tx.now()
    numbers = await _coalition_numbers(tx, len(requests))
    members = [
        Member(new_id(request.book), number, request.external_id, from_micros(now))
        for request, number in zip(requests, numbers, strict=True)
    ]
    await _insert(tx, caller, requests, members, now)
    seats = [
        seat
        for request, member in zip(requests, members, strict=True)
        for seat in _seats(request, member)
    ]
    joined = await join(tx, seats, now)
    memberships: dict[UUID, list[Membership]] = {member.id: [] for member in members}
    for each in joined:
        memberships[each.member_id].append(new_membership(each, now))
    return [(member, tuple(memberships[member.id])) for member in members]


def _seats(request: Request, member: Member) -> list[Seat]:
    """The memberships to be made. Their ids rise, for that is how they are listed ever after."""
    ids = sorted(new_id(request.book) for _ in request.seats)
    return [
        Seat(id, member.id, brand, number)
        for id, (brand, number) in zip(ids, request.seats, strict=True)
    ]


async def _coalition_numbers(tx: Transaction, count: int) -> list[str]:
    """So many coalition numbers that are free; one taken meanwhile fails the insert."""
    numbers: set[str] = set()
    while len(numbers) < count:
        drawn = {coalition_number() for _ in range(count - len(numbers))} - numbers
        rows = await tx.fetch(
            "SELECT coalition_number FROM members WHERE coalition_number = ANY($1)", list(drawn)
        )
        numbers |= drawn - {row["coalition_number"] for row in rows}
    return list(numbers)


async def _insert(
    tx: Transaction,
    caller: Caller,
    requests: Sequence[Request],
    members: Sequence[Member],
    now: Micros,
) -> None:
    both = list(zip(requests, members, strict=True))
    await tx.execute_many(
        "INSERT INTO idempotency_keys (book, client, key, fingerprint, command_id, recorded_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        sorted(
            (r.book, r.claim.client, r.claim.key, r.claim.fingerprint, m.id, now) for r, m in both
        ),
    )
    await tx.execute_many(
        "INSERT INTO members (book, id, coalition_number, external_owner, external_id, enrolled_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (r.book, m.id, m.coalition_number, namespace_of(caller), m.external_id, now)
            for r, m in both
        ],
    )
    await tx.execute_many(
        "INSERT INTO profiles (book, member_id, given_name, family_name, email, birth_date)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (r.book, m.id, p.given_name, p.family_name, p.email,
             None if p.birth_date is None else p.birth_date.isoformat())
            for r, m in both
            if (p := r.profile) is not None
        ],
    )  # fmt: skip
    await record(
        tx,
        caller,
        now,
        [
            Action("member.enroll", str(m.id), {"brands": [brand.code for brand, _ in r.seats]})
            for r, m in both
        ],
    )
