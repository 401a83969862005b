//! Operating system out of support: no security updates any more, or soon.

use cartable_common::UtcMillis;
use jiff::civil::Date;

use super::{Finding, FlagCode, Policy, Said, Severity, Statement};
use crate::domain::{
    facts::HealthFacts,
    os_support::{Support, support},
    paris,
    policy::OsPolicy,
    wording::{count, date},
};

pub(super) fn find(health: &HealthFacts<'_>, policy: &Policy, now: UtcMillis) -> Option<Finding> {
    let support = support(&health.report.operating_system, &policy.os)?;
    let today = paris::date(now);
    let left = days(today, support.until);
    let (severity, sentence) =
        if left >= 0 { soon(&support, left, &policy.os)? } else { ended(&support, today, &policy.os) };
    let until = date(support.until);
    Some(Finding::from(Statement {
        code: FlagCode::OsOutOfSupport,
        subject: String::new(),
        severity,
        value: Said::same(support.name.clone()),
        threshold: Some(until),
        source: support.source.clone(),
        evidence_at: Some(health.evidence_at()),
        sentence,
        missing: missing(&support),
    }))
}

/// Days from `today` to `end`, negative when it has passed.
fn days(today: Date, end: Date) -> i64 {
    today.until(end).map(|span| i64::from(span.get_days())).unwrap_or_default()
}

fn soon(support: &Support, left: i64, policy: &OsPolicy) -> Option<(Severity, Said)> {
    let left = u64::try_from(left).ok().filter(|left| *left <= u64::from(policy.soon_days))?;
    let (until, left) = (date(support.until), count(left, ("jour", "day"), ("jours", "days")));
    let name = &support.name;
    Some((
        Severity::Info,
        Said::new(
            format!("{name} ne recevra plus de mises à jour de sécurité après le {} (dans {}).", until.fr, left.fr),
            format!("{name} gets no more security updates after {} (in {}).", until.en, left.en),
        ),
    ))
}

fn ended(support: &Support, today: Date, policy: &OsPolicy) -> (Severity, Said) {
    let (name, until) = (&support.name, date(support.until));
    if let Some(later) = support.until_if_education.filter(|later| *later >= today) {
        let later = date(later);
        return (
            Severity::Info,
            Said::new(
                format!(
                    "{name} ne reçoit plus de mises à jour de sécurité depuis le {} dans ses éditions Famille et \
                     Professionnel ; Éducation et Entreprise en reçoivent jusqu'au {}.",
                    until.fr, later.fr
                ),
                format!(
                    "{name} has had no security updates since {} in its Home and Pro editions; Education and Enterprise \
                     get them until {}.",
                    until.en, later.en
                ),
            ),
        );
    }
    let long_ago =
        days(support.until_if_education.unwrap_or(support.until), today) >= i64::from(policy.critical_after_days);
    (
        if long_ago { Severity::Critical } else { Severity::Warning },
        Said::new(
            format!(
                "{name} ne reçoit plus de mises à jour de sécurité depuis le {} : prévoir un changement de version.",
                until.fr
            ),
            format!("{name} has had no security updates since {}: plan an upgrade.", until.en),
        ),
    )
}

fn missing(support: &Support) -> Vec<Said> {
    let edition = support.until_if_education.map(|_| {
        Said::new(
            "L'édition de Windows n'a pas été lue ; la date dépend d'elle.",
            "The edition of Windows was not read; the date depends on it.",
        )
    });
    edition.into_iter().collect()
}
