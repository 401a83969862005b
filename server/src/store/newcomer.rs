//! Newcomers: keys that asked to be let in and belong to no device yet. A token vouches for each, or the key of another
//! machine that it showed. Each waits for a person; a refused one stays refused. Nothing of them is a device until they are
//! let in.

use cartable_common::{DeviceId, EnrolmentId, SerialNumber, Text, UtcDay, UtcMillis, report::Hardware};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    cloned_key::{self, Shown},
    device::{self, NewDevice},
    enrolment::{self, KeyHash, NewEnrolment},
    on,
    value::{from_json, parsed, to_json},
};
use crate::domain::{
    approval::{MAX_WAITING_PER_TOKEN, WaitsFor, is_elsewhere},
    device::DeviceStatus,
    enrolment::{Arrival, EnrolmentStatus},
    scope::Scope,
    verdict::text_enum,
};

text_enum! {
    /// Where a newcomer stands.
    pub enum NewcomerState {
        /// For a person to decide.
        Waiting = "waiting",
        /// Let in: its key is an enrolment.
        Approved = "approved",
        /// Not let in, with this key.
        Refused = "refused",
    }
}

/// A newcomer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// Never given to another.
    pub id: Uuid,
    /// The request, chosen by the agent.
    pub request: Uuid,
    /// Its key.
    pub key: KeyHash,
    /// The token that it brought, if it did.
    pub token: Option<Uuid>,
    /// The key that it showed instead, as that stands now.
    pub shown: Option<Shown>,
    /// The device of another site than its token's that it says it is.
    pub listed_as: Option<DeviceId>,
    /// Why it waits, or waited.
    pub waits_for: WaitsFor,
    /// Where it stands.
    pub state: NewcomerState,
    /// What the machine says of itself.
    pub hardware: Hardware,
    /// The site where it is recorded, else that of its token or of the device whose key it showed.
    pub site: Option<Uuid>,
    /// The programme of its token.
    pub programme: Option<String>,
}

const NEWCOMER: &str = "SELECT n.id, n.request_id, n.spki_sha256, n.token_id, n.waits_for, n.state, n.hardware, \
    n.listed_as, COALESCE(l.site_id, t.site_id, b.site_id) AS site_id, t.programme, n.vouched_by, v.device_id AS bound_id, \
    v.status AS vouching FROM newcomer n LEFT JOIN enrolment_token t ON t.id = n.token_id \
    LEFT JOIN enrolment v ON v.id = n.vouched_by LEFT JOIN device b ON b.id = v.device_id \
    LEFT JOIN device l ON l.id = n.listed_as";

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    request_id: Uuid,
    spki_sha256: Vec<u8>,
    token_id: Option<Uuid>,
    waits_for: String,
    state: String,
    hardware: String,
    listed_as: Option<Uuid>,
    site_id: Option<Uuid>,
    programme: Option<String>,
    vouched_by: Option<Uuid>,
    bound_id: Option<Uuid>,
    vouching: Option<String>,
}

impl Raw {
    fn read(self) -> Result<Newcomer, StoreError> {
        let key = self.spki_sha256.try_into();
        let shown = match (self.vouched_by, self.bound_id, self.vouching) {
            (Some(enrolment), Some(device), Some(status)) => Some(Shown {
                enrolment: EnrolmentId(enrolment),
                device: DeviceId(device),
                status: parsed("enrolment.status", &status)?,
            }),
            _ => None,
        };
        Ok(Newcomer {
            id: self.id,
            request: self.request_id,
            key: key
                .map_err(|_| StoreError::Corrupt { what: "newcomer.spki_sha256", why: "not 32 bytes".to_owned() })?,
            token: self.token_id,
            shown,
            listed_as: self.listed_as.map(DeviceId),
            waits_for: parsed("newcomer.waits_for", &self.waits_for)?,
            state: parsed("newcomer.state", &self.state)?,
            hardware: from_json("newcomer.hardware", &self.hardware)?,
            site: self.site_id,
            programme: self.programme,
        })
    }
}

