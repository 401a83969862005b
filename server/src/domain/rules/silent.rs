//! Silent: an active device that was not heard from for too many school days. Holidays raise nothing, nor does a device
//! without an agent, in a cupboard, lost or given away.
//!
//! An exam that was ordered needs no word here: one answer silences for a day at most, and with an interval of an hour the
//! last contact before it is on the same day (`domain/exam` tests it). Days are counted after the day of that contact.

use cartable_common::UtcMillis;

use super::{DeviceFacts, Finding, FlagCode, Policy, Said, Severity, Statement};
use crate::domain::{
    paris,
    policy::source_of,
    school_calendar::{KNOWN_UNTIL, MOST_COUNTED, school_days_between},
    wording::{count, date},
};

pub(super) fn find(facts: &DeviceFacts<'_>, policy: &Policy, now: UtcMillis) -> Option<Finding> {
    if facts.lending.is_some_and(|lending| !lending.contact_is_due()) {
        return None;
    }
    let last_heard = facts.last_contact.or(facts.enrolled_at)?;
    let today = paris::date(now);
    let days = school_days_between(paris::date(last_heard), today, facts.zone, &policy.calendar.closures);
    let rules = &policy.silent;
    let (severity, threshold, setting) = if days >= rules.critical_school_days {
        (Severity::Critical, rules.critical_school_days, "silent.critical_school_days")
    } else if days >= rules.warning_school_days {
        (Severity::Warning, rules.warning_school_days, "silent.warning_school_days")
    } else {
        return None;
    };
    let silence = school_days(days);
    let silence = if days >= MOST_COUNTED {
        Said { fr: format!("plus de {}", silence.fr), en: format!("more than {}", silence.en) }
    } else {
        silence
    };
    let since = date(paris::date(last_heard));
    let sentence = if facts.last_contact.is_some() {
        Said::new(
            format!("Aucun contact depuis le {}, soit {}.", since.fr, silence.fr),
            format!("Not heard from since {}: {}.", since.en, silence.en),
        )
    } else {
        Said::new(
            format!("Enrôlé le {}, mais aucun contact depuis : {}.", since.fr, silence.fr),
            format!("Enrolled on {}, but never heard from since: {}.", since.en, silence.en),
        )
    };
    Some(Finding::from(Statement {
        code: FlagCode::Silent,
        subject: String::new(),
        severity,
        value: silence,
        threshold: Some(school_days(threshold)),
        source: source_of(setting),
        evidence_at: Some(last_heard),
        sentence,
        missing: missing(facts, today),
    }))
}

pub(super) fn school_days(days: u32) -> Said {
    count(u64::from(days), ("jour de classe", "school day"), ("jours de classe", "school days"))
}

pub(super) fn missing(facts: &DeviceFacts<'_>, today: jiff::civil::Date) -> Vec<Said> {
    let zone = facts.zone.is_none().then(|| {
        Said::new(
            "La zone scolaire de l'appareil est inconnue : seules les vacances communes aux trois zones sont déduites.",
            "The device's school zone is unknown: only the holidays that all three zones share are left out.",
        )
    });
    let calendar = (today > KNOWN_UNTIL).then(|| {
        let until = date(KNOWN_UNTIL);
        Said::new(
            format!("Le calendrier scolaire n'est connu que jusqu'au {} : compléter calendar.closures.", until.fr),
            format!("The school calendar is known only until {}: add to calendar.closures.", until.en),
        )
    });
    zone.into_iter().chain(calendar).collect()
}
