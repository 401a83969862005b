//! The machine in a report: which one it is, its processor, memory and firmware.

use super::Switch;
use crate::{
    describe::{reported, reported_enum},
    identity::{Known, SerialNumber, SystemUuid},
    text::Text,
    units::Bytes,
};

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
