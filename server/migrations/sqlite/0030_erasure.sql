-- Erasure of drives, with its proof. Records are keyed to the drive and to the device it was in; they outlive the device's
-- archiving, and nothing here is ever deleted.

CREATE TABLE erasure (
    id BLOB NOT NULL PRIMARY KEY,
    device_id BLOB NOT NULL REFERENCES device (id),
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
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    passes INTEGER NOT NULL CHECK (passes >= 0),
    capacity_bytes INTEGER CHECK (capacity_bytes >= 0),
    bytes_erased INTEGER CHECK (bytes_erased >= 0),
    errors INTEGER NOT NULL CHECK (errors >= 0),
    verification TEXT NOT NULL
        CHECK (verification IN ('none', 'last_pass', 'all_passes', 'device_status', 'witnessed')),
    outcome TEXT NOT NULL CHECK (outcome IN ('erased', 'failed', 'aborted', 'incomplete')),
    -- The machine on which the tool ran, where it says so.
    host TEXT,
    source TEXT NOT NULL CHECK (source IN ('nwipe_log', 'nwipe_log_pdf', 'nvme', 'hdparm', 'hand')),
    operator TEXT NOT NULL,
    witness TEXT,
    witnessed_at INTEGER,
    recorded_at INTEGER NOT NULL,
    -- Whether the drive was in use afterwards: written before moments of contact are rounded to the day.
    used_again INTEGER NOT NULL DEFAULT 0 CHECK (used_again IN (0, 1)),
    CHECK (ended_at >= started_at),
    CHECK ((witness IS NULL) = (witnessed_at IS NULL)),
    CHECK (witness IS NULL OR (source = 'hand' AND lower(witness) <> lower(operator)))
) STRICT;
CREATE INDEX erasure_of_device ON erasure (device_id, drive_key);

-- The files that prove records, whole: their hash tells whether one is still what was brought.
CREATE TABLE erasure_file (
    id BLOB NOT NULL PRIMARY KEY,
    device_id BLOB NOT NULL REFERENCES device (id),
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    content BLOB NOT NULL,
    added_by TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    UNIQUE (device_id, sha256)
) STRICT;

CREATE TABLE erasure_evidence (
    erasure_id BLOB NOT NULL REFERENCES erasure (id),
    file_id BLOB NOT NULL REFERENCES erasure_file (id),
    PRIMARY KEY (erasure_id, file_id)
) STRICT, WITHOUT ROWID;

-- A drive that is not in its device any more, as a person says.
CREATE TABLE erasure_absence (
    id BLOB NOT NULL PRIMARY KEY,
    device_id BLOB NOT NULL REFERENCES device (id),
    drive_key TEXT NOT NULL CHECK (drive_key <> ''),
    reason TEXT NOT NULL CHECK (reason <> ''),
    declared_by TEXT NOT NULL,
    declared_at INTEGER NOT NULL,
    seen_again INTEGER NOT NULL DEFAULT 0 CHECK (seen_again IN (0, 1))
) STRICT;
CREATE INDEX erasure_absence_of_device ON erasure_absence (device_id, drive_key);

-- Certificates: the facts that were signed, as canonical JSON, and the signature (Ed25519).
CREATE TABLE erasure_certificate (
    number TEXT NOT NULL PRIMARY KEY,
    device_id BLOB NOT NULL REFERENCES device (id),
    facts TEXT NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX erasure_certificate_of_device ON erasure_certificate (device_id, made_at);

-- Evidence is never deleted, and what proves something is never written over.
CREATE TRIGGER erasure_stays BEFORE DELETE ON erasure BEGIN
    SELECT RAISE(ABORT, 'erasure_stays: evidence of an erasure is never deleted');
END;
CREATE TRIGGER erasure_file_stays BEFORE DELETE ON erasure_file BEGIN
    SELECT RAISE(ABORT, 'erasure_stays: evidence of an erasure is never deleted');
END;
CREATE TRIGGER erasure_evidence_stays BEFORE DELETE ON erasure_evidence BEGIN
    SELECT RAISE(ABORT, 'erasure_stays: evidence of an erasure is never deleted');
END;
CREATE TRIGGER erasure_absence_stays BEFORE DELETE ON erasure_absence BEGIN
    SELECT RAISE(ABORT, 'erasure_stays: evidence of an erasure is never deleted');
END;
CREATE TRIGGER erasure_certificate_stays BEFORE DELETE ON erasure_certificate BEGIN
    SELECT RAISE(ABORT, 'erasure_stays: evidence of an erasure is never deleted');
END;
CREATE TRIGGER erasure_file_unchanged BEFORE UPDATE ON erasure_file BEGIN
    SELECT RAISE(ABORT, 'erasure_stays: evidence of an erasure is never changed');
END;
CREATE TRIGGER erasure_certificate_unchanged BEFORE UPDATE ON erasure_certificate BEGIN
    SELECT RAISE(ABORT, 'erasure_stays: evidence of an erasure is never changed');
END;

-- A kind of document more. SQLite cannot change a CHECK: the table is made anew. Nothing refers to it.
CREATE TABLE document_new (
    number TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('agreement', 'receipt', 'site_list', 'labels', 'campaign_letter',
        'erasure_certificate')),
    loan_id BLOB REFERENCES loan (id),
    site_id BLOB REFERENCES site (id),
    -- Of an agreement that is made before its loan begins: the loan takes it over. Of an erasure certificate.
    device_id BLOB REFERENCES device (id),
    borrower_id BLOB REFERENCES borrower (id),
    template TEXT NOT NULL,
    template_version TEXT NOT NULL,
    template_sha256 BLOB NOT NULL CHECK (length(template_sha256) = 32),
    pdf_sha256 BLOB NOT NULL CHECK (length(pdf_sha256) = 32),
    language TEXT NOT NULL CHECK (language IN ('fr', 'en')),
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    -- Of the letters of a campaign.
    campaign_id BLOB REFERENCES campaign (id),
    CHECK (kind <> 'agreement' OR loan_id IS NOT NULL OR (device_id IS NOT NULL AND borrower_id IS NOT NULL)),
    CHECK (kind <> 'receipt' OR loan_id IS NOT NULL),
    CHECK (kind <> 'site_list' OR site_id IS NOT NULL),
    CHECK (kind <> 'campaign_letter' OR (site_id IS NOT NULL AND campaign_id IS NOT NULL)),
    CHECK (kind <> 'erasure_certificate' OR device_id IS NOT NULL)
) STRICT;
INSERT INTO document_new (number, kind, loan_id, site_id, device_id, borrower_id, template, template_version,
    template_sha256, pdf_sha256, language, made_by, made_at, campaign_id)
SELECT number, kind, loan_id, site_id, device_id, borrower_id, template, template_version,
    template_sha256, pdf_sha256, language, made_by, made_at, campaign_id FROM document;
DROP TABLE document;
ALTER TABLE document_new RENAME TO document;
CREATE INDEX document_of_loan ON document (loan_id, made_at);
CREATE INDEX document_of_borrower ON document (borrower_id, device_id);
