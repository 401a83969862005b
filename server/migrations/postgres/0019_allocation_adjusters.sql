-- Everybody who changed a line of a proposal: none of them may approve it, and the last one alone is not enough to know.
CREATE TABLE allocation_adjuster (
    allocation_id UUID NOT NULL REFERENCES allocation (id),
    person_id UUID NOT NULL REFERENCES person (id),
    -- When first.
    adjusted_at BIGINT NOT NULL,
    PRIMARY KEY (allocation_id, person_id)
);
INSERT INTO allocation_adjuster (allocation_id, person_id, adjusted_at)
    SELECT id, adjusted_by, adjusted_at FROM allocation WHERE adjusted_by IS NOT NULL;

CREATE FUNCTION allocation_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM allocation_adjuster WHERE allocation_id = NEW.id AND person_id = NEW.decided_by) THEN
        RAISE EXCEPTION 'nobody approves a proposal of which they changed a line' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER allocation_own BEFORE UPDATE OF state, decided_by ON allocation
    FOR EACH ROW WHEN (NEW.state = 'approved') EXECUTE FUNCTION allocation_own();
