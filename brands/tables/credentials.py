"""API keys (only a keyed hash of the secret is stored) and the record of administrative acts."""

from tortoise import fields
from tortoise.models import Model


class CredentialRow(Model):
    """One API key. `client` is the namespace of idempotency keys that its holder writes in."""

    id = fields.CharField(max_length=64, primary_key=True)
    kind = fields.TextField()
    name = fields.TextField()
    client = fields.TextField()
    brand_id = fields.UUIDField(null=True)
    member_id = fields.UUIDField(null=True)
    agency_id = fields.UUIDField(null=True)
    secret_hash = fields.BinaryField()
    scopes = fields.TextField()
    created_at = fields.BigIntField()
    expires_at = fields.BigIntField(null=True)
    revoked_at = fields.BigIntField(null=True)
    last_used_at = fields.BigIntField(null=True)

    class Meta:
        table = "credentials"


class ActionRow(Model):
    """Who did what to which subject, when, in which request. Append-only."""

    id = fields.UUIDField(primary_key=True)
    at = fields.BigIntField()
    client = fields.TextField()
    request_id = fields.TextField()
    action = fields.TextField()
    subject = fields.TextField()
    details = fields.TextField()

    class Meta:
        table = "actions"
