-- Needs, allocation, return campaigns. Days are whole days since 1970-01-01; a campaign's are civil days.

-- A site's request for one device. Why it comes first is a list of codes, never text about a child.
CREATE TABLE need (
    id BLOB NOT NULL PRIMARY KEY,
    -- Keyed hash of what names this need in the list it was imported from: what a second import recognises.
    natural_key_hash BLOB UNIQUE,
    site_id BLOB NOT NULL REFERENCES site (id),
    programme_id BLOB NOT NULL REFERENCES programme (id),
    level TEXT CHECK (level IN ('6e', '5e', '4e', '3e', 'ulis', 'segpa', 'staff', 'other')),
    -- JSON list of codes, in their own order, each once.
    reasons TEXT NOT NULL,
    borrower_id BLOB REFERENCES borrower (id),
    state TEXT NOT NULL CHECK (state IN ('open', 'met', 'withdrawn')),
    entered_by TEXT NOT NULL,
    entered_at INTEGER NOT NULL,
    -- When it was met or withdrawn.
    ended_at INTEGER,
    -- The loan that met it.
    loan_id BLOB REFERENCES loan (id),
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK ((state = 'met') = (loan_id IS NOT NULL))
) STRICT;
CREATE INDEX need_entered ON need (entered_at, id);
CREATE INDEX need_of_site ON need (site_id, programme_id, state);
CREATE INDEX need_of_state ON need (state, entered_at, id);
CREATE INDEX need_of_loan ON need (loan_id);

-- Who should get which device: proposed, adjusted, approved by somebody else.
CREATE TABLE allocation (
    id BLOB NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('draft', 'approved', 'dropped')),
    -- Only needs of this programme; null is all that lend.
    programme_id BLOB REFERENCES programme (id),
    proposed_by BLOB NOT NULL REFERENCES person (id),
    proposed_at INTEGER NOT NULL,
    -- Who last changed a line of it.
    adjusted_by BLOB REFERENCES person (id),
    adjusted_at INTEGER,
    decided_by BLOB REFERENCES person (id),
    decided_at INTEGER,
    -- JSON: the policy that ranked, and what the stock was.
    terms TEXT NOT NULL,
    CHECK ((state = 'draft') = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    -- Nobody approves what is their own, whatever their role.
    CHECK (state <> 'approved' OR (decided_by <> proposed_by AND (adjusted_by IS NULL OR decided_by <> adjusted_by)))
) STRICT;
CREATE INDEX allocation_proposed ON allocation (proposed_at, id);

-- One need in a proposal, and what became of it.
CREATE TABLE allocation_line (
    allocation_id BLOB NOT NULL REFERENCES allocation (id),
    rank INTEGER NOT NULL,
    need_id BLOB NOT NULL REFERENCES need (id),
    site_id BLOB NOT NULL REFERENCES site (id),
    state TEXT NOT NULL CHECK (state IN ('proposed', 'unmet', 'dropped', 'reserved', 'refused')),
    score INTEGER NOT NULL,
    -- JSON: the parts of the score, and why this device.
    explanation TEXT NOT NULL,
    device_id BLOB REFERENCES device (id),
    -- Why there is no device: a code.
    cause TEXT,
    -- Why somebody changed the line.
    remark TEXT,
    loan_id BLOB REFERENCES loan (id),
    PRIMARY KEY (allocation_id, rank),
    CHECK ((state IN ('proposed', 'reserved')) = (device_id IS NOT NULL AND cause IS NULL)),
    CHECK ((state = 'reserved') = (loan_id IS NOT NULL)),
    CHECK (state <> 'dropped' OR remark IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX allocation_line_of_need ON allocation_line (allocation_id, need_id);
CREATE UNIQUE INDEX allocation_line_device ON allocation_line (allocation_id, device_id) WHERE state IN ('proposed', 'reserved');

-- Taking back many loans in a window of days.
CREATE TABLE campaign (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'running', 'closed')),
    -- JSON: programmes, levels, sites, and whether only pupils who leave.
    choice TEXT NOT NULL,
    first_day INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    -- At each site, unless campaign_desk says otherwise.
    desks INTEGER NOT NULL CHECK (desks BETWEEN 1 AND 20),
    slots INTEGER NOT NULL CHECK (slots BETWEEN 1 AND 1000),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    closed_at INTEGER,
    CHECK (last_day >= first_day),
    CHECK ((state = 'planned') = (started_at IS NULL)),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL))
) STRICT;

-- A site that needs more or fewer desks than the others.
CREATE TABLE campaign_desk (
    campaign_id BLOB NOT NULL REFERENCES campaign (id),
    site_id BLOB NOT NULL REFERENCES site (id),
    desks INTEGER NOT NULL CHECK (desks BETWEEN 1 AND 20),
    slots INTEGER NOT NULL CHECK (slots BETWEEN 1 AND 1000),
    PRIMARY KEY (campaign_id, site_id)
) STRICT, WITHOUT ROWID;

-- A loan that a campaign takes back, and when and where.
CREATE TABLE campaign_loan (
    campaign_id BLOB NOT NULL REFERENCES campaign (id),
    loan_id BLOB NOT NULL REFERENCES loan (id),
    site_id BLOB NOT NULL REFERENCES site (id),
    state TEXT NOT NULL CHECK (state IN ('expected', 'returned', 'excused', 'ended')),
    day INTEGER NOT NULL,
    desk INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    excuse TEXT,
    excused_by TEXT,
    -- When it left the state expected.
    changed_at INTEGER,
    PRIMARY KEY (campaign_id, loan_id),
    CHECK (state <> 'excused' OR (excuse IS NOT NULL AND excused_by IS NOT NULL)),
    CHECK ((state = 'expected') = (changed_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX campaign_loan_of_loan ON campaign_loan (loan_id);
CREATE UNIQUE INDEX campaign_loan_slot ON campaign_loan (campaign_id, site_id, day, desk, slot);
CREATE INDEX campaign_loan_left ON campaign_loan (campaign_id, state, site_id, day, desk, slot);

-- How many loans of a campaign are in which state, per site and day: kept by what changes a loan.
CREATE TABLE campaign_count (
    campaign_id BLOB NOT NULL REFERENCES campaign (id),
    site_id BLOB NOT NULL REFERENCES site (id),
    day INTEGER NOT NULL,
    expected INTEGER NOT NULL CHECK (expected >= 0),
    returned INTEGER NOT NULL CHECK (returned >= 0),
    excused INTEGER NOT NULL CHECK (excused >= 0),
    ended INTEGER NOT NULL CHECK (ended >= 0),
    PRIMARY KEY (campaign_id, site_id, day)
) STRICT, WITHOUT ROWID;
