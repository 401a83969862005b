-- For large fleets: history by the month, so that a month past its time is dropped whole; a search that reads no
-- device but those it finds. SQLite's file of the same number does what that engine needs.

-- The default partition takes what belongs to no month that has a table: the server makes the months ahead.
ALTER TABLE health_change RENAME TO health_change_whole;
ALTER TABLE health_change_whole DROP CONSTRAINT health_change_pkey;
CREATE TABLE health_change (
    device_id UUID NOT NULL REFERENCES device (id),
    received_at BIGINT NOT NULL,
    report_id UUID NOT NULL,
    path TEXT NOT NULL,
    -- When it was measured, by the agent's clock less its skew; for people, never decides.
    measured_at BIGINT NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (device_id, received_at, report_id, path)
) PARTITION BY RANGE (received_at);
CREATE TABLE health_change_default PARTITION OF health_change DEFAULT;

ALTER TABLE health_daily RENAME TO health_daily_whole;
ALTER TABLE health_daily_whole DROP CONSTRAINT health_daily_pkey;
CREATE TABLE health_daily (
    device_id UUID NOT NULL REFERENCES device (id),
    day BIGINT NOT NULL,
    -- The measurement these figures come from; the day's last one wins.
    measured_at BIGINT NOT NULL,
    system_volume_available_percent BIGINT,
    drive_wear_percent BIGINT,
    battery_health_percent BIGINT,
    hottest_celsius BIGINT,
    PRIMARY KEY (device_id, day)
) PARTITION BY RANGE (day);
CREATE TABLE health_daily_default PARTITION OF health_daily DEFAULT;

-- Tables for the months of the last five years that hold something, the current one and the two ahead.
DO $$
DECLARE
    this_month CONSTANT DATE := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    first_of DATE;
    first_day BIGINT;
    next_day BIGINT;
BEGIN
    FOR first_of IN SELECT (this_month + make_interval(months => n))::date FROM generate_series(-61, 2) AS n LOOP
        first_day := first_of - DATE '1970-01-01';
        next_day := (first_of + INTERVAL '1 month')::date - DATE '1970-01-01';
        IF first_of >= this_month OR EXISTS (SELECT FROM health_change_whole
            WHERE received_at >= first_day * 86400000 AND received_at < next_day * 86400000) THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF health_change FOR VALUES FROM (%s) TO (%s)',
                'health_change_' || to_char(first_of, 'YYYY_MM'), first_day * 86400000, next_day * 86400000);
        END IF;
        IF first_of >= this_month OR EXISTS (SELECT FROM health_daily_whole
            WHERE day >= first_day AND day < next_day) THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF health_daily FOR VALUES FROM (%s) TO (%s)',
                'health_daily_' || to_char(first_of, 'YYYY_MM'), first_day, next_day);
        END IF;
    END LOOP;
END $$;

INSERT INTO health_change (device_id, received_at, report_id, path, measured_at, before, after)
    SELECT device_id, received_at, report_id, path, measured_at, before, after FROM health_change_whole;
DROP TABLE health_change_whole;
INSERT INTO health_daily (device_id, day, measured_at, system_volume_available_percent, drive_wear_percent,
        battery_health_percent, hottest_celsius)
    SELECT device_id, day, measured_at, system_volume_available_percent, drive_wear_percent,
        battery_health_percent, hottest_celsius FROM health_daily_whole;
DROP TABLE health_daily_whole;

-- Words of three and more characters are found through their trigrams. Where the server lacks the extension (Debian:
-- part of the package postgresql) or refuses it, a search finds the same by reading through the fleet.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX device_search ON device USING gin (search_text gin_trgm_ops);
EXCEPTION
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
        RAISE NOTICE 'pg_trgm cannot be used (%): searches read through all devices', SQLERRM;
END $$;
