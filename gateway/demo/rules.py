"""The demo's transfer rules, and the member whom its visitor can give points to."""

from pathlib import Path

from brands.callers import Caller
from brands.coalition import Coalition
from brands.errors import AlreadyMember
from brands.members import Member, MemberBy, Profile
from brands.memberships import memberships_of, open_membership
from brands.moving.recipients import Recipient
from brands.moving.rulebook import publish_rules
from gateway.demo.cast import GIFT_BRAND, GIFT_NUMBER
from gateway.files.rules_file import read_rules

RULES = Path(__file__).parent / "data" / "rules.toml"
"""One rule of each kind."""


async def ensure_rules(coalition: Coalition, caller: Caller) -> None:
    """Publishes the rules of pairs that never had one. What was published since is left alone."""
    snapshot = coalition.registry.snapshot
    read = read_rules(RULES.read_bytes(), snapshot)
    missing = [each.rule for each in read if not snapshot.rules(each.pair)]
    if missing:
        await publish_rules(coalition, caller, missing)


async def ensure_recipient(
    coalition: Coalition, caller: Caller, member: Member, profile: Profile
) -> Recipient:
    """Makes a member one whom points can be given to: what a giver must know of her."""
    brand = coalition.registry.snapshot.brand(GIFT_BRAND)
    try:
        by = MemberBy(id=member.id)
        number = (await open_membership(coalition, caller, by, brand.code, GIFT_NUMBER)).number
    except AlreadyMember:
        held = (await memberships_of(coalition, caller, [member.id]))[member.id]
        number = next(each.number for each in held if each.brand_id == brand.id)
    return Recipient(brand.code, number, profile.family_name or "")
