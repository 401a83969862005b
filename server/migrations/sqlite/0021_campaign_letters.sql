-- Letters of a return campaign: which of its letters was last written, and on which day; and a printed kind of them.

ALTER TABLE campaign ADD COLUMN letters INTEGER NOT NULL DEFAULT 0 CHECK (letters >= 0);
-- The day on which the last of its letters was written: at most one a day.
ALTER TABLE campaign ADD COLUMN written_day INTEGER;
UPDATE campaign SET letters = 1, written_day = started_at / 86400000 WHERE started_at IS NOT NULL;

-- SQLite cannot change a CHECK: the table is made anew. Nothing refers to it.
CREATE TABLE document_new (
    number TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('agreement', 'receipt', 'site_list', 'labels', 'campaign_letter')),
    loan_id BLOB REFERENCES loan (id),
    site_id BLOB REFERENCES site (id),
    -- Of an agreement that is made before its loan begins: the loan takes it over.
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
    CHECK (kind <> 'campaign_letter' OR (site_id IS NOT NULL AND campaign_id IS NOT NULL))
) STRICT;
INSERT INTO document_new (number, kind, loan_id, site_id, device_id, borrower_id, template, template_version,
    template_sha256, pdf_sha256, language, made_by, made_at)
SELECT number, kind, loan_id, site_id, device_id, borrower_id, template, template_version,
    template_sha256, pdf_sha256, language, made_by, made_at FROM document;
DROP TABLE document;
ALTER TABLE document_new RENAME TO document;
CREATE INDEX document_of_loan ON document (loan_id, made_at);
CREATE INDEX document_of_borrower ON document (borrower_id, device_id);
