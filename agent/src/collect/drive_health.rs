//! Asks drives about their health, each for itself, and puts what one said into a report of the same machine.

use cartable_common::{
    report::{Drive, HealthReport, Subject, Unread, UnreadReason},
    smartctl::{merge, tells_health},
};
use serde::{Deserialize, Serialize};

use super::{Found, Sources, smartctl, unread};

/// What one drive answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriveAnswer {
    /// Its place among the drives of the report.
    pub place: usize,
    /// The drive as its system sees it.
    pub seen: Drive,
    /// The drive with what it said; absent where it said nothing.
    pub said: Option<Drive>,
    /// What it did not say, and why.
    pub missing: Option<Unread>,
}

impl DriveAnswer {
    /// Whether the drive slept, and was left asleep.
    pub fn is_asleep(&self) -> bool {
        let reason = self.missing.as_ref().and_then(|missing| missing.reason);
        self.said.is_none() && reason == Some(UnreadReason::Asleep)
    }
}

/// Asks the drives in these places of what was found. A place without a drive is passed over.
pub(crate) async fn ask_drives(sources: &Sources, found: &Found, places: &[usize]) -> Vec<DriveAnswer> {
    let mut answers = Vec::with_capacity(places.len());
    for &place in places {
        let (drive, name) = (found.report.drives.get(place), found.drive_names.get(place));
        let (Some(seen), Some(name)) = (drive, name) else { continue };
        let (said, missing) = match smartctl::ask(sources, name).await {
            Ok(answer) => {
                let mut said = seen.clone();
                merge(&mut said, &answer);
                let words = "the drive tells nothing of its health";
                let missing =
                    (!tells_health(&said)).then(|| unread(Subject::DriveHealth, UnreadReason::NotPresent, words));
                (Some(said), missing)
            }
            Err(missing) => (None, Some(missing)),
        };
        answers.push(DriveAnswer { place, seen: seen.clone(), said, missing });
    }
    answers
}

/// Puts what the drive in this place said, or why it said nothing, into `report`, which may be younger than its words.
pub(crate) fn tell(report: &mut HealthReport, place: usize, said: Option<&Drive>, missing: Option<&Unread>) {
    let Some(drive) = report.drives.get_mut(place) else { return };
    if let Some(said) = said {
        // An eMMC's wear is the kernel's word, which is the younger one.
        *drive = Drive { emmc: drive.emmc.take(), ..said.clone() };
    }
    // The kernel already told all that an eMMC knows of its wear, or Windows what the drive says of itself.
    if let Some(missing) = missing.filter(|_| drive.emmc.is_none() && !tells_health(drive)) {
        report.unread.push(missing.clone());
    }
}
