//! Which processors Windows 11 supports, from their names: rules over families and generations, dated.
//!
//! Microsoft publishes lists of models (learn.microsoft.com, "Windows processor requirements", Windows 11 24H2 and 25H2
//! for Intel, AMD and Qualcomm). They are kept here as rules with their exceptions, so that a model of a listed
//! generation need not be typed in. A name that no rule knows is not known: it is never a "no". The lists could not be
//! opened on the day of the table, so it follows what secondary pages repeat of them: verify a doubtful model there.

use crate::domain::fitness::Answer;

/// The day on which the rules were written down.
pub const LIST_DATE: jiff::civil::Date = jiff::civil::date(2026, 11, 29);

/// What a processor's name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whether Windows 11 supports it.
    pub windows_11: Answer,
    /// The year in which its generation came out, where the rules know it: no machine with it is older.
    pub year: Option<i16>,
}

const UNKNOWN: Known = Known { windows_11: Answer::Unknown, year: None };

const fn yes(year: i16) -> Known {
    Known { windows_11: Answer::Met, year: Some(year) }
}

const fn no(year: i16) -> Known {
    Known { windows_11: Answer::NotMet, year: Some(year) }
}

/// What the rules know of a processor called `name`, as the operating system gives it.
#[must_use]
pub fn known(name: &str) -> Known {
    let name = name.to_lowercase().replace("(r)", " ").replace("(tm)", " ");
    let words: Vec<&str> = name.split([' ', '\t', ',']).filter(|word| !word.is_empty()).collect();
    let name = words.join(" ");
    if name.contains("snapdragon") || name.contains("microsoft sq") {
        return qualcomm(&name);
    }
    if name.contains("amd") || name.contains("ryzen") || name.contains("athlon") {
        return amd(&words);
    }
    if name.contains("intel") { intel(&name, &words) } else { UNKNOWN }
}

