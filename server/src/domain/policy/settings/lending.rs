//! Settings: letters, who gets which device, and how long borrowers are known.

use crate::domain::{
    donation::basis::{BasisTerms, known},
    grade::Grade,
};

sections! {
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

    /// Dons : sous quel texte un appareil peut être donné, et jusqu'à quelle valeur. À vérifier avec un juriste.
    /// Donation: under which text a device may be given away, and up to which value. To be verified with counsel.
    donation: DonationPolicy {
        bases: Vec<BasisTerms> = known(), None, "liste · list",
        fr "Une ligne par fondement et par date d'effet, avec le plafond de la valeur d'un appareil en euros, pour tous ou par type ; la plus récente qui a pris effet compte, et un fondement sans ligne n'autorise rien.",
        en "One line for each basis and date of effect, with the ceiling of a unit's value in euros, for all kinds or by kind; the latest that has begun counts, and a basis without a line allows nothing.",
        source "CG3P L. 3212-2 and L. 3212-3, D. 3212-3 and D. 3212-5 (décret 2022-791, in force 9 May 2022): 300 €. Décret 2022-1413 (10 November 2022): laptop 180 €, desktop 150 €, tablet 100 €. Families: on no list, no text sets a ceiling; that of the listed recipients.",
        source_fr "CG3P L. 3212-2 et L. 3212-3, D. 3212-3 et D. 3212-5 (décret 2022-791, en vigueur le 9 mai 2022) : 300 €. Décret 2022-1413 (10 novembre 2022) : portable 180 €, fixe 150 €, tablette 100 €. Familles : sur aucune liste, aucun texte ne fixe de plafond ; celui des bénéficiaires listés.";
    }
}
