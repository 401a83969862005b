-- Documents: what was printed of a loan, of a site, as labels. The PDF itself is not kept: only what tells one from
-- another, and from which template it was made.

CREATE TABLE document (
    number TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('agreement', 'receipt', 'site_list', 'labels')),
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
    CHECK (kind <> 'agreement' OR loan_id IS NOT NULL OR (device_id IS NOT NULL AND borrower_id IS NOT NULL)),
    CHECK (kind <> 'receipt' OR loan_id IS NOT NULL),
    CHECK (kind <> 'site_list' OR site_id IS NOT NULL)
) STRICT;
CREATE INDEX document_of_loan ON document (loan_id, made_at);
CREATE INDEX document_of_borrower ON document (borrower_id, device_id);

-- The last number of each kind and year.
CREATE TABLE document_number (
    kind TEXT NOT NULL,
    year INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last > 0),
    PRIMARY KEY (kind, year)
) STRICT, WITHOUT ROWID;
