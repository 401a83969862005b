-- Machines that showed a key which is bound to another: a master image was cloned with its key, or a main board was
-- exchanged. One row for each machine and key, however often it comes, and for so many machines a key
-- (domain/clone.rs). What a machine says of itself is not kept here.
CREATE TABLE cloned_key (
    enrolment_id BLOB NOT NULL REFERENCES enrolment (id),
    -- A hash of the machine's serial number and system UUID.
    machine TEXT NOT NULL,
    -- The device that the key is bound to.
    device_id BLOB NOT NULL REFERENCES device (id),
    -- 1: its serial number is another's. 0: only its UUID is, which a firmware update changes too.
    by_serial INTEGER NOT NULL CHECK (by_serial IN (0, 1)),
    -- 1: the device's own machine spoke within the same interval. One that is being repaired does not.
    at_once INTEGER NOT NULL CHECK (at_once IN (0, 1)),
    -- 1: a check-in of it was turned away. 0: it only asked for a key of its own.
    checked_in INTEGER NOT NULL CHECK (checked_in IN (0, 1)),
    -- 1: it has a key of its own, or a person refused it one.
    settled INTEGER NOT NULL CHECK (settled IN (0, 1)),
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (enrolment_id, machine)
) STRICT;
CREATE INDEX cloned_key_of_device ON cloned_key (device_id);

-- Enrolments that an older key vouched for, instead of a token.
CREATE TABLE key_healing (
    enrolment_id BLOB NOT NULL PRIMARY KEY REFERENCES enrolment (id),
    old_enrolment_id BLOB NOT NULL REFERENCES enrolment (id),
    -- A hash of the serial number and system UUID of the machine that asked.
    machine TEXT NOT NULL,
    healed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX key_healing_of_old ON key_healing (old_enrolment_id, healed_at);

-- A machine that showed another's key and waits for a person is a newcomer whom that key vouches for.
-- SQLite cannot change a CHECK: the table is made anew. Nothing refers to it.
CREATE TABLE newcomer_new (
    id BLOB NOT NULL PRIMARY KEY,
    request_id BLOB NOT NULL,
    spki_sha256 BLOB NOT NULL UNIQUE,
    token_id BLOB REFERENCES enrolment_token (id),
    -- The enrolment whose key it showed, where it brought no token.
    vouched_by BLOB REFERENCES enrolment (id),
    waits_for TEXT NOT NULL CHECK (waits_for IN ('unlisted_serial', 'spent_token', 'cloned_key')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'refused')),
    -- What the machine says of itself, JSON: maker, model, kind, serial number, system UUID.
    hardware TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    decided_at INTEGER,
    -- What it became.
    enrolment_id BLOB REFERENCES enrolment (id),
    CHECK ((state = 'waiting') = (decided_at IS NULL)),
    CHECK ((state = 'approved') = (enrolment_id IS NOT NULL)),
    CHECK ((token_id IS NULL) = (vouched_by IS NOT NULL)),
    CHECK ((waits_for = 'cloned_key') = (vouched_by IS NOT NULL))
) STRICT;
INSERT INTO newcomer_new (id, request_id, spki_sha256, token_id, waits_for, state, hardware, created_at, decided_at,
    enrolment_id)
    SELECT id, request_id, spki_sha256, token_id, waits_for, state, hardware, created_at, decided_at, enrolment_id
    FROM newcomer;
DROP TABLE newcomer;
ALTER TABLE newcomer_new RENAME TO newcomer;
CREATE INDEX newcomer_waiting ON newcomer (created_at, id) WHERE state = 'waiting';
CREATE INDEX newcomer_waiting_of_token ON newcomer (token_id) WHERE state = 'waiting';
CREATE INDEX newcomer_vouched ON newcomer (vouched_by);
