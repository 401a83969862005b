-- Erasure of drives, with its proof. Records are keyed to the drive and to the device it was in; they outlive the device's
-- archiving, and nothing here is ever deleted.

CREATE TABLE erasure (
    id UUID NOT NULL PRIMARY KEY,
    device_id UUID NOT NULL REFERENCES device (id),
    -- The drive's serial number in capitals, or its model where it tells none.
    drive_key TEXT NOT NULL CHECK (drive_key <> ''),
    model TEXT,
    medium TEXT NOT NULL CHECK (medium IN ('rotating', 'flash', 'unknown')),
    method TEXT NOT NULL,
    -- What the tool calls it.
    method_name TEXT NOT NULL,
    -- NIST SP 800-88: what the method reaches on that medium, as it was known when this was recorded.
    level TEXT NOT NULL CHECK (level IN ('clear', 'purge', 'destroy')),
    tool TEXT NOT NULL,
    tool_version TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    passes BIGINT NOT NULL CHECK (passes >= 0),
    capacity_bytes BIGINT CHECK (capacity_bytes >= 0),
    bytes_erased BIGINT CHECK (bytes_erased >= 0),
    errors BIGINT NOT NULL CHECK (errors >= 0),
    verification TEXT NOT NULL
        CHECK (verification IN ('none', 'last_pass', 'all_passes', 'device_status', 'witnessed')),
    outcome TEXT NOT NULL CHECK (outcome IN ('erased', 'failed', 'aborted', 'incomplete')),
    -- The machine on which the tool ran, where it says so.
    host TEXT,
    source TEXT NOT NULL CHECK (source IN ('nwipe_log', 'nwipe_log_pdf', 'nvme', 'hdparm', 'hand')),
    operator TEXT NOT NULL,
    witness TEXT,
    witnessed_at BIGINT,
    recorded_at BIGINT NOT NULL,
    -- Whether the drive was in use afterwards: written before moments of contact are rounded to the day.
    used_again BIGINT NOT NULL DEFAULT 0 CHECK (used_again IN (0, 1)),
    CHECK (ended_at >= started_at),
    CHECK ((witness IS NULL) = (witnessed_at IS NULL)),
    CHECK (witness IS NULL OR (source = 'hand' AND lower(witness) <> lower(operator)))
);
CREATE INDEX erasure_of_device ON erasure (device_id, drive_key);

-- The files that prove records, whole: their hash tells whether one is still what was brought.
CREATE TABLE erasure_file (
    id UUID NOT NULL PRIMARY KEY,
    device_id UUID NOT NULL REFERENCES device (id),
    name TEXT NOT NULL,
    sha256 BYTEA NOT NULL CHECK (length(sha256) = 32),
    content BYTEA NOT NULL,
    added_by TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    UNIQUE (device_id, sha256)
);

CREATE TABLE erasure_evidence (
    erasure_id UUID NOT NULL REFERENCES erasure (id),
    file_id UUID NOT NULL REFERENCES erasure_file (id),
    PRIMARY KEY (erasure_id, file_id)
);

-- A drive that is not in its device any more, as a person says.
CREATE TABLE erasure_absence (
    id UUID NOT NULL PRIMARY KEY,
    device_id UUID NOT NULL REFERENCES device (id),
    drive_key TEXT NOT NULL CHECK (drive_key <> ''),
    reason TEXT NOT NULL CHECK (reason <> ''),
    declared_by TEXT NOT NULL,
    declared_at BIGINT NOT NULL,
    seen_again BIGINT NOT NULL DEFAULT 0 CHECK (seen_again IN (0, 1))
);
CREATE INDEX erasure_absence_of_device ON erasure_absence (device_id, drive_key);

-- Certificates: the facts that were signed, as canonical JSON, and the signature (Ed25519).
CREATE TABLE erasure_certificate (
    number TEXT NOT NULL PRIMARY KEY,
    device_id UUID NOT NULL REFERENCES device (id),
    facts TEXT NOT NULL,
    signature BYTEA NOT NULL CHECK (length(signature) = 64),
    made_at BIGINT NOT NULL
);
CREATE INDEX erasure_certificate_of_device ON erasure_certificate (device_id, made_at);

-- Evidence is never deleted, and what proves something is never written over.
CREATE FUNCTION erasure_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'erasure_stays: evidence of an erasure is never deleted or changed' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER erasure_stays BEFORE DELETE ON erasure FOR EACH ROW EXECUTE FUNCTION erasure_stays();
CREATE TRIGGER erasure_file_stays BEFORE DELETE ON erasure_file FOR EACH ROW EXECUTE FUNCTION erasure_stays();
CREATE TRIGGER erasure_evidence_stays BEFORE DELETE ON erasure_evidence FOR EACH ROW EXECUTE FUNCTION erasure_stays();
CREATE TRIGGER erasure_absence_stays BEFORE DELETE ON erasure_absence FOR EACH ROW EXECUTE FUNCTION erasure_stays();
CREATE TRIGGER erasure_certificate_stays BEFORE DELETE ON erasure_certificate FOR EACH ROW EXECUTE FUNCTION erasure_stays();
CREATE TRIGGER erasure_file_unchanged BEFORE UPDATE ON erasure_file FOR EACH ROW EXECUTE FUNCTION erasure_stays();
CREATE TRIGGER erasure_certificate_unchanged BEFORE UPDATE ON erasure_certificate FOR EACH ROW EXECUTE FUNCTION erasure_stays();

-- A kind of document more.
ALTER TABLE document DROP CONSTRAINT document_kind_check;
ALTER TABLE document ADD CONSTRAINT document_kind_check
    CHECK (kind IN ('agreement', 'receipt', 'site_list', 'labels', 'campaign_letter', 'erasure_certificate'));
ALTER TABLE document ADD CHECK (kind <> 'erasure_certificate' OR device_id IS NOT NULL);
