"""What is kept of lookups by number and name: meters of those that did not match, and alarms."""

from tortoise import fields
from tortoise.models import Model


class LookupMeterRow(Model):
    """How many misses there were, as the moment at which they are forgotten; see
    `brands.guarding.suspicion.Meter`. `version` counts the changes of a caller's own meter."""

    key = fields.CharField(max_length=64, primary_key=True)
    empty_at = fields.BigIntField()
    shut_until = fields.BigIntField()
    version = fields.BigIntField()

    class Meta:
        table = "lookup_meters"


class LookupSeenRow(Model):
    """Something that was looked up, as a keyed hash."""

    key = fields.CharField(max_length=64, primary_key=True)
    forgotten_at = fields.BigIntField()

    class Meta:
        table = "lookups_seen"


class AlarmRow(Model):
    """Somebody seems to be guessing. `reported` says whether it was logged."""

    id = fields.UUIDField(primary_key=True)
    at = fields.BigIntField()
    kind = fields.TextField()
    caller_kind = fields.TextField()
    client = fields.TextField()
    agency_id = fields.UUIDField(null=True)
    member_id = fields.UUIDField(null=True)
    brand_id = fields.UUIDField()
    misses = fields.BigIntField()
    request_id = fields.TextField()
    reported = fields.SmallIntField()

    class Meta:
        table = "alarms"
