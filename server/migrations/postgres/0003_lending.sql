-- Lending: programmes, referents, borrowers, loans. Days are whole days since 1970-01-01 (a due date is a civil date).

-- More roles.
ALTER TABLE person DROP CONSTRAINT person_role_check;
ALTER TABLE person ADD CONSTRAINT person_role_check
    CHECK (role IN ('administrator', 'programme_manager', 'technician', 'referent', 'refurbisher', 'auditor'));
-- Where notices for this person go; none without it.
ALTER TABLE person ADD COLUMN email TEXT;

ALTER TABLE device ADD COLUMN lending_state TEXT NOT NULL DEFAULT 'in_stock' CHECK (lending_state IN
    ('in_stock', 'reserved', 'lent', 'intake', 'lost', 'stolen', 'written_off', 'ceded'));
-- Whether an agent is expected to report: not on tablets, nor before the first enrolment of a listed machine.
ALTER TABLE device ADD COLUMN contact_expected TEXT NOT NULL DEFAULT 'agent' CHECK (contact_expected IN ('agent', 'none'));
ALTER TABLE device ADD COLUMN grade TEXT CHECK (grade IN ('A', 'B', 'C', 'D'));
-- The last day of the maker's warranty.
ALTER TABLE device ADD COLUMN warranty_until BIGINT;
CREATE INDEX device_of_lending_state ON device (lending_state, sort_serial, id);
CREATE INDEX device_of_programme ON device (programme, id);

CREATE TABLE programme (
    id UUID NOT NULL PRIMARY KEY,
    -- Neutral: it says nothing about the people who are in it.
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('individual_loan', 'institutional_pool', 'staff_loan', 'gift')),
    -- How long a loan lasts: until a day, to the end of the school year, for some days, or without a due date.
    term_kind TEXT NOT NULL CHECK (term_kind IN ('date', 'school_year_end', 'days', 'open')),
    -- The day, or the number of days.
    term_value BIGINT,
    renewals_allowed BIGINT NOT NULL CHECK (renewals_allowed BETWEEN 0 AND 20),
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
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    CHECK ((term_kind IN ('date', 'days')) = (term_value IS NOT NULL))
);

-- Who answers for a site's loans, and receives its digests.
CREATE TABLE site_referent (
    id UUID NOT NULL PRIMARY KEY,
    site_id UUID NOT NULL REFERENCES site (id),
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    language TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX site_referent_of_site ON site_referent (site_id, ended_at);
CREATE UNIQUE INDEX site_referent_once ON site_referent (site_id, email) WHERE ended_at IS NULL;

-- Days without school beyond those that the program knows, as imported from the Ministry's calendars.
CREATE TABLE school_closure (
    id UUID NOT NULL PRIMARY KEY,
    -- Null: all zones.
    academic_zone TEXT CHECK (academic_zone IN ('A', 'B', 'C')),
    first_day BIGINT NOT NULL,
    last_day BIGINT NOT NULL,
    label TEXT NOT NULL,
    source TEXT NOT NULL,
    imported_at BIGINT NOT NULL,
    CHECK (last_day >= first_day)
);

-- A person or an institution that holds loans: an opaque reference. Who it is stands in borrower_identity, sealed.
CREATE TABLE borrower (
    id UUID NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'institution')),
    -- The name of an institution; a person's name is never here.
    institution_name TEXT,
    site_id UUID REFERENCES site (id),
    -- The class level, where campaigns select by it.
    level TEXT CHECK (level IN ('6e', '5e', '4e', '3e', 'ulis', 'segpa', 'staff', 'other')),
    -- Keyed hash of the number that the school's own system gives this person: what a second import recognises.
    natural_key_hash BYTEA UNIQUE,
    -- The day on which the person left the site.
    left_site_day BIGINT,
    created_at BIGINT NOT NULL,
    identity_erased_at BIGINT,
    CHECK (kind = 'institution' OR institution_name IS NULL)
);
CREATE INDEX borrower_of_site ON borrower (site_id, reference);

-- Sealed with a key that is outside the database; each read leaves a row in the audit.
CREATE TABLE borrower_identity (
    borrower_id UUID NOT NULL PRIMARY KEY REFERENCES borrower (id),
    sealed TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE loan (
    id UUID NOT NULL PRIMARY KEY,
    device_id UUID NOT NULL REFERENCES device (id),
    borrower_id UUID NOT NULL REFERENCES borrower (id),
    programme_id UUID NOT NULL REFERENCES programme (id),
    -- The site that answers for the loan.
    site_id UUID REFERENCES site (id),
    state TEXT NOT NULL CHECK (state IN
        ('reserved', 'cancelled', 'handed_over', 'returned', 'lost', 'stolen', 'written_off', 'ceded')),
    reserved_at BIGINT NOT NULL,
    handed_over_at BIGINT,
    due_day BIGINT,
    extensions BIGINT NOT NULL DEFAULT 0 CHECK (extensions >= 0),
    ended_at BIGINT,
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
);
-- A device is in one pair of hands.
CREATE UNIQUE INDEX loan_open_of_device ON loan (device_id) WHERE ended_at IS NULL;
CREATE INDEX loan_of_device ON loan (device_id, reserved_at);
CREATE INDEX loan_of_borrower ON loan (borrower_id, reserved_at);
CREATE INDEX loan_of_site ON loan (site_id, state, due_day);
CREATE INDEX loan_of_programme ON loan (programme_id, state, due_day);
CREATE INDEX loan_due ON loan (due_day, id) WHERE ended_at IS NULL;

-- Every step of a loan, in order.
CREATE TABLE loan_event (
    loan_id UUID NOT NULL REFERENCES loan (id),
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('reserved', 'cancelled', 'handed_over', 'extended', 'returned', 'lost', 'stolen',
        'written_off', 'ceded')),
    actor TEXT NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (loan_id, number)
);
