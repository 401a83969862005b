//! The closed schema of a health report: everything an agent may say about a laptop, and nothing else.
//!
//! Every value is optional: what was not read is absent, never zero, and [`Unread`] says why. No location, address,
//! host or user name, file, software, process, mount path or usage time has a place here, so none can be sent.

use crate::{
    describe::{reported, reported_enum},
    hash::ContentHash,
    identity::{Known, SerialNumber, SystemUuid},
    limits,
    text::Text,
    units::{Bytes, Celsius, Hours, MilliampHours, MilliwattHours, Percent},
};

reported! {
    /// What an agent measured at one moment.
    pub struct HealthReport {
        /// Which machine this is, to find it again after a repair or a re-installation.
        fr "De quelle machine il s'agit, pour la retrouver après une réparation ou une réinstallation.",
        hardware: Hardware,
        /// What the processor is, to know which systems the machine can still run.
        fr "Le processeur, pour savoir quels systèmes la machine peut encore faire tourner.",
        processor: Processor,
        /// How much memory is fitted, to notice a missing module and to choose the machine's next life.
        fr "La mémoire installée, pour remarquer une barrette manquante et choisir la prochaine vie de la machine.",
        memory: Memory,
        /// Firmware and its protections, which the operating systems of today require.
        fr "Le micrologiciel et ses protections, que les systèmes d'aujourd'hui exigent.",
        firmware: Firmware,
        /// The operating system, to warn before its security updates end.
        fr "Le système d'exploitation, pour prévenir avant la fin de ses mises à jour de sécurité.",
        operating_system: OperatingSystem,
        /// Space on the computer's own volumes, to help before a disk is full. Never what is on them, and nothing of a stick or a card.
        fr "La place sur les volumes de l'ordinateur, pour aider avant qu'un disque soit plein. Jamais ce qu'ils contiennent, et rien d'une clé USB ni d'une carte.",
        volumes: Vec<Volume>,
        /// Health of the drives, to replace one before it loses a pupil's work.
        fr "L'état des disques, pour en remplacer un avant qu'il perde le travail d'un élève.",
        drives: Vec<Drive>,
        /// Health of the batteries, to replace one that no longer lasts a morning.
        fr "L'état des batteries, pour remplacer celle qui ne tient plus une matinée.",
        batteries: Vec<Battery>,
        /// Temperatures, to find a blocked fan.
        fr "Les températures, pour repérer un ventilateur bloqué.",
        temperatures: Vec<Temperature>,
        /// Time since the last start, to know whether updates could finish.
        fr "Le temps depuis le dernier démarrage, pour savoir si les mises à jour ont pu se terminer.",
        uptime_hours: Option<Hours>,
        /// What could not be read and why, so that missing evidence is never taken for health.
        fr "Ce qui n'a pas pu être lu et pourquoi, pour ne jamais prendre une absence de mesure pour un bon état.",
        unread: Vec<Unread>,
    }
}

reported! {
    /// Which physical machine this is.
    pub struct Hardware {
        /// The maker, to find spare parts.
        fr "Le fabricant, pour trouver des pièces.",
        manufacturer: Option<Text>,
        /// The model, to find spare parts.
        fr "Le modèle, pour trouver des pièces.",
        model: Option<Text>,
        /// Laptop, tablet or desktop, because each is lent and repaired differently.
        fr "Portable, tablette ou fixe : chacun se prête et se répare autrement.",
        chassis: Option<Chassis>,
        /// The serial number on the label under the machine, to match it with the loan.
        fr "Le numéro de série de l'étiquette sous la machine, pour la rapprocher du prêt.",
        serial_number: Known<SerialNumber>,
        /// The main board's identifier, to recognise the machine when the serial number is missing.
        fr "L'identifiant de la carte mère, pour reconnaître la machine sans numéro de série.",
        system_uuid: Known<SystemUuid>,
    }
}

reported_enum! {
    /// The kind of machine, from the SMBIOS chassis type (DSP0134, table 17).
    pub enum Chassis {
        /// Laptop, notebook or convertible.
        Laptop = "laptop",
        /// Tablet or detachable.
        Tablet = "tablet",
        /// Desktop, tower, mini PC or all-in-one.
        Desktop = "desktop",
        /// Server.
        Server = "server",
        /// A virtual machine.
        Virtual = "virtual",
    }
}

