//! The operating system in a report, and the volumes that it mounts. Never what is on them.

use super::Switch;
use crate::{
    describe::{reported, reported_enum},
    text::Text,
    units::Bytes,
};

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
