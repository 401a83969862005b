//! What changed in a drive between reports: damage that grows weighs more than damage that stands, and damage that is
//! no longer read clears and is remembered.
//!
//! A count is compared with the level at which it stood when the window opened (`drive.growth_days`), whatever the
//! order in which readings are handed over. One reading that stands alone between two that agree is odd, not growth:
//! it is left out. What was read and is gone is told as "recovered", which accuses nobody.

use std::collections::BTreeSet;

use cartable_common::{Hours, UtcMillis, report::Drive};

use super::{
    super::policy::{Policy, source_of},
    Findings, Reason, Said, Verdict, ata, number, rotates,
};
use crate::domain::{paris, wording};

/// Counts that only a fault makes grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// Attribute 5.
    Reallocated,
    /// Attribute 187.
    Uncorrectable,
    /// Attribute 197.
    Pending,
    /// Attribute 198.
    Offline,
    /// Media errors of an NVMe drive.
    MediaErrors,
}

impl Counter {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Reallocated, Self::Uncorrectable, Self::Pending, Self::Offline, Self::MediaErrors];

    const fn attribute(self) -> Option<u8> {
        match self {
            Self::Reallocated => Some(ata::REALLOCATED),
            Self::Uncorrectable => Some(ata::UNCORRECTABLE),
            Self::Pending => Some(ata::PENDING),
            Self::Offline => Some(ata::OFFLINE),
            Self::MediaErrors => None,
        }
    }

    /// What `drive` counts, in a form that can be read.
    fn of(self, drive: &Drive) -> Option<u64> {
        match self.attribute() {
            Some(id) => ata::count_of(drive, id),
            None => drive.nvme.as_ref()?.media_errors,
        }
    }

    /// What a raw value says, in a form that can be read.
    fn decoded(self, raw: u64) -> Option<u64> {
        self.attribute().map_or(Some(raw), |id| ata::decoded(id, raw))
    }

    const fn growing(self) -> &'static str {
        match self {
            Self::Reallocated => "reallocated_growing",
            Self::Uncorrectable => "uncorrectable_growing",
            Self::Pending => "pending_growing",
            Self::Offline => "unreadable_growing",
            Self::MediaErrors => "media_errors_growing",
        }
    }

    fn name(self) -> Said {
        match self {
            Self::Reallocated => Said::new("secteurs réalloués (5)", "reallocated sectors (5)"),
            Self::Uncorrectable => Said::new("erreurs irrécupérables (187)", "uncorrectable errors (187)"),
            Self::Pending => Said::new("secteurs en attente (197)", "pending sectors (197)"),
            Self::Offline => Said::new("secteurs illisibles (198)", "unreadable sectors (198)"),
            Self::MediaErrors => Said::new("données illisibles (media errors)", "unreadable data (media errors)"),
        }
    }
}

/// One count of one drive at one moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level {
    /// The drive's serial number.
    pub drive: String,
    /// Which count.
    pub counter: Counter,
    /// When it was read.
    pub at: UtcMillis,
    /// The count.
    pub value: u64,
}

/// The counts of `drive` as read at `at`; none without a serial number to know it by.
#[must_use]
pub fn levels(drive: &Drive, at: UtcMillis) -> Vec<Level> {
    let Some(serial) = drive.serial_number.get() else { return Vec::new() };
    let level = |counter: Counter| Some(Level { drive: serial.to_string(), counter, at, value: counter.of(drive)? });
    Counter::ALL.into_iter().filter_map(level).collect()
}

/// Whether something that `drive` counted before is not read any more.
#[must_use]
pub fn lost_a_count(drive: &Drive, past: &[Level]) -> bool {
    let Some(serial) = drive.serial_number.get() else { return false };
    past.iter().any(|one| one.drive == serial.as_str() && one.counter.of(drive).is_none())
}

/// The drive and the count that a path of the history names: `drives[S3X9].ata_attributes[197].raw`.
#[must_use]
pub fn named_by(path: &str) -> Option<(&str, Counter)> {
    let rest = path.strip_prefix("drives[")?;
    Counter::ALL.into_iter().find_map(|counter| {
        let serial = match counter.attribute() {
            Some(id) => rest.strip_suffix(&format!("].ata_attributes[{id}].raw")),
            None => rest.strip_suffix("].nvme.media_errors"),
        };
        serial.map(|serial| (serial, counter))
    })
}

/// The levels before and after one change of the history.
#[must_use]
pub fn levels_of_change(path: &str, before: Option<&str>, after: Option<&str>, at: UtcMillis) -> Vec<Level> {
    let Some((drive, counter)) = named_by(path) else { return Vec::new() };
    let level = |text: Option<&str>, at| {
        let value = counter.decoded(text?.parse().ok()?)?;
        Some(Level { drive: drive.to_owned(), counter, at, value })
    };
    [level(before, at.plus_millis(-1)), level(after, at)].into_iter().flatten().collect()
}

pub(super) fn look(drive: &Drive, past: &[Level], at: UtcMillis, policy: &Policy, findings: &mut Findings) {
    let Some(serial) = drive.serial_number.get() else { return };
    for counter in Counter::ALL {
        let Some(current) = counter.of(drive) else { continue };
        let own = past.iter().filter(|one| one.counter == counter && one.drive == serial.as_str() && one.at < at);
        let earlier: BTreeSet<(UtcMillis, u64)> = own.map(|one| (one.at, one.value)).collect();
        if earlier.is_empty() {
            continue;
        }
        let opens = at.plus_days(-i64::from(policy.drive.growth_days));
        let base = base(&earlier, current, opens);
        if current > base.1 {
            findings.reason(growth(counter, drive, base, current, policy));
        }
        look_at_recovery(counter, drive, &earlier, current, policy, findings);
    }
}

