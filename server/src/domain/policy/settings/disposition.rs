//! Settings: what becomes of a device, with its prices.

sections! {
    /// Orientation : ce que devient un appareil. Les prix sont des estimations à remplacer par ceux du marché public.
    /// Disposition: what becomes of a device. The prices are estimates, to be replaced by those of your contracts.
    disposition: DispositionPolicy {
        windows_memory_gigabytes: u32 = 4, Some(1..=1024), "Go · GB",
        fr "Mémoire au-dessous de laquelle Windows 11 n'est pas proposé.",
        en "Memory below which Windows 11 is not proposed.",
        source "Microsoft, Windows 11 requirements: 4 GB. In practice 8 GB read better.",
        source_fr "Microsoft, configuration requise de Windows 11 : 4 Go. En pratique, 8 Go valent mieux.";

        windows_storage_gigabytes: u32 = 64, Some(1..=100_000), "Go · GB",
        fr "Stockage au-dessous duquel Windows 11 n'est pas proposé.",
        en "Storage below which Windows 11 is not proposed.",
        source "Microsoft, Windows 11 requirements: 64 GB.",
        source_fr "Microsoft, configuration requise de Windows 11 : 64 Go.";

        linux_memory_gigabytes: u32 = 4, Some(1..=1024), "Go · GB",
        fr "Mémoire au-dessous de laquelle Linux n'est pas proposé.",
        en "Memory below which Linux is not proposed.",
        source "Cartable: a browser of today in 2 GB is slow; ChromeOS Flex asks for 4 GB too.",
        source_fr "Cartable : un navigateur d'aujourd'hui est lent en 2 Go ; ChromeOS Flex demande aussi 4 Go.";

        linux_storage_gigabytes: u32 = 32, Some(1..=100_000), "Go · GB",
        fr "Stockage au-dessous duquel Linux n'est pas proposé.",
        en "Storage below which Linux is not proposed.",
        source "Cartable: a system with its updates, and room for a pupil's work.",
        source_fr "Cartable : un système, ses mises à jour, et la place du travail d'un élève.";

        relend_with_linux: bool = false, None, "true / false",
        fr "Reprêter sous Linux un appareil qui ne peut pas recevoir Windows 11.",
        en "Whether a device that cannot take Windows 11 is lent again with Linux.",
        source "Cartable: most programmes lend one system; those under NIRD lend Linux.",
        source_fr "Cartable : la plupart des dispositifs prêtent un seul système ; ceux de NIRD prêtent Linux.";

        recycle_years: u32 = 10, Some(1..=50), "ans · years",
        fr "Âge à partir duquel un appareil va au recyclage.",
        en "Age from which a device goes to recycling.",
        source "REEN law 2021-1485 art. 16: over ten years, recycling (verify with counsel).",
        source_fr "Loi REEN 2021-1485, art. 16 : au-delà de dix ans, recyclage (à vérifier avec un juriste).";

        sold_years: u32 = 3, Some(0..=20), "ans · years",
        fr "Années pendant lesquelles on vend des machines d'une génération de processeurs après sa sortie.",
        en "Years for which machines with a generation of processors are sold after it came out.",
        source "Cartable: a low estimate of the age where no date of purchase is known.",
        source_fr "Cartable : une estimation basse de l'âge là où aucune date d'achat n'est connue.";

        warranty_years: u32 = 3, Some(0..=20), "ans · years",
        fr "Durée de la garantie des appareils achetés.",
        en "Length of the warranty that devices are bought with.",
        source "Cartable: usual in public contracts; the end of a warranty less this is the day of purchase.",
        source_fr "Cartable : usuelle dans les marchés publics ; la fin de garantie moins cette durée est le jour d'achat.";

        month_euros: u32 = 5, Some(0..=1000), "€",
        fr "Valeur d'un mois d'usage restant.",
        en "Value of a month of use that is left.",
        source "Cartable: 600 euros over ten years. Ecodair bought 250 machines at 112 euros each (cio-online, 2016).",
        source_fr "Cartable : 600 euros sur dix ans. Ecodair a repris 250 machines à 112 euros pièce (cio-online, 2016).";

        repair_share_percent: u32 = 50, Some(1..=1000), "%",
        fr "Part de la valeur remise en état que la réparation peut coûter.",
        en "Share of the repaired value that the repair may cost.",
        source "Cartable: beyond half, the next fault makes it a loss.",
        source_fr "Cartable : au-delà de la moitié, la panne suivante en fait une perte.";

        donation_ceiling_euros: u32 = 300, Some(0..=100_000), "€",
        fr "Valeur unitaire au-dessus de laquelle un appareil ne peut pas être donné.",
        en "Unit value above which a device may not be given away.",
        source "CG3P art. L.3212-2 3° and L.3212-3, ceiling of 300 euros (decree of May 2022; verify with counsel).",
        source_fr "CG3P, art. L.3212-2 3° et L.3212-3, plafond de 300 euros (décret de mai 2022 ; à vérifier avec un juriste).";

        drive_euros: u32 = 35, Some(0..=10_000), "€",
        fr "Prix d'un disque SSD.",
        en "Price of a drive (SSD).",
        source "Cartable: an estimate for 240 GB.",
        source_fr "Cartable : une estimation pour 240 Go.";

        drive_minutes: u32 = 20, Some(0..=10_000), "minutes",
        fr "Temps d'atelier pour changer un disque.",
        en "Bench time to change a drive.",
        source "Cartable: an estimate, without the re-installation.",
        source_fr "Cartable : une estimation, hors réinstallation.";

        battery_euros: u32 = 45, Some(0..=10_000), "€",
        fr "Prix d'une batterie.",
        en "Price of a battery.",
        source "Cartable: an estimate.",
        source_fr "Cartable : une estimation.";

        battery_minutes: u32 = 15, Some(0..=10_000), "minutes",
        fr "Temps d'atelier pour changer une batterie.",
        en "Bench time to change a battery.",
        source "Cartable: an estimate.",
        source_fr "Cartable : une estimation.";

        fault_euros: u32 = 40, Some(0..=10_000), "€",
        fr "Prix moyen des pièces d'une panne vue par le personnel.",
        en "Average price of the parts for a fault that staff saw.",
        source "Cartable: an estimate between a keyboard and a screen.",
        source_fr "Cartable : une estimation entre un clavier et un écran.";

        fault_minutes: u32 = 60, Some(0..=10_000), "minutes",
        fr "Temps d'atelier moyen pour une panne vue par le personnel.",
        en "Average bench time for a fault that staff saw.",
        source "Cartable: an estimate, with the search for the fault.",
        source_fr "Cartable : une estimation, recherche de panne comprise.";

        relend_minutes: u32 = 30, Some(0..=10_000), "minutes",
        fr "Temps d'atelier pour remettre un appareil en prêt : contrôle, effacement, réinstallation.",
        en "Bench time to lend a device again: inspection, erasure, re-installation.",
        source "Cartable: an estimate; most of it runs by itself.",
        source_fr "Cartable : une estimation ; l'essentiel se fait seul.";

        donate_minutes: u32 = 45, Some(0..=10_000), "minutes",
        fr "Temps d'atelier pour donner un appareil : contrôle, effacement prouvé, Linux, papiers.",
        en "Bench time to give a device away: inspection, proven erasure, Linux, papers.",
        source "Cartable: an estimate.",
        source_fr "Cartable : une estimation.";

        parts_minutes: u32 = 25, Some(0..=10_000), "minutes",
        fr "Temps d'atelier pour démonter un appareil.",
        en "Bench time to take a device apart.",
        source "Cartable: an estimate.",
        source_fr "Cartable : une estimation.";

        parts_value_euros: u32 = 25, Some(0..=10_000), "€",
        fr "Valeur des pièces d'un appareil démonté.",
        en "Value of the parts of a device taken apart.",
        source "Cartable: an estimate for memory, a charger and a screen.",
        source_fr "Cartable : une estimation pour la mémoire, un chargeur et un écran.";

        recycle_minutes: u32 = 10, Some(0..=10_000), "minutes",
        fr "Temps d'atelier pour envoyer un appareil au recyclage.",
        en "Bench time to send a device to recycling.",
        source "Cartable: an estimate; its drive is erased or destroyed.",
        source_fr "Cartable : une estimation ; son disque est effacé ou détruit.";

        bench_euros_per_hour: u32 = 35, Some(0..=1000), "€",
        fr "Prix d'une heure d'atelier.",
        en "Price of an hour at the bench.",
        source "Cartable: an estimate with charges.",
        source_fr "Cartable : une estimation, charges comprises.";

        fresh_days: u32 = 60, Some(1..=3650), "jours · days",
        fr "Âge au-delà duquel un relevé ne suffit plus à être sûr.",
        en "Age beyond which a report is no longer enough to be sure.",
        source "Cartable: the summer holidays, from the last lesson to the first.",
        source_fr "Cartable : les grandes vacances, du dernier cours au premier.";

        worn_drive_months: u32 = 12, Some(0..=600), "mois · months",
        fr "Mois d'usage que l'on attend encore d'un disque usé.",
        en "Months of use that are still expected of a worn drive.",
        source "Cartable: a school year, after which it is judged again; wear says how much is used, not when it ends.",
        source_fr "Cartable : une année scolaire, puis un nouveau jugement ; l'usure dit ce qui est consommé, pas quand il s'arrête.";

        worn_battery_months: u32 = 18, Some(0..=600), "mois · months",
        fr "Mois d'usage que l'on attend encore d'une batterie entre les deux seuils de prêt.",
        en "Months of use that are still expected of a battery between the two bounds of lending.",
        source "Cartable: some ten percent of the capacity go each year.",
        source_fr "Cartable : une batterie perd environ dix pour cent de sa capacité par an.";
    }
}
