//! The schemes of a real programme and how many devices each has, scaled to the fleet that is asked for.

/// A scheme under which devices are lent or given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Programme {
    /// Laptops of the first campaign for pupils without equipment.
    FirstPupilLaptops,
    /// Laptops lent to pupils since.
    PupilLaptops,
    /// Desktops and laptops that stay at school.
    SchoolPool,
    /// Teachers' ultra-portables.
    Teachers,
    /// Tablets lent to pupils.
    PupilTablets,
    /// Tablets for children in care.
    CareTablets,
    /// Recycled computers given to pupils.
    RecycledToPupils,
    /// Recycled computers given to associations.
    RecycledToAssociations,
}

impl Programme {
    /// Every scheme with the number of its devices in the real programme (21,368 in all).
    pub const SIZES: [(Self, usize); 8] = [
        (Self::FirstPupilLaptops, 818),
        (Self::PupilLaptops, 3_600),
        (Self::SchoolPool, 8_200),
        (Self::Teachers, 4_000),
        (Self::PupilTablets, 2_600),
        (Self::CareTablets, 600),
        (Self::RecycledToPupils, 900),
        (Self::RecycledToAssociations, 650),
    ];

    /// The neutral code that the server keeps: who is in which scheme is restricted data.
    pub const fn code(self) -> &'static str {
        match self {
            Self::FirstPupilLaptops => "D1",
            Self::PupilLaptops => "D2",
            Self::SchoolPool => "D3",
            Self::Teachers => "D4",
            Self::PupilTablets => "D5",
            Self::CareTablets => "D6",
            Self::RecycledToPupils => "D7",
            Self::RecycledToAssociations => "D8",
        }
    }
}

/// How many devices of each scheme a fleet of `devices` has: the proportions of [`Programme::SIZES`], the rest going
/// to the largest fractions, so that the sum is exact.
pub fn shares(devices: usize) -> Vec<(Programme, usize)> {
    let whole: usize = Programme::SIZES.iter().map(|(_, size)| size).sum();
    let mut shares: Vec<(Programme, usize)> =
        Programme::SIZES.iter().map(|&(programme, size)| (programme, devices * size / whole)).collect();
    let missing = devices - shares.iter().map(|(_, share)| share).sum::<usize>();
    let mut by_fraction: Vec<usize> = (0..shares.len()).collect();
    by_fraction.sort_by_key(|&place| std::cmp::Reverse(devices * Programme::SIZES[place].1 % whole));
    for &place in by_fraction.iter().take(missing) {
        shares[place].1 += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_programme_is_reproduced_and_any_size_adds_up() {
        assert_eq!(shares(21_368), Programme::SIZES);
        for devices in [0, 1, 7, 100, 2_000, 25_000] {
            assert_eq!(shares(devices).iter().map(|(_, share)| share).sum::<usize>(), devices);
        }
    }
}
