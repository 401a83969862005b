//! Judges readings that were handed over together: each by itself, and a drive or a machine that stands in several of
//! them by what changed from one to the next.
//!
//! The order in which readings are handed over decides nothing: dates do, or a drive's own hours where a reading bears
//! no date. Each reading is judged by what was known when it was made.

use std::collections::BTreeMap;

use cartable_common::{
    UtcMillis,
    report::{Battery, Drive, HealthReport, Subject},
};

use super::{
    battery::{self, Batteries},
    drive::{
        self,
        history::{self, Level},
    },
    policy::Policy,
    reading::{DatedReport, Reading, Unreadable},
    verdict::{Judgement, Reason, Said, Verdict, text_enum},
};

text_enum! {
    /// What a reading tells of.
    pub enum Kind {
        /// One drive.
        Drive = "drive",
        /// The batteries of one machine.
        Battery = "battery",
        /// A whole machine.
        Device = "device",
        /// Nothing that could be recognised.
        Unknown = "unknown",
    }
}

/// What one reading supports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// What it tells of.
    pub kind: Kind,
    /// Maker and model, where it names them.
    pub name: Option<String>,
    /// The verdict with its reasons. A healthy one tells what was found in order.
    pub judgement: Judgement,
}

/// Judges `readings`, each in its place.
#[must_use]
pub fn assess(readings: &[Result<Reading, Unreadable>], policy: &Policy, now: UtcMillis) -> Vec<Assessment> {
    let past = Past::of(readings);
    let judge = |reading: &Result<Reading, Unreadable>| match reading {
        Ok(Reading::Drive { drive, at, words }) => of_drive(drive, *at, words.as_deref(), &past, policy),
        Ok(Reading::Batteries(batteries)) => of_batteries(batteries, policy),
        Ok(Reading::Device(reports)) => of_device(reports, &past, policy),
        Ok(Reading::Inventory(report)) => of_inventory(report, policy, now),
        Ok(Reading::Agent(inventory)) => of_agent(&inventory.report, policy, now),
        Err(why) => of_nothing(why),
    };
    readings.iter().map(judge).collect()
}

/// A drive is known by its serial number and its model together: numbers are masked before readings are shared.
type Key = (String, Option<String>);

fn key(drive: &Drive) -> Option<Key> {
    let serial = drive.serial_number.get()?;
    Some((serial.to_string(), drive.model.as_ref().map(ToString::to_string)))
}

/// What drives counted in all readings together.
struct Past {
    /// For each drive, whether its readings bear dates, and its levels.
    drives: BTreeMap<Key, (Clock, Vec<Level>)>,
}

/// What orders the readings of a drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// The dates of all of them.
    Dates,
    /// Its own hours: one of them bears no date.
    Hours,
}

impl Past {
    fn of(readings: &[Result<Reading, Unreadable>]) -> Self {
        let mut found: BTreeMap<Key, Vec<(Option<UtcMillis>, &Drive)>> = BTreeMap::new();
        let mut add = |at: Option<UtcMillis>, drive| {
            if let Some(key) = key(drive) {
                found.entry(key).or_default().push((at, drive));
            }
        };
        for reading in readings.iter().flatten() {
            match reading {
                Reading::Drive { drive, at, .. } => add(*at, drive),
                Reading::Device(reports) => {
                    for one in reports {
                        one.report.drives.iter().for_each(|drive| add(one.at, drive));
                    }
                }
                Reading::Batteries(_) | Reading::Inventory(_) | Reading::Agent(_) => {}
            }
        }
        let drives = found.into_iter().map(|(key, readings)| {
            let clock = if readings.iter().all(|(at, _)| at.is_some()) { Clock::Dates } else { Clock::Hours };
            let levels =
                readings.iter().filter_map(|(at, drive)| Some(history::levels(drive, clock.moment(*at, drive)?)));
            (key, (clock, levels.flatten().collect()))
        });
        Self { drives: drives.collect() }
    }

    /// The judgement of `drive` as read at `at`, with what came before.
    fn judge(&self, drive: &Drive, at: Option<UtcMillis>, policy: &Policy) -> Judgement {
        let known = key(drive).and_then(|key| self.drives.get(&key));
        match known.and_then(|(clock, levels)| Some((clock.moment(at, drive)?, levels))) {
            Some((moment, levels)) => drive::judge_with(drive, levels, moment, policy),
            None => drive::judge(drive, policy),
        }
    }
}

impl Clock {
    fn moment(self, at: Option<UtcMillis>, drive: &Drive) -> Option<UtcMillis> {
        match self {
            Self::Dates => at,
            Self::Hours => drive.power_on_hours.map(history::at_hours),
        }
    }
}

