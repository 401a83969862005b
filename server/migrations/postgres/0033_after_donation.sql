-- When a borrower's last loan of a device that was given away ended: such a loan names nobody any more, and the days after
-- which a person is forgotten are counted from the last return all the same.
ALTER TABLE borrower ADD COLUMN last_loan_ended_at BIGINT;
