-- Requests of registered keys whose certificate has ended for another one: granted by the rule at once, or waiting for a
-- person (domain/recovery.rs).
CREATE TABLE recovery (
    id UUID NOT NULL PRIMARY KEY,
    enrolment_id UUID NOT NULL REFERENCES enrolment (id),
    device_id UUID NOT NULL REFERENCES device (id),
    -- Why a person is asked; null where the rule granted it at once.
    cause TEXT CHECK (cause IN ('too_long', 'too_often')),
    asked_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'granted', 'refused')),
    decided_at BIGINT,
    -- The person's login, or the command line; null where the rule decided.
    decided_by TEXT,
    -- When the certificate was intended that it led to: what is approved waits for the laptop to ask again.
    used_at BIGINT,
    CHECK ((state = 'waiting') = (decided_at IS NULL)),
    CHECK (state <> 'waiting' OR (decided_by IS NULL AND cause IS NOT NULL)),
    CHECK (state <> 'refused' OR decided_by IS NOT NULL),
    CHECK (used_at IS NULL OR state = 'granted'),
    CHECK (state <> 'granted' OR decided_by IS NOT NULL OR used_at IS NOT NULL)
);
-- A key waits once, however often it asks.
CREATE UNIQUE INDEX recovery_waiting ON recovery (enrolment_id) WHERE state = 'waiting';
CREATE INDEX recovery_of_enrolment ON recovery (enrolment_id, asked_at);
CREATE INDEX recovery_of_device ON recovery (device_id, used_at);

-- Nonces that a registered key has signed, until they would be too old anyway: none is taken twice, by any server.
CREATE TABLE recovery_nonce (
    name BYTEA NOT NULL PRIMARY KEY,
    ends_at BIGINT NOT NULL
);
