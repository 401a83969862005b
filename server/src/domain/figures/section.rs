//! Numbers that belong together and what is said of them, once for the page, the report and the API.

use super::{
    Figures,
    impact::Saved,
    line::ListName,
    said::{age, kind, share, weight},
};
use crate::domain::wording::{Said, count, date, money, number, typeset};

/// So many devices of which something is said, in the singular and the plural of both languages.
fn devices(value: usize, (one, many): (&str, &str), said: &str) -> Said {
    count(
        value as u64,
        (&format!("appareil {one}"), &format!("device {said}")),
        (&format!("appareils {many}"), &format!("devices {said}")),
    )
}

impl Figures {
    /// The ratio, what it is made of, and the target.
    #[must_use]
    pub fn reuse_said(&self) -> Said {
        let reuse = &self.reuse;
        let a =
            devices(reuse.reused.len(), ("orienté vers le réemploi", "orientés vers le réemploi"), "steered to reuse");
        let b = devices(reuse.stock.len(), ("réformé et en stock", "réformés et en stock"), "reformed and in stock");
        let year = self.year.number();
        let Some(ratio) = reuse.per_mille().map(share) else {
            return Said::new(
                format!(
                    "Non défini : aucun appareil réformé n'était en stock au 1er janvier {year} (B = 0). A : {}.",
                    a.fr
                ),
                format!("Not defined: no reformed device was in stock on 1 January {year} (B = 0). A: {}.", a.en),
            );
        };
        let target = match (reuse.target, reuse.is_reached()) {
            (Some(target), Some(true)) => Said::new(
                format!("objectif de {} % atteint", target.percent),
                format!("target of {}% reached", target.percent),
            ),
            (Some(target), _) => Said::new(
                format!("objectif de {} % non atteint", target.percent),
                format!("target of {}% not reached", target.percent),
            ),
            (None, _) => Said::new("aucun objectif cette année-là", "no target for that year"),
        };
        Said::new(
            format!(
                "{} : {} en {year} (A), pour {} au 1er janvier (B) ; {}. Appareils de A déjà comptés dans B : {}.",
                ratio.fr,
                a.fr,
                b.fr,
                target.fr,
                number(reuse.reused_of_stock as u64).fr
            ),
            format!(
                "{}: {} in {year} (A), for {} on 1 January (B); {}. Devices of A that were in B: {}.",
                ratio.en,
                a.en,
                b.en,
                target.en,
                number(reuse.reused_of_stock as u64).en
            ),
        )
    }

    /// The ages at reform.
    #[must_use]
    pub fn ages_said(&self) -> Said {
        let ages = &self.ages;
        let n = |value: usize| number(value as u64);
        let all = devices(ages.reformed.len(), ("réformé", "réformés"), "reformed");
        let counts = Said::new(
            format!(
                "{} : {} de dix ans au plus, {} de plus de dix ans, {} d'âge inconnu.",
                all.fr,
                n(ages.within).fr,
                n(ages.over).fr,
                n(ages.unknown).fr
            ),
            format!(
                "{}: {} at most ten years old, {} older, {} of unknown age.",
                all.en,
                n(ages.within).en,
                n(ages.over).en,
                n(ages.unknown).en
            ),
        );
        let (Some(median), Some(first), Some(last)) = (ages.median(), ages.months.first(), ages.months.last()) else {
            return Said {
                fr: format!("{} {}", counts.fr, typeset("Aucun jour d'achat n'est connu.")),
                en: format!("{} No day of purchase is known.", counts.en),
            };
        };
        let (median, first, last) = (age(median), age(*first), age(*last));
        let known = n(ages.months.len());
        Said {
            fr: format!(
                "{} {}",
                counts.fr,
                typeset(&format!(
                    "Âge médian des {} dont le jour d'achat est connu : {}, de {} à {}.",
                    known.fr, median.fr, first.fr, last.fr
                ))
            ),
            en: format!(
                "{} Median age of the {} whose day of purchase is known: {}, from {} to {}.",
                counts.en, known.en, median.en, first.en, last.en
            ),
        }
    }

    /// What the units that were given avoid.
    #[must_use]
    pub fn given_said(&self) -> Said {
        let all = devices(self.impact.given.len(), ("donné", "donnés"), "given");
        saved_said(&self.impact.saved_given, &all)
    }

    /// What the units that were lent again avoid.
    #[must_use]
    pub fn lent_again_said(&self) -> Said {
        let all = devices(self.impact.lent_again.len(), ("reprêté", "reprêtés"), "lent again");
        saved_said(&self.impact.saved_lent_again, &all)
    }

