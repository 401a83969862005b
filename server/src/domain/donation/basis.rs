//! Under which texts a public body may give a device away: to whom, of which value, since when. Dated policy data, each
//! line with its source; docs/donation.md says what to verify with counsel.
//!
//! The ceilings stand in the policy (`donation.bases`) as dated lines, because decrees change them; who is on which list
//! stands here, because it is the code of law itself.

use cartable_common::report::Chassis;
use jiff::civil::{Date, date};

use super::{Cents, RecipientClass};
use crate::domain::{verdict::text_enum, wording::Said};

text_enum! {
    /// A text under which a device may be given away.
    pub enum LegalBasis {
        /// CG3P art. L. 3212-3, which opens L. 3212-2, 3° to local authorities: free transfer of IT equipment that is no
        /// longer used to the listed associations and reuse bodies.
        Associations = "associations",
        /// The same, for resale at a solidarity price to people in precarity (L. 3212-2, last paragraphs; décret
        /// n° 2022-1413): the recipient's price may not pass its own ceiling.
        SolidarityResale = "solidarity_resale",
        /// CG3P art. L. 3212-3 with L. 3212-2, 5°: to the giver's own staff.
        OwnStaff = "own_staff",
        /// CG3P art. L. 3212-3 with L. 3212-2, 11°: to another public body.
        PublicBody = "public_body",
        /// A deliberation of the giver's assembly, for gifts to families through a collège. Families are on no list of
        /// L. 3212-2: this basis is the assembly's own decision, and stands or falls with it.
        FamiliesByDeliberation = "families_by_deliberation",
    }
}

/// What a text asks and allows from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasisTerms {
    /// The text.
    pub basis: LegalBasis,
    /// From this day, until a later line of the same text begins.
    pub from: Date,
    /// The highest value of a unit, by kind of device.
    pub ceiling: Ceiling,
}

/// The highest value of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// The same for every kind.
    Any(Cents),
    /// By kind; a kind that is not named may not be given under this text.
    ByKind(Vec<(Chassis, Cents)>),
}

impl Ceiling {
    /// The ceiling for a device of that kind; none where the text names none.
    #[must_use]
    pub fn of(&self, kind: Option<Chassis>) -> Option<Cents> {
        match self {
            Self::Any(cents) => Some(*cents),
            Self::ByKind(kinds) => kinds.iter().find(|(named, _)| Some(*named) == kind).map(|(_, cents)| *cents),
        }
    }
}

impl LegalBasis {
    /// To whom the text allows it.
    #[must_use]
    pub const fn classes(self) -> &'static [RecipientClass] {
        use RecipientClass as Class;
        match self {
            // D. 3212-3 names them; the general-interest associations since law 2022-217 (3DS), art. 178.
            Self::Associations => &[
                Class::ParentsAssociation,
                Class::SchoolSupport,
                Class::PublicUtility,
                Class::ReuseBody,
                Class::GeneralInterest,
                Class::StudentAssociation,
            ],
            Self::SolidarityResale => &[Class::PublicUtility, Class::GeneralInterest],
            Self::OwnStaff => &[Class::OwnStaff],
            Self::PublicBody => &[Class::PublicBody],
            Self::FamiliesByDeliberation => &[Class::CollegeForFamilies],
        }
    }

    /// Whether the number and the day of a deliberation are needed.
    #[must_use]
    pub const fn needs_deliberation(self) -> bool {
        matches!(self, Self::FamiliesByDeliberation)
    }

    /// Whether the battery must work: a solidarity price is for a device that runs, with its battery (décret 2022-1413).
    #[must_use]
    pub const fn needs_working_battery(self) -> bool {
        matches!(self, Self::SolidarityResale)
    }

    /// Where the text can be read.
    #[must_use]
    pub fn source(self) -> Said {
        let (fr, en) = match self {
            Self::Associations => (
                "CG3P art. L. 3212-3 et L. 3212-2, 3° ; D. 3212-3 (décret n° 2022-791 du 6 mai 2022)",
                "CG3P art. L. 3212-3 and L. 3212-2, 3°; D. 3212-3 (décret no. 2022-791 of 6 May 2022)",
            ),
            Self::SolidarityResale => (
                "CG3P art. L. 3212-3 et L. 3212-2, 3° ; décret n° 2022-1413 du 7 novembre 2022 (prix solidaires)",
                "CG3P art. L. 3212-3 and L. 3212-2, 3°; décret no. 2022-1413 of 7 November 2022 (solidarity prices)",
            ),
            Self::OwnStaff => (
                "CG3P art. L. 3212-3 et L. 3212-2, 5° (plafond de 300 €)",
                "CG3P art. L. 3212-3 and L. 3212-2, 5° (ceiling of 300 €)",
            ),
            Self::PublicBody => (
                "CG3P art. L. 3212-3 et L. 3212-2, 11° ; D. 3212-5 (décret n° 2022-791 du 6 mai 2022)",
                "CG3P art. L. 3212-3 and L. 3212-2, 11°; D. 3212-5 (décret no. 2022-791 of 6 May 2022)",
            ),
            Self::FamiliesByDeliberation => (
                "Délibération de l'assemblée ; les familles ne figurent pas dans la liste de CG3P L. 3212-2",
                "The assembly's deliberation; families are not on the list of CG3P L. 3212-2",
            ),
        };
        Said::new(fr, en)
    }

    /// What whoever prepares or approves must be told besides: the text is no settled ground.
    #[must_use]
    pub fn warning(self) -> Option<Said> {
        matches!(self, Self::FamiliesByDeliberation).then(|| {
            Said::new(
                "Les familles ne figurent pas parmi les bénéficiaires de CG3P L. 3212-2 : un don direct demande un autre \
                 fondement, que cette délibération doit établir. À vérifier avec un juriste avant l'approbation.",
                "Families are not among the recipients of CG3P L. 3212-2: a direct gift needs another basis, which this \
                 deliberation must establish. Verify with counsel before approving.",
            )
        })
    }
}

