//! Settings: what yearly figures are counted with.

use crate::domain::figures::policy_data::{ImpactFactor, ReuseTarget, known_factors, known_targets};

sections! {
    /// Chiffres annuels : objectifs de réemploi, facteurs environnementaux, temps d'atelier. docs/figures.md dit comment
    /// chaque chiffre est compté.
    /// Yearly figures: targets of reuse, environmental factors, time on the bench. docs/figures.md says how each figure is
    /// counted.
    figures: FiguresPolicy {
        reuse_targets: Vec<ReuseTarget> = known_targets(), None, "liste · list",
        fr "Objectif de réemploi des appareils réformés : une ligne par année d'effet, avec la part en pour cent ; la plus récente qui a pris effet compte.",
        en "Target for the reuse of reformed devices: one line for each year of effect, with the share in percent; the latest that has begun counts.",
        source "Décret 2023-266 of 12 April 2023, art. 3 (REEN law 2021-1485, art. 16): 25 % in 2023, 35 % in 2024, 50 % from 2025; verify with counsel.",
        source_fr "Décret n° 2023-266 du 12 avril 2023, art. 3 (loi REEN n° 2021-1485, art. 16) : 25 % en 2023, 35 % en 2024, 50 % à partir de 2025 ; à vérifier avec un juriste.";

        most_years: u32 = 10, Some(1..=50), "ans · years",
        fr "Âge à la date de la réforme au-delà duquel un appareil n'entre ni dans A ni dans B.",
        en "Age on the day of its reform beyond which a device is in neither A nor B.",
        source "Décret 2023-266, art. 1: devices of more than ten years on the date of their reform are left out; verify with counsel.",
        source_fr "Décret n° 2023-266, art. 1 : les matériels réformés de plus de dix ans à la date de la réforme sont exclus ; à vérifier avec un juriste.";

        not_ours: Vec<String> = Vec::new(), None, "liste · list",
        fr "Propriétaires, tels que les dispositifs les nomment, dont les appareils n'entrent ni dans A ni dans B.",
        en "Owners, as programmes name them, whose devices are in neither A nor B.",
        source "Cartable: the duty is that of the body that owns and reforms; partners' devices are theirs to count.",
        source_fr "Cartable : l'obligation est celle de la collectivité qui possède et réforme ; un partenaire compte les siens.";

        factors: Vec<ImpactFactor> = known_factors(), None, "liste · list",
        fr "Ce qu'un appareil reconditionné évite par année d'usage : type, date de publication, grammes de CO2 équivalent, de matières et de déchets électroniques ; un type sans ligne n'évite rien.",
        en "What a refurbished device avoids in a year of use: kind, date of publication, grams of CO2 equivalent, of materials and of electronic waste; a kind without a line avoids nothing.",
        source "ADEME, study of refurbished products, 9 September 2022: a laptop avoids 27 kg CO2e, 127 kg of materials and 314 g of electronic waste a year (quoted from alliancy.fr).",
        source_fr "ADEME, évaluation de produits reconditionnés, 9 septembre 2022 : un portable évite 27 kg CO2e, 127 kg de matières et 314 g de déchets électroniques par an (cité d'après alliancy.fr).";

        visit_minutes: u32 = 60, Some(1..=1440), "minutes",
        fr "Minutes comptées au plus pour un passage à une étape d'atelier : au-delà, l'appareil attendait.",
        en "Minutes counted at most for one visit to a stage of the workshop: beyond, the device was waiting.",
        source "Cartable: an inspection takes minutes, a repair less than an hour; what lies overnight is not worked on.",
        source_fr "Cartable : un contrôle prend quelques minutes, une réparation moins d'une heure ; la nuit, personne n'y travaille.";
    }
}
