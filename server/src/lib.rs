//! Cartable's server: knows each lent device's health and says, with its reasons, which ones need a person.
//!
//! Arrows point one way: `console`, `api`, `gateway`, `jobs`, `cli` → `store` → `domain` → `cartable_common`.
//! `domain` decides without I/O; SQL stands only in `store`; TLS only in `gateway`.

pub mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod documents;
pub mod domain;
pub mod exchange;
pub mod fault;
pub mod gateway;
pub mod jobs;
pub mod lifecycle;
pub mod mail;
pub mod photo;
pub mod pki;
pub mod random;
pub mod store;
pub mod vault;
pub mod webhook;