/// The terms of a text that are in force on `day`: its latest line that has begun.
#[must_use]
pub fn in_force(known: &[BasisTerms], basis: LegalBasis, day: Date) -> Option<&BasisTerms> {
    known.iter().filter(|terms| terms.basis == basis && terms.from <= day).max_by_key(|terms| terms.from)
}

/// The texts as they were known on 29 November 2026. The decree 2022-791 came into force on 9 May 2022, the decree
/// 2022-1413 on 10 November 2022 (each the day after its publication). No text sets a ceiling for families: that of
/// the listed recipients is taken.
#[must_use]
pub fn known() -> Vec<BasisTerms> {
    let any = |basis, from, euros| BasisTerms { basis, from, ceiling: Ceiling::Any(Cents::of_euros(euros)) };
    let decree = date(2022, 5, 9);
    vec![
        any(LegalBasis::Associations, decree, 300),
        BasisTerms {
            basis: LegalBasis::SolidarityResale,
            from: date(2022, 11, 10),
            ceiling: Ceiling::ByKind(vec![
                (Chassis::Laptop, Cents::of_euros(180)),
                (Chassis::Desktop, Cents::of_euros(150)),
                (Chassis::Tablet, Cents::of_euros(100)),
            ]),
        },
        any(LegalBasis::OwnStaff, decree, 300),
        any(LegalBasis::PublicBody, decree, 300),
        any(LegalBasis::FamiliesByDeliberation, decree, 300),
    ]
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "holds \"{0}\", but must hold a basis ({list}), the first day of its ceiling, and the ceiling in whole euros: \
     \"associations 2022-05-09 300\" for every kind of device, \"solidarity_resale 2022-11-10 laptop 180 tablet 100\" by kind",
    list = LegalBasis::ALL.iter().map(|basis| basis.as_str()).collect::<Vec<_>>().join(", ")
)]
pub struct InvalidBasis(String);

impl std::fmt::Display for BasisTerms {
    /// As it stands in the policy: `solidarity_resale 2022-11-10 laptop 180 tablet 100`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.basis, self.from)?;
        match &self.ceiling {
            Ceiling::Any(cents) => write!(f, " {}", cents.get() / 100),
            Ceiling::ByKind(kinds) => {
                kinds.iter().try_for_each(|(kind, cents)| write!(f, " {} {}", kind.as_str(), cents.get() / 100))
            }
        }
    }
}

