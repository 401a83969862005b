//! What should become of a device, at any time, lent or in stock: lent again, repaired, donated, taken for parts,
//! recycled; with its cost and value, how sure that is, and what one more check would change.
//!
//! Worse evidence never improves the advice, and what is missing lowers its confidence: nobody is told to lend a device
//! again with high confidence while something about it was not read. It advises; people decide.

mod check;
mod reason;
mod remaining;
pub mod value;

use cartable_common::UtcMillis;
use jiff::civil::Date;

pub use check::{Check, CheckKind};
pub use reason::Reason;
pub use remaining::{Limit, Remaining};

use super::{
    fitness::{self, Answer, BatteryRead, Facts, Fitness, facts::AgeFrom},
    grade::Grade,
    loan::{Condition, LendingState},
    paris,
    policy::Policy,
    verdict::{Verdict, text_enum},
    wording::Said,
};

text_enum! {
    /// What a device becomes, from the best to the last.
    pub enum Disposition {
        /// Lent again as it is.
        Relend = "relend",
        /// Repaired, then lent again.
        Repair = "repair",
        /// Given away.
        Donate = "donate",
        /// Taken apart for others of its model.
        Parts = "parts",
        /// Recycled.
        Recycle = "recycle",
    }
}

text_enum! {
    /// How sure an advice is.
    pub enum Confidence {
        /// Everything it rests on was read lately.
        High = "high",
        /// One thing is missing or old.
        Medium = "medium",
        /// More is missing.
        Low = "low",
    }
}

/// What it costs, in whole euros rounded up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Parts.
    pub parts_euros: u32,
    /// Minutes at the bench.
    pub minutes: u32,
    /// Both, the minutes priced by the policy.
    pub euros: u32,
}

/// The advice about one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What it should become.
    pub disposition: Disposition,
    /// How sure that is.
    pub confidence: Confidence,
    /// Why, heaviest first.
    pub reasons: Vec<Reason>,
    /// What is missing.
    pub missing: Vec<Said>,
    /// What it costs to do so.
    pub cost: Cost,
    /// What it is worth afterwards, in whole euros.
    pub value_euros: u32,
    /// The date of the machine's own evidence; none where it said nothing yet.
    pub evidence_at: Option<UtcMillis>,
    /// The system that it has, where its end of support is known, and that day.
    pub support: Option<(String, Date)>,
    /// For how many more months it is useful, and why not longer.
    pub remaining: Remaining,
    /// What it is fit for.
    pub fitness: Vec<Fitness>,
    /// Checks that could change the disposition, the most telling first.
    pub checks: Vec<Check>,
}

/// Whether anything is to be advised: not about what is lost, stolen, given away or written off.
#[must_use]
pub const fn is_advised(state: LendingState) -> bool {
    match state {
        LendingState::InStock
        | LendingState::Reserved
        | LendingState::Lent
        | LendingState::Intake
        | LendingState::Refurbishment => true,
        // Of what is set aside people have decided what it becomes.
        LendingState::SetAside
        | LendingState::Lost
        | LendingState::Stolen
        | LendingState::WrittenOff
        | LendingState::Ceded => false,
    }
}

/// The advice about a device of which `facts` are known.
#[must_use]
pub fn advise(facts: &Facts, policy: &Policy, now: UtcMillis) -> Advice {
    let decided = decide(Evidence::of(facts, policy), facts, policy, now);
    let missing = missing(facts, policy, now, &decided);
    Advice {
        disposition: decided.disposition,
        confidence: confidence(&missing),
        cost: decided.cost,
        value_euros: decided.value_euros,
        reasons: decided.reasons,
        evidence_at: facts.machine.as_ref().map(|machine| machine.evidence_at),
        support: facts.machine.as_ref().and_then(|machine| machine.support.clone()).map(|(name, day)| (name, day.0)),
        remaining: remaining::of(facts, policy, now),
        fitness: fitness::assess(facts, policy, now),
        checks: check::all(facts, policy, now, decided.disposition),
        missing,
    }
}

/// The disposition alone, for counting a fleet.
#[must_use]
pub fn disposition_of(facts: &Facts, policy: &Policy, now: UtcMillis) -> Disposition {
    decide(Evidence::of(facts, policy), facts, policy, now).disposition
}

/// What a decision looks at, each value replaceable by a check that has not been made yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Evidence {
    windows: Answer,
    linux: Answer,
    drives: Verdict,
    battery: BatteryRead,
    /// Whether staff found that something does not work.
    broken: Answer,
    /// Whether it does not start at all.
    dead: bool,
    too_old: Option<bool>,
}

impl Evidence {
    fn of(facts: &Facts, policy: &Policy) -> Self {
        let machine = facts.machine.as_ref();
        // A grade outlives a loan: what the desk noted since may be worse, and the worse word counts.
        let (broken, dead) = match (facts.grade, facts.returned) {
            (_, Some(Condition::NotWorking)) => (Answer::Met, true),
            (Some(Grade::D), _) | (_, Some(Condition::Damaged)) => (Answer::Met, false),
            (Some(Grade::A | Grade::B | Grade::C), _) | (None, Some(Condition::Good | Condition::Worn)) => {
                (Answer::NotMet, false)
            }
            (None, None) => (Answer::Unknown, false),
        };
        Self {
            windows: fitness::runs_windows_11(facts, policy),
            linux: fitness::runs_linux(facts, policy),
            drives: machine.map_or(Verdict::Unknown, |machine| machine.drives),
            battery: machine.map_or(BatteryRead::NotRead, |machine| machine.battery),
            broken,
            dead,
            too_old: None,
        }
    }

