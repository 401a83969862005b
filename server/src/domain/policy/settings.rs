//! Every setting of the policy: name, default, range, meaning, unit and source, in one table from which the types,
//! the documented file and docs/rules.md follow.

use jiff::civil::{Date, date};

use super::setting::{Setting, Value};
use crate::domain::{grade::Grade, school_calendar::Closure};

/// Defines the policy's sections and the table of its settings.
macro_rules! policy {
    ($( $(#[doc = $section_doc:literal])* $section:ident: $type:ident { $(
        $key:ident: $value:ty = $default:expr, $range:expr, $unit:literal,
        fr $fr:literal, en $en:literal, source $source:literal, source_fr $source_fr:literal;
    )* } )*) => {
        /// The thresholds of all rules.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Policy {
            $( $(#[doc = $section_doc])* pub $section: $type, )*
        }

        $(
            $(#[doc = $section_doc])*
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub struct $type {
                $( #[doc = $en] pub $key: $value, )*
            }

            impl Default for $type {
                fn default() -> Self {
                    Self { $( $key: $default, )* }
                }
            }
        )*

        /// Every section with its heading.
        pub(super) const SECTIONS: &[(&str, &str)] = &[ $( (stringify!($section), concat!($($section_doc, "\n"),*)), )* ];

        /// Every setting, in the order of the file.
        pub(super) const SETTINGS: &[Setting] = &[ $( $( Setting {
            section: stringify!($section),
            key: stringify!($key),
            fr: $fr,
            en: $en,
            unit: $unit,
            range: $range,
            source: $source,
            source_fr: $source_fr,
            read: |policy, value| {
                policy.$section.$key = <$value as Value>::read(value, $range.as_ref())?;
                Ok(())
            },
            write: |policy| Value::write(&policy.$section.$key),
        }, )* )* ];
    };
}

policy! {
    /// Prochain contact : quand un appareil doit revenir.
    /// Next check-in: when a device should come back.
    check_in: CheckInPolicy {
        interval_minutes: u32 = 60, Some(1..=1440), "minutes",
        fr "Temps entre deux contacts.",
        en "Time between two check-ins.",
        source "Cartable: one hour keeps the overview fresh for about 1 ms of server time per device and hour.",
        source_fr "Cartable : une heure garde la vue d'ensemble fraîche pour environ 1 ms de serveur par appareil.";

        jitter_percent: u32 = 10, Some(0..=50), "%",
        fr "Part de l'intervalle dont chaque contact est avancé ou retardé au hasard.",
        en "Share of the interval by which each check-in is moved at random, both ways.",
        source "Cartable: enough for devices that met once to drift apart.",
        source_fr "Cartable : assez pour que des appareils qui se sont croisés s'écartent.";

        herd_from_hour: u32 = 8, Some(0..=23), "heure de Paris · hour in Paris",
        fr "Début des heures où toute une classe ouvre ses ordinateurs à la fois.",
        en "Start of the hours at which a whole class opens its laptops at once.",
        source "GLPI plugin fusioninventory, PR 3066: 20 to 30% of a school's inventories arrive between 8 and 10.",
        source_fr "Extension fusioninventory de GLPI, PR 3066 : 20 à 30 % des inventaires arrivent entre 8 h et 10 h.";

        herd_until_hour: u32 = 10, Some(0..=24), "heure de Paris · hour in Paris",
        fr "Fin de ces heures ; égale au début, il n'y en a pas.",
        en "End of those hours; equal to their start, there are none.",
        source "As above.",
        source_fr "Comme ci-dessus.";

        herd_jitter_percent: u32 = 40, Some(0..=50), "%",
        fr "Étalement pendant ces heures, à la place de jitter_percent.",
        en "Spread during those hours, instead of jitter_percent.",
        source "Cartable: after one interval the morning's burst has become an even flow.",
        source_fr "Cartable : au bout d'un intervalle, l'afflux du matin est devenu un flux régulier.";
    }

    /// Appareil silencieux : plus de nouvelles pendant trop de jours de classe.
    /// Silent: not heard from for too many school days.
    silent: SilentPolicy {
        warning_school_days: u32 = 10, Some(1..=200), "jours de classe · school days",
        fr "Jours de classe sans contact avant un signalement.",
        en "School days without contact before a warning.",
        source "Cartable: two school weeks; an illness or a school trip is shorter.",
        source_fr "Cartable : deux semaines de classe ; une maladie ou un voyage scolaire est plus court.";

        critical_school_days: u32 = 20, Some(1..=400), "jours de classe · school days",
        fr "Jours de classe sans contact avant un signalement critique.",
        en "School days without contact before it is critical.",
        source "Cartable: four school weeks.",
        source_fr "Cartable : quatre semaines de classe.";
    }

    /// Calendrier scolaire : ce que Cartable ne connaît pas encore.
    /// School calendar: what Cartable does not know yet.
    calendar: CalendarPolicy {
        closures: Vec<Closure> = Vec::new(), None, "liste · list",
        fr "Jours sans classe à ajouter, premier et dernier jour, avec la zone s'il n'y en a qu'une : \"C 2027-10-23 2027-11-07\".",
        en "Days without school to add, first and last day, with the zone if there is only one: \"C 2027-10-23 2027-11-07\".",
        source "Built in: arrêtés of 7 December 2022 and 22 October 2025, until August 2027.",
        source_fr "Déjà connus : arrêtés du 7 décembre 2022 et du 22 octobre 2025, jusqu'en août 2027.";
    }

    /// Jamais enrôlé : connu depuis longtemps, mais l'agent n'a jamais été installé.
    /// Never enrolled: known for a while, but the agent was never installed.
    never_enrolled: NeverEnrolledPolicy {
        warning_days: u32 = 30, Some(1..=1000), "jours · days",
        fr "Jours après l'enregistrement d'un appareil avant un signalement.",
        en "Days after a device was recorded before a warning.",
        source "Cartable: a month to prepare a delivery.",
        source_fr "Cartable : un mois pour préparer une livraison.";
    }

    /// Prêts : ce que disent ensemble le prêt et le dernier contact de l'appareil.
    /// Loans: what the loan and the device's last word say together.
    loan: LoanPolicy {
        due_soon_days: u32 = 21, Some(1..=365), "jours · days",
        fr "Jours avant la date de retour à partir desquels elle est annoncée.",
        en "Days before the due date from which it is announced.",
        source "Manage1to1, return campaigns in US schools: the first reminder goes out three weeks before.",
        source_fr "Manage1to1, campagnes de retour d'écoles américaines : premier rappel trois semaines avant.";

        presumed_lost_school_days: u32 = 20, Some(1..=400), "jours de classe · school days",
        fr "Jours de classe sans contact à partir desquels un appareil en retard est présumé perdu.",
        en "School days without contact from which an overdue device is presumed lost.",
        source "Cartable: four school weeks, as for a critical silence.",
        source_fr "Cartable : quatre semaines de classe, comme pour un silence critique.";

        returned_contact_days: u32 = 3, Some(0..=365), "jours · days",
        fr "Jours après un retour pendant lesquels l'atelier peut l'allumer sans signalement.",
        en "Days after a return during which the workshop may switch it on without a flag.",
        source "Cartable: an inspection is done within days; later contacts come from somebody else's hands.",
        source_fr "Cartable : l'examen se fait en quelques jours ; des contacts plus tardifs viennent d'autres mains.";

        stock_contact_days: u32 = 14, Some(0..=365), "jours · days",
        fr "Jours de préparation après l'enrôlement ou la remise en stock, pendant lesquels un contact n'est pas un usage.",
        en "Days of preparation after enrolment or return to stock, during which a contact is not use.",
        source "Cartable: a delivery is prepared in two weeks.",
        source_fr "Cartable : une livraison se prépare en deux semaines.";

        in_use_days: u32 = 7, Some(1..=365), "jours · days",
        fr "Jours pendant lesquels un contact prouve un usage.",
        en "Days for which a contact proves use.",
        source "Cartable: a week, so that a laptop opened only in class still counts.",
        source_fr "Cartable : une semaine, pour qu'un ordinateur ouvert seulement en classe compte encore.";

        ceded_contact_days: u32 = 7, Some(0..=365), "jours · days",
        fr "Jours laissés après une cession pour retirer l'agent.",
        en "Days left after a cession to remove the agent.",
        source "Cartable: the agent has no business on a machine of somebody else (RGPD, art. 5).",
        source_fr "Cartable : l'agent n'a rien à faire sur la machine d'autrui (RGPD, art. 5).";

        warranty_days: u32 = 60, Some(1..=1000), "jours · days",
        fr "Jours avant la fin de la garantie d'un appareil prêté à partir desquels elle est annoncée.",
        en "Days before the end of a lent device's warranty from which it is announced.",
        source "Cartable: time to have the device brought, looked at and repaired under warranty.",
        source_fr "Cartable : le temps de faire venir l'appareil, de l'examiner et de le faire réparer sous garantie.";
    }

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

    /// Avis : quand les courriels partent.
    /// Notices: when e-mails leave.
    notices: NoticesPolicy {
        quiet_on_holidays: bool = true, None, "true/false",
        fr "Les rappels attendent le prochain jour de classe ; les confirmations de remise et de restitution partent toujours.",
        en "Reminders wait for the next school day; confirmations of hand-overs and returns always leave.",
        source "Cartable: nobody at the collège could answer.",
        source_fr "Cartable : personne au collège ne pourrait répondre.";

        from_hour: u32 = 8, Some(0..=23), "heure de Paris · hour in Paris",
        fr "Début des heures où les courriels partent.",
        en "Start of the hours at which e-mails leave.",
        source "Cartable: phones of families lie beside their beds.",
        source_fr "Cartable : les téléphones des familles sont posés près de leur lit.";

        until_hour: u32 = 19, Some(1..=24), "heure de Paris · hour in Paris",
        fr "Fin de ces heures.",
        en "End of those hours.",
        source "As above.",
        source_fr "Comme ci-dessus.";

        catch_up_days: u32 = 7, Some(0..=60), "jours · days",
        fr "Jours pendant lesquels un rappel manqué part encore, une seule fois.",
        en "Days for which a missed reminder still leaves, once.",
        source "Cartable: a week later it would only surprise.",
        source_fr "Cartable : une semaine plus tard, il ne ferait que surprendre.";
    }

    /// Attribution : à qui proposer quel appareil. Les besoins sont classés par la somme des poids de leurs motifs ; à
    /// égalité, le plus ancien passe d'abord. Un disque à risque n'est jamais proposé.
    /// Allocation: who is proposed which device. Needs are ranked by the sum of their reasons' weights; among equals the
    /// oldest comes first. A drive at risk is never proposed.
    allocation: AllocationPolicy {
        weight_ulis: u32 = 40, Some(0..=1000), "points",
        fr "Poids : élève d'un dispositif ULIS.",
        en "Weight: a pupil of an ULIS.",
        source "Hauts-de-Seine 2021 equipped every ULIS pupil first.",
        source_fr "Les Hauts-de-Seine ont équipé en 2021 tous les élèves d'ULIS en premier.";

        weight_no_computer: u32 = 30, Some(0..=1000), "points",
        fr "Poids : aucun ordinateur à la maison.",
        en "Weight: no computer at home.",
        source "Cartable: as much as the highest scholarship; to be settled with the collèges.",
        source_fr "Cartable : autant que la bourse la plus haute ; à convenir avec les collèges.";

        weight_shared: u32 = 15, Some(0..=1000), "points",
        fr "Poids : un ordinateur partagé par la fratrie.",
        en "Weight: one computer for brothers and sisters.",
        source "Cartable: half of no computer at all.",
        source_fr "Cartable : la moitié de l'absence d'ordinateur.";

        weight_band_1: u32 = 10, Some(0..=1000), "points",
        fr "Poids : bourse de collège, échelon 1.",
        en "Weight: scholarship of the first band.",
        source "Cartable: the bands of the national scholarship, ten points each.",
        source_fr "Cartable : les échelons de la bourse nationale, dix points chacun.";

        weight_band_2: u32 = 20, Some(0..=1000), "points",
        fr "Poids : bourse de collège, échelon 2.",
        en "Weight: scholarship of the second band.",
        source "As above.",
        source_fr "Comme ci-dessus.";

        weight_band_3: u32 = 30, Some(0..=1000), "points",
        fr "Poids : bourse de collège, échelon 3.",
        en "Weight: scholarship of the third band.",
        source "As above.",
        source_fr "Comme ci-dessus.";

        weight_replacement: u32 = 25, Some(0..=1000), "points",
        fr "Poids : remplacement d'un appareil en panne, perdu ou volé.",
        en "Weight: replaces a device that broke, was lost or stolen.",
        source "Cartable: a pupil who worked with a device goes on with one.",
        source_fr "Cartable : un élève qui travaillait avec un appareil continue.";

        site_floor_percent: u32 = 20, Some(0..=100), "%",
        fr "Part des besoins de chaque établissement servie avant le classement général.",
        en "Share of each site's needs that is served before the general ranking.",
        source "Cartable: no collège goes empty-handed because another has heavier reasons.",
        source_fr "Cartable : aucun collège ne reste sans rien parce qu'un autre a des motifs plus lourds.";

        reserve_percent: u32 = 5, Some(0..=100), "%",
        fr "Part des appareils prêtables gardée en réserve pour les pannes.",
        en "Share of the devices fit to be lent that is kept for breakage.",
        source "Cartable: one laptop in twenty breaks in a school year; replace with your own figure.",
        source_fr "Cartable : un portable sur vingt tombe en panne dans l'année ; à remplacer par votre chiffre.";

        battery_min_percent: u32 = 60, Some(0..=100), "%",
        fr "Santé de la batterie en dessous de laquelle un appareil n'est pas proposé.",
        en "Battery health below which a device is not proposed.",
        source "As battery.long_loan_percent: below, replace before any loan.",
        source_fr "Comme battery.long_loan_percent : en dessous, remplacer avant tout prêt.";

        grades: Vec<Grade> = vec![Grade::A, Grade::B], None, "liste · list",
        fr "Grades proposés.",
        en "Grades that are proposed.",
        source "Cartable: C and D go to repair or parts before they are lent.",
        source_fr "Cartable : C et D passent en réparation ou en pièces avant d'être prêtés.";

        ungraded: bool = true, None, "true / false",
        fr "Proposer un appareil qui n'a pas encore de grade.",
        en "Whether a device without a grade is proposed.",
        source "Cartable: a new delivery was never inspected.",
        source_fr "Cartable : une livraison neuve n'a jamais été inspectée.";

        unread: bool = false, None, "true / false",
        fr "Proposer un appareil qui devrait envoyer des relevés et dont la santé est inconnue.",
        en "Whether a device is proposed that should report and whose health is unknown.",
        source "Cartable: missing evidence is never health. Tablets, which have no agent, are not concerned.",
        source_fr "Cartable : une preuve absente n'est jamais la santé. Les tablettes, sans agent, ne sont pas concernées.";

        worn_drives: bool = false, None, "true / false",
        fr "Proposer un appareil dont le disque est usé.",
        en "Whether a device with a worn drive is proposed.",
        source "Cartable: a worn drive is not lent again without a check.",
        source_fr "Cartable : un disque usé n'est pas reprêté sans examen.";

        between_sites: bool = false, None, "true / false",
        fr "Proposer à un établissement le stock d'un autre.",
        en "Whether a site is proposed another site's stock.",
        source "Cartable: moving devices between collèges is work that somebody must agree to.",
        source_fr "Cartable : déplacer des appareils entre collèges est un travail que quelqu'un doit accepter.";
    }

    /// Vie privée : quand l'identité d'un bénéficiaire est oubliée.
    /// Privacy: when who a borrower was is forgotten.
    privacy: PrivacyPolicy {
        identity_days: u32 = 90, Some(1..=1095), "jours · days",
        fr "Jours après le dernier retour, puis l'identité est effacée ; la référence et l'historique des prêts restent.",
        en "Days after the last return, then who the borrower was is erased; the reference and the loans stay.",
        source "Cartable: a term to settle damage or loss. RGPD art. 5(1)(e) asks for no longer than needed.",
        source_fr "Cartable : un trimestre pour régler une casse ou une perte. RGPD art. 5.1.e : pas plus que nécessaire.";

        unused_identity_days: u32 = 400, Some(1..=1095), "jours · days",
        fr "Jours après la dernière saisie d'une identité qui n'a servi à aucun prêt depuis, puis elle est effacée.",
        en "Days after an identity was last entered without serving a loan since, then it is erased.",
        source "Cartable: one school year and the list that begins the next.",
        source_fr "Cartable : une année scolaire et la liste qui ouvre la suivante.";
    }
}
