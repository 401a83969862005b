//! How long the lists of a report may be.

use super::HealthReport;
use crate::limits;

/// A list in a report that is longer than its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the report lists {found} {what}; at most {limit} are accepted")]
pub struct TooMany {
    /// Which list.
    pub what: &'static str,
    /// How many it holds.
    pub found: usize,
    /// How many it may hold.
    pub limit: usize,
}

impl HealthReport {
    /// Checks the lengths of all lists against [`limits`].
    pub fn check(&self) -> Result<(), TooMany> {
        let lists = [
            ("volumes", self.volumes.len(), limits::MAX_VOLUMES),
            ("drives", self.drives.len(), limits::MAX_DRIVES),
            ("batteries", self.batteries.len(), limits::MAX_BATTERIES),
            ("temperatures", self.temperatures.len(), limits::MAX_TEMPERATURES),
            ("unread", self.unread.len(), limits::MAX_UNREAD),
        ];
        let attributes =
            self.drives.iter().map(|d| ("ata_attributes", d.ata_attributes.len(), limits::MAX_ATA_ATTRIBUTES));
        for (what, found, limit) in lists.into_iter().chain(attributes) {
            if found > limit {
                return Err(TooMany { what, found, limit });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Drive;

    #[test]
    fn a_list_past_its_limit_is_refused() {
        let crowded = HealthReport { drives: vec![Drive::default(); 17], ..HealthReport::default() };
        assert_eq!(crowded.check().unwrap_err().to_string(), "the report lists 17 drives; at most 16 are accepted");
    }
}