    fn battery_below(self, percent: u32) -> bool {
        match self.battery {
            BatteryRead::Left(left) => u32::from(left) < percent,
            BatteryRead::Gone | BatteryRead::Swollen => true,
            BatteryRead::NoneExpected | BatteryRead::NotRead => false,
        }
    }
}

struct Decided {
    disposition: Disposition,
    reasons: Vec<Reason>,
    cost: Cost,
    value_euros: u32,
    /// Whether the age alone decided.
    by_age: bool,
}

fn decide(evidence: Evidence, facts: &Facts, policy: &Policy, now: UtcMillis) -> Decided {
    let rules = &policy.disposition;
    let (age, _) = facts.least_age(policy, now);
    let past = evidence.too_old.unwrap_or(age >= i64::from(rules.recycle_years) * 12);
    if past {
        return Decided {
            disposition: Disposition::Recycle,
            reasons: vec![reason::too_old(age, policy)],
            cost: value::cost(policy, 0, rules.recycle_minutes),
            value_euros: 0,
            by_age: true,
        };
    }
    let repairs = value::repairs(evidence, policy);
    let worth = value::after_repair(facts, policy, now);
    let mut reasons = reason::all(evidence, policy);
    let lendable = evidence.windows != Answer::NotMet
        || evidence.linux != Answer::NotMet
            && (rules.relend_with_linux || value::of_unit(facts, policy, now) > rules.donation_ceiling_euros);
    let done =
        |disposition, reasons, cost, value_euros| Decided { disposition, reasons, cost, value_euros, by_age: false };
    if lendable && repairs.is_empty() {
        let cost = value::cost(policy, 0, rules.relend_minutes);
        return done(Disposition::Relend, reasons, cost, worth);
    }
    if lendable {
        let cost = value::cost(policy, repairs.parts_euros, repairs.minutes + rules.relend_minutes);
        let share = u64::from(worth) * u64::from(rules.repair_share_percent) / 100;
        if u64::from(cost.euros) <= share {
            return done(Disposition::Repair, reasons, cost, worth);
        }
        reasons.push(reason::too_dear(&cost, worth, policy));
    }
    let (disposition, minutes, worth) = below_lending(evidence, facts, policy, now);
    done(disposition, reasons, value::cost(policy, 0, minutes), worth)
}

/// What is left for a device that is not to be lent: its minutes at the bench and its value.
fn below_lending(evidence: Evidence, facts: &Facts, policy: &Policy, now: UtcMillis) -> (Disposition, u32, u32) {
    let rules = &policy.disposition;
    let works = evidence.broken != Answer::Met && evidence.linux != Answer::NotMet;
    let sound = evidence.drives != Verdict::Failing && !evidence.battery_below(policy.battery.long_loan_percent);
    if works && sound {
        return (Disposition::Donate, rules.donate_minutes, value::of_unit(facts, policy, now));
    }
    let good_drive = matches!(evidence.drives, Verdict::Healthy | Verdict::Unknown);
    let good_battery = !evidence.battery_below(policy.battery.relend_percent);
    if good_drive || good_battery && evidence.battery != BatteryRead::NoneExpected {
        return (Disposition::Parts, rules.parts_minutes, rules.parts_value_euros);
    }
    (Disposition::Recycle, rules.recycle_minutes, 0)
}

/// What is not known and would make the advice surer.
fn missing(facts: &Facts, policy: &Policy, now: UtcMillis, decided: &Decided) -> Vec<Said> {
    let mut all = Vec::new();
    let mut lacks = |fr: &str, en: &str| all.push(Said::new(fr, en));
    let (_, from) = facts.least_age(policy, now);
    if decided.by_age {
        // Nothing else would change it.
        if from != AgeFrom::Recorded {
            lacks(
                "La date d'achat : l'âge est une estimation basse.",
                "The date of purchase: the age is a low estimate.",
            );
        }
        return all;
    }
    let Some(machine) = &facts.machine else {
        lacks("Aucun relevé : l'agent n'a encore rien dit.", "No report: the agent has said nothing yet.");
        lacks("Disque, batterie et système n'ont pas été lus.", "Drive, battery and system were not read.");
        if facts.grade.is_none() {
            lacks("Personne ne l'a inspecté.", "Nobody inspected it.");
        }
        return all;
    };
    if machine.drives == Verdict::Unknown {
        lacks("L'état du disque.", "The state of the drive.");
    }
    if machine.battery == BatteryRead::NotRead {
        lacks("L'état de la batterie.", "The state of the battery.");
    }
    if fitness::runs_windows_11(facts, policy) == Answer::Unknown {
        lacks("Une exigence de Windows 11 n'a pas été lue.", "A requirement of Windows 11 was not read.");
    }
    if facts.grade.is_none() && facts.returned.is_none() {
        lacks("Un grade : personne ne l'a inspecté.", "A grade: nobody inspected it.");
    }
    let old = paris::date(now).since(paris::date(machine.evidence_at)).map_or(0, |span| i64::from(span.get_days()));
    if old > i64::from(policy.disposition.fresh_days) {
        lacks("Un relevé récent : celui-ci est ancien.", "A recent report: this one is old.");
    }
    all
}

/// Nothing missing is high, one thing medium, more low.
const fn confidence(missing: &[Said]) -> Confidence {
    match missing.len() {
        0 => Confidence::High,
        1 => Confidence::Medium,
        _ => Confidence::Low,
    }
}

#[cfg(test)]
mod tests;
