//! Lists of a machine's parts: dmidecode and lshw. They say which machine it is and how large its parts were made, not
//! how they are.

use cartable_common::{
    Bytes, MilliwattHours, SerialNumber, Text,
    report::{Battery, Chassis, Drive, HealthReport},
};
use serde_json::Value;

use super::{Reading, after, grouped, json::kind_of_bus};

/// `dmidecode`, whole or some of its types.
pub(super) fn dmidecode(text: &str) -> Option<Reading> {
    let is_dump = text.lines().any(|line| line.starts_with("# dmidecode"))
        || (text.contains("DMI type") && text.contains("Handle 0x"));
    if !is_dump {
        return None;
    }
    let mut report = HealthReport::default();
    for part in text.split("\nHandle 0x").map(|part| part.trim_start_matches("Handle 0x")) {
        let Some(title) = part.lines().nth(1).map(str::trim) else { continue };
        let field = |name: &str| part.lines().find_map(|line| after(line, name));
        let known = |name: &str| field(name).and_then(Text::meaningful);
        match title {
            "System Information" => {
                report.hardware.manufacturer = known("Manufacturer");
                report.hardware.model = known("Product Name");
                report.hardware.serial_number = field("Serial Number").and_then(SerialNumber::parse).into();
            }
            "Chassis Information" => report.hardware.chassis = field("Type").and_then(chassis),
            "BIOS Information" => {
                report.firmware.vendor = known("Vendor");
                report.firmware.version = known("Version");
                report.firmware.date = known("Release Date");
            }
            "Processor Information" if report.processor.model.is_none() => {
                report.processor.model = known("Version").filter(|model| model.as_str() != "CPU Version");
            }
            "Portable Battery" => {
                let design = field("Design Capacity").filter(|words| words.ends_with("mWh"));
                report.batteries.push(Battery {
                    manufacturer: known("Manufacturer"),
                    model: known("Name"),
                    design_milliwatt_hours: design.and_then(milliwatt_hours),
                    ..Battery::default()
                });
            }
            _ => {}
        }
    }
    Some(Reading::Inventory(Box::new(report)))
}

pub(super) fn chassis(word: &str) -> Option<Chassis> {
    let word = word.to_ascii_lowercase();
    let is = |names: &[&str]| names.iter().any(|name| word.contains(name));
    if is(&["notebook", "laptop", "portable", "convertible", "sub notebook"]) {
        Some(Chassis::Laptop)
    } else if is(&["tablet", "detachable"]) {
        Some(Chassis::Tablet)
    } else if is(&["desktop", "tower", "mini pc", "all in one", "all-in-one"]) {
        Some(Chassis::Desktop)
    } else if is(&["server", "rack", "blade"]) {
        Some(Chassis::Server)
    } else {
        None
    }
}

fn milliwatt_hours(words: &str) -> Option<MilliwattHours> {
    grouped(words).and_then(|value| u32::try_from(value).ok()).filter(|value| *value > 0).and_then(MilliwattHours::new)
}

/// One part that lshw lists.
#[derive(Debug, Default)]
struct Part {
    /// `core`, `disk:0`, `battery`.
    id: String,
    product: Option<Text>,
    vendor: Option<Text>,
    serial: Option<SerialNumber>,
    description: String,
    /// `47520mWh`.
    capacity: Option<String>,
    date: Option<Text>,
    version: Option<Text>,
    bytes: Option<u64>,
}

impl Part {
    fn is(&self, name: &str) -> bool {
        self.id == name || self.id.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'))
    }
}

