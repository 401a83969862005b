//! Enrolments: which key speaks for which device. Read with every request of the device port.

use cartable_common::{DeviceId, EnrolmentId, SerialNumber, Text, UtcDay, UtcMillis, report::Hardware};
use data_encoding::HEXUPPER;
use jiff::civil::Date;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use super::{StoreError, Tx, device, device_record, loan, on, value::day};
use crate::domain::{
    approval::WaitsFor,
    device::DeviceStatus,
    device_record::ContactExpected,
    enrolment::{
        Arrival, Candidate, EnrolmentKind, EnrolmentStatus, Refused, Standing, arrival, is_same_maker, standing,
    },
    loan::LendingState,
    scope::Scope,
};

/// SHA-256 of a SubjectPublicKeyInfo.
pub type KeyHash = [u8; 32];

/// A registered key, as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The key.
    pub key: KeyHash,
    /// The enrolment that it is.
    pub enrolment: EnrolmentId,
    /// The request that made it.
    pub request: Uuid,
    /// Whose agent holds it.
    pub kind: EnrolmentKind,
    /// Where the enrolment stands.
    pub status: EnrolmentStatus,
    /// The device it speaks for.
    pub device: DeviceId,
    /// Where that device stands.
    pub device_status: DeviceStatus,
    /// Whether an older key of the device is still live, or set aside: using this one ends that.
    pub has_predecessor: bool,
    /// Whether an order waits for this enrolment.
    pub awaits_action: bool,
    /// The site that the device belongs to.
    pub site: Option<Uuid>,
    /// When the device is due back, where it is lent until a day.
    pub due: Option<Date>,
    /// The number of the trust bundle that its agent was last known to hold.
    pub trust_bundle: u32,
}

impl Registered {
    /// What the key may do as one of our agents: that of another system's agent may nothing.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing_as(EnrolmentKind::Agent)
    }

    /// What the key may do where only keys of that kind may speak.
    #[must_use]
    pub const fn standing_as(&self, kind: EnrolmentKind) -> Standing {
        match (self.kind, kind) {
            (EnrolmentKind::Agent, EnrolmentKind::Agent) | (EnrolmentKind::Foreign, EnrolmentKind::Foreign) => {
                standing(self.status, self.device_status)
            }
            (EnrolmentKind::Agent, EnrolmentKind::Foreign) | (EnrolmentKind::Foreign, EnrolmentKind::Agent) => {
                Standing::Refused(Refused::OtherAgent)
            }
        }
    }
}

#[derive(FromRow)]
struct Raw {
    spki_sha256: Vec<u8>,
    id: Uuid,
    request_id: Uuid,
    kind: String,
    status: String,
    device_id: Uuid,
    device_status: String,
    has_predecessor: bool,
    awaits_action: bool,
    site_id: Option<Uuid>,
    due_day: Option<i64>,
    trust_bundle: i64,
}

impl TryFrom<Raw> for Registered {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        let corrupt = |what, why: String| StoreError::Corrupt { what, why };
        Ok(Self {
            key: raw.spki_sha256.try_into().map_err(|_| corrupt("enrolment.spki_sha256", "not 32 bytes".to_owned()))?,
            enrolment: EnrolmentId(raw.id),
            request: raw.request_id,
            kind: raw.kind.parse().map_err(|error| corrupt("enrolment.kind", format!("{error}")))?,
            status: raw.status.parse().map_err(|error| corrupt("enrolment.status", format!("{error}")))?,
            device: DeviceId(raw.device_id),
            device_status: raw.device_status.parse().map_err(|error| corrupt("device.status", format!("{error}")))?,
            has_predecessor: raw.has_predecessor,
            awaits_action: raw.awaits_action,
            site: raw.site_id,
            due: raw.due_day.map(|number| day("loan.due_day", number)).transpose()?,
            trust_bundle: u32::try_from(raw.trust_bundle)
                .map_err(|error| corrupt("enrolment.trust_bundle", error.to_string()))?,
        })
    }
}

