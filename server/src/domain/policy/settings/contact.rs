//! Settings: when a device is expected, and what its silence or its contact means beside its loan.

use cartable_common::version::AgentVersion;

use crate::domain::school_calendar::Closure;

sections! {
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

        back_again_days: u32 = 7, Some(1..=365), "jours · days",
        fr "Jours pendant lesquels un contact après un silence signalé reste annoncé.",
        en "Days for which a contact after a flagged silence stays announced.",
        source "Cartable: a week, so that whoever was looking for the device reads of it (30 November 2026).",
        source_fr "Cartable : une semaine, pour que la personne qui cherchait l'appareil l'apprenne (30 novembre 2026).";
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

    /// Agent : sa version et sa clé.
    /// Agent: its version and its key.
    agent: AgentPolicy {
        least_version: AgentVersion = AgentVersion::new(0, 1, 0), None, "version",
        fr "Version de l'agent au-dessous de laquelle un signalement est fait.",
        en "Version of the agent below which there is a warning.",
        source "Cartable: the first version. Raise it once a newer one is installed everywhere.",
        source_fr "Cartable : la première version. À relever une fois une plus récente installée partout.";

        two_machines_minutes: u32 = 60, Some(1..=10_080), "minutes",
        fr "Minutes entre les contacts de deux machines avec une même clé au-dessous desquelles aucune réparation n'a pu avoir lieu.",
        en "Minutes between contacts of two machines with one key below which no repair can lie between them.",
        source "Cartable: one check-in interval; a main board is not exchanged in an hour (30 November 2026).",
        source_fr "Cartable : un intervalle de contact ; une carte mère ne se remplace pas en une heure (30 novembre 2026).";

        cloned_days: u32 = 30, Some(1..=365), "jours · days",
        fr "Jours sans contact d'une autre machine avec la clé d'un appareil après lesquels elle n'est plus signalée.",
        en "Days without a contact of another machine with a device's key after which it is no longer flagged.",
        source "Cartable: a month; a copied image that nobody starts for so long is gone (30 November 2026).",
        source_fr "Cartable : un mois ; une image copiée que personne ne démarre si longtemps a disparu (30 novembre 2026).";
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
}