/// The level at which the count stood when the window opened, or the first one known after that.
fn base(earlier: &BTreeSet<(UtcMillis, u64)>, current: u64, opens: UtcMillis) -> (UtcMillis, u64) {
    let steps = calm(earlier);
    let opened = steps.iter().rposition(|step| step.0 <= opens).unwrap_or_default();
    let here = steps.get(opened).copied().unwrap_or((opens, current));
    let before = opened.checked_sub(1).and_then(|place| steps.get(place)).map_or(0, |step| step.1);
    // A count that fell and is back below where it was has not grown: the fall was odd, or sectors recovered.
    let fell = opened + 1 == steps.len() && before > here.1 && current <= before;
    if fell { (here.0, current) } else { here }
}

/// The levels in the order of time, each once however often it was read, without those that stood alone between two
/// that agree.
fn calm(earlier: &BTreeSet<(UtcMillis, u64)>) -> Vec<(UtcMillis, u64)> {
    let mut steps: Vec<(UtcMillis, u64)> = Vec::with_capacity(earlier.len());
    for point in earlier.iter().copied() {
        match steps.as_slice() {
            [.., last] if last.1 == point.1 => {}
            [.., before, _] if before.1 == point.1 => drop(steps.pop()),
            _ => steps.push(point),
        }
    }
    steps
}

fn growth(counter: Counter, drive: &Drive, base: (UtcMillis, u64), current: u64, policy: &Policy) -> Reason {
    let rules = &policy.drive;
    let verdict = match (counter, rotates(drive)) {
        // A disk takes sectors out for good: few of them are worn sooner, many of them are a disk that gives up.
        (Counter::Reallocated, true) if current >= u64::from(rules.reallocated_worn) => Verdict::Failing,
        (Counter::Reallocated, true) => Verdict::Worn,
        (Counter::Reallocated, false) if current >= u64::from(rules.flash_blocks_worn) => Verdict::Worn,
        // Flash retires a block now and then, and rewrites one that waits.
        (Counter::Reallocated | Counter::Pending, false) => Verdict::Healthy,
        (Counter::Uncorrectable | Counter::Pending | Counter::Offline | Counter::MediaErrors, _) => Verdict::Failing,
    };
    let (name, from, to, since) = (counter.name(), number(base.1), number(current), when(base.0));
    Reason {
        code: counter.growing(),
        verdict,
        value: Said::new(format!("{} → {}", from.fr, to.fr), format!("{} → {}", from.en, to.en)),
        threshold: Some(Said::new("aucune hausse", "no rise")),
        source: source_of("drive.growth_days"),
        said: Said::new(
            format!("{} en hausse : {} {}, {} maintenant", name.fr, from.fr, since.fr, to.fr),
            format!("{} rising: {} {}, {} now", name.en, from.en, since.en, to.en),
        ),
    }
}

/// The moment that stands for a drive's own `hours` of life, where its readings bear no date: those order them too.
#[must_use]
pub fn at_hours(hours: Hours) -> UtcMillis {
    const HOUR_MILLIS: i64 = 60 * 60 * 1000;
    UtcMillis::default().plus_millis(i64::from(hours.get()) * HOUR_MILLIS)
}

/// `at` in words. Before 2000 there was nothing to read: there, moments are a drive's own hours (see [`at_hours`]).
fn when(at: UtcMillis) -> Said {
    const YEAR_2000: i64 = 946_684_800_000;
    if at.get() < YEAR_2000 {
        let hours = number(u64::try_from(at.get() / (60 * 60 * 1000)).unwrap_or_default());
        return Said::new(format!("à {} heures", hours.fr), format!("at {} hours", hours.en));
    }
    let day = wording::date(paris::date(at));
    Said::new(format!("le {}", day.fr), format!("on {}", day.en))
}

/// Tells of damage that was read and is gone: history, not a verdict.
fn look_at_recovery(
    counter: Counter,
    drive: &Drive,
    earlier: &BTreeSet<(UtcMillis, u64)>,
    current: u64,
    policy: &Policy,
    findings: &mut Findings,
) {
    let rules = &policy.drive;
    let counts_from = match (counter, rotates(drive)) {
        (Counter::Reallocated, true) => rules.reallocated_worn,
        (Counter::Reallocated, false) => rules.flash_blocks_worn,
        (Counter::Pending, _) => rules.pending_failing,
        (Counter::Uncorrectable, true) => rules.uncorrectable_failing,
        (Counter::Offline, true) => rules.offline_failing,
        (Counter::Uncorrectable | Counter::Offline | Counter::MediaErrors, _) => rules.flash_errors_worn,
    };
    let Some((at, peak)) = earlier.iter().copied().max_by_key(|(at, value)| (*value, *at)) else { return };
    if peak <= current || peak < u64::from(counts_from) {
        return;
    }
    let (name, from, to, then) = (counter.name(), number(peak), number(current), when(at));
    findings.reason(Reason {
        code: "recovered",
        verdict: Verdict::Healthy,
        value: Said::new(format!("{} → {}", from.fr, to.fr), format!("{} → {}", from.en, to.en)),
        threshold: Some(number(u64::from(counts_from))),
        source: Said::new("historique de l'appareil", "the device's history"),
        said: Said::new(
            format!("{} : {} {}, {} maintenant", name.fr, from.fr, then.fr, to.fr),
            format!("{}: {} {}, {} now", name.en, from.en, then.en, to.en),
        ),
    });
}

#[cfg(test)]
mod tests;