/// The columns of [`Raw`], of an enrolment `e` and its device `d`.
const REGISTERED: &str = "SELECT e.spki_sha256, e.id, e.request_id, e.kind, e.status, e.device_id, \
    d.status AS device_status, d.site_id, e.trust_bundle, EXISTS (SELECT 1 FROM enrolment o \
    WHERE o.device_id = e.device_id AND o.id < e.id AND o.status IN ('active', 'quarantined')) AS has_predecessor, \
    EXISTS (SELECT 1 FROM device_action a WHERE a.enrolment_id = e.id AND a.closed_at IS NULL) AS awaits_action, \
    (SELECT l.due_day FROM loan l WHERE l.device_id = e.device_id AND l.ended_at IS NULL AND l.state = 'handed_over') AS due_day";

/// What is registered under `keys`: one statement, however many. Unknown keys are left out.
pub async fn of_keys(tx: &mut Tx, keys: &[KeyHash]) -> Result<Vec<Registered>, StoreError> {
    let rows: Vec<Raw> = match tx {
        Tx::Sqlite(connection) => {
            let list: Vec<String> = keys.iter().map(|key| HEXUPPER.encode(key)).collect();
            sqlx::query_as(AssertSqlSafe(format!(
                "{REGISTERED} FROM json_each($1) k JOIN enrolment e ON e.spki_sha256 = unhex(k.value) \
                JOIN device d ON d.id = e.device_id"
            )))
            .bind(serde_json::json!(list).to_string())
            .fetch_all(&mut **connection)
            .await?
        }
        Tx::Postgres(connection) => {
            let list: Vec<&[u8]> = keys.iter().map(<[u8; 32]>::as_slice).collect();
            sqlx::query_as(AssertSqlSafe(format!(
                "{REGISTERED} FROM enrolment e JOIN device d ON d.id = e.device_id WHERE e.spki_sha256 = ANY($1)"
            )))
            .bind(list)
            .fetch_all(&mut **connection)
            .await?
        }
    };
    rows.into_iter().map(TryInto::try_into).collect()
}

/// What is registered under `key`.
pub async fn of_key(tx: &mut Tx, key: &KeyHash) -> Result<Option<Registered>, StoreError> {
    Ok(of_keys(tx, std::slice::from_ref(key)).await?.pop())
}

/// An enrolment to record.
#[derive(Clone, Copy, Debug)]
pub struct NewEnrolment<'a> {
    /// Chosen by the caller; later ones are greater.
    pub id: EnrolmentId,
    /// The device.
    pub device: DeviceId,
    /// The request, chosen by the agent.
    pub request: Uuid,
    /// The key.
    pub key: &'a KeyHash,
    /// The token that let it in; none for a renewal with a new key.
    pub token: Option<Uuid>,
    /// Active, or pending.
    pub status: EnrolmentStatus,
}

/// Records an enrolment. One that is pending waits as a replacement, as long as it takes.
pub async fn insert(tx: &mut Tx, new: &NewEnrolment<'_>, now: UtcMillis) -> Result<(), StoreError> {
    let waits_for = (new.status == EnrolmentStatus::Pending).then_some(WaitsFor::Replacement);
    write(tx, new, (waits_for, None), now).await
}

/// Records an enrolment that asks for a person's word, and why it does; not for its serial number, which is known. It lapses
/// once it asks no more ([`super::lapse`]).
pub async fn insert_waiting(
    tx: &mut Tx,
    new: &NewEnrolment<'_>,
    waits_for: WaitsFor,
    now: UtcMillis,
) -> Result<(), StoreError> {
    write(tx, new, (Some(waits_for), Some(UtcDay::from(now))), now).await
}

