//! How much of its rated endurance a flash drive has used.
//!
//! The drive's standard statistics come first; a vendor attribute only where none are there, and only under a name
//! whose direction is known (names and forms: smartmontools' drivedb.h):
//!
//! | attribute | makers | what is left or used |
//! | --- | --- | --- |
//! | 169, 202, 209, 231, 248 "life … left/remain" | Silicon Motion, Micron, Indilinx, Phison, SandForce | left: raw where it is a share, else normalised |
//! | 202 "Perc_Rated_Life_Used", "Percent_Lifetime_Remain" | Micron, Crucial | left: normalised; raw counts what is used |
//! | 233 "Media_Wearout_Indicator" | Intel, Samsung | left: normalised |
//! | 173, 177 "Wear_Leveling_Count", "…Block-Erase_Count" | Samsung, Micron, Crucial | left: normalised |
//! | 230 "Perc_Write/Erase_Count" | SanDisk | used: raw, in hundredths of a percent; where it is packed, told twice |
//! | 230 "Media_Wearout_Indicator" | Western Digital, SanDisk | used: the low word of raw, in hundredths, told twice |
//! | 173, 245 "…Life_Used…" | SanDisk | used: raw, in percent |
//!
//! 177 "Wear_Range_Delta", 232 (spare blocks: its threshold speaks), 233 and 241 (amounts written) are no wear: what a
//! drive may write in its life is not in them.

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
        if !rotates(drive) {
            findings.expect(false, "son usure", "its wear");
        }
        return;
    };
    findings.figures = true;
    let threshold = policy.drive.wear_worn_percent;
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
    let worn = u32::from(wear.percent) >= threshold;
    let reason = Reason {
        code: "wear",
        verdict: if worn { Verdict::Worn } else { Verdict::Healthy },
        value: shown,
        threshold: Some(percent(u64::from(threshold))),
        source: source_of("drive.wear_worn_percent"),
        said,
    };
    if worn { findings.reason(reason) } else { findings.passed.push(reason) }
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
    let is = |words: &[&str]| named(attribute, words);
    let left = match attribute.id {
        202 if is(&["life"]) => normalised,
        173 | 245 if is(&["life_used", "lifeused"]) => attribute.raw.and_then(share).map(|used| 100 - used),
        // Some firmware counts down in the raw value and keeps the normalised one at 100, or turns it around.
        _ if is(&["life"]) && is(&["left", "remain"]) => life_left(attribute, normalised),
        // It counts down to 1 and stays there; at 0, a drive that smartctl does not know means something else by 233.
        233 if is(&["media_wearout"]) => normalised.filter(|left| *left > 0),
        173 | 177 if is(&["wear_leveling", "block-erase", "block_erase"]) => normalised,
        230 => in_hundredths(attribute).map(|used| 100 - used),
        _ => None,
    }?;
    let name = attribute.name.as_ref().map_or_else(String::new, ToString::to_string);
    Some(Wear { percent: 100 - left, origin: format!("{} {name}", attribute.id) })
}

/// What is left of a life, in percent. A raw 0 or 1 beside a high normalised value is a switch at SandForce (231); at
/// others, 1 is a share and 0 may be either, so nothing is known.
fn life_left(attribute: &AtaAttribute, normalised: Option<u8>) -> Option<u8> {
    const SWITCH: u8 = 231;
    match attribute.raw {
        Some(0 | 1) if attribute.id == SWITCH => normalised,
        Some(0) if normalised.is_none_or(|left| left == 100) => None,
        Some(0) | None => normalised,
        Some(raw) => u8::try_from(raw).ok().filter(|raw| *raw <= 100).or(normalised),
    }
}

/// What attribute 230 says is used, in whole percent, at most 100.
fn in_hundredths(attribute: &AtaAttribute) -> Option<u8> {
    const WORD: u64 = 0xFFFF;
    let raw = attribute.raw?;
    let told_twice = || raw > WORD && raw & WORD == (raw >> 32) & WORD;
    let hundredths = match raw {
        0..=WORD if named(attribute, &["perc_write/erase"]) => raw,
        _ if named(attribute, &["perc_write/erase", "media_wearout"]) && told_twice() => raw & WORD,
        _ => return None,
    };
    u8::try_from((hundredths / 100).min(100)).ok()
}
