//! The erasure of a device's drives: what is recorded, and what is missing before it may be lent again or leave.

use axum::{Json, extract::State};
use cartable_common::DeviceId;
use data_encoding::HEXLOWER;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{device_record::UNKNOWN, extract::Path, problem::Problem, schema::Moment};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::erasure::gap::{self, Demand, Gap, Standing},
    store::{
        Tx,
        device::{self, DeviceRow},
        erasure::Erasure,
        erasure_certificate,
        erasure_file::{self, EvidenceFile},
        erasure_gap::{self, Drives},
    },
};

/// The drives of a device.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErasuresBody {
    /// Every drive that a report showed, that evidence names or that was declared absent.
    drives: Vec<DriveBody>,
    /// What is missing before it may be lent again; empty where nothing is.
    missing_to_relend: Vec<GapBody>,
    /// What is missing before it may leave: given, sold, recycled.
    missing_to_leave: Vec<GapBody>,
    /// The numbers of its certificates, newest first.
    certificates: Vec<String>,
}

/// A drive.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DriveBody {
    /// Its serial number in capitals; its model where it tells none.
    drive: String,
    /// Its model.
    model: Option<String>,
    /// `rotating`, `flash`, `emmc` or `unknown`.
    medium: &'static str,
    /// When it was last known in use; to the day after 30 days. Null where no report showed it.
    last_seen: Option<Moment>,
    /// What is recorded of its erasure, newest first.
    erasures: Vec<ErasureBody>,
    /// Declarations that it is gone, newest first.
    absences: Vec<AbsenceBody>,
}

/// A recorded erasure.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErasureBody {
    /// Its id.
    id: Uuid,
    /// What was done: `overwrite`, `nvme_sanitize_block`…
    method: &'static str,
    /// What the tool calls it.
    method_name: String,
    /// The level that it reaches on this medium: `clear`, `purge`, `destroy`.
    level: &'static str,
    /// The tool; `hand` for what a person entered.
    tool: String,
    /// Its version.
    tool_version: String,
    /// When it began.
    started_at: Moment,
    /// When it ended.
    ended_at: Moment,
    /// Passes.
    passes: u32,
    /// The drive's size, as the tool says.
    capacity_bytes: Option<u64>,
    /// Bytes that were erased at least once.
    bytes_erased: Option<u64>,
    /// Errors.
    errors: u64,
    /// `none`, `last_pass`, `all_passes`, `device_status`.
    verification: &'static str,
    /// `erased`, `failed`, `aborted`, `incomplete`.
    outcome: &'static str,
    /// The machine on which the tool ran.
    host: Option<String>,
    /// `nwipe_log`, `nwipe_log_pdf`, `nvme`, `hdparm`, `hand`.
    source: &'static str,
    /// The login of the one who brought or entered it.
    operator: String,
    /// The login of the one who confirmed what was entered by hand.
    witness: Option<String>,
    /// When it was recorded.
    recorded_at: Moment,
    /// SHA-256 of the files that prove it, hexadecimal.
    evidence_sha256: Vec<String>,
}

/// A declaration that a drive is gone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AbsenceBody {
    /// Why.
    reason: String,
    /// The login of the one who says so.
    by: String,
    /// When.
    at: Moment,
}

/// What stands in the way.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GapBody {
    /// The drive; null where no drive of the device is known.
    drive: Option<String>,
    /// `nothing_recorded`, `failed`, `unverified`, `level_too_low`, `used_since`…
    why: &'static str,
    /// The level that is asked for.
    asked: &'static str,
    /// The record that comes nearest.
    erasure: Option<Uuid>,
}

impl From<&Gap> for GapBody {
    fn from(gap: &Gap) -> Self {
        Self {
            drive: gap.key.as_ref().map(ToString::to_string),
            why: gap.why.as_str(),
            asked: gap.asked.as_str(),
            erasure: gap.record,
        }
    }
}

fn erasure(erasure: &Erasure, files: &[EvidenceFile]) -> ErasureBody {
    let reading = &erasure.reading;
    let proving = files.iter().filter(|file| file.proves.contains(&erasure.id));
    ErasureBody {
        id: erasure.id,
        method: reading.method.as_str(),
        method_name: reading.method_name.clone(),
        level: erasure.level.as_str(),
        tool: reading.tool.clone(),
        tool_version: reading.tool_version.clone(),
        started_at: reading.started_at.into(),
        ended_at: reading.ended_at.into(),
        passes: reading.passes,
        capacity_bytes: reading.capacity_bytes,
        bytes_erased: reading.bytes_erased,
        errors: reading.errors,
        verification: reading.verification.as_str(),
        outcome: reading.outcome.as_str(),
        host: reading.host.clone(),
        source: reading.source.as_str(),
        operator: erasure.operator.clone(),
        witness: erasure.witness.as_ref().map(|(login, _)| login.clone()),
        recorded_at: erasure.recorded_at.into(),
        evidence_sha256: proving.map(|file| HEXLOWER.encode(&file.sha256)).collect(),
    }
}

fn drive(standing: &Standing<'_>, drives: &Drives, files: &[EvidenceFile]) -> DriveBody {
    let own = drives.erasures.iter().filter(|one| one.reading.drive == *standing.key);
    let gone = drives.declared.iter().filter(|one| one.absence.key == *standing.key);
    DriveBody {
        drive: standing.key.to_string(),
        model: standing.model.map(str::to_owned),
        medium: standing.medium.as_str(),
        last_seen: standing.seen.map(|seen| seen.last_seen.into()),
        erasures: own.map(|one| erasure(one, files)).collect(),
        absences: gone
            .map(|one| AbsenceBody {
                reason: one.reason.clone(),
                by: one.by.clone(),
                at: one.absence.declared_at.into(),
            })
            .collect(),
    }
}

/// The device, if the token's person may do `action` to it.
pub(super) async fn device_for(
    tx: &mut Tx,
    bearer: &BearerToken,
    id: Uuid,
    action: Action,
) -> Result<DeviceRow, Problem> {
    Problem::check(bearer.person.can(action, Object::OwnScope), "")?;
    let found = device::find(tx, &bearer.person.scope, DeviceId(id)).await?;
    let found = found.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(bearer.person.can(action, Object::OfSite(found.site)), UNKNOWN)?;
    Ok(found)
}

/// The erasures of a device's drives, and what is missing
///
/// All roles, within their sites.
#[utoipa::path(get, path = "/v1/devices/{id}/erasures", tag = "erasures",
    params(("id" = Uuid, Path, description = "The device")), responses((status = 200, body = ErasuresBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 404, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<ErasuresBody>, Problem> {
    let mut tx = app.store.read().await?;
    let device = device_for(&mut tx, &bearer, id, Action::SeeDevices).await?;
    let drives = erasure_gap::drives(&mut tx, &device).await?;
    let files = erasure_file::of_device(&mut tx, device.id).await?;
    let certificates = erasure_certificate::of_device(&mut tx, device.id).await?;
    let (proofs, absences) = (drives.proofs(), drives.absences());
    let standing = gap::standing(&drives.seen, &proofs, &absences);
    let missing = |demand| drives.gap(demand, &app.policy.erasure).iter().map(GapBody::from).collect();
    Ok(Json(ErasuresBody {
        drives: standing.iter().map(|one| drive(one, &drives, &files)).collect(),
        missing_to_relend: missing(Demand::Relend),
        missing_to_leave: missing(Demand::Leave),
        certificates: certificates.into_iter().map(|one| one.number).collect(),
    }))
}
