//! A server that was restored from a backup: which devices that its database has forgotten come in again.
//!
//! What was enrolled after the backup has a certificate of our own device authority, for a key that nobody remembers. To a
//! server that was never restored such a certificate is a sign that the authority's key was stolen, and stays refused. Once an
//! operator has said from when to when the database has forgotten, those issued in that time are let in again by themselves
//! for some days; after these, a person decides about those whose device is known. Of what else was forgotten (a revocation,
//! a donation, a spent token) nothing tells.

use cartable_common::UtcMillis;
use serde::{Deserialize, Serialize};

use super::{device::DeviceStatus, lease, paris};

/// Days for which forgotten devices come in by themselves, unless the operator says otherwise: a laptop that is used comes
/// within them.
pub const DEFAULT_DAYS: u16 = 30;
/// Most of them: longer than a certificate lasts, none is left to come.
pub const MOST_DAYS: u16 = 180;

const MINUTE_MILLIS: i64 = 60_000;

/// What an operator said of a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When the backup was taken.
    pub backup_at: UtcMillis,
    /// When the server was restored from it.
    pub restored_at: UtcMillis,
    /// Until when forgotten devices come in by themselves.
    pub until: UtcMillis,
}

/// A restore that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRestore {
    /// A backup of the future.
    #[error("the backup was taken before now: give the moment as 2026-11-20T03:00, in Paris")]
    Future,
    /// A backup of what was not there yet.
    #[error(
        "the first thing that this database remembers is of {}, in Paris: the backup from which it was restored was not taken \
         before that", paris::written(*.0)
    )]
    TooOld(UtcMillis),
    /// Too long, or not at all.
    #[error("forgotten devices come in by themselves for 1 to {MOST_DAYS} days")]
    Days,
}

impl Restored {
    /// A restore at `now`, whose forgotten devices come in by themselves for so many days; `first` is the first moment that
    /// the database remembers, if it remembers one. Operators write minutes: its own counts.
    pub fn new(
        backup_at: UtcMillis,
        first: Option<UtcMillis>,
        now: UtcMillis,
        days: u16,
    ) -> Result<Self, InvalidRestore> {
        if backup_at >= now {
            return Err(InvalidRestore::Future);
        }
        if let Some(first) = first.filter(|first| backup_at.get() < first.get() - first.get() % MINUTE_MILLIS) {
            return Err(InvalidRestore::TooOld(first));
        }
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(InvalidRestore::Days);
        }
        // As certificates count.
        Ok(Self { backup_at: lease::whole_seconds(backup_at), restored_at: now, until: now.plus_days(i64::from(days)) })
    }

    fn has_forgotten(&self, issued_at: UtcMillis) -> bool {
        (self.backup_at..=self.restored_at).contains(&issued_at)
    }
}

/// What becomes of a certificate of ours whose key nobody remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Its holder is let in again.
    ByItself,
    /// A person decides.
    Waits,
    /// It is refused.
    Refused,
}

/// Decides about a certificate that began at `not_before`. `device` is where the device that it names stands, if it is known.
#[must_use]
pub fn admission(
    restored: Option<&Restored>,
    not_before: UtcMillis,
    device: Option<DeviceStatus>,
    now: UtcMillis,
) -> Admission {
    let Some(restored) = restored.filter(|restored| restored.has_forgotten(lease::issued_at(not_before))) else {
        return Admission::Refused;
    };
    match device {
        // What the database does remember of a device stands.
        Some(DeviceStatus::Revoked | DeviceStatus::Released) => Admission::Refused,
        _ if now < restored.until => Admission::ByItself,
        Some(DeviceStatus::Pending | DeviceStatus::Active | DeviceStatus::Quarantined) => Admission::Waits,
        None => Admission::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i64) -> UtcMillis {
        UtcMillis::default().plus_days(1000 + number)
    }

    /// The beginning of a certificate issued on that day.
    fn issued(number: i64) -> UtcMillis {
        day(number).plus_millis(-60 * 60 * 1000)
    }

    #[test]
    fn only_what_was_issued_between_backup_and_restore_comes_in_and_only_for_some_days() {
        let restored = Restored::new(day(0), None, day(10), 30).unwrap();
        let judged = |issued_on, device, now| admission(Some(&restored), issued(issued_on), device, day(now));
        for device in [None, Some(DeviceStatus::Active), Some(DeviceStatus::Quarantined), Some(DeviceStatus::Pending)] {
            assert_eq!(judged(5, device, 11), Admission::ByItself, "{device:?}");
            assert_eq!(judged(-1, device, 11), Admission::Refused, "before the backup: {device:?}");
            assert_eq!(judged(11, device, 12), Admission::Refused, "after the restore: {device:?}");
            assert_eq!(admission(None, issued(5), device, day(11)), Admission::Refused, "never restored: {device:?}");
        }
        assert_eq!(judged(5, Some(DeviceStatus::Active), 40), Admission::Waits);
        assert_eq!(judged(5, None, 40), Admission::Refused);
    }

    #[test]
    fn what_is_remembered_of_a_device_stands() {
        let restored = Restored::new(day(0), None, day(10), 30).unwrap();
        for gone in [DeviceStatus::Revoked, DeviceStatus::Released] {
            assert_eq!(admission(Some(&restored), issued(5), Some(gone), day(11)), Admission::Refused);
        }
    }

    #[test]
    fn a_restore_that_cannot_be_is_refused() {
        assert_eq!(Restored::new(day(1), None, day(1), 30), Err(InvalidRestore::Future));
        for days in [0, MOST_DAYS + 1] {
            assert_eq!(Restored::new(day(0), None, day(1), days), Err(InvalidRestore::Days));
        }
        let first = day(1).plus_millis(59_999);
        assert!(Restored::new(day(1), Some(first), day(2), 30).is_ok(), "in the minute of the first record");
        let before = day(1).plus_millis(-1);
        assert_eq!(Restored::new(before, Some(first), day(2), 30), Err(InvalidRestore::TooOld(first)));
    }
}