async fn write(
    tx: &mut Tx,
    new: &NewEnrolment<'_>,
    (waits_for, asked_on): (Option<WaitsFor>, Option<UtcDay>),
    now: UtcMillis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO enrolment (id, device_id, request_id, spki_sha256, token_id, status, created_at, \
        waits_for, asked_on) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(new.id.0)
        .bind(new.device.0)
        .bind(new.request)
        .bind(new.key.as_slice())
        .bind(new.token)
        .bind(new.status.as_str())
        .bind(now.get())
        .bind(waits_for.map(WaitsFor::as_str))
        .bind(asked_on.map(|day| day.start().get()))
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Ends every enrolment of `device` whose key is live or set aside, except those in `keep`. A key that is set aside ends with
/// the others: it would outlive a person's word, and take the device back from the key that they let in.
pub async fn replace_others(
    tx: &mut Tx,
    device: DeviceId,
    keep: [EnrolmentId; 2],
    now: UtcMillis,
) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE enrolment SET status = 'replaced', ended_at = $4 \
        WHERE device_id = $1 AND status IN ('active', 'quarantined') AND id <> $2 AND id <> $3";
    let [one, two] = keep;
    Ok(on!(tx, |c| sqlx::query(SQL)
        .bind(device.0)
        .bind(one.0)
        .bind(two.0)
        .bind(now.get())
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?)
}

/// Lets a pending enrolment in: it becomes the device's only live key. False where none is pending under that id, or
/// where the device was given away.
pub async fn approve(tx: &mut Tx, id: EnrolmentId, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE enrolment SET status = 'active' WHERE id = $1 AND status = 'pending' AND NOT EXISTS (SELECT 1 \
               FROM device d WHERE d.id = enrolment.device_id AND d.lending_state = 'ceded') RETURNING device_id";
    let device: Option<Uuid> = on!(tx, |c| sqlx::query_scalar(sql).bind(id.0).fetch_optional(c).await)?;
    let Some(device) = device else { return Ok(false) };
    let device = DeviceId(device);
    replace_others(tx, device, [id, id], now).await?;
    super::device::set_status(tx, &Scope::Everything, device, DeviceStatus::Active).await?;
    device_record::expect(tx, device, ContactExpected::Agent).await?;
    super::device::set_enrolled(tx, device, now).await
}

/// Refuses a pending enrolment: its key is let in nowhere any more. False where none is pending under that id.
pub async fn refuse(tx: &mut Tx, id: EnrolmentId, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE enrolment SET status = 'revoked', ended_at = $2 WHERE id = $1 AND status = 'pending'";
    let done =
        on!(tx, |c| sqlx::query(sql).bind(id.0).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Holds back everybody else who decides about an enrolment until this unit of work ends. SQLite has one writer.
pub(super) async fn lock(tx: &mut Tx, id: EnrolmentId) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        sqlx::query("SELECT id FROM enrolment WHERE id = $1 FOR UPDATE").bind(id.0).execute(&mut **connection).await?;
    }
    Ok(())
}

/// An enrolment that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The enrolment.
    pub enrolment: EnrolmentId,
    /// The device that it says it is.
    pub device: DeviceId,
    /// That device's serial number.
    pub serial_number: Option<String>,
    /// That device's model.
    pub model: Option<String>,
    /// Since when it waits.
    pub since: UtcMillis,
}

/// The enrolments that wait for a person, oldest first, of devices that the scope covers.
pub async fn pending(tx: &mut Tx, scope: &Scope) -> Result<Vec<Waiting>, StoreError> {
    const SQL: &str = "SELECT e.id, e.device_id, d.site_id, d.serial_number, d.model, e.created_at \
        FROM enrolment e JOIN device d ON d.id = e.device_id WHERE e.status = 'pending' ORDER BY e.created_at, e.id";
    type Row = (Uuid, Uuid, Option<Uuid>, Option<String>, Option<String>, i64);
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(SQL).fetch_all(c).await)?;
    let covered = rows.into_iter().filter(|(_, _, site, ..)| scope.covers(*site));
    Ok(covered
        .map(|(id, device, _, serial_number, model, since)| Waiting {
            enrolment: EnrolmentId(id),
            device: DeviceId(device),
            serial_number,
            model,
            since: UtcMillis::new(since).unwrap_or_default(),
        })
        .collect())
}

