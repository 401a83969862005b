//! The few numbers of a day that the charts draw.

use cartable_common::report::{HealthReport, VolumeRole};

use super::{battery, drive};

/// The numbers of one report; what was not read is absent.
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
    pub fn of(report: &HealthReport) -> Self {
        let system = report.volumes.iter().find(|volume| volume.role == Some(VolumeRole::System));
        let room = system.and_then(|volume| {
            let (total, available) = (volume.total_bytes?.get(), volume.available_bytes?.get());
            i64::try_from((available * 100).checked_div(total)?.min(100)).ok()
        });
        let wear = report.drives.iter().filter_map(drive::wear).map(|wear| i64::from(wear.percent)).max();
        let battery = report.batteries.iter().filter_map(battery::health_percent);
        let sensors = report.temperatures.iter().filter_map(|temperature| temperature.celsius);
        let drives = report.drives.iter().filter_map(|drive| drive.temperature_celsius);
        Self {
            system_volume_available_percent: room,
            drive_wear_percent: wear,
            battery_health_percent: battery.map(|health| i64::from(health.percent.get())).min(),
            hottest_celsius: sensors.chain(drives).map(|celsius| i64::from(celsius.get())).max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartable_common::{
        Bytes, Celsius, MilliwattHours, Percent,
        report::{Battery, Drive, NvmeHealth, Temperature, Volume},
    };

    #[test]
    fn the_worst_of_each_kind() {
        let volume = |role, available| Volume {
            role: Some(role),
            total_bytes: Bytes::new(1_000),
            available_bytes: Bytes::new(available),
            ..Volume::default()
        };
        let drive = |used| Drive {
            nvme: Some(NvmeHealth { percentage_used_percent: Percent::new(used), ..NvmeHealth::default() }),
            temperature_celsius: Celsius::new(41),
            ..Drive::default()
        };
        let battery = |full| Battery {
            full_milliwatt_hours: MilliwattHours::new(full),
            design_milliwatt_hours: MilliwattHours::new(50_000),
            ..Battery::default()
        };
        let report = HealthReport {
            volumes: vec![volume(VolumeRole::Data, 1), volume(VolumeRole::System, 255)],
            drives: vec![drive(3), drive(9)],
            batteries: vec![battery(40_000), battery(30_000)],
            temperatures: vec![Temperature { celsius: Celsius::new(38), ..Temperature::default() }],
            ..HealthReport::default()
        };
        let figures = DailyFigures {
            system_volume_available_percent: Some(25),
            drive_wear_percent: Some(9),
            battery_health_percent: Some(60),
            hottest_celsius: Some(41),
        };
        assert_eq!(DailyFigures::of(&report), figures);
        assert_eq!(DailyFigures::of(&HealthReport::default()), DailyFigures::default());
    }
}
