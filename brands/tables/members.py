"""Members, their profiles (personal data, erasable, in a table of its own), where they belong."""

from tortoise import fields
from tortoise.models import Model


class MemberRow(Model):
    """A person. `external_id` is a client's own name for her, unique to `external_owner`."""

    book = fields.SmallIntField()
    id = fields.UUIDField(primary_key=True)
    coalition_number = fields.TextField()
    external_owner = fields.TextField()
    external_id = fields.TextField(null=True)
    enrolled_at = fields.BigIntField()

    class Meta:
        table = "members"


class ProfileRow(Model):
    """Personal data. `birth_date` is an ISO 8601 date."""

    book = fields.SmallIntField()
    member_id = fields.UUIDField(primary_key=True)
    given_name = fields.TextField(null=True)
    family_name = fields.TextField(null=True)
    email = fields.TextField(null=True)
    birth_date = fields.TextField(null=True)

    class Meta:
        table = "profiles"


class MembershipRow(Model):
    """A member at a brand. Its id is also the id of its points account."""

    book = fields.SmallIntField()
    id = fields.UUIDField(primary_key=True)
    member_id = fields.UUIDField()
    brand_id = fields.UUIDField()
    number = fields.TextField()
    status = fields.TextField()
    joined_at = fields.BigIntField()
    closed_at = fields.BigIntField(null=True)

    class Meta:
        table = "memberships"


class HouseholdRow(Model):
    """Members who pool their points. Every change locks this row, by counting `revision` up."""

    id = fields.UUIDField(primary_key=True)
    revision = fields.BigIntField()
    founded_at = fields.BigIntField()
    dissolved_at = fields.BigIntField(null=True)

    class Meta:
        table = "households"


class HouseholdMemberRow(Model):
    """A member's place in a household, from the invitation on, in her own book."""

    book = fields.SmallIntField()
    id = fields.UUIDField(primary_key=True)
    household_id = fields.UUIDField()
    member_id = fields.UUIDField()
    invited_by = fields.UUIDField()
    status = fields.TextField()
    invited_at = fields.BigIntField()
    answered_at = fields.BigIntField(null=True)
    ended_at = fields.BigIntField(null=True)

    class Meta:
        table = "household_members"
