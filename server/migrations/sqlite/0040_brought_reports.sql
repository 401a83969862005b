-- Reports that a person brought in a file of another agent, for machines that ours cannot run on: which agent made it, and when
-- by the machine's clock. No enrolment speaks for them: theirs is all zeros in report and health.
CREATE TABLE brought_report (
    device_id BLOB NOT NULL REFERENCES device (id),
    report_id BLOB NOT NULL,
    tool TEXT NOT NULL CHECK (tool IN ('fusioninventory', 'glpi')),
    made_at INTEGER NOT NULL,
    brought_at INTEGER NOT NULL,
    PRIMARY KEY (device_id, report_id)
) STRICT, WITHOUT ROWID;
