//! The store on SQLite and PostgreSQL: what is kept, found, counted, forgotten and moved to a newer schema.

mod advice;
mod agent_releases;
mod allocation;
mod approval_queue;
mod brought_report;
mod campaign;
mod device;
mod documents;
mod exams;
mod history_months;
mod ingest;
mod jobs;
mod lending_flags;
mod lists;
mod migration;
mod needs;
mod newcomer;
mod recovery;
mod schema;
mod search;
mod totals;
