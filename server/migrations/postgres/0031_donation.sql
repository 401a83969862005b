-- Donation: recipients, lots with their units, what agents of donated devices were told. A device changes owner through a
-- lot and by no other way, whoever writes the SQL.

-- Legal persons; never the name of a natural one.
CREATE TABLE donation_recipient (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL CHECK (length(trim(name)) > 0),
    class TEXT NOT NULL CHECK (class IN ('parents_association', 'school_support_association',
        'public_utility_association', 'reuse_body', 'general_interest_association', 'student_association', 'own_staff',
        'public_body', 'college_for_families')),
    legal_form TEXT NOT NULL CHECK (length(trim(legal_form)) > 0),
    registration TEXT,
    -- To reuse, for whom, at which price; and what proves it.
    commitments TEXT,
    proof TEXT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX donation_recipient_named ON donation_recipient (name, id);

CREATE TABLE donation_lot (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL CHECK (length(trim(name)) > 0),
    state TEXT NOT NULL CHECK (state IN ('draft', 'approved', 'delivered', 'dropped')),
    recipient_id UUID REFERENCES donation_recipient (id),
    basis TEXT CHECK (basis IN ('associations', 'solidarity_resale', 'own_staff', 'public_body',
        'families_by_deliberation')),
    deliberation_number TEXT,
    -- A civil day, in whole days since 1970-01-01.
    deliberation_day BIGINT,
    prepared_by UUID NOT NULL REFERENCES person (id),
    prepared_at BIGINT NOT NULL,
    approved_by UUID REFERENCES person (id),
    approved_at BIGINT,
    delivered_by UUID REFERENCES person (id),
    delivered_at BIGINT,
    -- The day on which the recipient took it, and the number of the deed that was signed then.
    delivered_day BIGINT,
    deed TEXT,
    dropped_at BIGINT,
    CHECK ((deliberation_number IS NULL) = (deliberation_day IS NULL)),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((delivered_by IS NULL) = (delivered_at IS NULL) AND (delivered_by IS NULL) = (delivered_day IS NULL)
        AND (delivered_by IS NULL) = (deed IS NULL)),
    CHECK ((state = 'dropped') = (dropped_at IS NOT NULL)),
    CHECK (state <> 'draft' OR approved_by IS NULL),
    CHECK ((state = 'delivered') = (delivered_by IS NOT NULL)),
    -- Nothing is approved without to whom and under which text; a direct gift, without what decided it.
    CHECK (state NOT IN ('approved', 'delivered') OR (approved_by IS NOT NULL AND recipient_id IS NOT NULL
        AND basis IS NOT NULL AND (basis <> 'families_by_deliberation' OR deliberation_number IS NOT NULL))),
    -- Nobody approves what is their own, whatever their role.
    CHECK (approved_by IS NULL OR approved_by <> prepared_by)
);
CREATE INDEX donation_lot_prepared ON donation_lot (prepared_at, id);

-- Everybody who put a lot together: none of them may approve it.
CREATE TABLE donation_lot_editor (
    lot_id UUID NOT NULL REFERENCES donation_lot (id),
    person_id UUID NOT NULL REFERENCES person (id),
    -- When first.
    edited_at BIGINT NOT NULL,
    PRIMARY KEY (lot_id, person_id)
);

-- One unit of a lot.
CREATE TABLE donation_line (
    lot_id UUID NOT NULL REFERENCES donation_lot (id),
    device_id UUID NOT NULL REFERENCES device (id),
    state TEXT NOT NULL CHECK (state IN ('listed', 'approved', 'delivered', 'dropped')),
    added_at BIGINT NOT NULL,
    -- Its value in cents, how it was estimated, and on what that rests.
    value_cents BIGINT CHECK (value_cents >= 0),
    estimation TEXT CHECK (estimation IN ('market', 'book', 'appraisal', 'comparable')),
    estimation_note TEXT,
    valued_by TEXT,
    valued_at BIGINT,
    -- As of the approval: the ceiling in cents, and a JSON list of each drive with the record that proves its erasure.
    ceiling_cents BIGINT CHECK (ceiling_cents >= 0),
    erasure_evidence TEXT,
    checked_at BIGINT,
    PRIMARY KEY (lot_id, device_id),
    CHECK ((value_cents IS NULL) = (estimation IS NULL) AND (value_cents IS NULL) = (estimation_note IS NULL)
        AND (value_cents IS NULL) = (valued_by IS NULL) AND (value_cents IS NULL) = (valued_at IS NULL)),
    CHECK ((ceiling_cents IS NULL) = (erasure_evidence IS NULL) AND (ceiling_cents IS NULL) = (checked_at IS NULL)),
    CHECK (state NOT IN ('approved', 'delivered') OR (value_cents IS NOT NULL AND ceiling_cents IS NOT NULL
        AND value_cents <= ceiling_cents AND erasure_evidence <> '[]'))
);
-- A device is promised once, and given once.
CREATE UNIQUE INDEX donation_line_of_device ON donation_line (device_id) WHERE state <> 'dropped';

-- The agents of donated devices: that they are to remove themselves, since when they know, and whether they came back.
CREATE TABLE device_release (
    device_id UUID NOT NULL PRIMARY KEY REFERENCES device (id),
    lot_id UUID NOT NULL REFERENCES donation_lot (id),
    ordered_at BIGINT NOT NULL,
    told_at BIGINT,
    -- The last contact after it was told.
    again_at BIGINT,
    CHECK (again_at IS NULL OR told_at IS NOT NULL)
);

-- No step of a loan leads to a new owner any more.
CREATE OR REPLACE FUNCTION loan_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state || ' > ' || NEW.state NOT IN ('reserved > cancelled', 'reserved > handed_over',
        'handed_over > returned', 'handed_over > lost', 'handed_over > stolen', 'handed_over > written_off',
        'lost > returned', 'lost > stolen', 'lost > written_off', 'stolen > returned',
        'stolen > written_off', 'written_off > returned', 'returned > handed_over', 'returned > lost',
        'returned > stolen', 'returned > written_off') THEN
        RAISE EXCEPTION 'loan_step: a loan cannot take this step' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state = 'returned'
        AND NOT EXISTS (SELECT 1 FROM device WHERE id = NEW.device_id AND lending_state = 'intake') THEN
        RAISE EXCEPTION 'loan_step: only a return that waits in the intake can be undone'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION loan_not_ceded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'loan_not_ceded: a device changes owner in a lot of donation, not by a loan' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER loan_not_ceded BEFORE INSERT ON loan FOR EACH ROW
    WHEN (NEW.state = 'ceded') EXECUTE FUNCTION loan_not_ceded();

-- A device changes owner through an approved lot in which nothing is missing for it.
CREATE FUNCTION device_ceded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.lending_state NOT IN ('in_stock', 'intake', 'set_aside')
        OR OLD.lending_state = 'set_aside' AND COALESCE((SELECT disposition FROM work_order WHERE device_id = NEW.id
            ORDER BY opened_at DESC, id DESC LIMIT 1), 'none') <> 'donate' THEN
        RAISE EXCEPTION 'device_ceded: a device is given from stock, from intake, or where refurbishment set it aside for it'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM donation_line n JOIN donation_lot t ON t.id = n.lot_id
        JOIN donation_recipient r ON r.id = t.recipient_id
        WHERE n.device_id = NEW.id AND n.state = 'approved' AND t.state = 'approved'
        AND t.approved_by IS NOT NULL AND t.basis IS NOT NULL AND r.class IS NOT NULL
        AND r.commitments IS NOT NULL AND r.proof IS NOT NULL
        AND (t.basis <> 'families_by_deliberation' OR t.deliberation_number IS NOT NULL)
        AND n.value_cents IS NOT NULL AND n.estimation IS NOT NULL AND n.estimation_note IS NOT NULL
        AND n.ceiling_cents IS NOT NULL AND n.value_cents <= n.ceiling_cents
        AND n.erasure_evidence IS NOT NULL AND n.erasure_evidence <> '[]' AND n.checked_at IS NOT NULL
        -- Each drive has a record that was not made up: verified, not used since, and more than Clear for flash; or it was
        -- declared absent.
        AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(n.erasure_evidence::jsonb) j
            WHERE NOT EXISTS (SELECT 1 FROM erasure e WHERE e.device_id = NEW.id
                AND e.drive_key = j ->> 'drive' AND replace(e.id::text, '-', '') = j ->> 'record'
                AND e.outcome = 'erased' AND (e.verification <> 'none' OR e.witness IS NOT NULL)
                AND e.used_again = 0 AND (e.medium <> 'flash' OR e.level <> 'clear'))
            AND NOT EXISTS (SELECT 1 FROM erasure_absence a WHERE a.device_id = NEW.id
                AND a.drive_key = j ->> 'drive' AND j ->> 'record' = 'absent' AND a.seen_again = 0))) THEN
        RAISE EXCEPTION 'device_ceded: a device changes owner in an approved lot in which nothing is missing for it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER device_ceded BEFORE UPDATE OF lending_state ON device FOR EACH ROW
    WHEN (NEW.lending_state = 'ceded' AND OLD.lending_state <> 'ceded') EXECUTE FUNCTION device_ceded();
