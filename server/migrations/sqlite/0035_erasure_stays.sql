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