/// Core generations with the year in which each came out; the lists begin with the 8th.
const CORE_YEARS: [(u32, i16); 13] = [
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
/// The first Core generation of the lists.
const FIRST_CORE: u32 = 8;

fn intel(name: &str, words: &[&str]) -> Known {
    if name.contains("core ultra") {
        return yes(2023);
    }
    if name.contains("core 2") || name.contains("core2") {
        return no(2008);
    }
    if let Some(model) = words.iter().find_map(|word| core_model(word)) {
        return core(model);
    }
    // "Core i3 CPU M 370": the first generation wrote its number apart.
    if words.iter().any(|word| matches!(*word, "i3" | "i5" | "i7")) && name.contains("cpu") {
        return no(2010);
    }
    // "Core 5 120U", "Core 7 150U": the names of 2024.
    if name.contains("core 3 ") || name.contains("core 5 ") || name.contains("core 7 ") {
        return yes(2024);
    }
    if name.contains("atom") {
        return atom(words);
    }
    words.iter().find_map(|word| small_intel(word)).unwrap_or(UNKNOWN)
}

/// `i5-8250u`, `m3-8100y`: the part behind the family.
fn core_model(word: &str) -> Option<&str> {
    let (family, model) = word.split_once('-')?;
    matches!(family, "i3" | "i5" | "i7" | "i9" | "m3" | "m5" | "m7").then_some(model)
}

/// Models of the 7th generation that the lists name (Core X; the 7820HQ only where its maker shipped modern drivers,
/// which cannot be seen from here).
const SEVENTH_LISTED: [&str; 8] = ["7640x", "7740x", "7800x", "7820x", "7900x", "7920x", "7940x", "7960x"];
const SEVENTH_SOMETIMES: &str = "7820hq";

fn core(model: &str) -> Known {
    let digits: String = model.chars().take_while(char::is_ascii_digit).collect();
    let suffix = model.get(digits.len()..).unwrap_or_default();
    let Ok(number) = digits.parse::<u32>() else {
        // i3-N300 and i3-N305.
        return if model.starts_with("n3") { yes(2023) } else { UNKNOWN };
    };
    if SEVENTH_LISTED.contains(&model) {
        return yes(2017);
    }
    if model == SEVENTH_SOMETIMES {
        return Known { windows_11: Answer::Unknown, year: Some(2017) };
    }
    let generation = match digits.len() {
        5 => number / 1000,
        // 1035G1, 1165G7, 1235U: the 10th generation and later with four digits.
        4 if (1000..1500).contains(&number) && !suffix.is_empty() => number / 100,
        4 => number / 1000,
        3 => return no(2010),
        _ => return UNKNOWN,
    };
    let Some((_, year)) = CORE_YEARS.into_iter().find(|(known, _)| *known == generation) else { return UNKNOWN };
    if generation >= FIRST_CORE { yes(year) } else { no(year) }
}

/// Celeron, Pentium and the "Processor N" of 2023: models by the beginning of their number. The lists name them one by
/// one; what is neither here nor there is not known.
const SMALL_LISTED: [(&str, i16); 27] = [
    ("n4000", 2017),
    ("n4020", 2019),
    ("n4100", 2017),
    ("n4120", 2019),
    ("n4500", 2021),
    ("n4505", 2021),
    ("n5000", 2017),
    ("n5030", 2019),
    ("n5095", 2021),
    ("n5100", 2021),
    ("n5105", 2021),
    ("n6000", 2021),
    ("n6005", 2021),
    ("n6210", 2021),
    ("n6211", 2021),
    ("j4005", 2017),
    ("j4025", 2019),
    ("j4105", 2017),
    ("j4125", 2019),
    ("j5005", 2017),
    ("j5040", 2019),
    ("4205u", 2019),
    ("4305u", 2019),
    ("5205u", 2019),
    ("5405u", 2019),
    ("6405u", 2019),
    ("7505", 2020),
];
const SMALL_NEW: [(&str, i16); 7] =
    [("n95", 2023), ("n97", 2023), ("n100", 2023), ("n150", 2025), ("n200", 2023), ("6305", 2020), ("7305", 2022)];
/// Models that came before the first listed ones.
const SMALL_OLD: [(&str, i16); 28] = [
    ("n2807", 2014),
    ("n2808", 2014),
    ("n2830", 2014),
    ("n2840", 2014),
    ("n2920", 2013),
    ("n2930", 2014),
    ("n2940", 2014),
    ("n3000", 2015),
    ("n3010", 2016),
    ("n3050", 2015),
    ("n3060", 2016),
    ("n3150", 2015),
    ("n3160", 2016),
    ("n3350", 2016),
    ("n3450", 2016),
    ("n3520", 2013),
    ("n3530", 2014),
    ("n3540", 2014),
    ("n3700", 2015),
    ("n3710", 2016),
    ("n4200", 2016),
    ("3205u", 2015),
    ("3215u", 2015),
    ("3805u", 2015),
    ("3855u", 2015),
    ("3865u", 2017),
    ("4405u", 2015),
    ("4415u", 2017),
];

fn small_intel(word: &str) -> Option<Known> {
    let found = |list: &[(&str, i16)]| list.iter().find(|(model, _)| *model == word).map(|(_, year)| *year);
    found(&SMALL_LISTED).or_else(|| found(&SMALL_NEW)).map(yes).or_else(|| found(&SMALL_OLD).map(no))
}

/// Atoms of tablets of 2013 to 2016; the later x6000 are listed.
fn atom(words: &[&str]) -> Known {
    let mut models = words.iter().map(|word| word.rsplit_once('-').map_or(*word, |(_, model)| model));
    let model = models.find(|model| model.starts_with(['z', 'x']) && model.chars().skip(1).any(|c| c.is_ascii_digit()));
    match model {
        Some(model) if model.starts_with("x6") => yes(2020),
        Some(model) if model.starts_with("z3") => no(2013),
        Some(model) if model.starts_with("z8") => no(2015),
        Some(_) | None => UNKNOWN,
    }
}

/// Models of Zen's first generation with graphics, sold as 2000: not on the list, whatever their number says.
const RYZEN_2000_OLD: [&str; 14] = [
    "2200g",
    "2200ge",
    "2200u",
    "2300u",
    "2400g",
    "2400ge",
    "2500u",
    "2600h",
    "2700u",
    "2800h",
    "2300u-pro",
    "2500u-pro",
    "2700u-pro",
    "2200g-pro",
];
/// Athlons on the list.
const ATHLON_LISTED: [&str; 10] =
    ["3000g", "300ge", "300u", "320ge", "3050c", "3050e", "3050ge", "3050u", "3150g", "3150u"];

fn amd(words: &[&str]) -> Known {
    let has = |word: &str| words.contains(&word);
    if words.iter().any(|word| matches!(*word, "3015e" | "3020e" | "3015ce")) {
        return yes(2020);
    }
    if has("athlon") {
        let listed = words.iter().any(|word| ATHLON_LISTED.contains(word));
        return if listed { yes(2019) } else { UNKNOWN };
    }
    if has("ryzen") {
        if has("ai") || has("z1") {
            return yes(2024);
        }
        let Some(model) = words.iter().find(|word| word.len() >= 4 && word.starts_with(|c: char| c.is_ascii_digit()))
        else {
            return UNKNOWN;
        };
        return ryzen(model);
    }
    // A4-9125, A6-9220, E2-9000, FX-8320: before Ryzen.
    let before = words.iter().any(|word| {
        word.split_once('-').is_some_and(|(family, model)| {
            matches!(family, "a4" | "a6" | "a8" | "a9" | "a10" | "a12" | "e1" | "e2" | "fx")
                && model.starts_with(|c: char| c.is_ascii_digit())
        })
    });
    // They were sold for many years: only the lists' answer is certain.
    if before { Known { windows_11: Answer::NotMet, year: None } } else { UNKNOWN }
}

fn ryzen(model: &str) -> Known {
    let digits: String = model.chars().take_while(char::is_ascii_digit).collect();
    let Ok(number) = digits.parse::<u32>() else { return UNKNOWN };
    if digits.len() != 4 {
        return UNKNOWN;
    }
    match number / 1000 {
        1 => no(2017),
        2 if RYZEN_2000_OLD.contains(&model) => no(2017),
        2 => yes(2018),
        3 => yes(2019),
        4 | 5 => yes(2020),
        6 => yes(2022),
        7..=9 => yes(2023),
        _ => UNKNOWN,
    }
}

/// Listed: 850, 7c and later, 8c, 8cx, X, and what Microsoft calls SQ. Windows never ran on the others but the 835.
fn qualcomm(name: &str) -> Known {
    let any = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if any(&["snapdragon 850", "snapdragon 7c", "snapdragon 8c", "snapdragon x", "microsoft sq"]) {
        yes(2018)
    } else if name.contains("835") {
        no(2017)
    } else {
        UNKNOWN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_machines_give_them() {
        let yes = [
            "Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz",
            "Intel(R) Core(TM) i3-1005G1 CPU @ 1.20GHz",
            "11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz",
            "12th Gen Intel(R) Core(TM) i7-12700H",
            "13th Gen Intel(R) Core(TM) i5-1335U",
            "Intel(R) Core(TM) m3-8100Y CPU @ 1.10GHz",
            "Intel(R) Core(TM) i9-7900X CPU @ 3.30GHz",
            "Intel(R) Core(TM) Ultra 5 125U",
            "Intel(R) Core(TM) i3-N305",
            "Intel(R) Celeron(R) N4020 CPU @ 1.10GHz",
            "Intel(R) Pentium(R) Silver N5030 CPU @ 1.10GHz",
            "Intel(R) N100",
            "AMD Ryzen 5 PRO 4650U with Radeon Graphics",
            "AMD Ryzen 5 2600 Six-Core Processor",
            "AMD Ryzen 3 3200U with Radeon Vega Mobile Gfx",
            "AMD Athlon Silver 3050U with Radeon Graphics",
            "AMD 3020e with Radeon Graphics",
            "Snapdragon (TM) 7c @ 2.40 GHz",
        ];
        let no = [
            "Intel(R) Core(TM) i5-7200U CPU @ 2.50GHz",
            "Intel(R) Core(TM) i3-4005U CPU @ 1.70GHz",
            "Intel(R) Core(TM) i5 CPU M 520 @ 2.40GHz",
            "Intel(R) Core(TM)2 Duo CPU T7250 @ 2.00GHz",
            "Intel(R) Celeron(R) CPU N3060 @ 1.60GHz",
            "Intel(R) Pentium(R) CPU N4200 @ 1.10GHz",
            "Intel(R) Atom(TM) x5-Z8350 CPU @ 1.44GHz",
            "AMD Ryzen 5 2500U with Radeon Vega Mobile Gfx",
            "AMD Ryzen 7 1700 Eight-Core Processor",
            "AMD A6-9220 RADEON R4, 5 COMPUTE CORES 2C+3G",
        ];
        let unknown = [
            "",
            "VIA Nano X2",
            "Intel(R) Core(TM) i7-7820HQ CPU @ 2.90GHz",
            "Intel(R) Celeron(R) N9999",
            "Apple M2",
            "AMD Athlon X4 970",
            "Zhaoxin KX-6640MA",
        ];
        for (names, answer) in [(&yes[..], Answer::Met), (&no[..], Answer::NotMet), (&unknown[..], Answer::Unknown)] {
            for name in names {
                assert_eq!(known(name).windows_11, answer, "{name}");
            }
        }
    }

    #[test]
    fn a_generation_tells_from_which_year_a_machine_can_be() {
        assert_eq!(known("Intel(R) Core(TM) i5-4300U CPU").year, Some(2013));
        assert_eq!(known("Intel(R) Core(TM) i5-1035G1 CPU").year, Some(2019));
        assert_eq!(known("nothing that anybody knows").year, None);
    }
}