CREATE FUNCTION device_not_made_ceded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'device_not_made_ceded: a device changes owner in a lot of donation' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER device_not_made_ceded BEFORE INSERT ON device FOR EACH ROW
    WHEN (NEW.lending_state = 'ceded') EXECUTE FUNCTION device_not_made_ceded();

-- A lot is approved by somebody who did not put it together, and whole.
CREATE FUNCTION donation_lot_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM donation_lot_editor WHERE lot_id = NEW.id AND person_id = NEW.approved_by) THEN
        RAISE EXCEPTION 'donation_lot_own: nobody approves a lot that they put together' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM donation_line WHERE lot_id = NEW.id)
        OR EXISTS (SELECT 1 FROM donation_line WHERE lot_id = NEW.id AND state <> 'approved') THEN
        RAISE EXCEPTION 'donation_lot_whole: a lot is approved when nothing is missing for any of its units' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER donation_lot_approved BEFORE UPDATE OF state, approved_by ON donation_lot FOR EACH ROW
    WHEN (NEW.state = 'approved') EXECUTE FUNCTION donation_lot_approved();
CREATE FUNCTION donation_lot_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'donation_lot_made: a lot begins as a draft' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER donation_lot_made BEFORE INSERT ON donation_lot FOR EACH ROW
    WHEN (NEW.state <> 'draft') EXECUTE FUNCTION donation_lot_made();
