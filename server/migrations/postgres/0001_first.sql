-- Moments are UTC milliseconds, days are whole days since 1970-01-01 UTC, JSON is text, identifiers are UUIDs.
-- Every hot table's key begins with the device, so that it can be distributed by it. Devices are archived, never deleted.

CREATE TABLE site (
    id UUID NOT NULL PRIMARY KEY,
    uai TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    commune TEXT NOT NULL,
    academic_zone TEXT NOT NULL CHECK (academic_zone IN ('A', 'B', 'C')),
    -- Name and commune without case or accents: what lists sort and search by.
    sort_key TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE device (
    id UUID NOT NULL PRIMARY KEY,
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'quarantined', 'revoked', 'released')),
    serial_number TEXT,
    system_uuid TEXT,
    manufacturer TEXT,
    model TEXT,
    chassis TEXT,
    asset_tag TEXT UNIQUE,
    -- Neutral code of the scheme under which it is lent; who is in which scheme is restricted data.
    programme TEXT,
    site_id UUID REFERENCES site (id),
    -- Memory and drives as first seen or last accepted by staff, JSON: what "changed" is measured against.
    baseline TEXT,
    -- Which report it comes from, so that late reports end in the same state; null once accepted by staff.
    baseline_enrolment_id UUID,
    baseline_sequence BIGINT,
    created_at BIGINT NOT NULL,
    enrolled_at BIGINT,
    archived_at BIGINT,
    archive_reason TEXT,
    -- Copies for lists, kept by the same transactions that change their source.
    last_contact_day BIGINT,
    worst_severity BIGINT NOT NULL DEFAULT 0 CHECK (worst_severity BETWEEN 0 AND 3),
    open_flags BIGINT NOT NULL DEFAULT 0,
    sort_serial TEXT COLLATE "C" NOT NULL,
    sort_model TEXT COLLATE "C" NOT NULL,
    sort_site TEXT COLLATE "C" NOT NULL,
    search_text TEXT NOT NULL
);
CREATE INDEX device_serial_number ON device (serial_number);
CREATE INDEX device_system_uuid ON device (system_uuid);
CREATE INDEX device_by_serial ON device (sort_serial, id);
CREATE INDEX device_by_model ON device (sort_model, id);
CREATE INDEX device_by_site ON device (sort_site, id);
CREATE INDEX device_by_severity ON device (worst_severity, id);
CREATE INDEX device_by_contact_day ON device (last_contact_day, id);
CREATE INDEX device_of_site ON device (site_id, sort_serial, id);
CREATE INDEX device_of_status ON device (status, sort_serial, id);

CREATE TABLE enrolment_token (
    id UUID NOT NULL PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    label TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('one_time', 'bulk')),
    site_id UUID NOT NULL REFERENCES site (id),
    programme TEXT,
    cap BIGINT NOT NULL CHECK (cap > 0),
    used BIGINT NOT NULL DEFAULT 0 CHECK (used >= 0 AND used <= cap),
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);

CREATE TABLE enrolment (
    id UUID NOT NULL PRIMARY KEY,
    device_id UUID NOT NULL REFERENCES device (id),
    request_id UUID NOT NULL,
    -- SHA-256 of the SubjectPublicKeyInfo: this key is the identity.
    spki_sha256 BYTEA NOT NULL UNIQUE,
    token_id UUID REFERENCES enrolment_token (id),
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'quarantined', 'revoked', 'released', 'replaced')),
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX enrolment_of_device ON enrolment (device_id);

