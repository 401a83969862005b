-- What the program refuses, SQL written by hand is refused too: a step that a loan cannot take, and a device that is
-- elsewhere than its open loan says. The steps are those of domain::loan, which takes each of them in the tests.

CREATE TRIGGER loan_step BEFORE UPDATE OF state ON loan WHEN OLD.state <> NEW.state BEGIN
    SELECT RAISE(ABORT, 'loan_step: a loan cannot take this step')
        WHERE OLD.state || ' > ' || NEW.state NOT IN ('reserved > cancelled', 'reserved > handed_over',
            'handed_over > returned', 'handed_over > lost', 'handed_over > stolen', 'handed_over > written_off',
            'handed_over > ceded', 'lost > returned', 'lost > stolen', 'lost > written_off', 'stolen > returned',
            'stolen > written_off', 'written_off > returned', 'returned > handed_over', 'returned > lost',
            'returned > stolen', 'returned > written_off');
    -- A return is undone only while the device still waits in the intake. Who may, and for how long, the program knows.
    SELECT RAISE(ABORT, 'loan_step: only a return that waits in the intake can be undone')
        WHERE OLD.state = 'returned'
        AND NOT EXISTS (SELECT 1 FROM device WHERE id = NEW.device_id AND lending_state = 'intake');
END;

-- A loan is of one device, from beginning to end.
CREATE TRIGGER loan_keeps_device BEFORE UPDATE OF device_id ON loan WHEN OLD.device_id <> NEW.device_id BEGIN
    SELECT RAISE(ABORT, 'loan_keeps_device: a loan does not change its device');
END;

-- The loan is written first, then where its device is.
CREATE TRIGGER device_where_its_loan_says BEFORE UPDATE OF lending_state ON device
WHEN OLD.lending_state <> NEW.lending_state BEGIN
    SELECT RAISE(ABORT, 'device_where_its_loan_says: the open loan of a device says where it is')
        WHERE COALESCE((SELECT CASE state WHEN 'reserved' THEN 'reserved' ELSE 'lent' END FROM loan
            WHERE device_id = NEW.id AND ended_at IS NULL), 'none')
        <> CASE WHEN NEW.lending_state IN ('reserved', 'lent') THEN NEW.lending_state ELSE 'none' END;
END;

-- Erasing who a borrower was finds its needs.
CREATE INDEX need_of_borrower ON need (borrower_id);
