-- When a borrower's last loan of a device that was given away ended: such a loan names nobody any more, and the days
-- after which a person is forgotten are counted from the last return all the same.
ALTER TABLE borrower ADD COLUMN last_loan_ended_at INTEGER;

-- It is final: who owns the device now is not us, whatever a loan or a file says.
CREATE TRIGGER device_stays_ceded BEFORE UPDATE OF lending_state ON device
WHEN OLD.lending_state = 'ceded' AND NEW.lending_state <> 'ceded' BEGIN
    SELECT RAISE(ABORT, 'device_stays_ceded: a device that changed owner does not come back');
END;