/// Whether a device with this hardware's serial number, of the same maker, is recorded and not archived. Nobody else
/// records it before this unit of work ends.
pub async fn is_hardware_known(tx: &mut Tx, hardware: &Hardware) -> Result<bool, StoreError> {
    let Some(serial) = hardware.serial_number.get() else { return Ok(false) };
    let maker = hardware.manufacturer.as_ref().map(Text::as_str);
    is_serial_of_another(tx, DeviceId(Uuid::nil()), serial.as_str(), maker).await
}

/// The same for the device `id`, which may have it.
pub async fn is_serial_of_another(
    tx: &mut Tx,
    id: DeviceId,
    serial: &str,
    maker: Option<&str>,
) -> Result<bool, StoreError> {
    lock_hardware(tx, serial).await?;
    is_serial_elsewhere(tx, id, serial, maker).await
}

/// The same, without holding anybody back.
pub(super) async fn is_serial_elsewhere(
    tx: &mut Tx,
    id: DeviceId,
    serial: &str,
    maker: Option<&str>,
) -> Result<bool, StoreError> {
    let Some(serial) = SerialNumber::parse(serial) else { return Ok(false) };
    let rows = device::by_serial(tx, &Scope::Everything, &serial).await?;
    let others = rows.iter().filter(|row| row.id != id && row.archived_at.is_none());
    Ok(others.into_iter().any(|row| is_same_maker(row.manufacturer.as_deref(), maker)))
}

/// Which of `devices` ever had an enrolment. One that was given away is nobody's to speak for: it is left out, and an
/// agent on that machine is on a new device.
pub async fn candidates(tx: &mut Tx, devices: &[super::device::DeviceRow]) -> Result<Vec<Candidate>, StoreError> {
    let mut candidates = Vec::with_capacity(devices.len());
    let sql = "SELECT id FROM enrolment WHERE device_id = $1 LIMIT 1";
    for row in devices {
        if loan::lending_state(tx, row.id).await? == Some(LendingState::Ceded) {
            continue;
        }
        let any: Option<Uuid> = on!(tx, |c| sqlx::query_scalar(sql).bind(row.id.0).fetch_optional(c).await)?;
        candidates.push(Candidate {
            device: row.id,
            status: row.status,
            archived: row.archived_at.is_some(),
            was_enrolled: any.is_some(),
            expected: device_record::of_device(tx, row.id).await?.contact_expected,
        });
    }
    Ok(candidates)
}

/// What asking hardware is: by serial number, or by system UUID where it has none. Before something is done about it,
/// [`lock_asking`] holds the others back.
pub async fn arrival_of(tx: &mut Tx, hardware: &Hardware) -> Result<Arrival, StoreError> {
    let rows = if let Some(serial) = hardware.serial_number.get() {
        let mut rows = device::by_serial(tx, &Scope::Everything, serial).await?;
        // Two makers may give one number.
        rows.retain(|row| is_same_maker(row.manufacturer.as_deref(), hardware.manufacturer.as_ref().map(Text::as_str)));
        rows
    } else if let Some(&uuid) = hardware.system_uuid.get() {
        device::by_system_uuid(tx, &Scope::Everything, uuid).await?
    } else {
        Vec::new()
    };
    Ok(arrival(&candidates(tx, &rows).await?))
}

/// [`lock_hardware`] for hardware that asks, by what [`arrival_of`] looks for.
pub async fn lock_asking(tx: &mut Tx, hardware: &Hardware) -> Result<(), StoreError> {
    if let Some(serial) = hardware.serial_number.get() {
        lock_hardware(tx, serial.as_str()).await
    } else if let Some(uuid) = hardware.system_uuid.get() {
        lock_hardware(tx, &uuid.to_string()).await
    } else {
        Ok(())
    }
}

/// Holds back every other enrolment of the same hardware until this unit of work ends: two agents with one serial
/// number, in whatever case, must not both find that nobody knows it. SQLite has one writer and needs no lock.
pub async fn lock_hardware(tx: &mut Tx, hardware: &str) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended(lower($1), 20261124))")
            .bind(hardware)
            .execute(&mut **connection)
            .await?;
    }
    Ok(())
}
