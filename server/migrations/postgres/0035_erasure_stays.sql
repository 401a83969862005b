-- eMMC is a medium of its own: flash for which only destruction is more than Clear.
ALTER TABLE erasure DROP CONSTRAINT erasure_medium_check;
ALTER TABLE erasure ADD CONSTRAINT erasure_medium_check CHECK (medium IN ('rotating', 'flash', 'emmc', 'unknown'));
ALTER TABLE drive_seen DROP CONSTRAINT drive_seen_medium_check;
ALTER TABLE drive_seen ADD CONSTRAINT drive_seen_medium_check CHECK (medium IN ('rotating', 'flash', 'emmc', 'unknown'));

-- As migration 31 made it.
CREATE OR REPLACE FUNCTION device_ceded() RETURNS trigger LANGUAGE plpgsql AS $$
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
                AND e.used_again = 0 AND (e.medium NOT IN ('flash', 'emmc') OR e.level <> 'clear'))
            AND NOT EXISTS (SELECT 1 FROM erasure_absence a WHERE a.device_id = NEW.id
                AND a.drive_key = j ->> 'drive' AND j ->> 'record' = 'absent' AND a.seen_again = 0))) THEN
        RAISE EXCEPTION 'device_ceded: a device changes owner in an approved lot in which nothing is missing for it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

-- What proves something is never written over: neither what was recorded of an erasure, nor which files prove it, nor what
-- was declared. A record gains its witness, and that it was overtaken by a use, which it never loses again.
CREATE TRIGGER erasure_unchanged BEFORE UPDATE OF id, device_id, drive_key, model, medium, method, method_name, level, tool,
    tool_version, started_at, ended_at, passes, capacity_bytes, bytes_erased, errors, verification, outcome, host, source,
    operator, recorded_at ON erasure FOR EACH ROW EXECUTE FUNCTION erasure_stays();
CREATE TRIGGER erasure_used_again BEFORE UPDATE OF used_again ON erasure FOR EACH ROW
    WHEN (NEW.used_again < OLD.used_again) EXECUTE FUNCTION erasure_stays();
CREATE TRIGGER erasure_evidence_unchanged BEFORE UPDATE ON erasure_evidence
    FOR EACH ROW EXECUTE FUNCTION erasure_stays();
CREATE TRIGGER erasure_absence_unchanged BEFORE UPDATE OF id, device_id, drive_key, reason, declared_by, declared_at
    ON erasure_absence FOR EACH ROW EXECUTE FUNCTION erasure_stays();
CREATE TRIGGER erasure_absence_seen_again BEFORE UPDATE OF seen_again ON erasure_absence FOR EACH ROW
    WHEN (NEW.seen_again < OLD.seen_again) EXECUTE FUNCTION erasure_stays();
