-- Machines that showed a key which is bound to another: a master image was cloned with its key, or a main board was
-- exchanged. One row for each machine and key, however often it comes.
CREATE TABLE cloned_key (
    enrolment_id BLOB NOT NULL REFERENCES enrolment (id),
    -- A hash of the machine's serial number and system UUID.
    machine TEXT NOT NULL,
    -- The device that the key is bound to.
    device_id BLOB NOT NULL REFERENCES device (id),
    -- What the machine said of itself, JSON.
    hardware TEXT NOT NULL,
    -- 1: the device's own machine spoke within the same interval. One that is being repaired does not.
    at_once INTEGER NOT NULL CHECK (at_once IN (0, 1)),
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (enrolment_id, machine)
) STRICT;
CREATE INDEX cloned_key_of_device ON cloned_key (device_id);

-- Enrolments that an older key vouched for, instead of a token.
CREATE TABLE key_healing (
    enrolment_id BLOB NOT NULL PRIMARY KEY REFERENCES enrolment (id),
    old_enrolment_id BLOB NOT NULL REFERENCES enrolment (id),
    machine TEXT NOT NULL,
    hardware TEXT NOT NULL,
    healed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX key_healing_of_old ON key_healing (old_enrolment_id, healed_at);
