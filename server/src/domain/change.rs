//! What changed between two reports, for the history.
//!
//! Both are reduced to the essence that the content hash covers: where the hash is equal, nothing has changed.
//! Elements of lists are matched by what identifies them (a serial number, a role, an attribute's number), not by their
//! place; one that comes or goes is a single change. Figures of a drive that come or go are told with one more change for each
//! count whose growth matters.

use std::collections::BTreeMap;

use cartable_common::report::HealthReport;
use serde_json::{Map, Value};

use super::drive::history::named_by;

/// One value that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where in the report: `memory.total_bytes`, `drives[S3X9].ata_attributes[5].raw`.
    pub path: String,
    /// What stood there; absent if nothing did.
    pub before: Option<String>,
    /// What stands there; absent if nothing does.
    pub after: Option<String>,
}

/// Most changes that are kept of one report: a replaced machine has about forty. More would let one device fill the
/// history.
pub const MOST_CHANGES: usize = 200;

/// Longest text of one value, in characters.
const LONGEST_VALUE: usize = 200;

/// What changed from `before` to `after`, without the small movements that mean nothing; in the order of the paths,
/// which are all different.
#[must_use]
pub fn changes(before: &HealthReport, after: &HealthReport) -> Vec<Change> {
    // Plain structures with string keys serialise to memory without fail; an error would only lose the history.
    let tree = |report: &HealthReport| serde_json::to_value(report.essence()).unwrap_or_default();
    let mut found = Vec::new();
    compare("", &tree(before), &tree(after), &mut found);
    found.truncate(MOST_CHANGES);
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Change>) {
    if before == after || found.len() >= MOST_CHANGES {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => compare_members(path, ".", &by_name(old), &by_name(new), found),
        (Value::Array(old), Value::Array(new)) => {
            compare_members(path, "[]", &by_identity(old), &by_identity(new), found);
        }
        (old, new) => {
            found.push(Change { path: path.to_owned(), before: shown(old), after: shown(new) });
            // A drive that is no longer listed says nothing, not even what it counts no more.
            if !path.contains("].") {
                return;
            }
            if new.is_null() {
                let gone = counts(path, old).into_iter();
                found.extend(gone.map(|(path, count)| Change { path, before: Some(count), after: None }));
            }
            if old.is_null() {
                let come = counts(path, new).into_iter();
                found.extend(come.map(|(path, count)| Change { path, before: None, after: Some(count) }));
            }
        }
    }
}

/// What a drive counts somewhere inside `value`: when its figures come or go as a whole, the history still knows by how much
/// the counts grew meanwhile.
fn counts(path: &str, value: &Value) -> Vec<(String, String)> {
    let (form, members) = match value {
        Value::Object(members) => (".", by_name(members)),
        Value::Array(list) => ("[]", by_identity(list)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Vec::new(),
    };
    let inside = members.into_iter().flat_map(|(name, member)| {
        let inner = joined(path, form, &name);
        match (named_by(&inner), shown(member)) {
            (Some(_), count) => count.map(|count| (inner, count)).into_iter().collect(),
            (None, _) => counts(&inner, member),
        }
    });
    inside.collect()
}

fn joined(path: &str, form: &str, name: &str) -> String {
    match (form, path) {
        ("[]", _) => format!("{path}[{name}]"),
        (_, "") => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

type Members<'v> = BTreeMap<String, &'v Value>;

fn compare_members(path: &str, form: &str, before: &Members<'_>, after: &Members<'_>, found: &mut Vec<Change>) {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let inner = joined(path, form, name);
        let (old, new) = (before.get(name).copied(), after.get(name).copied());
        compare(&inner, absent_as_empty(old, new), absent_as_empty(new, old), found);
    }
}

/// A list that is absent on one side is compared as an empty one, so that its elements come or go one by one.
fn absent_as_empty<'v>(value: Option<&'v Value>, other: Option<&Value>) -> &'v Value {
    static EMPTY: Value = Value::Array(Vec::new());
    match (value, other) {
        (Some(value), _) => value,
        (None, Some(Value::Array(_))) => &EMPTY,
        (None, _) => &Value::Null,
    }
}

fn by_name(object: &Map<String, Value>) -> Members<'_> {
    object.iter().map(|(name, value)| (name.clone(), value)).collect()
}

/// Elements under the name of what identifies each; where two share it, the later ones are numbered.
fn by_identity(list: &[Value]) -> Members<'_> {
    let mut members = Members::new();
    for element in list {
        let identity = identity(element);
        let mut name = identity.clone();
        let mut number = 2;
        while members.contains_key(&name) {
            name = format!("{identity}#{number}");
            number += 1;
        }
        members.insert(name, element);
    }
    members
}

