//! The units of a lot: added and taken out while it is a draft, valued, and read with everything that is missing for them.

use std::collections::HashMap;

use cartable_common::{DeviceId, UtcMillis, report::Chassis};
use uuid::Uuid;

use super::{
    StoreError, Tx, device, donation_erasure,
    donation_lot::{LotError, LotRefused, LotRow, draft, recipient},
    figures, on,
    rows::{Rows, Type},
    value::{from_json, parsed},
};
use crate::domain::{
    donation::{
        Cents, MAX_UNITS, UnitState, Valuation,
        basis::BasisTerms,
        conditions::{Erasure, LotFacts, Proof, UnitFacts, Unmet, ceiling, conditions},
    },
    figures::age::AgeClass,
    grade::Grade,
    loan::LendingState,
    paris,
    policy::Policy,
    verdict::Verdict,
};

/// A unit of a lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineRow {
    /// The device.
    pub device: DeviceId,
    /// Where the line stands.
    pub state: UnitState,
    /// The maker's serial number.
    pub serial: Option<String>,
    /// The sticker that staff put on it.
    pub asset_tag: Option<String>,
    /// The maker.
    pub manufacturer: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// What it looked like at the last inspection.
    pub grade: Option<Grade>,
    /// What the conditions ask about.
    pub facts: UnitFacts,
    /// The ceiling for it: as of the approval, else as of today.
    pub ceiling: Option<Cents>,
    /// The drives whose erasure is proven: as of the approval, else as of today. Those that are gone are not among them.
    pub proven: Vec<String>,
    /// The record behind each drive as of the approval; nothing before.
    pub approved: Vec<Proof>,
    /// Of a unit that is more than that many years old: the law steers it to recycling, and its gift is no reuse in the
    /// figures of the year. A warning, which keeps nobody from giving it.
    pub older_than: Option<u32>,
    /// What is missing. Nothing is said any more of what was handed over or given up.
    pub unmet: Vec<Unmet>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    device_id: Uuid,
    state: String,
    serial_number: Option<String>,
    asset_tag: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    chassis: Option<String>,
    grade: Option<String>,
    lending_state: String,
    became: Option<String>,
    archived_at: Option<i64>,
    battery_verdict: Option<String>,
    value_cents: Option<i64>,
    estimation: Option<String>,
    estimation_note: Option<String>,
    ceiling_cents: Option<i64>,
    erasure_evidence: Option<String>,
}

const SELECT: &str = "SELECT n.device_id, n.state, d.serial_number, d.asset_tag, d.manufacturer, d.model, d.chassis, \
     d.grade, d.lending_state, (SELECT w.disposition FROM work_order w WHERE w.device_id = d.id \
     ORDER BY w.opened_at DESC, w.id DESC LIMIT 1) AS became, d.archived_at, h.battery_verdict, n.value_cents, \
     n.estimation, n.estimation_note, n.ceiling_cents, n.erasure_evidence FROM donation_line n \
     JOIN device d ON d.id = n.device_id LEFT JOIN health h ON h.device_id = d.id \
     WHERE n.lot_id = $1 ORDER BY d.sort_model, d.sort_serial, d.id";

fn cents(what: &'static str, number: i64) -> Result<Cents, StoreError> {
    let corrupt = |why: String| StoreError::Corrupt { what, why };
    let number = u32::try_from(number).map_err(|_| corrupt(format!("{number} is no amount")))?;
    Cents::new(number).map_err(|error| corrupt(error.to_string()))
}

impl Raw {
    fn valuation(&self) -> Result<Option<Valuation>, StoreError> {
        let (Some(value), Some(estimation), Some(note)) = (self.value_cents, &self.estimation, &self.estimation_note)
        else {
            return Ok(None);
        };
        Ok(Some(Valuation {
            value: cents("donation_line.value_cents", value)?,
            estimation: parsed("donation_line.estimation", estimation)?,
            note: note.clone(),
        }))
    }

    fn proofs(&self) -> Result<Vec<Proof>, StoreError> {
        let evidence = self.erasure_evidence.as_deref();
        Ok(evidence.map(|json| from_json("donation_line.erasure_evidence", json)).transpose()?.unwrap_or_default())
    }

