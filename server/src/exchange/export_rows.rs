//! The cells of each export.

use super::{
    export::{Export, ExportKind},
    sheet::{ROWS_AT_A_TIME, Rows},
};
use crate::{
    domain::{
        authority::Action,
        borrower::{BorrowerKind, Level},
        import::{value::day_text, words::word},
        language::Language,
        loan::{Condition, LendingState, LoanStateName},
        need::{self, NeedReason},
        notice::MessageState,
        paris,
        programme::Term,
        school_calendar::Zone,
    },
    store::{
        StoreError, Tx,
        advice_list::{self, AdviceQuery},
        borrower_list::{self, BorrowerQuery},
        device_list::{self, DeviceQuery, DeviceSummary},
        export,
        flag_list::{self, FlagQuery},
        loan_list::{self, LoanQuery},
        message_list,
        need_list::{self, NeedQuery},
        page::Cursor,
        programme, site,
    },
};
use cartable_common::UtcMillis;

fn day(moment: Option<UtcMillis>) -> String {
    moment.map(|moment| paris::date(moment).to_string()).unwrap_or_default()
}

pub(super) async fn devices(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
    let query = DeviceQuery { after, limit: ROWS_AT_A_TIME, ..one.filters.devices.clone() };
    let page = device_list::list(tx, &one.scope, &query).await?;
    let extras = export::devices(tx, page.rows.iter().map(|device| device.id.0)).await?;
    let shown = one.shown_programmes(tx).await?;
    let mut rows = Vec::with_capacity(page.rows.len());
    for device in page.rows {
        let Some(extra) = extras.get(&device.id.0) else { continue };
        rows.push(if one.kind == ExportKind::SnipeIt {
            for_snipe_it(&device, extra)
        } else if one.kind == ExportKind::Glpi {
            for_glpi(one, device, extra)
        } else {
            let programme = extra.programme.clone().filter(|code| shown.contains(code));
            own(one, device, extra, programme)
        });
    }
    Ok((rows, page.next))
}

fn own(one: &Export, device: DeviceSummary, extra: &export::DeviceExtra, programme: Option<String>) -> Vec<String> {
    let flags: Vec<String> = device.flags.iter().map(|(code, _)| (one.say)("flag", code.as_str())).collect();
    let (uai, name) = device.site.map(|site| (site.uai, site.name)).unwrap_or_default();
    vec![
        device.serial_number.unwrap_or_default(),
        device.asset_tag.unwrap_or_default(),
        device.manufacturer.unwrap_or_default(),
        device.model.unwrap_or_default(),
        one.chassis(device.chassis.as_deref()),
        programme.unwrap_or_default(),
        uai,
        one.lending(extra.lending),
        extra.grade.clone().unwrap_or_default(),
        extra.warranty_until.map(day_text).unwrap_or_default(),
        name,
        (one.say)("status", device.status.as_str()),
        device.open_flags.to_string(),
        flags.join(" ; "),
        day(device.last_contact_at),
        device.id.to_string(),
    ]
}

/// Snipe-IT needs a tag, a model, a category and a status that it knows. A lent device is checked out to its site.
fn for_snipe_it(device: &DeviceSummary, extra: &export::DeviceExtra) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let tag =
        device.asset_tag.clone().or_else(|| device.serial_number.clone()).unwrap_or_else(|| device.id.to_string());
    let (status, out) = match extra.lending {
        LendingState::Lent => ("Ready to Deploy", true),
        LendingState::InStock | LendingState::Reserved => ("Ready to Deploy", false),
        LendingState::Intake | LendingState::Refurbishment => ("Pending", false),
        LendingState::Lost | LendingState::Stolen => ("Lost/Stolen", false),
        LendingState::SetAside | LendingState::WrittenOff | LendingState::Ceded => ("Archived", false),
    };
    let category =
        word::<cartable_common::report::Chassis>(device.chassis.as_deref().unwrap_or("laptop"), Language::English);
    let site = device.site.as_ref().map(|site| site.name.clone()).unwrap_or_default();
    let out = out && !site.is_empty();
    vec![
        tag.clone(),
        tag,
        text(&device.serial_number),
        device.model.clone().unwrap_or_else(|| "Unknown".to_owned()),
        text(&device.manufacturer),
        category,
        status.to_owned(),
        site.clone(),
        if out { "location".to_owned() } else { String::new() },
        if out { site } else { String::new() },
    ]
}

