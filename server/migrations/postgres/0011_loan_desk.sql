-- The desk: more kinds of steps, signatures drawn on its screen, and what its lists are sorted by.

-- A return may be undone, and a device put back into stock.
ALTER TABLE loan_event DROP CONSTRAINT loan_event_kind_check;
ALTER TABLE loan_event ADD CONSTRAINT loan_event_kind_check CHECK (kind IN ('reserved', 'cancelled', 'handed_over',
    'extended', 'returned', 'return_undone', 'stocked', 'lost', 'stolen', 'written_off', 'ceded'));
-- What one person took back last.
CREATE INDEX loan_event_of_actor ON loan_event (actor, kind, at);

CREATE INDEX loan_newest ON loan (reserved_at, id);
CREATE INDEX loan_of_state ON loan (state, reserved_at, id);

-- A signature drawn on the desk's screen, sealed: it is personal data.
CREATE TABLE loan_signature (
    loan_id UUID NOT NULL PRIMARY KEY REFERENCES loan (id),
    sealed TEXT NOT NULL,
    signed_at BIGINT NOT NULL
);