fn of_drive(drive: &Drive, at: Option<UtcMillis>, words: Option<&str>, past: &Past, policy: &Policy) -> Assessment {
    let mut judgement = judged(past.judge(drive, at, policy), || drive::evidence(drive, policy));
    match drive.power_on_hours.map(cartable_common::Hours::get) {
        Some(0) => judgement.missing.push(Said::new(
            "Ses heures sont à zéro : il est neuf, ou il ne les compte pas.",
            "Its hours are at zero: it is new, or does not count them.",
        )),
        Some(_) => {}
        None => judgement.missing.push(Said::new("Ses heures de marche.", "Its hours powered on.")),
    }
    if drive.temperature_celsius.is_none() {
        judgement.missing.push(Said::new("Sa température.", "Its temperature."));
    }
    if let Some(words) = words {
        judgement.missing.push(Said::same(format!("smartctl : {words}")));
    }
    Assessment { kind: Kind::Drive, name: drive.model.as_ref().map(ToString::to_string), judgement }
}

/// `judgement`, with what was found in order where it is healthy.
fn judged(mut judgement: Judgement, evidence: impl FnOnce() -> Vec<Reason>) -> Judgement {
    if judgement.verdict == Verdict::Healthy {
        judgement.reasons.extend(evidence());
    }
    judgement
}

fn of_batteries(batteries: &[Battery], policy: &Policy) -> Assessment {
    let name = |battery: &Battery| battery.model.as_ref().map(ToString::to_string);
    let parts = batteries.iter().zip(1_u32..).map(|(battery, place)| {
        let judgement =
            judged(battery::judge(battery, policy), || battery::evidence(battery, policy).into_iter().collect());
        (Said::new(format!("batterie {place}"), format!("battery {place}")), judgement)
    });
    let mut judgement = together(parts.collect());
    if batteries.is_empty() {
        judgement.missing.push(Said::new(
            "Aucune batterie de l'ordinateur lui-même n'y figure.",
            "It names no battery of the machine itself.",
        ));
    }
    let mut names = batteries.iter().filter_map(name);
    Assessment { kind: Kind::Battery, name: names.next().filter(|_| batteries.len() == 1), judgement }
}

fn of_device(reports: &[DatedReport], past: &Past, policy: &Policy) -> Assessment {
    let Some(newest) = reports.iter().max_by_key(|one| one.sequence) else {
        let missing = vec![Said::new("Ce contact n'apporte aucun relevé.", "This check-in brings no report.")];
        return Assessment { kind: Kind::Device, name: None, judgement: unknown(missing) };
    };
    let judgement = machine(&newest.report, |drive| past.judge(drive, newest.at, policy), policy);
    Assessment { kind: Kind::Device, name: machine_name(&newest.report), judgement }
}

/// All parts of a machine together. A battery that must be replaced makes it worn, not failing: it works on mains.
fn machine(report: &HealthReport, judge: impl Fn(&Drive) -> Judgement, policy: &Policy) -> Judgement {
    let name = |fr: &str, en: &str, place: u32| Said::new(format!("{fr} {place}"), format!("{en} {place}"));
    let mut parts: Vec<(Said, Judgement)> = Vec::new();
    for (drive, place) in report.drives.iter().zip(1..) {
        parts.push((name("disque", "drive", place), judged(judge(drive), || drive::evidence(drive, policy))));
    }
    if report.drives.is_empty() {
        let missing = Said::new("L'état de ses disques.", "The health of its drives.");
        parts.push((Said::new("disques", "drives"), unknown(vec![missing])));
    }
    for (battery, place) in report.batteries.iter().zip(1..) {
        let mut judgement =
            judged(battery::judge(battery, policy), || battery::evidence(battery, policy).into_iter().collect());
        if judgement.verdict == Verdict::Failing {
            judgement.verdict = Verdict::Worn;
            judgement.reasons.iter_mut().for_each(|reason| reason.verdict = Verdict::Worn);
        }
        parts.push((name("batterie", "battery", place), judgement));
    }
    match battery::known(report, policy) {
        Batteries::Judged(_) | Batteries::NoneExpected(_) => {}
        Batteries::NoneFound | Batteries::NotRead => {
            let missing = Said::new("L'état de ses batteries.", "The health of its batteries.");
            parts.push((Said::new("batteries", "batteries"), unknown(vec![missing])));
        }
    }
    together(parts)
}

