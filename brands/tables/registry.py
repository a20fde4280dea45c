"""Brands, the valuations of their points (rates in micro-units per point), and transfer rules."""

from tortoise import fields
from tortoise.models import Model


class BrandRow(Model):
    """A partner brand. `number_format` is JSON; `next_number` feeds generated numbers, which
    `number_key` permutes."""

    id = fields.UUIDField(primary_key=True)
    code = fields.TextField()
    name = fields.TextField()
    points_name = fields.TextField()
    time_zone = fields.TextField()
    status = fields.TextField()
    number_format = fields.TextField()
    next_number = fields.BigIntField()
    created_at = fields.BigIntField()
    clawback = fields.TextField()
    number_key = fields.BinaryField(null=True)

    class Meta:
        table = "brands"


class ValuationRow(Model):
    """What one point is worth from `effective_from` on. Append-only."""

    id = fields.UUIDField(primary_key=True)
    brand_id = fields.UUIDField()
    redemption_rate = fields.BigIntField()
    issue_price = fields.BigIntField()
    transfer_out_rate = fields.BigIntField()
    transfer_in_rate = fields.BigIntField()
    effective_from = fields.BigIntField()
    published_at = fields.BigIntField()

    class Meta:
        table = "valuations"


class TransferRuleRow(Model):
    """What is laid down for transfers between two brands, from when on. Append-only.

    `terms` is JSON. `epoch` is the registry's when it was published, `client` who published it.
    """

    id = fields.UUIDField(primary_key=True)
    source_brand = fields.UUIDField()
    destination_brand = fields.UUIDField()
    household = fields.SmallIntField()
    terms = fields.TextField()
    effective_from = fields.BigIntField()
    effective_to = fields.BigIntField(null=True)
    published_at = fields.BigIntField()
    epoch = fields.BigIntField()
    client = fields.TextField()

    class Meta:
        table = "transfer_rules"


class ProgramTermsRow(Model):
    """What a brand lays down for travel, from when on; `terms` is JSON. Append-only."""

    id = fields.UUIDField(primary_key=True)
    brand_id = fields.UUIDField()
    terms = fields.TextField()
    effective_from = fields.BigIntField()
    published_at = fields.BigIntField()
    epoch = fields.BigIntField()
    client = fields.TextField()

    class Meta:
        table = "program_terms"
