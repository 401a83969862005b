//! Loans as samples, with ordinary and with hostile texts, and the pages of loans made from them.

use askama::Template;
use axum::http::HeaderMap;
use cartable_common::{DeviceId, UtcMillis};
use jiff::civil::date;
use serde_json::json;
use uuid::Uuid;

use super::{
    i18n::Words,
    loan::{Allowed, CardRead, LoanPage, LoanRead},
    loan_line::{LoanLine, Sight},
    loan_list::{Asked, Desks, LoansPage, Read},
    shell::{Section, Shell, Signed},
    visitor::Visitor,
};
use crate::{
    domain::{
        authority::Role,
        borrower::BorrowerKind,
        language::Language,
        loan::{Condition, HandedOver, LendingState, Loan, LoanState, LoanStateName, Return, Signature, Theft},
        programme::{Programme, ProgrammeKind, Term},
    },
    store::{
        document::{Document, Subject},
        loan_event::{KINDS, Step},
        loan_list::{LoanQuery, LoanSummary},
        page::{Page, Total},
    },
};

const EVERYTHING: Allowed = Allowed { hand_over: true, take_back: true, change: true, end: true, identity: true };

fn sight() -> Sight {
    Sight { borrowers: true, role: Role::Administrator, today: date(2027, 7, 20) }
}

