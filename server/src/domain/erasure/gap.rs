//! The gate: what is missing before the drives of a device may leave, or be lent again.
//!
//! Every drive that a report ever showed in the device, or that evidence names, must be erased to the level that is asked
//! for, or be declared absent with a reason. One record that holds is enough for a drive; any number of records that do
//! not hold is worth nothing. Where no drive is known, nothing is proven.

use std::collections::{BTreeMap, BTreeSet};

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{DriveKey, Level, Medium, Method, Outcome, Source, Verification};
use crate::domain::{paris, policy::ErasurePolicy, verdict::text_enum};

/// Days after which moments of contact are known to the day only (`store::retention`).
pub const EXACT_DAYS: i64 = 30;

text_enum! {
    /// What is to happen to the device.
    pub enum Demand {
        /// It is lent again: the drives stay in the house.
        Relend = "relend",
        /// It leaves: given, sold, recycled.
        Leave = "leave",
    }
}

/// A drive that a device was seen with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenDrive {
    /// Which.
    pub key: DriveKey,
    /// Its model.
    pub model: Option<String>,
    /// What it keeps its data on, as the device said.
    pub medium: Medium,
    /// Its size in bytes.
    pub capacity_bytes: Option<u64>,
    /// The last moment at which it is known to have been in use; rounded down to the day after [`EXACT_DAYS`].
    pub last_seen: UtcMillis,
}

impl SeenDrive {
    /// Two sightings of one drive as one: used last at the later of them, and of the stricter medium and size.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            key: self.key,
            model: self.model.or(other.model),
            medium: self.medium.stricter(other.medium),
            capacity_bytes: self.capacity_bytes.max(other.capacity_bytes),
            last_seen: self.last_seen.max(other.last_seen),
        }
    }
}

/// What is recorded of an erasure, as far as the gate asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The record.
    pub id: Uuid,
    /// Which drive.
    pub key: DriveKey,
    /// Its model.
    pub model: Option<String>,
    /// What the tool tells of its medium.
    pub medium: Medium,
    /// What was done.
    pub method: Method,
    /// How it ended.
    pub outcome: Outcome,
    /// How it was looked at.
    pub verification: Verification,
    /// How many errors.
    pub errors: u64,
    /// The drive's size, and how much of it was erased, where both are counted.
    pub capacity_bytes: Option<u64>,
    /// Bytes erased.
    pub bytes_erased: Option<u64>,
    /// When it ended.
    pub ended_at: UtcMillis,
    /// When it was recorded.
    pub recorded_at: UtcMillis,
    /// Where it comes from.
    pub source: Source,
    /// Whether a second person has seen it.
    pub witnessed: bool,
    /// Whether the drive is known to have been used afterwards.
    pub used_again: bool,
}

/// A drive that is not in the device any more, as a person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Which.
    pub key: DriveKey,
    /// Since when, at the latest: the moment of the declaration.
    pub declared_at: UtcMillis,
    /// Whether the drive is known to have been seen in the device afterwards.
    pub seen_again: bool,
}

/// The last time that a borrower had the device: a use of the drives in it, whether an agent tells of it or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lent {
    /// When the loan ended; none while it runs.
    pub until: Option<UtcMillis>,
    /// The drives that the current report shows; none where no report shows any: then it may have been each one.
    pub drives: Option<BTreeSet<DriveKey>>,
}

impl Lent {
    /// Marks what the loan has overtaken. A drive that an earlier report showed and the current one does not was taken out;
    /// of a device without reports, a drive that was only declared absent was never in it.
    pub fn mark(&self, seen: &[SeenDrive], proofs: &mut [Proof], absences: &mut [Absence]) {
        let known: BTreeSet<DriveKey> =
            seen.iter().map(|drive| &drive.key).chain(proofs.iter().map(|proof| &proof.key)).cloned().collect();
        let used = self.drives.as_ref().unwrap_or(&known);
        for proof in proofs.iter_mut().filter(|proof| used.contains(&proof.key)) {
            proof.used_again |= !self.until.is_some_and(|back| since(proof, back));
        }
        for absence in absences.iter_mut().filter(|absence| used.contains(&absence.key)) {
            absence.seen_again |= self.until.is_none_or(|back| absence.declared_at < back);
        }
    }
}

/// Whether the erasure ended when the device was back. What is entered by hand is known to the day.
fn since(proof: &Proof, back: UtcMillis) -> bool {
    proof.ended_at >= back || (proof.source == Source::Hand && paris::date(proof.ended_at) == paris::date(back))
}

