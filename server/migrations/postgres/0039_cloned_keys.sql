-- Machines that showed a key which is bound to another: a master image was cloned with its key, or a main board was
-- exchanged. One row for each machine and key, however often it comes, and for so many machines a key
-- (domain/clone.rs). What a machine says of itself is not kept here.
CREATE TABLE cloned_key (
    enrolment_id UUID NOT NULL REFERENCES enrolment (id),
    -- A hash of the machine's serial number and system UUID.
    machine TEXT NOT NULL,
    -- The device that the key is bound to.
    device_id UUID NOT NULL REFERENCES device (id),
    -- 1: its serial number is another's. 0: only its UUID is, which a firmware update changes too.
    by_serial BIGINT NOT NULL CHECK (by_serial IN (0, 1)),
    -- 1: the device's own machine spoke within the same interval. One that is being repaired does not.
    at_once BIGINT NOT NULL CHECK (at_once IN (0, 1)),
    -- 1: a check-in of it was turned away. 0: it only asked for a key of its own.
    checked_in BIGINT NOT NULL CHECK (checked_in IN (0, 1)),
    -- 1: it has a key of its own, or a person refused it one.
    settled BIGINT NOT NULL CHECK (settled IN (0, 1)),
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (enrolment_id, machine)
);
CREATE INDEX cloned_key_of_device ON cloned_key (device_id);

-- Enrolments that an older key vouched for, instead of a token.
CREATE TABLE key_healing (
    enrolment_id UUID NOT NULL PRIMARY KEY REFERENCES enrolment (id),
    old_enrolment_id UUID NOT NULL REFERENCES enrolment (id),
    -- A hash of the serial number and system UUID of the machine that asked.
    machine TEXT NOT NULL,
    healed_at BIGINT NOT NULL
);
CREATE INDEX key_healing_of_old ON key_healing (old_enrolment_id, healed_at);

-- A machine that showed another's key and waits for a person is a newcomer whom that key vouches for.
ALTER TABLE newcomer ALTER COLUMN token_id DROP NOT NULL;
-- The enrolment whose key it showed, where it brought no token.
ALTER TABLE newcomer ADD COLUMN vouched_by UUID REFERENCES enrolment (id);
ALTER TABLE newcomer DROP CONSTRAINT newcomer_waits_for_check;
ALTER TABLE newcomer ADD CONSTRAINT newcomer_waits_for_check
    CHECK (waits_for IN ('unlisted_serial', 'spent_token', 'cloned_key'));
ALTER TABLE newcomer ADD CHECK ((token_id IS NULL) = (vouched_by IS NOT NULL));
ALTER TABLE newcomer ADD CHECK ((waits_for = 'cloned_key') = (vouched_by IS NOT NULL));
CREATE INDEX newcomer_vouched ON newcomer (vouched_by);
