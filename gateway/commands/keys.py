"""`coalition keys`: the API keys of clients."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from brands.agencies import codes_of_agencies
from brands.callers import Caller, CallerKind
from brands.credentials import SCOPES, Key, NewKey, create_key, list_keys, revoke_key
from brands.errors import MemberNotFound
from brands.members import MemberBy, find
from gateway import console
from gateway.running import opened, run
from gateway.settings import read_settings

keys = typer.Typer(help="API keys of clients.", no_args_is_help=True, rich_markup_mode=None)

KEEPER = Caller(CallerKind.OPERATOR, "command-line", frozenset(SCOPES[CallerKind.OPERATOR]))
"""Whoever can run this command has the database, and so acts for the operator."""


@keys.command()
def create(
    kind: Annotated[CallerKind, typer.Option(case_sensitive=False, help="Who will hold it.")],
    name: Annotated[
        str,
        typer.Option(
            help="What will use it (pos, webshop). Keys of one owner and name are one client, "
            "with one namespace of idempotency keys; two can live at a time."
        ),
    ],
    brand: Annotated[str | None, typer.Option(help="The code of a BRAND key's brand.")] = None,
    agency: Annotated[str | None, typer.Option(help="The code of an AGENCY key's agency.")] = None,
    member: Annotated[
        str | None, typer.Option(help="The coalition number of a MEMBER key's member.")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope (pii: personal data); repeatable.")
    ] = None,
    expires: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="When it expires, in UTC."),
    ] = None,
) -> None:
    """Create a key, and print it: this once, it cannot be shown again."""
    new = NewKey(
        kind=kind,
        name=name,
        brand_code=brand,
        scopes=frozenset(scope or ()),
        expires_at=None if expires is None else expires.replace(tzinfo=UTC),
        agency_code=agency,
    )
    run(_create(new, member))


async def _create(new: NewKey, member: str | None) -> None:
    settings = read_settings()
    async with opened(settings) as coalition:
        if member is not None:
            found = await find(coalition, KEEPER, MemberBy(coalition_number=member))
            if found is None:
                raise MemberNotFound(name=member)
            new = replace(new, member_id=found.id)
        created = await create_key(coalition, KEEPER, new, settings.pepper)
    console.note(f"Key {created.key.id}. Keep it now: it cannot be shown again.")
    console.say(created.token)


@keys.command(name="list")
def list_all() -> None:
    """List every key there ever was, without its secret."""
    run(_list())


async def _list() -> None:
    async with opened(read_settings()) as coalition:
        found = await list_keys(coalition, KEEPER)
        owners = {brand.id: brand.code for brand in coalition.registry.snapshot.brands}
        owners |= await codes_of_agencies(coalition, KEEPER)
    console.table(
        ("id", "kind", "name", "owner", "scopes", "created", "last used", "status"),
        [
            (
                key.id,
                key.kind,
                key.name,
                _owner(key, owners),
                " ".join(sorted(key.scopes)),
                _day(key.created_at),
                _day(key.last_used_at),
                _status(key),
            )
            for key in found
        ],
    )


@keys.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")],
) -> None:
    """Revoke a key: no request with it is answered any more, and its open streams end within half a
    minute. Doing so again changes nothing."""
    run(_revoke(key))


async def _revoke(key: str) -> None:
    async with opened(read_settings()) as coalition:
        revoked = await revoke_key(coalition, KEEPER, key)
    console.say(f"Key {revoked.id} is revoked.")


def _owner(key: Key, codes: Mapping[UUID, str]) -> str:
    """The code of a brand or an agency, or the id of a member."""
    owner = key.brand_id or key.agency_id
    return str(key.member_id or "") if owner is None else codes.get(owner, "")


def _day(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant:%Y-%m-%d %H:%M}"


def _status(key: Key) -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    if key.expires_at is None:
        return "live"
    ends = _day(key.expires_at)
    return f"expired {ends}" if key.expires_at <= datetime.now(UTC) else f"live until {ends}"
