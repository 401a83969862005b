//! Batteries as the kernel, upower and acpi print them, one or several in a text. A mouse's is not the laptop's.

use cartable_common::{MilliampHours, MilliwattHours, Text, power_supply, report::Battery};

use super::{Reading, after, thousandths};

/// One or several `/sys/class/power_supply/*/uevent`, one after the other.
pub(super) fn uevents(text: &str) -> Option<Reading> {
    let is_property = |line: &str| line.trim_start().starts_with("POWER_SUPPLY_");
    if !text.lines().any(is_property) {
        return None;
    }
    let begins = |line: &str| line.trim_start().starts_with("POWER_SUPPLY_NAME=");
    let parts = split(text, begins);
    let own = parts
        .iter()
        .filter_map(|part| power_supply::battery(|name| power_supply::in_uevent(part, name).map(str::to_owned)));
    Some(Reading::Batteries(own.collect()))
}

/// `upower -d`, or `upower -i` of one or several devices.
pub(super) fn upower(text: &str) -> Option<Reading> {
    if !text.lines().any(|line| after(line, "native-path").is_some()) {
        return None;
    }
    // With -d each device has a heading; with -i the path comes first.
    let heading = |line: &str| line.starts_with("Device:");
    let begins: fn(&str) -> bool = if text.lines().any(heading) {
        |line| line.starts_with("Device:") || line.starts_with("Daemon:")
    } else {
        |line| after(line, "native-path").is_some()
    };
    Some(Reading::Batteries(split(text, begins).iter().filter_map(|part| of_upower(part)).collect()))
}

fn of_upower(part: &str) -> Option<Battery> {
    let field = |name: &str| part.lines().find_map(|line| after(line, name));
    // The composite of all batteries repeats them; a peripheral supplies no power to the machine.
    let composite = part.lines().next().is_some_and(|line| line.trim_end().ends_with("/DisplayDevice"));
    let is_battery = part.lines().any(|line| line.trim() == "battery");
    if composite || !is_battery || field("power supply") == Some("no") || field("present") == Some("no") {
        return None;
    }
    let energy = |name: &str| {
        let words = field(name).filter(|words| words.contains("Wh"))?;
        u32::try_from(thousandths(words)?).ok().filter(|value| *value > 0).and_then(MilliwattHours::new)
    };
    let text = |name: &str| field(name).and_then(Text::meaningful);
    let mut battery = Battery {
        manufacturer: text("vendor"),
        model: text("model"),
        design_milliwatt_hours: energy("energy-full-design"),
        full_milliwatt_hours: energy("energy-full"),
        cycle_count: field("charge-cycles").and_then(|count| count.parse().ok()).filter(|count| *count > 0),
        technology: text("technology"),
        ..Battery::default()
    };
    if battery.design_milliwatt_hours.is_none() && battery.full_milliwatt_hours.is_none() {
        // Its own share of the design capacity, in thousandths of a percent, stands for both. 100 is what it says where
        // it knows nothing.
        const WHOLE: u64 = 100_000;
        let share = field("capacity").filter(|words| words.contains('%')).and_then(thousandths);
        if let Some(share) = share.filter(|share| (1..WHOLE).contains(share)) {
            battery.full_milliamp_hours = u32::try_from(share).ok().and_then(MilliampHours::new);
            battery.design_milliamp_hours = u32::try_from(WHOLE).ok().and_then(MilliampHours::new);
        }
    }
    Some(battery)
}

/// `acpi -i` or `-V`: `Battery 0: design capacity 4400 mAh, last full capacity 3200 mAh = 72%`.
pub(super) fn acpi(text: &str) -> Option<Reading> {
    let mut found: Vec<(String, Battery)> = Vec::new();
    for line in text.lines() {
        let Some((name, rest)) = line.trim().split_once(':') else { continue };
        let is_battery = name.strip_prefix("Battery ").is_some_and(|number| number.parse::<u8>().is_ok());
        if !is_battery {
            continue;
        }
        if !found.iter().any(|(known, _)| known == name) {
            found.push((name.to_owned(), Battery::default()));
        }
        let Some((_, battery)) = found.iter_mut().find(|(known, _)| known == name) else { continue };
        for part in rest.split(", ") {
            let part = part.trim();
            if let Some(words) = part.strip_prefix("design capacity ") {
                (battery.design_milliamp_hours, battery.design_milliwatt_hours) = capacity(words);
            } else if let Some(words) = part.strip_prefix("last full capacity ") {
                (battery.full_milliamp_hours, battery.full_milliwatt_hours) = capacity(words);
            }
        }
    }
    (!found.is_empty()).then(|| Reading::Batteries(found.into_iter().map(|(_, battery)| battery).collect()))
}

/// `4400 mAh` or `47520 mWh`.
fn capacity(words: &str) -> (Option<MilliampHours>, Option<MilliwattHours>) {
    let value = thousandths(words).and_then(|value| u32::try_from(value / 1000).ok()).filter(|value| *value > 0);
    if words.contains("mWh") {
        (None, value.and_then(MilliwattHours::new))
    } else {
        (value.and_then(MilliampHours::new).filter(|_| words.contains("mAh")), None)
    }
}

/// `text` cut before each line that `begins` a part; what stands before the first is its own part.
fn split(text: &str, begins: impl Fn(&str) -> bool) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut places = 0;
    for line in text.lines() {
        // Of the first part, what stands before its beginning belongs to it.
        if begins(line) {
            places += 1;
            if places > 1 {
                parts.push(String::new());
            }
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts
}
