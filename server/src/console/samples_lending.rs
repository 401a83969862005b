//! Samples of the pages of lending; looked at by the tests of [`super::samples`].

use cartable_common::DeviceId;
use jiff::civil::date;
use uuid::Uuid;

use super::{
    borrower::{Allowed, BorrowerPage, BorrowerRead, Shown},
    borrower_form::BorrowerForm,
    borrower_list::{self, Asked, BorrowersPage, Found, NameSearch, NewBorrowerPage},
    device_record::{DeviceForm, NewDevicePage},
    document::DocumentPage,
    label::{LabelForm, LabelsPage},
    loan_samples,
    programme::{Filled, ProgrammeForm, ProgrammePage, ProgrammesPage},
    samples::Samples,
    shell::Section,
    site::{self, Problem, ReferentForm, SiteForm, SitePage, SitesPage},
};
use crate::{
    auth::Role,
    domain::{
        borrower::{Borrower, BorrowerKind, Guardian, Identity, Level},
        language::Language,
        loan::{HandedOver, Loan, LoanState},
        programme::{DEFAULT_NOTICE_DAYS, Programme, ProgrammeKind, Term, Visibility},
        school_calendar::Zone,
    },
    store::{
        borrower_list::{BorrowerQuery, BorrowerSummary},
        device_list::SiteName,
        page::{Page, Total},
        site::SiteRow,
        site_referent::Referent,
    },
};

