//! The real programs, each in a process of its own: what an operator types, what a kill leaves, a life from end to end.

mod actions;
mod agent_version;
mod cli_refurbishment;
mod cloned;
mod cloned_trolley;
mod demo_json;
mod donation;
mod donation_commands;
mod erasure_nwipe;
mod exams;
mod foreign_agent;
mod hostile_text;
mod import_survives_kill;
mod inventory_import;
mod kill_server;
mod laptop;
mod lifecycle;
mod notices_kill;
mod operator;
mod readme_programme;
mod recovery;
mod reimaged;
#[cfg(target_os = "linux")]
mod restore;
#[cfg(target_os = "linux")]
mod rotation;
mod rotation_fleet;
mod this_computer;
mod tpm;
mod updates;
mod virtual_laptop;
mod windows_agent;
mod windows_installer;
mod windows_keys;
mod windows_registry;
mod windows_updates;
mod year;
mod year_clock;
mod year_crash;
mod year_network;
mod year_tools;
