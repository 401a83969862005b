-- Notices: why somebody must be written to, the e-mails that say it, webhooks, and when each job last ran.
-- No address stands here: it is looked up when a message leaves.

-- One e-mail to one recipient, about everything that waited for it.
CREATE TABLE message (
    id BLOB NOT NULL PRIMARY KEY,
    -- The Message-ID, fixed before the first attempt: a repeat after a crash carries the same one.
    mail_id TEXT NOT NULL UNIQUE,
    recipient_kind TEXT NOT NULL CHECK (recipient_kind IN ('borrower', 'referent', 'person')),
    recipient_id BLOB NOT NULL,
    -- The site whose school days count, and whose people may see the message.
    site_id BLOB REFERENCES site (id),
    -- On which days it may leave.
    quiet TEXT NOT NULL CHECK (quiet IN ('school_days', 'any_day')),
    -- 'sending': an attempt began and nobody knows yet how it ended.
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'bounced', 'cancelled')),
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    -- JSON: what became of each address while several are tried, by a keyed hash; null once finished.
    deliveries TEXT,
    error TEXT,
    error_at INTEGER,
    CHECK ((state IN ('waiting', 'sending')) = (finished_at IS NULL))
) STRICT;
CREATE INDEX message_due ON message (next_attempt_at, id) WHERE finished_at IS NULL;
CREATE INDEX message_of_state ON message (state, created_at, id);
CREATE INDEX message_of_recipient ON message (recipient_id, created_at);

-- One reason to write to one recipient. The key says what the reason is, so that it is never written twice.
CREATE TABLE notice (
    id BLOB NOT NULL PRIMARY KEY,
    dedupe_key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('loan_due', 'campaign', 'handed_over', 'returned', 'unreachable')),
    recipient_kind TEXT NOT NULL CHECK (recipient_kind IN ('borrower', 'referent', 'person')),
    recipient_id BLOB NOT NULL,
    site_id BLOB REFERENCES site (id),
    loan_id BLOB REFERENCES loan (id),
    -- Of a due loan: its due day when this was written, and which step of the programme's schedule this is.
    due_day INTEGER,
    step INTEGER,
    quiet TEXT NOT NULL CHECK (quiet IN ('school_days', 'any_day')),
    not_before_day INTEGER NOT NULL,
    not_after_day INTEGER NOT NULL,
    -- JSON: what the text says besides the loan; no personal data.
    details TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'grouped', 'dropped')),
    dropped_why TEXT CHECK (dropped_why IN ('loan_ended', 'due_changed', 'superseded', 'expired', 'recipient_gone')),
    message_id BLOB REFERENCES message (id),
    created_at INTEGER NOT NULL,
    CHECK ((state = 'dropped') = (dropped_why IS NOT NULL)),
    CHECK (state <> 'grouped' OR message_id IS NOT NULL),
    CHECK (kind <> 'loan_due' OR (loan_id IS NOT NULL AND due_day IS NOT NULL AND step IS NOT NULL))
) STRICT;
CREATE INDEX notice_waiting ON notice (recipient_kind, recipient_id, not_before_day) WHERE state = 'waiting';
CREATE INDEX notice_of_message ON notice (message_id);
CREATE INDEX notice_of_loan ON notice (loan_id);

-- Where other systems are told of events.
CREATE TABLE webhook (
    id BLOB NOT NULL PRIMARY KEY,
    label TEXT NOT NULL,
    url TEXT NOT NULL UNIQUE,
    -- The signing secret, sealed with a key that is outside the database.
    sealed_secret TEXT NOT NULL,
    -- JSON list of event types; empty is all of them.
    events TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

-- One event on its way to one target, written in the unit of work of the event.
CREATE TABLE webhook_delivery (
    id BLOB NOT NULL PRIMARY KEY,
    webhook_id BLOB NOT NULL REFERENCES webhook (id),
    event TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    error TEXT,
    error_at INTEGER,
    CHECK ((state = 'waiting') = (finished_at IS NULL))
) STRICT;
CREATE INDEX webhook_delivery_due ON webhook_delivery (next_attempt_at, id) WHERE finished_at IS NULL;
CREATE INDEX webhook_delivery_of_webhook ON webhook_delivery (webhook_id, created_at, id);

-- When each periodic job last ran, and how it ended.
CREATE TABLE job_run (
    job TEXT NOT NULL PRIMARY KEY,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    succeeded_at INTEGER,
    error TEXT
) STRICT;
