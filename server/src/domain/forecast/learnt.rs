//! What history and policy say about units once they are back: what they become, which parts they take, how fast the
//! bench is, and how long units wait beside it. Each is a distribution, drawn anew for every run: what is not known well
//! must spread the forecast.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{
    calendar::is_working_day,
    dice::Dice,
    input::{ForecastInput, KINDS, PastOrder, Unit, place},
    returns::{Chances, Returns},
};
use crate::domain::{
    disposition::Disposition as Advised,
    part::PartKind,
    policy::Policy,
    verdict::Verdict,
    work_order::{Disposition, Stage},
};

/// Kinds of parts that units may turn out to need beyond what is known: the most needed ones.
pub(super) const RANDOM_KINDS: usize = 6;
/// The spread that is left however long the pace was watched.
const LEAST_SPREAD: f64 = 0.05;
/// Working days that the assumption about the bench weighs.
const BENCH_WEIGHT: f64 = 10.0;
/// How much a mean wait spreads from one year to another.
const DELAY_SPREAD: f64 = 0.2;
const HOURS: f64 = 24.0;

/// What tells units apart that may become different things.
type Class = (usize, Verdict, Option<Advised>);

/// What was learnt.
#[derive(Clone, Debug)]
pub(super) struct Learnt {
    pub(super) due: Returns,
    pub(super) appointed: Returns,
    extended: (f64, f64),
    pace_spread: f64,
    /// The classes of the units, each with its weights.
    pub(super) classes: Vec<(Class, [f64; Disposition::ALL.len()])>,
    /// For each kind that is drawn: its place, and how often it was used and not.
    pub(super) kinds: Vec<(PartKind, f64, f64)>,
    /// The same for each model.
    models: Vec<[(f64, f64); RANDOM_KINDS]>,
    need_weight: f64,
    /// Minutes a day, and their spread.
    pub(super) bench: (f64, f64),
    /// Working days on which the benches were full.
    pub(super) pace_days: u32,
    /// Mean days at the erasure, the installation, the decision.
    pub(super) delays: [f64; 3],
    /// Orders that were closed.
    pub(super) orders: u32,
}

/// What holds in one run.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    pub(super) due: Chances,
    pub(super) appointed: Chances,
    pub(super) extended: f64,
    /// For each class, the shares that have added up: lent, given, parts.
    pub(super) outcomes: Vec<[f64; 3]>,
    /// For each model, the share of units that take each kind of [`Learnt::kinds`].
    pub(super) needs: Vec<[f64; RANDOM_KINDS]>,
    /// Minutes a day.
    pub(super) bench: f64,
    pub(super) delays: [f64; 3],
}

impl Learnt {
    pub(super) fn new(input: &ForecastInput, policy: &Policy) -> Self {
        let rules = &policy.forecast;
        let closed: Vec<&PastOrder> = input.orders.iter().filter(|order| order.became.is_some()).collect();
        let weight = f64::from(rules.prior_units);
        let assumed = f64::from(rules.extended_percent) / 100.0;
        let count = input.extended;
        let known = scale(f64::from(count.loans), f64::from(rules.history_units));
        let no = f64::from(count.loans.saturating_sub(count.extended));
        let (kinds, models) = needs(input, &closed, policy);
        let (bench, pace_days) = pace(input, policy);
        Self {
            due: Returns::learn(&input.loans, false, rules),
            appointed: Returns::learn(&input.loans, true, rules),
            extended: (weight * assumed + known * f64::from(count.extended), weight * (1.0 - assumed) + known * no),
            pace_spread: f64::from(rules.returns_spread_percent) / 100.0,
            classes: classes(&input.units, &closed, policy),
            kinds,
            models,
            need_weight: weight,
            bench,
            pace_days,
            delays: delays(input, policy),
            orders: u32::try_from(closed.len()).unwrap_or(u32::MAX),
        }
    }

    /// The place of a unit's class.
    pub(super) fn class_of(&self, unit: &Unit) -> usize {
        let class = (unit.model, unit.verdict, unit.advised);
        self.classes.binary_search_by(|(one, _)| one.cmp(&class)).unwrap_or_default()
    }

    /// What holds in one run.
    pub(super) fn draw(&self, dice: &mut Dice) -> Drawn {
        let pace = dice.around_one(self.pace_spread);
        let due = self.due.draw(dice, pace);
        let appointed = self.appointed.draw(dice, pace);
        let extended = dice.beta(self.extended.0, self.extended.1);
        let outcomes = self
            .classes
            .iter()
            .map(|(_, weights)| {
                let [relend, donate, parts, _] = dice.shares(*weights);
                [relend, relend + donate, relend + donate + parts]
            })
            .collect();
        let mut pooled = [0.0; RANDOM_KINDS];
        for (share, (_, yes, no)) in pooled.iter_mut().zip(&self.kinds) {
            *share = dice.beta(*yes, *no);
        }
        let needs = self
            .models
            .iter()
            .map(|seen| {
                let mut shares = [0.0; RANDOM_KINDS];
                for ((share, pooled), (yes, no)) in shares.iter_mut().zip(pooled).zip(seen) {
                    *share = dice.beta(self.need_weight * pooled + yes, self.need_weight * (1.0 - pooled) + no);
                }
                shares
            })
            .collect();
        let bench = self.bench.0 * dice.around_one(self.bench.1);
        let delays = self.delays.map(|mean| mean * dice.around_one(DELAY_SPREAD));
        Drawn { due, appointed, extended, outcomes, needs, bench, delays }
    }
}

