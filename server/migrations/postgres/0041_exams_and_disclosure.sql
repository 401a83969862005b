-- Exams: from when to when the laptops of a site, or of all of them, are silent. Ended early, an exam ends at that moment;
-- one that has not begun is removed.
CREATE TABLE exam (
    id UUID NOT NULL PRIMARY KEY,
    -- Without one, the whole programme.
    site_id UUID REFERENCES site (id),
    label TEXT NOT NULL,
    begins_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- The login of whoever ordered it.
    created_by TEXT NOT NULL,
    CHECK (ends_at > begins_at)
);
-- Those that are not over are read every few seconds by each server process.
CREATE INDEX exam_end ON exam (ends_at);