    fn read(self) -> Result<LineRow, StoreError> {
        let approved = self.proofs()?;
        let kind = self.chassis.as_ref().and_then(|text| Chassis::ALL.iter().find(|kind| kind.as_str() == text));
        let facts = UnitFacts {
            kind: kind.copied(),
            place: parsed::<LendingState>("device.lending_state", &self.lending_state)?,
            became: self.became.as_ref().map(|text| parsed("work_order.disposition", text)).transpose()?,
            archived: self.archived_at.is_some(),
            battery: match &self.battery_verdict {
                Some(verdict) => parsed("health.battery_verdict", verdict)?,
                None => Verdict::Unknown,
            },
            erasure: Erasure::default(),
            valuation: self.valuation()?,
        };
        Ok(LineRow {
            device: DeviceId(self.device_id),
            state: parsed("donation_line.state", &self.state)?,
            serial: self.serial_number,
            asset_tag: self.asset_tag,
            manufacturer: self.manufacturer,
            model: self.model,
            grade: self.grade.map(|grade| parsed("device.grade", &grade)).transpose()?,
            facts,
            ceiling: self.ceiling_cents.map(|number| cents("donation_line.ceiling_cents", number)).transpose()?,
            proven: erased(&approved),
            approved,
            older_than: None,
            unmet: Vec::new(),
        })
    }
}

/// What all units of a lot share, as it now stands.
pub(super) async fn shared(tx: &mut Tx, lot: &LotRow) -> Result<LotFacts, StoreError> {
    Ok(LotFacts {
        recipient: recipient(tx, lot).await?,
        basis: lot.terms.basis,
        deliberation: lot.terms.deliberation.clone(),
    })
}

/// The units of a lot by model and serial number, each with what is missing for it at `now`.
pub async fn of_lot(tx: &mut Tx, lot: &LotRow, policy: &Policy, now: UtcMillis) -> Result<Vec<LineRow>, StoreError> {
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(SELECT).bind(lot.id).fetch_all(c).await)?;
    let mut lines = raw.into_iter().map(Raw::read).collect::<Result<Vec<_>, _>>()?;
    let (facts, today) = (shared(tx, lot).await?, paris::date(now));
    let live = |line: &LineRow| matches!(line.state, UnitState::Listed | UnitState::Approved);
    let ids: Vec<DeviceId> = lines.iter().filter(|line| live(line)).map(|line| line.device).collect();
    let mut erasures = donation_erasure::of_devices(tx, &ids, policy).await?;
    let births = figures::births(tx, ids.iter().map(|id| id.0)).await?;
    let years = policy.figures.most_years;
    for line in lines.iter_mut().filter(|line| live(line)) {
        line.facts.erasure = erasures.remove(&line.device).unwrap_or_default();
        judge(line, &facts, &policy.donation.bases, today);
        let age = births.get(&line.device.0).map(|birth| birth.born(policy).class(today, years));
        line.older_than = (age == Some(AgeClass::Over)).then_some(years);
    }
    Ok(lines)
}

fn judge(line: &mut LineRow, lot: &LotFacts, bases: &[BasisTerms], today: jiff::civil::Date) {
    line.unmet = conditions(lot, &line.facts, bases, today);
    if line.proven.is_empty() {
        line.proven = erased(&line.facts.erasure.proofs);
    }
    if line.ceiling.is_none() {
        line.ceiling = lot.basis.and_then(|basis| ceiling(bases, basis, line.facts.kind, today));
    }
}

/// The drives among these that were erased, not merely gone.
fn erased(proofs: &[Proof]) -> Vec<String> {
    proofs.iter().filter(|proof| proof.record != donation_erasure::ABSENT).map(|proof| proof.drive.clone()).collect()
}

/// What adding a device asks about it.
#[derive(sqlx::FromRow)]
struct Addable {
    id: Uuid,
    lending_state: String,
    /// What is written on it.
    called: Option<String>,
    /// The name of the lot that it is in.
    lot: Option<String>,
}

impl Addable {
    fn check(&self) -> Result<(), LotError> {
        let device = self.called.clone().unwrap_or_else(|| self.id.to_string());
        if parsed::<LendingState>("device.lending_state", &self.lending_state)? == LendingState::Ceded {
            return Err(LotRefused::Ceded(device).into());
        }
        match self.lot.clone() {
            Some(lot) => Err(LotRefused::InLot { device, lot }.into()),
            None => Ok(()),
        }
    }
}

