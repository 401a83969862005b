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
    -- When it was ended early.
    called_off_at BIGINT,
    CHECK (ends_at > begins_at),
    CHECK (called_off_at = ends_at)
);
-- Those that are not over are read every few seconds by each server process; those that are, page by page.
CREATE INDEX exam_end ON exam (ends_at, id);
-- A form that is sent twice orders once. Two labels are two exams: calling one off leaves the other. One that was ended
-- early stands in nobody's way: its end is the moment at which somebody pressed a button, and it may be ordered again.
CREATE UNIQUE INDEX exam_of_site ON exam (begins_at, ends_at, site_id, label)
    WHERE site_id IS NOT NULL AND called_off_at IS NULL;
CREATE UNIQUE INDEX exam_of_all ON exam (begins_at, ends_at, label) WHERE site_id IS NULL AND called_off_at IS NULL;
