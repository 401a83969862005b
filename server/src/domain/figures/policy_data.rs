//! Targets and factors as lines of the policy: dated, because texts and studies change them.

use std::{fmt, str::FromStr};

use cartable_common::report::Chassis;
use jiff::civil::{Date, date};

/// The least share of reformed units that is to be steered to reuse, from a year on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ReuseTarget {
    /// From this year, until a later line.
    pub from_year: i16,
    /// In percent.
    pub percent: u32,
}

/// The targets of décret 2023-266, art. 3.
#[must_use]
pub fn known_targets() -> Vec<ReuseTarget> {
    [(2023, 25), (2024, 35), (2025, 50)].map(|(from_year, percent)| ReuseTarget { from_year, percent }).to_vec()
}

/// The target of a year: its latest line that has begun.
#[must_use]
pub fn target_of(targets: &[ReuseTarget], year: i16) -> Option<ReuseTarget> {
    targets.iter().copied().filter(|target| target.from_year <= year).max_by_key(|target| target.from_year)
}

/// What a refurbished unit avoids in a year of use, beside a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImpactFactor {
    /// Of which kind of device.
    pub kind: Chassis,
    /// The day on which it was published: it counts for years that end after that, until a later line.
    pub from: Date,
    /// Grams of CO2 equivalent.
    pub co2_grams: u32,
    /// Grams of materials extracted.
    pub material_grams: u32,
    /// Grams of electronic waste.
    pub waste_grams: u32,
}

/// ADEME, *Évaluation de l'impact environnemental d'un ensemble de produits reconditionnés*, published on 9 September
/// 2022: a laptop. Its figures for other kinds were not seen, so those have none.
#[must_use]
pub fn known_factors() -> Vec<ImpactFactor> {
    vec![ImpactFactor {
        kind: Chassis::Laptop,
        from: date(2022, 9, 9),
        co2_grams: 27_000,
        material_grams: 127_000,
        waste_grams: 314,
    }]
}

/// The factor for a kind in the year that ends before `end`.
#[must_use]
pub fn factor_of(factors: &[ImpactFactor], kind: Option<Chassis>, end: Date) -> Option<ImpactFactor> {
    let of_kind = factors.iter().copied().filter(|factor| Some(factor.kind) == kind && factor.from < end);
    of_kind.max_by_key(|factor| factor.from)
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLine {
    /// A target.
    #[error("holds \"{0}\", but must hold a year and a share of 1 to 100 percent, such as \"2025 50\"")]
    Target(String),
    /// A factor.
    #[error(
        "holds \"{0}\", but must hold a kind of device, the day of publication and what is avoided in a year of use, in \
         grams of CO2 equivalent, of materials and of waste: \"laptop 2022-09-09 27000 127000 314\""
    )]
    Factor(String),
}

impl fmt::Display for ReuseTarget {
    /// As it stands in the policy: `2025 50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.from_year, self.percent)
    }
}

impl FromStr for ReuseTarget {
    type Err = InvalidLine;
    fn from_str(text: &str) -> Result<Self, InvalidLine> {
        let wrong = || InvalidLine::Target(text.to_owned());
        let words: Vec<&str> = text.split_whitespace().collect();
        let [year, percent] = words.as_slice() else { return Err(wrong()) };
        let from_year = year.parse().ok().filter(|year| (2000..=9998).contains(year)).ok_or_else(wrong)?;
        let percent = percent.parse().ok().filter(|share| (1..=100).contains(share)).ok_or_else(wrong)?;
        Ok(Self { from_year, percent })
    }
}

impl fmt::Display for ImpactFactor {
    /// As it stands in the policy: `laptop 2022-09-09 27000 127000 314`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, from, co2_grams, material_grams, waste_grams } = self;
        write!(f, "{} {from} {co2_grams} {material_grams} {waste_grams}", kind.as_str())
    }
}

impl FromStr for ImpactFactor {
    type Err = InvalidLine;
    fn from_str(text: &str) -> Result<Self, InvalidLine> {
        /// A tonne a year, far beyond any device.
        const MOST_GRAMS: u32 = 10_000_000;
        let wrong = || InvalidLine::Factor(text.to_owned());
        let words: Vec<&str> = text.split_whitespace().collect();
        let [kind, from, co2, material, waste] = words.as_slice() else { return Err(wrong()) };
        let grams = |word: &str| word.parse::<u32>().ok().filter(|grams| *grams <= MOST_GRAMS).ok_or_else(wrong);
        let known = Chassis::ALL.iter().copied().find(|known| known.as_str() == *kind);
        Ok(Self {
            kind: known.filter(|kind| *kind != Chassis::Unknown).ok_or_else(wrong)?,
            from: from.parse().map_err(|_| wrong())?,
            co2_grams: grams(co2)?,
            material_grams: grams(material)?,
            waste_grams: grams(waste)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_lines_are_read_as_they_are_written() {
        for target in known_targets() {
            assert_eq!(target.to_string().parse(), Ok(target));
        }
        for factor in known_factors() {
            assert_eq!(factor.to_string().parse(), Ok(factor));
        }
        for bad in ["", "2025", "2025 0", "2025 101", "25 50", "2025 50 1", "2025 -5"] {
            assert!(bad.parse::<ReuseTarget>().unwrap_err().to_string().contains("\"2025 50\""), "{bad}");
        }
        for bad in ["", "laptop", "phone 2022-09-09 1 1 1", "laptop 2022-9-9 1 1 1", "unknown 2022-09-09 1 1 1"] {
            assert!(bad.parse::<ImpactFactor>().unwrap_err().to_string().contains("27000 127000 314"), "{bad}");
        }
    }

    #[test]
    fn the_latest_line_that_has_begun_counts() {
        let target = |year| target_of(&known_targets(), year).map(|target| target.percent);
        assert_eq!([2022, 2023, 2024, 2025, 2030].map(target), [None, Some(25), Some(35), Some(50), Some(50)]);
        let factor = |kind, year| factor_of(&known_factors(), Some(kind), date(year, 1, 1)).map(|one| one.co2_grams);
        assert_eq!(factor(Chassis::Laptop, 2022), None, "the year 2021 ended before it was published");
        assert_eq!(factor(Chassis::Laptop, 2027), Some(27_000));
        assert_eq!(factor(Chassis::Tablet, 2027), None);
    }
}
