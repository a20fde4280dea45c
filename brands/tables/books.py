"""Rows of the books, for reading. Only the ledger's writer appends to these tables."""

from tortoise import fields
from tortoise.models import Model


class AccountRow(Model):
    """One owner, one kind, one unit. `rate` (pools only) is the value the pool is carried at.
    `revision` rises with every change of the row, by whomever."""

    book = fields.SmallIntField()
    id = fields.UUIDField(primary_key=True)
    owner_id = fields.UUIDField()
    kind = fields.TextField()
    unit = fields.UUIDField()
    balance = fields.BigIntField()
    held = fields.BigIntField()
    floor = fields.BigIntField(null=True)
    version = fields.BigIntField()
    rate = fields.BigIntField(null=True)
    closed = fields.SmallIntField()
    posted_at = fields.BigIntField()
    revision = fields.BigIntField()

    class Meta:
        table = "accounts"


class TransactionRow(Model):
    """An immutable, balanced set of entries. `points` is its headline figure; `position` its place
    in the book's feed."""

    book = fields.SmallIntField()
    id = fields.UUIDField(primary_key=True)
    kind = fields.TextField()
    event_at = fields.BigIntField()
    recorded_at = fields.BigIntField()
    client = fields.TextField()
    request_id = fields.TextField()
    reference = fields.TextField(null=True)
    description = fields.TextField(null=True)
    reverses = fields.UUIDField(null=True)
    points = fields.BigIntField()
    position = fields.BigIntField(null=True)

    class Meta:
        table = "transactions"