text_enum! {
    /// Why a drive is not proven erased; of several records, that of the one which comes nearest. In the order of their
    /// distance from a proof.
    pub enum Why {
        /// Nothing is recorded.
        NothingRecorded = "nothing_recorded",
        /// The erasure failed or was broken off.
        Failed = "failed",
        /// It did not reach the whole drive, or had not ended.
        Incomplete = "incomplete",
        /// There were errors.
        Errors = "errors",
        /// The result was not looked at.
        Unverified = "unverified",
        /// It was entered by hand, or the drive was never seen in the device, and nobody else has confirmed it.
        Unwitnessed = "unwitnessed",
        /// The level is not enough for this medium and this demand.
        LevelTooLow = "level_too_low",
        /// The drive was in use afterwards.
        UsedSince = "used_since",
        /// It was declared absent, and was seen afterwards.
        SeenAgain = "seen_again",
        /// No drive of the device is known at all, and none is recorded.
        NoDriveKnown = "no_drive_known",
    }
}

/// A drive that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Which; none where no drive of the device is known.
    pub key: Option<DriveKey>,
    /// Its model.
    pub model: Option<String>,
    /// Why.
    pub why: Why,
    /// The level that is asked for.
    pub asked: Level,
    /// The record that comes nearest.
    pub record: Option<Uuid>,
}

/// A drive of a device with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing<'a> {
    /// Which.
    pub key: &'a DriveKey,
    /// Its model.
    pub model: Option<&'a str>,
    /// What it keeps its data on, as far as it is known.
    pub medium: Medium,
    /// As it was seen.
    pub seen: Option<&'a SeenDrive>,
    /// What is recorded.
    pub proofs: Vec<&'a Proof>,
    /// The newest declaration that it is gone.
    pub absence: Option<&'a Absence>,
}

/// The level that `demand` asks for on that medium.
#[must_use]
pub const fn asked(demand: Demand, medium: Medium, policy: &ErasurePolicy) -> Level {
    match (demand, medium) {
        (Demand::Relend, _) => Level::Clear,
        (Demand::Leave, Medium::Rotating) if policy.rotating_clear_leaves => Level::Clear,
        (Demand::Leave, Medium::Rotating | Medium::Flash | Medium::Emmc | Medium::Unknown) => Level::Purge,
    }
}

/// The drives of a device by their names, as they are gathered.
type Gathered<'a> = BTreeMap<&'a DriveKey, Standing<'a>>;

fn entry<'m, 'a>(drives: &'m mut Gathered<'a>, key: &'a DriveKey) -> &'m mut Standing<'a> {
    let empty = Standing { key, model: None, medium: Medium::Unknown, seen: None, proofs: vec![], absence: None };
    drives.entry(key).or_insert(empty)
}

/// Every drive that was seen or is recorded, by its name. The order of what is handed in means nothing.
#[must_use]
pub fn standing<'a>(seen: &'a [SeenDrive], proofs: &'a [Proof], absences: &'a [Absence]) -> Vec<Standing<'a>> {
    let mut drives = Gathered::new();
    for drive in seen {
        let known = entry(&mut drives, &drive.key);
        known.model = known.model.or(drive.model.as_deref());
        known.medium = known.medium.stricter(drive.medium);
        if known.seen.is_none_or(|other| other.last_seen < drive.last_seen) {
            known.seen = Some(drive);
        }
    }
    for proof in proofs {
        let known = entry(&mut drives, &proof.key);
        known.model = known.model.or(proof.model.as_deref());
        known.medium = known.medium.stricter(proof.medium);
        known.proofs.push(proof);
    }
    for absence in absences {
        let known = entry(&mut drives, &absence.key);
        if known.absence.is_none_or(|other| other.declared_at < absence.declared_at) {
            known.absence = Some(absence);
        }
    }
    drives.into_values().collect()
}

/// What is missing before a device with these drives may do what `demand` says; empty where nothing is.
#[must_use]
pub fn gap(
    seen: &[SeenDrive],
    proofs: &[Proof],
    absences: &[Absence],
    demand: Demand,
    policy: &ErasurePolicy,
) -> Vec<Gap> {
    let drives = standing(seen, proofs, absences);
    if drives.is_empty() {
        let why = Why::NoDriveKnown;
        return vec![Gap { key: None, model: None, why, asked: asked(demand, Medium::Unknown, policy), record: None }];
    }
    drives.iter().filter_map(|drive| drive.gap(demand, policy)).collect()
}

