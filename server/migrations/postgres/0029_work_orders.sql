-- Refurbishment: work orders with their steps, findings, photographs, and a stock of parts.

-- More places of a device.
ALTER TABLE device DROP CONSTRAINT device_lending_state_check;
ALTER TABLE device ADD CONSTRAINT device_lending_state_check CHECK (lending_state IN
    ('in_stock', 'reserved', 'lent', 'intake', 'refurbishment', 'set_aside', 'lost', 'stolen', 'written_off', 'ceded'));

-- A returned device's way through refurbishment. What the CHECKs say, domain/work_order says too.
CREATE TABLE work_order (
    id UUID NOT NULL PRIMARY KEY,
    device_id UUID NOT NULL REFERENCES device (id),
    opened_at BIGINT NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('intake', 'inspection', 'erasure', 'repair', 'reinstallation', 'final_test',
        'grading', 'disposition', 'quarantine', 'closed')),
    -- Since when it is at this stage, or closed.
    since BIGINT NOT NULL,
    disposition TEXT CHECK (disposition IN ('relend', 'donate', 'parts', 'recycle')),
    grade TEXT CHECK (grade IN ('A', 'B', 'C', 'D')),
    battery_swollen BIGINT NOT NULL DEFAULT 0 CHECK (battery_swollen IN (0, 1)),
    -- What staff found last, JSON; null until it was inspected, and again once it is reopened.
    findings TEXT,
    -- The best grade that these findings support; D where something does not work.
    supported_grade TEXT CHECK (supported_grade IN ('A', 'B', 'C', 'D')),
    -- What let it pass the erasure stage: a waiver, or the proof that each of its drives was erased.
    erasure_basis TEXT CHECK (erasure_basis IN ('waived', 'proved')),
    waived_at BIGINT,
    waived_by TEXT,
    waiver_reason TEXT,
    reopened BIGINT NOT NULL DEFAULT 0 CHECK (reopened >= 0),
    CHECK ((stage = 'closed') = (disposition IS NOT NULL)),
    CHECK ((stage IN ('disposition', 'closed')) = (grade IS NOT NULL)),
    CHECK ((findings IS NULL) = (supported_grade IS NULL)),
    -- Nobody grades better than what was found, and what was found broken is not graded but repaired or given up.
    CHECK (grade >= supported_grade),
    CHECK (stage <> 'grading' OR supported_grade <> 'D'),
    -- What does not work is neither lent nor given.
    CHECK (COALESCE(disposition, '') NOT IN ('relend', 'donate') OR grade <> 'D'),
    -- A swollen battery stops everything but its removal and recycling.
    CHECK (battery_swollen = 0 OR stage = 'quarantine' OR COALESCE(disposition, '') = 'recycle'),
    CHECK (stage <> 'quarantine' OR battery_swollen = 1),
    -- Nothing passes the erasure stage without what lets it pass.
    CHECK (stage IN ('intake', 'inspection', 'erasure', 'quarantine') OR erasure_basis IS NOT NULL),
    CHECK (COALESCE(erasure_basis, '') <> 'waived' OR waived_at IS NOT NULL),
    CHECK ((waived_at IS NULL) = (waived_by IS NULL) AND (waived_at IS NULL) = (waiver_reason IS NULL)),
    CHECK (waiver_reason IS NULL OR length(trim(waiver_reason)) > 0),
    CHECK (findings IS NOT NULL OR stage IN ('intake', 'inspection', 'quarantine') OR COALESCE(disposition, '') = 'recycle')
);
-- A device is on one bench.
CREATE UNIQUE INDEX work_order_open_of_device ON work_order (device_id) WHERE stage <> 'closed';
CREATE INDEX work_order_of_device ON work_order (device_id, opened_at, id);
CREATE INDEX work_order_board ON work_order (stage, since, id);
CREATE INDEX work_order_newest ON work_order (opened_at, id);

-- Every step of an order, in order: also what its time at each stage is counted from.
CREATE TABLE work_order_event (
    order_id UUID NOT NULL REFERENCES work_order (id),
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    -- Where the order then was.
    stage TEXT NOT NULL,
    actor TEXT NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (order_id, number)
);

-- Each inspection and final test: what staff found, and what the machine claimed then. Both are kept.
CREATE TABLE work_inspection (
    order_id UUID NOT NULL REFERENCES work_order (id),
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('inspection', 'final_test')),
    actor TEXT NOT NULL,
    findings TEXT NOT NULL,
    claims TEXT NOT NULL,
    PRIMARY KEY (order_id, number)
);

