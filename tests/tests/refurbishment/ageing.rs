//! The ageing of a simulated fleet: the same for the same seed in whatever order, apart from the rules it judges, and a
//! study of it that counts every decision. The score itself is not tested here: docs/EVIDENCE.md has it.

use std::{fs, sync::LazyLock};

use cartable_server::domain::policy::Policy;
use cartable_tests::{
    ageing_study::{self, Followed, Plan, Study, device, is_lent, method::METHODS, score::Score, told::View},
    harness::binaries::workspace,
    simulator::{
        Roster,
        ageing::{Ageing, Cause, Life, Need, Part},
    },
};

const AGEING: Ageing = Ageing { seed: 5, battery_need: 1.0 };

/// 300 devices through three years, for the tests that look at what came of them.
static STUDY: LazyLock<Study> = LazyLock::new(|| ageing_study::run(300, AGEING, &Policy::default()));

fn followed(reversed: bool, ageing: Ageing, devices: usize) -> Vec<Followed> {
    let roster = Roster::drawn(ageing.seed, devices);
    let (plan, policy) = (Plan::new(ageing), Policy::default());
    let mut machines: Vec<_> = roster.machines.iter().filter(|machine| is_lent(machine)).collect();
    if reversed {
        machines.reverse();
    }
    let mut all: Vec<_> = machines.into_iter().map(|machine| device::follow(machine, &plan, &policy)).collect();
    if reversed {
        all.reverse();
    }
    all
}

#[test]
fn the_same_seed_ages_the_same_in_whatever_order_and_by_how_many_threads() {
    let one = followed(false, AGEING, 40);
    assert_eq!(one, followed(true, AGEING, 40));
    assert_eq!(one, ageing_study::run(40, AGEING, &Policy::default()).followed);
    assert_ne!(one, followed(false, Ageing { seed: 6, ..AGEING }, 40));
}

#[test]
fn a_study_counts_each_decision_once_and_knows_what_happened() {
    let study = &*STUDY;
    let decisions: usize = study.followed.iter().map(|one| one.decisions.len()).sum();
    assert_eq!(decisions, study.followed.len() * 3, "a decision for each lent device and summer");
    for view in [View::Read, View::Everything] {
        let scores: Vec<Score> = (0..METHODS).map(|method| study.score(view, method)).collect();
        let counted = |one: &Score| one.caught + one.false_alarms + one.missed + one.left_alone;
        let needed = |one: &Score| one.caught + one.missed;
        assert!(scores.iter().all(|one| counted(one) == counted(&scores[0]) && needed(one) == needed(&scores[0])));
        assert!(needed(&scores[0]) > 10 && scores[0].left_alone > 10, "{scores:?}");
    }
    let all = study.score(View::Everything, 0);
    assert_eq!(usize::try_from(all.caught + all.false_alarms + all.missed + all.left_alone).unwrap(), decisions);
    let needs: Vec<Need> = study.followed.iter().flat_map(|one| &one.warned).map(|one| one.need).collect();
    for part in [Part::Battery, Part::Screen, Part::Board] {
        assert!(needs.iter().any(|need| need.part == part), "{part:?}");
    }
    for one in study.followed.iter().flat_map(|one| &one.warned) {
        assert!(one.leads.iter().flatten().all(|days| (0..=3 * 366 + 40).contains(days)), "{one:?}");
    }
    let told = study.told();
    assert!(told.contains(&format!("{decisions} decisions")), "{told}");
}

#[test]
fn years_bring_wear_that_repairs_undo_and_reports_that_the_protocol_accepts() {
    let roster = Roster::drawn(AGEING.seed, 400);
    let plan = Plan::new(AGEING);
    let (mut faded, mut replaced, mut drives) = (0, 0, 0);
    for machine in roster.machines.iter().filter(|machine| is_lent(machine)) {
        let mut life = Life::of(machine, AGEING, plan.begins);
        let mut before: Option<f64> = None;
        for week in plan.calendar.weeks(life.bought(), plan.ends) {
            let needs = life.week(week);
            assert!(needs.iter().all(|need| (week.monday()..week.monday() + 7).contains(&need.day)));
            drives += needs.iter().filter(|need| need.part == Part::Drive).count();
            let holds = life.battery_holds(week.monday());
            let fresh = needs.iter().any(|need| need.part == Part::Battery);
            if let (Some(before), Some(holds)) = (before, holds) {
                assert!(fresh || holds <= before, "a battery never recovers by itself");
                replaced += usize::from(fresh && holds > before);
            }
            before = holds;
        }
        faded += usize::from(before.is_some_and(|holds| holds < 0.9));
        let report = life.report(plan.epoch().plus_days(plan.ends - plan.begins), plan.epoch());
        report.check().unwrap();
        let back: cartable_common::report::HealthReport =
            serde_json::from_slice(&serde_json::to_vec(&report).unwrap()).unwrap();
        assert_eq!(back, report);
    }
    assert!(faded > 50 && replaced > 10 && drives > 5, "{faded} faded, {replaced} replaced, {drives} dead drives");
}

#[test]
fn a_drive_that_shows_signs_shows_them_before_it_dies() {
    let drives = STUDY.followed.iter().flat_map(|one| &one.warned).filter(|one| one.need.part == Part::Drive);
    let (mut silent, mut told) = (0, 0);
    for one in drives {
        match one.need.cause {
            Cause::Declined { since } => {
                assert!(since <= one.need.day);
                told += 1;
            }
            Cause::Sudden => silent += 1,
            Cause::Faded | Cause::WeakCell | Cause::Accident => panic!("no drive dies so: {one:?}"),
        }
    }
    assert!(silent > 0 && told > 0, "{silent} silent, {told} with signs");
}

/// The model must not be made from what it judges: no file of it names the server's rules, policy or verdicts.
#[test]
fn the_model_of_ageing_knows_nothing_of_the_rules() {
    let folder = workspace().join("tests/src/simulator/ageing");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for word in ["cartable_server", "Policy", "Verdict", "relend_percent", "long_loan_percent"] {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
        files += 1;
    }
    assert!(files >= 8, "{files} files");
}
