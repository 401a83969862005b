//! Figures in words, once for the page, the report, the workbook and the API.

use cartable_common::report::Chassis;
use jiff::civil::Date;

use super::{
    Figures, Year,
    age::{AgeClass, Born},
    fact::Way,
    impact::Saved,
    line::{Event, How, ListName, Reason},
};
use crate::domain::{
    donation::basis::LegalBasis,
    wording::{Said, count, date, number, typeset},
    work_order::Disposition,
};

impl ListName {
    /// What the list is called.
    #[must_use]
    pub fn title(self) -> Said {
        match self {
            Self::Reused => Said::new("A : orientés vers le réemploi dans l'année", "A: steered to reuse in the year"),
            Self::NotReused => Said::new("Sortis dans l'année, hors de A", "Left in the year, not in A"),
            Self::Stock => Said::new("B : réformés, en stock au 1er janvier", "B: reformed, in stock on 1 January"),
            Self::NotInStock => {
                Said::new("Réformés, en stock au 1er janvier, hors de B", "Reformed, in stock on 1 January, not in B")
            }
            Self::Reformed => Said::new("Réformés dans l'année", "Reformed in the year"),
            Self::Given => Said::new("Reconditionnés et donnés dans l'année", "Refurbished and given in the year"),
            Self::LentAgain => Said::new("Reprêtés après reconditionnement", "Lent again after refurbishment"),
            Self::NoImpact => Said::new(
                "Donnés ou reprêtés, rien de compté comme évité",
                "Given or lent again, nothing counted as avoided",
            ),
            Self::Orders => Said::new("Ordres d'atelier clos dans l'année", "Work orders closed in the year"),
            Self::Reopened => {
                Said::new("Ordres clos puis rouverts, hors des comptes", "Orders closed and reopened, not counted")
            }
        }
    }

    /// How it is counted.
    #[must_use]
    pub fn means(self) -> Said {
        match self {
            Self::Reused => Said::new(
                "Appareils remis à un bénéficiaire dans un lot approuvé, au jour de la remise, âgés de dix ans au plus à leur réforme.",
                "Devices that a recipient took in an approved lot, on the day of the hand-over, at most ten years old at their reform.",
            ),
            Self::NotReused => Said::new(
                "Tout autre appareil sorti du parc dans l'année, avec le motif. Un âge inconnu n'est jamais compté en faveur.",
                "Every other device that left the fleet in the year, with the reason. An unknown age is never counted in favour.",
            ),
            Self::Stock => Said::new(
                "Appareils dont la réforme était décidée et qui étaient encore là quand le 1er janvier a commencé. Un âge inconnu y est compté.",
                "Devices whose reform was decided and that were still there when 1 January began. Those of unknown age are counted.",
            ),
            Self::NotInStock => Said::new(
                "Réformés et présents, mais de plus de dix ans à leur réforme, ou à un partenaire.",
                "Reformed and there, but more than ten years old at their reform, or a partner's.",
            ),
            Self::Reformed => Said::new(
                "Appareils dont la réforme, décidée dans l'année, tenait encore à leur sortie ou à la fin de l'année.",
                "Devices whose reform, decided in the year, still stood when they left or when the year ended.",
            ),
            Self::Given => Said::new(
                "Appareils donnés dans l'année dont l'ordre d'atelier était clos pour don, d'un type qui a un facteur.",
                "Devices given in the year whose work order was closed for donation, of a kind with a factor.",
            ),
            Self::LentAgain => Said::new(
                "Appareils prêtés dans l'année pour la première fois depuis la clôture de leur ordre pour reprêt ; une fois par appareil.",
                "Devices lent in the year for the first time since their order was closed to lend them again; once for each device.",
            ),
            Self::NoImpact => Said::new(
                "Donnés sans passer par l'atelier, ou d'un type sans facteur.",
                "Given without the workshop, or of a kind without a factor.",
            ),
            Self::Orders => Said::new(
                "Ordres clos dans l'année et encore clos à sa fin, avec les pièces et les minutes depuis leur dernier décompte.",
                "Orders closed in the year and still closed at its end, with parts and minutes since they last counted.",
            ),
            Self::Reopened => Said::new(
                "Leur coût est compté dans l'année de leur dernière clôture.",
                "Their cost is counted in the year in which they are closed for good.",
            ),
        }
    }
}

