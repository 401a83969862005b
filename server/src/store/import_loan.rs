//! Loans of an import: known ones read with their devices and borrowers, outcomes written with their events.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cartable_common::UtcMillis;
use serde_json::json;
use uuid::Uuid;

use super::{
    StoreError, Tx, device,
    rows::{Cell, Rows, Type},
    value::{day_number, moment, parsed},
};
use crate::domain::{
    import::loan::{KnownLoan, LoanChange, LoanDevice},
    loan::{Condition, LoanStateName},
    paris,
};

#[derive(sqlx::FromRow)]
struct RawDevice {
    key: String,
    id: Uuid,
    lending_state: String,
    site_id: Option<Uuid>,
    archived_at: Option<i64>,
}

/// Devices by `s:` and serial number, or `t:` and asset tag.
pub async fn devices<'a>(
    tx: &mut Tx,
    serials: impl Iterator<Item = &'a str>,
    tags: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, Vec<LoanDevice>>, StoreError> {
    let mut keys = [Rows::new([("key", Type::Text)]), Rows::new([("key", Type::Text)])];
    serials.collect::<BTreeSet<_>>().into_iter().for_each(|serial| keys[0].push([serial.into()]));
    tags.collect::<BTreeSet<_>>().into_iter().for_each(|tag| keys[1].push([tag.into()]));
    let mut devices: HashMap<String, Vec<LoanDevice>> = HashMap::new();
    for ((rows, column), prefix) in keys.iter().zip(["serial_number", "asset_tag"]).zip(["s", "t"]) {
        let sql = format!(
            "SELECT r.key, d.id, d.lending_state, d.site_id, d.archived_at FROM {{rows}} \
             JOIN device d ON d.{column} = r.key"
        );
        let raw: Vec<RawDevice> = rows.fetch(tx, &sql).await?;
        for one in raw {
            let device = LoanDevice {
                id: one.id,
                lending: parsed("device.lending_state", &one.lending_state)?,
                site: one.site_id,
                archived: one.archived_at.is_some(),
            };
            devices.entry(format!("{prefix}:{}", one.key)).or_default().push(device);
        }
    }
    Ok(devices)
}

/// Borrowers by reference, and by hashed number.
pub async fn borrowers<'a>(
    tx: &mut Tx,
    references: impl Iterator<Item = &'a str>,
    keys: impl Iterator<Item = &'a [u8]>,
) -> Result<(HashMap<String, Uuid>, HashMap<Vec<u8>, Uuid>), StoreError> {
    let mut rows = Rows::new([("key", Type::Text)]);
    references.collect::<BTreeSet<_>>().into_iter().for_each(|reference| rows.push([reference.into()]));
    let sql = "SELECT b.reference, b.id FROM {rows} JOIN borrower b ON b.reference = r.key";
    let by_reference: Vec<(String, Uuid)> = rows.fetch(tx, sql).await?;
    let mut rows = Rows::new([("key", Type::Bytes)]);
    keys.collect::<BTreeSet<_>>().into_iter().for_each(|key| rows.push([Cell::Bytes(key.to_vec())]));
    let sql = "SELECT b.natural_key_hash, b.id FROM {rows} JOIN borrower b ON b.natural_key_hash = r.key";
    let by_key: Vec<(Vec<u8>, Uuid)> = rows.fetch(tx, sql).await?;
    Ok((by_reference.into_iter().collect(), by_key.into_iter().collect()))
}

#[derive(sqlx::FromRow)]
struct RawLoan {
    id: Uuid,
    device_id: Uuid,
    borrower_id: Uuid,
    programme_id: Uuid,
    site_id: Option<Uuid>,
    state: String,
    reserved_at: i64,
    handed_over_at: Option<i64>,
    due_day: Option<i64>,
    ended_at: Option<i64>,
    condition: Option<String>,
    police_report: Option<String>,
}

/// The day of a stored moment in Paris, where the collèges are.
fn day_of(what: &'static str, millis: i64) -> Result<i64, StoreError> {
    Ok(day_number(paris::date(moment(what, millis)?)))
}

impl RawLoan {
    fn read(self) -> Result<KnownLoan, StoreError> {
        Ok(KnownLoan {
            id: self.id,
            device: self.device_id,
            borrower: self.borrower_id,
            programme: self.programme_id,
            site: self.site_id,
            state: parsed("loan.state", &self.state)?,
            start: day_of("loan.handed_over_at", self.handed_over_at.unwrap_or(self.reserved_at))?,
            due: self.due_day,
            end: self.ended_at.map(|at| day_of("loan.ended_at", at)).transpose()?,
            condition: self.condition.map(|text| parsed("loan.condition", &text)).transpose()?,
            police_report: self.police_report,
        })
    }
}

