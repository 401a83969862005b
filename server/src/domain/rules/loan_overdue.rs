//! Overdue, in one of three ways: alive (it checks in: ask it back), silent (for so many school days that it is presumed
//! lost), or neither (no contact is expected, or there never was one). One rule, so that exactly one of them stands.

use cartable_common::UtcMillis;
use jiff::civil::Date;

use super::{
    DeviceFacts, Finding, FlagCode, LendingFacts, Policy, Said, Severity, Statement, days, days_until,
    silent::{self, school_days},
};
use crate::domain::{paris, policy::source_of, school_calendar::school_days_between, wording::date};

pub(super) fn find(
    facts: &DeviceFacts<'_>,
    lending: &LendingFacts,
    policy: &Policy,
    now: UtcMillis,
) -> Option<Finding> {
    let (loan, handed_over_at) = lending.running()?;
    let (due, today) = (loan.due?, paris::date(now));
    let late = days_until(due, today);
    if late <= 0 {
        return None;
    }
    let lateness = lateness(due, late);
    let heard = facts.last_contact.filter(|_| lending.agent_expected);
    Some(Finding::from(match heard {
        None => unheard(lending, &lateness, late, handed_over_at),
        Some(last) => {
            let silence = school_days_between(paris::date(last), today, facts.zone, &policy.calendar.closures);
            if silence >= policy.loan.presumed_lost_school_days {
                presumed_lost(facts, policy, &lateness, (last, silence), today)
            } else {
                alive(&lateness, late, last)
            }
        }
    }))
}

fn lateness(due: Date, late: i64) -> Said {
    let (due, late) = (date(due), days(late));
    Said::new(
        format!("À rendre le {}, en retard de {}", due.fr, late.fr),
        format!("Due back on {}, {} late", due.en, late.en),
    )
}

/// Where the threshold of lateness comes from.
fn term() -> Said {
    Said::new("La date de retour du prêt", "The loan's due date")
}

fn unheard(lending: &LendingFacts, lateness: &Said, late: i64, handed_over_at: UtcMillis) -> Statement {
    let missing = if lending.agent_expected {
        Said::new(
            "L'appareil n'a jamais donné de nouvelles : s'il est en usage n'est pas connu.",
            "The device was never heard from: whether it is in use is not known.",
        )
    } else {
        Said::new(
            "Cet appareil n'a pas d'agent : s'il est en usage n'est pas connu.",
            "This device has no agent: whether it is in use is not known.",
        )
    };
    Statement {
        code: FlagCode::LoanOverdue,
        subject: String::new(),
        severity: Severity::Warning,
        value: days(late),
        threshold: Some(days(0)),
        source: term(),
        evidence_at: Some(handed_over_at),
        sentence: Said::new(format!("{} : à réclamer.", lateness.fr), format!("{}: ask it back.", lateness.en)),
        missing: vec![missing],
    }
}

fn alive(lateness: &Said, late: i64, last: UtcMillis) -> Statement {
    let day = date(paris::date(last));
    Statement {
        code: FlagCode::OverdueAlive,
        subject: String::new(),
        severity: Severity::Warning,
        value: days(late),
        threshold: Some(days(0)),
        source: term(),
        evidence_at: Some(last),
        sentence: Said::new(
            format!("{}, mais en usage : dernier contact le {}. À réclamer.", lateness.fr, day.fr),
            format!("{}, but in use: last contact on {}. Ask it back.", lateness.en, day.en),
        ),
        missing: Vec::new(),
    }
}

fn presumed_lost(
    facts: &DeviceFacts<'_>,
    policy: &Policy,
    lateness: &Said,
    (last, silence): (UtcMillis, u32),
    today: Date,
) -> Statement {
    let (day, silence) = (date(paris::date(last)), school_days(silence));
    Statement {
        code: FlagCode::OverdueSilent,
        subject: String::new(),
        severity: Severity::Critical,
        value: silence.clone(),
        threshold: Some(school_days(policy.loan.presumed_lost_school_days)),
        source: source_of("loan.presumed_lost_school_days"),
        evidence_at: Some(last),
        sentence: Said::new(
            format!(
                "{}, et sans contact depuis le {} ({}) : présumé perdu. Écrire une dernière fois, puis déclarer la \
                 perte, ou le vol avec la plainte.",
                lateness.fr, day.fr, silence.fr
            ),
            format!(
                "{}, and not heard from since {} ({}): presumed lost. Write one last time, then declare the loss, or \
                 the theft with the complaint.",
                lateness.en, day.en, silence.en
            ),
        ),
        missing: silent::missing(facts, today),
    }
}
