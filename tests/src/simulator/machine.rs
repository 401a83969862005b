//! One simulated machine: what it is, and the report its agent would make at any moment.
//!
//! A report depends on the machine and the moment alone, so a fleet that is started again goes on where it was.

use cartable_common::{
    Bytes, Celsius, Hours, MilliampHours, MilliwattHours, SerialNumber, SystemUuid, Text, UtcMillis,
    report::{
        Battery, Chassis, DriveKind, Firmware, Hardware, HealthReport, KeyProtection, Memory, OperatingSystem,
        OsFamily, Processor, Sensor, Subject, Switch, Temperature, Unread, UnreadReason, Volume, VolumeRole,
    },
};

use super::{
    catalogue::{Counts, Model, System, models},
    condition::{Condition, DriveCondition, Exchange},
    drive::SimulatedDrive,
    programme::Programme,
    random::Random,
};

/// One machine of the fleet.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its place in the fleet.
    pub index: u64,
    /// The scheme it belongs to.
    pub programme: Programme,
    /// The place of its collège in the list of sites.
    pub site: usize,
    /// What it is.
    pub model: Model,
    /// What it runs.
    pub system: System,
    /// Its serial number.
    pub serial: String,
    /// Its system UUID.
    pub uuid: uuid::Uuid,
    /// The number on the sticker that the département put on it.
    pub asset_tag: String,
    /// Its memory when the fleet began, in GiB.
    pub memory_gib: u64,
    /// Its drive before the fleet began.
    pub drive: SimulatedDrive,
    /// Its drive since, where it was exchanged.
    pub new_drive: Option<SimulatedDrive>,
    /// How many charge cycles its battery counts.
    pub cycles: u64,
    /// What is wrong with it.
    pub condition: Condition,
    seed: u64,
}

const GIB: u64 = 1 << 30;

impl Machine {
    /// The machine at `index` of the fleet of `seed`.
    pub fn drawn(seed: u64, index: u64, programme: Programme, sites: usize) -> Self {
        let mut random = Random::of(seed, "machine", index);
        let model = *random.pick_weighted(models(programme));
        let years = random.between(model.years.0, model.years.1);
        let drive_model = *random.pick(model.drives);
        let condition = Condition::drawn(&mut random, programme, &model, drive_model.kind, years);
        let drive = SimulatedDrive::drawn(&mut random, drive_model, condition.drive, years);
        let new_drive = (condition.exchange == Exchange::Drive)
            .then(|| SimulatedDrive::drawn(&mut random, drive_model, DriveCondition::Sound, 1));
        Self {
            index,
            programme,
            site: usize::try_from(random.below(sites as u64)).unwrap_or_default(),
            system: *random.pick_weighted(model.systems),
            serial: random.pattern(model.serial),
            uuid: random.uuid(),
            asset_tag: format!("CD96-{:06}", 100_000 + index),
            memory_gib: *random.pick_weighted(model.memory_gib),
            drive,
            new_drive,
            cycles: years * random.between(60, 160),
            condition,
            seed: random.draw(),
            model,
        }
    }

    /// Which machine it says it is.
    pub fn hardware(&self) -> Hardware {
        Hardware {
            manufacturer: Text::meaningful(self.model.maker),
            model: Text::meaningful(self.model.name),
            chassis: Some(self.model.chassis),
            serial_number: SerialNumber::parse(&self.serial).into(),
            system_uuid: SystemUuid::parse(&self.uuid.to_string()).into(),
        }
    }

    /// What its own clock shows at `now`.
    pub fn own_clock(&self, now: UtcMillis) -> UtcMillis {
        now.plus_millis(self.condition.clock_off_millis)
    }

    /// What its agent measures at `now` in a fleet that began at `epoch`.
    pub fn report(&self, now: UtcMillis, epoch: UtcMillis) -> HealthReport {
        let days = now.millis_since(epoch).div_euclid(UtcMillis::DAY);
        let began = now >= epoch;
        let mut random = Random::of(self.seed, "day", now.day_number().unsigned_abs());
        let drive = self.new_drive.as_ref().filter(|_| began).unwrap_or(&self.drive);
        let memory_gib =
            if began && self.condition.exchange == Exchange::Memory { self.memory_gib / 2 } else { self.memory_gib };
        let mut report = HealthReport {
            hardware: self.hardware(),
            processor: self.processor(),
            // Firmware and graphics keep a part to themselves.
            memory: Memory { total_bytes: Bytes::new(memory_gib * GIB - memory_gib * GIB / 23) },
            firmware: self.firmware(),
            operating_system: self.operating_system(&mut random),
            volumes: self.volumes(drive.model.bytes, days),
            drives: vec![drive.at(days)],
            batteries: self.battery(days).into_iter().collect(),
            temperatures: temperatures(&mut random),
            uptime_hours: Hours::new(u32::try_from(random.between(0, 30)).unwrap_or_default()),
            unread: Vec::new(),
        };
        self.leave_out_what_it_cannot_read(&mut report);
        report
    }

    fn processor(&self) -> Processor {
        let (name, cores, threads) = self.model.processor;
        Processor { model: Text::meaningful(name), cores: Some(cores), threads: Some(threads) }
    }