/// The loans of these devices.
pub async fn known(tx: &mut Tx, devices: BTreeSet<Uuid>) -> Result<Vec<KnownLoan>, StoreError> {
    let sql = "SELECT l.id, l.device_id, l.borrower_id, l.programme_id, l.site_id, l.state, l.reserved_at, \
               l.handed_over_at, l.due_day, l.ended_at, l.condition, l.police_report \
               FROM {rows} JOIN loan l ON l.device_id = r.id WHERE l.state <> 'cancelled'";
    let raw: Vec<RawLoan> = Rows::of_ids(devices).fetch(tx, sql).await?;
    raw.into_iter().map(RawLoan::read).collect()
}

/// Noon in Paris, give or take an hour, of a day: a moment that every clock puts on that day.
fn noon(day: i64) -> i64 {
    day * UtcMillis::DAY + UtcMillis::DAY / 2
}

/// Writes new and changed loans, their events, and where their devices then are.
pub async fn write(tx: &mut Tx, loans: &[(bool, &LoanChange)], actor: &str, now: UtcMillis) -> Result<(), StoreError> {
    device::lock(tx, loans.iter().map(|(_, change)| change.loan.device).collect::<BTreeSet<_>>()).await?;
    let (mut new, mut changed) = (columns(), columns());
    let mut events = Rows::new([
        ("loan_id", Type::Uuid),
        ("step", Type::Int),
        ("at", Type::Int),
        ("kind", Type::Text),
        ("actor", Type::Text),
        ("details", Type::Text),
    ]);
    // A device that several rows move is where the last of them leaves it.
    let mut goes = BTreeMap::new();
    for (is_new, change) in loans {
        let loan = &change.loan;
        if *is_new {
            new.push(row(change));
        } else {
            changed.push(row(change));
        }
        for (step, kind) in (1..).zip(steps(*is_new, change)) {
            let details = json!({ "imported": true }).to_string();
            events.push([loan.id.into(), step.into(), now.get().into(), kind.into(), actor.into(), details.into()]);
        }
        if let Some(state) = change.device_goes {
            goes.insert(loan.device, state);
        }
    }
    let sql = "INSERT INTO loan (id, device_id, borrower_id, programme_id, site_id, state, reserved_at, handed_over_at, \
               due_day, ended_at, accessories, missing_accessories, condition, police_report) \
               SELECT id, device_id, borrower_id, programme_id, site_id, state, started_at, started_at, due_day, \
               ended_at, '[]', CASE WHEN condition IS NULL THEN NULL ELSE '[]' END, condition, police_report FROM {rows}";
    new.execute(tx, sql).await?;
    let sql = "UPDATE loan SET state = r.state, due_day = r.due_day, ended_at = r.ended_at, condition = r.condition, \
               police_report = r.police_report, extensions = extensions + r.extended, \
               missing_accessories = CASE WHEN r.condition IS NULL THEN missing_accessories ELSE '[]' END \
               FROM {rows} WHERE loan.id = r.id";
    changed.execute(tx, sql).await?;
    let sql = "INSERT INTO loan_event (loan_id, number, at, kind, actor, details) \
               SELECT r.loan_id, r.step + COALESCE((SELECT MAX(e.number) FROM loan_event e WHERE e.loan_id = r.loan_id), 0), \
               r.at, r.kind, r.actor, r.details FROM {rows}";
    events.execute(tx, sql).await?;
    let mut device_states = Rows::new([("id", Type::Uuid), ("state", Type::Text)]);
    for (device, state) in goes {
        device_states.push([device.into(), state.as_str().into()]);
    }
    let sql = "UPDATE device SET lending_state = r.state FROM {rows} WHERE device.id = r.id";
    device_states.execute(tx, sql).await?;
    Ok(())
}

/// The steps that the loan took, for its history.
fn steps(is_new: bool, change: &LoanChange) -> Vec<&'static str> {
    let mut steps = Vec::new();
    if is_new {
        steps.push(LoanStateName::HandedOver.as_str());
    } else if change.extended {
        steps.push("extended");
    }
    if change.loan.state != LoanStateName::HandedOver {
        steps.push(change.loan.state.as_str());
    }
    steps
}

const fn columns() -> Rows<12> {
    Rows::new([
        ("id", Type::Uuid),
        ("device_id", Type::Uuid),
        ("borrower_id", Type::Uuid),
        ("programme_id", Type::Uuid),
        ("site_id", Type::Uuid),
        ("state", Type::Text),
        ("started_at", Type::Int),
        ("due_day", Type::Int),
        ("ended_at", Type::Int),
        ("condition", Type::Text),
        ("police_report", Type::Text),
        ("extended", Type::Int),
    ])
}

fn row(change: &LoanChange) -> [Cell; 12] {
    let loan = &change.loan;
    [
        loan.id.into(),
        loan.device.into(),
        loan.borrower.into(),
        loan.programme.into(),
        loan.site.into(),
        loan.state.as_str().into(),
        noon(loan.start).into(),
        loan.due.into(),
        loan.end.map(noon).into(),
        loan.condition.map(Condition::as_str).into(),
        loan.police_report.clone().into(),
        i64::from(change.extended).into(),
    ]
}
