-- What each device should become, as of its last evidence: for lists and counts. A device's page reads it anew.

-- The settings under which decisions were made: the same settings have the same version on every server.
CREATE TABLE policy_version (
    version TEXT NOT NULL PRIMARY KEY,
    -- The lines of the policy file that decisions rest on.
    settings TEXT NOT NULL,
    first_used_at INTEGER NOT NULL
) STRICT;

CREATE TABLE advice (
    device_id BLOB NOT NULL PRIMARY KEY REFERENCES device (id),
    disposition TEXT NOT NULL CHECK (disposition IN ('relend', 'repair', 'donate', 'parts', 'recycle')),
    confidence TEXT NOT NULL CHECK (confidence IN ('high', 'medium', 'low')),
    cost_euros INTEGER NOT NULL,
    value_euros INTEGER NOT NULL,
    months_left INTEGER NOT NULL,
    evidence_at INTEGER,
    -- Since when it is this disposition.
    since INTEGER NOT NULL,
    decided_at INTEGER NOT NULL,
    policy_version TEXT NOT NULL REFERENCES policy_version (version),
    -- Where it was in its lending and its grade, as they were looked at.
    seen TEXT NOT NULL,
    -- The few values it rests on, JSON: a fleet is judged again under another policy without reading its reports.
    facts TEXT NOT NULL
) STRICT;
CREATE INDEX advice_of_disposition ON advice (disposition, device_id);
