-- Imports of files: what was asked, how far it came, and what was found in each row.

CREATE TABLE import (
    id UUID NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('devices', 'sites', 'borrowers', 'loans', 'needs')),
    file_name TEXT NOT NULL,
    -- SHA-256 of the file: the same file, begun before and interrupted, goes on.
    content_hash BYTEA NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('mapping', 'checking', 'checked', 'applying', 'done', 'refused', 'failed')),
    on_error TEXT NOT NULL CHECK (on_error IN ('stop', 'skip')),
    blanks TEXT NOT NULL CHECK (blanks IN ('keep', 'erase')),
    -- JSON: who wrote the file, and for each column the field it holds.
    mapping TEXT NOT NULL,
    total_rows BIGINT NOT NULL,
    -- Rows of the present pass that are committed.
    done_rows BIGINT NOT NULL DEFAULT 0,
    new_rows BIGINT NOT NULL DEFAULT 0,
    changed_rows BIGINT NOT NULL DEFAULT 0,
    same_rows BIGINT NOT NULL DEFAULT 0,
    bad_rows BIGINT NOT NULL DEFAULT 0,
    -- What failed, for the log's readers; no personal data.
    failure TEXT,
    -- Which process works on it, and until when it is believed to be alive.
    holder UUID,
    held_until BIGINT,
    finished_at BIGINT
);
CREATE INDEX import_newest ON import (created_at, id);
CREATE INDEX import_of_state ON import (state, created_at);

-- The file in pieces, sealed with a key outside the database: it may name people. Deleted when no longer needed.
CREATE TABLE import_part (
    import_id UUID NOT NULL REFERENCES import (id),
    number BIGINT NOT NULL,
    sealed TEXT NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- What was found in each row that is not the same as what is stored.
CREATE TABLE import_row (
    import_id UUID NOT NULL REFERENCES import (id),
    line BIGINT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('new', 'changed', 'bad')),
    -- JSON list: reasons with their columns, or fields with what they were and will be. No personal data.
    details TEXT NOT NULL,
    PRIMARY KEY (import_id, line)
);
CREATE INDEX import_row_of_outcome ON import_row (import_id, outcome, line);

-- What the columns of a kind of file were last taken for.
CREATE TABLE import_mapping (
    kind TEXT NOT NULL,
    -- SHA-256 of the headings.
    headings_hash BYTEA NOT NULL,
    mapping TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (kind, headings_hash)
);