/// A newcomer to record.
#[derive(Clone, Copy, Debug)]
pub struct NewNewcomer<'a> {
    /// The request, chosen by the agent.
    pub request: Uuid,
    /// Its key, which no enrolment has.
    pub key: &'a KeyHash,
    /// The token that it brought.
    pub token: Uuid,
    /// Why it waits: a new one not as a replacement, for those wait with their device. It may become one while it waits.
    pub waits_for: WaitsFor,
    /// What the machine says of itself.
    pub hardware: &'a Hardware,
    /// The device of another site than the token's that it says it is ([`listed_elsewhere`]).
    pub listed_as: Option<DeviceId>,
}

/// Records a newcomer, and gives its id.
pub async fn insert(tx: &mut Tx, new: &NewNewcomer<'_>, now: UtcMillis) -> Result<Uuid, StoreError> {
    let vouching = (Some(new.token), None);
    write(tx, (new.request, new.key), vouching, (new.waits_for, new.hardware), new.listed_as, now).await
}

/// Records a newcomer that showed the key of another machine's enrolment `old`, and gives its id.
pub async fn insert_vouched(
    tx: &mut Tx,
    asked: (Uuid, &KeyHash),
    (old, hardware): (EnrolmentId, &Hardware),
    now: UtcMillis,
) -> Result<Uuid, StoreError> {
    write(tx, asked, (None, Some(old.0)), (WaitsFor::ClonedKey, hardware), None, now).await
}

/// A token vouches, or an enrolment does.
async fn write(
    tx: &mut Tx,
    (request, key): (Uuid, &KeyHash),
    (token, vouched_by): (Option<Uuid>, Option<Uuid>),
    (waits_for, hardware): (WaitsFor, &Hardware),
    listed_as: Option<DeviceId>,
    now: UtcMillis,
) -> Result<Uuid, StoreError> {
    const SQL: &str = "INSERT INTO newcomer (id, request_id, spki_sha256, token_id, vouched_by, waits_for, state, \
        hardware, created_at, listed_as, asked_on) VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8, $9, $10)";
    let id = Uuid::now_v7();
    let hardware = to_json("newcomer.hardware", hardware)?;
    on!(tx, |c| sqlx::query(SQL)
        .bind(id)
        .bind(request)
        .bind(key.as_slice())
        .bind(token)
        .bind(vouched_by)
        .bind(waits_for.as_str())
        .bind(hardware.as_str())
        .bind(now.get())
        .bind(listed_as.map(|device| device.0))
        .bind(UtcDay::from(now).start().get())
        .execute(c)
        .await
        .map(drop))?;
    Ok(id)
}

/// The device that arriving hardware says it is, where that is recorded at another site than its token's.
pub async fn listed_elsewhere(tx: &mut Tx, arrival: &Arrival, token: Uuid) -> Result<Option<DeviceId>, StoreError> {
    let (Arrival::FirstEnrolment(id) | Arrival::Replacement(id)) = *arrival else { return Ok(None) };
    let found = device::find(tx, &Scope::Everything, id).await?;
    Ok(found.filter(|found| is_elsewhere(found.site, token)).map(|found| found.id))
}

