"""Claims for credit that is missing: who claims what for whom, on what evidence, and the answer.

`book` is that of a claim, made of what names it. Claims and what became of them are only added to;
names and evidence, which are personal data, lie apart and can be erased.
"""

from tortoise.migrations import Migration as TortoiseMigration

from brands.tables.migrations._both import append_only, sql

CLAIMS = """
CREATE TABLE IF NOT EXISTS credit_claims (
    book            {small} NOT NULL,
    id              {uuid} NOT NULL,
    agency_id       {uuid},
    member_id       {uuid},
    brand_id        {uuid} NOT NULL,
    number          {text} NOT NULL,
    membership_id   {uuid},
    supplier_id     {uuid} NOT NULL,
    facts           {text} NOT NULL,
    created_at      {integer} NOT NULL,
    PRIMARY KEY (book, id),
    CHECK ((agency_id IS NULL) <> (member_id IS NULL)),
    CHECK (member_id IS NULL OR membership_id IS NOT NULL)
) {strict}
"""

TRAVELLERS = """
CREATE TABLE IF NOT EXISTS credit_claim_travellers (
    book            {small} NOT NULL,
    claim_id        {uuid} NOT NULL,
    surname         {text} NOT NULL,
    given_name      {text},
    PRIMARY KEY (book, claim_id)
) {strict}
"""

EVIDENCE = """
CREATE TABLE IF NOT EXISTS credit_claim_evidence (
    book            {small} NOT NULL,
    claim_id        {uuid} NOT NULL,
    place           {integer} NOT NULL CHECK (place >= 0),
    kind            {text} NOT NULL CHECK (kind IN
        ('TICKET_NUMBER', 'BOARDING_PASS', 'FOLIO', 'RECEIPT', 'OTHER', 'APPEAL')),
    words           {text} NOT NULL,
    PRIMARY KEY (book, claim_id, place)
) {strict}
"""

STEPS = """
CREATE TABLE IF NOT EXISTS credit_claim_steps (
    book            {small} NOT NULL,
    claim_id        {uuid} NOT NULL,
    step            {integer} NOT NULL CHECK (step >= 0),
    status          {text} NOT NULL CHECK (status IN
        ('OPEN', 'APPROVED', 'REJECTED', 'APPEALED')),
    points          {integer} CHECK (points > 0),
    reason          {text},
    transaction_id  {uuid},
    client          {text} NOT NULL,
    recorded_at     {integer} NOT NULL,
    PRIMARY KEY (book, claim_id, step),
    CHECK ((status = 'APPROVED') = (transaction_id IS NOT NULL)),
    CHECK ((status = 'APPROVED') = (points IS NOT NULL)),
    CHECK ((status IN ('APPROVED', 'REJECTED')) = (reason IS NOT NULL))
) {strict}
"""

INDEXES = [
    "CREATE INDEX IF NOT EXISTS credit_claims_agency ON credit_claims"
    " (agency_id, id) WHERE agency_id IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS credit_claims_membership ON credit_claims"
    " (membership_id, id) WHERE membership_id IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS credit_claims_brand ON credit_claims (brand_id, id)",
    "CREATE INDEX IF NOT EXISTS credit_claims_supplier ON credit_claims (supplier_id, id)",
    "CREATE INDEX IF NOT EXISTS credit_claims_number ON credit_claims (brand_id, number)",
    "CREATE INDEX IF NOT EXISTS booking_segments_identity ON booking_segments (identity)",
    "CREATE INDEX IF NOT EXISTS flown_subject ON flown (subject_id)",
]


class Migration(TortoiseMigration):
    """What somebody says is missing."""

    dependencies = [("brands", "m0010_bookings")]
    operations = [
        sql([CLAIMS, TRAVELLERS, EVIDENCE, STEPS, *INDEXES]),
        append_only("credit_claims", "credit_claim_steps"),
    ]
