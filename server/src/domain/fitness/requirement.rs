//! The requirements of each use: what was read, what is wanted, where the threshold comes from.

use cartable_common::{Bytes, UtcMillis, report::Switch};

use super::{Answer, BatteryRead, Facts, facts::Machine, processor};
use crate::domain::{
    disposition::value,
    grade::Grade,
    loan::Condition,
    policy::{DispositionPolicy, Policy, source_of},
    verdict::{Verdict, text_enum},
    wording::{Said, count, date, number, percent, size},
};

text_enum! {
    /// What is required.
    pub enum RequirementKind {
        /// A processor that the system supports.
        Processor = "processor",
        /// Enough memory.
        Memory = "memory",
        /// Enough storage.
        Storage = "storage",
        /// Firmware with Secure Boot.
        SecureBoot = "secure_boot",
        /// TPM 2.0.
        Tpm = "tpm",
        /// A 64-bit processor.
        Architecture = "architecture",
        /// Drives without risk or wear.
        Drive = "drive",
        /// Batteries that hold enough.
        Battery = "battery",
        /// What staff saw of it.
        Condition = "condition",
        /// Young enough to be reused.
        Age = "age",
        /// Worth no more than may be given away.
        Value = "value",
    }
}

/// One requirement of a use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// What is required.
    pub kind: RequirementKind,
    /// Whether it is met.
    pub answer: Answer,
    /// What was read; none where nothing was.
    pub read: Option<Said>,
    /// What is wanted.
    pub wanted: Said,
    /// Where that comes from.
    pub source: Said,
}

const GIBI: u64 = 1 << 30;
/// A system sees less memory than is fitted: firmware keeps up to an eighth for graphics.
const MEMORY_SEEN: (u64, u64) = (7, 8);
/// A drive sold as 64 GB may hold a little less.
const STORAGE_SEEN: (u64, u64) = (95, 100);
const GIGA: u64 = 1_000_000_000;

fn microsoft() -> Said {
    let day = date(processor::LIST_DATE);
    Said::new(
        format!("learn.microsoft.com, configuration requise de Windows 11 (règles du {})", day.fr),
        format!("learn.microsoft.com, Windows 11 requirements (rules of {})", day.en),
    )
}

fn answer(met: bool) -> Answer {
    if met { Answer::Met } else { Answer::NotMet }
}

fn machine(facts: &Facts) -> Option<&Machine> {
    facts.machine.as_ref()
}

/// What Windows 11 asks of a machine.
pub(super) fn of_windows_11(facts: &Facts, policy: &Policy) -> Vec<Requirement> {
    let rules = &policy.disposition;
    let name = machine(facts).and_then(|machine| machine.processor.as_deref());
    let switch = machine(facts).and_then(|machine| machine.secure_boot);
    let tpm = machine(facts).and_then(|machine| machine.tpm_version);
    vec![
        Requirement {
            kind: RequirementKind::Processor,
            answer: name.map_or(Answer::Unknown, |name| processor::known(name).windows_11),
            read: name.map(Said::same),
            wanted: Said::new("dans la liste de Microsoft", "on Microsoft's list"),
            source: microsoft(),
        },
        memory(facts, rules.windows_memory_gigabytes, "disposition.windows_memory_gigabytes"),
        storage(facts, rules.windows_storage_gigabytes, "disposition.windows_storage_gigabytes"),
        Requirement {
            kind: RequirementKind::SecureBoot,
            // Off is enough: firmware that can tell has it, and a technician can turn it on.
            answer: if switch.is_some() { Answer::Met } else { Answer::Unknown },
            read: switch.map(|switch| match switch {
                Switch::On => Said::new("actif", "on"),
                Switch::Off | Switch::Unknown => Said::new("présent, à activer", "there, to be turned on"),
            }),
            wanted: Said::new("UEFI avec Secure Boot", "UEFI with Secure Boot"),
            source: microsoft(),
        },
        Requirement {
            kind: RequirementKind::Tpm,
            // None seen is not none there: many are turned off in the firmware.
            answer: tpm.map_or(Answer::Unknown, |version| answer(version >= 2)),
            read: tpm.map(|version| Said::same(format!("TPM {version}"))),
            wanted: Said::same("TPM 2.0"),
            source: microsoft(),
        },
    ]
}