impl ListName {
    /// What its sheet in a workbook is called: at most 31 characters.
    #[must_use]
    pub fn sheet(self) -> Said {
        match self {
            Self::Reused => Said::same("A"),
            Self::NotReused => Said::new("Hors de A", "Not in A"),
            Self::Stock => Said::same("B"),
            Self::NotInStock => Said::new("Hors de B", "Not in B"),
            Self::Reformed => Said::new("Réformés", "Reformed"),
            Self::Given => Said::new("Donnés", "Given"),
            Self::LentAgain => Said::new("Reprêtés", "Lent again"),
            Self::NoImpact => Said::new("Rien d'évité", "Nothing avoided"),
            Self::Orders => Said::new("Ordres", "Orders"),
            Self::Reopened => Said::new("Ordres rouverts", "Orders reopened"),
        }
    }

    /// Whether its units carry a reason for being left out.
    #[must_use]
    pub const fn leaves_out(self) -> bool {
        match self {
            Self::NotReused | Self::NotInStock | Self::NoImpact | Self::Reopened => true,
            Self::Reused | Self::Stock | Self::Reformed | Self::Given | Self::LentAgain | Self::Orders => false,
        }
    }
}

/// A kind of device.
#[must_use]
pub fn kind(kind: Option<Chassis>) -> Said {
    match kind {
        Some(Chassis::Laptop) => Said::new("portable", "laptop"),
        Some(Chassis::Tablet) => Said::new("tablette", "tablet"),
        Some(Chassis::Desktop) => Said::new("fixe", "desktop"),
        Some(Chassis::Server) => Said::new("serveur", "server"),
        Some(Chassis::Virtual) => Said::new("machine virtuelle", "virtual machine"),
        Some(Chassis::Unknown) | None => Said::new("inconnu", "unknown"),
    }
}

impl Reason {
    /// In words.
    #[must_use]
    pub fn said(self) -> Said {
        match self {
            Self::NotOurs => Said::new("appartient à un partenaire", "belongs to a partner"),
            Self::TooOld => Said::new("plus de dix ans à sa réforme", "more than ten years old at its reform"),
            Self::AgeUnknown => Said::new(
                "âge inconnu : rien ne dit qu'il avait dix ans au plus",
                "age unknown: nothing says that it was at most ten years old",
            ),
            Self::NoLegalBasis => {
                Said::new("cédé par son prêt, sans fondement enregistré", "ceded by its loan, without a recorded basis")
            }
            Self::Recycled => Said::new(
                "archivé après mise de côté pour recyclage ou pièces",
                "archived after it was set aside for recycling or parts",
            ),
            Self::NotGiven => Said::new(
                "archivé après réforme pour don, remis à personne",
                "archived after its reform for donation, given to nobody",
            ),
            Self::PutAway => {
                Said::new("archivé, devenir non enregistré", "archived, what became of it is not recorded")
            }
            Self::WrittenOff => Said::new("prêt passé en perte", "its loan was written off"),
            Self::CountedBefore => Said::new("déjà sorti auparavant", "it had left before"),
            Self::NotRefurbished => {
                Said::new("donné sans passer par l'atelier", "given without going through the workshop")
            }
            Self::NoFactor => Said::new("aucun facteur pour ce type", "no factor for this kind"),
            Self::Open => Said::new("ordre rouvert", "its order is open again"),
        }
    }
}

impl AgeClass {
    /// In words.
    #[must_use]
    pub fn said(self) -> Said {
        match self {
            Self::Within => Said::new("dix ans au plus", "at most ten years"),
            Self::Over => Said::new("plus de dix ans", "more than ten years"),
            Self::Unknown => Said::new("inconnu", "unknown"),
        }
    }
}

impl Born {
    /// In words.
    #[must_use]
    pub fn said(self) -> Said {
        let day = |day: Date| Said::same(day.to_string());
        match self.earliest {
            Some(earliest) if earliest == self.latest => day(earliest),
            Some(earliest) => Said::new(
                format!("entre {earliest} et {}", self.latest),
                format!("between {earliest} and {}", self.latest),
            ),
            None => Said::new(format!("avant {}", self.latest), format!("before {}", self.latest)),
        }
    }
}

