//! Both catalogues hold the same keys, every key is used, and every key that the code asks for is there.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;

use super::{allocation, allocation_why, audit_words, check, component::Tone, error::Refusal, i18n::catalogues};
use crate::{
    domain::{
        allocation::{Place, Unfit},
        approval::{Hindrance, LIFTED, WaitsFor},
        borrower::{BorrowerKind, Level},
        calendar_import::ChangeKind,
        campaign::{CampaignState, ReturnState},
        device::DeviceStatus,
        device_action::{ActionState, Kind as ActionKind},
        device_action_bulk::LeftOut,
        device_record::{ContactExpected, CorrectionRefused},
        disposition::{CheckKind, Confidence, Disposition},
        document::DocumentKind,
        donation::{Estimation, LotState, RecipientClass, basis::LegalBasis, conditions::Unmet, entry::InvalidEntry},
        enrolment_token::Admits,
        erasure::{
            BenchClock, Level as ErasureLevel, Medium, Method, Outcome, Source, Verification,
            evidence::Unreadable as EvidenceUnreadable,
            gap::{Demand, Why},
        },
        exam::ExamState,
        fitness::{Answer, RequirementKind, Use},
        flag::{FlagCode, Severity},
        forecast::ReadyFor,
        grade::Grade,
        ical::Fault,
        import::{ImportState, Kind, fault::Reason},
        job::Job,
        label::SheetFormat,
        language::Language,
        loan::{Condition, LendingState, LoanStateName, Signature},
        need::{NeedReason, NeedState},
        notice::{Dropped, MessageState, NoticeKind, RecipientKind},
        part::{Origin, PartKind},
        programme::ProgrammeKind,
        recovery::Cause,
        verdict::Verdict,
        work_order::{
            Disposition as WorkDisposition, MoveName, Stage,
            checklist::{Check, Finding},
        },
    },
    exchange::{export::ExportKind, read::Unreadable},
    store::{
        allocation::{AllocationState, LineState},
        approval,
        device_list::DeviceSort,
        donation_lot::LotRefused,
        enrolment_token::TokenState,
        erasure_entry,
        flag_list::Handling,
        lending::Refused,
        loan_event,
        loan_list::LoanSort,
        work_inspection::InspectionKind,
        work_order, work_order_act,
    },
};
use cartable_common::action::ActionOutcome;
use cartable_common::report::{
    Chassis, DriveKind, KeyProtection, SelfAssessment, Sensor, Subject, Switch, UnreadReason, VolumeRole,
};

fn keys(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys = BTreeMap::new();
    for (file, text) in catalogues(language) {
        FluentResource::try_new((*text).to_owned()).unwrap_or_else(|(_, errors)| panic!("{file}: {errors:?}"));
        let mut key = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) =
                line.split_once(" =").filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
            {
                name.clone_into(&mut key);
                assert!(keys.insert(key.clone(), BTreeSet::new()).is_none(), "{file}: {key} twice");
            }
            let places = line.split("{ $").skip(1).filter_map(|rest| rest.split([' ', '}']).next());
            let places: BTreeSet<String> = places.map(str::to_owned).collect();
            keys.entry(key.clone()).or_default().extend(places);
        }
    }
    keys.remove("");
    keys
}