impl Samples<'_> {
    pub(super) fn programme(&self) -> Programme {
        Programme {
            id: Uuid::from_u128(41),
            code: "D5".parse().unwrap(),
            name: self.told("Prêt aux élèves"),
            kind: ProgrammeKind::IndividualLoan,
            term: Term::Date(date(2027, 6, 30)),
            renewals_allowed: 1,
            accessories: vec![self.told("Chargeur"), self.told("Housse")],
            owner: self.told("Département"),
            agreement_template: "agreement".to_owned(),
            membership: vec![Role::Referent, Role::Technician],
            notice_days: DEFAULT_NOTICE_DAYS.to_vec(),
            open: true,
        }
    }

    pub(super) fn programmes(&self, some: bool) -> ProgrammesPage {
        let shell = self.shell(Section::Programmes, &self.words.say("programmes-title"));
        let closed = Programme { open: false, term: Term::Days(30), ..self.programme() };
        let programmes = if some { vec![self.programme(), closed] } else { Vec::new() };
        ProgrammesPage::new(shell, &programmes, true)
    }

    pub(super) fn one_programme(&self, fresh: bool) -> ProgrammePage {
        let shell = self.shell(Section::Programmes, &self.told("Prêt aux élèves"));
        let programme = self.programme();
        let problem = fresh.then_some("programme-problem-code");
        let filled = Filled { form: ProgrammeForm::of(&programme), problem };
        ProgrammePage::new(shell, (!fresh).then_some(&programme), true, filled)
    }

    pub(super) fn site_row(&self) -> SiteRow {
        SiteRow {
            id: Uuid::from_u128(42),
            uai: self.told("0961234X"),
            name: self.told("Collège Exemple"),
            commune: self.told("Lyon"),
            zone: Zone::A,
            created_at: self.now,
        }
    }

    pub(super) fn borrowers(&self, some: bool) -> BorrowersPage {
        let site = self.site_row();
        let row = |kind| BorrowerSummary {
            id: Uuid::from_u128(43),
            reference: "B-7K3M-Q2ZD".parse().unwrap(),
            kind,
            institution_name: (kind == BorrowerKind::Institution).then(|| self.told("Syndicat mixte")),
            site: Some(SiteName {
                id: site.id,
                uai: self.told("0961234X"),
                name: self.told("Collège Exemple"),
                commune: self.told("Lyon"),
            }),
            level: Some(Level::Cinquieme),
            left_site_day: None,
            open_loans: 1,
            identity_known: some,
            identity_erased_at: Some(self.now),
        };
        let rows = if some { BorrowerKind::ALL.iter().map(|kind| row(*kind)).collect() } else { Vec::new() };
        let total = Total::Exact(i64::try_from(rows.len()).unwrap());
        let (class, name) = (self.told("5e B"), self.told("Inès Martin"));
        let found = Found { id: Uuid::from_u128(43), reference: "B-7K3M-Q2ZD".to_owned(), name, class };
        let problem = (!some).then_some("borrower-search-too-short");
        let by_name =
            NameSearch { name: self.told("Inès"), found: Some(vec![found]), problem, ..NameSearch::default() };
        let shell = self.shell(Section::Borrowers, &self.words.say("borrowers-title"));
        let allowed = borrower_list::Allowed { identity: true, change: true };
        let (asked, query) = (Asked::default(), BorrowerQuery::default());
        let page = Page { rows, next: None, total };
        BorrowersPage::new(shell, &asked, (&query, page), &[site], (allowed, by_name))
    }

    pub(super) fn new_borrower(&self) -> NewBorrowerPage {
        let shell = self.shell(Section::Borrowers, &self.words.say("borrower-new"));
        let mut form =
            BorrowerForm { institution: self.told("Syndicat"), number: self.told("12"), ..BorrowerForm::default() };
        form.identity.name = self.told("Inès Martin");
        form.identity.guardian_1_name = self.told("Paul Martin");
        NewBorrowerPage::new(shell, &[self.site_row()], true, (form, Some("borrower-problem-site")))
    }

    pub(super) fn one_borrower(&self, shown: bool) -> BorrowerPage {
        let borrower = Borrower {
            id: Uuid::from_u128(43),
            reference: "B-7K3M-Q2ZD".parse().unwrap(),
            kind: BorrowerKind::Person,
            institution_name: None,
            site: Some(Uuid::from_u128(42)),
            level: Some(Level::Troisieme),
            left_site_day: shown.then_some(20_600),
            created_at: self.now,
            identity_erased_at: None,
        };
        let handed = HandedOver {
            at: self.now,
            due: Some(date(2027, 7, 2)),
            extensions: 0,
            accessories: Vec::new(),
            signature: None,
            agreement_version: None,
        };
        let loan = Loan {
            id: Uuid::from_u128(44),
            device: DeviceId(Uuid::from_u128(45)),
            borrower: borrower.id,
            programme: Uuid::from_u128(41),
            site: None,
            reserved_at: self.now,
            state: LoanState::HandedOver(handed),
        };
        let read = BorrowerRead {
            borrower,
            site: Some(self.site_row()),
            identity_known: true,
            loans: if shown { vec![loan] } else { Vec::new() },
            devices: if shown { vec![self.told("PF2ABCDE")] } else { Vec::new() },
            programmes: vec![self.programme()],
        };
        let guardian = Guardian {
            name: self.told("Paul Martin"),
            email: self.some("paul@example.org"),
            phone: self.some("06 12 34 56 78"),
        };
        let identity = Identity {
            name: self.told("Inès Martin"),
            class: self.some("3e B"),
            email: None,
            guardians: vec![guardian],
            language: None,
        };
        let programmes = Visibility::of(Role::Administrator, &[self.programme()]);
        let allowed = Allowed { identity: true, change: true, programmes };
        let shown = Shown { identity: shown.then_some(identity), ..Shown::default() };
        let shell = self.shell(Section::Borrowers, "B-7K3M-Q2ZD");
        BorrowerPage::new(shell, &read, &allowed, shown, date(2026, 11, 25))
    }

    pub(super) fn new_device(&self) -> NewDevicePage {
        let shell = self.shell(Section::Devices, &self.words.say("device-new"));
        let form = DeviceForm {
            serial: self.told("PF2ABCDE"),
            asset_tag: self.told("T-7"),
            manufacturer: self.told("Lenovo"),
            model: self.told("Tab M10"),
            warranty: self.told("2028-08-31"),
            ..DeviceForm::default()
        };
        NewDevicePage::new(
            shell,
            (&[self.site_row()], true),
            &[self.programme()],
            (form, Some("device-problem-nameless")),
        )
    }

    fn referent(&self) -> Referent {
        Referent {
            id: Uuid::from_u128(47),
            site: Uuid::from_u128(42),
            name: self.told("Anne Martin"),
            email: self.told("anne@college.example"),
            language: Language::English,
            created_at: self.now,
        }
    }

    pub(super) fn sites(&self, some: bool) -> SitesPage {
        let shell = self.shell(Section::Sites, &self.words.say("sites-title"));
        let sites = if some { vec![self.site_row()] } else { vec![] };
        let form = SiteForm::of(&self.site_row());
        SitesPage::new(shell, (&sites, &[self.referent()]), true, (form, Some(Problem::CheckLetter('E'))))
    }

    pub(super) fn one_site(&self) -> SitePage {
        let shell = self.shell(Section::Sites, &self.told("Collège Exemple"));
        let site = self.site_row();
        let referent = ReferentForm { name: self.told("Anne"), email: self.told("a@b.fr"), language: String::new() };
        let typed = (SiteForm::of(&site), referent, Some(Problem::Word("site-problem-name")));
        let allowed = site::Allowed { change: true, list: Some(true), labels: true };
        SitePage::new(shell, &site, &[self.referent()], allowed, typed)
    }

    pub(super) fn labels(&self, wrong: bool) -> LabelsPage {
        let shell = self.shell(Section::Labels, &self.words.say("labels-title"));
        let form = LabelForm {
            codes: self.told("CD72-0001..CD72-0040"),
            search: self.told("ThinkPad"),
            start: self.told("4"),
            ..LabelForm::default()
        };
        LabelsPage::new(shell, &[self.site_row()], form, wrong.then(|| self.told("CD72-0041")))
    }

    pub(super) fn one_document(&self) -> DocumentPage {
        let document = loan_samples::document(self.now, &|text| self.told(text));
        DocumentPage::new(self.shell(Section::Loans, "AGR-2026-000123"), &document)
    }
}
