-- What the program refuses, SQL written by hand is refused too: a step that a loan cannot take, and a device that is
-- elsewhere than its open loan says. The steps are those of domain::loan, which takes each of them in the tests.

CREATE FUNCTION loan_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state || ' > ' || NEW.state NOT IN ('reserved > cancelled', 'reserved > handed_over',
        'handed_over > returned', 'handed_over > lost', 'handed_over > stolen', 'handed_over > written_off',
        'handed_over > ceded', 'lost > returned', 'lost > stolen', 'lost > written_off', 'stolen > returned',
        'stolen > written_off', 'written_off > returned', 'returned > handed_over', 'returned > lost',
        'returned > stolen', 'returned > written_off') THEN
        RAISE EXCEPTION 'loan_step: a loan cannot take this step' USING ERRCODE = 'check_violation';
    END IF;
    -- A return is undone only while the device still waits in the intake. Who may, and for how long, the program knows.
    IF OLD.state = 'returned'
        AND NOT EXISTS (SELECT 1 FROM device WHERE id = NEW.device_id AND lending_state = 'intake') THEN
        RAISE EXCEPTION 'loan_step: only a return that waits in the intake can be undone'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER loan_step BEFORE UPDATE OF state ON loan FOR EACH ROW WHEN (OLD.state <> NEW.state)
    EXECUTE FUNCTION loan_step();

-- A loan is of one device, from beginning to end.
CREATE FUNCTION loan_keeps_device() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'loan_keeps_device: a loan does not change its device' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER loan_keeps_device BEFORE UPDATE OF device_id ON loan FOR EACH ROW WHEN (OLD.device_id <> NEW.device_id)
    EXECUTE FUNCTION loan_keeps_device();

-- The loan is written first, then where its device is.
CREATE FUNCTION device_where_its_loan_says() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF COALESCE((SELECT CASE state WHEN 'reserved' THEN 'reserved' ELSE 'lent' END FROM loan
        WHERE device_id = NEW.id AND ended_at IS NULL), 'none')
        <> (CASE WHEN NEW.lending_state IN ('reserved', 'lent') THEN NEW.lending_state ELSE 'none' END) THEN
        RAISE EXCEPTION 'device_where_its_loan_says: the open loan of a device says where it is'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER device_where_its_loan_says BEFORE UPDATE OF lending_state ON device FOR EACH ROW
    WHEN (OLD.lending_state <> NEW.lending_state) EXECUTE FUNCTION device_where_its_loan_says();

-- Erasing who a borrower was finds its needs.
CREATE INDEX need_of_borrower ON need (borrower_id);
