//! Loans of an import: known ones read with their devices and borrowers, outcomes written with their events.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cartable_common::UtcMillis;
use serde_json::json;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    borrower::SOMEBODY,
    campaign, device, loan,
    rows::{Cell, Rows, Type},
    value::{day_number, moment, parsed},
    webhook,
};
use crate::domain::{
    import::loan::{KnownLoan, LoanChange, LoanDevice},
    loan::{Condition, Loan, LoanStateName},
    paris,
};

#[derive(sqlx::FromRow)]
struct RawDevice {
    key: String,
    id: Uuid,
    lending_state: String,
    site_id: Option<Uuid>,
    archived_at: Option<i64>,
    in_lot: i64,
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
            "SELECT r.key, d.id, d.lending_state, d.site_id, d.archived_at, CAST(CASE WHEN EXISTS (SELECT 1 \
             FROM donation_line n WHERE n.device_id = d.id AND n.state <> 'dropped') THEN 1 ELSE 0 END AS BIGINT) \
             AS in_lot FROM {{rows}} JOIN device d ON lower(d.{column}) = lower(r.key)"
        );
        let raw: Vec<RawDevice> = rows.fetch(tx, &sql).await?;
        for one in raw {
            let device = LoanDevice {
                id: one.id,
                lending: parsed("device.lending_state", &one.lending_state)?,
                site: one.site_id,
                archived: one.archived_at.is_some(),
                in_lot: one.in_lot != 0,
            };
            devices.entry(format!("{prefix}:{}", one.key)).or_default().push(device);
        }
    }
    Ok(devices)
}

/// The same, held until this unit of work ends: what is seen of them and their loans is still true when it is written.
pub async fn held(
    tx: &mut Tx,
    serials: &[&str],
    tags: &[&str],
) -> Result<HashMap<String, Vec<LoanDevice>>, StoreError> {
    let mut held = BTreeSet::new();
    loop {
        let found = devices(tx, serials.iter().copied(), tags.iter().copied()).await?;
        let new: Vec<Uuid> = found.values().flatten().map(|one| one.id).filter(|id| held.insert(*id)).collect();
        // On SQLite whoever writes is alone. Elsewhere they are looked at again, and once more if others have come.
        if new.is_empty() || matches!(tx, Tx::Sqlite(_)) {
            return Ok(found);
        }
        device::lock(tx, new).await?;
    }
}

/// Borrowers by reference, and by hashed number.
pub async fn borrowers<'a>(
    tx: &mut Tx,
    references: impl Iterator<Item = &'a str>,
    keys: impl Iterator<Item = &'a [u8]>,
) -> Result<(HashMap<String, Uuid>, HashMap<Vec<u8>, Uuid>), StoreError> {
    let mut rows = Rows::new([("key", Type::Text)]);
    references.collect::<BTreeSet<_>>().into_iter().for_each(|reference| rows.push([reference.into()]));
    let sql = format!("SELECT b.reference, b.id FROM {{rows}} JOIN borrower b ON b.reference = r.key AND b.{SOMEBODY}");
    let by_reference: Vec<(String, Uuid)> = rows.fetch(tx, &sql).await?;
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

/// When a loan began of which only the day is known: at noon, never later than now. What the desk does after the import
/// comes after it.
fn began(day: i64, now: UtcMillis) -> i64 {
    noon(day).min(now.get())
}

/// When it ended: at noon, never later than now, never before it began.
fn ended(day: i64, began: i64, now: UtcMillis) -> i64 {
    noon(day).min(now.get()).max(began)
}

/// Writes new and changed loans of [`held`] devices, their events, and where their devices then are; running campaigns
/// and webhooks hear of each step. Nobody is written to: where the loans were kept before, that was done.
pub async fn write(tx: &mut Tx, loans: &[(bool, &LoanChange)], actor: &str, now: UtcMillis) -> Result<(), StoreError> {
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
            new.push(row(change, now));
        } else {
            changed.push(row(change, now));
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
    // The moment of a hand-over at the desk is known: the loan does not end before it.
    let sql = "UPDATE loan SET state = r.state, due_day = r.due_day, ended_at = CASE WHEN r.ended_at < handed_over_at \
               THEN handed_over_at ELSE r.ended_at END, condition = r.condition, \
               police_report = r.police_report, extensions = extensions + r.extended, \
               missing_accessories = CASE WHEN r.condition IS NULL THEN missing_accessories ELSE '[]' END \
               FROM {rows} WHERE loan.id = r.id AND loan.state = 'handed_over'";
    let written = changed.execute(tx, sql).await?;
    let meant: BTreeSet<Uuid> = loans.iter().filter(|(is_new, _)| !is_new).map(|(_, change)| change.loan.id).collect();
    if usize::try_from(written) != Ok(meant.len()) {
        let why = "a loan has ended under the hands of its import".to_owned();
        return Err(StoreError::Corrupt { what: "loan.state", why });
    }
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
    tell(tx, loans, now).await
}

/// Tells webhooks of each step, and running campaigns of what ended.
async fn tell(tx: &mut Tx, changes: &[(bool, &LoanChange)], now: UtcMillis) -> Result<(), StoreError> {
    let stored = loan::of_ids(tx, changes.iter().map(|(_, change)| change.loan.id)).await?;
    let by_id: HashMap<Uuid, &Loan> = stored.iter().map(|loan| (loan.id, loan)).collect();
    let told = changes.iter().filter_map(|(is_new, change)| Some((*is_new, *change, *by_id.get(&change.loan.id)?)));
    let told: Vec<(bool, &LoanChange, &Loan)> = told.collect();
    webhook::tell(tx, now, || {
        let steps = told.iter().flat_map(|(is_new, change, loan)| {
            steps(*is_new, change).into_iter().filter_map(move |step| {
                let mut event = webhook::loan_event(loan, step, now)?;
                // A loan that came in with its end was in a borrower's hands before.
                let after = if step == "extended" { LoanStateName::HandedOver.as_str() } else { step };
                event.data["state"] = after.into();
                Some(event)
            })
        });
        steps.collect()
    })
    .await?;
    for (_, change, loan) in told.iter().filter(|(is_new, ..)| !is_new) {
        if change.loan.state != LoanStateName::HandedOver {
            campaign::follow(tx, loan, now).await?;
        }
    }
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

fn row(change: &LoanChange, now: UtcMillis) -> [Cell; 12] {
    let loan = &change.loan;
    let began = began(loan.start, now);
    [
        loan.id.into(),
        loan.device.into(),
        loan.borrower.into(),
        loan.programme.into(),
        loan.site.into(),
        loan.state.as_str().into(),
        began.into(),
        loan.due.into(),
        loan.end.map(|day| ended(day, began, now)).into(),
        loan.condition.map(Condition::as_str).into(),
        loan.police_report.clone().into(),
        i64::from(change.extended).into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imported_days_lie_before_what_the_desk_does_next() {
        let morning = UtcMillis::new(100 * UtcMillis::DAY + 9 * 3_600_000).unwrap();
        assert_eq!(began(100, morning), morning.get(), "today, before noon");
        assert_eq!(began(99, morning), 99 * UtcMillis::DAY + UtcMillis::DAY / 2);
        assert_eq!(ended(100, began(99, morning), morning), morning.get());
        assert_eq!(ended(99, noon(99) + 1, morning), noon(99) + 1, "not before it began");
    }
}
