-- When a borrower's last loan of a device that was given away ended: such a loan names nobody any more, and the days
-- after which a person is forgotten are counted from the last return all the same.
ALTER TABLE borrower ADD COLUMN last_loan_ended_at INTEGER;

-- It is final: who owns the device now is not us, whatever a loan or a file says.
CREATE TRIGGER device_stays_ceded BEFORE UPDATE OF lending_state ON device
WHEN OLD.lending_state = 'ceded' AND NEW.lending_state <> 'ceded' BEGIN
    SELECT RAISE(ABORT, 'device_stays_ceded: a device that changed owner does not come back');
END;

-- Drives that a device was seen with whose other traces are gone: the month of history that told of them is forgotten, the
-- baseline that named them was replaced. The erasure gate asks about them still.
CREATE TABLE drive_seen (
    device_id BLOB NOT NULL REFERENCES device (id),
    -- The drive's serial number in capitals, or its model where it tells none.
    drive_key TEXT NOT NULL CHECK (drive_key <> ''),
    model TEXT,
    medium TEXT NOT NULL CHECK (medium IN ('rotating', 'flash', 'unknown')),
    capacity_bytes INTEGER CHECK (capacity_bytes >= 0),
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (device_id, drive_key)
) STRICT, WITHOUT ROWID;
