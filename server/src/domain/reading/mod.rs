//! Recognises what other tools say of a machine, by its content, and turns it into the types of a report, unjudged.
//!
//! smartctl (JSON and text), the kernel's power supplies, upower, acpi, `mmc extcsd`, dmidecode, lshw (text and JSON),
//! inventories of FusionInventory (XML) and GLPI (JSON), a Cartable report or check-in. The name of a file says nothing
//! here. Whatever is odd costs only itself; nothing here panics or recurses without a bound, because the texts are foreign.

pub mod agents;
mod batteries;
mod decode;
mod emmc;
mod inventory;
mod json;
mod smartctl_text;

use cartable_common::{
    UtcMillis,
    report::{Battery, Drive, HealthReport},
};

use self::agents::AgentInventory;
use super::wording::Said;

/// What a text tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// One drive.
    Drive {
        /// What it says of itself.
        drive: Box<Drive>,
        /// When, where the tool wrote it down.
        at: Option<UtcMillis>,
        /// The tool's own words about what went wrong.
        words: Option<String>,
    },
    /// The machine's own batteries, peripherals' left out.
    Batteries(Vec<Battery>),
    /// A whole machine: one report, or the spool of a check-in.
    Device(Vec<DatedReport>),
    /// A list of a machine's parts that says nothing of their health.
    Inventory(Box<HealthReport>),
    /// A whole machine, as the agent of another system lists it.
    Agent(Box<AgentInventory>),
}

/// A report and its place among the others of its machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatedReport {
    /// Its number, which decides what came after what.
    pub sequence: u64,
    /// When it was measured, if that is known.
    pub at: Option<UtcMillis>,
    /// What was measured.
    pub report: HealthReport,
}

/// Why nothing can be told of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The system did not give its content, and why.
    NotGiven(Said),
    /// It is larger than anything that tools write about one machine.
    TooLarge,
    /// Nothing is in it.
    Empty,
    /// It is no text.
    Binary,
    /// It begins like JSON and is none, with the parser's words.
    BrokenJson(String),
    /// It begins like an inventory in XML and is none, with what is wrong.
    BrokenXml(String),
    /// A Cartable report with a value that none may have, with the parser's words.
    InvalidReport(String),
    /// A text of no tool that is known here.
    Unrecognised,
}

impl Unreadable {
    /// Its name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotGiven(_) => "file_not_given",
            Self::TooLarge => "file_too_large",
            Self::Empty => "file_empty",
            Self::Binary => "file_binary",
            Self::BrokenJson(_) => "json_broken",
            Self::BrokenXml(_) => "xml_broken",
            Self::InvalidReport(_) => "report_invalid",
            Self::Unrecognised => "format_unknown",
        }
    }

    /// It in words.
    #[must_use]
    pub fn said(&self) -> Said {
        match self {
            Self::NotGiven(why) => why.clone(),
            Self::TooLarge => Said::new(
                format!("le fichier dépasse {} Mo", MOST_BYTES >> 20),
                format!("the file is larger than {} MiB", MOST_BYTES >> 20),
            ),
            Self::Empty => Said::new("le fichier est vide", "the file is empty"),
            Self::Binary => Said::new("ce n'est pas du texte", "it is no text"),
            Self::BrokenJson(words) => {
                Said::new(format!("JSON illisible : {words}"), format!("JSON that cannot be read: {words}"))
            }
            Self::BrokenXml(words) => Said::new(
                format!("inventaire illisible : {words}"),
                format!("an inventory that cannot be read: {words}"),
            ),
            Self::InvalidReport(words) => {
                Said::new(format!("relevé refusé : {words}"), format!("a report that is refused: {words}"))
            }
            Self::Unrecognised => Said::new("format inconnu", "unknown format"),
        }
    }
}

/// Largest file read: smartctl's longest answers are below 100 KB, a large server's `lshw -json` below 1 MB.
pub const MOST_BYTES: usize = 8 << 20;

/// What `bytes` tell.
pub fn read(bytes: &[u8]) -> Result<Reading, Unreadable> {
    if bytes.len() > MOST_BYTES {
        return Err(Unreadable::TooLarge);
    }
    let text = decode::text(bytes)?;
    if let Some(read) = text.trim_start().starts_with('<').then(|| agents::of_xml(&text)).flatten() {
        return read.map(|inventory| Reading::Agent(Box::new(inventory)));
    }
    let broken = match text.trim_start().starts_with(['{', '[']).then(|| json::read(&text)) {
        Some(Ok(reading)) => return Ok(reading),
        Some(Err(why)) => Some(why),
        None => None,
    };
    plain(&text).ok_or_else(|| broken.unwrap_or(Unreadable::Unrecognised))
}

fn plain(text: &str) -> Option<Reading> {
    smartctl_text::read(text)
        .or_else(|| inventory::dmidecode(text))
        .or_else(|| batteries::uevents(text))
        .or_else(|| batteries::upower(text))
        .or_else(|| batteries::acpi(text))
        .or_else(|| emmc::extcsd(text))
        .or_else(|| inventory::lshw(text))
}

/// The part of `line` after `name` and a colon, where the line begins so; French typesetting puts a space before it.
fn after<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    let rest = line.trim_start().strip_prefix(name)?;
    rest.trim_start_matches([' ', '\u{A0}', '\u{202F}', '\t']).strip_prefix(':').map(str::trim)
}

/// A number at the beginning of `text`, in thousandths, as people of both languages write it: `39,264`, `47.52`,
/// `1 234,5`. Absent for anything else, below zero too.
fn thousandths(text: &str) -> Option<u64> {
    const MOST_DIGITS: usize = 12;
    let mut whole = String::new();
    let mut decimals: Option<String> = None;
    for character in text.trim().chars() {
        match (character, &mut decimals) {
            ('0'..='9', Some(digits)) => digits.push(character),
            ('0'..='9', None) => whole.push(character),
            ('.' | ',', None) if !whole.is_empty() => decimals = Some(String::new()),
            ('\u{A0}' | '\u{202F}', None) => {}
            _ => break,
        }
    }
    if whole.is_empty() || whole.len() > MOST_DIGITS {
        return None;
    }
    let decimals: String = decimals.unwrap_or_default().chars().chain("000".chars()).take(3).collect();
    Some(whole.parse::<u64>().ok()? * 1000 + decimals.parse::<u64>().ok()?)
}

/// A whole number with separators between its thousands, whatever those are: `250,554,755`, `250 554 755`.
fn grouped(text: &str) -> Option<u64> {
    let separators = [',', '.', '\'', '’', ' ', '\u{A0}', '\u{202F}', '\u{2009}'];
    let end = text.find(|c: char| !c.is_ascii_digit() && !separators.contains(&c)).unwrap_or(text.len());
    let digits: String = text.get(..end)?.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests;
