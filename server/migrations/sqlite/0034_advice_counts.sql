-- How many devices should become what, by site and programme: counted once by each sweep, so that no page counts the fleet.
CREATE TABLE advice_count (
    site_id BLOB REFERENCES site (id),
    programme TEXT,
    disposition TEXT NOT NULL CHECK (disposition IN ('relend', 'repair', 'donate', 'parts', 'recycle')),
    devices INTEGER NOT NULL CHECK (devices > 0),
    cost_euros INTEGER NOT NULL,
    -- When the oldest of these decisions was made.
    oldest_at INTEGER NOT NULL
) STRICT;
CREATE INDEX advice_count_of_site ON advice_count (site_id);
INSERT INTO advice_count (site_id, programme, disposition, devices, cost_euros, oldest_at)
    SELECT d.site_id, d.programme, a.disposition, count(*), CAST(SUM(a.cost_euros) AS INTEGER), MIN(a.decided_at)
    FROM advice a JOIN device d ON d.id = a.device_id WHERE d.archived_at IS NULL
    AND d.lending_state IN ('in_stock', 'reserved', 'lent', 'intake', 'refurbishment')
    GROUP BY d.site_id, d.programme, a.disposition;
