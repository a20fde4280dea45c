"""The books: accounts, transactions and their entries, lots, holds, idempotency keys, transfers.

`book` leads every key and index of what belongs to a member. No foreign keys here: the one writer
has locked what it refers to, the audit checks it again, and a foreign key check per entry would
cost more than the entry.
"""

from tortoise.migrations import Migration as TortoiseMigration

from brands.tables.migrations._both import append_only, postgres_only, sql

ACCOUNTS = """
CREATE TABLE IF NOT EXISTS accounts (
    book            {small} NOT NULL,
    id              {uuid} NOT NULL,
    owner_id        {uuid} NOT NULL,
    kind            {text} NOT NULL,
    unit            {uuid} NOT NULL,
    balance         {integer} NOT NULL,
    held            {integer} NOT NULL CHECK (held >= 0),
    floor           {integer},
    version         {integer} NOT NULL CHECK (version >= 0),
    rate            {integer},
    closed          {small} NOT NULL CHECK (closed IN (0, 1)),
    posted_at       {integer} NOT NULL,
    revision        {integer} NOT NULL DEFAULT 0,
    PRIMARY KEY (book, id),
    CHECK (floor IS NULL OR balance - held >= floor),
    CHECK ((kind = 'POINTS') = (floor IS NOT NULL)),
    CHECK ((kind = 'POOL') = (rate IS NOT NULL))
) {roomy}
"""

TRANSACTIONS = """
CREATE TABLE IF NOT EXISTS transactions (
    book            {small} NOT NULL,
    id              {uuid} NOT NULL,
    kind            {text} NOT NULL,
    event_at        {integer} NOT NULL,
    recorded_at     {integer} NOT NULL,
    client          {text} NOT NULL,
    request_id      {text} NOT NULL,
    reference       {text},
    description     {text},
    reverses        {uuid},
    points          {integer} NOT NULL,
    PRIMARY KEY (book, id)
) {strict}
"""

ENTRIES = """
CREATE TABLE IF NOT EXISTS entries (
    book            {small} NOT NULL,
    transaction_id  {uuid} NOT NULL,
    account_id      {uuid} NOT NULL,
    amount          {integer} NOT NULL CHECK (amount <> 0),
    balance         {integer} NOT NULL,
    version         {integer} NOT NULL,
    recorded_at     {integer} NOT NULL,
    PRIMARY KEY (book, account_id, recorded_at, version)
) {strict}
"""

LOTS = """
CREATE TABLE IF NOT EXISTS lots (
    book            {small} NOT NULL,
    account_id      {uuid} NOT NULL,
    transaction_id  {uuid} NOT NULL,
    amount          {integer} NOT NULL CHECK (amount > 0),
    remaining       {integer} NOT NULL CHECK (remaining >= 0),
    held            {integer} NOT NULL CHECK (held >= 0 AND held <= remaining),
    spent           {small} NOT NULL CHECK ((spent = 1) = (remaining = 0)),
    earned_at       {integer} NOT NULL,
    expires_at      {integer} NOT NULL,
    PRIMARY KEY (book, account_id, transaction_id)
) {roomy}
"""

LOT_USES = """
CREATE TABLE IF NOT EXISTS lot_uses (
    book            {small} NOT NULL,
    transaction_id  {uuid} NOT NULL,
    account_id      {uuid} NOT NULL,
    lot_id          {uuid} NOT NULL,
    amount          {integer} NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (book, transaction_id, account_id, lot_id)
) {strict}
"""

HOLDS = """
CREATE TABLE IF NOT EXISTS holds (
    book            {small} NOT NULL,
    id              {uuid} NOT NULL,
    account_id      {uuid} NOT NULL,
    points          {integer} NOT NULL CHECK (points > 0),
    captured        {integer} NOT NULL CHECK (captured BETWEEN 0 AND points),
    status          {text} NOT NULL CHECK (status IN ('PENDING', 'CAPTURED', 'VOIDED', 'EXPIRED')),
    placed_at       {integer} NOT NULL,
    expires_at      {integer} NOT NULL,
    ended_at        {integer},
    ended_by        {uuid},
    PRIMARY KEY (book, id),
    CHECK ((status = 'PENDING') = (ended_at IS NULL)),
    CHECK ((status = 'PENDING') = (ended_by IS NULL)),
    CHECK ((status = 'CAPTURED') = (captured > 0))
) {roomy}
"""