/// What tells an element of a report's list from its neighbours.
fn identity(element: &Value) -> String {
    const NAMES: [&str; 6] = ["serial_number", "id", "role", "subject", "sensor", "model"];
    let name = NAMES.iter().find_map(|name| match element.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    });
    name.unwrap_or_else(|| "1".to_owned())
}

/// A value as the history shows it: `model: X, capacity_bytes: 5` for a structure.
fn shown(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let plain = members.iter().filter(|(_, value)| !value.is_array() && !value.is_object());
            plain
                .map(|(name, value)| format!("{name}: {}", shown(value).unwrap_or_default()))
                .collect::<Vec<_>>()
                .join(", ")
        }
        Value::Array(_) | Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    Some(text.chars().take(LONGEST_VALUE).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartable_common::{
        Bytes, Celsius, Hours, SerialNumber, Text,
        report::{AtaAttribute, Drive, NvmeHealth, Volume, VolumeRole},
    };
    use proptest::prelude::*;

    fn report(memory: u64, serial: &str, pending: u64, free: u64) -> HealthReport {
        let mut report = HealthReport::default();
        report.memory.total_bytes = Bytes::new(memory);
        report.drives.push(Drive {
            serial_number: SerialNumber::parse(serial).into(),
            model: Text::meaningful("Disk"),
            power_on_hours: Hours::new(1_203),
            temperature_celsius: Celsius::new(30),
            ata_attributes: vec![AtaAttribute { id: 197, raw: Some(pending), ..AtaAttribute::default() }],
            ..Drive::default()
        });
        report.volumes.push(Volume {
            role: Some(VolumeRole::System),
            total_bytes: Bytes::new(1_000_000),
            available_bytes: Bytes::new(free),
            ..Volume::default()
        });
        report
    }

    fn lines(before: &HealthReport, after: &HealthReport) -> Vec<String> {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "∅".into());
        changes(before, after).iter().map(|c| format!("{} {} → {}", c.path, text(&c.before), text(&c.after))).collect()
    }

    #[test]
    fn each_value_that_changed_has_its_path() {
        let before = report(8_000, "S3X9", 0, 500_000);
        assert_eq!(
            lines(&before, &report(4_000, "S3X9", 8, 400_000)),
            [
                "drives[S3X9].ata_attributes[197].raw 0 → 8",
                "memory.total_bytes 8000 → 4000",
                "volumes[system].available_bytes 500000 → 400000",
            ]
        );
        assert_eq!(
            lines(&before, &report(8_000, "Y7", 0, 500_000)),
            [
                "drives[S3X9] model: Disk, power_on_hours: 1200, serial_number: S3X9 → ∅",
                "drives[Y7] ∅ → model: Disk, power_on_hours: 1200, serial_number: Y7",
            ]
        );
    }

    /// One missed reading erased the history of growth: the figures went and came back as one structure, and no count was
    /// named.
    #[test]
    fn counts_stay_known_when_figures_come_and_go() {
        let (read, mut unread) = (report(8_000, "S3X9", 2, 500_000), report(8_000, "S3X9", 2, 500_000));
        unread.drives[0].ata_attributes.clear();
        let counts = |before, after| -> Vec<String> {
            lines(before, after).into_iter().filter(|line| line.contains(".raw ")).collect()
        };
        assert_eq!(counts(&read, &unread), ["drives[S3X9].ata_attributes[197].raw 2 → ∅"]);
        assert_eq!(counts(&unread, &read), ["drives[S3X9].ata_attributes[197].raw ∅ → 2"]);
        let mut flash = unread.clone();
        flash.drives[0].nvme = Some(NvmeHealth { media_errors: Some(40), ..NvmeHealth::default() });
        let line = "drives[S3X9].nvme.media_errors ∅ → 40".to_owned();
        assert!(lines(&unread, &flash).contains(&line), "{:?}", lines(&unread, &flash));
        assert!(lines(&flash, &unread).contains(&"drives[S3X9].nvme.media_errors 40 → ∅".to_owned()));
    }

    #[test]
    fn small_movements_are_no_change() {
        let mut warmer = report(8_000, "S3X9", 0, 509_000);
        warmer.drives[0].temperature_celsius = Celsius::new(44);
        assert_eq!(changes(&report(8_000, "S3X9", 0, 500_000), &warmer), []);
    }

    proptest! {
        #[test]
        fn there_is_a_change_exactly_when_the_hash_differs(
            a in (0_u64..3, "[AB]", 0_u64..3, 0_u64..100_000), b in (0_u64..3, "[AB]", 0_u64..3, 0_u64..100_000),
        ) {
            let (a, b) = (report(a.0, &a.1, a.2, a.3), report(b.0, &b.1, b.2, b.3));
            prop_assert_eq!(changes(&a, &b).is_empty(), a.content_hash() == b.content_hash());
        }
    }
}