    /// What the workshop's orders cost.
    #[must_use]
    pub fn cost_said(&self) -> Said {
        let (all, work) = (&self.workshop.all, self.workshop.work);
        let orders = count(all.orders(), ("ordre clos", "order closed"), ("ordres clos", "orders closed"));
        let spent = (money(work.parts_cents), money(work.bench_cents), number(work.minutes));
        let each = all.cents_per_ready().map(money).map_or_else(
            || {
                Said::new(
                    "aucun appareil remis en état, coût par appareil non défini",
                    "no device ready, cost of each not defined",
                )
            },
            |each| {
                let ready = count(
                    all.ready(),
                    ("appareil remis en état", "device ready"),
                    ("appareils remis en état", "devices ready"),
                );
                Said::new(
                    format!("{} par appareil pour {}", each.fr, ready.fr),
                    format!("{} each for {}", each.en, ready.en),
                )
            },
        );
        Said::new(
            format!(
                "{} : {} de pièces et {} minutes d'atelier ({}) ; {}.",
                orders.fr, spent.0.fr, spent.2.fr, spent.1.fr, each.fr
            ),
            format!(
                "{}: {} of parts and {} minutes on the bench ({}); {}.",
                orders.en, spent.0.en, spent.2.en, spent.1.en, each.en
            ),
        )
    }

    /// The share that is fit for use.
    #[must_use]
    pub fn yield_said(&self) -> Said {
        let all = &self.workshop.all;
        let orders = count(all.orders(), ("ordre", "order"), ("ordres", "orders"));
        let Some(part) = all.yield_per_mille().map(share) else {
            return Said::new("Non défini : aucun ordre clos.", "Not defined: no order was closed.");
        };
        Said::new(
            format!("{} : {} à reprêter et {} à donner, sur {}.", part.fr, all.relend, all.donate, orders.fr),
            format!("{}: {} to lend again and {} to donate, of {}.", part.en, all.relend, all.donate, orders.en),
        )
    }

    /// Where the factors come from.
    #[must_use]
    pub fn factors_said(&self) -> Vec<Said> {
        let one = |factor: &super::policy_data::ImpactFactor| {
            let day = date(factor.from);
            let [co2, material, waste] =
                [factor.co2_grams, factor.material_grams, factor.waste_grams].map(|grams| weight(grams.into()));
            let kind = kind(Some(factor.kind));
            Said::new(
                format!(
                    "Facteur ({}), publié le {} : {} CO2e, {} de matières, {} de déchets électroniques par appareil et par année d'usage.",
                    kind.fr, day.fr, co2.fr, material.fr, waste.fr
                ),
                format!(
                    "Factor ({}), published on {}: {} CO2e, {} of materials, {} of electronic waste for each device and year of use.",
                    kind.en, day.en, co2.en, material.en, waste.en
                ),
            )
        };
        self.impact.factors.iter().map(one).collect()
    }
}

/// Numbers that belong together, for the page and the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name in addresses.
    pub id: &'static str,
    /// What it is about.
    pub title: Said,
    /// Its main number.
    pub value: Said,
    /// What that number says, and what it rests on.
    pub sentences: Vec<Said>,
    /// The lists behind it.
    pub lists: &'static [ListName],
}

impl Figures {
    /// All of them, in order.
    #[must_use]
    pub fn sections(&self) -> [Section; 5] {
        let undefined = || Said::new("non défini", "not defined");
        let all = &self.workshop.all;
        let mut avoided = vec![self.given_said(), self.lent_again_said()];
        avoided.extend(self.factors_said());
        let section = |id, (fr, en): (&str, &str), value: Option<Said>, sentences, lists| Section {
            id,
            title: Said::new(fr, en),
            value: value.unwrap_or_else(undefined),
            sentences,
            lists,
        };
        [
            section(
                "reuse",
                ("Réemploi des appareils réformés (A/B)", "Reuse of reformed devices (A/B)"),
                self.reuse.per_mille().map(share),
                vec![self.reuse_said()],
                &[ListName::Reused, ListName::NotReused, ListName::Stock, ListName::NotInStock],
            ),
            section(
                "ages",
                ("Âge médian à la réforme", "Median age at reform"),
                self.ages.median().map(age),
                vec![self.ages_said()],
                &[ListName::Reformed],
            ),
            section(
                "avoided",
                ("Évité par les appareils donnés", "Avoided by devices that were given"),
                Some(Said {
                    fr: format!("{} CO2e", weight(self.impact.saved_given.co2_grams).fr),
                    en: format!("{} CO2e", weight(self.impact.saved_given.co2_grams).en),
                }),
                avoided,
                &[ListName::Given, ListName::LentAgain, ListName::NoImpact],
            ),
            section(
                "cost",
                ("Coût par appareil remis en état", "Cost of each device that is ready"),
                all.cents_per_ready().map(money),
                vec![self.cost_said()],
                &[ListName::Orders, ListName::Reopened],
            ),
            section(
                "yield",
                ("Rendement de l'atelier", "Yield of the workshop"),
                all.yield_per_mille().map(share),
                vec![self.yield_said()],
                &[],
            ),
        ]
    }
}

fn saved_said(saved: &Saved, Said { fr, en }: &Said) -> Said {
    let [co2, material, waste] = [saved.co2_grams, saved.material_grams, saved.waste_grams].map(weight);
    Said::new(
        format!(
            "{fr} : {} CO2e, {} de matières et {} de déchets électroniques évités pour une année d'usage.",
            co2.fr, material.fr, waste.fr
        ),
        format!(
            "{en}: {} CO2e, {} of materials and {} of electronic waste avoided in one year of use.",
            co2.en, material.en, waste.en
        ),
    )
}
