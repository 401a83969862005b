//! Loans: each step is written with its event and with where the device then is, in one unit of work.

use cartable_common::{DeviceId, UtcMillis};
use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use super::{
    StoreError, Tx, campaign, device, need, notice, on,
    rows::Rows,
    value::{day, day_number, from_json, moment, optional_moment, parsed, to_json},
    webhook,
};
use crate::domain::{
    loan::{HandedOver, LendingState, Loan, LoanState, LoanStateName, Return, Signature, Theft},
    scope::Scope,
};

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    device_id: Uuid,
    borrower_id: Uuid,
    programme_id: Uuid,
    site_id: Option<Uuid>,
    state: String,
    reserved_at: i64,
    handed_over_at: Option<i64>,
    due_day: Option<i64>,
    extensions: i64,
    ended_at: Option<i64>,
    accessories: String,
    missing_accessories: Option<String>,
    condition: Option<String>,
    police_report: Option<String>,
    signature: Option<String>,
    agreement_version: Option<String>,
}

impl Raw {
    fn read(self) -> Result<Loan, StoreError> {
        Ok(Loan {
            id: self.id,
            device: DeviceId(self.device_id),
            borrower: self.borrower_id,
            programme: self.programme_id,
            site: self.site_id,
            reserved_at: moment("loan.reserved_at", self.reserved_at)?,
            state: self.state()?,
        })
    }

    fn state(&self) -> Result<LoanState, StoreError> {
        let name: LoanStateName = parsed("loan.state", &self.state)?;
        let missing = |what| StoreError::Corrupt { what, why: format!("absent from a loan that is {name}") };
        let ended = || optional_moment("loan.ended_at", self.ended_at)?.ok_or_else(|| missing("loan.ended_at"));
        Ok(match name {
            LoanStateName::Reserved => LoanState::Reserved,
            LoanStateName::Cancelled => LoanState::Cancelled { at: ended()? },
            LoanStateName::HandedOver => LoanState::HandedOver(self.handed_over()?),
            LoanStateName::Returned => LoanState::Returned(
                self.handed_over()?,
                Return {
                    at: ended()?,
                    condition: parsed("loan.condition", self.condition.as_deref().unwrap_or_default())?,
                    missing: match &self.missing_accessories {
                        Some(json) => from_json("loan.missing_accessories", json)?,
                        None => Vec::new(),
                    },
                },
            ),
            LoanStateName::Lost => LoanState::Lost(self.handed_over()?, ended()?),
            LoanStateName::Stolen => LoanState::Stolen(
                self.handed_over()?,
                Theft {
                    at: ended()?,
                    police_report: self.police_report.clone().ok_or_else(|| missing("loan.police_report"))?,
                },
            ),
            LoanStateName::WrittenOff => LoanState::WrittenOff(self.handed_over()?, ended()?),
            LoanStateName::Ceded => LoanState::Ceded(self.handed_over()?, ended()?),
        })
    }

    fn handed_over(&self) -> Result<HandedOver, StoreError> {
        let why = "absent from a loan after its hand-over".to_owned();
        let at = self.handed_over_at.ok_or(StoreError::Corrupt { what: "loan.handed_over_at", why })?;
        Ok(HandedOver {
            at: moment("loan.handed_over_at", at)?,
            due: self.due_day.map(|number| day("loan.due_day", number)).transpose()?,
            extensions: u32::try_from(self.extensions).unwrap_or_default(),
            accessories: from_json("loan.accessories", &self.accessories)?,
            signature: self.signature.as_deref().map(|text| parsed("loan.signature", text)).transpose()?,
            agreement_version: self.agreement_version.clone(),
        })
    }
}

const SELECT: &str = "SELECT id, device_id, borrower_id, programme_id, site_id, state, reserved_at, handed_over_at, \
     due_day, extensions, ended_at, accessories, missing_accessories, condition, police_report, signature, \
     agreement_version FROM loan";

/// Most loans of one device or borrower that are read at once.
const HISTORY_SHOWN: i64 = 100;