    fn firmware(&self) -> Firmware {
        let (vendor, version) = self.model.firmware;
        let secure = self.model.tpm == Some(2) && !self.seed.is_multiple_of(20);
        let bought = 2025_u64.saturating_sub(self.model.years.0);
        Firmware {
            vendor: Text::meaningful(vendor),
            version: Text::meaningful(version),
            date: Text::meaningful(&format!("{:02}/{:02}/{bought}", self.seed % 12 + 1, self.seed % 28 + 1)),
            secure_boot: Some(if secure { Switch::On } else { Switch::Off }),
            tpm_version: self.model.tpm,
            // As its agent says: the keys of a simulated fleet are in a file.
            key_protection: Some(KeyProtection::Software),
        }
    }

    fn operating_system(&self, random: &mut Random) -> OperatingSystem {
        let arm = self.model.processor.0.starts_with("Snapdragon");
        OperatingSystem {
            family: Some(self.system.family),
            name: Some(Text::clean(self.system.name)),
            version: Some(Text::clean(self.system.version)),
            build: Some(Text::clean(self.system.build)),
            architecture: Some(Text::clean(if arm { "aarch64" } else { "x86_64" })),
            reboot_pending: Some(random.happens(60)),
        }
    }

    fn volumes(&self, drive_bytes: u64, days: i64) -> Vec<Volume> {
        let windows = self.system.family == OsFamily::Windows;
        let total = drive_bytes - GIB - drive_bytes / 200;
        let filled = i64::try_from(self.condition.filling_per_mille).unwrap_or_default() * days / 100;
        let used = self.condition.full_per_mille.saturating_add_signed(filled).min(994);
        let encrypted = windows && !self.seed.is_multiple_of(9);
        let mut volumes = vec![Volume {
            role: Some(VolumeRole::System),
            file_system: Some(Text::clean(if windows { "ntfs" } else { "ext4" })),
            total_bytes: Bytes::new(total),
            available_bytes: Bytes::new(total / 1000 * (1000 - used)),
            encryption: Some(if encrypted { Switch::On } else { Switch::Off }),
        }];
        if !windows {
            volumes.push(Volume {
                role: Some(VolumeRole::Data),
                file_system: Some(Text::clean("vfat")),
                total_bytes: Bytes::new(GIB / 2),
                available_bytes: Bytes::new(GIB / 2 - 6_291_456),
                encryption: Some(Switch::Off),
            });
        }
        volumes
    }

    fn battery(&self, days: i64) -> Option<Battery> {
        let model = self.model.battery?;
        // About half a percent a month.
        let percent = self.condition.battery_percent.saturating_add_signed(-days / 60);
        let design = u64::from(model.design);
        let full = u32::try_from(design * percent / 100).ok();
        let energy = model.counts == Counts::Energy;
        Some(Battery {
            manufacturer: Text::meaningful(model.maker),
            model: Text::meaningful(model.name),
            design_milliwatt_hours: energy.then_some(model.design).and_then(MilliwattHours::new),
            full_milliwatt_hours: full.filter(|_| energy).and_then(MilliwattHours::new),
            design_milliamp_hours: (!energy).then_some(model.design).and_then(MilliampHours::new),
            full_milliamp_hours: full.filter(|_| !energy).and_then(MilliampHours::new),
            cycle_count: self.counts_cycles().then(|| u32::try_from(self.cycles).unwrap_or_default()),
            technology: Some(Text::clean("Li-ion")),
        })
    }

    fn leave_out_what_it_cannot_read(&self, report: &mut HealthReport) {
        let mut unread = |subject, reason| {
            report.unread.push(Unread { subject: Some(subject), reason: Some(reason), detail: None });
        };
        if self.model.battery.is_none() {
            unread(Subject::Batteries, UnreadReason::NotPresent);
        }
        if self.model.tpm.is_none() {
            unread(Subject::Tpm, UnreadReason::NotPresent);
        }
        if self.condition.drives_unread {
            unread(Subject::DriveHealth, UnreadReason::PermissionDenied);
            for drive in &mut report.drives {
                *drive = cartable_common::report::Drive {
                    model: drive.model.take(),
                    kind: drive.kind,
                    capacity_bytes: drive.capacity_bytes,
                    ..Default::default()
                };
            }
        }
    }

    /// Whether its firmware counts the cycles of its battery: some makers answer zero.
    pub fn counts_cycles(&self) -> bool {
        self.model.maker != "Acer"
    }

    /// Whether it is a tablet.
    pub fn is_tablet(&self) -> bool {
        self.model.chassis == Chassis::Tablet
    }

    /// The technology of its drive.
    pub const fn drive_kind(&self) -> DriveKind {
        self.drive.model.kind
    }
}

fn temperatures(random: &mut Random) -> Vec<Temperature> {
    let mut warm = |sensor, low, high| Temperature {
        sensor: Some(sensor),
        celsius: i16::try_from(random.between(low, high)).ok().and_then(Celsius::new),
    };
    vec![warm(Sensor::Processor, 38, 71), warm(Sensor::Board, 30, 44)]
}