/// By what counts are multiplied so that they weigh `most` at most.
fn scale(count: f64, most: f64) -> f64 {
    if count > most { most / count } else { 1.0 }
}

fn classes(units: &[Unit], closed: &[&PastOrder], policy: &Policy) -> Vec<(Class, [f64; Disposition::ALL.len()])> {
    let mut seen: BTreeMap<(usize, Verdict), [f64; 4]> = BTreeMap::new();
    for order in closed {
        let counts = seen.entry((order.model, order.verdict)).or_default();
        if let Some(became) = order.became {
            counts[outcome(became)] += 1.0;
        }
    }
    let mut all: Vec<Class> = units.iter().map(|unit| (unit.model, unit.verdict, unit.advised)).collect();
    all.sort_unstable();
    all.dedup();
    let weight = f64::from(policy.forecast.prior_units);
    let most = f64::from(policy.forecast.history_units);
    all.into_iter()
        .map(|class| {
            let counts = seen.get(&(class.0, class.1)).copied().unwrap_or_default();
            let known = scale(counts.iter().sum(), most);
            let assumed = assumed_outcome(class.2, policy);
            let mut weights = [0.0; 4];
            for (place, one) in weights.iter_mut().enumerate() {
                *one = weight * assumed[place] + known * counts[place];
            }
            (class, weights)
        })
        .collect()
}

/// The place of what a unit becomes.
pub(super) const fn outcome(became: Disposition) -> usize {
    match became {
        Disposition::Relend => 0,
        Disposition::Donate => 1,
        Disposition::Parts => 2,
        Disposition::Recycle => 3,
    }
}

/// What is assumed of a unit of which nothing but the advice is known.
fn assumed_outcome(advised: Option<Advised>, policy: &Policy) -> [f64; 4] {
    let Some(advised) = advised else { return [0.25; 4] };
    let followed = f64::from(policy.forecast.followed_percent) / 100.0;
    let mut shares = [(1.0 - followed) / 3.0; 4];
    shares[match advised {
        Advised::Relend | Advised::Repair => 0,
        Advised::Donate => 1,
        Advised::Parts => 2,
        Advised::Recycle => 3,
    }] = followed;
    shares
}

type Needs = (Vec<(PartKind, f64, f64)>, Vec<[(f64, f64); RANDOM_KINDS]>);

/// How often units that were lent or given took each kind of part.
fn needs(input: &ForecastInput, closed: &[&PastOrder], policy: &Policy) -> Needs {
    let rules = &policy.forecast;
    let worked = |order: &&&PastOrder| matches!(order.became, Some(Disposition::Relend | Disposition::Donate));
    let worked: Vec<&PastOrder> = closed.iter().filter(worked).copied().collect();
    let all = f64::from(u32::try_from(worked.len()).unwrap_or(u32::MAX));
    let known = scale(all, f64::from(rules.history_units));
    let weight = f64::from(rules.prior_units);
    let mut used = [0.0; KINDS];
    let mut by_model = vec![([0.0; KINDS], 0.0); input.models.len()];
    for order in &worked {
        for kind in order.used.each() {
            used[place(kind)] += 1.0;
        }
        if let Some((kinds, count)) = by_model.get_mut(order.model) {
            *count += 1.0;
            order.used.each().for_each(|kind| kinds[place(kind)] += 1.0);
        }
    }
    let assumed = |kind: PartKind| {
        let percent = match kind {
            PartKind::Battery => rules.battery_need_percent,
            PartKind::Charger => rules.charger_need_percent,
            PartKind::Drive => rules.drive_need_percent,
            PartKind::Keyboard => rules.keyboard_need_percent,
            PartKind::Screen => rules.screen_need_percent,
            PartKind::Memory
            | PartKind::Trackpad
            | PartKind::Hinges
            | PartKind::Ports
            | PartKind::Camera
            | PartKind::Sound
            | PartKind::WiFi
            | PartKind::Casing
            | PartKind::Fan
            | PartKind::Other => 0,
        };
        f64::from(percent) / 100.0
    };
    let mut kinds: Vec<(PartKind, f64, f64)> = PartKind::ALL
        .iter()
        .map(|kind| {
            let (yes, share) = (used[place(*kind)], assumed(*kind));
            (*kind, weight * share + known * yes, weight * (1.0 - share) + known * (all - yes))
        })
        .filter(|(_, yes, _)| *yes > 0.0)
        .collect();
    kinds.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
    kinds.truncate(RANDOM_KINDS);
    let models = by_model
        .iter()
        .map(|(seen, count)| {
            let known = scale(*count, f64::from(rules.history_units));
            let mut of = [(0.0, 0.0); RANDOM_KINDS];
            for (one, (kind, _, _)) in of.iter_mut().zip(&kinds) {
                let yes = seen[place(*kind)];
                *one = (known * yes, known * (count - yes));
            }
            of
        })
        .collect();
    (kinds, models)
}

