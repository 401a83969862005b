-- A scanner set to another case means the same label: two labels that differ in case alone are one, and both codes are
-- found whatever their case.
-- Two that were let in before: the device that was recorded first keeps its label, each other gets the end of its id behind
-- it. (Not the beginning: devices of one delivery have that in common.) It is found by the new label and by the old one.
CREATE INDEX device_asset_tag_folding ON device (lower(asset_tag));
UPDATE device SET asset_tag = asset_tag || '-2-' || lower(substr(hex(id), 25, 8)),
    search_text = search_text || ' ' || lower(asset_tag) || '-2-' || lower(substr(hex(id), 25, 8))
    WHERE EXISTS (SELECT 1 FROM device o WHERE lower(o.asset_tag) = lower(device.asset_tag)
        AND (o.created_at < device.created_at OR o.created_at = device.created_at AND o.id < device.id));
DROP INDEX device_asset_tag_folding;
CREATE UNIQUE INDEX device_asset_tag_folded ON device (lower(asset_tag));
CREATE INDEX device_serial_number_folded ON device (lower(serial_number));

-- A letter of a campaign is dropped when the campaign is closed or does not expect the loan any more.
-- SQLite cannot change a CHECK: the table is made anew. Nothing refers to it.
CREATE TABLE notice_new (
    id BLOB NOT NULL PRIMARY KEY,
    dedupe_key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('loan_due', 'campaign', 'handed_over', 'returned', 'unreachable')),
    recipient_kind TEXT NOT NULL CHECK (recipient_kind IN ('borrower', 'referent', 'person')),
    recipient_id BLOB NOT NULL,
    site_id BLOB REFERENCES site (id),
    loan_id BLOB REFERENCES loan (id),
    -- Of a due loan: its due day when this was written, and which step of the programme's schedule this is.
    due_day INTEGER,
    step INTEGER,
    quiet TEXT NOT NULL CHECK (quiet IN ('school_days', 'any_day')),
    not_before_day INTEGER NOT NULL,
    not_after_day INTEGER NOT NULL,
    -- JSON: what the text says besides the loan; no personal data.
    details TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'grouped', 'dropped')),
    dropped_why TEXT CHECK (dropped_why IN ('loan_ended', 'due_changed', 'superseded', 'expired', 'recipient_gone',
        'not_expected')),
    message_id BLOB REFERENCES message (id),
    created_at INTEGER NOT NULL,
    CHECK ((state = 'dropped') = (dropped_why IS NOT NULL)),
    CHECK (state <> 'grouped' OR message_id IS NOT NULL),
    CHECK (kind <> 'loan_due' OR (loan_id IS NOT NULL AND due_day IS NOT NULL AND step IS NOT NULL))
) STRICT;
INSERT INTO notice_new SELECT id, dedupe_key, kind, recipient_kind, recipient_id, site_id, loan_id, due_day, step, quiet,
    not_before_day, not_after_day, details, state, dropped_why, message_id, created_at FROM notice;
DROP TABLE notice;
ALTER TABLE notice_new RENAME TO notice;
CREATE INDEX notice_waiting ON notice (recipient_kind, recipient_id, not_before_day) WHERE state = 'waiting';
CREATE INDEX notice_of_message ON notice (message_id);
CREATE INDEX notice_of_loan ON notice (loan_id);
