"""Claims for credit that is missing."""

from tortoise import fields
from tortoise.models import Model


class CreditClaimRow(Model):
    """Who claims what for whom. `facts` is JSON of `brands.itineraries`, from which the database
    reckons `begins_on` and `travelled_on`. Append-only."""

    id = fields.UUIDField(primary_key=True)
    book = fields.SmallIntField()
    agency_id = fields.UUIDField(null=True)
    member_id = fields.UUIDField(null=True)
    brand_id = fields.UUIDField()
    number = fields.TextField()
    membership_id = fields.UUIDField(null=True)
    supplier_id = fields.UUIDField()
    facts = fields.TextField()
    created_at = fields.BigIntField()
    begins_on = fields.TextField(null=True)
    travelled_on = fields.TextField(null=True)

    class Meta:
        table = "credit_claims"


class CreditClaimTravellerRow(Model):
    """Who has travelled, as the claimant wrote it. Personal data: can be erased."""

    claim_id = fields.UUIDField(primary_key=True)
    book = fields.SmallIntField()
    surname = fields.TextField()
    given_name = fields.TextField(null=True)

    class Meta:
        table = "credit_claim_travellers"


class CreditClaimEvidenceRow(Model):
    """What shows that somebody has travelled. Personal data: can be erased. The key is the claim
    and the place."""

    claim_id = fields.UUIDField(primary_key=True)
    book = fields.SmallIntField()
    place = fields.BigIntField()
    kind = fields.TextField()
    words = fields.TextField()

    class Meta:
        table = "credit_claim_evidence"


class CreditClaimStepRow(Model):
    """What became of a claim, step by step; the last one holds. The key is the claim and the step.
    Append-only."""

    claim_id = fields.UUIDField(primary_key=True)
    book = fields.SmallIntField()
    step = fields.BigIntField()
    status = fields.TextField()
    points = fields.BigIntField(null=True)
    reason = fields.TextField(null=True)
    transaction_id = fields.UUIDField(null=True)
    client = fields.TextField()
    recorded_at = fields.BigIntField()

    class Meta:
        table = "credit_claim_steps"


class CreditClaimLinkRow(Model):
    """Whose a claim is that was linked to nobody when it was made. The key is the claim.
    Append-only."""

    claim_id = fields.UUIDField(primary_key=True)
    book = fields.SmallIntField()
    membership_id = fields.UUIDField()
    created_at = fields.BigIntField()

    class Meta:
        table = "credit_claim_links"


class CreditClaimListRow(Model):
    """A claim in a list: an agency's, a membership's or a brand's (`owner_id`), and its status now.
    An index, which the database keeps by itself. The key is the claim and the owner."""

    claim_id = fields.UUIDField(primary_key=True)
    owner_id = fields.UUIDField()
    status = fields.TextField()
    brand_id = fields.UUIDField()
    created_at = fields.BigIntField()

    class Meta:
        table = "credit_claim_lists"
