//! Which processors Windows 11 supports, from their names: rules over families and generations, dated.
//!
//! Microsoft publishes lists of models (learn.microsoft.com, "Windows processor requirements"). They are kept here as
//! rules with their exceptions, so that a model of a listed generation need not be typed in. A name that no rule knows
//! is not known: it is never a "no".
//!
//! What was verified on [`LIST_DATE`], and against what. Microsoft's own pages could not be opened. The lists of 2022
//! (Windows 11 21H2: Core up to the 12th generation, Celeron, Pentium, Atom, Xeon; Ryzen up to 6000, Athlon; Snapdragon)
//! were compared, family by family, with the copy that the open program `WhyNotWin11` 2.5.0 carries; the tests name
//! models from it. What came later (Core Ultra, Intel N, Celeron 7300 and Pentium 8500, Ryzen 7000 and later, Athlon
//! 7000, Snapdragon X) follows the generation, as reports on the lists of 22H2 to 24H2 say; verify a doubtful model.
//! The list of 24H2 left out Intel's 8th to 10th generations for a time: it tells makers what to sell new, and Microsoft
//! corrected the page on 27 February 2025. Machines that have such a processor stay supported, so they are here.

mod models;

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
    if name.contains("xeon") {
        return xeon(words);
    }
    words.iter().find_map(|word| small_intel(word)).unwrap_or(UNKNOWN)
}

/// `i5-8250u`, `m3-8100y`, `m-5y10c`: the part behind the family.
fn core_model(word: &str) -> Option<&str> {
    let (family, model) = word.split_once('-')?;
    matches!(family, "i3" | "i5" | "i7" | "i9" | "m" | "m3" | "m5" | "m7").then_some(model)
}

fn core(model: &str) -> Known {
    let digits: String = model.chars().take_while(char::is_ascii_digit).collect();
    let suffix = model.get(digits.len()..).unwrap_or_default();
    let Ok(number) = digits.parse::<u32>() else {
        return match model {
            _ if model.starts_with("n3") => yes(2023),
            "l13g4" | "l16g7" => yes(2020),
            _ => UNKNOWN,
        };
    };
    if models::SEVENTH_LISTED.contains(&model) {
        return yes(2017);
    }
    if let Some(year) = models::of(&models::CORE_SOMETIMES, model) {
        return Known { windows_11: Answer::Unknown, year: Some(year) };
    }
    let generation = match digits.len() {
        // 1035G1, 1165G7, 1235U: the 10th generation and later with four digits.
        4 if (1000..1500).contains(&number) && !suffix.is_empty() => number / 100,
        4 | 5 => number / 1000,
        3 => return no(2010),
        // m3-6Y30, i5-7Y54: the generation alone stands before the Y.
        1 if suffix.starts_with('y') => number,
        _ => return UNKNOWN,
    };
    let known = models::CORE_YEARS.into_iter().find(|(known, _)| *known == generation);
    let Some((_, year)) = known else { return UNKNOWN };
    if generation >= FIRST_CORE { yes(year) } else { no(year) }
}

