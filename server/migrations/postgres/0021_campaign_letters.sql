-- Letters of a return campaign: which of its letters was last written, and on which day; and a printed kind of them.

ALTER TABLE campaign ADD COLUMN letters BIGINT NOT NULL DEFAULT 0 CHECK (letters >= 0);
-- The day on which the last of its letters was written: at most one a day.
ALTER TABLE campaign ADD COLUMN written_day BIGINT;
UPDATE campaign SET letters = 1, written_day = started_at / 86400000 WHERE started_at IS NOT NULL;

ALTER TABLE document DROP CONSTRAINT document_kind_check;
ALTER TABLE document ADD CONSTRAINT document_kind_check
    CHECK (kind IN ('agreement', 'receipt', 'site_list', 'labels', 'campaign_letter'));
-- Of the letters of a campaign.
ALTER TABLE document ADD COLUMN campaign_id UUID REFERENCES campaign (id);
ALTER TABLE document ADD CHECK (kind <> 'campaign_letter' OR (site_id IS NOT NULL AND campaign_id IS NOT NULL));
