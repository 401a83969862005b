//! The cells of each export.

use super::export::{Export, ExportKind, Page};
use crate::{
    domain::{
        borrower::{BorrowerKind, Level},
        import::{value::day_text, words::word},
        language::Language,
        loan::{Condition, LendingState, LoanStateName},
        paris,
        programme::Term,
        school_calendar::Zone,
    },
    store::{
        StoreError, Tx,
        device_list::{self, DeviceQuery, DeviceSummary},
        export,
        flag_list::{self, FlagQuery},
        loan_list::{self, LoanQuery},
        page::Cursor,
        programme, site,
    },
};
use cartable_common::UtcMillis;

/// Rows read at a time.
const ROWS_AT_A_TIME: usize = 500;

fn day(moment: Option<UtcMillis>) -> String {
    moment.map(|moment| paris::date(moment).to_string()).unwrap_or_default()
}

pub(super) async fn devices(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Page, StoreError> {
    let query = DeviceQuery { after, limit: ROWS_AT_A_TIME, ..one.devices.clone() };
    let page = device_list::list(tx, &one.scope, &query).await?;
    let extras = export::devices(tx, page.rows.iter().map(|device| device.id.0)).await?;
    let shown = one.shown_programmes(tx).await?;
    let mut rows = Vec::with_capacity(page.rows.len());
    for device in page.rows {
        let Some(extra) = extras.get(&device.id.0) else { continue };
        rows.push(match one.kind {
            ExportKind::SnipeIt => for_snipe_it(&device, extra),
            ExportKind::Glpi => for_glpi(one, device, extra),
            ExportKind::Devices
            | ExportKind::Loans
            | ExportKind::Borrowers
            | ExportKind::Sites
            | ExportKind::Programmes
            | ExportKind::Flags => {
                let programme = extra.programme.clone().filter(|code| shown.contains(code));
                own(one, device, extra, programme)
            }
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
        LendingState::Intake => ("Pending", false),
        LendingState::Lost | LendingState::Stolen => ("Lost/Stolen", false),
        LendingState::WrittenOff | LendingState::Ceded => ("Archived", false),
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

pub(super) async fn loans(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Page, StoreError> {
    let query = LoanQuery { after, limit: ROWS_AT_A_TIME, ..one.loans.clone() };
    let page = loan_list::list(tx, &one.scope, &query).await?;
    let reports = export::police_reports(tx, page.rows.iter().map(|loan| loan.id)).await?;
    let rows = page.rows.into_iter().map(|loan| {
        let programme = if loan.shows_programme_to(one.role) { loan.programme_code.clone() } else { String::new() };
        vec![
            loan.serial_number.unwrap_or_default(),
            loan.asset_tag.unwrap_or_default(),
            loan.reference.to_string(),
            programme,
            loan.site_uai.unwrap_or_default(),
            word::<LoanStateName>(loan.state.as_str(), one.language),
            day(loan.handed_over_at.or(Some(loan.reserved_at))),
            loan.due.map(|due| due.to_string()).unwrap_or_default(),
            day(loan.ended_at),
            loan.condition.map(|found| word::<Condition>(found.as_str(), one.language)).unwrap_or_default(),
            reports.get(&loan.id).cloned().unwrap_or_default(),
        ]
    });
    Ok((rows.collect(), page.next))
}

pub(super) async fn borrowers(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Page, StoreError> {
    let (found, next) = export::borrowers(tx, &one.scope, after.as_ref(), ROWS_AT_A_TIME).await?;
    let rows = found.into_iter().map(|borrower| {
        vec![
            borrower.reference.to_string(),
            word::<BorrowerKind>(borrower.kind.as_str(), one.language),
            borrower.institution_name.unwrap_or_default(),
            borrower.uai.unwrap_or_default(),
            borrower.level.map(|level| word::<Level>(level.as_str(), one.language)).unwrap_or_default(),
            borrower.left_on.map(day_text).unwrap_or_default(),
        ]
    });
    Ok((rows.collect(), next))
}

/// All sites at once: there are hundreds, not millions.
pub(super) async fn sites(one: &Export, tx: &mut Tx) -> Result<Page, StoreError> {
    let found = site::list(tx, &one.scope).await?;
    let row =
        |site: site::SiteRow| vec![site.uai, site.name, site.commune, word::<Zone>(site.zone.as_str(), one.language)];
    Ok((found.into_iter().map(row).collect(), None))
}

/// All programmes at once.
pub(super) async fn programmes(one: &Export, tx: &mut Tx) -> Result<Page, StoreError> {
    let found = programme::list(tx).await?;
    let (yes, no) = if one.language == Language::French { ("Oui", "Non") } else { ("Yes", "No") };
    let rows = found.into_iter().map(|programme| {
        let term = match programme.term {
            Term::Date(date) => date.to_string(),
            Term::SchoolYearEnd => "school_year_end".to_owned(),
            Term::Days(days) => format!("{days} d"),
            Term::Open => String::new(),
        };
        vec![
            programme.code.to_string(),
            programme.name,
            programme.kind.as_str().to_owned(),
            term,
            programme.renewals_allowed.to_string(),
            programme.owner,
            if programme.open { yes } else { no }.to_owned(),
        ]
    });
    Ok((rows.collect(), None))
}

pub(super) async fn flags(one: &Export, tx: &mut Tx, after: Option<Cursor>) -> Result<Page, StoreError> {
    let query = FlagQuery { after, limit: ROWS_AT_A_TIME, ..one.flags.clone() };
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