/// Celeron, Pentium and the "Processor N" of 2023. The lists name them one by one; numbers below the first listed ones
/// came before. What is neither here nor there is not known.
fn small_intel(word: &str) -> Option<Known> {
    if let Some(year) = models::of(&models::SMALL_LISTED, word) {
        return Some(yes(year));
    }
    let letter = word.chars().next().filter(char::is_ascii_alphabetic);
    let digits: String = word.chars().skip(usize::from(letter.is_some())).take_while(char::is_ascii_digit).collect();
    let suffix = word.get(digits.len() + usize::from(letter.is_some())..).unwrap_or_default();
    let number: u32 = digits.parse().ok().filter(|_| digits.len() == 4)?;
    match (letter, suffix) {
        // Desktops: G4900 and Pentium G5400 are the first of the 8th generation, G3900 to G4620 the 6th and 7th.
        (Some('g'), "" | "t" | "e" | "te" | "f") => Some(match number {
            4900.. => yes(2018),
            3900.. => no(2017),
            _ => no(2014),
        }),
        // Bay Trail, Braswell and Apollo Lake; from Gemini Lake (N4000, J4005) on they are listed by name.
        (Some('n'), "") if number < 4000 || number == 4200 => Some(no(if number < 3000 { 2014 } else { 2016 })),
        (Some('j'), "") if number < 4000 || number == 4205 => Some(no(if number < 3000 { 2014 } else { 2016 })),
        // Laptops: Celeron 3965U and Pentium 4415U are the last that are not listed.
        (None, "u" | "y" | "ue" | "m") => match number {
            ..3200 => Some(no(2013)),
            3200..3865 => Some(no(2015)),
            3865..4000 | 4405 | 4410 | 4415 => Some(no(2017)),
            _ => None,
        },
        _ => None,
    }
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

/// Workstations: E-2100 and W-2100 are the first listed ones, beside the Scalable family; E3, E5 and E7 came before.
fn xeon(words: &[&str]) -> Known {
    let any = |families: &[&str]| words.iter().any(|word| families.iter().any(|family| word.starts_with(family)));
    if any(&["e-2", "w-", "bronze", "silver", "gold", "platinum"]) {
        yes(2017)
    } else if any(&["e3-", "e5-", "e7-"]) {
        Known { windows_11: Answer::NotMet, year: None }
    } else {
        UNKNOWN
    }
}

fn amd(words: &[&str]) -> Known {
    let has = |word: &str| words.contains(&word);
    let any = |models: &[&str]| words.iter().any(|word| models.contains(word));
    if any(&["3015e", "3020e"]) {
        return yes(2020);
    }
    if has("ryzen") {
        return ryzen(words);
    }
    if has("athlon") && any(&models::ATHLON_LISTED) {
        return yes(2019);
    }
    // They were sold for many years: only the lists' answer is certain.
    let old = Known { windows_11: Answer::NotMet, year: None };
    if has("athlon") {
        return if any(&models::ATHLON_OLD) { old } else { UNKNOWN };
    }
    // A4-9125, A6-9220, E2-9000, FX-8320: before Ryzen.
    let before = |word: &&str| {
        word.split_once('-').is_some_and(|(family, model)| {
            matches!(family, "a4" | "a6" | "a8" | "a9" | "a10" | "a12" | "e" | "e1" | "e2" | "fx")
                && model.starts_with(|c: char| c.is_ascii_digit())
        })
    };
    if any(&["phenom", "turion", "sempron"]) || words.iter().any(before) { old } else { UNKNOWN }
}

fn ryzen(words: &[&str]) -> Known {
    if words.iter().any(|word| matches!(*word, "ai" | "z1" | "z2")) {
        return yes(2024);
    }
    let is_model = |word: &&&str| word.len() >= 3 && word.starts_with(|c: char| c.is_ascii_digit());
    let Some(model) = words.iter().find(is_model) else { return UNKNOWN };
    let digits: String = model.chars().take_while(char::is_ascii_digit).collect();
    let Ok(number) = digits.parse::<u32>() else { return UNKNOWN };
    match number {
        // Ryzen 5 220 to Ryzen 9 270, of 2025.
        210..=270 => yes(2025),
        1000..2000 => no(2017),
        2000..3000 if models::RYZEN_2000_LISTED.contains(model) => yes(2018),
        // With graphics, they are of Zen's first generation whatever their number says.
        2000..3000 if models::RYZEN_2000_OLD.contains(model) => no(2018),
        3000..4000 => yes(2019),
        4000..6000 => yes(2020),
        6000..7000 => yes(2022),
        7000..10_000 => yes(2023),
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

    fn all_are(answer: Answer, names: &[&str]) {
        for name in names {
            assert_eq!(known(name).windows_11, answer, "{name}");
        }
    }

    #[test]
    fn names_as_machines_give_them() {
        let yes = [
            "Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz",
            "Intel(R) Core(TM) i3-1005G1 CPU @ 1.20GHz",
            "11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz",
            "12th Gen Intel(R) Core(TM) i7-12700H",
            "13th Gen Intel(R) Core(TM) i5-1335U",
            "Intel(R) Core(TM) m3-8100Y CPU @ 1.10GHz",
            "Intel(R) Core(TM) Ultra 5 125U",
            "Intel(R) Core(TM) 5 120U",
            "Intel(R) Core(TM) i3-N305",
            "Intel(R) Celeron(R) N4020 CPU @ 1.10GHz",
            "Intel(R) Pentium(R) Silver N5030 CPU @ 1.10GHz",
            "Intel(R) Pentium(R) CPU 4425Y @ 1.70GHz",
            "Intel(R) N100",
            "AMD Ryzen 5 PRO 4650U with Radeon Graphics",
            "AMD Ryzen 5 2600 Six-Core Processor",
            "AMD Ryzen 3 3200U with Radeon Vega Mobile Gfx",
            "AMD Ryzen 5 220 w/ Radeon 740M Graphics",
            "AMD Athlon Silver 3050U with Radeon Graphics",
            "AMD Athlon Silver 7120U with Radeon Graphics",
            "AMD 3020e with Radeon Graphics",
            "Snapdragon (TM) 7c @ 2.40 GHz",
        ];
        let no = [
            "Intel(R) Core(TM) i5-7200U CPU @ 2.50GHz",
            "Intel(R) Core(TM) i3-4005U CPU @ 1.70GHz",
            "Intel(R) Core(TM) m3-7Y30 CPU @ 1.00GHz",
            "Intel(R) Core(TM) M-5Y10c CPU @ 0.80GHz",
            "Intel(R) Core(TM) i5 CPU M 520 @ 2.40GHz",
            "Intel(R) Core(TM)2 Duo CPU T7250 @ 2.00GHz",
            "Intel(R) Celeron(R) CPU N3060 @ 1.60GHz",
            "Intel(R) Celeron(R) CPU N3350 @ 1.10GHz",
            "Intel(R) Celeron(R) CPU 3865U @ 1.80GHz",
            "Intel(R) Pentium(R) CPU 4415Y @ 1.60GHz",
            "Intel(R) Pentium(R) CPU G4560 @ 3.50GHz",
            "Intel(R) Pentium(R) CPU N4200 @ 1.10GHz",
            "Intel(R) Atom(TM) x5-Z8350 CPU @ 1.44GHz",
            "Intel(R) Xeon(R) CPU E3-1505M v5 @ 2.80GHz",
            "AMD Ryzen 5 2500U with Radeon Vega Mobile Gfx",
            "AMD Ryzen 7 1700 Eight-Core Processor",
            "AMD Athlon 200GE with Radeon Vega Graphics",
            "AMD A6-9220 RADEON R4, 5 COMPUTE CORES 2C+3G",
            "AMD Phenom(tm) II X4 955 Processor",
        ];
        let unknown = [
            "",
            "VIA Nano X2",
            "Intel(R) Core(TM) i7-7820HQ CPU @ 2.90GHz",
            "Intel(R) Core(TM) i3-8121U CPU @ 2.20GHz",
            "Intel(R) Celeron(R) N9999",
            "Apple M2",
            "AMD Athlon 9999",
            "AMD Ryzen 3 2999U",
            "Zhaoxin KX-6640MA",
        ];
        all_are(Answer::Met, &yes);
        all_are(Answer::NotMet, &no);
        all_are(Answer::Unknown, &unknown);
    }

    /// Models that Microsoft's lists of 2022 name, as `WhyNotWin11` repeats them: the first and the last of each family, and
    /// those that look older than they are.
    #[test]
    fn models_of_the_lists_are_known() {
        let small = "x6200FE x6427FE 3867U 4205U 4305UE 5205U 5305U 6305 6305E G4900 G4932E G4950 G5900TE G5925 J4005 \
                     J4115 J4125 J6412 J6413 N4000 N4120 N4500 N4505 N5095 N5100 N5105 N6210 N6211 4417U 4425Y 5405U \
                     6405U 6500Y 6805 7505 G5400 G5420T G5620 G6400TE G6605 J6426 N6415 J5005 J5040 N5000 N5030 N6000 \
                     N6005";
        for model in small.split_whitespace() {
            let family = if model.starts_with('x') { "Atom(R)" } else { "Celeron(R)" };
            all_are(Answer::Met, &[&format!("Intel(R) {family} {model} CPU @ 1.10GHz")]);
        }
        let core = "i3-1000G1 i3-10100Y i3-1115GRE i3-8100B i3-8140U i3-9350KF i3-L13G4 i5-1038NG7 i5-8200Y i5-8305G \
                    i5-L16G7 i7-1195G7 i7-7800X i7-7820X i7-8086K i7-8809G i9-7900X i9-7980XE i9-9980XE i9-12900KF";
        for model in core.split_whitespace() {
            all_are(Answer::Met, &[&format!("Intel(R) Core(TM) {model} CPU @ 2.00GHz")]);
        }
        let xeon =
            ["Intel(R) Xeon(R) E-2124G CPU @ 3.40GHz", "Intel(R) Xeon(R) W-2102 CPU", "Intel(R) Xeon(R) Silver 4108"];
        all_are(Answer::Met, &xeon);
        let amd = "Athlon 3000G,Athlon 300GE,Athlon 320GE,Athlon Gold 3150C,Athlon Silver 3050e,Athlon Gold PRO 3125GE,\
                   Athlon PRO 300U,Athlon PRO 3045B,3015e,Ryzen 3 2300X,Ryzen 5 2500X,Ryzen 5 2600E,Ryzen 5 PRO 2600,\
                   Ryzen 7 2700X,Ryzen 7 PRO 2700X,Ryzen Threadripper 2990WX,Ryzen 3 3250C,Ryzen 3 5300U,Ryzen 9 6980HX";
        for model in amd.split(',') {
            all_are(Answer::Met, &[&format!("AMD {model}")]);
        }
        for model in ["850", "7c Gen 2", "8c", "8cx Gen 2"] {
            all_are(Answer::Met, &[&format!("Snapdragon (TM) {model} @ 2.96 GHz")]);
        }
        all_are(Answer::NotMet, &["Intel(R) Core(TM) i7-7740X CPU @ 4.30GHz", "Snapdragon (TM) 835 @ 2.21 GHz"]);
    }

    #[test]
    fn a_generation_tells_from_which_year_a_machine_can_be() {
        assert_eq!(known("Intel(R) Core(TM) i5-4300U CPU").year, Some(2013));
        assert_eq!(known("Intel(R) Core(TM) i5-1035G1 CPU").year, Some(2019));
        assert_eq!(known("nothing that anybody knows").year, None);
    }
}