/// What a unit became, in words.
#[must_use]
pub fn became(disposition: Disposition) -> Said {
    match disposition {
        Disposition::Relend => Said::new("à reprêter", "to lend again"),
        Disposition::Donate => Said::new("à donner", "to donate"),
        Disposition::Parts => Said::new("pour pièces", "for parts"),
        Disposition::Recycle => Said::new("à recycler", "to recycle"),
    }
}

/// A legal basis, in a few words.
#[must_use]
pub fn basis(basis: LegalBasis) -> Said {
    match basis {
        LegalBasis::Associations => Said::new("associations (CG3P L. 3212-3)", "associations (CG3P L. 3212-3)"),
        LegalBasis::SolidarityResale => {
            Said::new("revente solidaire (décret 2022-1413)", "solidarity resale (décret 2022-1413)")
        }
        LegalBasis::OwnStaff => Said::new("personnel (CG3P L. 3212-2, 5°)", "own staff (CG3P L. 3212-2, 5°)"),
        LegalBasis::PublicBody => {
            Said::new("personne publique (CG3P L. 3212-2, 11°)", "public body (CG3P L. 3212-2, 11°)")
        }
        LegalBasis::FamiliesByDeliberation => Said::new("familles, par délibération", "families, by deliberation"),
    }
}

impl Event {
    /// In words.
    #[must_use]
    pub fn said(&self) -> Said {
        match self {
            Self::Delivered { lot, recipient, basis: text } => {
                let text = basis(*text);
                Said {
                    fr: format!("{} {recipient}, lot {lot}, {}", typeset("remis à"), text.fr),
                    en: format!("taken by {recipient}, lot {lot}, {}", text.en),
                }
            }
            Self::Left(Way::CededByLoan) => Said::new("cédé par son prêt", "ceded by its loan"),
            Self::Left(Way::WrittenOff) => Said::new("prêt passé en perte", "loan written off"),
            Self::Left(Way::Archived) => Said::new("archivé", "archived"),
            Self::Reformed(How::Workshop(disposition)) => {
                let became = became(*disposition);
                Said::new(format!("ordre clos : {}", became.fr), format!("order closed: {}", became.en))
            }
            Self::Reformed(How::Lot(lot)) => {
                Said { fr: format!("lot approuvé\u{A0}: {lot}"), en: format!("lot approved: {lot}") }
            }
            Self::LentAgain => Said::new("reprêté", "lent again"),
            Self::Closed(disposition) => became(*disposition),
        }
    }
}

/// Thousandths as a share with one decimal.
#[must_use]
pub fn share(per_mille: u64) -> Said {
    let (whole, tenth) = (number(per_mille / 10), per_mille % 10);
    Said { fr: format!("{},{tenth}\u{A0}%", whole.fr), en: format!("{}.{tenth}%", whole.en) }
}

/// An amount of money.
#[must_use]
pub fn money(cents: u64) -> Said {
    let (euros, rest) = (number(cents / 100), cents % 100);
    Said { fr: format!("{},{rest:02}\u{A0}€", euros.fr), en: format!("€{}.{rest:02}", euros.en) }
}

/// A weight: grams below a kilogram, else kilograms with one decimal, rounded down.
#[must_use]
pub fn weight(grams: u64) -> Said {
    if grams < 1000 {
        return Said { fr: format!("{grams}\u{A0}g"), en: format!("{grams} g") };
    }
    let (kilos, tenth) = (number(grams / 1000), grams % 1000 / 100);
    Said { fr: format!("{},{tenth}\u{A0}kg", kilos.fr), en: format!("{}.{tenth} kg", kilos.en) }
}

/// An age in months, as years and months.
#[must_use]
pub fn age(months: i64) -> Said {
    let months = u64::try_from(months).unwrap_or_default();
    let years = count(months / 12, ("an", "year"), ("ans", "years"));
    let rest = count(months % 12, ("mois", "month"), ("mois", "months"));
    Said { fr: format!("{} {}", years.fr, rest.fr), en: format!("{} {}", years.en, rest.en) }
}

fn devices(value: usize) -> Said {
    count(value as u64, ("appareil", "device"), ("appareils", "devices"))
}