/// `lshw -json`: one tree, or a list with one in newer versions.
pub(super) fn lshw_json(value: &Value) -> Option<Reading> {
    let root = value.as_array().map_or(Some(value), |list| list.first())?;
    root.get("id")?.as_str()?;
    root.get("class")?.as_str()?;
    let mut parts = Vec::new();
    // A list of its own instead of recursion; the parser has bounded the depth, and the file the length.
    let mut waiting: Vec<&Value> = value.as_array().map_or_else(|| vec![value], |list| list.iter().collect());
    while let Some(node) = waiting.pop() {
        let words = |name: &str| node.get(name).and_then(Value::as_str);
        let text = |name: &str| words(name).and_then(Text::meaningful);
        parts.push(Part {
            id: words("id").unwrap_or_default().to_owned(),
            product: text("product"),
            vendor: text("vendor"),
            serial: words("serial").and_then(SerialNumber::parse),
            description: words("description").unwrap_or_default().to_owned(),
            capacity: node.get("capacity").map(|value| format!("{value}{}", words("units").unwrap_or_default())),
            date: text("date"),
            version: text("version"),
            bytes: node.get("size").and_then(Value::as_u64).filter(|_| words("units") == Some("bytes")),
        });
        waiting.extend(node.get("children").and_then(Value::as_array).into_iter().flatten());
    }
    Some(machine(parts))
}

/// `lshw`: parts under headings `*-battery`, deeper ones indented further. Its keys are translated.
pub(super) fn lshw(text: &str) -> Option<Reading> {
    let heading = |line: &str| line.trim_start().strip_prefix("*-").map(str::to_owned);
    let described = |line: &str| ["description", "product", "produit"].iter().any(|name| after(line, name).is_some());
    if !text.lines().any(|line| heading(line).is_some()) || !text.lines().any(described) {
        return None;
    }
    let mut parts = vec![Part { id: "host".to_owned(), ..Part::default() }];
    for line in text.lines() {
        if let Some(name) = heading(line) {
            let id = name.split_whitespace().next().unwrap_or_default().to_owned();
            parts.push(Part { id, ..Part::default() });
            continue;
        }
        let Some(part) = parts.last_mut() else { continue };
        let field = |names: &[&str]| names.iter().find_map(|name| after(line, name));
        if let Some(words) = field(&["product", "produit"]) {
            part.product = Text::meaningful(words);
        } else if let Some(words) = field(&["vendor", "fabricant", "fabriquant"]) {
            part.vendor = Text::meaningful(words);
        } else if let Some(words) = field(&["serial", "numéro de série"]) {
            part.serial = SerialNumber::parse(words);
        } else if let Some(words) = field(&["description"]) {
            words.clone_into(&mut part.description);
        } else if let Some(words) = field(&["capacity", "capacité"]) {
            part.capacity = Some(words.to_owned());
        } else if let Some(words) = field(&["date"]) {
            part.date = Text::meaningful(words);
        } else if let Some(words) = field(&["version"]) {
            part.version = Text::meaningful(words);
        }
    }
    Some(machine(parts))
}

fn machine(parts: Vec<Part>) -> Reading {
    let mut report = HealthReport::default();
    for (place, part) in parts.into_iter().enumerate() {
        if place == 0 {
            report.hardware.manufacturer = part.vendor;
            report.hardware.model = part.product;
            report.hardware.serial_number = part.serial.into();
            report.hardware.chassis = chassis(&part.description);
        } else if part.is("firmware") {
            report.firmware.vendor = part.vendor;
            report.firmware.version = part.version;
            report.firmware.date = part.date;
        } else if part.is("battery") {
            report.batteries.push(Battery {
                manufacturer: part.vendor,
                model: part.product,
                design_milliwatt_hours: part
                    .capacity
                    .filter(|words| words.ends_with("mWh"))
                    .as_deref()
                    .and_then(milliwatt_hours),
                ..Battery::default()
            });
        } else if part.is("disk") || part.is("nvme") {
            report.drives.push(Drive {
                kind: kind_of_bus(&part.id),
                model: part.product,
                serial_number: part.serial.into(),
                capacity_bytes: part.bytes.and_then(Bytes::new),
                ..Drive::default()
            });
        }
    }
    Reading::Inventory(Box::new(report))
}
