-- Which trust bundle each agent was last known to hold: its number. The first is what a technician brings.
ALTER TABLE enrolment ADD COLUMN trust_bundle INTEGER NOT NULL DEFAULT 1;
