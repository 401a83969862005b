-- A scanner set to another case means the same label: two labels that differ in case alone are one, and both codes are
-- found whatever their case.
-- Two that were let in before: the device that was recorded first keeps its label, each other gets the end of its id behind
-- it. (Not the beginning: devices of one delivery have that in common.) It is found by the new label and by the old one.
CREATE INDEX device_asset_tag_folding ON device (lower(asset_tag));
UPDATE device SET asset_tag = asset_tag || '-2-' || right(id::text, 8),
    search_text = search_text || ' ' || lower(asset_tag) || '-2-' || right(id::text, 8)
    WHERE EXISTS (SELECT 1 FROM device o WHERE lower(o.asset_tag) = lower(device.asset_tag)
        AND (o.created_at < device.created_at OR o.created_at = device.created_at AND o.id < device.id));
DROP INDEX device_asset_tag_folding;
CREATE UNIQUE INDEX device_asset_tag_folded ON device (lower(asset_tag));
CREATE INDEX device_serial_number_folded ON device (lower(serial_number));

-- A letter of a campaign is dropped when the campaign is closed or does not expect the loan any more.
ALTER TABLE notice DROP CONSTRAINT notice_dropped_why_check;
ALTER TABLE notice ADD CONSTRAINT notice_dropped_why_check CHECK (dropped_why IN ('loan_ended', 'due_changed', 'superseded',
    'expired', 'recipient_gone', 'not_expected'));