/// Keys made from a family and the values of a closed list.
fn families() -> BTreeSet<String> {
    let severities: Vec<&str> = Severity::ALL.iter().map(|value| value.as_str()).collect();
    let statuses: Vec<&str> = DeviceStatus::ALL.iter().map(|value| value.as_str()).collect();
    let refusals = Refusal::ALL.map(Refusal::as_str).to_vec();
    let families: Vec<(&str, Vec<&str>)> = vec![
        ("month", vec!["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]),
        ("status", statuses.clone()),
        ("overview-status", statuses),
        ("severity", severities.clone()),
        ("at-least", severities),
        ("overview-severity", vec!["critical", "warning"]),
        ("verdict", Verdict::ALL.iter().map(|value| value.as_str()).collect()),
        ("flag", FlagCode::ALL.iter().map(|value| value.as_str()).collect()),
        ("handling", Handling::ALL.map(Handling::as_str).to_vec()),
        ("sorted", DeviceSort::ALL.map(DeviceSort::as_str).to_vec()),
        ("archived", vec!["only", "all"]),
        ("tone", Tone::ALL.map(Tone::as_str).to_vec()),
        ("error-title", refusals.clone()),
        ("error-what", refusals.into_iter().filter(|refusal| *refusal != Refusal::Told("").as_str()).collect()),
        ("yes-no", vec!["yes", "no"]),
        ("chassis", Chassis::ALL.iter().map(|value| value.as_str()).collect()),
        ("switch", Switch::ALL.iter().map(|value| value.as_str()).collect()),
        ("key-protection", KeyProtection::ALL.iter().map(|value| value.as_str()).collect()),
        ("role", VolumeRole::ALL.iter().map(|value| value.as_str()).collect()),
        ("drive", DriveKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("assessment", SelfAssessment::ALL.iter().map(|value| value.as_str()).collect()),
        ("disposition", Disposition::ALL.iter().map(|value| value.as_str()).collect()),
        ("disposition-means", Disposition::ALL.iter().map(|value| value.as_str()).collect()),
        ("confidence", Confidence::ALL.iter().map(|value| value.as_str()).collect()),
        ("answer", Answer::ALL.iter().map(|value| value.as_str()).collect()),
        ("fit", Answer::ALL.iter().map(|value| value.as_str()).collect()),
        ("use", Use::ALL.iter().map(|value| value.as_str()).collect()),
        ("requirement", RequirementKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("check", CheckKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("what-if", vec!["battery", "disposition"]),
        ("sensor", Sensor::ALL.iter().map(|value| value.as_str()).collect()),
        ("subject", Subject::ALL.iter().map(|value| value.as_str()).collect()),
        ("unread", UnreadReason::ALL.iter().map(|value| value.as_str()).collect()),
    ];
    families
        .into_iter()
        .chain(of_lending())
        .chain(of_erasure())
        .chain(of_enrolment())
        .chain(of_workshop())
        .chain([("recovery-cause", Cause::ALL.iter().map(|value| value.as_str()).collect())])
        .flat_map(|(family, values)| values.into_iter().map(move |value| format!("{family}-{value}")))
        .chain(audit_words::ACTS.iter().map(|act| format!("audit-act-{}", act.replace('.', "-"))))
        .collect()
}

/// The families of erasures.
fn of_erasure() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("erasure-demand", Demand::ALL.iter().map(|value| value.as_str()).collect()),
        ("erasure-why", Why::ALL.iter().map(|value| value.as_str()).collect()),
        ("erasure-level", ErasureLevel::ALL.iter().map(|value| value.as_str()).collect()),
        ("erasure-medium", Medium::ALL.iter().map(|value| value.as_str()).collect()),
        ("erasure-method", Method::ALL.iter().map(|value| value.as_str()).collect()),
        ("erasure-outcome", Outcome::ALL.iter().map(|value| value.as_str()).collect()),
        ("erasure-verified", Verification::ALL.iter().map(|value| value.as_str()).collect()),
        ("erasure-from", Source::ALL.iter().map(|value| value.as_str()).collect()),
        ("erasure-clock", BenchClock::ALL.iter().map(|value| value.as_str()).collect()),
        ("erasure-unreadable", EvidenceUnreadable::CODES.to_vec()),
        ("erasure-parts", crate::domain::erasure::evidence::Parts::ALL.iter().map(|value| value.as_str()).collect()),
        ("erasure-refused", erasure_entry::Refused::CODES.to_vec()),
        ("check", check::Found::codes()),
        ("check-explained", check::Found::codes()),
    ]
}

/// The families of lending, imports and letters.
fn of_lending() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("loan", LoanStateName::ALL.iter().map(|value| value.as_str()).collect()),
        ("lending", LendingState::ALL.iter().map(|value| value.as_str()).collect()),
        ("condition", Condition::ALL.iter().map(|value| value.as_str()).collect()),
        ("audit-key", audit_words::KEYS.iter().map(|(key, _)| *key).collect()),
        ("audit-kind", audit_words::KINDS.to_vec()),
        ("audit-because", vec!["approved", "restored"]),
        ("calendar-change", ChangeKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("calendar-count", ChangeKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("calendar-fault", Fault::CODES.to_vec()),
        ("signature", Signature::ALL.iter().map(|value| value.as_str()).collect()),
        ("borrower", BorrowerKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("step", loan_event::KINDS.to_vec()),
        ("refused", Refused::CODES.to_vec()),
        ("record-refused", CorrectionRefused::CODES.to_vec()),
        ("grade", Grade::ALL.iter().map(|value| value.as_str()).collect()),
        ("contact-expected", ContactExpected::ALL.iter().map(|value| value.as_str()).collect()),
        ("loans-due", vec!["overdue", "week", "three-weeks"]),
        ("loans-sorted", LoanSort::ALL.iter().map(|value| value.as_str()).collect()),
        ("message", MessageState::ALL.iter().map(|value| value.as_str()).collect()),
        ("recipient", RecipientKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("notice", NoticeKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("dropped", Dropped::ALL.iter().map(|value| value.as_str()).collect()),
        ("job", Job::ALL.iter().map(|value| value.as_str()).collect()),
        ("export", ExportKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("export-hint", ExportKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("import-kind", Kind::ALL.iter().map(|value| value.as_str()).collect()),
        ("import-state", ImportState::ALL.iter().map(|value| value.as_str()).collect()),
        ("import-outcome", vec!["new", "changed", "bad"]),
        ("import-reason", Reason::ALL.iter().map(|value| value.as_str()).collect()),
        ("import-unreadable", Unreadable::ALL.map(Unreadable::as_str).to_vec()),
        ("need-state", NeedState::ALL.iter().map(|value| value.as_str()).collect()),
        ("need-level", Level::ALL.iter().map(|value| value.as_str()).collect()),
        ("need-reason", NeedReason::ALL.iter().map(|value| value.as_str()).collect()),
        ("allocation-state", AllocationState::ALL.iter().map(|value| value.as_str()).collect()),
        ("line-state", LineState::ALL.iter().map(|value| value.as_str()).collect()),
        ("place", Place::ALL.iter().map(|value| value.as_str()).collect()),
        ("unfit", Unfit::ALL.iter().map(|value| value.as_str()).collect()),
        ("cause", allocation_why::CAUSES.to_vec()),
        ("allocation-problem", allocation::PROBLEMS.to_vec()),
        ("campaign-state", CampaignState::ALL.iter().map(|value| value.as_str()).collect()),
        ("return", ReturnState::ALL.iter().map(|value| value.as_str()).chain(["overdue"]).collect()),
        ("borrower-kind", BorrowerKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("borrower-loan", LoanStateName::ALL.iter().map(|value| value.as_str()).collect()),
        ("level", Level::ALL.iter().map(|value| value.as_str()).collect()),
        ("programme-kind", ProgrammeKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("programme-term", vec!["school_year_end", "date", "days", "open"]),
        ("exam-state", ExamState::ALL.iter().map(|value| value.as_str()).collect()),
        ("document", DocumentKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("sheet", SheetFormat::ALL.iter().map(|value| value.as_str()).collect()),
        ("lot-state", LotState::ALL.iter().map(|value| value.as_str()).collect()),
        ("lot-problem", LotRefused::CODES.to_vec()),
        ("donation-invalid", InvalidEntry::CODES.to_vec()),
        ("unmet", Unmet::CODES.to_vec()),
        ("basis", LegalBasis::ALL.iter().map(|value| value.as_str()).collect()),
        ("estimation", Estimation::ALL.iter().map(|value| value.as_str()).collect()),
        ("recipient-class", RecipientClass::ALL.iter().map(|value| value.as_str()).collect()),
        ("staff-role", vec!["referent", "technician", "refurbisher", "auditor"]),
    ]
}

/// The families of who comes in.
fn of_enrolment() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("token", TokenState::ALL.iter().map(|value| value.as_str()).collect()),
        ("token-admits", Admits::ALL.iter().map(|value| value.as_str()).collect()),
        ("waits-for", WaitsFor::ALL.iter().map(|value| value.as_str()).collect()),
        ("hindrance", Hindrance::ALL.iter().map(|value| value.as_str()).collect()),
        ("decided", approval::Outcome::CODES.to_vec()),
        ("waiting-lifts", LIFTED.iter().map(|value| value.as_str()).collect()),
        ("action-kind", ActionKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("action-means", ActionKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("action-state", ActionState::ALL.iter().map(|value| value.as_str()).collect()),
        ("action-outcome", ActionOutcome::ALL.iter().map(|value| value.as_str()).collect()),
        ("left-out", LeftOut::ALL.iter().map(|value| value.as_str()).collect()),
    ]
}

/// The families of the workshop.
fn of_workshop() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("work-stage", Stage::ALL.iter().map(|value| value.as_str()).collect()),
        ("work-disposition", WorkDisposition::ALL.iter().map(|value| value.as_str()).collect()),
        ("work-dispose", WorkDisposition::ALL.iter().map(|value| value.as_str()).collect()),
        ("work-move", MoveName::ALL.iter().map(|value| value.as_str()).filter(|name| *name != "dispose").collect()),
        ("work-check", Check::ALL.iter().map(|value| value.as_str()).collect()),
        ("work-hint", Check::ALL.iter().map(|value| value.as_str()).collect()),
        ("work-finding", Finding::ALL.iter().map(|value| value.as_str()).collect()),
        ("work-step", work_order::KINDS.to_vec()),
        ("work-inspection", InspectionKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("work-submit", InspectionKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("bench-refused", work_order_act::Refused::CODES.to_vec()),
        ("forecast-ready", ReadyFor::ALL.iter().map(|value| value.as_str()).collect()),
        ("part-kind", PartKind::ALL.iter().map(|value| value.as_str()).collect()),
        ("part-origin", Origin::ALL.iter().map(|value| value.as_str()).collect()),
    ]
}

/// Every quoted text in the templates and in this module's own source, which is where keys stand.
fn quoted() -> BTreeSet<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut quoted = BTreeSet::new();
    for (directory, extension) in [("templates", "html"), ("src/console", "rs")] {
        for entry in std::fs::read_dir(root.join(directory)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let own = name == "words_test" || name.starts_with("samples");
            if path.extension().is_some_and(|found| found == extension) && !own {
                let text = std::fs::read_to_string(path).unwrap();
                quoted.extend(text.split('"').map(str::to_owned));
            }
        }
    }
    quoted
}

#[test]
fn both_languages_have_the_same_keys_and_places() {
    let (french, english) = (keys(Language::French), keys(Language::English));
    assert!(french.len() > 300);
    for (key, places) in &french {
        assert_eq!(Some(places), english.get(key), "{key}");
    }
    assert_eq!(french.keys().collect::<Vec<_>>(), english.keys().collect::<Vec<_>>());
}

#[test]
fn every_key_is_used_and_every_word_of_a_family_is_there() {
    let known: BTreeSet<String> = keys(Language::French).into_keys().collect();
    let (families, quoted) = (families(), quoted());
    let missing: Vec<_> = families.difference(&known).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
    let unused: Vec<_> = known.iter().filter(|key| !families.contains(*key) && !quoted.contains(*key)).collect();
    assert!(unused.is_empty(), "unused: {unused:?}");
}

#[test]
fn every_key_that_a_page_asks_for_is_there() {
    let known: BTreeSet<String> = keys(Language::French).into_keys().collect();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (directory, extension) in [("templates", "html"), ("src/console", "rs")] {
        for entry in std::fs::read_dir(root.join(directory)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|found| found != extension) {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for call in [".say(\"", ".count(\"", ".with(\"", ".with_two(\"", "fact(words, \"", "moment(\""] {
                for key in text.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
                    assert!(known.contains(key), "{}: {key}", path.display());
                }
            }
        }
    }
}

/// Every `"thing.act"` of a statement that writes to the audit, read from the source: nobody keeps a second list.
fn recorded(folder: &std::path::Path, found: &mut BTreeSet<String>) {
    const WRITERS: [&str; 6] = ["record(", "append(", ".note(", ".act(", ".save(", "NewAudit"];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            recorded(&path, found);
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.extension().is_none_or(|kind| kind != "rs") || name.starts_with("samples") || name == "audit_words.rs" {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let code = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for statement in code.split(';').filter(|text| !text.contains("#[template")) {
            for (number, text) in statement.split('"').enumerate().filter(|(number, _)| number % 2 == 1) {
                let before = statement.split('"').take(number).collect::<String>();
                let named = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                let is_act = text.split_once('.').is_some_and(|(thing, act)| named(thing) && named(act));
                let mut words = before.split(|c: char| !c.is_alphanumeric() && c != '_');
                let is_told =
                    words.any(|word| word == "action") || WRITERS.iter().any(|writer| before.contains(writer));
                if is_act && is_told {
                    found.insert(text.to_owned());
                }
            }
        }
    }
}

#[test]
fn every_act_that_is_recorded_has_its_words() {
    let mut found = BTreeSet::new();
    recorded(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let known: BTreeSet<String> = audit_words::ACTS.iter().map(|act| (*act).to_owned()).collect();
    assert_eq!(found.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "recorded, but without words");
    assert_eq!(known.difference(&found).collect::<Vec<_>>(), Vec::<&String>::new(), "words that no act has");
}
