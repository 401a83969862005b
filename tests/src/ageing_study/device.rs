//! One device through the years of the study: each summer a decision, each week an alarm or none, each need a lead.

use cartable_common::UtcMillis;
use cartable_server::domain::{
    disposition::{Disposition, disposition_of},
    policy::Policy,
};

use super::{
    Plan,
    method::{Each, METHODS, alarms},
    watch::Watch,
};
use crate::simulator::{
    Machine,
    ageing::{Cause, Life, Need, Part, Week},
    condition::Contact,
};

/// A summer's decision about a device and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Whether an agent was ever heard from it.
    pub agent: bool,
    /// What each method said.
    pub alarms: Each<bool>,
    /// What Cartable advised.
    pub advised: Disposition,
    /// What speaks against lending it, by Cartable's rules.
    pub against: &'static str,
    /// What was known of it then, for those that were missed.
    known: Known,
    /// What it needed until the end of its next loan.
    pub needs: Vec<Need>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Known {
    day: i64,
    heard_lately: bool,
    drives_unread: bool,
    gauge_is_stuck: bool,
}

impl Decision {
    /// Why `need` could not be foreseen, or was not.
    pub fn missed_because(&self, need: &Need) -> &'static str {
        let known = self.known;
        match (need.part, need.cause) {
            (Part::Drive | Part::Battery, _) if !known.heard_lately => "no agent, or it was no longer heard",
            (Part::Drive, Cause::Sudden) => "drive: died without a sign",
            (Part::Drive, _) if known.drives_unread => "drive: the agent may not read it",
            (Part::Drive, Cause::Declined { since }) if since > known.day => "drive: signs began after the decision",
            (Part::Drive, _) => "drive: signs were there and did not weigh enough",
            (Part::Battery, Cause::Sudden) => "battery: died at once",
            (Part::Battery, _) if known.gauge_is_stuck => "battery: its gauge never tells",
            (Part::Battery, Cause::WeakCell) => "battery: a weak cell after the decision",
            (Part::Battery, _) => "battery: held enough by the rules, not for its holder",
            (_, Cause::Sudden) => "board, fan, radio or socket: not read by an agent",
            (Part::Screen | Part::Keyboard | Part::Hinge | Part::Charger | Part::Board, _) => {
                "broken by its holder: not read by an agent"
            }
        }
    }
}

/// A repair that a lent device needed, and for how long each method had been warning of it, in days.
#[derive(Clone, Debug, PartialEq)]
pub struct Warned {
    /// What was needed.
    pub need: Need,
    /// Whether an agent was ever heard from the device.
    pub agent: bool,
    /// The days of unbroken alarm before it; none where no alarm stood.
    pub leads: Each<Option<i64>>,
}

/// What became of one device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Followed {
    /// Its summers.
    pub decisions: Vec<Decision>,
    /// What it needed while lent.
    pub warned: Vec<Warned>,
    /// Reports that its agent sent.
    pub reports: u32,
}

/// Follows `machine` through `plan`.
pub fn follow(machine: &Machine, plan: &Plan, policy: &Policy) -> Followed {
    let mut life = Life::of(machine, plan.ageing, plan.begins);
    for week in plan.calendar.weeks(life.bought(), plan.begins - 1) {
        life.week(week);
    }
    let at = |day: i64| UtcMillis::default().plus_days(day).plus_millis(NOON_MILLIS);
    let mut one = Following {
        machine,
        plan,
        policy,
        watch: Watch::new(policy, at(plan.begins)),
        standing: [None; METHODS],
        heard_on: None,
        followed: Followed::default(),
    };
    for week in plan.calendar.weeks(plan.begins, plan.ends) {
        let needs = life.week(week);
        one.note(&needs, week);
        if plan.decides_in(week) {
            one.decide(&life, week);
        }
        one.listen(&life, week, &needs);
    }
    one.followed
}

const NOON_MILLIS: i64 = 12 * 60 * 60 * 1000;
/// A device of which nothing was heard for so many days before a decision is silent: July and a little more.
const LATELY_DAYS: i64 = 45;

struct Following<'a> {
    machine: &'a Machine,
    plan: &'a Plan,
    policy: &'a Policy,
    watch: Watch<'a>,
    /// Since when each alarm stands.
    standing: Each<Option<i64>>,
    heard_on: Option<i64>,
    followed: Followed,
}

impl Following<'_> {
    /// Notes what was needed for the decision before it, and how long it had been foreseen.
    fn note(&mut self, needs: &[Need], week: &Week) {
        let agent = self.has_agent();
        for need in needs {
            if let Some(decision) = self.followed.decisions.last_mut() {
                decision.needs.push(*need);
            }
            if self.plan.is_counted(week) {
                let leads = self.standing.map(|since| since.map(|since| (need.day - since).max(0)));
                self.followed.warned.push(Warned { need: *need, agent, leads });
            }
        }
    }

    fn has_agent(&self) -> bool {
        matches!(self.machine.condition.contact, Contact::Live | Contact::Silent(_))
    }

    fn decide(&mut self, life: &Life<'_>, week: &Week) {
        let now = UtcMillis::default().plus_days(week.monday()).plus_millis(NOON_MILLIS);
        let facts = self.watch.facts(now);
        let decision = Decision {
            agent: self.has_agent(),
            alarms: alarms(&facts, self.watch.report(), life.years(week.monday()), self.policy, now),
            advised: disposition_of(&facts, self.policy, now),
            against: self.watch.speaks_against(&facts),
            known: Known {
                day: week.monday(),
                heard_lately: self.heard_on.is_some_and(|day| week.monday() - day <= LATELY_DAYS),
                drives_unread: self.machine.condition.drives_unread,
                gauge_is_stuck: life.gauge_is_stuck(),
            },
            needs: Vec::new(),
        };
        self.followed.decisions.push(decision);
    }

    /// On the last school day of the week its agent reports, unless the device is being repaired; then each alarm stands
    /// or falls.
    fn listen(&mut self, life: &Life<'_>, week: &Week, needs: &[Need]) {
        let day = week.monday() + i64::from(week.school_days.saturating_sub(1));
        let now = UtcMillis::default().plus_days(day).plus_millis(NOON_MILLIS);
        if week.school_days > 0 && needs.is_empty() && self.is_heard(day) {
            self.watch.hear(life.report(now, self.plan.epoch()), now);
            self.heard_on = Some(day);
            self.followed.reports += 1;
        }
        let facts = self.watch.facts(now);
        let spoken = alarms(&facts, self.watch.report(), life.years(day), self.policy, now);
        for (since, speaks) in self.standing.iter_mut().zip(spoken) {
            *since = if speaks { since.or(Some(day)) } else { None };
        }
    }

    /// Whether an agent reports on that day: one that falls silent did so some time after the study began.
    fn is_heard(&self, day: i64) -> bool {
        match self.machine.condition.contact {
            Contact::Live => true,
            // The fewer days it had been silent when the roster was drawn, the later it falls silent here.
            Contact::Silent(days) => day < self.plan.ends - 6 * i64::from(days),
            Contact::NeverEnrolled(_) | Contact::NoAgent => false,
        }
    }
}
