//! The grade that findings support, with what speaks for it. A letter never replaces the findings: they are kept and
//! shown beside it.

use super::checklist::{Check, Findings};
use crate::domain::grade::Grade;

/// From so many marked parts on, marks are what everybody sees.
///
/// Cartable: eleven checks; one or two marks nobody minds after three years at school. eReuse grades appearance on five
/// steps from a person's impression; counting keeps two graders apart by less.
pub const MARKS_EVERYBODY_SEES: usize = 3;

/// A grade with what decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graded {
    /// The best grade that these findings support.
    pub grade: Grade,
    /// The checks that keep it from being better.
    pub because: Vec<Check>,
}

/// D where something does not work or is missing; C where the screen is marked or the battery worn, or with
/// [`MARKS_EVERYBODY_SEES`]; B with a mark; A without.
#[must_use]
pub fn graded(findings: &Findings) -> Graded {
    let faults: Vec<Check> = findings.faults().collect();
    if !faults.is_empty() {
        return Graded { grade: Grade::D, because: faults };
    }
    let marks: Vec<Check> = findings.marks().collect();
    let plain = marks.contains(&Check::Screen) || marks.contains(&Check::Battery);
    let grade = match marks.len() {
        0 => Grade::A,
        1..MARKS_EVERYBODY_SEES if !plain => Grade::B,
        _ => Grade::C,
    };
    Graded { grade, because: marks }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::domain::work_order::checklist::{Finding, Kind};

    fn findings(but: &[(Check, Finding)]) -> Findings {
        let mut found: BTreeMap<Check, Finding> =
            Kind::Laptop.checks().iter().map(|check| (*check, Finding::Good)).collect();
        found.extend(but.iter().copied());
        Findings::new(Kind::Laptop, found, BTreeSet::new(), "").unwrap()
    }

    #[test]
    fn each_grade_has_its_reason() {
        use Check::{Battery, Camera, Casing, Charger, Hinges, Screen};
        use Finding::{Faulty, Marked, Missing};
        for (but, grade) in [
            (vec![], Grade::A),
            (vec![(Casing, Marked)], Grade::B),
            (vec![(Casing, Marked), (Hinges, Marked)], Grade::B),
            (vec![(Casing, Marked), (Hinges, Marked), (Camera, Marked)], Grade::C),
            (vec![(Screen, Marked)], Grade::C),
            (vec![(Battery, Marked)], Grade::C),
            (vec![(Camera, Faulty)], Grade::D),
            (vec![(Charger, Missing), (Casing, Marked)], Grade::D),
        ] {
            let graded = graded(&findings(&but));
            assert_eq!(graded.grade, grade, "{but:?}");
            assert_eq!(graded.because.is_empty(), grade == Grade::A);
        }
    }

    proptest! {
        /// Worse findings never give a better grade.
        #[test]
        fn a_worse_finding_never_grades_better(picks in proptest::collection::vec((0usize..11, 0usize..3), 0..11), at in 0usize..11) {
            let answers = [Finding::Good, Finding::Marked, Finding::Faulty];
            let checks = Kind::Laptop.checks();
            let but: Vec<_> = picks.iter().map(|(check, answer)| (checks[*check], answers[*answer])).collect();
            let before = findings(&but);
            let now = before.found[&checks[at]];
            let worse = if now == Finding::Good { Finding::Marked } else { Finding::Faulty };
            let mut after = but;
            after.push((checks[at], worse));
            prop_assert!(graded(&findings(&after)).grade >= graded(&before).grade);
        }
    }
}
