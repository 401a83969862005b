//! For how many more months a device is useful as it is, with what limits it.

use cartable_common::UtcMillis;

use crate::domain::{
    fitness::{self, Answer, BatteryRead, Facts, facts::months},
    os_support, paris,
    policy::{Policy, source_of},
    verdict::Verdict,
    wording::{Said, date},
};

/// How long a device is useful as it is: at most so long, for only what was read limits it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// Months, 0 or more.
    pub months: u32,
    /// What limits it, the shortest first.
    pub limits: Vec<Limit>,
}

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Months from now.
    pub months: u32,
    /// What ends then.
    pub said: Said,
    /// Where that comes from.
    pub source: Said,
}

pub(super) fn of(facts: &Facts, policy: &Policy, now: UtcMillis) -> Remaining {
    let mut limits = vec![age(facts, policy, now)];
    limits.extend(system(facts, policy, now));
    if let Some(machine) = &facts.machine {
        limits.extend(drives(machine.drives, policy));
        limits.extend(battery(machine.battery, policy));
    }
    limits.sort_by_key(|limit| limit.months);
    Remaining { months: limits.first().map_or(0, |limit| limit.months), limits }
}

fn limit(months: i64, fr: &str, en: &str, source: Said) -> Limit {
    Limit { months: u32::try_from(months.max(0)).unwrap_or(u32::MAX), said: Said::new(fr, en), source }
}

fn age(facts: &Facts, policy: &Policy, now: UtcMillis) -> Limit {
    let left = i64::from(policy.disposition.recycle_years) * 12 - facts.least_age(policy, now).0;
    limit(left, "L'âge du recyclage.", "The age of recycling.", source_of("disposition.recycle_years"))
}

/// A machine that takes Windows 11 is given its next version when one ends; any other ends with its last system.
fn system(facts: &Facts, policy: &Policy, now: UtcMillis) -> Option<Limit> {
    if fitness::runs_windows_11(facts, policy) != Answer::NotMet {
        return None;
    }
    if fitness::runs_linux(facts, policy) == Answer::NotMet {
        let source = source_of("disposition.linux_memory_gigabytes");
        return Some(limit(0, "Aucun système à jour n'y tient.", "No system with updates fits it.", source));
    }
    let latest = os_support::latest_linux();
    let day = date(latest.until);
    Some(limit(
        months(paris::date(now), latest.until),
        &format!("Sans Windows 11, {} reçoit des mises à jour jusqu'au {}.", latest.name, day.fr),
        &format!("Without Windows 11, {} gets updates until {}.", latest.name, day.en),
        latest.source,
    ))
}

fn drives(verdict: Verdict, policy: &Policy) -> Option<Limit> {
    let source = || source_of("disposition.worn_drive_months");
    match verdict {
        Verdict::Failing => Some(limit(0, "Le disque risque la panne.", "The drive is at risk.", source())),
        Verdict::Worn => Some(limit(
            i64::from(policy.disposition.worn_drive_months),
            "Le disque est usé.",
            "The drive is worn.",
            source(),
        )),
        Verdict::Healthy | Verdict::Unknown => None,
    }
}

fn battery(read: BatteryRead, policy: &Policy) -> Option<Limit> {
    let rules = &policy.battery;
    let (fr, en) = ("La batterie ne tient plus assez.", "The battery no longer holds enough.");
    match read {
        BatteryRead::Left(left) if u32::from(left) >= rules.relend_percent => None,
        BatteryRead::Left(left) if u32::from(left) >= rules.long_loan_percent => {
            let months = i64::from(policy.disposition.worn_battery_months);
            Some(limit(months, fr, en, source_of("disposition.worn_battery_months")))
        }
        BatteryRead::Left(_) | BatteryRead::Gone | BatteryRead::Swollen => {
            Some(limit(0, fr, en, source_of("battery.long_loan_percent")))
        }
        BatteryRead::NoneExpected | BatteryRead::NotRead => None,
    }
}
