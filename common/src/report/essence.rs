//! What matters in a report, and the hash by which two reports are told to say the same.

use super::HealthReport;
use crate::{
    hash::ContentHash,
    units::{Bytes, Hours},
};

impl HealthReport {
    /// The hash of what matters in this report: two reports with the same hash need not both be sent.
    pub fn content_hash(&self) -> ContentHash {
        // Serialising plain structures with string keys to memory cannot fail; an empty hash would only cost a resend.
        ContentHash::of(&serde_json::to_vec(&self.essence()).unwrap_or_default())
    }

    /// What matters in this report.
    ///
    /// What moves all the time without meaning anything is left out or rounded: temperatures and uptime are dropped,
    /// free space is rounded down to 2 % of the volume, hours powered on to 100, power cycles to 50.
    #[must_use]
    pub fn essence(&self) -> Self {
        const FREE_SPACE_STEPS: u64 = 50;
        const HOUR_STEP: u32 = 100;
        const CYCLE_STEP: u64 = 50;
        let mut essence = self.clone();
        essence.temperatures.clear();
        essence.uptime_hours = None;
        for volume in &mut essence.volumes {
            let step = volume.total_bytes.map_or(1, |total| (total.get() / FREE_SPACE_STEPS).max(1));
            volume.available_bytes = volume.available_bytes.and_then(|free| Bytes::new(free.get() / step * step));
        }
        for drive in &mut essence.drives {
            drive.temperature_celsius = None;
            drive.power_on_hours = drive.power_on_hours.and_then(|h| Hours::new(h.get() / HOUR_STEP * HOUR_STEP));
            drive.power_cycles = drive.power_cycles.map(|cycles| cycles / CYCLE_STEP * CYCLE_STEP);
            drive.ata_attributes.retain(|attribute| !MOVING_ATTRIBUTES.contains(&attribute.id));
            if let Some(nvme) = &mut drive.nvme {
                nvme.unsafe_shutdowns = nvme.unsafe_shutdowns.map(|count| count / CYCLE_STEP * CYCLE_STEP);
            }
        }
        essence
    }
}

/// ATA attributes that move with every hour of use and say nothing about health by themselves: read error rates,
/// seek rates, hours, start counts, load cycles, temperatures, amounts written and read.
const MOVING_ATTRIBUTES: [u8; 16] = [1, 4, 7, 9, 12, 190, 191, 192, 193, 194, 195, 225, 240, 241, 242, 246];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::{Sensor, Temperature, Volume},
        units::Celsius,
    };

    fn report(free: u64) -> HealthReport {
        HealthReport {
            volumes: vec![Volume {
                total_bytes: Bytes::new(1_000),
                available_bytes: Bytes::new(free),
                ..Volume::default()
            }],
            ..HealthReport::default()
        }
    }

    #[test]
    fn small_movements_keep_the_content_hash_and_large_ones_change_it() {
        let mut warmer = report(500);
        warmer.uptime_hours = Hours::new(7);
        warmer.temperatures.push(Temperature { sensor: Some(Sensor::Processor), celsius: Celsius::new(61) });
        assert_eq!(report(500).content_hash(), warmer.content_hash());
        assert_eq!(report(500).content_hash(), report(509).content_hash());
        assert_ne!(report(500).content_hash(), report(400).content_hash());
    }
}