/// Adds devices to a draft.
pub async fn add(tx: &mut Tx, lot: Uuid, devices: &[DeviceId], by: Uuid, now: UtcMillis) -> Result<(), LotError> {
    let found = draft(tx, lot, by, now).await?;
    if usize::try_from(found.units).unwrap_or(usize::MAX).saturating_add(devices.len()) > MAX_UNITS {
        return Err(LotRefused::TooMany.into());
    }
    device::lock(tx, devices.iter().map(|device| device.0)).await?;
    let sql = "SELECT d.id, d.lending_state, COALESCE(d.asset_tag, d.serial_number) AS called, (SELECT t.name \
               FROM donation_line n JOIN donation_lot t ON t.id = n.lot_id WHERE n.device_id = d.id \
               AND n.state <> 'dropped' LIMIT 1) AS lot FROM {rows} JOIN device d ON d.id = r.id";
    let known: Vec<Addable> = Rows::of_ids(devices.iter().map(|device| device.0)).fetch(tx, sql).await?;
    let known: HashMap<Uuid, Addable> = known.into_iter().map(|one| (one.id, one)).collect();
    let mut rows = Rows::new([("lot_id", Type::Uuid), ("device_id", Type::Uuid), ("at", Type::Int)]);
    let mut seen = std::collections::BTreeSet::new();
    for device in devices.iter().filter(|device| seen.insert(device.0)) {
        known.get(&device.0).ok_or_else(|| LotRefused::NoDevice(device.to_string()))?.check()?;
        rows.push([lot.into(), device.0.into(), now.get().into()]);
    }
    let sql = "INSERT INTO donation_line (lot_id, device_id, state, added_at) \
               SELECT r.lot_id, r.device_id, 'listed', r.at FROM {rows}";
    rows.execute(tx, sql).await?;
    Ok(())
}

/// Takes a device out of a draft.
pub async fn remove(tx: &mut Tx, lot: Uuid, device: DeviceId, by: Uuid, now: UtcMillis) -> Result<(), LotError> {
    draft(tx, lot, by, now).await?;
    let sql = "DELETE FROM donation_line WHERE lot_id = $1 AND device_id = $2";
    let gone = on!(tx, |c| sqlx::query(sql).bind(lot).bind(device.0).execute(c).await.map(|done| done.rows_affected()));
    if gone.map_err(StoreError::from)? == 1 { Ok(()) } else { Err(LotRefused::NotListed.into()) }
}

/// Which units a value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Valued {
    /// One.
    One(DeviceId),
    /// All that have none yet.
    AllWithout,
}

/// Says what units of a draft are worth, and how anybody knows; tells how many.
pub async fn value(
    tx: &mut Tx,
    lot: Uuid,
    (valued, valuation): (Valued, &Valuation),
    (by, login): (Uuid, &str),
    now: UtcMillis,
) -> Result<u64, LotError> {
    let found = draft(tx, lot, by, now).await?;
    let (device, clause) = match valued {
        Valued::One(device) => (device.0, "device_id = $2"),
        Valued::AllWithout => (Uuid::nil(), "value_cents IS NULL AND device_id <> $2"),
    };
    let sql = sqlx::AssertSqlSafe(format!(
        "UPDATE donation_line SET value_cents = $3, estimation = $4, estimation_note = $5, valued_by = $6, \
         valued_at = $7 WHERE lot_id = $1 AND {clause}"
    ));
    let touched = on!(tx, |c| {
        sqlx::query(sql)
            .bind(lot)
            .bind(device)
            .bind(i64::from(valuation.value.get()))
            .bind(valuation.estimation.as_str())
            .bind(valuation.note.as_str())
            .bind(login)
            .bind(now.get())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    });
    match (touched.map_err(StoreError::from)?, valued) {
        (0, Valued::One(_)) => Err(LotRefused::NotListed.into()),
        (0, Valued::AllWithout) if found.units == 0 => Err(LotRefused::Empty.into()),
        (0, Valued::AllWithout) => Err(LotRefused::AllValued.into()),
        (touched, _) => Ok(touched),
    }
}

/// Whether a device is in a lot that was not given up: it is promised to a recipient.
pub(crate) async fn is_promised(tx: &mut Tx, device: DeviceId) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM donation_line WHERE device_id = $1 AND state <> 'dropped'";
    let count: i64 = on!(tx, |c| sqlx::query_scalar(sql).bind(device.0).fetch_one(c).await)?;
    Ok(count > 0)
}
