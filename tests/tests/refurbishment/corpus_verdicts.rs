//! The rules measured on real readings: nearly every worn or failing drive is recognised, none that is well is accused,
//! and docs/EVIDENCE.md says so.
//!
//! Reads ../shared/corpus (or $CARTABLE_CORPUS), which is not part of the project; passes without a look where it is absent,
//! which tests/run says. The judgement in its index is one reader's, not ground truth. The rules know no file, model or serial
//! number.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use cartable_common::UtcMillis;
use cartable_server::domain::{
    assess::{Assessment, Kind, assess},
    policy::Policy,
    reading,
    verdict::Verdict,
};

/// One row of the index and what the rules make of its file, by itself.
struct Scored {
    file: String,
    kind: String,
    label: String,
    found: Assessment,
}

impl Scored {
    /// Dispositions of machines ("relend", "recycle") are no verdicts on health.
    fn expected(&self) -> Verdict {
        self.label.parse().unwrap_or(Verdict::Unknown)
    }

    fn verdict(&self) -> Verdict {
        self.found.judgement.verdict
    }

    fn reasons(&self) -> String {
        let said = self.found.judgement.reasons.iter().map(|reason| reason.said.en.as_str());
        said.collect::<Vec<_>>().join("; ")
    }
}

/// The folder: what `CARTABLE_CORPUS` names must be there; beside the project it may be missing.
pub(crate) fn corpus() -> Option<PathBuf> {
    let has_index = |folder: &Path| folder.join("index.csv").is_file();
    if let Some(named) = std::env::var_os("CARTABLE_CORPUS").map(PathBuf::from) {
        assert!(has_index(&named), "CARTABLE_CORPUS names no corpus: {}", named.display());
        return Some(named);
    }
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus"));
    if !has_index(&beside) {
        eprintln!("\n*** SKIPPED: no real readings at {}: nothing was measured on them ***\n", beside.display());
        return None;
    }
    Some(beside)
}

fn scored() -> Option<Vec<Scored>> {
    let corpus = corpus()?;
    let index = fs::read_to_string(corpus.join("index.csv")).unwrap();
    let now = UtcMillis::new(1_795_521_600_000).unwrap();
    let score = |row: Vec<String>| {
        let reading = reading::read(&fs::read(corpus.join(&row[0])).unwrap());
        let found = assess(&[reading], &Policy::default(), now).remove(0);
        Scored { file: row[0].clone(), kind: row[1].clone(), label: row[3].clone(), found }
    };
    Some(index.lines().skip(1).map(fields).map(score).collect())
}

/// The fields of one line of CSV; a field in quotation marks may hold commas.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().unwrap().push(other),
        }
    }
    fields
}

const fn raises(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Worn | Verdict::Failing)
}

#[test]
fn worn_and_failing_drives_are_recognised_and_no_healthy_one_is_accused() {
    let Some(scored) = scored() else { return };
    let readings: Vec<&Scored> = scored.iter().filter(|one| one.kind.starts_with("smartctl-json")).collect();
    let (mut caught, mut missed, mut accused, mut doubted) = (0, Vec::new(), Vec::new(), Vec::new());
    for one in &readings {
        println!("{:<9} judged {:<9} {}: {}", one.label, one.verdict(), one.file, one.reasons());
        match one.expected() {
            Verdict::Worn | Verdict::Failing if raises(one.verdict()) => caught += 1,
            Verdict::Worn | Verdict::Failing => missed.push(&one.file),
            Verdict::Healthy if raises(one.verdict()) => accused.push(&one.file),
            Verdict::Healthy if one.verdict() == Verdict::Unknown => doubted.push(&one.file),
            Verdict::Healthy => {}
            Verdict::Unknown => assert_eq!(one.verdict(), Verdict::Unknown, "{}", one.file),
        }
    }
    println!("caught {caught}, missed {missed:?}, accused {accused:?}, not called healthy {doubted:?}");
    assert!(readings.len() >= 35, "only {} readings", readings.len());
    assert!(caught >= 17, "caught {caught} of 18, missed {missed:?}");
    assert!(accused.is_empty(), "falsely accused: {accused:?}");
    assert!(doubted.is_empty(), "healthy, and not said to be: {doubted:?}");
}

