-- Why an enrolment waits for a person: those of before this were all replacements.
ALTER TABLE enrolment ADD COLUMN waits_for TEXT CHECK (waits_for IN ('replacement', 'spent_token'));
UPDATE enrolment SET waits_for = 'replacement' WHERE status = 'pending';
-- Few wait, and they are asked for often.
CREATE INDEX enrolment_waiting ON enrolment (created_at, id) WHERE status = 'pending';
CREATE INDEX enrolment_waiting_of_token ON enrolment (token_id) WHERE status = 'pending';

-- Which machines a token lets in without a person: all that nobody knows, or only those that are recorded and awaited.
ALTER TABLE enrolment_token ADD COLUMN admits TEXT NOT NULL DEFAULT 'anyone' CHECK (admits IN ('anyone', 'recorded'));

-- Keys that asked and belong to no device: machines that are nobody's device until a person says so, and stand in no list
-- and no figure of the fleet.
CREATE TABLE newcomer (
    id UUID NOT NULL PRIMARY KEY,
    request_id UUID NOT NULL,
    spki_sha256 BYTEA NOT NULL UNIQUE,
    token_id UUID NOT NULL REFERENCES enrolment_token (id),
    waits_for TEXT NOT NULL CHECK (waits_for IN ('unlisted_serial', 'spent_token')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'refused')),
    -- What the machine says of itself, JSON: maker, model, kind, serial number, system UUID.
    hardware TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    decided_at BIGINT,
    -- What it became.
    enrolment_id UUID REFERENCES enrolment (id),
    CHECK ((state = 'waiting') = (decided_at IS NULL)),
    CHECK ((state = 'approved') = (enrolment_id IS NOT NULL))
);
CREATE INDEX newcomer_waiting ON newcomer (created_at, id) WHERE state = 'waiting';
CREATE INDEX newcomer_waiting_of_token ON newcomer (token_id) WHERE state = 'waiting';
