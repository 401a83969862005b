-- Everybody who changed a line of a proposal: none of them may approve it, and the last one alone is not enough to know.
CREATE TABLE allocation_adjuster (
    allocation_id BLOB NOT NULL REFERENCES allocation (id),
    person_id BLOB NOT NULL REFERENCES person (id),
    -- When first.
    adjusted_at INTEGER NOT NULL,
    PRIMARY KEY (allocation_id, person_id)
) STRICT, WITHOUT ROWID;
INSERT INTO allocation_adjuster (allocation_id, person_id, adjusted_at)
    SELECT id, adjusted_by, adjusted_at FROM allocation WHERE adjusted_by IS NOT NULL;

CREATE TRIGGER allocation_own BEFORE UPDATE OF state, decided_by ON allocation
WHEN NEW.state = 'approved' AND EXISTS (
    SELECT 1 FROM allocation_adjuster WHERE allocation_id = NEW.id AND person_id = NEW.decided_by)
BEGIN
    SELECT RAISE(ABORT, 'nobody approves a proposal of which they changed a line');
END;
