//! Settings: what the forecast of ready units assumes where history says little.

sections! {
    /// Prévision : ce qui est supposé là où l'historique dit peu. Chaque valeur cède à l'historique à mesure qu'il grandit.
    /// Forecast: what is assumed where history says little. Each value gives way to history as it grows.
    forecast: ForecastPolicy {
        bench_minutes_per_day: u32 = 840, Some(1..=100_000), "minutes",
        fr "Minutes d'atelier par jour ouvré, toutes mains comptées.",
        en "Minutes at the bench per working day, all hands together.",
        source "Cartable: two people, seven hours each. Set the hands that you have; the pace of past weeks corrects it.",
        source_fr "Cartable : deux personnes, sept heures chacune. Indiquer les mains que l'on a ; le rythme des semaines passées corrige.";

        bench_spread_percent: u32 = 20, Some(1..=100), "%",
        fr "Incertitude sur ces minutes tant que le rythme n'a pas été observé.",
        en "How uncertain these minutes are before the pace was seen.",
        source "Cartable: one of five hands on leave, ill or on something else.",
        source_fr "Cartable : une main sur cinq en congé, malade ou ailleurs.";

        pace_days: u32 = 60, Some(5..=250), "jours ouvrés · working days",
        fr "Jours ouvrés sur lesquels le rythme de l'atelier est lu.",
        en "Working days over which the pace of the workshop is read.",
        source "Cartable: a quarter; what was longer ago was another team.",
        source_fr "Cartable : un trimestre ; plus ancien, c'était une autre équipe.";

        closed: Vec<crate::domain::school_calendar::Closure> = Vec::new(), None, "[\"2027-08-01 2027-08-15\"]",
        fr "Jours ouvrés où l'atelier est fermé.",
        en "Working days on which the workshop is closed.",
        source "Each workshop's own; public holidays and weekends are known.",
        source_fr "Propre à chaque atelier ; jours fériés et fins de semaine sont connus.";

        transport_days: u32 = 3, Some(0..=60), "jours ouvrés · working days",
        fr "Du retour au guichet jusqu'à l'atelier.",
        en "From the return at the desk to the workshop.",
        source "Cartable: a collection twice a week.",
        source_fr "Cartable : deux tournées par semaine.";

        erasure_days: u32 = 1, Some(0..=60), "jours · days",
        fr "Attente de l'effacement, hors travail.",
        en "Waiting for the erasure, beside the work.",
        source "Cartable: overwriting a disk takes a night.",
        source_fr "Cartable : écraser un disque prend une nuit.";

        installation_days: u32 = 2, Some(0..=60), "jours · days",
        fr "Attente de la réinstallation et du test final, hors travail.",
        en "Waiting for the re-installation and the final test, beside the work.",
        source "Cartable: both are done by the dozen.",
        source_fr "Cartable : les deux se font par douzaines.";

        decision_days: u32 = 3, Some(0..=60), "jours · days",
        fr "Attente de l'orientation.",
        en "Waiting for the decision.",
        source "Cartable: a weekly meeting is half a week away.",
        source_fr "Cartable : une réunion par semaine est en moyenne à une demi-semaine.";

        part_lead_days: u32 = 14, Some(0..=365), "jours · days",
        fr "Délai de livraison d'une pièce commandée aujourd'hui.",
        en "Days until a part that is ordered today is there.",
        source "Cartable: one to two weeks, as for refurbishment.repair_days.",
        source_fr "Cartable : une à deux semaines, comme pour refurbishment.repair_days.";

        service_percent: u32 = 90, Some(50..=99), "%",
        fr "Part des futurs possibles où la commande proposée suffit.",
        en "Share of the possible futures in which the proposed order is enough.",
        source "Cartable: a part too many waits on the shelf; one too few holds up a unit.",
        source_fr "Cartable : une pièce de trop attend sur l'étagère ; une de moins retient un appareil.";

        on_time_percent: u32 = 60, Some(1..=99), "%",
        fr "Prêts rendus au plus tard à l'échéance.",
        en "Loans returned on their due day or before.",
        source "Cartable: an estimate until a first campaign was counted.",
        source_fr "Cartable : une estimation jusqu'au comptage d'une première campagne.";

        late_days: u32 = 30, Some(1..=365), "jours · days",
        fr "Retard moyen des autres, au-delà de l'échéance.",
        en "How late the others come on average.",
        source "Cartable: two reminders, a fortnight apart.",
        source_fr "Cartable : deux relances à quinze jours d'écart.";

        never_percent: u32 = 5, Some(0..=90), "%",
        fr "Prêts qui ne reviennent pas : perdus, volés, passés en perte.",
        en "Loans that do not come back: lost, stolen, written off.",
        source "Cartable: an estimate until a first campaign was counted.",
        source_fr "Cartable : une estimation jusqu'au comptage d'une première campagne.";

        extended_percent: u32 = 5, Some(0..=95), "%",
        fr "Prêts à échoir qui seront prolongés au-delà de la période regardée.",
        en "Loans to come due that are extended beyond the days looked at.",
        source "Cartable: an estimate until loans were extended here.",
        source_fr "Cartable : une estimation tant que rien n'a été prolongé ici.";

        returns_spread_percent: u32 = 25, Some(0..=100), "%",
        fr "Ce dont une année diffère d'une autre dans la vitesse des retours.",
        en "By how much one year differs from another in the pace of returns.",
        source "Cartable: a strike, an epidemic or a keen head teacher moves all returns of a spring together.",
        source_fr "Cartable : une grève, une épidémie ou un chef d'établissement actif déplace tous les retours d'un printemps.";

        followed_percent: u32 = 75, Some(1..=99), "%",
        fr "Appareils qui deviennent ce que le conseil en disait.",
        en "Devices that become what the advice said.",
        source "Cartable: an estimate; the closed orders of each model and verdict replace it.",
        source_fr "Cartable : une estimation ; les ordres clos de chaque modèle et verdict la remplacent.";

        battery_need_percent: u32 = 15, Some(0..=100), "%",
        fr "Appareils remis en état qui demandent une batterie.",
        en "Refurbished units that take a battery.",
        source "Cartable: an estimate; the parts used on each model replace it.",
        source_fr "Cartable : une estimation ; les pièces posées sur chaque modèle la remplacent.";

        charger_need_percent: u32 = 10, Some(0..=100), "%",
        fr "Appareils remis en état qui demandent un chargeur.",
        en "Refurbished units that take a charger.",
        source "As for batteries.",
        source_fr "Comme pour les batteries.";

        drive_need_percent: u32 = 5, Some(0..=100), "%",
        fr "Appareils remis en état qui demandent un disque.",
        en "Refurbished units that take a drive.",
        source "As for batteries.",
        source_fr "Comme pour les batteries.";

        keyboard_need_percent: u32 = 4, Some(0..=100), "%",
        fr "Appareils remis en état qui demandent un clavier.",
        en "Refurbished units that take a keyboard.",
        source "As for batteries.",
        source_fr "Comme pour les batteries.";

        screen_need_percent: u32 = 3, Some(0..=100), "%",
        fr "Appareils remis en état qui demandent un écran.",
        en "Refurbished units that take a screen.",
        source "As for batteries.",
        source_fr "Comme pour les batteries.";

        prior_units: u32 = 20, Some(1..=10_000), "appareils · units",
        fr "Poids des suppositions : autant d'appareils observés pèsent autant.",
        en "Weight of the assumptions: so many observed units weigh as much.",
        source "Cartable: a class; after a hundred units the assumption weighs a sixth.",
        source_fr "Cartable : une classe ; après cent appareils la supposition pèse un sixième.";

        history_units: u32 = 300, Some(10..=100_000), "appareils · units",
        fr "Poids le plus grand de l'historique : au-delà, il ne rend pas plus sûr.",
        en "Most that history weighs: beyond, it makes nothing surer.",
        source "Cartable: the next spring is not one more draw from the last; ten thousand returns do not say so to a percent.",
        source_fr "Cartable : le printemps suivant n'est pas un tirage de plus du précédent ; dix mille retours ne le disent pas au pour cent près.";

        history_days: u32 = 730, Some(30..=3650), "jours · days",
        fr "Ancienneté de l'historique qui est lu.",
        en "How far back history is read.",
        source "Cartable: two school years, hence two campaigns.",
        source_fr "Cartable : deux années scolaires, donc deux campagnes.";
    }
}