-- Photographs, encoded anew: without what cameras write beside the picture.
CREATE TABLE work_photo (
    id UUID NOT NULL PRIMARY KEY,
    order_id UUID NOT NULL REFERENCES work_order (id),
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    width BIGINT NOT NULL CHECK (width > 0),
    height BIGINT NOT NULL CHECK (height > 0),
    jpeg BYTEA NOT NULL
);
CREATE INDEX work_photo_of_order ON work_photo (order_id, at, id);

-- The stock of parts. Counts never go below zero.
CREATE TABLE part (
    id UUID NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    -- The model it fits; null fits any.
    model TEXT,
    origin TEXT NOT NULL CHECK (origin IN ('bought', 'harvested')),
    -- The order whose unit it was taken from.
    from_order_id UUID REFERENCES work_order (id),
    unit_cents BIGINT NOT NULL CHECK (unit_cents >= 0),
    count BIGINT NOT NULL CHECK (count >= 0),
    created_at BIGINT NOT NULL,
    CHECK ((origin = 'harvested') = (from_order_id IS NOT NULL))
);
CREATE INDEX part_of_kind ON part (kind, created_at, id);
CREATE INDEX part_of_order ON part (from_order_id);

-- Parts used on an order, at their price then.
CREATE TABLE part_use (
    id UUID NOT NULL PRIMARY KEY,
    part_id UUID NOT NULL REFERENCES part (id),
    order_id UUID NOT NULL REFERENCES work_order (id),
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    count BIGINT NOT NULL CHECK (count > 0),
    unit_cents BIGINT NOT NULL CHECK (unit_cents >= 0)
);
CREATE INDEX part_use_of_order ON part_use (order_id, at, id);
CREATE INDEX part_use_of_part ON part_use (part_id);

-- A work order takes the steps that domain::work_order takes, and no other.
CREATE FUNCTION work_order_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.stage || ' > ' || NEW.stage NOT IN ('intake > inspection', 'intake > quarantine',
        'inspection > erasure', 'inspection > quarantine', 'erasure > repair', 'erasure > reinstallation',
        'erasure > disposition', 'erasure > quarantine', 'repair > reinstallation', 'repair > disposition',
        'repair > quarantine', 'reinstallation > final_test', 'reinstallation > repair',
        'reinstallation > disposition', 'reinstallation > quarantine', 'final_test > grading',
        'final_test > repair', 'final_test > disposition', 'final_test > quarantine', 'grading > disposition',
        'grading > repair', 'grading > quarantine', 'disposition > closed', 'disposition > repair',
        'disposition > quarantine', 'quarantine > inspection', 'quarantine > closed', 'closed > inspection',
        'closed > quarantine') THEN
        RAISE EXCEPTION 'work_order_step: a work order cannot take this step' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stage = 'erasure' AND NEW.stage = 'reinstallation' AND NEW.supported_grade = 'D' THEN
        RAISE EXCEPTION 'work_order_step: something does not work, it is to be repaired or given up'
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stage = 'quarantine' AND NEW.stage = 'closed' AND NEW.disposition <> 'recycle' THEN
        RAISE EXCEPTION 'work_order_step: a swollen battery leaves quarantine taken out, or with its unit to be recycled'
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stage = 'closed'
        AND (NEW.findings IS NOT NULL OR NEW.erasure_basis IS NOT NULL OR NEW.waived_at IS NOT NULL) THEN
        RAISE EXCEPTION 'work_order_step: what is gone through again is looked at, and its erasure asked for, anew'
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stage = 'closed' AND EXISTS (SELECT 1 FROM part WHERE from_order_id = NEW.id) THEN
        RAISE EXCEPTION 'work_order_step: parts were taken from this unit' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER work_order_step BEFORE UPDATE OF stage ON work_order FOR EACH ROW WHEN (OLD.stage <> NEW.stage)
    EXECUTE FUNCTION work_order_step();

-- An order begins at the intake, with nothing said yet, for a unit that is at hand.
CREATE FUNCTION work_order_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.stage <> 'intake' OR NEW.findings IS NOT NULL OR NEW.erasure_basis IS NOT NULL
        OR NEW.waived_at IS NOT NULL OR NEW.reopened <> 0 THEN
        RAISE EXCEPTION 'work_order_begins: an order begins at the intake' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM device WHERE id = NEW.device_id AND lending_state IN ('intake', 'in_stock')) THEN
        RAISE EXCEPTION 'work_order_begins: a unit comes to refurbishment from intake or from stock'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER work_order_begins BEFORE INSERT ON work_order FOR EACH ROW EXECUTE FUNCTION work_order_begins();