/// Sets a device aside for a borrower. A device that is in other hands is a database error naming `loan_open_of_device`
/// or `device_id`.
pub async fn reserve(tx: &mut Tx, loan: &Loan, actor: &str, now: UtcMillis) -> Result<(), StoreError> {
    device::lock(tx, [loan.device.0]).await?;
    let sql = "INSERT INTO loan (id, device_id, borrower_id, programme_id, site_id, state, reserved_at, accessories) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, '[]')";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(loan.id)
            .bind(loan.device.0)
            .bind(loan.borrower)
            .bind(loan.programme)
            .bind(loan.site)
            .bind(LoanStateName::Reserved.as_str())
            .bind(loan.reserved_at.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    webhook::tell_loan(tx, loan, LoanStateName::Reserved.as_str(), now).await?;
    event(tx, loan.id, Event { kind: LoanStateName::Reserved.as_str(), actor, details: Value::Null }, now).await?;
    set_lending_state(tx, loan.device, loan.state.lending_state()).await
}

/// One step of a loan, for its history.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Which step: a state's name, or `extended`.
    pub kind: &'a str,
    /// Who did it.
    pub actor: &'a str,
    /// What else there is to know of it; no personal data.
    pub details: Value,
}

/// Writes where a loan has come to, with its event, and where its device then is. The loan must still be as it was
/// read in this unit of work: callers read it with [`find_for_update`].
pub async fn save(tx: &mut Tx, loan: &Loan, step: Event<'_>, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "UPDATE loan SET state = $2, handed_over_at = $3, due_day = $4, extensions = $5, ended_at = $6, \
               accessories = $7, missing_accessories = $8, condition = $9, police_report = $10, signature = $11, \
               agreement_version = $12 WHERE id = $1";
    let handed = loan.state.handed_over();
    let back = if let LoanState::Returned(_, back) = &loan.state { Some(back) } else { None };
    let missing = back.map(|back| to_json("loan.missing_accessories", &back.missing)).transpose()?;
    let police_report =
        if let LoanState::Stolen(_, theft) = &loan.state { Some(theft.police_report.as_str()) } else { None };
    let accessories =
        to_json("loan.accessories", &handed.map(|handed| handed.accessories.clone()).unwrap_or_default())?;
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(loan.id)
            .bind(loan.state.name().as_str())
            .bind(handed.map(|handed| handed.at.get()))
            .bind(handed.and_then(|handed| handed.due).map(day_number))
            .bind(handed.map_or(0, |handed| i64::from(handed.extensions)))
            .bind(loan.state.ended_at().map(UtcMillis::get))
            .bind(accessories)
            .bind(missing)
            .bind(back.map(|back| back.condition.as_str()))
            .bind(police_report)
            .bind(handed.and_then(|handed| handed.signature).map(Signature::as_str))
            .bind(handed.and_then(|handed| handed.agreement_version.as_deref()))
            .execute(c)
            .await
            .map(drop)
    })?;
    notice::confirm(tx, loan, step.kind, now).await?;
    webhook::tell_loan(tx, loan, step.kind, now).await?;
    event(tx, loan.id, step, now).await?;
    if matches!(loan.state, LoanState::Cancelled { .. }) {
        need::reopen_of_loan(tx, loan.id).await?;
    }
    campaign::follow(tx, loan, now).await?;
    set_lending_state(tx, loan.device, loan.state.lending_state()).await
}

/// Adds a step that changes nothing about the loan itself: its device went back into stock.
pub(crate) async fn event(tx: &mut Tx, loan: Uuid, step: Event<'_>, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "INSERT INTO loan_event (loan_id, number, at, kind, actor, details) \
               SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5 FROM loan_event WHERE loan_id = $1";
    let details = step.details.to_string();
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(loan)
            .bind(now.get())
            .bind(step.kind)
            .bind(step.actor)
            .bind(details)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Where a device is in its lending; none if there is no such device.
pub async fn lending_state(tx: &mut Tx, id: DeviceId) -> Result<Option<LendingState>, StoreError> {
    let sql = "SELECT lending_state FROM device WHERE id = $1";
    let state: Option<String> = on!(tx, |c| sqlx::query_scalar(sql).bind(id.0).fetch_optional(c).await)?;
    state.map(|state| parsed("device.lending_state", &state)).transpose()
}

/// The newest loan of a device, whoever may see it: the one that says where the device is.
pub(crate) async fn newest_of_device(tx: &mut Tx, id: DeviceId) -> Result<Option<Uuid>, StoreError> {
    let sql =
        "SELECT id FROM loan WHERE device_id = $1 ORDER BY ended_at IS NOT NULL, reserved_at DESC, id DESC LIMIT 1";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(id.0).fetch_optional(c).await)?)
}