/// What the last borrower may have left, on a device that came back at `back`: what [`gap`] misses before it is lent
/// again, but for what staff do with a drive once they have erased it, installing it anew first of all. What ended before
/// `back` the caller has marked ([`Lent::mark`]).
#[must_use]
pub fn left_behind(
    seen: &[SeenDrive],
    proofs: &[Proof],
    absences: &[Absence],
    back: UtcMillis,
    policy: &ErasurePolicy,
) -> Vec<Gap> {
    let seen: Vec<SeenDrive> = seen
        .iter()
        .map(|drive| {
            let own = proofs.iter().filter(|proof| proof.key == drive.key && since(proof, back));
            let erased = own.map(|proof| proof.ended_at);
            let last_seen = erased.min().map_or(drive.last_seen, |erased| drive.last_seen.min(erased));
            SeenDrive { last_seen, ..drive.clone() }
        })
        .collect();
    let proofs: Vec<Proof> = proofs
        .iter()
        .map(|proof| Proof { used_again: proof.used_again && !since(proof, back), ..proof.clone() })
        .collect();
    gap(&seen, &proofs, absences, Demand::Relend, policy)
}

impl Standing<'_> {
    /// What is missing for this drive; none where it is erased as asked, or gone.
    #[must_use]
    pub fn gap(&self, demand: Demand, policy: &ErasurePolicy) -> Option<Gap> {
        let level = asked(demand, self.medium, policy);
        let gap = |why, record| {
            Some(Gap { key: Some(self.key.clone()), model: self.model.map(str::to_owned), why, asked: level, record })
        };
        let held = self.proofs.iter().map(|proof| (self.against(proof, level), proof));
        // None is less than any reason: a record that holds comes first.
        match held.min_by_key(|(why, proof)| (why.map(|why| std::cmp::Reverse(why as u8)), proof.id)) {
            Some((None, _)) => return None,
            Some((Some(why), proof)) if self.absence.is_none() => return gap(why, Some(proof.id)),
            Some(_) | None => {}
        }
        let Some(absence) = self.absence else { return gap(Why::NothingRecorded, None) };
        let seen = |seen: &SeenDrive| later(seen.last_seen, absence.declared_at, absence.declared_at);
        if absence.seen_again || self.seen.is_some_and(seen) { gap(Why::SeenAgain, None) } else { None }
    }

    /// The record that proves the drive erased as asked, if one does.
    #[must_use]
    pub fn proof(&self, demand: Demand, policy: &ErasurePolicy) -> Option<&Proof> {
        let level = asked(demand, self.medium, policy);
        self.proofs
            .iter()
            .copied()
            .filter(|proof| self.against(proof, level).is_none())
            .max_by_key(|proof| proof.ended_at)
    }

    /// What speaks against a record.
    fn against(&self, proof: &Proof, asked: Level) -> Option<Why> {
        let by_hand = proof.source == Source::Hand;
        let short = match (proof.bytes_erased, proof.capacity_bytes, self.seen.and_then(|seen| seen.capacity_bytes)) {
            (Some(erased), Some(capacity), _) if erased < capacity => true,
            // The device knew the drive as a larger one: something of it was hidden from the tool.
            (Some(erased), _, Some(known)) => erased < known,
            _ => false,
        };
        let used = |seen: &SeenDrive| later(seen.last_seen, proof.ended_at, proof.recorded_at);
        let wrong = [
            (matches!(proof.outcome, Outcome::Failed | Outcome::Aborted), Why::Failed),
            (proof.outcome == Outcome::Incomplete || short, Why::Incomplete),
            (proof.errors > 0, Why::Errors),
            (!by_hand && proof.verification == Verification::None, Why::Unverified),
            // Nothing but a person says that a drive which no report showed was in the device.
            ((by_hand || self.seen.is_none()) && !proof.witnessed, Why::Unwitnessed),
            (proof.method.level(self.medium) < asked, Why::LevelTooLow),
            (proof.used_again || self.seen.is_some_and(used), Why::UsedSince),
        ];
        wrong.into_iter().find(|(is, _)| *is).map(|(_, why)| why)
    }
}

/// Whether a drive was seen after `moment`. What is known to the day only counts as later on the same day, unless the
/// record was made while it was still known exactly: then `used_again` tells.
fn later(seen: UtcMillis, moment: UtcMillis, recorded: UtcMillis) -> bool {
    let rounded = seen.get() % UtcMillis::DAY == 0;
    let same_day = seen.day_number() == moment.day_number();
    if rounded && same_day {
        return recorded.millis_since(seen) >= EXACT_DAYS * UtcMillis::DAY;
    }
    seen > moment
}
