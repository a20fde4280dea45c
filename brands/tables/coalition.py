"""The coalition's one row: its currency, its number of books, and the epoch of its registry."""

from tortoise import fields
from tortoise.models import Model


class CoalitionRow(Model):
    """`epoch` rises with every change to brands, valuations or rules: caches compare it.
    `lookup_key` is the secret under which it is remembered what was looked up."""

    id = fields.SmallIntField(primary_key=True)
    name = fields.TextField()
    currency = fields.TextField()
    minor_digits = fields.SmallIntField()
    books = fields.SmallIntField()
    epoch = fields.BigIntField()
    created_at = fields.BigIntField()
    lookup_key = fields.BinaryField(null=True)

    class Meta:
        table = "coalition"
