//! The drives that a device was seen with: in its current report, and in the history of what changed.
//!
//! A drive is named as the history names it (`domain::change`): by its serial number, else by its model.

use std::collections::{BTreeMap, BTreeSet};

use cartable_common::{
    UtcMillis,
    report::{Drive, DriveKind, HealthReport},
};

use super::{DriveKey, Medium, gap::SeenDrive};
use crate::domain::facts::{Baseline, BaselineDrive};

/// What stands for a drive of which a device tells neither serial number nor model.
const NAMELESS: &str = "1";

/// The names of the drives of one list, in its order: as the history has them (`domain::change`), where several share one,
/// the later ones are numbered. Two drives of one model that tell no serial number are two.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn key(&mut self, serial: Option<&str>, model: Option<&str>) -> DriveKey {
        let named = serial.or(model).unwrap_or(NAMELESS);
        let numbered = (2..).map(|number| format!("{named}#{number}"));
        let free = std::iter::once(named.to_owned()).chain(numbered).find(|name| !self.0.contains(name));
        let name = free.unwrap_or_else(|| named.to_owned());
        // A report's texts are cleaned and cut: they always make a key. One that did not would be the nameless drive.
        let key: DriveKey = name.parse().unwrap_or_else(|_| DriveKey(NAMELESS.to_owned()));
        self.0.insert(name);
        key
    }
}

/// Whether a drive of that name and model told no serial number: its name is that of every other one of its model.
#[must_use]
pub fn is_named_by_model(key: &DriveKey, model: Option<&str>) -> bool {
    let name = match key.as_str().rsplit_once('#') {
        Some((name, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => key.as_str(),
    };
    name == NAMELESS || model.and_then(|model| model.parse::<DriveKey>().ok()).is_some_and(|key| key.as_str() == name)
}

fn of_drive(drive: &Drive, names: &mut Names, last_seen: UtcMillis) -> SeenDrive {
    let model = drive.model.as_ref().map(ToString::to_string);
    SeenDrive {
        key: names.key(drive.serial_number.get().map(cartable_common::SerialNumber::as_str), model.as_deref()),
        model,
        medium: Medium::of(drive.kind),
        capacity_bytes: drive.capacity_bytes.map(cartable_common::Bytes::get),
        last_seen,
    }
}

/// The drives of a report whose device was last heard from at `last_seen`. Removable sticks are not drives of it: an
/// agent leaves them out.
#[must_use]
pub fn in_report(report: &HealthReport, last_seen: UtcMillis) -> Vec<SeenDrive> {
    let mut names = Names::default();
    report.drives.iter().map(|drive| of_drive(drive, &mut names, last_seen)).collect()
}

/// The drives that staff know, as of the moment at which the device was recorded.
#[must_use]
pub fn in_baseline(baseline: &Baseline, at: UtcMillis) -> Vec<SeenDrive> {
    let mut names = Names::default();
    let of = |drive: &BaselineDrive| SeenDrive {
        key: names.key(drive.serial.as_deref(), drive.model.as_deref()),
        model: drive.model.clone(),
        medium: Medium::Unknown,
        capacity_bytes: drive.capacity.map(cartable_common::Bytes::get),
        last_seen: at,
    };
    baseline.drives.iter().map(of).collect()
}

/// A change of the history that speaks of a drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriveChange {
    /// Where in the report: `drives[S3X9]`, `drives[S3X9].ata_attributes[5].raw`.
    pub path: String,
    /// What stood there.
    pub before: Option<String>,
    /// What stands there.
    pub after: Option<String>,
    /// When the server learned of it, or when the inventory was made that a person brought.
    pub received_at: UtcMillis,
    /// When the report before that one had arrived, or was made.
    pub previous_at: Option<UtcMillis>,
}

/// The drives that a history shows. A drive that went was last seen in the report before: the one that no longer had it
/// says nothing of its use.
#[must_use]
pub fn in_history(changes: &[DriveChange]) -> Vec<SeenDrive> {
    let mut drives: BTreeMap<DriveKey, SeenDrive> = BTreeMap::new();
    for change in changes {
        let Some((name, whole)) = named(&change.path) else { continue };
        let Ok(key) = name.parse::<DriveKey>() else { continue };
        let went = whole && change.after.is_none();
        let seen_at = if went { change.previous_at.unwrap_or(change.received_at) } else { change.received_at };
        let described = change.after.as_deref().or(change.before.as_deref()).filter(|_| whole).unwrap_or_default();
        let medium = Medium::of(part(described, "kind").and_then(kind));
        let model = part(described, "model").map(str::to_owned);
        let capacity = part(described, "capacity_bytes").and_then(|text| text.parse().ok());
        let known = drives.entry(key.clone()).or_insert_with(|| SeenDrive {
            key,
            model: None,
            medium: Medium::Unknown,
            capacity_bytes: None,
            last_seen: seen_at,
        });
        known.last_seen = known.last_seen.max(seen_at);
        known.medium = known.medium.stricter(medium);
        known.model = known.model.take().or(model);
        known.capacity_bytes = known.capacity_bytes.or(capacity);
    }
    drives.into_values().collect()
}

/// The name in `drives[NAME]…`, and whether the path is the drive itself.
fn named(path: &str) -> Option<(&str, bool)> {
    let rest = path.strip_prefix("drives[")?;
    match rest.split_once("].") {
        Some((name, _)) => Some((name, false)),
        None => Some((rest.strip_suffix(']')?, true)),
    }
}

/// The value of `name` in `capacity_bytes: 5, kind: ssd, model: X`.
fn part<'t>(described: &'t str, name: &str) -> Option<&'t str> {
    described.split(", ").find_map(|part| part.strip_prefix(name)?.strip_prefix(": "))
}

fn kind(text: &str) -> Option<DriveKind> {
    [DriveKind::Hdd, DriveKind::Ssd, DriveKind::Nvme, DriveKind::Emmc]
        .into_iter()
        .find(|kind| serde_json::to_value(kind).is_ok_and(|value| value == *text))
}
