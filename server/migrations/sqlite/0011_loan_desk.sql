-- The desk: more kinds of steps, signatures drawn on its screen, and what its lists are sorted by.

-- A return may be undone, and a device put back into stock. A CHECK cannot be changed in place.
CREATE TABLE loan_event_of_desk (
    loan_id BLOB NOT NULL REFERENCES loan (id),
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('reserved', 'cancelled', 'handed_over', 'extended', 'returned', 'return_undone',
        'stocked', 'lost', 'stolen', 'written_off', 'ceded')),
    actor TEXT NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (loan_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO loan_event_of_desk SELECT loan_id, number, at, kind, actor, details FROM loan_event;
DROP TABLE loan_event;
ALTER TABLE loan_event_of_desk RENAME TO loan_event;
-- What one person took back last.
CREATE INDEX loan_event_of_actor ON loan_event (actor, kind, at);

CREATE INDEX loan_newest ON loan (reserved_at, id);
CREATE INDEX loan_of_state ON loan (state, reserved_at, id);

-- A signature drawn on the desk's screen, sealed: it is personal data.
CREATE TABLE loan_signature (
    loan_id BLOB NOT NULL PRIMARY KEY REFERENCES loan (id),
    sealed TEXT NOT NULL,
    signed_at INTEGER NOT NULL
) STRICT;
