-- Which devices a drive was recorded or seen of: one erased drive proves nothing of a second device.
CREATE INDEX erasure_of_drive ON erasure (drive_key, device_id);
CREATE INDEX drive_seen_of_drive ON drive_seen (drive_key, device_id);

-- Who confirmed that a drive which no report ever showed was in the device: of what a tool wrote down. The witness of what
-- was entered by hand stands in a column of its own, whose CHECK admits nothing else.
ALTER TABLE erasure ADD COLUMN confirmed_by TEXT
    CHECK (confirmed_by IS NULL OR (source <> 'hand' AND lower(confirmed_by) <> lower(operator)));
ALTER TABLE erasure ADD COLUMN confirmed_at INTEGER CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL));
