"""Households: members who agreed to pool their points.

A place in a household lies in the member's own book, whatever the others' are. The indexes keep
what no race may break: one household for each member, one open invitation of her into each.
"""

from tortoise.migrations import Migration as TortoiseMigration

from brands.tables.migrations._both import sql

HOUSEHOLDS = """
CREATE TABLE IF NOT EXISTS households (
    id              {uuid} PRIMARY KEY,
    revision        {integer} NOT NULL DEFAULT 0,
    founded_at      {integer} NOT NULL,
    dissolved_at    {integer}
) {roomy}
"""

HOUSEHOLD_MEMBERS = """
CREATE TABLE IF NOT EXISTS household_members (
    book            {small} NOT NULL,
    id              {uuid} NOT NULL,
    household_id    {uuid} NOT NULL REFERENCES households (id),
    member_id       {uuid} NOT NULL,
    invited_by      {uuid} NOT NULL,
    status          {text} NOT NULL
        CHECK (status IN ('INVITED', 'ACTIVE', 'DECLINED', 'WITHDRAWN', 'LEFT')),
    invited_at      {integer} NOT NULL,
    answered_at     {integer},
    ended_at        {integer},
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, member_id) REFERENCES members (book, id),
    CHECK ((status IN ('INVITED', 'WITHDRAWN')) = (answered_at IS NULL)),
    CHECK ((status IN ('INVITED', 'ACTIVE')) = (ended_at IS NULL))
) {strict}
"""


class Migration(TortoiseMigration):
    """Who pools with whom."""

    dependencies = [("brands", "m0004_transfers_in_full")]
    operations = [
        sql(
            [
                HOUSEHOLDS,
                HOUSEHOLD_MEMBERS,
                "CREATE UNIQUE INDEX IF NOT EXISTS household_members_active ON household_members"
                " (book, member_id) WHERE status = 'ACTIVE'",
                "CREATE UNIQUE INDEX IF NOT EXISTS household_members_open ON household_members"
                " (book, member_id, household_id) WHERE status IN ('INVITED', 'ACTIVE')",
                "CREATE INDEX IF NOT EXISTS household_members_member ON household_members"
                " (book, member_id, household_id)",
                "CREATE INDEX IF NOT EXISTS household_members_household ON household_members"
                " (household_id) WHERE status IN ('INVITED', 'ACTIVE')",
            ]
        ),
    ]
