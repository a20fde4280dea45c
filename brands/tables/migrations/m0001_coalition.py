"""The coalition, its brands and what their points are worth, its members, and their credentials."""

from tortoise.migrations import Migration as TortoiseMigration

from brands.tables.migrations._both import append_only, sql

COALITION = """
CREATE TABLE IF NOT EXISTS coalition (
    id              {small} PRIMARY KEY CHECK (id = 1),
    name            {text} NOT NULL,
    currency        {text} NOT NULL CHECK (length(currency) = 3),
    minor_digits    {small} NOT NULL CHECK (minor_digits BETWEEN 0 AND 4),
    books           {small} NOT NULL CHECK (books BETWEEN 1 AND 1024),
    epoch           {integer} NOT NULL,
    created_at      {integer} NOT NULL
) {strict}
"""

BRANDS = """
CREATE TABLE IF NOT EXISTS brands (
    id              {uuid} PRIMARY KEY,
    code            {text} NOT NULL UNIQUE CHECK (length(code) BETWEEN 2 AND 16),
    name            {text} NOT NULL,
    points_name     {text} NOT NULL,
    time_zone       {text} NOT NULL,
    status          {text} NOT NULL CHECK (status IN ('ACTIVE', 'SUSPENDED')),
    number_format   {text} NOT NULL,
    next_number     {integer} NOT NULL DEFAULT 1,
    created_at      {integer} NOT NULL
) {strict}
"""

VALUATIONS = """
CREATE TABLE IF NOT EXISTS valuations (
    id                  {uuid} PRIMARY KEY,
    brand_id            {uuid} NOT NULL REFERENCES brands (id),
    redemption_rate     {integer} NOT NULL CHECK (redemption_rate > 0),
    issue_price         {integer} NOT NULL CHECK (issue_price >= redemption_rate),
    transfer_out_rate   {integer} NOT NULL
        CHECK (transfer_out_rate > 0 AND transfer_out_rate <= redemption_rate),
    transfer_in_rate    {integer} NOT NULL CHECK (transfer_in_rate >= redemption_rate),
    effective_from      {integer} NOT NULL,
    published_at        {integer} NOT NULL,
    UNIQUE (brand_id, effective_from)
) {strict}
"""

MEMBERS = """
CREATE TABLE IF NOT EXISTS members (
    book                {small} NOT NULL,
    id                  {uuid} NOT NULL,
    coalition_number    {text} NOT NULL UNIQUE,
    external_owner      {text} NOT NULL,
    external_id         {text},
    enrolled_at         {integer} NOT NULL,
    PRIMARY KEY (book, id),
    UNIQUE (external_owner, external_id)
) {strict}
"""

PROFILES = """
CREATE TABLE IF NOT EXISTS profiles (
    book                {small} NOT NULL,
    member_id           {uuid} NOT NULL,
    given_name          {text},
    family_name         {text},
    email               {text},
    birth_date          {text},
    PRIMARY KEY (book, member_id),
    FOREIGN KEY (book, member_id) REFERENCES members (book, id)
) {strict}
"""

MEMBERSHIPS = """
CREATE TABLE IF NOT EXISTS memberships (
    book                {small} NOT NULL,
    id                  {uuid} NOT NULL,
    member_id           {uuid} NOT NULL,
    brand_id            {uuid} NOT NULL REFERENCES brands (id),
    number              {text} NOT NULL,
    status              {text} NOT NULL CHECK (status IN ('ACTIVE', 'CLOSED')),
    joined_at           {integer} NOT NULL,
    closed_at           {integer},
    PRIMARY KEY (book, id),
    UNIQUE (book, member_id, brand_id),
    UNIQUE (brand_id, number),
    FOREIGN KEY (book, member_id) REFERENCES members (book, id)
) {strict}
"""

CREDENTIALS = """
CREATE TABLE IF NOT EXISTS credentials (
    id              {text} PRIMARY KEY,
    kind            {text} NOT NULL CHECK (kind IN ('OPERATOR', 'BRAND', 'AGENCY', 'MEMBER')),
    name            {text} NOT NULL,
    client          {text} NOT NULL,
    brand_id        {uuid} REFERENCES brands (id),
    member_id       {uuid},
    secret_hash     {bytes} NOT NULL,
    scopes          {text} NOT NULL,
    created_at      {integer} NOT NULL,
    expires_at      {integer},
    revoked_at      {integer},
    last_used_at    {integer},
    CHECK ((kind = 'BRAND') = (brand_id IS NOT NULL)),
    CHECK ((kind = 'MEMBER') = (member_id IS NOT NULL))
) {strict}
"""

ACTIONS = """
CREATE TABLE IF NOT EXISTS actions (
    id              {uuid} PRIMARY KEY,
    at              {integer} NOT NULL,
    client          {text} NOT NULL,
    request_id      {text} NOT NULL,
    action          {text} NOT NULL,
    subject         {text} NOT NULL,
    details         {text} NOT NULL
) {strict}
"""


class Migration(TortoiseMigration):
    """Who takes part."""

    initial = True
    operations = [
        sql(
            [
                COALITION,
                BRANDS,
                VALUATIONS,
                MEMBERS,
                PROFILES,
                MEMBERSHIPS,
                CREDENTIALS,
                ACTIONS,
                "CREATE INDEX IF NOT EXISTS actions_at ON actions (at)",
            ]
        ),
        append_only("valuations", "actions"),
    ]
