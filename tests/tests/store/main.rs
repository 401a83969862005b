//! The store on SQLite and PostgreSQL: what is kept, found, counted, forgotten and moved to a newer schema.

mod advice;
mod allocation;
mod campaign;
mod device;
mod documents;
mod history_months;
mod ingest;
mod jobs;
mod lending_flags;
mod lists;
mod migration;
mod needs;
mod recovery;
mod schema;
mod search;
mod totals;