impl std::str::FromStr for BasisTerms {
    type Err = InvalidBasis;
    fn from_str(text: &str) -> Result<Self, InvalidBasis> {
        let wrong = || InvalidBasis(text.to_owned());
        let euros = |word: &str| match word.parse::<u32>() {
            Ok(euros) if euros <= super::MAX_CENTS / 100 => Ok(Cents::of_euros(euros)),
            Ok(_) | Err(_) => Err(wrong()),
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let [basis, from, ceiling @ ..] = words.as_slice() else { return Err(wrong()) };
        let ceiling = match ceiling {
            [one] => Ceiling::Any(euros(one)?),
            pairs if !pairs.is_empty() && pairs.len().is_multiple_of(2) => {
                let mut kinds: Vec<(Chassis, Cents)> = Vec::new();
                for pair in pairs.chunks_exact(2) {
                    let kind = Chassis::ALL.iter().copied().find(|kind| kind.as_str() == pair[0]).ok_or_else(wrong)?;
                    if kind == Chassis::Unknown || kinds.iter().any(|(known, _)| *known == kind) {
                        return Err(wrong());
                    }
                    kinds.push((kind, euros(pair[1])?));
                }
                Ceiling::ByKind(kinds)
            }
            _ => return Err(wrong()),
        };
        Ok(Self { basis: basis.parse().map_err(|_| wrong())?, from: from.parse().map_err(|_| wrong())?, ceiling })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_texts_are_read_as_they_are_written() {
        for terms in known() {
            assert_eq!(terms.to_string().parse::<BasisTerms>(), Ok(terms));
        }
        for bad in [
            "",
            "associations",
            "associations 2022-05-09",
            "families 2022-05-09 300",
            "associations 2022-13-09 300",
            "associations 2022-05-09 300.50",
            "associations 2022-05-09 -3",
            "associations 2022-05-09 100001",
            "associations 2022-05-09 laptop",
            "associations 2022-05-09 laptop 1 laptop 2",
            "associations 2022-05-09 phone 1",
            "associations 2022-05-09 unknown 1",
            "associations 2022-05-09 300 laptop 180",
        ] {
            let told = bad.parse::<BasisTerms>().unwrap_err().to_string();
            assert!(told.contains(bad) && told.contains("families_by_deliberation"), "{told}");
        }
    }

    #[test]
    fn the_latest_line_that_has_begun_counts() {
        let mut bases = known();
        bases.push("associations 2027-01-01 350".parse().unwrap());
        let ceiling = |day| in_force(&bases, LegalBasis::Associations, day).and_then(|terms| terms.ceiling.of(None));
        assert_eq!(ceiling(date(2022, 5, 8)), None, "before any decree");
        assert_eq!(ceiling(date(2022, 5, 9)), Some(Cents::of_euros(300)));
        assert_eq!(ceiling(date(2026, 12, 31)), Some(Cents::of_euros(300)));
        assert_eq!(ceiling(date(2027, 1, 1)), Some(Cents::of_euros(350)));
    }

    #[test]
    fn a_kind_without_a_price_has_no_ceiling() {
        let bases = known();
        let resale = in_force(&bases, LegalBasis::SolidarityResale, date(2026, 11, 29)).unwrap();
        assert_eq!(resale.ceiling.of(Some(Chassis::Laptop)), Some(Cents::of_euros(180)));
        assert_eq!(resale.ceiling.of(Some(Chassis::Tablet)), Some(Cents::of_euros(100)));
        for kind in [Some(Chassis::Server), None] {
            assert_eq!(resale.ceiling.of(kind), None, "{kind:?}");
        }
    }

    #[test]
    fn every_class_has_a_text_and_families_have_one_of_their_own() {
        for class in RecipientClass::ALL {
            assert!(LegalBasis::ALL.iter().any(|basis| basis.classes().contains(class)), "{class}");
        }
        let families: Vec<_> = LegalBasis::ALL
            .iter()
            .filter(|basis| basis.classes().contains(&RecipientClass::CollegeForFamilies))
            .collect();
        assert_eq!(families, [&LegalBasis::FamiliesByDeliberation]);
        for basis in LegalBasis::ALL {
            assert_eq!(basis.warning().is_some(), *basis == LegalBasis::FamiliesByDeliberation);
            assert!(!basis.source().fr.is_empty());
        }
    }
}
