-- Each webhook has its own line of events, oldest first: who waits at its head is found without reading what was told.
DROP INDEX webhook_delivery_due;
CREATE INDEX webhook_delivery_line ON webhook_delivery (webhook_id, created_at, id) WHERE finished_at IS NULL;
