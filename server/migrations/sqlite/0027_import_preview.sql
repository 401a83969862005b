-- The headings of an import's file and a few examples of each column, sealed like the file: shown without reading it.

ALTER TABLE import ADD COLUMN sealed_preview TEXT;