CREATE FUNCTION work_order_keeps_device() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'work_order_keeps_device: a work order does not change its device' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER work_order_keeps_device BEFORE UPDATE OF device_id ON work_order FOR EACH ROW
    WHEN (OLD.device_id <> NEW.device_id) EXECUTE FUNCTION work_order_keeps_device();
-- A waiver is put down once; only what is gone through again is asked anew.
CREATE FUNCTION work_order_keeps_waiver() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.waived_at IS NULL OR NEW.waived_at <> OLD.waived_at OR NEW.waived_by <> OLD.waived_by
        OR NEW.waiver_reason <> OLD.waiver_reason THEN
        RAISE EXCEPTION 'work_order_keeps_waiver: a waiver is put down once' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER work_order_keeps_waiver BEFORE UPDATE OF waived_at, waived_by, waiver_reason ON work_order FOR EACH ROW
    WHEN (OLD.waived_at IS NOT NULL AND OLD.stage <> 'closed') EXECUTE FUNCTION work_order_keeps_waiver();

-- What was found, what was claimed and what was done is not rewritten.
CREATE FUNCTION work_inspection_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'work_inspection_kept: what was found and claimed is kept' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER work_inspection_kept BEFORE UPDATE ON work_inspection FOR EACH ROW
    EXECUTE FUNCTION work_inspection_kept();
CREATE TRIGGER work_inspection_not_deleted BEFORE DELETE ON work_inspection FOR EACH ROW
    EXECUTE FUNCTION work_inspection_kept();
CREATE FUNCTION work_order_event_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'work_order_event_kept: what was done is kept' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER work_order_event_kept BEFORE UPDATE ON work_order_event FOR EACH ROW
    EXECUTE FUNCTION work_order_event_kept();
CREATE TRIGGER work_order_event_not_deleted BEFORE DELETE ON work_order_event FOR EACH ROW
    EXECUTE FUNCTION work_order_event_kept();

-- Parts are used on what is being repaired, and taken from what is for parts.
CREATE FUNCTION part_use_at_repair() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM work_order WHERE id = NEW.order_id AND stage = 'repair') THEN
        RAISE EXCEPTION 'part_use_at_repair: parts are used on an order that is at repair'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER part_use_at_repair BEFORE INSERT ON part_use FOR EACH ROW EXECUTE FUNCTION part_use_at_repair();
CREATE FUNCTION part_from_what_is_for_parts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM work_order WHERE id = NEW.from_order_id AND disposition = 'parts') THEN
        RAISE EXCEPTION 'part_from_what_is_for_parts: parts are taken from a unit whose order was closed for parts'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER part_from_what_is_for_parts BEFORE INSERT ON part FOR EACH ROW WHEN (NEW.from_order_id IS NOT NULL)
    EXECUTE FUNCTION part_from_what_is_for_parts();

-- The loan or the order is written first, then where its device is. What the loan says stands in migration 18.
CREATE FUNCTION device_where_its_order_says() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.lending_state = 'refurbishment')
        <> EXISTS (SELECT 1 FROM work_order WHERE device_id = NEW.id AND stage <> 'closed') THEN
        RAISE EXCEPTION 'device_where_its_order_says: a device is in refurbishment while its work order is open'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.lending_state = 'set_aside' AND (OLD.lending_state <> 'refurbishment'
            OR COALESCE((SELECT disposition FROM work_order WHERE device_id = NEW.id
                ORDER BY opened_at DESC, id DESC LIMIT 1), 'relend') = 'relend')
        OR OLD.lending_state = 'set_aside' AND NEW.lending_state NOT IN ('refurbishment', 'ceded') THEN
        RAISE EXCEPTION 'device_where_its_order_says: a device is set aside by its work order, and comes back by it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER device_where_its_order_says BEFORE UPDATE OF lending_state ON device FOR EACH ROW
    WHEN (OLD.lending_state <> NEW.lending_state) EXECUTE FUNCTION device_where_its_order_says();
CREATE FUNCTION device_comes_without_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'device_where_its_order_says: a device is in refurbishment while its work order is open'
        USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER device_comes_without_order BEFORE INSERT ON device FOR EACH ROW
    WHEN (NEW.lending_state IN ('refurbishment', 'set_aside')) EXECUTE FUNCTION device_comes_without_order();
