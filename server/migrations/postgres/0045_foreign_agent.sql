-- Whose agent holds a key: ours, or another system's, whose certificate a person issued for one recorded device. Such a key
-- brings inventories and does nothing else.
ALTER TABLE enrolment ADD COLUMN kind TEXT NOT NULL DEFAULT 'agent' CHECK (kind IN ('agent', 'foreign'));
-- Which other system's, from its last inventory.
ALTER TABLE enrolment ADD COLUMN foreign_tool TEXT CHECK (foreign_tool IN ('fusioninventory', 'glpi'));
-- Few machines have one, and their list is asked for as a whole.
CREATE INDEX enrolment_foreign ON enrolment (device_id) WHERE kind = 'foreign';