fn for_glpi(one: &Export, device: DeviceSummary, extra: &export::DeviceExtra) -> Vec<String> {
    let name =
        device.asset_tag.clone().or_else(|| device.serial_number.clone()).unwrap_or_else(|| device.id.to_string());
    vec![
        name,
        device.serial_number.unwrap_or_default(),
        device.asset_tag.unwrap_or_default(),
        device.manufacturer.unwrap_or_default(),
        device.model.unwrap_or_default(),
        one.chassis(device.chassis.as_deref()),
        one.lending(extra.lending),
        device.site.map(|site| site.name).unwrap_or_default(),
    ]
}

pub(super) async fn loans(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
    let query = LoanQuery { after, limit: ROWS_AT_A_TIME, ..one.filters.loans.clone() };
    let page = loan_list::list(tx, &one.scope, &query).await?;
    let mut reports = export::police_reports(tx, page.rows.iter().map(|loan| loan.id)).await?;
    let borrowers = one.may(Action::SeeBorrowers);
    let rows = page.rows.into_iter().map(|loan| {
        let programme = if loan.shows_programme_to(one.role) { loan.programme_code.clone() } else { String::new() };
        let of_borrower = |text: String| if borrowers { text } else { String::new() };
        vec![
            loan.serial_number.unwrap_or_default(),
            loan.asset_tag.unwrap_or_default(),
            of_borrower(loan.reference.to_string()),
            programme,
            loan.site_uai.unwrap_or_default(),
            word::<LoanStateName>(loan.state.as_str(), one.language),
            day(loan.handed_over_at.or(Some(loan.reserved_at))),
            loan.due.map(|due| due.to_string()).unwrap_or_default(),
            day(loan.ended_at),
            loan.condition.map(|found| word::<Condition>(found.as_str(), one.language)).unwrap_or_default(),
            reports.remove(&loan.id).unwrap_or_default(),
            loan.model.unwrap_or_default(),
            of_borrower(word::<BorrowerKind>(loan.borrower_kind.as_str(), one.language)),
            of_borrower(loan.institution_name.unwrap_or_default()),
            loan.site_name.unwrap_or_default(),
            day(Some(loan.reserved_at)),
            loan.missing.join(", "),
        ]
    });
    Ok((rows.collect(), page.next))
}

pub(super) async fn borrowers(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
    let query = BorrowerQuery { after, limit: ROWS_AT_A_TIME, ..one.filters.borrowers.clone() };
    let page = borrower_list::list(tx, &one.scope, &query).await?;
    // In a small collège "Ulis" beside a reference is a name.
    let levels = one.may(Action::SeeIdentity);
    let rows = page.rows.into_iter().map(|borrower| {
        vec![
            borrower.reference.to_string(),
            word::<BorrowerKind>(borrower.kind.as_str(), one.language),
            borrower.institution_name.unwrap_or_default(),
            borrower.site.map(|site| site.uai).unwrap_or_default(),
            level(one, borrower.level.filter(|_| levels)),
            borrower.left_site_day.map(day_text).unwrap_or_default(),
        ]
    });
    Ok((rows.collect(), page.next))
}

fn level(one: &Export, level: Option<Level>) -> String {
    level.map(|level| word::<Level>(level.as_str(), one.language)).unwrap_or_default()
}

/// A need stands under its own id, by which an import finds it again.
pub(super) async fn needs(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
    let query = NeedQuery { after, limit: ROWS_AT_A_TIME, ..one.filters.needs.clone() };
    let page = need_list::list(tx, &one.scope, &query).await?;
    let programmes = programme::list(tx).await?;
    let rows = page.rows.into_iter().map(|need| {
        let programme = programmes.iter().find(|programme| programme.id == need.programme);
        let shows = need::shows_person(one.role, programme);
        let reasons: Vec<String> =
            need.reasons.iter().map(|reason| word::<NeedReason>(reason.as_str(), one.language)).collect();
        vec![
            need.id.to_string(),
            need.borrower.filter(|_| shows).map(|(_, reference)| reference).unwrap_or_default(),
            programme
                .filter(|programme| need::shows_programme(one.role, Some(programme)))
                .map(|programme| programme.code.to_string())
                .unwrap_or_default(),
            need.site_uai,
            level(one, need.level.filter(|_| need::shows_level(one.role))),
            reasons.join(", "),
            need.site_name,
            (one.say)("need-state", need.state.as_str()),
            day(Some(need.entered_at)),
            need.entered_by,
        ]
    });
    Ok((rows.collect(), page.next))
}

