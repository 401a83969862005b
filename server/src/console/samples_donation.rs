//! Samples of the pages of donations; looked at by the tests of [`super::samples`].

use askama::Template as _;
use cartable_common::{DeviceId, report::Chassis};
use jiff::civil::date;
use uuid::Uuid;

use super::{
    donation::{Found, LotPage, LotsPage, May, Typed},
    recipient::RecipientsPage,
    samples::Samples,
    shell::Section,
};
use crate::{
    domain::{
        document::{DocumentKind, DocumentNumber},
        donation::{
            Cents, Deliberation, Estimation, LotState, Recipient, RecipientClass, Terms, UnitState, Valuation,
            basis::LegalBasis,
            conditions::{Erasure, Gap, UnitFacts, Unmet},
            entry::{RecipientEntry, TermsEntry, ValueEntry},
        },
        grade::Grade,
        language::Language,
        loan::LendingState,
        verdict::Verdict,
    },
    store::{
        allocation::Who,
        document::{Document, Subject},
        donation_line::LineRow,
        donation_lot::{Delivered, LotRow},
    },
};

impl Samples<'_> {
    /// Every one of them.
    pub(super) fn donations(&self) -> Vec<(&'static str, askama::Result<String>)> {
        vec![
            ("lots", self.lots(true).render()),
            ("lots-empty", self.lots(false).render()),
            ("recipients", self.recipients(true).render()),
            ("recipients-empty", self.recipients(false).render()),
            ("lot-draft", self.one_lot(LotState::Draft, true).render()),
            ("lot-empty", self.one_lot(LotState::Draft, false).render()),
            ("lot-approved", self.one_lot(LotState::Approved, true).render()),
            ("lot-delivered", self.one_lot(LotState::Delivered, true).render()),
        ]
    }

    fn recipient(&self, class: RecipientClass) -> Recipient {
        let whole = class != RecipientClass::OwnStaff;
        Recipient {
            id: Uuid::from_u128(500),
            name: self.told("Emmaüs Connect"),
            class,
            legal_form: self.told("association loi 1901"),
            registration: whole.then(|| self.told("SIREN 792 691 869")),
            commitments: whole.then(|| self.told("réemploi, sans revente")),
            proof: whole.then(|| self.told("convention du 2 septembre 2026")),
            created_at: self.now,
            ended_at: (class == RecipientClass::PublicBody).then_some(self.now),
        }
    }

    fn who(&self, name: &'static str) -> Who {
        Who { id: Uuid::from_u128(7), name: self.told(name) }
    }

    fn lot(&self, state: LotState) -> LotRow {
        let approved = matches!(state, LotState::Approved | LotState::Delivered);
        let deed = DocumentNumber { kind: DocumentKind::DonationDeed, year: 2026, serial: 1 };
        let deliberation = Deliberation { number: self.told("CD-2026-118"), day: date(2026, 10, 16) };
        LotRow {
            id: Uuid::from_u128(501),
            name: self.told("Printemps 2027, palette 1"),
            state,
            terms: Terms {
                recipient: Some(Uuid::from_u128(500)),
                basis: Some(LegalBasis::FamiliesByDeliberation),
                deliberation: Some(deliberation),
            },
            recipient_name: self.some("Emmaüs Connect"),
            units: 3,
            prepared_by: self.who("Bruno Petit"),
            prepared_at: self.now,
            approved_by: approved.then(|| self.who("Anne Martin")),
            approved_at: approved.then_some(self.now),
            delivered: (state == LotState::Delivered).then(|| Delivered {
                by: self.who("Bruno Petit"),
                at: self.now,
                day: date(2026, 11, 29),
                deed,
            }),
            dropped_at: None,
        }
    }

    fn lots(&self, some: bool) -> LotsPage {
        let shell = self.shell(Section::Donations, &self.words.say("lots-title"));
        let lots: Vec<LotRow> = LotState::ALL.iter().filter(|_| some).map(|state| self.lot(*state)).collect();
        let recipients = [self.recipient(RecipientClass::ReuseBody)];
        let entry = TermsEntry { name: self.told("Lot"), ..TermsEntry::default() };
        let problem = (!some).then(|| self.words.say("donation-invalid-name"));
        LotsPage::new(shell, (&lots, if some { &recipients } else { &[] }), (true, problem, entry), self.now)
    }

    fn recipients(&self, some: bool) -> RecipientsPage {
        let shell = self.shell(Section::Donations, &self.words.say("recipients-title"));
        let all = RecipientClass::ALL.iter().filter(|_| some).map(|class| self.recipient(*class)).collect();
        let entry = RecipientEntry { name: self.told("a"), proof: self.told("b"), ..RecipientEntry::default() };
        RecipientsPage::new(shell, all, (true, (!some).then(|| self.words.say("donation-invalid-class")), entry))
    }

    fn donated(&self, number: u128, state: UnitState, unmet: Vec<Unmet>) -> LineRow {
        let valuation = Valuation {
            value: Cents::of_euros(85),
            estimation: Estimation::Market,
            note: self.told("trois annonces de novembre 2026"),
        };
        LineRow {
            device: DeviceId(Uuid::from_u128(number)),
            state,
            serial: self.some("PF2ABCDE"),
            asset_tag: self.some("CD72-004512"),
            manufacturer: self.some("Lenovo"),
            model: self.some("ThinkPad X13"),
            grade: (number > 1).then_some(Grade::B),
            facts: UnitFacts {
                kind: Some(Chassis::Laptop),
                place: LendingState::InStock,
                became: None,
                archived: false,
                battery: Verdict::Healthy,
                erasure: Erasure::default(),
                valuation: (number > 1).then_some(valuation),
            },
            ceiling: (number > 1).then(|| Cents::of_euros(300)),
            proven: if unmet.is_empty() { vec![self.told("S463NX0M123456")] } else { Vec::new() },
            approved: Vec::new(),
            older_than: (number > 2).then_some(10),
            unmet,
        }
    }

    fn donated_units(&self, state: UnitState) -> Vec<LineRow> {
        if state != UnitState::Listed {
            return vec![self.donated(2, state, vec![]), self.donated(3, state, vec![])];
        }
        let (value, ceiling) = (Cents::of_euros(420), Cents::of_euros(300));
        let gap = Gap { drive: self.told("S463NX0M123456"), why: "level_too_low".into() };
        let first = vec![Unmet::NoDriveKnown, Unmet::NoValue, Unmet::NoRecipient, Unmet::NoBasis];
        let second = vec![
            Unmet::Erasure(gap),
            Unmet::OverCeiling { value, ceiling },
            Unmet::Elsewhere(LendingState::Lent),
            Unmet::ClassNotListed(RecipientClass::OwnStaff, LegalBasis::Associations),
        ];
        vec![self.donated(1, state, first), self.donated(2, state, second), self.donated(3, state, vec![])]
    }

    fn one_lot(&self, state: LotState, some: bool) -> LotPage {
        let shell = self.shell(Section::Donations, &self.told("Printemps 2027, palette 1"));
        let of_lines = match state {
            LotState::Draft => UnitState::Listed,
            LotState::Approved => UnitState::Approved,
            LotState::Delivered => UnitState::Delivered,
            LotState::Dropped => UnitState::Dropped,
        };
        let (draft, approved) = (state == LotState::Draft, state == LotState::Approved);
        let deed = Document {
            number: DocumentNumber { kind: DocumentKind::DonationDeed, year: 2026, serial: 1 },
            subject: Subject::Lot(Uuid::from_u128(501)),
            template: "donation_deed".into(),
            version: "1".into(),
            template_sha256: [1; 32],
            pdf_sha256: [2; 32],
            language: Language::French,
            made_by: self.told("bruno"),
            made_at: self.now,
        };
        let found = Found {
            lot: self.lot(state),
            lines: if some { self.donated_units(of_lines) } else { Vec::new() },
            recipients: vec![self.recipient(RecipientClass::CollegeForFamilies)],
            papers: if draft { Vec::new() } else { vec![deed] },
        };
        let may = May { change: draft, approve: draft, own: draft, print: some, deliver: approved, give_up: !some };
        let typed = Typed {
            codes: self.told("CD72-004512"),
            value: ValueEntry { value: self.told("85"), note: self.told("x"), ..ValueEntry::default() },
            deed: self.told("DON-2026-000001"),
            ..Typed::default()
        };
        let problem = draft.then(|| self.words.count("lot-problem-unmet", 2));
        LotPage::new(shell, found, may, (problem, typed), self.now)
    }
}
