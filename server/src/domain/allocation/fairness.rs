//! How a proposal treats the sites: needs, met, share, average score.

use std::collections::BTreeMap;

use uuid::Uuid;

/// One site's figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteShare {
    /// The site.
    pub site: Uuid,
    /// Its needs in the proposal.
    pub needs: u32,
    /// Those with a device.
    pub met: u32,
    /// Their share in whole percent, rounded down: 100 only when all are met.
    pub percent: u32,
    /// The average score of its needs, in tenths of a point.
    pub average_tenths: u32,
}

impl SiteShare {
    /// The figures of a site with so many needs, so many of them met, and this sum of scores.
    #[must_use]
    pub fn of(site: Uuid, needs: u32, met: u32, score: u64) -> Self {
        let each = |sum: u64| u32::try_from(sum / u64::from(needs.max(1))).unwrap_or(u32::MAX);
        Self { site, needs, met, percent: each(u64::from(met) * 100), average_tenths: each(score * 10) }
    }
}

/// Each site's figures, by site: for each line its site, its score and whether it has a device.
#[must_use]
pub fn fairness(lines: impl IntoIterator<Item = (Uuid, u32, bool)>) -> Vec<SiteShare> {
    let mut sums: BTreeMap<Uuid, (u32, u32, u64)> = BTreeMap::new();
    for (site, score, met) in lines {
        let sum = sums.entry(site).or_default();
        *sum = (sum.0 + 1, sum.1 + u32::from(met), sum.2 + u64::from(score));
    }
    sums.into_iter().map(|(site, (needs, met, score))| SiteShare::of(site, needs, met, score)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_so_that_all_means_all() {
        let site = Uuid::from_u128(1);
        let lines = (0..3).map(|number| (site, 10 + number, number < 2));
        let one = SiteShare { site, needs: 3, met: 2, percent: 66, average_tenths: 110 };
        assert_eq!(fairness(lines), [one]);
        assert!(fairness([]).is_empty());
    }
}
