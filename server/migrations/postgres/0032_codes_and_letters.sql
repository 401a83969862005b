-- A scanner set to another case means the same label: two labels that differ in case alone are one, and both codes are
-- found whatever their case.
CREATE UNIQUE INDEX device_asset_tag_folded ON device (lower(asset_tag));
CREATE INDEX device_serial_number_folded ON device (lower(serial_number));

-- A letter of a campaign is dropped when the campaign is closed or does not expect the loan any more.
ALTER TABLE notice DROP CONSTRAINT notice_dropped_why_check;
ALTER TABLE notice ADD CONSTRAINT notice_dropped_why_check CHECK (dropped_why IN ('loan_ended', 'due_changed', 'superseded',
    'expired', 'recipient_gone', 'not_expected'));
