-- Lending: programmes, referents, borrowers, loans. Days are whole days since 1970-01-01 (a due date is a civil date).

-- More roles. A CHECK cannot be changed in place, so the table and those that point to it are copied.
CREATE TABLE person_with_roles (
    id BLOB NOT NULL PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('administrator', 'programme_manager', 'technician', 'referent', 'refurbisher', 'auditor')),
    -- JSON list of site ids; null is every site.
    sites TEXT,
    language TEXT,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER,
    -- Where notices for this person go; none without it.
    email TEXT
) STRICT;
INSERT INTO person_with_roles
    SELECT id, login, display_name, password_hash, role, sites, language, created_at, disabled_at, NULL FROM person;
CREATE TABLE session_with_roles (
    token_hash BLOB NOT NULL PRIMARY KEY,
    person_id BLOB NOT NULL REFERENCES person_with_roles (id),
    csrf_token TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
INSERT INTO session_with_roles
    SELECT token_hash, person_id, csrf_token, created_at, last_seen_at, expires_at FROM session;
CREATE TABLE api_token_with_roles (
    id BLOB NOT NULL PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    label TEXT NOT NULL,
    person_id BLOB NOT NULL REFERENCES person_with_roles (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_used_day INTEGER,
    revoked_at INTEGER
) STRICT;
INSERT INTO api_token_with_roles
    SELECT id, token_hash, label, person_id, created_at, expires_at, last_used_day, revoked_at FROM api_token;
DROP TABLE session;
DROP TABLE api_token;
DROP TABLE person;
ALTER TABLE person_with_roles RENAME TO person;
ALTER TABLE session_with_roles RENAME TO session;
ALTER TABLE api_token_with_roles RENAME TO api_token;
CREATE INDEX session_of_person ON session (person_id);

ALTER TABLE device ADD COLUMN lending_state TEXT NOT NULL DEFAULT 'in_stock' CHECK (lending_state IN
    ('in_stock', 'reserved', 'lent', 'intake', 'lost', 'stolen', 'written_off', 'ceded'));
-- Whether an agent is expected to report: not on tablets, nor before the first enrolment of a listed machine.
ALTER TABLE device ADD COLUMN contact_expected TEXT NOT NULL DEFAULT 'agent' CHECK (contact_expected IN ('agent', 'none'));
ALTER TABLE device ADD COLUMN grade TEXT CHECK (grade IN ('A', 'B', 'C', 'D'));
-- The last day of the maker's warranty.
ALTER TABLE device ADD COLUMN warranty_until INTEGER;
CREATE INDEX device_of_lending_state ON device (lending_state, sort_serial, id);
CREATE INDEX device_of_programme ON device (programme, id);

CREATE TABLE programme (
    id BLOB NOT NULL PRIMARY KEY,
    -- Neutral: it says nothing about the people who are in it.
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('individual_loan', 'institutional_pool', 'staff_loan', 'gift')),
    -- How long a loan lasts: until a day, to the end of the school year, for some days, or without a due date.
    term_kind TEXT NOT NULL CHECK (term_kind IN ('date', 'school_year_end', 'days', 'open')),
    -- The day, or the number of days.
    term_value INTEGER,
    renewals_allowed INTEGER NOT NULL CHECK (renewals_allowed BETWEEN 0 AND 20),
    -- JSON list of what goes with a device: charger, bag…
    accessories TEXT NOT NULL,
    -- Who owns the devices: the département or a supplying partner.
    owner TEXT NOT NULL,
    -- Name of the agreement's template.
    agreement_template TEXT NOT NULL,
    -- JSON list of the roles that may see who is in it.
    membership_roles TEXT NOT NULL,
    -- JSON list of days relative to the due date on which borrowers are written to.
    notice_days TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    closed_at INTEGER,
    CHECK ((term_kind IN ('date', 'days')) = (term_value IS NOT NULL))
) STRICT;

-- Who answers for a site's loans, and receives its digests.
CREATE TABLE site_referent (
    id BLOB NOT NULL PRIMARY KEY,
    site_id BLOB NOT NULL REFERENCES site (id),
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    language TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE INDEX site_referent_of_site ON site_referent (site_id, ended_at);
CREATE UNIQUE INDEX site_referent_once ON site_referent (site_id, email) WHERE ended_at IS NULL;

-- Days without school beyond those that the program knows, as imported from the Ministry's calendars.
CREATE TABLE school_closure (
    id BLOB NOT NULL PRIMARY KEY,
    -- Null: all zones.
    academic_zone TEXT CHECK (academic_zone IN ('A', 'B', 'C')),
    first_day INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    label TEXT NOT NULL,
    source TEXT NOT NULL,
    imported_at INTEGER NOT NULL,
    CHECK (last_day >= first_day)
) STRICT;

-- A person or an institution that holds loans: an opaque reference. Who it is stands in borrower_identity, sealed.
CREATE TABLE borrower (
    id BLOB NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'institution')),
    -- The name of an institution; a person's name is never here.
    institution_name TEXT,
    site_id BLOB REFERENCES site (id),
    -- The class level, where campaigns select by it.
    level TEXT CHECK (level IN ('6e', '5e', '4e', '3e', 'ulis', 'segpa', 'staff', 'other')),
    -- Keyed hash of the number that the school's own system gives this person: what a second import recognises.
    natural_key_hash BLOB UNIQUE,
    -- The day on which the person left the site.
    left_site_day INTEGER,
    created_at INTEGER NOT NULL,
    identity_erased_at INTEGER,
    CHECK (kind = 'institution' OR institution_name IS NULL)
) STRICT;
CREATE INDEX borrower_of_site ON borrower (site_id, reference);

