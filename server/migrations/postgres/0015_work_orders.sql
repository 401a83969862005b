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
    -- What let it pass the erasure stage: 'waived', or a proof.
    erasure_basis TEXT,
    waived_at BIGINT,
    waived_by TEXT,
    waiver_reason TEXT,
    reopened BIGINT NOT NULL DEFAULT 0 CHECK (reopened >= 0),
    CHECK ((stage = 'closed') = (disposition IS NOT NULL)),
    CHECK ((stage IN ('disposition', 'closed')) = (grade IS NOT NULL)),
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
