//! What a device's current report says, as groups of named values. What was not read is said to be so, never left out
//! silently and never shown as zero.

use cartable_common::{
    MilliampHours, MilliwattHours, Text,
    report::{Battery, Drive, DriveKind, HealthReport, Switch, Unread, Volume, VolumeRole},
};

use super::{
    chart::Meter,
    component::{Badge, Tone, When},
    device_list::system_name,
    format,
    i18n::Words,
};
use crate::{
    domain::{
        battery::{self, Batteries},
        drive,
        policy::Policy,
        verdict::{Judgement, Said, Verdict},
    },
    store::health::Health,
};

/// A named value.
#[derive(Clone, Debug, Default)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
    /// The number behind a rounded value, for machines.
    pub(super) exact: Option<String>,
    pub(super) meter: Option<Meter>,
    pub(super) when: Option<When>,
}

/// Rows and columns that are only for those who open them.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) title: String,
    pub(super) heads: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// One part of a group: a drive, a volume.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub(super) title: Option<String>,
    pub(super) badge: Option<Badge>,
    pub(super) notes: Vec<String>,
    pub(super) facts: Vec<Fact>,
    pub(super) table: Option<Table>,
}

/// A group of facts.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) dated: Option<String>,
    pub(super) empty: Option<String>,
    pub(super) blocks: Vec<Block>,
}

/// A fact, with the word for absence where there is no value.
pub(super) fn fact(words: Words, key: &str, value: Option<String>) -> Fact {
    Fact { name: words.say(key), value: value.unwrap_or_else(|| words.say("not-read")), ..Fact::default() }
}

fn text(value: Option<&Text>) -> Option<String> {
    value.map(|text| text.as_str().to_owned()).filter(|text| !text.is_empty())
}

/// Builds the groups of one report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub(super) words: Words,
    pub(super) policy: &'a Policy,
}

