//! The whole fleet as a list: which machines, in which collège, in the proportions of a real programme.

use super::{
    machine::Machine,
    programme::shares,
    random::Random,
    site::{SimulatedSite, sites},
};

/// All machines and sites of a simulated fleet.
#[derive(Clone, Debug)]
pub struct Roster {
    /// The collèges.
    pub sites: Vec<SimulatedSite>,
    /// The machines, schemes mixed so that the first hundred already look like the whole.
    pub machines: Vec<Machine>,
}

impl Roster {
    /// The fleet of `devices` machines that `seed` stands for.
    pub fn drawn(seed: u64, devices: usize) -> Self {
        let count = (devices / 80).clamp(4, 130);
        let mut programmes: Vec<_> =
            shares(devices).into_iter().flat_map(|(programme, share)| std::iter::repeat_n(programme, share)).collect();
        shuffle(&mut Random::of(seed, "order", 0), &mut programmes);
        let machines = (0..).zip(programmes).map(|(index, programme)| Machine::drawn(seed, index, programme, count));
        Self { sites: sites(seed, count), machines: machines.collect() }
    }
}

/// Fisher and Yates.
fn shuffle<T>(random: &mut Random, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, usize::try_from(random.below(last as u64 + 1)).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cartable_common::{UtcMillis, report::SelfAssessment};

    use super::*;
    use crate::simulator::condition::{Contact, Exchange};

    const EPOCH: i64 = 1_795_000_000_000;

    #[test]
    fn the_same_seed_makes_the_same_fleet_and_the_same_reports() {
        let now = UtcMillis::new(EPOCH + UtcMillis::DAY).unwrap();
        let epoch = UtcMillis::new(EPOCH).unwrap();
        let reports = |seed| -> Vec<_> {
            Roster::drawn(seed, 50).machines.iter().map(|machine| machine.report(now, epoch).content_hash()).collect()
        };
        assert_eq!(reports(1), reports(1));
        assert_ne!(reports(1), reports(2));
    }

    #[test]
    fn serial_numbers_are_unique_and_reports_keep_the_limits() {
        let epoch = UtcMillis::new(EPOCH).unwrap();
        let roster = Roster::drawn(3, 21_368);
        let serials: BTreeSet<_> = roster.machines.iter().map(|machine| machine.serial.as_str()).collect();
        assert_eq!(serials.len(), 21_368);
        for machine in roster.machines.iter().step_by(37) {
            for days in [-60, 0, 300] {
                let report = machine.report(epoch.plus_days(days), epoch);
                report.check().unwrap();
                assert!(report.hardware.serial_number.get().is_some(), "{}", machine.serial);
                let back: cartable_common::report::HealthReport =
                    serde_json::from_slice(&serde_json::to_vec(&report).unwrap()).unwrap();
                assert_eq!(back, report);
            }
        }
    }

    #[test]
    fn two_thousand_devices_hold_every_kind_of_trouble() {
        let epoch = UtcMillis::new(EPOCH).unwrap();
        let machines = Roster::drawn(1, 2_000).machines;
        let count = |wanted: &dyn Fn(&Machine) -> bool| machines.iter().filter(|machine| wanted(machine)).count();
        assert!((120..320).contains(&count(&|m| matches!(m.condition.contact, Contact::Silent(_)))));
        assert!((10..60).contains(&count(&|m| matches!(m.condition.contact, Contact::NeverEnrolled(_)))));
        assert!(count(&|m| m.condition.exchange == Exchange::Drive) > 2);
        assert!(count(&|m| m.condition.exchange == Exchange::Memory) > 4);
        assert!(count(&|m| m.condition.clock_off_millis.abs() > 60_000) > 5);
        assert!(count(&|m| m.condition.full_per_mille > 950) > 20);
        assert!(count(&|m| m.is_tablet()) > 200);
        assert!(
            machines.iter().all(|m| m.is_tablet() == (m.condition.contact == Contact::NoAgent)),
            "no agent on tablets"
        );
        let failed = |m: &Machine| {
            m.report(epoch, epoch).drives.iter().any(|drive| drive.self_assessment == Some(SelfAssessment::Failed))
        };
        assert!(count(&failed) > 2);
    }
}
