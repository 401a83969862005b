//! The few numbers of a day that the charts draw.

use cartable_common::report::HealthReport;

/// The numbers of one report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DailyFigures {
    /// Room left on the system volume.
    pub system_volume_available_percent: Option<i64>,
    /// Wear of the most worn drive.
    pub drive_wear_percent: Option<i64>,
    /// What the weakest battery still holds.
    pub battery_health_percent: Option<i64>,
    /// The hottest sensor.
    pub hottest_celsius: Option<i64>,
}

impl DailyFigures {
    /// The numbers of `report`.
    #[must_use]
    pub fn of(_report: &HealthReport) -> Self {
        Self::default()
    }
}