HOLD_LOTS = """
CREATE TABLE IF NOT EXISTS hold_lots (
    book            {small} NOT NULL,
    hold_id         {uuid} NOT NULL,
    lot_id          {uuid} NOT NULL,
    amount          {integer} NOT NULL CHECK (amount > 0),
    PRIMARY KEY (book, hold_id, lot_id)
) {strict}
"""

IDEMPOTENCY_KEYS = """
CREATE TABLE IF NOT EXISTS idempotency_keys (
    book            {small} NOT NULL,
    client          {text} NOT NULL,
    key             {text} NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint     {bytes} NOT NULL,
    command_id      {uuid} NOT NULL,
    rejection       {text},
    recorded_at     {integer} NOT NULL,
    PRIMARY KEY (book, client, key)
) {strict}
"""

QUOTES = """
CREATE TABLE IF NOT EXISTS quotes (
    book            {small} NOT NULL,
    id              {uuid} NOT NULL,
    client          {text} NOT NULL,
    source_id       {uuid} NOT NULL,
    destination_id  {uuid} NOT NULL,
    points_out      {integer} NOT NULL CHECK (points_out > 0),
    points_in       {integer} NOT NULL CHECK (points_in > 0),
    base_points     {integer} NOT NULL,
    bonus_points    {integer} NOT NULL,
    fee             {integer} NOT NULL,
    terms           {text} NOT NULL,
    created_at      {integer} NOT NULL,
    expires_at      {integer} NOT NULL,
    PRIMARY KEY (book, id)
) {strict}
"""

TRANSFERS = """
CREATE TABLE IF NOT EXISTS transfers (
    book            {small} NOT NULL,
    id              {uuid} NOT NULL,
    client          {text} NOT NULL,
    source_id       {uuid} NOT NULL,
    destination_id  {uuid} NOT NULL,
    points_out      {integer} NOT NULL CHECK (points_out > 0),
    points_in       {integer} NOT NULL CHECK (points_in > 0),
    base_points     {integer} NOT NULL,
    bonus_points    {integer} NOT NULL,
    fee             {integer} NOT NULL,
    terms           {text} NOT NULL,
    quote_id        {uuid},
    transaction_id  {uuid} NOT NULL,
    created_at      {integer} NOT NULL,
    arrives_at      {integer} NOT NULL,
    PRIMARY KEY (book, id)
) {strict}
"""

INDEXES = [
    "CREATE INDEX IF NOT EXISTS entries_transaction ON entries (book, transaction_id)",
    "CREATE INDEX IF NOT EXISTS transactions_reverses ON transactions (book, reverses) "
    "WHERE reverses IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS lots_open ON lots "
    "(book, account_id, expires_at, earned_at, transaction_id) WHERE spent = 0",
    "CREATE INDEX IF NOT EXISTS lots_expiring ON lots (book, expires_at) "
    "WHERE spent = 0 AND expires_at < 9223372036854775807",
    "CREATE INDEX IF NOT EXISTS accounts_owner ON accounts (owner_id)",
    "CREATE INDEX IF NOT EXISTS holds_pending ON holds (book, expires_at) WHERE status = 'PENDING'",
    "CREATE INDEX IF NOT EXISTS transfers_source ON transfers (book, source_id, created_at)",
    "CREATE INDEX IF NOT EXISTS transfers_destination ON transfers "
    "(book, destination_id, created_at)",
]

EXPECT_ROWS = """
CREATE OR REPLACE FUNCTION expect_rows(actual bigint, expected bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF actual <> expected THEN
        RAISE EXCEPTION '% of % accounts are as they were read', actual, expected
            USING ERRCODE = 'serialization_failure';
    END IF;
END $$
"""


class Migration(TortoiseMigration):
    """What they hold."""

    dependencies = [("brands", "m0001_coalition")]
    operations = [
        sql(
            [
                ACCOUNTS,
                TRANSACTIONS,
                ENTRIES,
                LOTS,
                LOT_USES,
                HOLDS,
                HOLD_LOTS,
                IDEMPOTENCY_KEYS,
                QUOTES,
                TRANSFERS,
                *INDEXES,
            ]
        ),
        postgres_only(EXPECT_ROWS),
        append_only("transactions", "entries", "lot_uses", "hold_lots", "quotes", "transfers"),
    ]