reported! {
    /// The processor.
    pub struct Processor {
        /// The model, to know which systems it can run.
        fr "Le modèle, pour savoir quels systèmes il peut faire tourner.",
        model: Option<Text>,
        /// Physical cores, to judge what the machine is still good for.
        fr "Les cœurs physiques, pour juger de ce que la machine peut encore faire.",
        cores: Option<u16>,
        /// Logical processors, to judge what the machine is still good for.
        fr "Les processeurs logiques, pour juger de ce que la machine peut encore faire.",
        threads: Option<u16>,
    }
}

reported! {
    /// The memory.
    pub struct Memory {
        /// Memory the operating system can use, to notice a missing module.
        fr "La mémoire utilisable par le système, pour remarquer une barrette manquante.",
        total_bytes: Option<Bytes>,
    }
}

reported_enum! {
    /// Something that is on, off, or could not be told.
    pub enum Switch {
        /// On.
        On = "on",
        /// Off.
        Off = "off",
    }
}

reported! {
    /// Firmware and the protections it offers.
    pub struct Firmware {
        /// Who wrote it, to find its updates.
        fr "Son auteur, pour trouver ses mises à jour.",
        vendor: Option<Text>,
        /// Its version, to find its updates.
        fr "Sa version, pour trouver ses mises à jour.",
        version: Option<Text>,
        /// Its date as the maker wrote it, to estimate the machine's age.
        fr "Sa date telle que le fabricant l'a écrite, pour estimer l'âge de la machine.",
        date: Option<Text>,
        /// Whether Secure Boot is on: Windows 11 asks for it.
        fr "Si Secure Boot est actif : Windows 11 le demande.",
        secure_boot: Option<Switch>,
        /// The major version of the TPM: Windows 11 asks for 2.
        fr "La version majeure du TPM : Windows 11 demande la 2.",
        tpm_version: Option<u8>,
        /// Where the agent says that it keeps its own key, to know which laptops a copied disk could pretend to be.
        fr "Où l'agent dit garder sa propre clé, pour savoir quels portables un disque copié pourrait imiter.",
        key_protection: Option<KeyProtection>,
    }
}

reported_enum! {
    /// What keeps the agent's key, as the agent states: nothing here proves it.
    pub enum KeyProtection {
        /// The TPM: the key cannot be copied.
        Tpm = "tpm",
        /// A file that only the agent may read.
        Software = "software",
        /// The operating system's own key store.
        Platform = "platform",
    }
}

reported_enum! {
    /// The family of the operating system.
    pub enum OsFamily {
        /// Linux distributions.
        Linux = "linux",
        /// Microsoft Windows.
        Windows = "windows",
        /// Apple macOS.
        MacOs = "macos",
    }
}

reported! {
    /// The operating system.
    pub struct OperatingSystem {
        /// Its family, because support ends on different dates.
        fr "Sa famille, car les dates de fin de support diffèrent.",
        family: Option<OsFamily>,
        /// Its short name (`debian`, `ubuntu`, `windows`), to look up the end of its support.
        fr "Son nom court (`debian`, `ubuntu`, `windows`), pour chercher la fin de son support.",
        name: Option<Text>,
        /// Its version, to look up the end of its support.
        fr "Sa version, pour chercher la fin de son support.",
        version: Option<Text>,
        /// Its build or kernel, to know whether updates arrive.
        fr "Sa construction ou son noyau, pour savoir si les mises à jour arrivent.",
        build: Option<Text>,
        /// The processor architecture it was made for, to choose the right installer.
        fr "L'architecture pour laquelle il est fait, pour choisir le bon installeur.",
        architecture: Option<Text>,
        /// Whether updates wait for a restart.
        fr "Si des mises à jour attendent un redémarrage.",
        reboot_pending: Option<bool>,
    }
}

reported_enum! {
    /// What a volume is for.
    pub enum VolumeRole {
        /// Holds the operating system.
        System = "system",
        /// Any other built-in volume.
        Data = "data",
        /// On a drive that can be unplugged.
        Removable = "removable",
    }
}