#[test]
fn a_text_and_the_json_converted_from_it_are_judged_alike() {
    let Some(scored) = scored() else { return };
    let by_stem = |kind: &str, suffix: &str| -> BTreeMap<String, &Scored> {
        let of_kind = scored.iter().filter(|one| one.kind == kind);
        of_kind.map(|one| (one.file.trim_end_matches(suffix).to_owned(), one)).collect()
    };
    let (texts, derived) =
        (by_stem("smartctl-text", ".smartctl.txt"), by_stem("smartctl-json-derived", ".derived.json"));
    assert!(texts.len() >= 10);
    for (stem, text) in &texts {
        let json = derived[stem];
        assert_eq!((text.verdict(), &text.found.name), (json.verdict(), &json.found.name), "{stem}");
        let codes = |one: &Scored| -> Vec<&str> {
            one.found
                .judgement
                .reasons
                .iter()
                .filter(|reason| raises(reason.verdict))
                .map(|reason| reason.code)
                .collect()
        };
        assert!(
            codes(json).iter().all(|code| codes(text).contains(code)),
            "{stem}: {:?} {:?}",
            codes(json),
            codes(text)
        );
    }
}

#[test]
fn every_file_is_recognised_by_its_content() {
    let Some(scored) = scored() else { return };
    for one in &scored {
        let expected = match one.kind.as_str() {
            kind if kind.starts_with("smartctl") => Kind::Drive,
            "power_supply-uevent" => Kind::Battery,
            "dmidecode" => Kind::Device,
            other => panic!("a new kind of reading in the corpus: {other}"),
        };
        assert_eq!(one.found.kind, expected, "{}", one.file);
        if expected == Kind::Device {
            assert_eq!(one.verdict(), Verdict::Unknown, "{}: a list of parts says nothing of health", one.file);
            assert!(one.found.name.is_some(), "{}", one.file);
        }
    }
}

const BEGIN: &str =
    "<!-- begin: score, generated by tests/tests/refurbishment/corpus_verdicts.rs; CARTABLE_BLESS=1 renews it -->\n";
const END: &str = "<!-- end: score -->\n";

/// The tables of docs/EVIDENCE.md.
fn tables(scored: &[Scored]) -> String {
    let mut page = String::from(
        "\n| Files | Worn or failing: recognised | missed | Healthy: called healthy | not known | accused | Without evidence: unknown |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let kinds = ["smartctl-json", "smartctl-json-derived", "smartctl-text", "power_supply-uevent", "dmidecode"];
    for kind in kinds {
        let count = |test: &dyn Fn(&Scored) -> bool| scored.iter().filter(|one| one.kind == kind && test(one)).count();
        let bad = |one: &Scored| raises(one.expected());
        let good = |one: &Scored| one.expected() == Verdict::Healthy;
        let none = |one: &Scored| one.expected() == Verdict::Unknown;
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| {kind} | {} of {} | {} | {} of {} | {} | {} | {} of {} |",
            count(&|one| bad(one) && raises(one.verdict())),
            count(&bad),
            count(&|one| bad(one) && !raises(one.verdict())),
            count(&|one| good(one) && one.verdict() == Verdict::Healthy),
            count(&good),
            count(&|one| good(one) && one.verdict() == Verdict::Unknown),
            count(&|one| good(one) && raises(one.verdict())),
            count(&|one| none(one) && one.verdict() == Verdict::Unknown),
            count(&none),
        );
    }
    page.push_str("\n| Reading | Reader | Cartable | Heaviest reason |\n| --- | --- | --- | --- |\n");
    for one in scored {
        let heaviest = one.found.judgement.reasons.first().filter(|reason| raises(reason.verdict));
        let heaviest = heaviest.map_or_else(String::new, |reason| {
            let threshold =
                reason.threshold.as_ref().map(|said| format!(" (threshold {})", said.en)).unwrap_or_default();
            format!("{}{threshold}", reason.said.en)
        });
        let differs = one.label != one.verdict().as_str();
        let verdict = if differs { format!("**{}**", one.verdict()) } else { one.verdict().to_string() };
        let _ = writeln!(page, "| {} | {} | {verdict} | {heaviest} |", one.file, one.label);
    }
    page.push('\n');
    page
}

#[test]
fn the_score_in_the_documentation_is_current() {
    let Some(scored) = scored() else { return };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/EVIDENCE.md");
    let page = fs::read_to_string(path).unwrap();
    let (head, rest) = page.split_once(BEGIN).expect("the beginning of the score");
    let (_, tail) = rest.split_once(END).expect("the end of the score");
    let current = format!("{head}{BEGIN}{}{END}{tail}", tables(&scored));
    if std::env::var_os("CARTABLE_BLESS").is_some() {
        fs::write(path, &current).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap() == current,
        "docs/EVIDENCE.md is stale: run this test with CARTABLE_BLESS=1"
    );
    // Each disagreement is discussed below the table.
    for one in scored.iter().filter(|one| one.label != one.verdict().as_str() && one.kind != "dmidecode") {
        let stem = one.file.split('.').next().unwrap();
        assert!(
            tail.contains(stem),
            "{stem} is judged {} against {}, and docs/EVIDENCE.md does not say why",
            one.verdict(),
            one.label
        );
    }
}