/// What Linux asks of a machine.
pub(super) fn of_linux(facts: &Facts, policy: &Policy) -> Vec<Requirement> {
    let rules = &policy.disposition;
    let architecture = machine(facts).and_then(|machine| machine.architecture.as_deref());
    let wide = architecture.map(|name| name.contains("64"));
    let newer = machine(facts)
        .and_then(|machine| machine.processor.as_deref())
        .is_some_and(|name| processor::known(name).windows_11 == Answer::Met);
    vec![
        Requirement {
            kind: RequirementKind::Architecture,
            // A system of 32 bits may well run on a processor of 64.
            answer: if wide == Some(true) || newer { Answer::Met } else { Answer::Unknown },
            read: architecture.map(Said::same),
            wanted: Said::new("processeur 64 bits", "64-bit processor"),
            source: Said::new(
                "Debian et Ubuntu ne s'installent plus sur 32 bits",
                "Debian and Ubuntu install on 64 bits only",
            ),
        },
        memory(facts, rules.linux_memory_gigabytes, "disposition.linux_memory_gigabytes"),
        storage(facts, rules.linux_storage_gigabytes, "disposition.linux_storage_gigabytes"),
    ]
}

fn gigabytes(value: u32) -> Said {
    let value = number(u64::from(value));
    Said::new(format!("au moins {} Go", value.fr), format!("at least {} GB", value.en))
}

fn memory(facts: &Facts, least: u32, setting: &'static str) -> Requirement {
    let read = machine(facts).and_then(|machine| machine.memory_bytes);
    let least_seen = u64::from(least) * GIBI * MEMORY_SEEN.0 / MEMORY_SEEN.1;
    Requirement {
        kind: RequirementKind::Memory,
        answer: read.map_or(Answer::Unknown, |bytes| answer(bytes >= least_seen)),
        read: read.and_then(Bytes::new).map(size),
        wanted: gigabytes(least),
        source: source_of(setting),
    }
}

fn storage(facts: &Facts, least: u32, setting: &'static str) -> Requirement {
    let read = machine(facts).and_then(|machine| machine.storage_bytes);
    let least_seen = u64::from(least) * GIGA * STORAGE_SEEN.0 / STORAGE_SEEN.1;
    Requirement {
        kind: RequirementKind::Storage,
        answer: read.map_or(Answer::Unknown, |bytes| answer(bytes >= least_seen)),
        read: read.and_then(Bytes::new).map(size),
        wanted: gigabytes(least),
        source: source_of(setting),
    }
}

/// The condition that a device must be in to be lent.
pub(super) fn of_condition(facts: &Facts, policy: &Policy) -> Vec<Requirement> {
    vec![
        drive(facts, &[Verdict::Healthy], Said::new("sans usure ni risque", "no wear, no risk")),
        battery(facts, policy.battery.relend_percent, "battery.relend_percent"),
        condition(facts),
    ]
}

fn drive(facts: &Facts, fit: &[Verdict], wanted: Said) -> Requirement {
    let verdict = machine(facts).map(|machine| machine.drives).filter(|verdict| *verdict != Verdict::Unknown);
    Requirement {
        kind: RequirementKind::Drive,
        answer: verdict.map_or(Answer::Unknown, |verdict| answer(fit.contains(&verdict))),
        read: verdict.map(|verdict| match verdict {
            Verdict::Healthy => Said::new("bon état", "healthy"),
            Verdict::Worn => Said::new("usé", "worn"),
            Verdict::Failing | Verdict::Unknown => Said::new("à risque", "at risk"),
        }),
        wanted,
        source: Said::new("verdict des disques (docs/rules.md)", "verdict on drives (docs/rules.md)"),
    }
}

fn battery(facts: &Facts, least: u32, setting: &'static str) -> Requirement {
    let read = machine(facts).map_or(BatteryRead::NotRead, |machine| machine.battery);
    let (found, shown) = match read {
        BatteryRead::NoneExpected => (Answer::Met, Some(Said::new("sur secteur", "on mains"))),
        BatteryRead::Left(left) => (answer(u32::from(left) >= least), Some(percent(u64::from(left)))),
        BatteryRead::Gone => (Answer::NotMet, Some(Said::new("aucune trouvée", "none found"))),
        BatteryRead::Swollen => (Answer::NotMet, Some(Said::new("gonflée", "swollen"))),
        BatteryRead::NotRead => (Answer::Unknown, None),
    };
    let least = percent(u64::from(least));
    Requirement {
        kind: RequirementKind::Battery,
        answer: found,
        read: shown,
        wanted: Said::new(
            format!("au moins {} de sa capacité", least.fr),
            format!("at least {} of its capacity", least.en),
        ),
        source: source_of(setting),
    }
}