reported! {
    /// A mounted volume, without its path and its label.
    pub struct Volume {
        /// What it is for, because only a full system volume stops the machine.
        fr "À quoi il sert, car seul un volume système plein bloque la machine.",
        role: Option<VolumeRole>,
        /// The file system, to choose the right tool for a repair.
        fr "Le système de fichiers, pour choisir le bon outil de réparation.",
        file_system: Option<Text>,
        /// Its size.
        fr "Sa taille.",
        total_bytes: Option<Bytes>,
        /// The space that is left, to help before it is full.
        fr "La place qui reste, pour aider avant qu'il soit plein.",
        available_bytes: Option<Bytes>,
        /// Whether it is encrypted, because a lost laptop must not give away a child's work.
        fr "S'il est chiffré, car un portable perdu ne doit pas livrer le travail d'un enfant.",
        encryption: Option<Switch>,
    }
}

reported_enum! {
    /// The technology of a drive.
    pub enum DriveKind {
        /// Rotating disk.
        Hdd = "hdd",
        /// Solid state on an ATA bus.
        Ssd = "ssd",
        /// Solid state on NVMe.
        Nvme = "nvme",
        /// Soldered eMMC.
        Emmc = "emmc",
    }
}

reported! {
    /// A drive and what it says of its own health.
    pub struct Drive {
        /// The model, to order a replacement.
        fr "Le modèle, pour commander un remplacement.",
        model: Option<Text>,
        /// The serial number, to prove later that this very drive was erased.
        fr "Le numéro de série, pour prouver plus tard que ce disque précis a été effacé.",
        serial_number: Known<SerialNumber>,
        /// The drive's firmware, because some versions are known to fail.
        fr "Le micrologiciel du disque, car certaines versions sont connues pour tomber en panne.",
        firmware: Option<Text>,
        /// The technology, because each wears in its own way.
        fr "La technologie, car chacune s'use à sa façon.",
        kind: Option<DriveKind>,
        /// The size, to notice an exchanged drive.
        fr "La taille, pour remarquer un disque échangé.",
        capacity_bytes: Option<Bytes>,
        /// Whether the drive itself says that it is well.
        fr "Si le disque dit lui-même qu'il va bien.",
        self_assessment: Option<SelfAssessment>,
        /// The exit status of smartctl, a mask of eight bits of which bits 3 to 7 speak of the drive.
        fr "Le code de retour de smartctl, un masque de huit bits dont les bits 3 à 7 parlent du disque.",
        smartctl_exit_status: Option<u8>,
        /// How long the drive has been on in its life, to judge its wear.
        fr "Combien de temps le disque a été allumé dans sa vie, pour juger de son usure.",
        power_on_hours: Option<Hours>,
        /// How often it was started in its life.
        fr "Combien de fois il a été démarré dans sa vie.",
        power_cycles: Option<u64>,
        /// Its temperature.
        fr "Sa température.",
        temperature_celsius: Option<Celsius>,
        /// Wear in percent of the rated life, as the drive's own statistics say (ATA device statistics, page 7).
        fr "L'usure en pour cent de la vie prévue, d'après les statistiques du disque (ATA, page 7).",
        endurance_used_percent: Option<Percent>,
        /// Errors in the drive's own log.
        fr "Les erreurs dans le journal du disque.",
        logged_errors: Option<u64>,
        /// Its own self-tests that failed and that no later complete one has outdated.
        fr "Ses propres tests qui ont échoué et qu'aucun test complet plus récent n'a démentis.",
        failed_self_tests: Option<u64>,
        /// Sectors taken out of service in its life (ATA device statistics, page 3; SCSI grown defect list).
        fr "Les secteurs retirés du service dans sa vie (statistiques ATA, page 3 ; liste de défauts SCSI).",
        grown_defects: Option<u64>,
        /// Errors that it could not correct (ATA device statistics, page 4; SCSI error counters).
        fr "Les erreurs qu'il n'a pas pu corriger (statistiques ATA, page 4 ; compteurs d'erreurs SCSI).",
        uncorrected_errors: Option<u64>,
        /// The SMART attributes of an ATA drive.
        fr "Les attributs SMART d'un disque ATA.",
        ata_attributes: Vec<AtaAttribute>,
        /// The health log of an NVMe drive.
        fr "Le journal de santé d'un disque NVMe.",
        nvme: Option<NvmeHealth>,
        /// The wear estimates of an eMMC drive.
        fr "Les estimations d'usure d'un disque eMMC.",
        emmc: Option<EmmcHealth>,
    }
}

