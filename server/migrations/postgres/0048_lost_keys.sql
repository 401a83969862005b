-- A request that names a lost key: the enrolment whose key it is. It counts among the few that may wait so for one device.
ALTER TABLE newcomer ADD COLUMN lost_key_of UUID REFERENCES enrolment (id);
ALTER TABLE enrolment ADD COLUMN lost_key_of UUID REFERENCES enrolment (id);
CREATE INDEX newcomer_lost_key ON newcomer (lost_key_of);
CREATE INDEX enrolment_lost_key ON enrolment (lost_key_of);
-- A newcomer may turn out to be a device that has a key by now.
ALTER TABLE newcomer DROP CONSTRAINT newcomer_waits_for_check;
ALTER TABLE newcomer ADD CONSTRAINT newcomer_waits_for_check
    CHECK (waits_for IN ('replacement', 'unlisted_serial', 'spent_token', 'other_site', 'cloned_key'));
