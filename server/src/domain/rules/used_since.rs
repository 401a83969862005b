//! What several rules of lending say alike: a device is in use although, since some day, nobody should be using it.

use cartable_common::UtcMillis;

use super::{Finding, FlagCode, Policy, Said, Severity, Statement, days, days_until};
use crate::domain::{paris, policy::source_of, wording::date};

/// A device that is still in use after what allowed it has ended.
pub(super) struct UsedSince {
    since: UtcMillis,
    last: UtcMillis,
    allowed: u32,
}

impl UsedSince {
    /// None while the last contact lies within the days that are `allowed`, or too far back to prove any use.
    pub(super) fn new(
        since: UtcMillis,
        last: Option<UtcMillis>,
        allowed: u32,
        policy: &Policy,
        now: UtcMillis,
    ) -> Option<Self> {
        let used = Self { since, last: last?, allowed };
        let old = days_until(paris::date(used.last), paris::date(now)) > i64::from(policy.loan.in_use_days);
        (used.days_after() > i64::from(allowed) && !old).then_some(used)
    }

    fn days_after(&self) -> i64 {
        days_until(paris::date(self.since), paris::date(self.last))
    }

    /// The flag `code`; `setting` is the policy's, and `sentence` is told since when, when last, and how long after.
    pub(super) fn finding(
        self,
        code: FlagCode,
        setting: &str,
        sentence: impl FnOnce(&Said, &Said, &Said) -> Said,
    ) -> Finding {
        let (since, last, after) =
            (date(paris::date(self.since)), date(paris::date(self.last)), days(self.days_after()));
        Finding::from(Statement {
            code,
            subject: String::new(),
            severity: Severity::Warning,
            sentence: sentence(&since, &last, &after),
            value: after,
            threshold: Some(days(self.allowed.into())),
            source: source_of(setting),
            evidence_at: Some(self.last),
            missing: Vec::new(),
        })
    }
}