/// The state of a device's newest loan.
pub async fn newest_state(tx: &mut Tx, id: DeviceId) -> Result<Option<LoanStateName>, StoreError> {
    let Some(newest) = newest_of_device(tx, id).await? else { return Ok(None) };
    let sql = "SELECT state FROM loan WHERE id = $1";
    let state: String = on!(tx, |c| sqlx::query_scalar(sql).bind(newest).fetch_one(c).await)?;
    parsed("loan.state", &state).map(Some)
}

/// Writes where a device is in its lending.
pub(crate) async fn set_lending_state(tx: &mut Tx, id: DeviceId, state: LendingState) -> Result<(), StoreError> {
    let sql = "UPDATE device SET lending_state = $2 WHERE id = $1";
    on!(tx, |c| sqlx::query(sql).bind(id.0).bind(state.as_str()).execute(c).await.map(drop))?;
    Ok(())
}

/// The loan with that id, if `scope` covers its site.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<Loan>, StoreError> {
    one(tx, scope, "WHERE id = $1", id).await
}

/// The loans with these ids, whoever may see them.
pub(crate) async fn of_ids(tx: &mut Tx, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<Loan>, StoreError> {
    let sql = format!("{SELECT} WHERE id IN (SELECT r.id FROM {{rows}})");
    let raw: Vec<Raw> = Rows::of_ids(ids).fetch(tx, &sql).await?;
    raw.into_iter().map(Raw::read).collect()
}

/// The same, with its device held until this unit of work ends: what is read is still true when the step is written.
pub async fn find_for_update(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<Loan>, StoreError> {
    let Some(seen) = find(tx, scope, id).await? else { return Ok(None) };
    device::lock(tx, [seen.device.0]).await?;
    find(tx, scope, id).await
}

/// The open loan of a device, if `scope` covers its site.
pub async fn open_of_device(tx: &mut Tx, scope: &Scope, id: DeviceId) -> Result<Option<Loan>, StoreError> {
    one(tx, scope, "WHERE device_id = $1 AND ended_at IS NULL", id.0).await
}

/// When a device that is lent is due back; none where it is not lent, or without a day.
pub async fn due_of_device(tx: &mut Tx, id: DeviceId) -> Result<Option<Date>, StoreError> {
    let sql = "SELECT due_day FROM loan WHERE device_id = $1 AND ended_at IS NULL AND state = 'handed_over'";
    let due: Option<(Option<i64>,)> = on!(tx, |c| sqlx::query_as(sql).bind(id.0).fetch_optional(c).await)?;
    due.and_then(|(number,)| number).map(|number| day("loan.due_day", number)).transpose()
}

async fn one(tx: &mut Tx, scope: &Scope, clause: &'static str, id: Uuid) -> Result<Option<Loan>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} {clause}"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    raw.filter(|raw| scope.covers(raw.site_id)).map(Raw::read).transpose()
}

/// The loans of a device that `scope` covers, newest first.
pub async fn of_device(tx: &mut Tx, scope: &Scope, id: DeviceId) -> Result<Vec<Loan>, StoreError> {
    many(tx, scope, "WHERE device_id = $1", id.0, HISTORY_SHOWN).await
}

/// The loans of a borrower that `scope` covers, newest first.
pub async fn of_borrower(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Vec<Loan>, StoreError> {
    many(tx, scope, "WHERE borrower_id = $1", id, HISTORY_SHOWN).await
}

/// Every loan of a borrower, newest first, whatever its site: for the file that a person may ask for.
pub(super) async fn all_of_borrower(tx: &mut Tx, id: Uuid) -> Result<Vec<Loan>, StoreError> {
    many(tx, &Scope::Everything, "WHERE borrower_id = $1", id, i64::MAX).await
}

async fn many(tx: &mut Tx, scope: &Scope, clause: &'static str, id: Uuid, most: i64) -> Result<Vec<Loan>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} {clause} ORDER BY reserved_at DESC, id LIMIT $2"));
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(id).bind(most).fetch_all(c).await)?;
    raw.into_iter().filter(|raw| scope.covers(raw.site_id)).map(Raw::read).collect()
}
