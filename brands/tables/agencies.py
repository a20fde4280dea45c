"""Travel agencies."""

from tortoise import fields
from tortoise.models import Model


class AgencyRow(Model):
    """A travel agency. `iata_number` is its numeric code, if it is accredited."""

    id = fields.UUIDField(primary_key=True)
    code = fields.TextField()
    name = fields.TextField()
    status = fields.TextField()
    iata_number = fields.TextField(null=True)
    created_at = fields.BigIntField()

    class Meta:
        table = "agencies"
