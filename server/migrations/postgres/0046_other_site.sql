-- A machine that is recorded at another site than that of its token waits for the people of the site where it is recorded.
-- That device; nothing where its token's site is as good.
ALTER TABLE newcomer ADD COLUMN listed_as UUID REFERENCES device (id);
ALTER TABLE newcomer DROP CONSTRAINT newcomer_waits_for_check;
ALTER TABLE newcomer ADD CONSTRAINT newcomer_waits_for_check
    CHECK (waits_for IN ('unlisted_serial', 'spent_token', 'other_site', 'cloned_key'));
ALTER TABLE newcomer ADD CHECK (waits_for <> 'other_site' OR listed_as IS NOT NULL);
ALTER TABLE newcomer ADD CHECK (listed_as IS NULL OR vouched_by IS NULL);
