"""Quotes and transfers. Append-only: a transfer's reversal is a transaction that points back.

What was used of limits is appended too; the list of arrivals that are due is not of the books.
"""

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
    """Points that left one membership by `transaction_id`.

    They arrive at the other by the same transaction, or, if there is one, by `arrival_id`.
    """

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
    arrival_book = fields.SmallIntField(null=True)
    arrival_id = fields.UUIDField(null=True)

    class Meta:
        table = "transfers"


class CapUseRow(Model):
    """What a transaction used of a limit on a membership; below zero, what was given back."""

    book = fields.SmallIntField()
    account_id = fields.UUIDField(primary_key=True)
    name = fields.TextField()
    transaction_id = fields.UUIDField()
    points = fields.BigIntField()
    count = fields.BigIntField()

    class Meta:
        table = "cap_uses"


class PendingArrivalRow(Model):
    """A transfer whose points are under way, until the worker has seen to them."""

    book = fields.SmallIntField()
    transfer_id = fields.UUIDField(primary_key=True)
    arrives_at = fields.BigIntField()

    class Meta:
        table = "pending_arrivals"
