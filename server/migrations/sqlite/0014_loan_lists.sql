-- The loans of a site or under a programme, newest first, without sorting them all.
CREATE INDEX loan_of_site_newest ON loan (site_id, reserved_at, id);
CREATE INDEX loan_of_programme_newest ON loan (programme_id, reserved_at, id);
