"""The demo's API keys: stored hashed in the database like all others, and once in clear.

In clear they are in a file that only its owner can read, so that they outlive a restart and can be
shown again. That is for a demo only.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from brands.authentication import authenticate
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.credentials import NewKey, create_key, list_keys, revoke_key
from brands.database import target_of

FILE = "demo-credentials.json"
_NAME = "demo"


@dataclass(frozen=True, slots=True)
class DemoKeys:
    """One token of each kind."""

    operator: str
    brand: str
    agency: str
    member: str


def keys_file(database_url: str) -> Path:
    """Where the demo's keys are kept: beside the embedded database, or else in `var`."""
    path = target_of(database_url).sqlite_path
    return Path(path).with_name(FILE) if path is not None else Path("var") / FILE


async def ensure_keys(
    coalition: Coalition,
    caller: Caller,
    pepper: bytes,
    path: Path,
    *,
    brand_code: str,
    agency_code: str,
    member_id: UUID,
) -> DemoKeys:
    """The demo's keys from their file; those that are missing there, or no good, are made anew."""
    wanted = {
        "operator": NewKey(CallerKind.OPERATOR, _NAME, scopes=frozenset({"pii"})),
        "brand": NewKey(CallerKind.BRAND, _NAME, brand_code=brand_code),
        "agency": NewKey(CallerKind.AGENCY, _NAME, agency_code=agency_code),
        "member": NewKey(CallerKind.MEMBER, _NAME, member_id=member_id),
    }
    kept = _read(path)
    tokens = {
        name: kept[name]
        for name, key in wanted.items()
        if name in kept and await _is_good(coalition, kept[name], pepper, key.kind)
    }
    missing = {name: key for name, key in wanted.items() if name not in tokens}
    if missing:
        await _revoke(coalition, caller, {key.kind for key in missing.values()})
        for name, key in missing.items():
            tokens[name] = (await create_key(coalition, caller, key, pepper)).token
        _write(path, DemoKeys(**tokens))
    return DemoKeys(**tokens)


async def _is_good(coalition: Coalition, token: str, pepper: bytes, kind: CallerKind) -> bool:
    holder = await authenticate(coalition, token, pepper)
    return holder is not None and holder.kind is kind


async def _revoke(coalition: Coalition, caller: Caller, kinds: set[CallerKind]) -> None:
    """Ends the demo's earlier keys of these kinds, which nobody knows any more."""
    for key in await list_keys(coalition, caller):
        if key.name == _NAME and key.kind in kinds and key.revoked_at is None:
            await revoke_key(coalition, caller, key.id)


def _read(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: token for name, token in content.items() if isinstance(token, str)}


def _write(path: Path, keys: DemoKeys) -> None:
    """Replaces the file; at no moment can anybody else read it, or is it there by half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{os.getpid()}")
    made.unlink(missing_ok=True)
    made.touch(mode=0o600)
    made.write_text(json.dumps(asdict(keys), indent=2) + "\n")
    made.replace(path)
