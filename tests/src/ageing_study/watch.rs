//! What a server knows of one device: its last report and the history of its drives' counts, kept as the store keeps them.

use cartable_common::{ContentHash, UtcMillis, report::HealthReport};
use cartable_server::domain::{
    change,
    drive::{
        self,
        history::{Level, levels_of_change},
    },
    facts::HealthFacts,
    fitness::{BatteryRead, Facts, facts::Machine},
    loan::LendingState,
    policy::Policy,
    verdict::Verdict,
};

/// One device under watch.
#[derive(Clone, Debug)]
pub struct Watch<'p> {
    policy: &'p Policy,
    recorded_at: UtcMillis,
    last: Option<Last>,
    past: Vec<Level>,
}

#[derive(Clone, Debug)]
struct Last {
    report: HealthReport,
    hash: ContentHash,
    measured_at: UtcMillis,
    confirmed_at: UtcMillis,
}

impl<'p> Watch<'p> {
    /// A device that was recorded at that moment and of which nothing is known.
    pub const fn new(policy: &'p Policy, recorded_at: UtcMillis) -> Self {
        Self { policy, recorded_at, last: None, past: Vec::new() }
    }

    /// Takes a report in: where its content is the one that is known, the agent sends the hash alone.
    pub fn hear(&mut self, report: HealthReport, at: UtcMillis) {
        let hash = report.content_hash();
        if let Some(last) = &mut self.last {
            if last.hash == hash {
                last.confirmed_at = at;
                return;
            }
            let changes = change::changes(&last.report, &report);
            self.past.extend(
                changes
                    .iter()
                    .flat_map(|one| levels_of_change(&one.path, one.before.as_deref(), one.after.as_deref(), at)),
            );
        }
        self.last = Some(Last { report, hash, measured_at: at, confirmed_at: at });
    }

    /// The last report.
    pub fn report(&self) -> Option<&HealthReport> {
        self.last.as_ref().map(|last| &last.report)
    }

    /// What the advice is given, as `store::advice` reads it: history as far back as twice the window of growth.
    pub fn facts(&mut self, now: UtcMillis) -> Facts {
        let since = now.plus_days(-2 * i64::from(self.policy.drive.growth_days));
        self.past.retain(|level| level.at >= since);
        let machine = self.last.as_ref().map(|last| {
            let mut machine = Machine::of(&health(last, &self.past), self.policy);
            machine.evidence_at = machine.evidence_at.max(last.confirmed_at);
            machine
        });
        Facts {
            recorded_at: self.recorded_at,
            warranty_until: None,
            lending: LendingState::Lent,
            grade: None,
            returned: None,
            machine,
        }
    }

    /// What of the machine's condition speaks against lending it, in few words.
    pub fn speaks_against(&self, facts: &Facts) -> &'static str {
        let Some(machine) = &facts.machine else { return "nothing was read" };
        let battery = match machine.battery {
            BatteryRead::Left(left) => match u32::from(left) {
                left if left < self.policy.battery.replace_percent => Some("battery under 50%"),
                left if left < self.policy.battery.long_loan_percent => Some("battery of 50 to 59%"),
                left if left < self.policy.battery.relend_percent => Some("battery of 60 to 79%"),
                _ => None,
            },
            BatteryRead::Gone => Some("no battery found"),
            BatteryRead::Swollen => Some("battery swollen"),
            BatteryRead::NoneExpected | BatteryRead::NotRead => None,
        };
        let drive = match machine.drives {
            Verdict::Failing | Verdict::Worn => Some(self.heaviest_of_drive()),
            Verdict::Healthy | Verdict::Unknown => None,
        };
        match (drive, battery) {
            (Some(_), Some(_)) => "drive and battery",
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "the machine's kind or age",
        }
    }

    fn heaviest_of_drive(&self) -> &'static str {
        let Some(last) = &self.last else { return "drive" };
        let facts = health(last, &self.past);
        let reasons = last
            .report
            .drives
            .iter()
            .flat_map(|one| drive::judge_with(one, facts.past, facts.history_until(), self.policy).reasons);
        let heaviest = reasons.max_by_key(|reason| match reason.verdict {
            Verdict::Failing => 2,
            Verdict::Worn => 1,
            Verdict::Healthy | Verdict::Unknown => 0,
        });
        match heaviest {
            Some(reason) if reason.code == "wear" => "drive: endurance used",
            Some(reason) if reason.code.ends_with("_growing") => "drive: counts that grow",
            Some(reason) if reason.verdict == Verdict::Failing => "drive: at risk by what it counts or says",
            Some(_) | None => "drive: worn by what it counts",
        }
    }
}

fn health<'a>(last: &'a Last, past: &'a [Level]) -> HealthFacts<'a> {
    HealthFacts { report: &last.report, measured_at: last.measured_at, received_at: last.measured_at, past }
}
