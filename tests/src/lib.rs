//! What Cartable's promises are tested with: a harness around the real binaries, a simulated fleet, the demo that
//! puts both before a newcomer, throw-away databases, a browser, a network and clocks that go wrong as told, and a reader
//! of the project's own source.

pub mod ageing_study;
pub mod authority;
pub mod axe;
pub mod bench;
pub mod browser;
pub mod calibration;
pub mod demo;
pub mod donation;
#[cfg(unix)]
pub mod erasing;
pub mod fleet;
pub mod foreign_text;
pub mod gateway_client;
pub mod guide;
pub mod harness;
pub mod imports;
pub mod in_process;
pub mod lending;
pub mod lent;
pub mod mail_server;
pub mod pages;
pub mod paper;
pub mod picture;
pub mod postgres;
pub mod raw;
#[cfg(target_os = "linux")]
pub mod readme;
pub mod relay;
pub mod school;
pub mod school_year;
pub mod simulator;
pub mod source;
pub mod stores;
#[cfg(target_os = "linux")]
pub mod virtual_laptop;
pub mod walk;
#[cfg(target_os = "linux")]
pub mod wine;
pub mod work_model;
pub mod workshop_year;
pub mod workspace;
#[cfg(target_os = "linux")]
pub mod year;
