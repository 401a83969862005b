//! A drive in a report: what it says of itself and of its own health, unjudged.

use crate::{
    describe::{reported, reported_enum},
    identity::{Known, SerialNumber},
    text::Text,
    units::{Bytes, Celsius, Hours, Percent},
};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
