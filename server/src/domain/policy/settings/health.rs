//! Settings: what a report says of a machine's parts.

use jiff::civil::{Date, date};

sections! {
    /// Disque presque plein : volume du système. La part ET la place doivent être basses : 10 % d'un disque de 1 To
    /// suffisent largement, 10 % d'une eMMC de 64 Go non.
    /// Disk nearly full: the system volume. Share AND room must be low: 10 % of a 1 TB drive is plenty, 10 % of a
    /// 64 GB eMMC is not.
    disk: DiskPolicy {
        warning_percent: u32 = 10, Some(1..=90), "%",
        fr "Part libre à partir de laquelle un signalement est possible.",
        en "Free share from which a warning is possible.",
        source "Cartable: file systems slow down and SSDs wear faster when nearly full.",
        source_fr "Cartable : presque plein, un système de fichiers ralentit et un SSD s'use plus vite.";

        warning_gigabytes: u32 = 20, Some(1..=10_000), "Go · GB",
        fr "Place libre à partir de laquelle un signalement est possible.",
        en "Free room from which a warning is possible.",
        source "Cartable: about what a yearly Windows update needs while it installs.",
        source_fr "Cartable : à peu près ce qu'exige la mise à jour annuelle de Windows pendant son installation.";

        critical_percent: u32 = 5, Some(1..=90), "%",
        fr "Part libre à partir de laquelle il est critique.",
        en "Free share from which it is critical.",
        source "ext4 keeps 5% for the system by default (mke2fs -m).",
        source_fr "ext4 réserve 5 % au système par défaut (mke2fs -m).";

        critical_gigabytes: u32 = 5, Some(1..=10_000), "Go · GB",
        fr "Place libre à partir de laquelle il est critique.",
        en "Free room from which it is critical.",
        source "Cartable: less than monthly updates need.",
        source_fr "Cartable : moins que n'exigent les mises à jour mensuelles.";

        encryption_expected: bool = true, None, "true / false",
        fr "Signaler un volume système qui n'est pas chiffré.",
        en "Whether a system volume that is not encrypted is flagged.",
        source "CNIL, guide to the security of personal data: encrypt machines that leave the house.",
        source_fr "CNIL, guide de la sécurité des données personnelles : chiffrer les postes nomades.";
    }

    /// Disques : usure et risque de panne. Ce que le fabricant annonce lui-même (état SMART, seuils du disque, réserve
    /// NVMe) n'est pas réglable.
    /// Drives: wear and risk of failure. What the maker itself states (SMART status, the drive's own thresholds, NVMe
    /// spare) cannot be set.
    drive: DrivePolicy {
        reallocated_worn: u32 = 4, Some(1..=100_000), "secteurs · sectors",
        fr "Disque dur, attribut 5 : secteurs réalloués à partir desquels il est usé.",
        en "Hard disk, attribute 5: reallocated sectors from which it is worn.",
        source "Backblaze, buckets of Scrutiny: from 4 on, 7.5% fail in a year instead of 2.5%.",
        source_fr "Backblaze, classes de Scrutiny : à partir de 4, 7,5 % tombent en panne dans l'année au lieu de 2,5 %.";

        reallocated_failing: u32 = 16, Some(1..=100_000), "secteurs · sectors",
        fr "Disque dur, attribut 5 : secteurs réalloués à partir desquels il risque la panne.",
        en "Hard disk, attribute 5: reallocated sectors from which it is at risk.",
        source "Backblaze, buckets of Scrutiny: from 16 on, 23.6% fail in a year.",
        source_fr "Backblaze, classes de Scrutiny : à partir de 16, 23,6 % tombent en panne dans l'année.";

        uncorrectable_failing: u32 = 1, Some(1..=100_000), "erreurs · errors",
        fr "Disque dur, attribut 187 : erreurs irrécupérables à partir desquelles il risque la panne.",
        en "Hard disk, attribute 187: uncorrectable errors from which it is at risk.",
        source "Backblaze, buckets of Scrutiny: with 1, 33.9% fail in a year.",
        source_fr "Backblaze, classes de Scrutiny : avec 1, 33,9 % tombent en panne dans l'année.";

        pending_failing: u32 = 1, Some(1..=100_000), "secteurs · sectors",
        fr "Disque dur, attribut 197 : secteurs en attente à partir desquels il risque la panne.",
        en "Hard disk, attribute 197: pending sectors from which it is at risk.",
        source "Backblaze, buckets of Scrutiny: with 1 or 2, 34% fail in a year.",
        source_fr "Backblaze, classes de Scrutiny : avec 1 ou 2, 34 % tombent en panne dans l'année.";

        offline_failing: u32 = 1, Some(1..=100_000), "secteurs · sectors",
        fr "Disque dur, attribut 198 : secteurs illisibles à partir desquels il risque la panne.",
        en "Hard disk, attribute 198: unreadable sectors from which it is at risk.",
        source "Backblaze, buckets of Scrutiny: with 1 or 2, 81% fail in a year.",
        source_fr "Backblaze, classes de Scrutiny : avec 1 ou 2, 81 % tombent en panne dans l'année.";

        spin_retries_worn: u32 = 1, Some(1..=100_000), "essais · attempts",
        fr "Disque dur, attribut 10 : démarrages du moteur à reprendre à partir desquels il est usé.",
        en "Hard disk, attribute 10: attempts to start the motor again from which it is worn.",
        source "Backblaze, buckets of Scrutiny: with 1 to 80, 56% fail in a year; a weak power supply does it too, so it is re-tested.",
        source_fr "Backblaze, classes de Scrutiny : de 1 à 80, 56 % tombent en panne dans l'année ; une alimentation faible fait de même, donc à contrôler.";

        growth_days: u32 = 90, Some(1..=3_650), "jours · days",
        fr "Durée pendant laquelle une hausse des secteurs ou erreurs (5, 187, 197, 198, media errors) entre deux relevés pèse plus que la valeur.",
        en "Time for which a rise of sectors or errors (5, 187, 197, 198, media errors) between reports weighs more than the value.",
        source "Pinheiro et al., FAST '07: after a first scan error a drive is 39 times as likely to fail within 60 days; a month more covers the summer holidays.",
        source_fr "Pinheiro et al., FAST '07 : après une première erreur, 39 fois plus de pannes dans les 60 jours ; un mois de plus couvre les grandes vacances.";

        flash_blocks_worn: u32 = 4, Some(1..=100_000), "blocs · blocks",
        fr "SSD, attribut 5 : blocs retirés à partir desquels il est usé.",
        en "SSD, attribute 5: retired blocks from which it is worn.",
        source "Schroeder et al., FAST '16: drives have either less than a handful of bad blocks or a great many.",
        source_fr "Schroeder et al., FAST '16 : un SSD a moins d'une poignée de blocs défectueux, ou bien un très grand nombre.";

        flash_errors_worn: u32 = 1, Some(1..=1_000_000), "erreurs · errors",
        fr "SSD et NVMe : données illisibles (media errors, 187, 197, 198) à partir desquelles il est usé.",
        en "SSD and NVMe: data that could not be read (media errors, 187, 197, 198) from which it is worn.",
        source "NVMe base specification: each is data lost; 42 of 51 such drives still call themselves well (linuxhw).",
        source_fr "Spécification NVMe : chacune est une donnée perdue ; 42 de 51 disques dans ce cas se disent encore sains (linuxhw).";

        flash_errors_failing: u32 = 100, Some(1..=1_000_000), "erreurs · errors",
        fr "SSD et NVMe : données illisibles à partir desquelles il risque la panne.",
        en "SSD and NVMe: unreadable data from which it is at risk.",
        source "Cartable: a single error may be an accident, a hundred are not (Scrutiny #729 on smaller numbers).",
        source_fr "Cartable : une erreur peut être un accident, cent n'en sont plus un (Scrutiny #729 sur les petits nombres).";

        wear_worn_percent: u32 = 70, Some(1..=100), "%",
        fr "SSD, NVMe, eMMC : part de l'endurance prévue à partir de laquelle il n'est plus reprêté sans examen.",
        en "SSD, NVMe, eMMC: share of the rated endurance from which it is not lent again without a check.",
        source "Cartable: leaves 30% for a loan of four years; 80 was tried first and missed worn drives at 73 and 75%.",
        source_fr "Cartable : laisse 30 % pour un prêt de quatre ans ; 80 %, essayé d'abord, manquait des disques usés à 73 et 75 %.";

        logged_errors_worn: u32 = 50, Some(1..=100_000), "erreurs · errors",
        fr "Disque dur : erreurs de son journal, celles du câble (199) déduites, à partir desquelles il est usé.",
        en "Hard disk: errors in its log, less those of the cable (199), from which it is worn.",
        source "Cartable: the log also counts refused commands, so a few mean nothing (smartctl exit bit 6 alone is weak).",
        source_fr "Cartable : le journal compte aussi des commandes refusées, quelques-unes ne prouvent rien (bit 6 de smartctl).";
    }

    /// Batteries : part de la capacité d'origine encore disponible.
    /// Batteries: share of the design capacity that is left.
    battery: BatteryPolicy {
        relend_percent: u32 = 80, Some(1..=100), "%",
        fr "En dessous, la batterie est usée : donner ou remplacer avant un long prêt.",
        en "Below, the battery is worn: donate, or replace before a long loan.",
        source "Apple's design target after 1000 cycles; refurbishers' usual bound. There is no standard.",
        source_fr "Objectif d'Apple après 1000 cycles ; limite courante des reconditionneurs. Il n'y a pas de norme.";

        long_loan_percent: u32 = 60, Some(1..=100), "%",
        fr "En dessous, remplacer avant tout prêt.",
        en "Below, replace before any loan.",
        source "elite-laptopparts: 60% or less may need replacing soon. There is no standard.",
        source_fr "elite-laptopparts : à 60 % ou moins, à remplacer bientôt. Il n'y a pas de norme.";

        replace_percent: u32 = 50, Some(1..=100), "%",
        fr "En dessous, remplacer maintenant ou réserver au secteur.",
        en "Below, replace now or keep on mains.",
        source "Cartable: does not last a morning of lessons.",
        source_fr "Cartable : ne tient plus une matinée de cours.";
    }

    /// Système d'exploitation : fin des mises à jour de sécurité.
    /// Operating system: end of security updates.
    os: OsPolicy {
        soon_days: u32 = 120, Some(0..=1000), "jours · days",
        fr "Jours avant la fin du support à partir desquels elle est annoncée.",
        en "Days before the end of support from which it is announced.",
        source "Cartable: time to plan a summer's re-installation.",
        source_fr "Cartable : le temps de prévoir une réinstallation pendant l'été.";

        critical_after_days: u32 = 365, Some(0..=5000), "jours · days",
        fr "Jours après la fin du support à partir desquels c'est critique.",
        en "Days after the end of support from which it is critical.",
        source "Cartable: a year of known holes.",
        source_fr "Cartable : un an de failles connues.";

        windows_10_updates_until: Date = date(2025, 10, 14), None, "date",
        fr "Dernier jour des mises à jour de Windows 10 22H2 ; plus tard si des mises à jour étendues (ESU) sont achetées.",
        en "Last day of updates for Windows 10 22H2; later if extended updates (ESU) are bought.",
        source "Microsoft lifecycle: Windows 10 ended on 14 October 2025.",
        source_fr "Cycle de vie Microsoft : Windows 10 s'est arrêté le 14 octobre 2025.";
    }

    /// Horloge : écart avec celle du serveur.
    /// Clock: difference from the server's.
    clock: ClockPolicy {
        warning_minutes: u32 = 10, Some(1..=1_000_000), "minutes",
        fr "Écart à partir duquel un signalement est fait.",
        en "Difference from which there is a warning.",
        source "Kerberos tolerates 5 minutes (RFC 4120); twice that leaves room for a slow network.",
        source_fr "Kerberos tolère 5 minutes (RFC 4120) ; le double laisse de la marge à un réseau lent.";

        critical_minutes: u32 = 1440, Some(1..=10_000_000), "minutes",
        fr "Écart à partir duquel il est critique.",
        en "Difference from which it is critical.",
        source "Cartable: a day; secure web sites begin to refuse the device.",
        source_fr "Cartable : un jour ; des sites sécurisés commencent à refuser l'appareil.";
    }

    /// Mémoire changée : comparée à ce que l'équipe connaît.
    /// Memory changed: compared with what staff know.
    memory: MemoryPolicy {
        changed_percent: u32 = 15, Some(1..=90), "%",
        fr "Différence de mémoire à partir de laquelle elle a changé.",
        en "Difference in memory from which it has changed.",
        source "Cartable: firmware keeps up to an eighth for graphics; a missing module is a quarter or more.",
        source_fr "Cartable : le micrologiciel réserve jusqu'à un huitième à l'image ; une barrette absente, c'est un quart ou plus.";
    }
}
