-- eMMC is a medium of its own: flash for which only destruction is more than Clear.
-- A CHECK cannot be changed in place, so the column is copied; what reads it is made anew below.
DROP TRIGGER device_ceded;
ALTER TABLE erasure ADD COLUMN kept_on TEXT NOT NULL DEFAULT 'unknown'
    CHECK (kept_on IN ('rotating', 'flash', 'emmc', 'unknown'));
UPDATE erasure SET kept_on = medium WHERE medium <> 'unknown';
ALTER TABLE erasure DROP COLUMN medium;
ALTER TABLE erasure RENAME COLUMN kept_on TO medium;
CREATE TABLE drive_seen_new (
    device_id BLOB NOT NULL REFERENCES device (id),
    drive_key TEXT NOT NULL CHECK (drive_key <> ''),
    model TEXT,
    medium TEXT NOT NULL CHECK (medium IN ('rotating', 'flash', 'emmc', 'unknown')),
    capacity_bytes INTEGER CHECK (capacity_bytes >= 0),
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (device_id, drive_key)
) STRICT, WITHOUT ROWID;
INSERT INTO drive_seen_new SELECT device_id, drive_key, model, medium, capacity_bytes, last_seen FROM drive_seen;
DROP TABLE drive_seen;
ALTER TABLE drive_seen_new RENAME TO drive_seen;

-- As migration 31 made it.
CREATE TRIGGER device_ceded BEFORE UPDATE OF lending_state ON device
WHEN NEW.lending_state = 'ceded' AND OLD.lending_state <> 'ceded' BEGIN
    SELECT RAISE(ABORT, 'device_ceded: a device is given from stock, from intake, or where refurbishment set it aside for it')
        WHERE OLD.lending_state NOT IN ('in_stock', 'intake', 'set_aside')
        OR OLD.lending_state = 'set_aside' AND COALESCE((SELECT disposition FROM work_order WHERE device_id = NEW.id
            ORDER BY opened_at DESC, id DESC LIMIT 1), 'none') <> 'donate';
    SELECT RAISE(ABORT, 'device_ceded: a device changes owner in an approved lot in which nothing is missing for it')
        WHERE NOT EXISTS (SELECT 1 FROM donation_line n JOIN donation_lot t ON t.id = n.lot_id
            JOIN donation_recipient r ON r.id = t.recipient_id
            WHERE n.device_id = NEW.id AND n.state = 'approved' AND t.state = 'approved'
            AND t.approved_by IS NOT NULL AND t.basis IS NOT NULL AND r.class IS NOT NULL
            AND r.commitments IS NOT NULL AND r.proof IS NOT NULL
            AND (t.basis <> 'families_by_deliberation' OR t.deliberation_number IS NOT NULL)
            AND n.value_cents IS NOT NULL AND n.estimation IS NOT NULL AND n.estimation_note IS NOT NULL
            AND n.ceiling_cents IS NOT NULL AND n.value_cents <= n.ceiling_cents
            AND n.erasure_evidence IS NOT NULL AND n.erasure_evidence <> '[]' AND n.checked_at IS NOT NULL
            -- Each drive has a record that was not made up: verified, not used since, and more than Clear for flash; or it
            -- was declared absent.
            AND NOT EXISTS (SELECT 1 FROM json_each(n.erasure_evidence) j
                WHERE NOT EXISTS (SELECT 1 FROM erasure e WHERE e.device_id = NEW.id
                    AND e.drive_key = j.value ->> 'drive' AND lower(hex(e.id)) = j.value ->> 'record'
                    AND e.outcome = 'erased' AND (e.verification <> 'none' OR e.witness IS NOT NULL)
                    AND e.used_again = 0 AND (e.medium NOT IN ('flash', 'emmc') OR e.level <> 'clear'))
                AND NOT EXISTS (SELECT 1 FROM erasure_absence a WHERE a.device_id = NEW.id
                    AND a.drive_key = j.value ->> 'drive' AND j.value ->> 'record' = 'absent' AND a.seen_again = 0)));
END;

-- What proves something is never written over: neither what was recorded of an erasure, nor which files prove it, nor what
-- was declared. A record gains its witness, and that it was overtaken by a use, which it never loses again.
CREATE TRIGGER erasure_unchanged BEFORE UPDATE OF id, device_id, drive_key, model, medium, method, method_name, level, tool,
    tool_version, started_at, ended_at, passes, capacity_bytes, bytes_erased, errors, verification, outcome, host, source,
    operator, recorded_at ON erasure BEGIN
    SELECT RAISE(ABORT, 'erasure_stays: evidence of an erasure is never changed');
END;
CREATE TRIGGER erasure_used_again BEFORE UPDATE OF used_again ON erasure WHEN NEW.used_again < OLD.used_again BEGIN
    SELECT RAISE(ABORT, 'erasure_stays: a use after an erasure stays known');
END;
CREATE TRIGGER erasure_evidence_unchanged BEFORE UPDATE ON erasure_evidence BEGIN
    SELECT RAISE(ABORT, 'erasure_stays: evidence of an erasure is never changed');
END;
CREATE TRIGGER erasure_absence_unchanged BEFORE UPDATE OF id, device_id, drive_key, reason, declared_by, declared_at
ON erasure_absence BEGIN
    SELECT RAISE(ABORT, 'erasure_stays: evidence of an erasure is never changed');
END;
CREATE TRIGGER erasure_absence_seen_again BEFORE UPDATE OF seen_again ON erasure_absence
WHEN NEW.seen_again < OLD.seen_again BEGIN
    SELECT RAISE(ABORT, 'erasure_stays: that a drive was seen again stays known');
END;
