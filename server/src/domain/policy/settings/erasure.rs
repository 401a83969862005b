//! Settings: what the erasure of drives must be worth.

sections! {
    /// Effacement des disques : ce qu'il doit valoir avant qu'un appareil parte ou soit reprêté. Un SSD, un disque NVMe ou
    /// une eMMC qui part doit toujours atteindre le niveau Purge : ce n'est pas réglable.
    /// Erasure of drives: what it must be worth before a device leaves or is lent again. An SSD, an NVMe drive or an eMMC
    /// that leaves must always reach Purge: that cannot be set.
    erasure: ErasurePolicy {
        rotating_clear_leaves: bool = true, None, "true, false",
        fr "Un disque dur rotatif peut partir après un écrasement vérifié (niveau Clear) ; sinon il lui faut Purge.",
        en "A rotating disk may leave after a verified overwrite (level Clear); otherwise it needs Purge.",
        source "NIST SP 800-88 Rev. 1, table A-5 and 2.4: one verified overwrite hinders recovery even by laboratory means on present disks.",
        source_fr "NIST SP 800-88 Rev. 1, table A-5 et 2.4 : un écrasement vérifié gêne même un laboratoire sur les disques actuels.";

        missing_after_days: u32 = 30, Some(1..=1000), "jours · days",
        fr "Jours après le retour d'un appareil au-delà desquels un disque sans preuve d'effacement est signalé.",
        en "Days after a device's return from which a drive without proof of erasure is flagged.",
        source "Cartable: a bench has looked at a returned device within a month; a child's work should not lie there longer.",
        source_fr "Cartable : l'atelier a vu l'appareil rendu dans le mois ; le travail d'un enfant n'a pas à y rester plus longtemps.";
    }
}