impl Reader<'_> {
    /// All groups of the report of `health`, which was measured at the moment `dated` tells.
    pub(super) fn groups(self, health: &Health, dated: &str) -> Vec<Group> {
        let report = &health.report;
        let volumes = report.volumes.iter().map(|volume| self.volume(volume)).collect();
        let judged = report.drives.iter().zip(health.drives(self.policy));
        let drives = judged.map(|(drive, judgement)| self.drive(drive, &judgement)).collect();
        let batteries = report.batteries.iter().map(|battery| self.battery(battery)).collect();
        let batteries = self.group("batteries", "group-batteries", dated, batteries);
        let mut groups = vec![
            self.group("system", "group-system", dated, vec![self.system(report)]),
            self.group("volumes", "group-volumes", dated, volumes),
            self.group("drives", "group-drives", dated, drives),
            Group { empty: self.no_batteries(report), ..batteries },
        ];
        if !report.temperatures.is_empty() {
            groups.push(self.group("temperatures", "group-temperatures", dated, vec![self.temperatures(report)]));
        }
        if !report.unread.is_empty() {
            groups.push(self.group("unread", "group-unread", dated, vec![self.unread(&report.unread)]));
        }
        groups
    }

    fn group(self, id: &'static str, key: &str, dated: &str, blocks: Vec<Block>) -> Group {
        let empty = blocks.is_empty().then(|| self.words.say("group-empty"));
        Group { id, title: self.words.say(key), dated: Some(dated.to_owned()), empty, blocks }
    }

    /// Why no battery is listed, where none is.
    fn no_batteries(self, report: &HealthReport) -> Option<String> {
        let words = self.words;
        match battery::known(report, self.policy) {
            Batteries::Judged(_) => None,
            Batteries::NoneExpected(chassis) => {
                Some(words.with("batteries-none-expected-why", &words.word("chassis", chassis.as_str())))
            }
            Batteries::NoneFound => Some(words.say("batteries-none-found-why")),
            Batteries::NotRead => Some(words.say("batteries-not-read")),
        }
    }

    fn number(self, value: Option<u64>) -> Option<String> {
        value.map(|value| format::number(i64::try_from(value).unwrap_or(i64::MAX), self.words.language))
    }

    fn switch(self, value: Option<Switch>) -> Option<String> {
        value.map(|value| self.words.word("switch", value.as_str()))
    }

    fn said(self, said: &Said) -> String {
        self.words.said(said)
    }

    fn system(self, report: &HealthReport) -> Block {
        let words = self.words;
        let system = &report.operating_system;
        let name = system_name(system.name.as_ref().map(Text::as_str), system.version.as_ref().map(Text::as_str));
        let memory = report.memory.total_bytes;
        let cores = report.processor.cores.zip(report.processor.threads);
        let firmware = &report.firmware;
        let version = [&firmware.vendor, &firmware.version, &firmware.date].map(|part| text(part.as_ref()));
        let version = version.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let pending = system.reboot_pending.map(|yes| words.word("yes-no", if yes { "yes" } else { "no" }));
        let mut facts = vec![
            fact(words, "fact-processor", text(report.processor.model.as_ref())),
            fact(
                words,
                "fact-cores",
                cores.map(|(cores, threads)| {
                    words.with_two("fact-cores-value", &cores.to_string(), &threads.to_string())
                }),
            ),
            Fact {
                exact: memory.map(|bytes| bytes.to_string()),
                ..fact(words, "fact-memory", memory.map(|bytes| format::memory_size(bytes, words.language)))
            },
            fact(words, "fact-os", name),
            fact(words, "fact-os-build", text(system.build.as_ref())),
            fact(words, "fact-architecture", text(system.architecture.as_ref())),
            fact(words, "fact-reboot", pending),
            fact(words, "fact-firmware", Some(version).filter(|version| !version.is_empty())),
            fact(words, "fact-secure-boot", self.switch(firmware.secure_boot)),
            fact(words, "fact-tpm", firmware.tpm_version.map(|version| format!("{version}.0"))),
            fact(words, "fact-key", firmware.key_protection.map(|key| words.word("key-protection", key.as_str()))),
        ];
        if let Some(hours) = report.uptime_hours {
            facts.push(fact(words, "fact-uptime", Some(self.hours(hours.get()))));
        }
        Block { facts, ..Block::default() }
    }

    fn hours(self, hours: u32) -> String {
        self.words.count("hours", i64::from(hours))
    }

    fn volume(self, volume: &Volume) -> Block {
        let (words, language) = (self.words, self.words.language);
        let size = |bytes| format::disk_size(bytes, language);
        let free = volume.available_bytes.zip(volume.total_bytes).filter(|(_, total)| total.get() > 0);
        let percent =
            free.map(|(free, total)| i64::try_from(free.get().saturating_mul(100) / total.get()).unwrap_or(100));
        let meter = percent.map(|percent| {
            let tone = match percent {
                ..5 => Tone::Critical,
                5..15 => Tone::Warning,
                _ => Tone::Plain,
            };
            Meter::new(100 - percent, tone)
        });
        let shown = volume.available_bytes.map(|free| match percent {
            Some(percent) => words.with_two("fact-free-of", &size(free), &format::percent(percent, language)),
            None => size(free),
        });
        let role = volume.role.unwrap_or(VolumeRole::Unknown);
        Block {
            title: Some(words.word("role", role.as_str())),
            facts: vec![
                Fact {
                    exact: volume.total_bytes.map(|bytes| bytes.to_string()),
                    ..fact(words, "fact-size", volume.total_bytes.map(size))
                },
                Fact {
                    exact: volume.available_bytes.map(|bytes| bytes.to_string()),
                    meter,
                    ..fact(words, "fact-free", shown)
                },
                fact(words, "fact-file-system", text(volume.file_system.as_ref())),
                fact(words, "fact-encryption", self.switch(volume.encryption)),
            ],
            ..Block::default()
        }
    }

    fn notes(self, judgement: &Judgement) -> Vec<String> {
        let reasons = judgement.reasons.iter().map(|reason| self.said(&reason.said));
        let missing = judgement.missing.iter().map(|missing| self.words.with("fact-missing", &self.said(missing)));
        reasons.chain(missing).collect()
    }

    fn drive(self, drive: &Drive, judgement: &Judgement) -> Block {
        let (words, language) = (self.words, self.words.language);
        let kind = words.word("drive", drive.kind.unwrap_or(DriveKind::Unknown).as_str());
        let percent = |value: i64| format::percent(value, language);
        let mut facts = vec![
            fact(words, "fact-serial", drive.serial_number.get().map(ToString::to_string)),
            Fact {
                exact: drive.capacity_bytes.map(|bytes| bytes.to_string()),
                ..fact(words, "fact-capacity", drive.capacity_bytes.map(|bytes| format::disk_size(bytes, language)))
            },
            fact(words, "fact-drive-firmware", text(drive.firmware.as_ref())),
            fact(
                words,
                "fact-self-assessment",
                drive.self_assessment.map(|said| words.word("assessment", said.as_str())),
            ),
            fact(words, "fact-wear", drive::wear(drive).map(|wear| percent(i64::from(wear.percent)))),
            fact(words, "fact-power-on", drive.power_on_hours.map(|hours| self.hours(hours.get()))),
            fact(words, "fact-cycles", self.number(drive.power_cycles)),
            fact(words, "fact-temperature", drive.temperature_celsius.map(|t| self.celsius(t.get()))),
        ];
        if let Some(nvme) = &drive.nvme {
            let spare = nvme.available_spare_percent.map(|spare| percent(i64::from(spare.get())));
            facts.push(fact(words, "fact-spare", spare));
            facts.push(fact(words, "fact-media-errors", self.number(nvme.media_errors)));
        }
        if let Some(errors) = drive.logged_errors {
            facts.push(fact(words, "fact-logged-errors", self.number(Some(errors))));
        }
        Block {
            title: Some(match text(drive.model.as_ref()) {
                Some(model) => words.with_two("drive-title", &model, &kind),
                None => kind,
            }),
            badge: Some(Badge::verdict(judgement.verdict, words)),
            notes: self.notes(judgement),
            facts,
            table: self.attributes(drive),
        }
    }

    fn celsius(self, degrees: i16) -> String {
        format::with_unit(i64::from(degrees), "°C", self.words.language)
    }

    fn attributes(self, drive: &Drive) -> Option<Table> {
        if drive.ata_attributes.is_empty() {
            return None;
        }
        let words = self.words;
        let heads = ["smart-id", "smart-name", "smart-value", "smart-worst", "smart-threshold", "smart-raw"];
        let small = |value: Option<u8>| value.map_or_else(|| "–".to_owned(), |value| value.to_string());
        let rows = drive.ata_attributes.iter().map(|attribute| {
            vec![
                attribute.id.to_string(),
                text(attribute.name.as_ref()).unwrap_or_else(|| "–".to_owned()),
                small(attribute.value),
                small(attribute.worst),
                small(attribute.threshold),
                attribute.raw.map_or_else(|| "–".to_owned(), |raw| raw.to_string()),
            ]
        });
        Some(Table {
            title: words.say("smart-attributes"),
            heads: heads.map(|key| words.say(key)).to_vec(),
            rows: rows.collect(),
        })
    }

    fn battery(self, battery: &Battery) -> Block {
        let (words, language) = (self.words, self.words.language);
        let judgement = battery::judge(battery, self.policy);
        let health = battery::health_percent(battery).map(|health| i64::from(health.percent.get()));
        let tone = match judgement.verdict {
            Verdict::Healthy => Tone::Good,
            Verdict::Worn => Tone::Warning,
            Verdict::Failing => Tone::Critical,
            Verdict::Unknown => Tone::Plain,
        };
        let amount = |energy: Option<u32>, charge: Option<u32>| {
            energy
                .map(|value| format::with_unit(i64::from(value), "mWh", language))
                .or_else(|| charge.map(|value| format::with_unit(i64::from(value), "mAh", language)))
        };
        let design = (
            battery.design_milliwatt_hours.map(MilliwattHours::get),
            battery.design_milliamp_hours.map(MilliampHours::get),
        );
        let full = (
            battery.full_milliwatt_hours.map(MilliwattHours::get),
            battery.full_milliamp_hours.map(MilliampHours::get),
        );
        let name = [text(battery.manufacturer.as_ref()), text(battery.model.as_ref())];
        let name = name.into_iter().flatten().collect::<Vec<_>>().join(" ");
        Block {
            title: Some(if name.is_empty() { words.say("battery") } else { name }),
            badge: Some(Badge::verdict(judgement.verdict, words)),
            notes: self.notes(&judgement),
            facts: vec![
                Fact {
                    meter: health.map(|percent| Meter::new(percent, tone)),
                    ..fact(words, "fact-battery-health", health.map(|percent| format::percent(percent, language)))
                },
                fact(words, "fact-full", amount(full.0, full.1)),
                fact(words, "fact-design", amount(design.0, design.1)),
                fact(words, "fact-charge-cycles", self.number(battery.cycle_count.map(u64::from))),
                fact(words, "fact-chemistry", text(battery.technology.as_ref())),
            ],
            table: None,
        }
    }

    fn temperatures(self, report: &HealthReport) -> Block {
        let facts = report.temperatures.iter().map(|temperature| Fact {
            name: self.words.word("sensor", temperature.sensor.unwrap_or_default().as_str()),
            value: temperature
                .celsius
                .map_or_else(|| self.words.say("not-read"), |degrees| self.celsius(degrees.get())),
            ..Fact::default()
        });
        Block { facts: facts.collect(), ..Block::default() }
    }

    fn unread(self, unread: &[Unread]) -> Block {
        let fact = |unread: &Unread| {
            let reason = self.words.word("unread", unread.reason.unwrap_or_default().as_str());
            Fact {
                name: self.words.word("subject", unread.subject.unwrap_or_default().as_str()),
                value: match text(unread.detail.as_ref()) {
                    Some(detail) => self.words.with_two("unread-detail", &reason, &detail),
                    None => reason,
                },
                ..Fact::default()
            }
        };
        Block { facts: unread.iter().map(fact).collect(), ..Block::default() }
    }
}
