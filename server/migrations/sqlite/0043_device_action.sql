-- What people ordered an agent to do, and what it answered. An order that nobody answered is closed when its time is over.
CREATE TABLE device_action (
    id BLOB NOT NULL PRIMARY KEY,
    device_id BLOB NOT NULL REFERENCES device (id),
    -- A laptop that was enrolled anew is not told what the old enrolment was.
    enrolment_id BLOB NOT NULL REFERENCES enrolment (id),
    kind TEXT NOT NULL CHECK (kind IN ('check_in', 'full_report', 'self_test', 'return_notice', 'send_log')),
    -- What a return notice says.
    due_day INTEGER,
    place TEXT,
    -- Grows with each order for a device, whatever the clock says.
    counter INTEGER NOT NULL,
    ordered_at INTEGER NOT NULL,
    -- The person's login, or the command line.
    ordered_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    -- When the laptop was first told of it.
    told_at INTEGER,
    outcome TEXT CHECK (outcome IN ('done', 'unsupported', 'not_possible', 'not_now', 'refused', 'expired', 'replayed',
        'interrupted', 'failed', 'unknown')),
    answered_at INTEGER,
    -- What each drive answered, and the agent's log, as JSON; the log is forgotten after 30 days.
    drives TEXT,
    log TEXT,
    -- When it was answered, or its time was over.
    closed_at INTEGER,
    CHECK ((kind = 'return_notice') = (due_day IS NOT NULL)),
    CHECK ((due_day IS NULL) = (place IS NULL)),
    CHECK ((outcome IS NULL) = (answered_at IS NULL)),
    CHECK (answered_at IS NULL OR closed_at IS NOT NULL),
    CHECK (outcome IS NOT NULL OR (drives IS NULL AND log IS NULL)),
    CHECK (expires_at > ordered_at)
) STRICT;
CREATE UNIQUE INDEX device_action_counter ON device_action (device_id, counter);
-- A form that is sent twice orders once.
CREATE UNIQUE INDEX device_action_open ON device_action (device_id, kind) WHERE closed_at IS NULL;
-- Looked for by each check-in.
CREATE INDEX device_action_waiting ON device_action (enrolment_id) WHERE closed_at IS NULL;