reported_enum! {
    /// A drive's own overall judgement.
    pub enum SelfAssessment {
        /// It says that it is well.
        Passed = "passed",
        /// It says that it is failing.
        Failed = "failed",
    }
}

reported_enum! {
    /// Whether an attribute was below its threshold.
    pub enum WhenFailed {
        /// Never.
        Never = "never",
        /// It is now.
        Now = "now",
        /// It was, in the past.
        Past = "past",
    }
}

reported! {
    /// One SMART attribute as the drive gives it, unjudged.
    pub struct AtaAttribute {
        /// Its number.
        fr "Son numéro.",
        id: u8,
        /// Its name as smartctl gives it, because makers use one number for different things.
        fr "Son nom d'après smartctl, car les fabricants donnent au même numéro des sens différents.",
        name: Option<Text>,
        /// Its normalised value; lower is worse.
        fr "Sa valeur normalisée ; plus bas est pire.",
        value: Option<u8>,
        /// The worst normalised value ever.
        fr "La pire valeur normalisée observée.",
        worst: Option<u8>,
        /// The normalised value at which the maker calls it failed.
        fr "La valeur normalisée à laquelle le fabricant parle de panne.",
        threshold: Option<u8>,
        /// The raw value, 48 bits in the maker's own form.
        fr "La valeur brute, 48 bits sous la forme propre au fabricant.",
        raw: Option<u64>,
        /// Whether it was below its threshold.
        fr "S'il est passé sous son seuil.",
        when_failed: Option<WhenFailed>,
    }
}

reported! {
    /// The SMART / Health Information log (page 02h) of an NVMe drive.
    pub struct NvmeHealth {
        /// The drive's warnings, a mask of bits (NVMe base specification, figure "SMART / Health Information").
        fr "Les alertes du disque, un masque de bits (spécification NVMe).",
        critical_warning: Option<u8>,
        /// Spare blocks left.
        fr "Les blocs de réserve restants.",
        available_spare_percent: Option<Percent>,
        /// The share of spare blocks below which the maker warns.
        fr "La part de réserve sous laquelle le fabricant alerte.",
        available_spare_threshold_percent: Option<Percent>,
        /// Wear in percent of the rated life; may pass 100.
        fr "L'usure en pour cent de la vie prévue ; peut dépasser 100.",
        percentage_used_percent: Option<Percent>,
        /// Data that could not be read back correctly.
        fr "Les données qui n'ont pas pu être relues correctement.",
        media_errors: Option<u64>,
        /// Power losses without a proper stop.
        fr "Les coupures sans arrêt propre.",
        unsafe_shutdowns: Option<u64>,
    }
}

reported! {
    /// The life-time estimates of an eMMC drive (JESD84-B51, extended CSD).
    pub struct EmmcHealth {
        /// Wear of the first area in steps of ten percent (1 is 0–10 %, 11 is past the rated life).
        fr "L'usure de la première zone par pas de dix pour cent (1 vaut 0–10 %, 11 au-delà de la vie prévue).",
        life_time_a: Option<u8>,
        /// Wear of the second area in the same steps.
        fr "L'usure de la seconde zone, même échelle.",
        life_time_b: Option<u8>,
        /// Spare blocks: 1 normal, 2 warning (80 % used), 3 urgent (90 % used).
        fr "Les blocs de réserve : 1 normal, 2 alerte (80 % utilisés), 3 urgent (90 % utilisés).",
        pre_end_of_life: Option<u8>,
    }
}

reported! {
    /// A battery of the machine itself, never a mouse's or a headset's.
    pub struct Battery {
        /// The maker, to order a replacement.
        fr "Le fabricant, pour commander un remplacement.",
        manufacturer: Option<Text>,
        /// The model, to order a replacement.
        fr "Le modèle, pour commander un remplacement.",
        model: Option<Text>,
        /// The energy it held when new.
        fr "L'énergie qu'elle contenait neuve.",
        design_milliwatt_hours: Option<MilliwattHours>,
        /// The energy it holds today when full.
        fr "L'énergie qu'elle contient aujourd'hui quand elle est pleine.",
        full_milliwatt_hours: Option<MilliwattHours>,
        /// The charge it held when new, where the machine counts charge instead of energy.
        fr "La charge qu'elle contenait neuve, si la machine compte en charge plutôt qu'en énergie.",
        design_milliamp_hours: Option<MilliampHours>,
        /// The charge it holds today when full.
        fr "La charge qu'elle contient aujourd'hui quand elle est pleine.",
        full_milliamp_hours: Option<MilliampHours>,
        /// Charge cycles in its life; absent where the machine answers zero, which means that it does not count.
        fr "Les cycles de charge de sa vie ; absent si la machine répond zéro, c'est-à-dire qu'elle ne compte pas.",
        cycle_count: Option<u32>,
        /// The chemistry, to recycle it properly.
        fr "La chimie, pour la recycler correctement.",
        technology: Option<Text>,
    }
}