impl Figures {
    /// The ratio, what it is made of, and the target.
    #[must_use]
    pub fn reuse_said(&self) -> Said {
        let reuse = &self.reuse;
        let (a, b) = (devices(reuse.reused.len()), devices(reuse.stock.len()));
        let year = self.year.number();
        let Some(ratio) = reuse.per_mille().map(share) else {
            return Said::new(
                format!(
                    "Non défini : aucun appareil réformé n'était en stock au 1er janvier {year} (B = 0). {} orientés vers le réemploi (A).",
                    a.fr
                ),
                format!(
                    "Not defined: no reformed device was in stock on 1 January {year} (B = 0). {} steered to reuse (A).",
                    a.en
                ),
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
                "{} : {} orientés vers le réemploi en {year} (A), pour {} réformés en stock au 1er janvier (B) ; {}. {} de A étaient dans B.",
                ratio.fr,
                a.fr,
                b.fr,
                target.fr,
                number(reuse.reused_of_stock as u64).fr
            ),
            format!(
                "{}: {} steered to reuse in {year} (A), for {} reformed and in stock on 1 January (B); {}. {} of A were in B.",
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
        let all = devices(ages.reformed.len());
        let counts = Said::new(
            format!(
                "{} réformés : {} de dix ans au plus, {} de plus de dix ans, {} d'âge inconnu.",
                all.fr,
                n(ages.within).fr,
                n(ages.over).fr,
                n(ages.unknown).fr
            ),
            format!(
                "{} reformed: {} at most ten years old, {} older, {} of unknown age.",
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
        let all = devices(self.impact.given.len());
        saved_said(&self.impact.saved_given, (&format!("{} donnés", all.fr), &format!("{} given", all.en)))
    }

    /// What the units that were lent again avoid.
    #[must_use]
    pub fn lent_again_said(&self) -> Said {
        let all = devices(self.impact.lent_again.len());
        saved_said(&self.impact.saved_lent_again, (&format!("{} reprêtés", all.fr), &format!("{} lent again", all.en)))
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
                    "aucun appareil prêt, coût par appareil non défini",
                    "no device ready, cost of each not defined",
                )
            },
            |each| {
                let ready = count(all.ready(), ("appareil prêt", "device ready"), ("appareils prêts", "devices ready"));
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
                ("Coût par appareil prêt", "Cost of each device that is ready"),
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

fn saved_said(saved: &Saved, (fr, en): (&str, &str)) -> Said {
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

/// What the figures rest on that they do not tell, to be read with them.
#[must_use]
pub fn limits() -> [Said; 4] {
    [
        Said::new(
            "Un appareil dont rien ne dit l'âge compte dans B et jamais dans A ; enregistrer la fin de garantie lève le doute.",
            "A device whose age nothing tells counts in B and never in A; recording the end of its warranty settles it.",
        ),
        Said::new(
            "Cartable ne sait pas quels appareils contiennent des informations classifiées ou soumises à des obligations de sécurité particulières, que le décret exclut : les retirer à la main.",
            "Cartable does not know which devices hold classified information or information under special security duties, which the decree leaves out: take them out by hand.",
        ),
        Said::new(
            "Les minutes d'atelier sont le temps passé aux étapes, plafonné par passage, au tarif de la politique d'aujourd'hui ; les pièces sont au prix de leur emploi.",
            "Minutes on the bench are time at its stages, capped for each visit, at the rate of today's policy; parts are at the price of their use.",
        ),
        Said::new(
            "Lecture des textes par Cartable, à vérifier avec un juriste : loi n° 2021-1485, art. 16 ; décret n° 2023-266. Comment chaque chiffre est compté : docs/figures.md.",
            "Cartable's reading of the texts, to be verified with counsel: law 2021-1485, art. 16; décret 2023-266. How each figure is counted: docs/figures.md.",
        ),
    ]
}

/// Whether the year is over on `today`, in words.
#[must_use]
pub fn standing(year: Year, today: Date) -> Said {
    let day = date(today);
    if today < year.end() {
        Said::new(format!("Année en cours, au {}.", day.fr), format!("The year is not over: as of {}.", day.en))
    } else {
        Said::new(format!("Année close ; compté le {}.", day.fr), format!("The year is over; counted on {}.", day.en))
    }
}
