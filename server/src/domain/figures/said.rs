//! Figures in words, once for the page, the report, the workbook and the API.

use cartable_common::report::Chassis;
use jiff::civil::Date;

use super::{
    Year,
    age::{AgeClass, Born},
    fact::Way,
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
                "Donnés sans ordre clos pour don, ou d'un type sans facteur.",
                "Given without an order closed for donation, or of a kind without a factor.",
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
                Said::new("donné sans ordre clos pour don", "given without an order closed for donation")
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
        let latest = date(self.latest);
        match self.earliest {
            Some(earliest) if earliest == self.latest => latest,
            Some(earliest) => {
                let earliest = date(earliest);
                Said::new(
                    format!("entre le {} et le {}", earliest.fr, latest.fr),
                    format!("between {} and {}", earliest.en, latest.en),
                )
            }
            None => Said::new(format!("au plus tard le {}", latest.fr), format!("{} at the latest", latest.en)),
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
