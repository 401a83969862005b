//! Models and generations of processors that rules need by name, each with the year in which it came out. See the
//! module above for what was verified.

/// Core generations with the year in which each came out.
pub(super) const CORE_YEARS: [(u32, i16); 13] = [
    (2, 2011),
    (3, 2012),
    (4, 2013),
    (5, 2015),
    (6, 2015),
    (7, 2016),
    (8, 2017),
    (9, 2018),
    (10, 2019),
    (11, 2020),
    (12, 2021),
    (13, 2022),
    (14, 2023),
];

/// Models of the 7th generation that the lists name: Core X with six cores or more.
pub(super) const SEVENTH_LISTED: [&str; 7] = ["7800x", "7820x", "7900x", "7920x", "7940x", "7960x", "7980xe"];

/// Models that nobody can judge by their name: the 7820HQ is listed only where its maker shipped modern drivers, the
/// 8121U (the one Core of its design) is of a listed generation and not on the list.
pub(super) const CORE_SOMETIMES: [(&str, i16); 2] = [("7820hq", 2017), ("8121u", 2018)];

/// Celeron, Pentium, Intel N and Intel U.
pub(super) const SMALL_LISTED: [(&str, i16); 54] = [
    ("3867u", 2018),
    ("4205u", 2019),
    ("4305u", 2019),
    ("4305ue", 2019),
    ("4417u", 2019),
    ("4425y", 2019),
    ("5205u", 2019),
    ("5305u", 2020),
    ("5405u", 2019),
    ("6305", 2020),
    ("6305e", 2020),
    ("6405u", 2019),
    ("6500y", 2021),
    ("6805", 2020),
    ("7300", 2022),
    ("7305", 2022),
    ("7305e", 2022),
    ("7305l", 2022),
    ("7505", 2020),
    ("8500", 2022),
    ("8505", 2022),
    ("j4005", 2017),
    ("j4025", 2019),
    ("j4105", 2017),
    ("j4115", 2018),
    ("j4125", 2019),
    ("j5005", 2017),
    ("j5040", 2019),
    ("j6412", 2021),
    ("j6413", 2021),
    ("j6426", 2021),
    ("n100", 2023),
    ("n150", 2025),
    ("n200", 2023),
    ("n250", 2025),
    ("n4000", 2017),
    ("n4020", 2019),
    ("n4100", 2017),
    ("n4120", 2019),
    ("n4500", 2021),
    ("n4505", 2021),
    ("n50", 2023),
    ("n5000", 2017),
    ("n5030", 2019),
    ("n5095", 2021),
    ("n5100", 2021),
    ("n5105", 2021),
    ("n6000", 2021),
    ("n6005", 2021),
    ("n6210", 2021),
    ("n6211", 2021),
    ("n6415", 2021),
    ("n95", 2023),
    ("n97", 2023),
];

/// Athlons on the lists.
pub(super) const ATHLON_LISTED: [&str; 17] = [
    "3000g", "300ge", "300u", "3045b", "3050c", "3050e", "3050ge", "3050u", "3125ge", "3150c", "3150g", "3150ge",
    "3150u", "320ge", "7120c", "7120u", "7220u",
];

/// Athlons before the listed ones: Zen's first generation, and names of the years before it.
pub(super) const ATHLON_OLD: [&str; 8] = ["200ge", "220ge", "240ge", "200u", "ii", "64", "x2", "x4"];

/// Ryzen sold as 2000 that are of the second generation.
pub(super) const RYZEN_2000_LISTED: [&str; 12] =
    ["2300x", "2500x", "2600", "2600e", "2600x", "2700", "2700e", "2700x", "2920x", "2950x", "2970wx", "2990wx"];

/// Ryzen sold as 2000 that are of the first generation.
pub(super) const RYZEN_2000_OLD: [&str; 10] =
    ["2200g", "2200ge", "2200u", "2300u", "2400g", "2400ge", "2500u", "2600h", "2700u", "2800h"];

/// The year of `model` in `list`.
pub(super) fn of(list: &[(&str, i16)], model: &str) -> Option<i16> {
    list.iter().find(|(name, _)| *name == model).map(|(_, year)| *year)
}
