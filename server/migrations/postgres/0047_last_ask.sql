-- The day (its first moment) on which a request that lapses was last made: one that goes on asking does not lapse. Nothing where
-- it waits as long as it takes. Those of before this count from the day of the upgrade.
ALTER TABLE newcomer ADD COLUMN asked_on BIGINT CHECK (asked_on % 86400000 = 0);
UPDATE newcomer SET asked_on = floor(extract(epoch FROM now()) / 86400)::bigint * 86400000 WHERE state = 'waiting';
ALTER TABLE enrolment ADD COLUMN asked_on BIGINT CHECK (asked_on % 86400000 = 0);
-- One that a restored database forgot has no request but its own name.
UPDATE enrolment SET asked_on = floor(extract(epoch FROM now()) / 86400)::bigint * 86400000
    WHERE status = 'pending' AND (token_id IS NOT NULL OR request_id <> id);
