//! The closed schema of a health report: everything an agent may say about a laptop, and nothing else.
//!
//! Every value is optional: what was not read is absent, never zero, and [`Unread`] says why. No location, address,
//! host or user name, file, software, process, mount path or usage time has a place here, so none can be sent.
//!
//! Each part of the machine has a file of its own, with each field's unit and reason in both languages. How long its lists
//! may be and what of it matters are said apart.

mod battery;
mod bounds;
mod drive;
mod essence;
mod machine;
mod system;
mod unread;

pub use self::{
    battery::Battery,
    bounds::TooMany,
    drive::{AtaAttribute, Drive, DriveKind, EmmcHealth, NvmeHealth, SelfAssessment, WhenFailed},
    machine::{Chassis, Firmware, Hardware, KeyProtection, Memory, Processor},
    system::{OperatingSystem, OsFamily, Volume, VolumeRole},
    unread::{Subject, Unread, UnreadReason},
};
use crate::{
    describe::{reported, reported_enum},
    units::{Celsius, Hours},
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

reported_enum! {
    /// Something that is on, off, or could not be told.
    pub enum Switch {
        /// On.
        On = "on",
        /// Off.
        Off = "off",
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
