//! The store on SQLite and PostgreSQL: what is kept, found, counted, forgotten and moved to a newer schema.

mod advice;
mod agent_releases;
mod allocation;
mod approval_queue;
mod brought_report;
mod campaign;
mod cloned_keys;
mod device;
mod device_action;
mod documents;
mod exams;
mod foreign_agent;
mod history_months;
mod ingest;
mod jobs;
mod lending_flags;
mod lists;
mod migration;
mod needs;
mod newcomer;
mod readmission;
mod recovery;
mod schema;
mod search;
mod totals;
mod trust_bundle;
