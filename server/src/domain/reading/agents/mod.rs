//! What other agents list of a whole machine: FusionInventory's XML and GLPI's JSON, for machines that cannot run ours.
//!
//! Such a file may hold names of people and hosts, software, processes, addresses. Only the fields of `WANTED` are ever
//! kept, whatever else stands there; a report has no place for more. What a field does not say is absent, never zero.

mod drives;
mod facts;
mod glpi;
mod message;
mod volumes;
mod xml;

use std::collections::BTreeMap;

use cartable_common::{Text, UtcMillis, report::HealthReport};
use serde_json::Value;

pub use message::{Asked, Wording, asked};

use super::Unreadable;
use crate::domain::verdict::text_enum;

text_enum! {
    /// Which agent made an inventory.
    pub enum Tool {
        /// fusioninventory-agent, and what else writes its XML.
        FusionInventory = "fusioninventory",
        /// GLPI Agent.
        Glpi = "glpi",
    }
}

impl Tool {
    /// As its makers write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FusionInventory => "FusionInventory",
            Self::Glpi => "GLPI",
        }
    }
}

/// A whole machine, as another agent lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentInventory {
    /// Which agent.
    pub tool: Tool,
    /// Its own name and version, such as `GLPI-Agent_v1.11`.
    pub version: Option<Text>,
    /// When, by the machine's clock, where it is written down.
    pub made_at: Option<UtcMillis>,
    /// Whether it lists only what changed since another one: then what is not in it is no fact.
    pub is_partial: bool,
    /// The facts that a report has a place for.
    pub report: HealthReport,
}

/// Sections and their fields that are taken, in the XML's names; GLPI's are the same in small letters. `/` leads into a
/// field that has fields of its own.
const WANTED: [(&str, &[&str]); 8] = [
    ("ACCESSLOG", &["LOGDATE"]),
    ("BATTERIES", &["CAPACITY", "CHEMISTRY", "MANUFACTURER", "NAME", "REAL_CAPACITY"]),
    ("BIOS", &["BDATE", "BMANUFACTURER", "BVERSION", "SMANUFACTURER", "SMODEL", "SSN"]),
    ("CPUS", &["CORE", "NAME", "THREAD"]),
    ("DRIVES", &["ENCRYPT_STATUS", "FILESYSTEM", "FREE", "SYSTEMDRIVE", "TOTAL", "TYPE", "VOLUMN"]),
    ("HARDWARE", &["CHASSIS_TYPE", "MEMORY", "UUID", "VMSYSTEM"]),
    ("OPERATINGSYSTEM", &["ARCH", "FULL_NAME", "KERNEL_NAME", "KERNEL_VERSION", "NAME", "TIMEZONE/OFFSET", "VERSION"]),
    (
        "STORAGES",
        &["DESCRIPTION", "DISKSIZE", "FIRMWARE", "INTERFACE", "MODEL", "NAME", "SERIAL", "SERIALNUMBER", "TYPE"],
    ),
];

/// Entries of one inventory that are looked at: a laptop has some dozens.
const MOST_ENTRIES: usize = 1_000;
/// Characters of a field that are looked at: more than any that a report keeps.
const MOST_CHARS: usize = 512;

/// One entry of a section: what its fields say.
type Entry = BTreeMap<&'static str, String>;

/// What was taken from an inventory, before anything is made of it.
#[derive(Debug, Default)]
struct Sections {
    /// The agent's name and version.
    client: String,
    is_partial: bool,
    entries: Vec<(&'static str, Entry)>,
    /// Nothing more is taken.
    is_full: bool,
}

impl Sections {
    /// The section called `name`, if it is taken.
    fn wanted(name: &str) -> Option<(&'static str, &'static [&'static str])> {
        WANTED.into_iter().find(|(section, _)| section.eq_ignore_ascii_case(name))
    }

    /// Begins an entry of `section`.
    fn begin(&mut self, section: &str) {
        let Some((section, _)) = Self::wanted(section) else { return };
        self.is_full |= self.entries.len() >= MOST_ENTRIES;
        if !self.is_full {
            self.entries.push((section, Entry::new()));
        }
    }

    /// Keeps what `field` of the entry that was begun last says, if it is taken and says something. Said twice, the first
    /// stands.
    fn say(&mut self, section: &str, field: &str, value: &str) {
        let Some((section, fields)) = Self::wanted(section) else { return };
        let Some(field) = fields.iter().find(|known| known.eq_ignore_ascii_case(field)) else { return };
        let value = value.trim();
        let Some((begun, entry)) = self.entries.last_mut() else { return };
        if *begun == section && !value.is_empty() && !self.is_full {
            entry.entry(*field).or_insert_with(|| value.chars().take(MOST_CHARS).collect());
        }
    }

    fn of<'s>(&'s self, section: &'s str) -> impl Iterator<Item = &'s Entry> {
        self.entries.iter().filter(move |(name, _)| *name == section).map(|(_, entry)| entry)
    }

    /// What the first entry of `section` that has `field` says there.
    fn first<'s>(&'s self, section: &'s str, field: &str) -> Option<&'s str> {
        self.of(section).find_map(|entry| entry.get(field)).map(String::as_str)
    }
}

/// An inventory in XML; nothing if it is another document.
pub(super) fn of_xml(text: &str) -> Option<Result<AgentInventory, Unreadable>> {
    xml::sections(text).map(|read| read.map(|sections| facts::inventory(&sections)).map_err(Unreadable::BrokenXml))
}

/// An inventory in JSON; nothing if it is another document.
pub(super) fn of_json(value: &Value) -> Option<AgentInventory> {
    let mut inventory = facts::inventory(&glpi::sections(value)?);
    drives::complete(&mut inventory.report, value);
    Some(inventory)
}

#[cfg(test)]
mod tests;
