"""The demo coalition: prepared once, found ready ever after.

Every step can be done again without doing anything twice, so one that was killed in the middle is
just begun again. That the purchases are all loaded is written in the database itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from brands.adjustments import adjust
from brands.agencies import create_agency
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition, found, open_coalition
from brands.database import migrate, open_database
from brands.enrolment import Enrolment, enroll
from brands.errors import BrandCodeTaken
from brands.members import Member
from brands.moving.recipients import Recipient
from brands.publishing import NewBrand, create_brand
from brands.purchases import was_imported
from gateway import console
from gateway.demo.cast import AGENCY, BRANDS, CONVERSIONS, NAME, PEOPLE, PURCHASES, SHOP, Person
from gateway.demo.issuer import PATH as ISSUER
from gateway.demo.keys import DemoKeys, ensure_keys, keys_file
from gateway.demo.programs import ensure_programs
from gateway.demo.rules import ensure_recipient, ensure_rules
from gateway.files.purchase_import import digest_of, import_purchases, open_purchases
from gateway.running import Failure, check_file
from gateway.settings import Settings
from schema.nodes import Tag, global_id

DEMO = Caller(CallerKind.OPERATOR, "demo", frozenset({"pii"}))
"""The operator who prepares the demo."""

POINTS = 1_000
"""What the query to paste converts, of each kind."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What a visitor needs: keys, whose the member's is, the coalition numbers of those who can
    log in, by name and by number, whom she can give points to, and a query that she can paste."""

    keys: DemoKeys
    member: Member
    logins: Mapping[str, str]
    recipient: Recipient
    query: str


async def prepare(settings: Settings) -> Demo:
    """Makes the demo coalition in the settings' database, or what is missing of it.

    Raises `Failure` where the database holds another coalition.
    """
    check_file(settings.database)
    await migrate(settings.database)
    await _refuse_others(settings.database)
    await found(settings.database, name=NAME)
    coalition = await open_coalition(settings.database, lanes=settings.lanes)
    try:
        for brand in BRANDS:
            await _ensure_brand(coalition, brand)
        await ensure_rules(coalition, DEMO)
        await ensure_programs(coalition, DEMO)
        members = [await _ensure_person(coalition, person) for person in PEOPLE]
        await _ensure_purchases(coalition)
        (visitor, memberships), (other, _), *_ = members
        recipient = await ensure_recipient(coalition, DEMO, other, PEOPLE[1].profile)
        agency = await create_agency(coalition, DEMO, AGENCY)
        keys = await ensure_keys(
            coalition,
            DEMO,
            settings.pepper,
            keys_file(settings.database),
            brand_code=SHOP,
            agency_code=agency.code,
            member_id=visitor.id,
        )
        logins = _logins(member for member, _ in members)
        return Demo(keys, visitor, logins, recipient, query_of(memberships))
    finally:
        await coalition.close()


def _logins(members: Iterable[Member]) -> dict[str, str]:
    numbers = [member.coalition_number for member in members]
    names = [str(person.profile.given_name).lower() for person in PEOPLE]
    return dict(zip(names, numbers, strict=True)) | {each.lower(): each for each in numbers}


def query_of(memberships: dict[str, UUID]) -> str:
    """A mutation that converts points of a member between her memberships, by brand code."""
    return "mutation {\n" + "".join(_conversion(*it, memberships) for it in CONVERSIONS) + "}"


def curl_of(demo: Demo, url: str) -> str:
    """The query as a command for a shell."""
    # In one line, and without a single quote: nothing that a shell would read otherwise.
    body = orjson.dumps({"query": " ".join(demo.query.split())}).decode()
    return (
        f"curl -s {url}/graphql -H 'Content-Type: application/json'"
        f" -H 'Authorization: Bearer {demo.keys.member}' -d '{body}'"
    )


def _conversion(name: str, source: str, destination: str, memberships: dict[str, UUID]) -> str:
    ids = [global_id(Tag.MEMBERSHIP, memberships[code]) for code in (source, destination)]
    return (
        f"  {name}: transferCreate(input: {{\n"
        f'    transfer: {{source: "{ids[0]}", destination: "{ids[1]}", pointsOut: {POINTS}}}\n'
        f'    idempotencyKey: "demo-{source}-{destination}"\n'
        "  }) {\n"
        "    transfer { status pointsOut pointsIn }\n"
        "    replayed\n"
        "    errors { code message }\n"
        "  }\n"
    )


async def _refuse_others(url: str) -> None:
    database = await open_database(url, pool_size=1)
    try:
        rows = await database.fetch("SELECT name FROM coalition")
    finally:
        await database.close()
    if rows and rows[0]["name"] != NAME:
        raise Failure(
            f"this database holds the coalition {rows[0]['name']!r}; the demo needs its own"
        )


async def _ensure_brand(coalition: Coalition, brand: NewBrand) -> None:
    if all(known.code != brand.code for known in coalition.registry.snapshot.brands):
        try:
            await create_brand(coalition, DEMO, brand)
        except BrandCodeTaken:  # by another process that prepares the demo at the same time
            await coalition.registry.refresh()


async def _ensure_person(coalition: Coalition, person: Person) -> tuple[Member, dict[str, UUID]]:
    """Enrols a demo member and gives her points; her memberships by brand code."""
    enrolled = await enroll(
        coalition,
        DEMO,
        Enrolment(
            external_id=person.external_id,
            profile=person.profile,
            memberships=tuple((code, None) for code in person.points),
            idempotency_key=f"member/{person.external_id}",
        ),
    )
    codes = {brand.id: brand.code for brand in coalition.registry.snapshot.brands}
    memberships = {codes[it.brand_id]: it.id for it in enrolled.memberships}
    for code, (points, reason) in person.points.items():
        await adjust(
            coalition,
            DEMO,
            memberships[code],
            points,
            reason,
            event_at=None,
            sponsor_code=None,
            idempotency_key=f"points/{person.external_id}/{code}",
        )
    return enrolled.member, memberships


async def _ensure_purchases(coalition: Coalition) -> None:
    if await was_imported(coalition, SHOP, digest_of(PURCHASES)):
        return
    complaints: list[str] = []
    with (
        open_purchases(PURCHASES) as file,
        console.progress("Loading purchases", file.size) as advance,
    ):
        counts = await import_purchases(
            coalition,
            SHOP,
            file,
            enrol=True,
            complain=lambda line, why: complaints.append(f"line {line}: {why}"),
            advance=advance,
        )
    if complaints:
        raise Failure(f"the demo's purchases could not all be loaded: {complaints[0]}")
    console.note(f"{counts.loaded + counts.already_there:,} purchases are in the books.")


def introduction(demo: Demo, url: str, *, keys_at: str) -> Sequence[str]:
    """What is printed for whoever has started the demo."""
    name, other = (f"{it.profile.given_name} {it.profile.family_name}" for it in PEOPLE[:2])
    recipient = demo.recipient
    return (
        f"GraphiQL   {url}/",
        f"GraphQL    {url}/graphql",
        "",
        f"Demo credentials, for `Authorization: Bearer ...` (kept in {keys_at}):",
        f"  operator  {demo.keys.operator}",
        f"  brand     {demo.keys.brand}  ({SHOP})",
        f"  agency    {demo.keys.agency}  ({AGENCY.code})",
        f"  member    {demo.keys.member}  ({name}, {demo.member.coalition_number})",
        "",
        "A member's token, as her app gets it from the issuer that the demo trusts, for an hour:",
        f"  curl -s {url}{ISSUER}/token -d member={PEOPLE[0].profile.given_name}",
        "",
        f"A gift names its recipient: {other} is {recipient.number} at {recipient.brand}.",
        "",
        "A query to paste into GraphiQL, or, below, into a shell: the member converts points.",
        "",
        demo.query,
        "",
        curl_of(demo, url),
    )
