//! Recording erasures: files of tools, what a person enters, its witness, a drive that is gone. Each act judges the device
//! anew in its unit of work; the caller writes the audit row.

use std::collections::BTreeSet;

use cartable_common::{DeviceId, UtcMillis};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    device::{self, DeviceRow},
    erasure, erasure_elsewhere, erasure_file, erasure_gap, review,
};
use crate::domain::{
    erasure::{
        DriveKey, Medium, Reading, Source,
        evidence::File,
        gap::SeenDrive,
        hand::{MIN_ABSENCE_CHARS, may_witness},
    },
    policy::Policy,
};

/// Longest name of a file that is kept, in characters.
const MAX_NAME_CHARS: usize = 200;

/// What is done with evidence of a drive that the device was never seen with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strangers {
    /// It is left out: a bench erases the drives of several devices in one run.
    LeftOut,
    /// It is recorded: the person says that the drive was in this device.
    Taken,
}

/// Why nothing was recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No drive of the files is one of the device.
    #[error("no drive of these files was ever seen in this device; the files have {}", list(.0))]
    OtherDrives(Vec<DriveKey>),
    /// The drive is another device's.
    #[error("the drive {drive} is known as one of {device}: one erased drive proves one device")]
    OtherDevice {
        /// Which drive.
        drive: DriveKey,
        /// The other device.
        device: String,
    },
    /// It was brought before.
    #[error("what these files say is recorded for this device already")]
    Known,
    /// There is no such record.
    #[error("there is no such erasure of this device")]
    NoSuchErasure,
    /// It was not entered by hand, and its drive was seen in the device.
    #[error("only what was entered by hand, or is of a drive that was never seen in the device, needs a witness")]
    NeedsNone,
    /// The witness is the operator.
    #[error("the witness is another person than the one who entered it, with an account of their own")]
    OwnWitness,
    /// It has one.
    #[error("somebody has confirmed it already")]
    Witnessed,
    /// The drive that is declared absent is none of the device.
    #[error("no such drive was ever seen in this device or recorded of it; its drives are {}", list(.0))]
    UnknownDrive(Vec<DriveKey>),
    /// It is declared absent without a reason that says something.
    #[error("say where the drive is, in at least {MIN_ABSENCE_CHARS} characters")]
    ShortReason,
}

impl Refused {
    /// Every code.
    pub const CODES: [&'static str; 9] = [
        "other_drives",
        "other_device",
        "known",
        "no_such_erasure",
        "needs_none",
        "own_witness",
        "witnessed",
        "unknown_drive",
        "short_reason",
    ];

    /// A word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherDrives(_) => "other_drives",
            Self::OtherDevice { .. } => "other_device",
            Self::Known => "known",
            Self::NoSuchErasure => "no_such_erasure",
            Self::NeedsNone => "needs_none",
            Self::OwnWitness => "own_witness",
            Self::Witnessed => "witnessed",
            Self::UnknownDrive(_) => "unknown_drive",
            Self::ShortReason => "short_reason",
        }
    }
}

fn list(drives: &[DriveKey]) -> String {
    drives.iter().map(DriveKey::as_str).collect::<Vec<_>>().join(", ")
}

/// An error of the store, or a refusal.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// Nothing was recorded, for a reason that people can see to.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who records, when, and by which policy devices are judged.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// The login.
    pub login: &'a str,
    /// Now.
    pub now: UtcMillis,
    /// The policy.
    pub policy: &'a Policy,
}