fn of_inventory(report: &HealthReport, policy: &Policy, now: UtcMillis) -> Assessment {
    let mut judgement = machine(report, |drive| drive::judge(drive, policy), policy);
    judgement.reasons.extend(age(report, now));
    judgement.missing.insert(
        0,
        Said::new("Une liste de pièces ne dit rien de leur état.", "A list of parts says nothing of their health."),
    );
    Assessment { kind: Kind::Device, name: machine_name(report), judgement }
}

/// What another agent lists: batteries with what they hold today, drives mostly without a word of their health.
fn of_agent(report: &HealthReport, policy: &Policy, now: UtcMillis) -> Assessment {
    let mut judgement = machine(report, |drive| drive::judge(drive, policy), policy);
    judgement.reasons.extend(age(report, now));
    if report.unread.iter().any(|unread| unread.subject == Some(Subject::DriveHealth)) {
        judgement.missing.insert(
            0,
            Said::new(
                "Cet inventaire ne dit rien de l'état des disques : le demander à smartctl.",
                "This inventory says nothing of the drives' health: ask smartctl.",
            ),
        );
    }
    Assessment { kind: Kind::Device, name: machine_name(report), judgement }
}

/// Years after which a machine leaves the share steered to reuse.
const REUSE_YEARS: i16 = 10;

/// The age that the firmware's date tells: a machine is at least about as old as its last firmware. Not a defect, but
/// it decides the next life.
fn age(report: &HealthReport, now: UtcMillis) -> Option<Reason> {
    let date = report.firmware.date.as_ref()?.to_string();
    let is_year = |word: &&str| word.len() == 4 && word.chars().all(|c| c.is_ascii_digit());
    let year: i16 = date.split(|c: char| !c.is_ascii_digit()).find(is_year)?.parse().ok()?;
    let age = super::paris::date(now).year().checked_sub(year)?;
    (year >= 1980 && age > REUSE_YEARS).then(|| Reason {
        code: "older_than_reuse",
        verdict: Verdict::Healthy,
        value: Said::new(format!("micrologiciel du {date}"), format!("firmware of {date}")),
        threshold: Some(Said::new(format!("{REUSE_YEARS} ans"), format!("{REUSE_YEARS} years"))),
        source: Said::new(
            "loi REEN 2021-1485, art. 16 ; décret 2023-266",
            "REEN law 2021-1485, art. 16; décret 2023-266",
        ),
        said: Said::new(
            "elle a plus de dix ans : à recycler plutôt qu'à réemployer",
            "it is more than ten years old: recycled rather than reused",
        ),
    })
}

fn machine_name(report: &HealthReport) -> Option<String> {
    let words = [&report.hardware.manufacturer, &report.hardware.model];
    let words: Vec<String> = words.into_iter().flatten().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Parts in one judgement; where there are several, each reason says of which one it speaks.
fn together(parts: Vec<(Said, Judgement)>) -> Judgement {
    let verdict = parts.iter().map(|(_, one)| one.verdict).reduce(Verdict::worse).unwrap_or(Verdict::Unknown);
    let several = parts.len() > 1;
    let named = |part: &Said, said: &Said| {
        if several {
            Said { fr: format!("{} : {}", part.fr, said.fr), en: format!("{}: {}", part.en, said.en) }
        } else {
            said.clone()
        }
    };
    let mut judgement = Judgement { verdict, reasons: Vec::new(), missing: Vec::new() };
    for (part, one) in parts {
        judgement.reasons.extend(one.reasons.into_iter().map(|reason| Reason {
            value: named(&part, &reason.value),
            said: named(&part, &reason.said),
            ..reason
        }));
        judgement.missing.extend(one.missing.iter().map(|said| named(&part, said)));
    }
    judgement.reasons.sort_by_key(|reason| match reason.verdict {
        Verdict::Failing => 0,
        Verdict::Worn => 1,
        Verdict::Healthy | Verdict::Unknown => 2,
    });
    judgement
}

fn unknown(missing: Vec<Said>) -> Judgement {
    Judgement { verdict: Verdict::Unknown, reasons: Vec::new(), missing }
}

fn of_nothing(why: &Unreadable) -> Assessment {
    let reason = Reason {
        code: why.code(),
        verdict: Verdict::Unknown,
        value: why.said(),
        threshold: None,
        source: Said::new("lecture du fichier", "reading the file"),
        said: why.said(),
    };
    let missing = vec![Said::new("Rien n'a pu être lu.", "Nothing could be read.")];
    let judgement = Judgement { verdict: Verdict::Unknown, reasons: vec![reason], missing };
    Assessment { kind: Kind::Unknown, name: None, judgement }
}

#[cfg(test)]
mod tests;