/// Writes down what a newcomer with a token asks for by now, as a whole: its token, its name, why it waits and where it is recorded
/// together say whose it is to decide. It may have brought another token, been recorded at another site since, or said no name at
/// first, because a probe was away; a name that it has said stays, and so does all of a request that comes with another: somebody
/// may have looked at it. One whose device has a key of its own by now goes on waiting for what it did, while it is that device.
pub async fn reconsider(tx: &mut Tx, newcomer: &Newcomer, asks: &NewNewcomer<'_>) -> Result<(), StoreError> {
    if newcomer.shown.is_some() || is_renamed(&newcomer.hardware, asks.hardware) {
        return Ok(());
    }
    let (mut waits_for, listed_as) = (asks.waits_for, asks.listed_as);
    if waits_for == WaitsFor::Replacement && newcomer.listed_as == listed_as {
        waits_for = newcomer.waits_for;
    }
    let brought_another = newcomer.token != Some(asks.token);
    if !brought_another && newcomer.listed_as == listed_as && newcomer.hardware == *asks.hardware {
        return Ok(());
    }
    // It goes on waiting where it did: no token has more than its share of the queue.
    if brought_another && waiting_of_token(tx, asks.token).await? >= MAX_WAITING_PER_TOKEN {
        return Ok(());
    }
    let sql = "UPDATE newcomer SET waits_for = $2, listed_as = $3, token_id = $4, hardware = $5 \
               WHERE id = $1 AND state = 'waiting'";
    let hardware = to_json("newcomer.hardware", asks.hardware)?;
    on!(tx, |c| sqlx::query(sql)
        .bind(newcomer.id)
        .bind(waits_for.as_str())
        .bind(listed_as.map(|device| device.0))
        .bind(asks.token)
        .bind(hardware.as_str())
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Whether a machine says no more that it is what it said first: of its serial number and its maker, by which a device is found,
/// and of its UUID. The same UUID with another serial number is another name too: that number is what a person reads.
fn is_renamed(kept: &Hardware, said: &Hardware) -> bool {
    let differs = |kept: Option<&str>, said: Option<&str>| {
        kept.is_some_and(|kept| !said.is_some_and(|said| said.eq_ignore_ascii_case(kept)))
    };
    differs(kept.serial_number.get().map(SerialNumber::as_str), said.serial_number.get().map(SerialNumber::as_str))
        || differs(kept.manufacturer.as_ref().map(Text::as_str), said.manufacturer.as_ref().map(Text::as_str))
        || kept.system_uuid.get().is_some_and(|uuid| said.system_uuid.get() != Some(uuid))
}

/// The newcomer with this key.
pub async fn of_key(tx: &mut Tx, key: &KeyHash) -> Result<Option<Newcomer>, StoreError> {
    let sql = format!("{NEWCOMER} WHERE n.spki_sha256 = $1");
    let raw: Option<Raw> =
        on!(tx, |c| sqlx::query_as(AssertSqlSafe(sql)).bind(key.as_slice()).fetch_optional(c).await)?;
    raw.map(Raw::read).transpose()
}

/// The newcomer with that id. The caller checks its site.
pub async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<Newcomer>, StoreError> {
    let sql = format!("{NEWCOMER} WHERE n.id = $1");
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(c).await)?;
    raw.map(Raw::read).transpose()
}

/// Holds back everybody else who decides about a newcomer until this unit of work ends. SQLite has one writer.
pub(super) async fn lock(tx: &mut Tx, id: Uuid) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        sqlx::query("SELECT id FROM newcomer WHERE id = $1 FOR UPDATE").bind(id).execute(&mut **connection).await?;
    }
    Ok(())
}

/// The same for the newcomer with this key, if there is one: what its agent asks for and what a person decides wait for each
/// other in one order, newcomer before hardware.
pub async fn lock_key(tx: &mut Tx, key: &KeyHash) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        let sql = "SELECT id FROM newcomer WHERE spki_sha256 = $1 FOR UPDATE";
        sqlx::query(sql).bind(key.as_slice()).execute(&mut **connection).await?;
    }
    Ok(())
}

/// How many machines wait through a token, newcomers and known devices together.
pub async fn waiting_of_token(tx: &mut Tx, token: Uuid) -> Result<i64, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM newcomer WHERE token_id = $1 AND state = 'waiting') \
               + (SELECT count(*) FROM enrolment WHERE token_id = $1 AND status = 'pending')";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(token).fetch_one(c).await)?)
}