CREATE TABLE certificate (
    serial BYTEA NOT NULL PRIMARY KEY,
    enrolment_id UUID NOT NULL REFERENCES enrolment (id),
    -- The intent is recorded before the signature exists.
    state TEXT NOT NULL CHECK (state IN ('intended', 'issued')),
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    pem TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX certificate_of_enrolment ON certificate (enrolment_id);

-- Fast and narrow; no index but the key, so that PostgreSQL updates it in place.
CREATE TABLE contact (
    device_id UUID NOT NULL PRIMARY KEY REFERENCES device (id),
    enrolment_id UUID NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    check_ins BIGINT NOT NULL,
    -- Agent's clock minus server's, in milliseconds.
    skew_millis BIGINT NOT NULL,
    agent_version TEXT NOT NULL,
    -- What `health` holds, so that an unchanged check-in reads this narrow row alone.
    content_hash TEXT
) WITH (fillfactor = 70);

-- The current state: the newest report by sequence, whole, with typed columns for what is filtered or drawn.
CREATE TABLE health (
    device_id UUID NOT NULL PRIMARY KEY REFERENCES device (id),
    enrolment_id UUID NOT NULL,
    report_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    measured_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    content_hash TEXT NOT NULL,
    memory_bytes BIGINT,
    system_volume_bytes BIGINT,
    system_volume_available_bytes BIGINT,
    os_name TEXT,
    os_version TEXT,
    drive_verdict TEXT NOT NULL,
    battery_verdict TEXT NOT NULL,
    report TEXT NOT NULL
);

-- Every report that was acknowledged, once.
CREATE TABLE report (
    device_id UUID NOT NULL REFERENCES device (id),
    report_id UUID NOT NULL,
    enrolment_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    measured_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    body_hash TEXT NOT NULL,
    PRIMARY KEY (device_id, report_id)
);

-- What changed in the content between two reports: one row a change.
CREATE TABLE health_change (
    device_id UUID NOT NULL REFERENCES device (id),
    received_at BIGINT NOT NULL,
    report_id UUID NOT NULL,
    path TEXT NOT NULL,
    -- When it was measured, by the agent's clock less its skew; for people, never decides.
    measured_at BIGINT NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (device_id, received_at, report_id, path)
);

-- A few numbers for each device and day, for charts.
CREATE TABLE health_daily (
    device_id UUID NOT NULL REFERENCES device (id),
    day BIGINT NOT NULL,
    -- The measurement these figures come from; the day's last one wins.
    measured_at BIGINT NOT NULL,
    system_volume_available_percent BIGINT,
    drive_wear_percent BIGINT,
    battery_health_percent BIGINT,
    hottest_celsius BIGINT,
    PRIMARY KEY (device_id, day)
);

CREATE TABLE flag (
    id UUID NOT NULL PRIMARY KEY,
    device_id UUID NOT NULL REFERENCES device (id),
    code TEXT NOT NULL,
    -- Which drive, battery or volume; empty where the flag is about the whole device.
    subject TEXT NOT NULL,
    severity BIGINT NOT NULL CHECK (severity BETWEEN 1 AND 3),
    since BIGINT NOT NULL,
    -- Value, threshold, source, evidence date and both sentences, as JSON.
    evidence TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    cleared_at BIGINT,
    acknowledged_at BIGINT,
    acknowledged_by TEXT,
    acknowledged_reason TEXT,
    snoozed_until BIGINT,
    snoozed_by TEXT,
    snoozed_reason TEXT
);
CREATE UNIQUE INDEX flag_open ON flag (device_id, code, subject) WHERE cleared_at IS NULL;
CREATE INDEX flag_to_handle ON flag (severity, since, id) WHERE cleared_at IS NULL;
CREATE INDEX flag_of_code ON flag (code, device_id) WHERE cleared_at IS NULL;
CREATE INDEX flag_of_device ON flag (device_id, since);

-- Totals that lists show, kept by the transactions that change them: counting a million rows takes 100 ms.
CREATE TABLE counter (
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    site_id UUID NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (name, key, site_id)
);

-- Check-ins per hour for the overview.
CREATE TABLE contact_hourly (
    hour BIGINT NOT NULL PRIMARY KEY,
    check_ins BIGINT NOT NULL,
    reports BIGINT NOT NULL
);

CREATE TABLE person (
    id UUID NOT NULL PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('administrator', 'technician')),
    -- JSON list of site ids; null is every site.
    sites TEXT,
    language TEXT,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE session (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    person_id UUID NOT NULL REFERENCES person (id),
    csrf_token TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_of_person ON session (person_id);

CREATE TABLE sign_in_attempt (
    -- SHA-256 of the login or of the address that tried: neither is kept in clear.
    subject_hash BYTEA NOT NULL,
    at BIGINT NOT NULL,
    id UUID NOT NULL,
    PRIMARY KEY (subject_hash, at, id)
);

CREATE TABLE api_token (
    id UUID NOT NULL PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    label TEXT NOT NULL,
    person_id UUID NOT NULL REFERENCES person (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_day BIGINT,
    revoked_at BIGINT
);

-- Append-only; each row's hash covers the one before it.
CREATE TABLE audit (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    details TEXT NOT NULL,
    previous_hash BYTEA NOT NULL,
    hash BYTEA NOT NULL
);
CREATE INDEX audit_of_object ON audit (object_kind, object_id, seq);

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