/// What staff saw: the grade or, where that is worse, what the desk noted at the last return.
fn condition(facts: &Facts) -> Requirement {
    let graded = |grade: Grade| Said::same(format!("grade {grade}"));
    let found = match (facts.grade, facts.returned) {
        (_, Some(Condition::NotWorking)) => {
            Some((Answer::NotMet, Said::new("rendu hors service", "returned not working")))
        }
        (Some(Grade::D), _) => Some((Answer::NotMet, graded(Grade::D))),
        (_, Some(Condition::Damaged)) => Some((Answer::NotMet, Said::new("rendu endommagé", "returned damaged"))),
        (Some(grade), _) => Some((Answer::Met, graded(grade))),
        (None, Some(Condition::Good | Condition::Worn)) => {
            Some((Answer::Met, Said::new("rendu en bon état", "returned in order")))
        }
        (None, None) => None,
    };
    Requirement {
        kind: RequirementKind::Condition,
        answer: found.as_ref().map_or(Answer::Unknown, |(answer, _)| *answer),
        read: found.map(|(_, said)| said),
        wanted: Said::new("grade A à C", "grade A to C"),
        source: Said::new(
            "constat du personnel, qui l'emporte sur la machine",
            "what staff saw, above the machine's word",
        ),
    }
}

/// What a gift asks of a device.
pub(super) fn of_donation(facts: &Facts, policy: &Policy, now: UtcMillis) -> Vec<Requirement> {
    let mut all = of_linux(facts, policy);
    let worn = [Verdict::Healthy, Verdict::Worn];
    all.push(drive(
        facts,
        &worn,
        Said::new("sans risque ; effacement Purge pour un SSD", "no risk; Purge erasure for an SSD"),
    ));
    all.push(battery(facts, policy.battery.long_loan_percent, "battery.long_loan_percent"));
    all.push(condition(facts));
    all.push(age(facts, policy, now));
    all.push(worth(facts, policy, now));
    all
}

/// REEN: older than the bound goes to recycling. Only a lower bound of the age is known, so "met" is never certain
/// without a date of purchase, which is said in the advice.
fn age(facts: &Facts, policy: &Policy, now: UtcMillis) -> Requirement {
    let (months, _) = facts.least_age(policy, now);
    let bound = i64::from(policy.disposition.recycle_years) * 12;
    let shown = months_said(months);
    let years = count(u64::from(policy.disposition.recycle_years), ("an", "year"), ("ans", "years"));
    Requirement {
        kind: RequirementKind::Age,
        answer: answer(months < bound),
        read: Some(Said::new(format!("au moins {}", shown.fr), format!("at least {}", shown.en))),
        wanted: Said::new(format!("moins de {}", years.fr), format!("less than {}", years.en)),
        source: source_of("disposition.recycle_years"),
    }
}

fn worth(facts: &Facts, policy: &Policy, now: UtcMillis) -> Requirement {
    let rules: &DispositionPolicy = &policy.disposition;
    let worth = value::of_unit(facts, policy, now);
    let ceiling = rules.donation_ceiling_euros;
    Requirement {
        kind: RequirementKind::Value,
        answer: answer(worth <= ceiling),
        read: Some(euros(worth)),
        wanted: Said::new(format!("au plus {}", euros(ceiling).fr), format!("at most {}", euros(ceiling).en)),
        source: source_of("disposition.donation_ceiling_euros"),
    }
}

/// What others of its model can use.
pub(super) fn of_parts(facts: &Facts, policy: &Policy) -> Vec<Requirement> {
    let drive = drive(facts, &[Verdict::Healthy], Said::new("bon pour un autre", "good for another"));
    let battery = battery(facts, policy.battery.relend_percent, "battery.relend_percent");
    // One good part is enough: what speaks best is the requirement. A machine that runs on mains has no battery to give.
    let has_battery = machine(facts).is_none_or(|machine| machine.battery != BatteryRead::NoneExpected);
    vec![if has_battery && battery.answer < drive.answer { battery } else { drive }]
}

/// An amount of money.
#[must_use]
pub fn euros(amount: u32) -> Said {
    let amount = number(u64::from(amount));
    Said { fr: format!("{}\u{a0}€", amount.fr), en: format!("€{}", amount.en) }
}

/// A number of months, in years from two years on.
#[must_use]
pub fn months_said(months: i64) -> Said {
    let months = u64::try_from(months).unwrap_or_default();
    if months >= 24 {
        count(months / 12, ("an", "year"), ("ans", "years"))
    } else {
        count(months, ("mois", "month"), ("mois", "months"))
    }
}