/// How many machines wait that showed a key of this device. The caller has checked that it may see the device.
pub async fn waiting_with_key_of(tx: &mut Tx, device: DeviceId) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM newcomer n JOIN enrolment e ON e.id = n.vouched_by \
               WHERE e.device_id = $1 AND n.state = 'waiting'";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(device.0).fetch_one(c).await)?)
}

/// Lets a waiting newcomer in as what it arrives as: a new device at its site, or the agent of a known one.
/// Gives its device; nothing where it waits no more, its key is an enrolment already, or its device was given away.
/// Where it showed a key of that very device, the device's record names it from now on.
pub async fn approve(
    tx: &mut Tx,
    newcomer: &Newcomer,
    arrival: &Arrival,
    now: UtcMillis,
) -> Result<Option<DeviceId>, StoreError> {
    if enrolment::of_key(tx, &newcomer.key).await?.is_some() {
        return Ok(None);
    }
    let device = match *arrival {
        Arrival::FirstEnrolment(device) | Arrival::Replacement(device) => device,
        Arrival::NewDevice => {
            let new = NewDevice {
                id: DeviceId(Uuid::now_v7()),
                status: DeviceStatus::Active,
                hardware: newcomer.hardware.clone(),
                asset_tag: None,
                programme: newcomer.programme.clone(),
                site: newcomer.site,
                enrolled_at: Some(now),
            };
            device::insert(tx, &new, now).await?;
            new.id
        }
    };
    let id = EnrolmentId(Uuid::now_v7());
    let new = NewEnrolment {
        id,
        device,
        request: newcomer.request,
        key: &newcomer.key,
        token: newcomer.token,
        status: EnrolmentStatus::Pending,
    };
    enrolment::insert(tx, &new, now).await?;
    let done = enrolment::approve(tx, id, now).await? && close(tx, newcomer.id, id, now).await?;
    if let Some(shown) = newcomer.shown.filter(|_| done) {
        cloned_key::healed(tx, id, (shown.enrolment, &newcomer.hardware), now).await?;
        if shown.device == device {
            cloned_key::rebind(tx, device, &newcomer.hardware).await?;
        }
    }
    Ok(done.then_some(device))
}

/// A waiting newcomer became this enrolment; false where it waits no more.
pub async fn close(tx: &mut Tx, id: Uuid, became: EnrolmentId, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE newcomer SET state = 'approved', decided_at = $2, enrolment_id = $3 \
               WHERE id = $1 AND state = 'waiting'";
    let done = on!(tx, |c| sqlx::query(sql)
        .bind(id)
        .bind(now.get())
        .bind(became.0)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// A waiting newcomer is not let in; false where it waits no more.
pub async fn refuse(tx: &mut Tx, id: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE newcomer SET state = 'refused', decided_at = $2 WHERE id = $1 AND state = 'waiting'";
    let done =
        on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?;
    let refused = if done == 1 { find(tx, id).await? } else { None };
    if let Some(Newcomer { shown: Some(shown), hardware, .. }) = refused {
        cloned_key::settle(tx, shown.enrolment, &hardware).await?;
    }
    Ok(done == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_said_stays_and_one_that_was_not_may_still_be_said() {
        let machine = |serial: &str, maker: Option<&str>| Hardware {
            serial_number: SerialNumber::parse(serial).into(),
            manufacturer: maker.map(Text::clean),
            ..Hardware::default()
        };
        let first = machine("PF2NEW", Some("ACME"));
        assert!(!is_renamed(&first, &machine("pf2new", Some("Acme"))));
        assert!(!is_renamed(&machine("PF2NEW", None), &first) && !is_renamed(&Hardware::default(), &first));
        // A device is found by both.
        assert!(is_renamed(&first, &machine("PF2NEW", Some("LENOVO"))));
        assert!(is_renamed(&first, &machine("PF2NEW", None)) && is_renamed(&first, &machine("PF2OTHER", Some("ACME"))));
        assert!(is_renamed(&first, &Hardware::default()));
    }
}