fn summary(state: LoanStateName, now: UtcMillis, text: &dyn Fn(&'static str) -> String) -> LoanSummary {
    LoanSummary {
        id: Uuid::from_u128(9),
        state,
        reserved_at: now.plus_days(-200),
        handed_over_at: Some(now.plus_days(-199)),
        due: Some(date(2027, 7, 2)),
        ended_at: None,
        condition: None,
        missing: vec![text("chargeur")],
        device: DeviceId(Uuid::from_u128(1)),
        serial_number: Some(text("PF2ABCDE")),
        asset_tag: Some(text("CD72-004512")),
        manufacturer: Some(text("Lenovo")),
        model: Some(text("ThinkPad X13")),
        borrower: Uuid::from_u128(2),
        reference: "B-7K3M-Q2ZD".parse().unwrap(),
        borrower_kind: BorrowerKind::Institution,
        institution_name: Some(text("Collège Les Tilleuls")),
        programme: Uuid::from_u128(3),
        programme_code: "D5".to_owned(),
        programme_name: text("Prêt individuel"),
        membership: vec![],
        site: Some(Uuid::from_u128(4)),
        site_uai: Some("0720001A".to_owned()),
        site_name: Some(text("Collège Les Tilleuls")),
    }
}

/// The loans of a sample device.
pub(super) fn card(now: UtcMillis, text: &dyn Fn(&'static str) -> String) -> CardRead {
    let loans = [LoanStateName::HandedOver, LoanStateName::Returned, LoanStateName::Cancelled];
    CardRead {
        device: Uuid::from_u128(1).to_string(),
        at: LendingState::Lent,
        loans: loans.into_iter().map(|state| summary(state, now, text)).collect(),
        sight: sight(),
        allowed: EVERYTHING,
        work_order: Some(Uuid::from_u128(9)),
    }
}

fn shell(words: Words, text: &dyn Fn(&'static str) -> String) -> Shell {
    let person = Signed {
        name: text("Anne Martin"),
        csrf: "csrf-token".to_owned(),
        offered: vec!["/", "/loans"],
        adds_devices: false,
    };
    let section = Section::Loans;
    Shell { words, person: Some(person), section, ..Visitor::of_headers(&HeaderMap::new()).bare(text("Prêt")) }
}

fn programme(text: &dyn Fn(&'static str) -> String) -> Programme {
    Programme {
        id: Uuid::from_u128(3),
        code: "D5".parse().unwrap(),
        name: text("Prêt individuel"),
        kind: ProgrammeKind::IndividualLoan,
        term: Term::SchoolYearEnd,
        renewals_allowed: 2,
        accessories: vec![text("chargeur")],
        owner: text("Département"),
        agreement_template: text("agreement"),
        membership: vec![],
        notice_days: vec![],
        open: true,
    }
}

/// A document that was made of the sample loan.
pub(super) fn document(now: UtcMillis, text: &dyn Fn(&'static str) -> String) -> Document {
    Document {
        number: "AGR-2026-000123".parse().unwrap(),
        subject: Subject::Loan { loan: Uuid::from_u128(9), site: None },
        template: text("agreement"),
        version: text("1"),
        template_sha256: [1; 32],
        pdf_sha256: [2; 32],
        language: Language::French,
        made_by: text("anne"),
        made_at: now,
    }
}

fn loan_page(state: LoanState, words: Words, now: UtcMillis, text: &dyn Fn(&'static str) -> String) -> LoanPage {
    let summary = summary(state.name(), now, text);
    let loan = Loan {
        id: summary.id,
        device: summary.device,
        borrower: summary.borrower,
        programme: summary.programme,
        site: summary.site,
        reserved_at: summary.reserved_at,
        state,
    };
    let details = json!({ "due": "2027-07-02", "accessories": [text("chargeur")], "missing": [text("sacoche")] });
    let step = |(number, kind): (usize, &&str)| Step {
        number: i64::try_from(number).unwrap(),
        at: now,
        kind: (*kind).to_owned(),
        actor: text("anne"),
        details: details.clone(),
    };
    let line = LoanLine::new(&summary, sight(), words);
    let read = LoanRead {
        summary,
        device_at: Some(loan.state.lending_state()),
        loan,
        steps: KINDS.iter().enumerate().map(step).collect(),
        programme: programme(text),
        next_due: Some(date(2028, 7, 4)),
        documents: vec![document(now, text)],
    };
    LoanPage::new(shell(words, text), read, line, EVERYTHING, Some("M1 2L3 4".to_owned()))
}

fn list(words: Words, now: UtcMillis, text: &dyn Fn(&'static str) -> String) -> LoansPage {
    let rows = LoanStateName::ALL.iter().map(|state| summary(*state, now, text)).collect();
    let page = Page { rows, next: None, total: Total::MoreThan(1_000) };
    let read = Read { query: LoanQuery::default(), programmes: vec![programme(text)], page, sites: vec![] };
    let desks = Desks { hand_over: true, returns: true };
    LoansPage::new(shell(words, text), &Asked::default(), read, sight(), desks)
}

fn states(now: UtcMillis, text: &dyn Fn(&'static str) -> String) -> Vec<LoanState> {
    let handed = HandedOver {
        at: now,
        due: Some(date(2027, 7, 2)),
        extensions: 1,
        accessories: vec![text("chargeur")],
        signature: Some(Signature::Drawn),
        agreement_version: Some(text("pret-1")),
    };
    let back = Return { at: now, condition: Condition::Damaged, missing: vec![text("chargeur")] };
    vec![
        LoanState::Reserved,
        LoanState::HandedOver(handed.clone()),
        LoanState::Returned(handed.clone(), back),
        LoanState::Stolen(handed, Theft { at: now, police_report: text("2026/004512") }),
    ]
}

#[test]
fn every_page_of_loans_is_whole_and_keeps_texts_texts() {
    const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";
    let now = UtcMillis::default().plus_days(20_600);
    for language in [Language::French, Language::English] {
        let words = Words::of(language);
        for hostile in [false, true] {
            let text = |ordinary: &'static str| if hostile { HOSTILE.to_owned() } else { ordinary.to_owned() };
            let mut pages = vec![list(words, now, &text).render().unwrap()];
            let loans = states(now, &text).into_iter();
            pages.extend(loans.map(|state| loan_page(state, words, now, &text).render().unwrap()));
            for html in pages {
                assert!(!html.contains('⟦'), "{html}");
                assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
                assert!(!hostile || html.contains("&#60;script"), "the text is shown");
            }
        }
    }
}
