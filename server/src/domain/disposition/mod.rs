//! What should become of a device, at any time, lent or in stock: lent again, repaired, donated, taken for parts,
//! recycled; with its cost and value, how sure that is, and what one more check would change.
//!
//! Worse evidence never improves the advice, and what is missing lowers its confidence: nobody is told to lend a device
//! again with high confidence while something about it was not read. It advises; people decide.

mod check;
mod remaining;
pub mod value;

use cartable_common::UtcMillis;
use jiff::civil::Date;

pub use check::{Check, CheckKind};
pub use remaining::{Limit, Remaining};

use super::{
    fitness::{self, Answer, BatteryRead, Facts, Fitness, facts::AgeFrom},
    grade::Grade,
    loan::{Condition, LendingState},
    paris,
    policy::{Policy, source_of},
    verdict::{Verdict, text_enum},
    wording::{Said, percent},
};
use fitness::{euros, months_said};

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

/// One reason, with the threshold it met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What was found.
    pub said: Said,
    /// The value that was read.
    pub value: Said,
    /// The threshold.
    pub threshold: Said,
    /// Where the threshold comes from.
    pub source: Said,
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
        LendingState::InStock | LendingState::Reserved | LendingState::Lent | LendingState::Intake => true,
        LendingState::Lost | LendingState::Stolen | LendingState::WrittenOff | LendingState::Ceded => false,
    }
}

/// The advice about a device of which `facts` are known.
#[must_use]
pub fn advise(facts: &Facts, policy: &Policy, now: UtcMillis) -> Advice {
    let decided = decide(&Evidence::of(facts, policy), facts, policy, now);
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
    decide(&Evidence::of(facts, policy), facts, policy, now).disposition
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
        // A grade is younger than what the desk noted: whoever gave it had the device on the bench.
        let (broken, dead) = match (facts.grade, facts.returned) {
            (Some(Grade::D), _) => (Answer::Met, false),
            (Some(Grade::A | Grade::B | Grade::C), _) | (None, Some(Condition::Good | Condition::Worn)) => {
                (Answer::NotMet, false)
            }
            (None, Some(Condition::Damaged)) => (Answer::Met, false),
            (None, Some(Condition::NotWorking)) => (Answer::Met, true),
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
            BatteryRead::Gone => true,
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

fn decide(evidence: &Evidence, facts: &Facts, policy: &Policy, now: UtcMillis) -> Decided {
    let rules = &policy.disposition;
    let (age, _) = facts.least_age(policy, now);
    let past = evidence.too_old.unwrap_or(age >= i64::from(rules.recycle_years) * 12);
    if past {
        return Decided {
            disposition: Disposition::Recycle,
            reasons: vec![too_old(age, policy)],
            cost: value::cost(policy, 0, rules.recycle_minutes),
            value_euros: 0,
            by_age: true,
        };
    }
    let repairs = value::repairs(*evidence, policy);
    let worth = value::after_repair(facts, policy, now);
    let mut reasons = reasons(*evidence, policy);
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
        reasons.push(too_dear(&cost, worth, policy));
    }
    let (disposition, minutes, worth) = below_lending(*evidence, facts, policy, now);
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

fn too_old(age: i64, policy: &Policy) -> Reason {
    Reason {
        said: Said::new(
            "Au-delà de cet âge, la loi REEN oriente vers le recyclage.",
            "Beyond this age the REEN law sends it to recycling.",
        ),
        value: months_said(age),
        threshold: months_said(i64::from(policy.disposition.recycle_years) * 12),
        source: source_of("disposition.recycle_years"),
    }
}

fn too_dear(cost: &Cost, worth: u32, policy: &Policy) -> Reason {
    let share = percent(u64::from(policy.disposition.repair_share_percent));
    Reason {
        said: Said::new(
            "La réparation coûte trop pour ce qu'il vaudrait.",
            "The repair costs too much for what it would be worth.",
        ),
        value: euros(cost.euros),
        threshold: Said::new(
            format!("{} de {}", share.fr, euros(worth).fr),
            format!("{} of {}", share.en, euros(worth).en),
        ),
        source: source_of("disposition.repair_share_percent"),
    }
}

/// Why it is not lent as it is; for a device that is, what speaks for it.
fn reasons(evidence: Evidence, policy: &Policy) -> Vec<Reason> {
    let mut found = Vec::new();
    let mut say = |fr: &str, en: &str, value: Said, threshold: Said, source: Said| {
        found.push(Reason { said: Said::new(fr, en), value, threshold, source });
    };
    let rules = || Said::new("verdict des disques (docs/rules.md)", "verdict on drives (docs/rules.md)");
    let healthy = || Said::new("bon état", "healthy");
    let staff = || Said::new("constat du personnel", "what staff saw");
    if evidence.dead {
        say("Il ne démarre pas.", "It does not start.", Said::new("hors service", "not working"), healthy(), staff());
    } else if evidence.broken == Answer::Met {
        say(
            "Quelque chose ne marche pas.",
            "Something does not work.",
            Said::new("à réparer", "to be repaired"),
            healthy(),
            staff(),
        );
    }
    match evidence.drives {
        Verdict::Failing => say(
            "Le disque risque la panne.",
            "The drive is at risk.",
            Said::new("à risque", "at risk"),
            healthy(),
            rules(),
        ),
        Verdict::Worn => say("Le disque est usé.", "The drive is worn.", Said::new("usé", "worn"), healthy(), rules()),
        Verdict::Healthy | Verdict::Unknown => {}
    }
    if evidence.battery_below(policy.battery.relend_percent) {
        let left = match evidence.battery {
            BatteryRead::Left(left) => percent(u64::from(left)),
            BatteryRead::Gone | BatteryRead::NoneExpected | BatteryRead::NotRead => Said::new("absente", "gone"),
        };
        let threshold = percent(u64::from(policy.battery.relend_percent));
        say(
            "La batterie ne tient plus assez.",
            "The battery no longer holds enough.",
            left,
            threshold,
            source_of("battery.relend_percent"),
        );
    }
    if evidence.windows == Answer::NotMet {
        say(
            "Il ne peut pas recevoir Windows 11.",
            "It cannot take Windows 11.",
            Said::new("une exigence n'est pas remplie", "a requirement is not met"),
            Said::new("toutes remplies", "all met"),
            source_of("disposition.relend_with_linux"),
        );
    }
    if found.is_empty() {
        found.push(Reason {
            said: Said::new("Rien de ce qui a été lu ne s'y oppose.", "Nothing that was read speaks against it."),
            value: Said::new("aucun défaut lu", "no fault read"),
            threshold: Said::new("aucun défaut", "no fault"),
            source: rules(),
        });
    }
    found
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