-- Sealed with a key that is outside the database; each read leaves a row in the audit.
CREATE TABLE borrower_identity (
    borrower_id BLOB NOT NULL PRIMARY KEY REFERENCES borrower (id),
    sealed TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE loan (
    id BLOB NOT NULL PRIMARY KEY,
    device_id BLOB NOT NULL REFERENCES device (id),
    borrower_id BLOB NOT NULL REFERENCES borrower (id),
    programme_id BLOB NOT NULL REFERENCES programme (id),
    -- The site that answers for the loan.
    site_id BLOB REFERENCES site (id),
    state TEXT NOT NULL CHECK (state IN
        ('reserved', 'cancelled', 'handed_over', 'returned', 'lost', 'stolen', 'written_off', 'ceded')),
    reserved_at INTEGER NOT NULL,
    handed_over_at INTEGER,
    due_day INTEGER,
    extensions INTEGER NOT NULL DEFAULT 0 CHECK (extensions >= 0),
    ended_at INTEGER,
    -- JSON lists: what went with the device, and what was missing when it came back.
    accessories TEXT NOT NULL,
    missing_accessories TEXT,
    condition TEXT CHECK (condition IN ('good', 'worn', 'damaged', 'not_working')),
    police_report TEXT,
    -- How the agreement was signed.
    signature TEXT CHECK (signature IN ('drawn', 'paper')),
    -- Which version of which template was signed.
    agreement_version TEXT,
    CHECK ((state IN ('reserved', 'handed_over')) = (ended_at IS NULL)),
    CHECK ((state IN ('reserved', 'cancelled')) = (handed_over_at IS NULL)),
    CHECK ((state = 'returned') = (condition IS NOT NULL)),
    CHECK (state <> 'stolen' OR police_report IS NOT NULL)
) STRICT;
-- A device is in one pair of hands.
CREATE UNIQUE INDEX loan_open_of_device ON loan (device_id) WHERE ended_at IS NULL;
CREATE INDEX loan_of_device ON loan (device_id, reserved_at);
CREATE INDEX loan_of_borrower ON loan (borrower_id, reserved_at);
CREATE INDEX loan_of_site ON loan (site_id, state, due_day);
CREATE INDEX loan_of_programme ON loan (programme_id, state, due_day);
CREATE INDEX loan_due ON loan (due_day, id) WHERE ended_at IS NULL;

-- Every step of a loan, in order.
CREATE TABLE loan_event (
    loan_id BLOB NOT NULL REFERENCES loan (id),
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('reserved', 'cancelled', 'handed_over', 'extended', 'returned', 'lost', 'stolen',
        'written_off', 'ceded')),
    actor TEXT NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (loan_id, number)
) STRICT, WITHOUT ROWID;