pub(super) async fn notices(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
    let state = one.filters.messages.unwrap_or(MessageState::Sent);
    let limit = u16::try_from(ROWS_AT_A_TIME).unwrap_or(u16::MAX);
    let (messages, next) = message_list::list(tx, &one.scope, state, after.as_ref(), limit).await?;
    let rows = messages.into_iter().map(|message| {
        vec![
            message.named.unwrap_or_default(),
            (one.say)("recipient", message.recipient.as_str()),
            message.site.unwrap_or_default(),
            (one.say)("message", message.state.as_str()),
            message.notices.to_string(),
            day(Some(message.created_at)),
            day(message.finished_at),
            message.attempts.to_string(),
            message.error.unwrap_or_default(),
            message.mail_id,
        ]
    });
    Ok((rows.collect(), next))
}

/// All sites at once: there are hundreds, not millions.
pub(super) async fn sites(one: &Export, tx: &mut Tx) -> Result<Rows, StoreError> {
    let found = site::list(tx, &one.scope).await?;
    let row =
        |site: site::SiteRow| vec![site.uai, site.name, site.commune, word::<Zone>(site.zone.as_str(), one.language)];
    Ok((found.into_iter().map(row).collect(), None))
}

/// All programmes at once.
pub(super) async fn programmes(one: &Export, tx: &mut Tx) -> Result<Rows, StoreError> {
    let found = programme::list(tx).await?;
    let (yes, no) = if one.language == Language::French { ("Oui", "Non") } else { ("Yes", "No") };
    let rows = found.into_iter().map(|programme| {
        let term = match programme.term {
            Term::Date(date) => date.to_string(),
            Term::SchoolYearEnd => "school_year_end".to_owned(),
            Term::Days(days) => format!("{days} d"),
            Term::Open => String::new(),
        };
        let roles = programme.membership.iter().map(|role| (one.say)("staff-role", role.as_str()));
        let days = programme.notice_days.iter().map(i32::to_string);
        vec![
            programme.code.to_string(),
            programme.name,
            programme.kind.as_str().to_owned(),
            term,
            programme.renewals_allowed.to_string(),
            programme.owner,
            if programme.open { yes } else { no }.to_owned(),
            programme.accessories.join(" ; "),
            days.collect::<Vec<_>>().join(" ; "),
            roles.collect::<Vec<_>>().join(" ; "),
            programme.agreement_template,
        ]
    });
    Ok((rows.collect(), None))
}

pub(super) async fn dispositions(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
    let query = AdviceQuery { after, limit: ROWS_AT_A_TIME, ..one.filters.advice.clone() };
    let page = advice_list::list(tx, &one.scope, &query).await?;
    let visibility = programme::visibility(tx, one.role).await?;
    let rows = page.rows.into_iter().map(|device| {
        let (uai, site) = device.site.unwrap_or_default();
        vec![
            device.serial_number.unwrap_or_default(),
            device.asset_tag.unwrap_or_default(),
            device.manufacturer.unwrap_or_default(),
            device.model.unwrap_or_default(),
            visibility.filter(device.programme).unwrap_or_default(),
            uai,
            site,
            one.lending(device.lending),
            device.grade.map(|grade| grade.to_string()).unwrap_or_default(),
            (one.say)("disposition", device.disposition.as_str()),
            (one.say)("confidence", device.confidence.as_str()),
            device.cost_euros.to_string(),
            device.value_euros.to_string(),
            device.months_left.to_string(),
            day(device.evidence_at),
            device.policy_version,
        ]
    });
    Ok((rows.collect(), page.next))
}

pub(super) async fn flags(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
    let query = FlagQuery { after, limit: ROWS_AT_A_TIME, ..one.filters.flags.clone() };
    let page = flag_list::list(tx, &one.scope, &query, one.now).await?;
    let rows = page.rows.into_iter().map(|flag| {
        let sentence = match one.language {
            Language::French => flag.evidence.sentence_fr,
            Language::English => flag.evidence.sentence_en,
        };
        vec![
            flag.serial_number.unwrap_or_default(),
            flag.asset_tag.unwrap_or_default(),
            flag.model.unwrap_or_default(),
            flag.site_name.unwrap_or_default(),
            (one.say)("flag", flag.code.as_str()),
            (one.say)("severity", flag.severity.as_str()),
            day(Some(flag.since)),
            flag.evidence.value,
            sentence,
        ]
    });
    Ok((rows.collect(), page.next))
}