CREATE FUNCTION donation_lot_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state || ' > ' || NEW.state NOT IN ('draft > approved', 'draft > dropped', 'approved > delivered',
        'approved > dropped') THEN
        RAISE EXCEPTION 'donation_lot_step: a lot cannot take this step' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'delivered' AND EXISTS (SELECT 1 FROM donation_line n JOIN device d ON d.id = n.device_id
        WHERE n.lot_id = NEW.id AND (n.state <> 'delivered' OR d.lending_state <> 'ceded')) THEN
        RAISE EXCEPTION 'donation_lot_step: a lot is delivered once its devices have changed owner' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER donation_lot_step BEFORE UPDATE OF state ON donation_lot FOR EACH ROW
    WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION donation_lot_step();

-- What was approved is what is handed over.
CREATE FUNCTION donation_lot_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'donation_lot_fixed: a lot that was approved does not change' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER donation_lot_fixed BEFORE UPDATE OF recipient_id, basis, deliberation_number, deliberation_day, prepared_by ON donation_lot FOR EACH ROW
    WHEN (OLD.state <> 'draft') EXECUTE FUNCTION donation_lot_fixed();
CREATE FUNCTION donation_line_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'listed'
        OR NOT EXISTS (SELECT 1 FROM donation_lot WHERE id = NEW.lot_id AND state = 'draft') THEN
        RAISE EXCEPTION 'donation_line_added: units are added to a draft' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER donation_line_added BEFORE INSERT ON donation_line FOR EACH ROW EXECUTE FUNCTION donation_line_added();
CREATE FUNCTION donation_line_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'donation_line_removed: units are taken out of a draft' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER donation_line_removed BEFORE DELETE ON donation_line FOR EACH ROW
    WHEN (OLD.state <> 'listed') EXECUTE FUNCTION donation_line_removed();
CREATE FUNCTION donation_line_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'donation_line_fixed: a unit that was approved does not change' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER donation_line_fixed BEFORE UPDATE OF lot_id, device_id, value_cents, estimation, estimation_note, ceiling_cents,
    erasure_evidence, checked_at ON donation_line FOR EACH ROW
    WHEN (OLD.state <> 'listed') EXECUTE FUNCTION donation_line_fixed();
CREATE FUNCTION donation_line_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state || ' > ' || NEW.state NOT IN ('listed > approved', 'listed > dropped', 'approved > delivered',
        'approved > dropped') THEN
        RAISE EXCEPTION 'donation_line_step: a unit cannot take this step' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'delivered'
        AND NOT EXISTS (SELECT 1 FROM device WHERE id = NEW.device_id AND lending_state = 'ceded') THEN
        RAISE EXCEPTION 'donation_line_step: a unit is delivered once its device has changed owner' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER donation_line_step BEFORE UPDATE OF state ON donation_line FOR EACH ROW
    WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION donation_line_step();

-- What a recipient is does not change under its lots, nor what it promised: an end and a new record say so.
CREATE FUNCTION donation_recipient_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM donation_lot WHERE recipient_id = NEW.id AND state IN ('approved', 'delivered')) THEN
        RAISE EXCEPTION 'donation_recipient_fixed: a recipient of an approved lot does not change' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER donation_recipient_fixed BEFORE UPDATE OF class, commitments, proof ON donation_recipient FOR EACH ROW EXECUTE FUNCTION donation_recipient_fixed();

-- Deeds and packing lists.
ALTER TABLE document DROP CONSTRAINT document_kind_check;
ALTER TABLE document ADD CONSTRAINT document_kind_check
    CHECK (kind IN ('agreement', 'receipt', 'site_list', 'labels', 'campaign_letter',
        'erasure_certificate', 'donation_deed', 'packing_list'));
ALTER TABLE document ADD COLUMN lot_id UUID REFERENCES donation_lot (id);
ALTER TABLE document ADD CHECK (kind NOT IN ('donation_deed', 'packing_list') OR lot_id IS NOT NULL);
CREATE INDEX document_of_lot ON document (lot_id, made_at);
