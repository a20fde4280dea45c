"""Bookings of agencies, what became of their segments, and what was noted beside the books.

Only added to, but for the names of passengers, and for `booking_states`, which triggers keep.
"""

from tortoise import fields
from tortoise.models import Model


class NoteRow(Model):
    """Something that was done without a posting: `operation`, to `subject`."""

    book = fields.SmallIntField()
    id = fields.UUIDField(primary_key=True)
    operation = fields.TextField()
    subject = fields.UUIDField()
    client = fields.TextField()
    request_id = fields.TextField()
    recorded_at = fields.BigIntField()

    class Meta:
        table = "notes"


class BookingRow(Model):
    """A passenger's booking under one record locator; `name` is a digest of what tells it apart."""

    book = fields.SmallIntField()
    id = fields.UUIDField(primary_key=True)
    agency_id = fields.UUIDField()
    record_locator = fields.TextField()
    name = fields.TextField()
    created_at = fields.BigIntField()

    class Meta:
        table = "bookings"


class BookingPassengerRow(Model):
    """Who travels, as the agency wrote it: personal data, which can be erased."""

    book = fields.SmallIntField()
    booking_id = fields.UUIDField(primary_key=True)
    surname = fields.TextField()
    given_name = fields.TextField(null=True)

    class Meta:
        table = "booking_passengers"


class BookingBrandRow(Model):
    """A brand that a booking concerns, or did."""

    book = fields.SmallIntField()
    booking_id = fields.UUIDField(primary_key=True)
    brand_id = fields.UUIDField()
    created_at = fields.BigIntField()

    class Meta:
        table = "booking_brands"


class BookingSegmentRow(Model):
    """A flight or stay in a booking; `identity` tells it from the others that have not ended."""

    book = fields.SmallIntField()
    id = fields.UUIDField(primary_key=True)
    booking_id = fields.UUIDField()
    identity = fields.TextField()
    created_at = fields.BigIntField()

    class Meta:
        table = "booking_segments"


class BookingStepRow(Model):
    """What became of a segment, step by step; the last one holds. `facts` is JSON."""

    book = fields.SmallIntField()
    segment_id = fields.UUIDField(primary_key=True)
    step = fields.BigIntField()
    booking_id = fields.UUIDField()
    status = fields.TextField()
    brand_id = fields.UUIDField()
    number = fields.TextField()
    membership_id = fields.UUIDField(null=True)
    supplier_id = fields.UUIDField()
    facts = fields.TextField()
    travelled_on = fields.TextField()
    points = fields.BigIntField(null=True)
    reason = fields.TextField(null=True)
    transaction_id = fields.UUIDField(null=True)
    client = fields.TextField()
    recorded_at = fields.BigIntField()

    class Meta:
        table = "booking_steps"


class BookingStateRow(Model):
    """What a segment's last step says: kept by triggers, written by nobody."""

    book = fields.SmallIntField()
    booking_id = fields.UUIDField()
    segment_id = fields.UUIDField(primary_key=True)
    step = fields.BigIntField()
    status = fields.TextField()
    brand_id = fields.UUIDField()
    supplier_id = fields.UUIDField()
    agency_id = fields.UUIDField(null=True)
    created_at = fields.BigIntField(null=True)
    travelled_on = fields.TextField()
    is_stay = fields.SmallIntField()

    class Meta:
        table = "booking_states"


class BookingLinkRow(Model):
    """A segment that was linked to a membership, in the member's book; its booking is in `home`."""

    book = fields.SmallIntField()
    membership_id = fields.UUIDField(primary_key=True)
    home = fields.SmallIntField()
    booking_id = fields.UUIDField()
    segment_id = fields.UUIDField()
    step = fields.BigIntField()
    created_at = fields.BigIntField()

    class Meta:
        table = "booking_links"


class FlownRow(Model):
    """A flight or stay that was credited to a member, or whose credit was undone, in a turn."""

    book = fields.SmallIntField()
    member_id = fields.UUIDField(primary_key=True)
    flight = fields.TextField()
    turn = fields.BigIntField()
    undone = fields.SmallIntField()
    subject_id = fields.UUIDField()
    recorded_at = fields.BigIntField()

    class Meta:
        table = "flown"
