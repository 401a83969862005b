//! How much of its rated endurance a flash drive has used.
//!
//! The drive's standard statistics come first; a vendor attribute only where none are there, and only under a name
//! whose direction is known: "Life_Left" counts down, "Life_Used" hides its count in the raw value, and attribute 230
//! runs one way at one maker and the other way at the next.

use cartable_common::report::{AtaAttribute, Drive, EmmcHealth};

use super::{Findings, Reason, Said, Verdict, ata::named, percent, rotates};
use crate::domain::policy::{Policy, source_of};

/// Wear of a flash drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wear {
    /// The share of its rated endurance that is used; may pass 100.
    pub percent: u8,
    /// Where it was read.
    pub origin: String,
}

/// The wear that `drive` tells, if it does.
#[must_use]
pub fn wear(drive: &Drive) -> Option<Wear> {
    let known = |percent: u8, origin: &str| Wear { percent, origin: origin.to_owned() };
    if let Some(nvme) = &drive.nvme {
        return nvme.percentage_used_percent.map(|used| known(used.get(), "NVMe percentage used"));
    }
    if let Some(emmc) = &drive.emmc {
        return emmc_wear(emmc).map(|used| known(used, "JESD84-B51 life time estimate"));
    }
    if rotates(drive) {
        return None;
    }
    if let Some(used) = drive.endurance_used_percent {
        return Some(known(used.get(), "ATA device statistics"));
    }
    drive.ata_attributes.iter().filter_map(vendor_wear).max_by_key(|wear| wear.percent)
}

pub(super) fn look(drive: &Drive, policy: &Policy, findings: &mut Findings) {
    let Some(wear) = wear(drive) else {
        if !rotates(drive) && findings.figures {
            findings.missing("Le disque ne communique pas son usure.", "The drive does not tell its wear.");
        }
        return;
    };
    findings.figures = true;
    let threshold = policy.drive.wear_worn_percent;
    if u32::from(wear.percent) < threshold {
        return;
    }
    let mut shown = percent(u64::from(wear.percent));
    if wear.percent == u8::MAX {
        // NVMe counts no further.
        shown = Said { fr: format!("au moins {}", shown.fr), en: format!("at least {}", shown.en) };
    }
    let said = if wear.percent > 100 {
        Said::new(
            format!("son endurance prévue est dépassée ({} utilisés)", shown.fr),
            format!("it is past its rated endurance ({} used)", shown.en),
        )
    } else {
        Said::new(
            format!("{} de son endurance prévue sont utilisés", shown.fr),
            format!("{} of its rated endurance is used", shown.en),
        )
    };
    findings.reason(Reason {
        code: "wear",
        verdict: Verdict::Worn,
        value: shown,
        threshold: Some(percent(u64::from(threshold))),
        source: source_of("drive.wear_worn_percent"),
        said,
    });
}

/// The registers count in steps of ten percent from 1; what is certainly used is the lower end of the step.
fn emmc_wear(emmc: &EmmcHealth) -> Option<u8> {
    let steps = [emmc.life_time_a, emmc.life_time_b].into_iter().flatten().filter(|step| (1..=11).contains(step));
    steps.max().map(|step| (step - 1) * 10)
}

/// Wear from one vendor attribute, if its name says which way it counts.
fn vendor_wear(attribute: &AtaAttribute) -> Option<Wear> {
    let share = |value: u64| u8::try_from(value).ok().filter(|value| *value <= 100);
    let normalised = attribute.value.and_then(|value| share(u64::from(value)));
    // A raw 0 or 1 beside a high normalised value is a switch, not a share (SandForce).
    let raw = attribute.raw.filter(|raw| *raw > 1).and_then(share);
    let is = |words: &[&str]| named(attribute, words);
    let left = match attribute.id {
        202 if is(&["life"]) => normalised,
        // Some firmware counts down in the raw value and keeps the normalised one at 100, or turns it around.
        _ if is(&["life"]) && is(&["left", "remain"]) => raw.or(normalised),
        233 if is(&["media_wearout"]) => normalised,
        173 | 177 if is(&["wear_leveling", "block-erase", "block_erase"]) => normalised,
        _ => None,
    }?;
    let name = attribute.name.as_ref().map_or_else(String::new, ToString::to_string);
    Some(Wear { percent: 100 - left, origin: format!("{} {name}", attribute.id) })
}
