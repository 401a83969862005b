-- For large fleets: a search that reads no device but those it finds. PostgreSQL's file of the same number also keeps
-- history by the month, to drop a month whole; SQLite has no partitions, and its history tables stay as they are.

-- A number for each device that stays the same when the file is rewritten (VACUUM gives implicit ones anew).
CREATE TABLE device_search_number (
    number INTEGER NOT NULL PRIMARY KEY,
    device_id BLOB NOT NULL UNIQUE REFERENCES device (id)
) STRICT;

-- Which devices hold which trigrams; the text itself stands in `device`.
CREATE VIRTUAL TABLE device_search USING fts5 (
    search_text, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'
);

INSERT INTO device_search_number (device_id) SELECT id FROM device ORDER BY id;
INSERT INTO device_search (rowid, search_text)
    SELECT n.number, d.search_text FROM device_search_number n JOIN device d ON d.id = n.device_id ORDER BY n.number;

-- Kept by the transactions that write devices. Devices are never deleted.
CREATE TRIGGER device_search_insert AFTER INSERT ON device BEGIN
    INSERT INTO device_search_number (device_id) VALUES (NEW.id);
    INSERT INTO device_search (rowid, search_text)
        SELECT number, NEW.search_text FROM device_search_number WHERE device_id = NEW.id;
END;
CREATE TRIGGER device_search_update AFTER UPDATE OF search_text ON device WHEN OLD.search_text <> NEW.search_text BEGIN
    UPDATE device_search SET search_text = NEW.search_text
        WHERE rowid = (SELECT number FROM device_search_number WHERE device_id = NEW.id);
END;
