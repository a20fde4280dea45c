"""What brands pay for travel, bookings of agencies, and what became of each of their segments.

`book` is that of a booking, made of what names it; `booking_links` and `flown` are in the member's,
and `home` says where the booking is.
All of it is only added to, but for the names of passengers, which can be erased.
"""

from tortoise.migrations import Migration as TortoiseMigration

from brands.tables.migrations._both import append_only, sql

PROGRAM_TERMS = """
CREATE TABLE IF NOT EXISTS program_terms (
    id              {uuid} PRIMARY KEY,
    brand_id        {uuid} NOT NULL REFERENCES brands (id),
    terms           {text} NOT NULL,
    effective_from  {integer} NOT NULL,
    published_at    {integer} NOT NULL,
    epoch           {integer} NOT NULL,
    client          {text} NOT NULL,
    UNIQUE (brand_id, effective_from)
) {strict}
"""

NOTES = """
CREATE TABLE IF NOT EXISTS notes (
    book            {small} NOT NULL,
    id              {uuid} NOT NULL,
    operation       {text} NOT NULL,
    subject         {uuid} NOT NULL,
    client          {text} NOT NULL,
    request_id      {text} NOT NULL,
    recorded_at     {integer} NOT NULL,
    PRIMARY KEY (book, id)
) {strict}
"""

BOOKINGS = """
CREATE TABLE IF NOT EXISTS bookings (
    book            {small} NOT NULL,
    id              {uuid} NOT NULL,
    agency_id       {uuid} NOT NULL,
    record_locator  {text} NOT NULL,
    name            {text} NOT NULL,
    created_at      {integer} NOT NULL,
    PRIMARY KEY (book, id),
    UNIQUE (book, name)
) {strict}
"""

PASSENGERS = """
CREATE TABLE IF NOT EXISTS booking_passengers (
    book            {small} NOT NULL,
    booking_id      {uuid} NOT NULL,
    surname         {text} NOT NULL,
    given_name      {text},
    PRIMARY KEY (book, booking_id)
) {strict}
"""

BRANDS = """
CREATE TABLE IF NOT EXISTS booking_brands (
    book            {small} NOT NULL,
    booking_id      {uuid} NOT NULL,
    brand_id        {uuid} NOT NULL,
    created_at      {integer} NOT NULL,
    PRIMARY KEY (book, booking_id, brand_id)
) {strict}
"""

SEGMENTS = """
CREATE TABLE IF NOT EXISTS booking_segments (
    book            {small} NOT NULL,
    id              {uuid} NOT NULL,
    booking_id      {uuid} NOT NULL,
    identity        {text} NOT NULL,
    created_at      {integer} NOT NULL,
    PRIMARY KEY (book, id)
) {strict}
"""

STEPS = """
CREATE TABLE IF NOT EXISTS booking_steps (
    book            {small} NOT NULL,
    segment_id      {uuid} NOT NULL,
    step            {integer} NOT NULL CHECK (step >= 0),
    booking_id      {uuid} NOT NULL,
    status          {text} NOT NULL CHECK (status IN
        ('PENDING', 'CREDITED', 'INELIGIBLE', 'NOT_CREDITED', 'DETACHED', 'VOIDED')),
    brand_id        {uuid} NOT NULL,
    number          {text} NOT NULL,
    membership_id   {uuid},
    supplier_id     {uuid} NOT NULL,
    facts           {text} NOT NULL,
    travelled_on    {text} NOT NULL CHECK (length(travelled_on) = 10),
    points          {integer} CHECK (points > 0),
    reason          {text},
    transaction_id  {uuid},
    client          {text} NOT NULL,
    recorded_at     {integer} NOT NULL,
    PRIMARY KEY (book, segment_id, step),
    CHECK (status <> 'PENDING' OR (transaction_id IS NULL AND points IS NULL AND reason IS NULL)),
    CHECK (status <> 'CREDITED' OR (transaction_id IS NOT NULL AND points IS NOT NULL
        AND membership_id IS NOT NULL)),
    CHECK (status NOT IN ('INELIGIBLE', 'NOT_CREDITED') OR reason IS NOT NULL)
) {strict}
"""

LINKS = """
CREATE TABLE IF NOT EXISTS booking_links (
    book            {small} NOT NULL,
    membership_id   {uuid} NOT NULL,
    home            {small} NOT NULL,
    booking_id      {uuid} NOT NULL,
    segment_id      {uuid} NOT NULL,
    step            {integer} NOT NULL,
    created_at      {integer} NOT NULL,
    PRIMARY KEY (book, membership_id, segment_id, step)
) {strict}
"""

FLOWN = """
CREATE TABLE IF NOT EXISTS flown (
    book            {small} NOT NULL,
    member_id       {uuid} NOT NULL,
    flight          {text} NOT NULL,
    turn            {integer} NOT NULL CHECK (turn >= 0),
    undone          {small} NOT NULL CHECK (undone IN (0, 1)),
    subject_id      {uuid} NOT NULL,
    recorded_at     {integer} NOT NULL,
    PRIMARY KEY (book, member_id, flight, turn, undone)
) {strict}
"""

INDEXES = [
    "CREATE INDEX IF NOT EXISTS program_terms_epoch ON program_terms (epoch)",
    "CREATE INDEX IF NOT EXISTS bookings_agency ON bookings (agency_id, created_at, id)",
    "CREATE INDEX IF NOT EXISTS booking_brands_brand ON booking_brands"
    " (brand_id, created_at, booking_id)",
    "CREATE INDEX IF NOT EXISTS booking_segments_booking ON booking_segments (book, booking_id)",
]


class Migration(TortoiseMigration):
    """What is booked, and earned by it."""

    dependencies = [("brands", "m0009_lookups")]
    operations = [
        sql(
            [
                PROGRAM_TERMS,
                NOTES,
                BOOKINGS,
                PASSENGERS,
                BRANDS,
                SEGMENTS,
                STEPS,
                LINKS,
                FLOWN,
                *INDEXES,
            ]
        ),
        append_only(
            "program_terms",
            "notes",
            "bookings",
            "booking_brands",
            "booking_segments",
            "booking_steps",
            "booking_links",
            "flown",
        ),
    ]
