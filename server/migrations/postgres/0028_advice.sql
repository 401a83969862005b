-- What each device should become, as of its last evidence: for lists and counts. A device's page reads it anew.

-- The settings under which decisions were made: the same settings have the same version on every server.
CREATE TABLE policy_version (
    version TEXT NOT NULL PRIMARY KEY,
    -- The lines of the policy file that decisions rest on.
    settings TEXT NOT NULL,
    first_used_at BIGINT NOT NULL
);

CREATE TABLE advice (
    device_id UUID NOT NULL PRIMARY KEY REFERENCES device (id),
    disposition TEXT NOT NULL CHECK (disposition IN ('relend', 'repair', 'donate', 'parts', 'recycle')),
    confidence TEXT NOT NULL CHECK (confidence IN ('high', 'medium', 'low')),
    cost_euros BIGINT NOT NULL,
    value_euros BIGINT NOT NULL,
    months_left BIGINT NOT NULL,
    evidence_at BIGINT,
    -- Since when it is this disposition.
    since BIGINT NOT NULL,
    decided_at BIGINT NOT NULL,
    policy_version TEXT NOT NULL REFERENCES policy_version (version),
    -- Where it was in its lending and its grade, as they were looked at.
    seen TEXT NOT NULL,
    -- The few values it rests on, JSON: a fleet is judged again under another policy without reading its reports.
    facts TEXT NOT NULL
);
CREATE INDEX advice_of_disposition ON advice (disposition, device_id);
