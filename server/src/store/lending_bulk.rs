//! Many devices and loans at once, as an import or a new fleet brings them: a handful of statements for thousands.
//!
//! Loans come with what became of them; nobody is asked whether each step was allowed, but the database's own rules
//! hold. The caller judges the devices anew (a sweep, or `review::device`), in this unit of work or after it.

use cartable_common::{DeviceId, UtcMillis};
use jiff::civil::Date;

use super::{
    StoreError, Tx, device,
    rows::{Rows, Type},
    value::{day_number, to_json},
};
use crate::domain::loan::{Loan, LoanState, LoanStateName, Signature};

/// Loans in one statement.
const AT_ONCE: usize = 500;

/// Says that no agent will ever report from these devices: tablets, listed machines.
pub async fn expect_no_contact(tx: &mut Tx, devices: impl IntoIterator<Item = DeviceId>) -> Result<(), StoreError> {
    let sql = "UPDATE device SET contact_expected = 'none' WHERE id IN (SELECT r.id FROM {rows})";
    Rows::of_ids(devices.into_iter().map(|id| id.0)).execute(tx, sql).await.map(drop)
}

/// Writes down the last day of each device's warranty.
pub async fn set_warranties(
    tx: &mut Tx,
    warranties: impl IntoIterator<Item = (DeviceId, Date)>,
) -> Result<(), StoreError> {
    let mut rows = Rows::new([("id", Type::Uuid), ("until", Type::Int)]);
    for (id, until) in warranties {
        rows.push([id.0.into(), day_number(until).into()]);
    }
    let sql = "UPDATE device SET warranty_until = r.until FROM {rows} WHERE device.id = r.id";
    rows.execute(tx, sql).await.map(drop)
}

/// Records loans with their steps, and where their devices then are. A second open loan of a device is refused by the
/// database. Of several loans of one device the last in the list says where it is.
pub async fn record(tx: &mut Tx, loans: &[Loan], actor: &str) -> Result<(), StoreError> {
    device::lock(tx, loans.iter().map(|loan| loan.device.0)).await?;
    for part in loans.chunks(AT_ONCE) {
        insert(tx, part).await?;
        insert_steps(tx, part, actor).await?;
        place(tx, part).await?;
    }
    Ok(())
}

async fn insert(tx: &mut Tx, loans: &[Loan]) -> Result<(), StoreError> {
    let mut rows = Rows::new([
        ("id", Type::Uuid),
        ("device_id", Type::Uuid),
        ("borrower_id", Type::Uuid),
        ("programme_id", Type::Uuid),
        ("site_id", Type::Uuid),
        ("state", Type::Text),
        ("reserved_at", Type::Int),
        ("handed_over_at", Type::Int),
        ("due_day", Type::Int),
        ("extensions", Type::Int),
        ("ended_at", Type::Int),
        ("accessories", Type::Text),
        ("missing_accessories", Type::Text),
        ("condition", Type::Text),
        ("police_report", Type::Text),
        ("signature", Type::Text),
        ("agreement_version", Type::Text),
    ]);
    for loan in loans {
        let handed = loan.state.handed_over();
        let back = if let LoanState::Returned(_, back) = &loan.state { Some(back) } else { None };
        let theft = if let LoanState::Stolen(_, theft) = &loan.state { Some(theft) } else { None };
        let accessories = handed.map(|handed| handed.accessories.clone()).unwrap_or_default();
        rows.push([
            loan.id.into(),
            loan.device.0.into(),
            loan.borrower.into(),
            loan.programme.into(),
            loan.site.into(),
            loan.state.name().as_str().into(),
            loan.reserved_at.get().into(),
            handed.map(|handed| handed.at.get()).into(),
            handed.and_then(|handed| handed.due).map(day_number).into(),
            handed.map_or(0, |handed| i64::from(handed.extensions)).into(),
            loan.state.ended_at().map(UtcMillis::get).into(),
            to_json("loan.accessories", &accessories)?.into(),
            back.map(|back| to_json("loan.missing_accessories", &back.missing)).transpose()?.into(),
            back.map(|back| back.condition.as_str()).into(),
            theft.map(|theft| theft.police_report.as_str()).into(),
            handed.and_then(|handed| handed.signature).map(Signature::as_str).into(),
            handed.and_then(|handed| handed.agreement_version.as_deref()).into(),
        ]);
    }
    let columns = "id, device_id, borrower_id, programme_id, site_id, state, reserved_at, handed_over_at, due_day, \
                   extensions, ended_at, accessories, missing_accessories, condition, police_report, signature, \
                   agreement_version";
    let sql = format!("INSERT INTO loan ({columns}) SELECT {columns} FROM {{rows}}");
    rows.execute(tx, &sql).await.map(drop)
}

async fn insert_steps(tx: &mut Tx, loans: &[Loan], actor: &str) -> Result<(), StoreError> {
    let mut rows = Rows::new([
        ("loan_id", Type::Uuid),
        ("number", Type::Int),
        ("at", Type::Int),
        ("kind", Type::Text),
        ("actor", Type::Text),
        ("details", Type::Text),
    ]);
    for loan in loans {
        let handed = loan.state.handed_over().map(|handed| (LoanStateName::HandedOver, handed.at));
        let ended = loan.state.ended_at().map(|at| (loan.state.name(), at));
        let steps = std::iter::once((LoanStateName::Reserved, loan.reserved_at)).chain(handed).chain(ended);
        for (number, (kind, at)) in (1_i64..).zip(steps) {
            rows.push([
                loan.id.into(),
                number.into(),
                at.get().into(),
                kind.as_str().into(),
                actor.into(),
                "null".into(),
            ]);
        }
    }
    let sql = "INSERT INTO loan_event (loan_id, number, at, kind, actor, details) \
               SELECT loan_id, number, at, kind, actor, details FROM {rows}";
    rows.execute(tx, sql).await.map(drop)
}

async fn place(tx: &mut Tx, loans: &[Loan]) -> Result<(), StoreError> {
    let newest: std::collections::BTreeMap<_, _> = loans.iter().map(|loan| (loan.device.0, loan)).collect();
    let mut rows = Rows::new([("id", Type::Uuid), ("state", Type::Text)]);
    for (device, loan) in newest {
        rows.push([device.into(), loan.state.lending_state().as_str().into()]);
    }
    let sql = "UPDATE device SET lending_state = r.state FROM {rows} WHERE device.id = r.id";
    rows.execute(tx, sql).await.map(drop)
}
