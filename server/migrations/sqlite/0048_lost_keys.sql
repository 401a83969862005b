-- A request that names a lost key: the enrolment whose key it is. It counts among the few that may wait so for one device.
ALTER TABLE enrolment ADD COLUMN lost_key_of BLOB REFERENCES enrolment (id);
CREATE INDEX enrolment_lost_key ON enrolment (lost_key_of);
-- A newcomer may turn out to be a device that has a key by now. SQLite cannot change a CHECK: the table is made anew. Nothing
-- refers to it.
CREATE TABLE newcomer_new (
    id BLOB NOT NULL PRIMARY KEY,
    request_id BLOB NOT NULL,
    spki_sha256 BLOB NOT NULL UNIQUE,
    token_id BLOB REFERENCES enrolment_token (id),
    -- The enrolment whose key it showed, where it brought no token.
    vouched_by BLOB REFERENCES enrolment (id),
    -- The device of another site than its token's that it is recorded as; nothing where its token's site is as good.
    listed_as BLOB REFERENCES device (id),
    waits_for TEXT NOT NULL
        CHECK (waits_for IN ('replacement', 'unlisted_serial', 'spent_token', 'other_site', 'cloned_key')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'refused')),
    -- What the machine says of itself, JSON: maker, model, kind, serial number, system UUID.
    hardware TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    decided_at INTEGER,
    -- What it became.
    enrolment_id BLOB REFERENCES enrolment (id),
    -- The day of its last ask.
    asked_on INTEGER CHECK (asked_on % 86400000 = 0),
    -- The enrolment whose key it said that it lost.
    lost_key_of BLOB REFERENCES enrolment (id),
    CHECK ((state = 'waiting') = (decided_at IS NULL)),
    CHECK ((state = 'approved') = (enrolment_id IS NOT NULL)),
    CHECK ((token_id IS NULL) = (vouched_by IS NOT NULL)),
    CHECK ((waits_for = 'cloned_key') = (vouched_by IS NOT NULL)),
    CHECK (waits_for <> 'other_site' OR listed_as IS NOT NULL),
    CHECK (listed_as IS NULL OR vouched_by IS NULL)
) STRICT;
INSERT INTO newcomer_new (id, request_id, spki_sha256, token_id, vouched_by, listed_as, waits_for, state, hardware, created_at,
    decided_at, enrolment_id, asked_on)
    SELECT id, request_id, spki_sha256, token_id, vouched_by, listed_as, waits_for, state, hardware, created_at, decided_at,
    enrolment_id, asked_on FROM newcomer;
DROP TABLE newcomer;
ALTER TABLE newcomer_new RENAME TO newcomer;
CREATE INDEX newcomer_waiting ON newcomer (created_at, id) WHERE state = 'waiting';
CREATE INDEX newcomer_waiting_of_token ON newcomer (token_id) WHERE state = 'waiting';
CREATE INDEX newcomer_vouched ON newcomer (vouched_by);
CREATE INDEX newcomer_lost_key ON newcomer (lost_key_of);
