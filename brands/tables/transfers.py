"""Quotes and transfers. Append-only: a transfer's reversal is a transaction that points back."""

from tortoise import fields
from tortoise.models import Model


class QuoteRow(Model):
    """A transfer's figures, locked until `expires_at`. `terms` is JSON: the rates behind them."""

    book = fields.SmallIntField()
    id = fields.UUIDField(primary_key=True)
    client = fields.TextField()
    source_id = fields.UUIDField()
    destination_id = fields.UUIDField()
    points_out = fields.BigIntField()
    points_in = fields.BigIntField()
    base_points = fields.BigIntField()
    bonus_points = fields.BigIntField()
    fee = fields.BigIntField()
    terms = fields.TextField()
    created_at = fields.BigIntField()
    expires_at = fields.BigIntField()

    class Meta:
        table = "quotes"


class TransferRow(Model):
    """Points that left one membership and arrived at another, by `transaction_id`."""

    book = fields.SmallIntField()
    id = fields.UUIDField(primary_key=True)
    client = fields.TextField()
    source_id = fields.UUIDField()
    destination_id = fields.UUIDField()
    points_out = fields.BigIntField()
    points_in = fields.BigIntField()
    base_points = fields.BigIntField()
    bonus_points = fields.BigIntField()
    fee = fields.BigIntField()
    terms = fields.TextField()
    quote_id = fields.UUIDField(null=True)
    transaction_id = fields.UUIDField()
    created_at = fields.BigIntField()
    arrives_at = fields.BigIntField()

    class Meta:
        table = "transfers"