reported_enum! {
    /// What a temperature sensor sits on.
    pub enum Sensor {
        /// The processor.
        Processor = "processor",
        /// A drive.
        Drive = "drive",
        /// The battery.
        Battery = "battery",
        /// The main board or the casing.
        Board = "board",
    }
}

reported! {
    /// One temperature.
    pub struct Temperature {
        /// What was measured.
        fr "Ce qui a été mesuré.",
        sensor: Option<Sensor>,
        /// The temperature.
        fr "La température.",
        celsius: Option<Celsius>,
    }
}

reported_enum! {
    /// A part of the report.
    pub enum Subject {
        /// Manufacturer, model, serial number, UUID.
        Hardware = "hardware",
        /// The processor.
        Processor = "processor",
        /// The memory.
        Memory = "memory",
        /// Firmware version and date.
        Firmware = "firmware",
        /// Secure Boot.
        SecureBoot = "secure_boot",
        /// The TPM.
        Tpm = "tpm",
        /// The operating system.
        OperatingSystem = "operating_system",
        /// The volumes.
        Volumes = "volumes",
        /// Whether volumes are encrypted.
        Encryption = "encryption",
        /// Which drives there are.
        Drives = "drives",
        /// What drives say of their health.
        DriveHealth = "drive_health",
        /// The batteries.
        Batteries = "batteries",
        /// The temperatures.
        Temperatures = "temperatures",
        /// The time since the last start.
        Uptime = "uptime",
    }
}

reported_enum! {
    /// Why something could not be read.
    pub enum UnreadReason {
        /// The machine has no such thing, or does not say.
        NotPresent = "not_present",
        /// The agent lacks the right to read it.
        PermissionDenied = "permission_denied",
        /// The program that reads it is not installed.
        ToolMissing = "tool_missing",
        /// The program that reads it refused or failed.
        ToolFailed = "tool_failed",
        /// It took longer than allowed.
        TimedOut = "timed_out",
        /// The answer made no sense.
        Malformed = "malformed",
        /// The drive was asleep and was left so.
        Asleep = "asleep",
        /// This agent cannot read it on this operating system.
        Unsupported = "unsupported",
    }
}

reported! {
    /// Something that could not be read.
    pub struct Unread {
        /// What.
        fr "Quoi.",
        subject: Option<Subject>,
        /// Why.
        fr "Pourquoi.",
        reason: Option<UnreadReason>,
        /// The program's own words, where there are any; never a path or a name of a person.
        fr "Les mots du programme, s'il y en a ; jamais un chemin ni le nom d'une personne.",
        detail: Option<Text>,
    }
}

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

    #[test]
    fn what_was_not_read_is_absent_from_the_json() {
        assert_eq!(serde_json::to_string(&Drive::default()).unwrap(), "{}");
    }

    #[test]
    fn unknown_fields_are_ignored_and_unknown_values_become_unknown() {
        let drive: Drive = serde_json::from_str(r#"{"kind":"holographic","location":"Lyon"}"#).unwrap();
        assert_eq!(drive, Drive { kind: Some(DriveKind::Unknown), ..Drive::default() });
        let error = serde_json::from_str::<Drive>(r#"{"model":"a","model":"b"}"#).unwrap_err();
        assert!(error.to_string().contains("duplicate field"), "{error}");
    }

    #[test]
    fn a_list_past_its_limit_is_refused() {
        let crowded = HealthReport { drives: vec![Drive::default(); 17], ..HealthReport::default() };
        assert_eq!(crowded.check().unwrap_err().to_string(), "the report lists 17 drives; at most 16 are accepted");
    }
}
