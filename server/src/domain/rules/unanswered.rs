//! Flags that missing evidence must not clear: a drive that stops answering has not recovered.
//!
//! A dying drive hangs its bus, and the agent then reports it without figures; so does an agent whose tool was removed. The
//! rules say nothing of what was not read, and a flag that nobody speaks for is cleared: here stands which are not.

use std::collections::BTreeSet;

use cartable_common::UtcMillis;

use super::{DeviceFacts, DeviceStatus, FlagCode, Policy, drive_health, due_for_refurbishment, not_to_relend};

/// What of a device did not answer this time, as far as open flags rest on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unanswered {
    /// The subjects of the flags of drives that are listed and stopped answering. The empty one is a lone drive without a
    /// serial number: it may be any that had one.
    drives: BTreeSet<String>,
    not_to_relend: bool,
    due_for_refurbishment: bool,
}

/// What of a device did not answer at `now`. Nothing of one that health rules do not speak of: its flags are cleared.
#[must_use]
pub fn unanswered(facts: &DeviceFacts<'_>, policy: &Policy, now: UtcMillis) -> Unanswered {
    let spoken_of = matches!(facts.status, DeviceStatus::Active | DeviceStatus::Quarantined) && !facts.archived;
    let Some(health) = facts.health.filter(|_| spoken_of) else { return Unanswered::default() };
    let lending = facts.lending.as_ref();
    Unanswered {
        drives: drive_health::unread(&health, policy).into_iter().collect(),
        not_to_relend: lending.is_some_and(|one| not_to_relend::due_soon(one, policy, now).is_some()),
        due_for_refurbishment: lending.is_some_and(|one| due_for_refurbishment::speaks_of(one, policy, now)),
    }
}

impl Unanswered {
    /// Those of the `open` flags, by code and subject, that stay although no rule speaks for them.
    #[must_use]
    pub fn kept<'f>(&self, open: impl Iterator<Item = (FlagCode, &'f str)>) -> BTreeSet<(FlagCode, &'f str)> {
        let open: Vec<(FlagCode, &str)> = open.collect();
        let drives = open.iter().filter(|(code, subject)| {
            matches!(code, FlagCode::DriveFailing | FlagCode::DriveWorn)
                && (self.drives.contains(*subject) || self.drives.contains(""))
        });
        let mut kept: BTreeSet<(FlagCode, &str)> = drives.copied().collect();
        // What follows from a drive's flag stays with it, as long as the loan is where that rule speaks.
        let failing = kept.iter().any(|(code, _)| *code == FlagCode::DriveFailing);
        let to_relend = self.not_to_relend && !kept.is_empty();
        let to_refurbish = self.due_for_refurbishment && failing;
        kept.extend(open.into_iter().filter(|(code, _)| {
            *code == FlagCode::NotToRelend && to_relend || *code == FlagCode::DueForRefurbishment && to_refurbish
        }));
        kept
    }
}

#[cfg(test)]
mod tests {
    use cartable_common::{
        SerialNumber,
        report::{Drive, HealthReport, SelfAssessment},
    };
    use jiff::civil::date;

    use super::*;
    use crate::domain::{
        facts::{HealthFacts, LendingFacts, LoanFacts},
        loan::{LendingState, LoanStateName},
    };

    const NOW: i64 = 1_795_521_600_000;

    fn drive(serial: &str, status: Option<SelfAssessment>) -> Drive {
        Drive { serial_number: SerialNumber::parse(serial).into(), self_assessment: status, ..Drive::default() }
    }

    /// What stays of these open flags, where the device is lent until `due` and reports `drives`.
    fn kept(drives: Vec<Drive>, status: DeviceStatus, due: jiff::civil::Date) -> Vec<(FlagCode, &'static str)> {
        let now = UtcMillis::new(NOW).unwrap();
        let report = HealthReport { drives, ..HealthReport::default() };
        let loan = LoanFacts {
            state: LoanStateName::HandedOver,
            handed_over_at: Some(now),
            due: Some(due),
            ended_at: None,
            borrower_left: None,
        };
        let lending = LendingFacts {
            state: LendingState::Lent,
            agent_expected: true,
            kept_here: true,
            stocked_at: None,
            warranty_until: None,
            loan: Some(loan),
            work: None,
            release: None,
        };
        let facts = DeviceFacts {
            status,
            archived: false,
            created_at: now,
            enrolled_at: Some(now),
            last_contact: Some(now),
            skew_millis: Some(0),
            agent_version: None,
            zone: None,
            health: Some(HealthFacts { report: &report, measured_at: now, received_at: now, past: &[] }),
            baseline: None,
            lending: Some(lending),
            erasure: None,
            cloned: None,
            silence: None,
        };
        let open = [
            (FlagCode::DriveFailing, "S3X9"),
            (FlagCode::BatteryWorn, ""),
            (FlagCode::NotToRelend, ""),
            (FlagCode::DueForRefurbishment, ""),
        ];
        unanswered(&facts, &Policy::default(), now).kept(open.into_iter()).into_iter().collect()
    }

    #[test]
    fn a_drive_that_stops_answering_keeps_its_flag_and_what_follows_from_it() {
        let (failing, active) = ((FlagCode::DriveFailing, "S3X9"), DeviceStatus::Active);
        let (soon, later) = (date(2026, 12, 1), date(2027, 7, 1));
        let silent = || vec![drive("S3X9", None)];
        assert_eq!(kept(silent(), active, soon), [failing, (FlagCode::NotToRelend, "")]);
        assert_eq!(kept(silent(), active, later), [failing, (FlagCode::DueForRefurbishment, "")]);
        let nameless = vec![Drive::default()];
        assert_eq!(kept(nameless, active, later), [failing, (FlagCode::DueForRefurbishment, "")]);
        // A drive that says something, one that took its place, and a device that is no longer spoken of: all cleared.
        assert_eq!(kept(vec![drive("S3X9", Some(SelfAssessment::Failed))], active, soon), []);
        assert_eq!(kept(vec![drive("OTHER1", None)], active, soon), []);
        assert_eq!(kept(vec![], active, soon), []);
        assert_eq!(kept(silent(), DeviceStatus::Revoked, soon), []);
    }
}
