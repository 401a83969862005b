-- Exams: from when to when the laptops of a site, or of all of them, are silent. Ended early, an exam ends at that moment;
-- one that has not begun is removed.
CREATE TABLE exam (
    id BLOB NOT NULL PRIMARY KEY,
    -- Without one, the whole programme.
    site_id BLOB REFERENCES site (id),
    label TEXT NOT NULL,
    begins_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- The login of whoever ordered it.
    created_by TEXT NOT NULL,
    CHECK (ends_at > begins_at)
) STRICT;
-- Those that are not over are read every few seconds by each server process.
CREATE INDEX exam_end ON exam (ends_at);