/// Records what files say of the drives of `device`. The details for the audit name drives and hashes, no person.
pub async fn enter_files(
    tx: &mut Tx,
    device: &DeviceRow,
    readings: &[Reading],
    files: &[File<'_>],
    strangers: Strangers,
    by: By<'_>,
) -> Result<Value, EntryError> {
    // Two that bring the same file at once: the second finds what the first recorded.
    device::lock(tx, [device.id.0]).await?;
    let seen = erasure_gap::seen_of(tx, device).await?;
    let is_own = |reading: &&Reading| seen.iter().any(|drive| drive.key == reading.drive);
    let own: Vec<&Reading> = match strangers {
        Strangers::LeftOut => readings.iter().filter(is_own).collect(),
        Strangers::Taken => readings.iter().collect(),
    };
    if own.is_empty() {
        return Err(Refused::OtherDrives(readings.iter().map(|reading| reading.drive.clone()).collect()).into());
    }
    // The same files again say nothing new, unless their times are read by another clock or a certificate came with them.
    let before = erasure::of_device(tx, device.id).await?;
    let is_known = |reading: &&Reading| before.iter().any(|one| one.reading.is_the_same(reading));
    let own: Vec<&Reading> = own.into_iter().filter(|reading| !is_known(reading)).collect();
    if own.is_empty() {
        return Err(Refused::Known.into());
    }
    let own = of_this_device(tx, device, &seen, own).await?;
    let hashes: Vec<[u8; 32]> = files.iter().map(|file| Sha256::digest(file.bytes).into()).collect();
    let mut recorded = Vec::new();
    for (reading, medium) in &own {
        recorded.push(erasure::insert(tx, device.id, reading, *medium, (by.login, by.now)).await?);
    }
    for (file, sha256) in files.iter().zip(&hashes) {
        let name: String = file.name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
        let name = if name.is_empty() { "file" } else { &name };
        erasure_file::keep(tx, device.id, (name, sha256, file.bytes), &recorded, (by.login, by.now)).await?;
    }
    judge(tx, device.id, by).await?;
    let told = |word: fn(&Reading) -> &str| own.iter().map(|(reading, _)| word(reading)).collect::<Vec<_>>();
    let hex: Vec<String> = hashes.iter().map(|hash| data_encoding::HEXLOWER.encode(hash)).collect();
    Ok(json!({
        "drive": told(|reading| reading.drive.as_str()), "method": told(|reading| reading.method.as_str()),
        "outcome": told(|reading| reading.outcome.as_str()), "files_sha256": hex,
    }))
}

/// Records what a person enters; it proves nothing before [`witness`].
pub async fn enter_by_hand(
    tx: &mut Tx,
    device: &DeviceRow,
    reading: &Reading,
    by: By<'_>,
) -> Result<(Uuid, Value), EntryError> {
    let seen = erasure_gap::seen_of(tx, device).await?;
    let medium = medium_of(tx, device, &seen, &reading.drive).await?;
    let id = erasure::insert(tx, device.id, reading, medium, (by.login, by.now)).await?;
    judge(tx, device.id, by).await?;
    Ok((id, json!({ "erasure": id, "drive": reading.drive.as_str(), "method": reading.method.as_str() })))
}

/// Writes down that the person who asks saw what somebody else entered by hand; or that a drive of which a tool's file was
/// brought was in the device, though no report ever showed it there.
pub async fn witness(tx: &mut Tx, device: &DeviceRow, id: Uuid, by: By<'_>) -> Result<Value, EntryError> {
    let found = erasure::find(tx, device.id, id).await?.ok_or(Refused::NoSuchErasure)?;
    let seen = erasure_gap::seen_of(tx, device).await?;
    if found.reading.source != Source::Hand && seen.iter().any(|drive| drive.key == found.reading.drive) {
        return Err(Refused::NeedsNone.into());
    }
    if !may_witness(&found.operator, by.login) {
        return Err(Refused::OwnWitness.into());
    }
    if !erasure::set_witness(tx, id, by.login, by.now).await? {
        return Err(Refused::Witnessed.into());
    }
    judge(tx, device.id, by).await?;
    Ok(json!({ "erasure": id, "drive": found.reading.drive.as_str() }))
}

/// Writes down that a drive is not in the device any more, and why. Where no drive of the device is known, it says that
/// there is none.
pub async fn declare_absent(
    tx: &mut Tx,
    device: &DeviceRow,
    drive: &DriveKey,
    reason: &str,
    by: By<'_>,
) -> Result<Value, EntryError> {
    if reason.trim().chars().count() < MIN_ABSENCE_CHARS {
        return Err(Refused::ShortReason.into());
    }
    let seen = erasure_gap::seen_of(tx, device).await?.into_iter().map(|one| one.key);
    let recorded = erasure::of_device(tx, device.id).await?.into_iter().map(|one| one.reading.drive);
    let known: BTreeSet<DriveKey> = seen.chain(recorded).collect();
    if !known.is_empty() && !known.contains(drive) {
        return Err(Refused::UnknownDrive(known.into_iter().collect()).into());
    }
    erasure::declare_absent(tx, device.id, drive, reason, (by.login, by.now)).await?;
    judge(tx, device.id, by).await?;
    Ok(json!({ "drive": drive.as_str(), "reason": reason }))
}

async fn judge(tx: &mut Tx, device: DeviceId, by: By<'_>) -> Result<(), StoreError> {
    review::device(tx, device, by.policy, by.now).await
}

/// Those whose drive is not known as another device's, each with its medium; an error where there is none.
async fn of_this_device<'r>(
    tx: &mut Tx,
    device: &DeviceRow,
    seen: &[SeenDrive],
    readings: Vec<&'r Reading>,
) -> Result<Vec<(&'r Reading, Medium)>, EntryError> {
    let mut own = Vec::new();
    let mut refused = None;
    for reading in readings {
        match medium_of(tx, device, seen, &reading.drive).await {
            Ok(medium) => own.push((reading, medium)),
            Err(EntryError::Refused(other)) => refused = Some(other),
            Err(error @ EntryError::Store(_)) => return Err(error),
        }
    }
    match refused.filter(|_| own.is_empty()) {
        Some(refused) => Err(refused.into()),
        None => Ok(own),
    }
}

/// What a drive keeps its data on, as strictly as any device knows it. One that this device never showed and another is
/// known to have is refused; one that it showed was put into it.
async fn medium_of(
    tx: &mut Tx,
    device: &DeviceRow,
    seen: &[SeenDrive],
    drive: &DriveKey,
) -> Result<Medium, EntryError> {
    let own: Vec<Medium> = seen.iter().filter(|one| one.key == *drive).map(|one| one.medium).collect();
    let others = erasure_elsewhere::of_drive(tx, device.id, drive).await?;
    if let Some(other) = others.first().filter(|_| own.is_empty()) {
        return Err(Refused::OtherDevice { drive: drive.clone(), device: other.device.clone() }.into());
    }
    let known = own.into_iter().chain(others.into_iter().map(|other| other.medium));
    Ok(known.fold(Medium::Unknown, Medium::stricter))
}