/// Minutes a day with their spread, and on how many days they were seen: those on which a day's work lay untouched at the
/// intake from morning to evening. On any other day hands may have been idle; what waits for parts or for the decision
/// does not wait for hands.
fn pace(input: &ForecastInput, policy: &Policy) -> ((f64, f64), u32) {
    let rules = &policy.forecast;
    let mut days: Vec<Date> = Vec::new();
    let mut day = input.today;
    for _ in 0..rules.pace_days * 2 {
        let Ok(before) = day.yesterday() else { break };
        day = before;
        if is_working_day(day, &rules.closed) {
            days.push(day);
        }
        if days.len() >= usize::try_from(rules.pace_days).unwrap_or(usize::MAX) {
            break;
        }
    }
    let first = days.last().copied().unwrap_or(input.today);
    let lay = |order: &PastOrder, day: Date| order.opened < day && order.begun.is_none_or(|begun| begun > day);
    let closed_since: Vec<&PastOrder> =
        input.orders.iter().filter(|order| order.closed.is_some_and(|closed| closed >= first)).collect();
    let usual = closed_since.len().div_ceil(days.len().max(1));
    let candidates: Vec<&PastOrder> =
        input.orders.iter().filter(|order| order.begun.is_none_or(|begun| begun > first)).collect();
    let (mut seen, mut minutes) = (0, 0.0);
    for day in &days {
        let backlog = candidates.iter().filter(|order| lay(order, *day)).count();
        if usual == 0 || backlog < usual {
            continue;
        }
        seen += 1;
        let done = closed_since.iter().filter(|order| order.closed == Some(*day));
        minutes += done
            .map(|order| f64::from(order.became.map_or(0, |became| minutes_of(became, order, policy))))
            .sum::<f64>();
    }
    let assumed = f64::from(rules.bench_minutes_per_day);
    let mean = (BENCH_WEIGHT * assumed + minutes) / (BENCH_WEIGHT + f64::from(seen));
    let spread = f64::from(rules.bench_spread_percent) / 100.0;
    let left = spread * spread / (1.0 + f64::from(seen) / BENCH_WEIGHT);
    ((mean, (left + LEAST_SPREAD * LEAST_SPREAD).sqrt()), seen)
}

fn minutes_of(became: Disposition, order: &PastOrder, policy: &Policy) -> u32 {
    base_minutes(became, policy) + order.used.each().map(|kind| part_minutes(kind, policy)).sum::<u32>()
}

/// Minutes at the bench until a unit is what it becomes.
pub(super) const fn base_minutes(became: Disposition, policy: &Policy) -> u32 {
    let rules = &policy.disposition;
    match became {
        Disposition::Relend => rules.relend_minutes,
        Disposition::Donate => rules.donate_minutes,
        Disposition::Parts => rules.parts_minutes,
        Disposition::Recycle => rules.recycle_minutes,
    }
}

/// Minutes at the bench to put a part in.
pub(super) const fn part_minutes(kind: PartKind, policy: &Policy) -> u32 {
    let rules = &policy.disposition;
    match kind {
        PartKind::Battery => rules.battery_minutes,
        PartKind::Drive | PartKind::Memory => rules.drive_minutes,
        // It is put into the bag.
        PartKind::Charger => 0,
        PartKind::Screen
        | PartKind::Keyboard
        | PartKind::Trackpad
        | PartKind::Hinges
        | PartKind::Ports
        | PartKind::Camera
        | PartKind::Sound
        | PartKind::WiFi
        | PartKind::Casing
        | PartKind::Fan
        | PartKind::Other => rules.fault_minutes,
    }
}

/// Mean days at the erasure, the installation and the decision. What units waited at intake and inspection was the
/// queue, which is played; what they waited at repair was parts, which are counted.
fn delays(input: &ForecastInput, policy: &Policy) -> [f64; 3] {
    let rules = &policy.forecast;
    let weight = f64::from(rules.prior_units);
    let mean = |stages: &[Stage], assumed: u32| {
        let of = || input.stages.iter().filter(|time| stages.contains(&time.stage));
        let orders = f64::from(of().map(|time| time.orders).max().unwrap_or_default());
        let days = of().map(|time| f64::from(time.hours)).sum::<f64>() / HOURS;
        (weight * f64::from(assumed) + days) / (weight + orders)
    };
    [
        mean(&[Stage::Erasure], rules.erasure_days),
        mean(&[Stage::Reinstallation, Stage::FinalTest, Stage::Grading], rules.installation_days),
        mean(&[Stage::Disposition], rules.decision_days),
    ]
}

/// The minutes a day that are believed in, rounded.
pub(super) fn minutes_a_day(learnt: &Learnt) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded, and within the range of the policy"
    )]
    let minutes = learnt.bench.0.round().clamp(0.0, 1e6) as u32;
    minutes
}
