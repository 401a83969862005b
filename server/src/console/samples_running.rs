//! Samples of the pages that run the programme: tokens, audit, imports, notices; looked at by the tests of
//! [`super::samples`].

use cartable_common::{AgentVersion, update::UpdateKey};
use jiff::civil::date;
use serde_json::json;
use uuid::Uuid;

use super::{
    audit::AuditPage,
    calendar::{CalendarForm, CalendarPage, Outcome, Problem},
    exam::{ExamForm, ExamsPage, Orders},
    import_page::{ImportPage, ImportsPage, ReportAsked, Seen},
    notice::{self, MessagePage, NoticesPage},
    release::{ReleasesPage, Rights},
    samples::Samples,
    shell::Section,
    token::{self, TokensPage},
};
use crate::{
    domain::{
        calendar_import::{ChangeKind, ClosureChange},
        enrolment_token::{Admits, TokenKind},
        exam::Exam,
        ical::{Fault, InvalidCalendar},
        import::{
            Blanks, Counts, ImportState, Kind, OnError, OutcomeName, field::Field, foreign::Format, mapping::Mapping,
        },
        job::Job,
        notice::{Dropped, MessageState, NoticeKind, RecipientKind},
        school_calendar::{Closure, Zone},
        webhook::EventKind,
    },
    exchange::ledger::Preview,
    store::{
        agent_package::ReleaseRow,
        agent_publication::Published,
        audit::Audit,
        enrolment_token::TokenRow,
        exam::ExamRow,
        import::{Import, RowReport},
        job_run::{JobRun, Standing},
        message_list::{MessageRow, NoticeRow},
        page::{Cursor, CursorKey, Page, Total},
        school_closure::ClosureRow,
        site::SiteRow,
        webhook::{self, Webhook},
    },
};

impl Samples<'_> {
    pub(super) fn tokens(&self, outcome: token::Outcome) -> TokensPage {
        let site = SiteRow {
            id: Uuid::from_u128(2),
            uai: "0720001A".to_owned(),
            name: self.told("Collège Les Tilleuls"),
            commune: self.told("Le Mans"),
            zone: Zone::ALL[0],
            created_at: self.now,
        };
        let token = |used, expires_at, revoked_at| TokenRow {
            id: Uuid::from_u128(5),
            label: self.told("livraison de novembre"),
            kind: TokenKind::Bulk,
            site_id: site.id,
            site_uai: site.uai.clone(),
            site_name: site.name.clone(),
            programme: self.some("ULIS"),
            cap: 30,
            used,
            expires_at,
            revoked_at,
            created_at: self.now,
            created_by: self.told("anne"),
            admits: Admits::Recorded,
        };
        let (later, before) = (self.now.plus_days(2), self.now.plus_days(-2));
        let tokens =
            vec![token(12, later, None), token(30, later, None), token(1, before, None), token(1, later, Some(before))];
        let shell = self.shell(Section::Tokens, &self.words.say("tokens-title"));
        TokensPage::new(shell, tokens, vec![site.clone()], outcome, self.now)
    }

    pub(super) fn exams(&self, some: bool) -> ExamsPage {
        let site = self.site_row();
        let exam = |site: Option<Uuid>, hours: i64| Exam {
            site,
            begins_at: self.now.plus_millis(hours * 3_600_000),
            ends_at: self.now.plus_millis((hours + 4) * 3_600_000),
        };
        let row = |exam: Exam| ExamRow {
            id: Uuid::from_u128(61),
            label: self.told("brevet blanc, épreuve 1"),
            exam,
            site: exam.site.map(|_| (site.name.clone(), site.uai.clone())),
            created_by: self.told("anne"),
        };
        let rows = [exam(Some(site.id), -1), exam(Some(site.id), 24), exam(None, 48), exam(None, -48)];
        let cursor = Cursor { key: CursorKey::Number(1), id: Uuid::nil() };
        let exams = |rows: Vec<Exam>, next: Option<Cursor>| Page {
            total: Total::Exact(i64::try_from(rows.len()).unwrap_or_default()),
            rows: rows.into_iter().map(|exam| (row(exam), true)).collect(),
            next,
        };
        let typed = ExamForm {
            label: self.told("épreuve 2"),
            day: self.told("2027-06-14"),
            begins: self.told("8"),
            ends: self.told("12:00"),
            ..ExamForm::default()
        };
        // More than are shown at once, so that the list folds.
        let sites: Vec<SiteRow> = (0..13).map(|id| SiteRow { id: Uuid::from_u128(id), ..site.clone() }).collect();
        let shell = self.shell(Section::Exams, &self.words.say("exams-title"));
        if some {
            let orders = (Orders::OwnSites, sites.as_slice());
            return ExamsPage::new(
                shell,
                (exams(rows.into(), Some(cursor)), None),
                orders,
                (typed, Some("exam-problem-time")),
                self.now,
            );
        }
        ExamsPage::new(
            shell,
            (exams(Vec::new(), None), None),
            (Orders::Nothing, &[]),
            (ExamForm::default(), None),
            self.now,
        )
    }

    pub(super) fn releases(&self, some: bool) -> ReleasesPage {
        let shell = self.shell(Section::Releases, &self.words.say("releases-title"));
        if !some {
            return ReleasesPage::new(shell, None, &[], Rights::Read);
        }
        let release = |minor, percent, halted_at, sites: &[&str]| ReleaseRow {
            release: AgentVersion::new(0, minor, 0),
            percent,
            halted_at,
            sites: sites.iter().map(|uai| (*uai).to_owned()).collect(),
        };
        let releases = vec![
            release(1, 100, None, &[]),
            release(2, 10, Some(self.now), &[]),
            release(3, 10, None, &["0720001A", "0750655E"]),
            release(4, 0, None, &[]),
        ];
        let last = Published { number: 7, expires_at: self.now, signed_by: UpdateKey([1; 32]) };
        ReleasesPage::new(shell, Some(&last), &releases, Rights::Change)
    }

    pub(super) fn audit(&self) -> AuditPage {
        let act = |seq: i64| Audit {
            seq,
            at: self.now,
            actor: self.told("anne"),
            action: self.told("device.archive"),
            object_kind: "device".to_owned(),
            object_id: self.told("0192f3a0-0000-7000-8000-000000000001"),
            details: self.told("{\"reason\":\"écran cassé\"}"),
        };
        AuditPage::new(
            self.shell(Section::Audit, &self.words.say("audit-title")),
            (0..60).rev().map(act).collect(),
            true,
        )
    }

    pub(super) fn calendar(&self, sent: bool) -> CalendarPage {
        let closure = |first, last| Closure { zone: Some(Zone::C), first, last };
        let autumn = closure(date(2027, 10, 23), date(2027, 11, 7));
        let row = ClosureRow {
            closure: autumn,
            label: self.told("Toussaint"),
            source: self.told("c.ics"),
            imported_at: self.now,
        };
        let change = |kind: ChangeKind| ClosureChange {
            zone: Zone::C,
            kind,
            closure: closure(date(2028, 2, 12), date(2028, 2, 27)),
            before: (kind == ChangeKind::Moved).then_some(autumn),
            label: self.told("Vacances d'Hiver - Zone C"),
        };
        let form = CalendarForm {
            zone: "C".to_owned(),
            name: self.told("Zone-C.ics"),
            text: self.told("BEGIN:VCALENDAR\r\nEND:VCALENDAR"),
        };
        let fault = InvalidCalendar { line: 7, fault: Fault::Backwards(self.told("Vacances")) };
        let outcome = Outcome {
            form,
            problem: (!sent).then_some(Problem::File(fault)),
            changes: sent.then(|| ChangeKind::ALL.iter().map(|kind| change(*kind)).collect()),
        };
        let shell = self.shell(Section::Calendar, &self.words.say("calendar-title"));
        CalendarPage::new(shell, if sent { &[] } else { std::slice::from_ref(&row) }, true, outcome, self.now)
    }

    fn import(&self, state: ImportState) -> Import {
        let columns = vec![Some(Field::SerialNumber), None];
        Import {
            id: Uuid::from_u128(6),
            kind: Kind::Devices,
            file_name: self.told("parc.csv"),
            created_by: self.told("anne"),
            created_at: self.now,
            state,
            on_error: OnError::Stop,
            blanks: Blanks::Keep,
            mapping: Mapping { format: Format::SnipeIt, columns },
            total: 21_000,
            done: 12_000,
            counts: Counts { new: 12, changed: 3, same: 20_000, bad: 985 },
            failure: None,
            finished_at: None,
        }
    }

    pub(super) fn imports(&self) -> ImportsPage {
        let imports = ImportState::ALL.iter().map(|state| self.import(*state)).collect();
        let shell = self.shell(Section::Imports, &self.words.say("imports-title"));
        ImportsPage::new(shell, imports, Some((Kind::Sites, self.told("?"))), self.now)
    }

    pub(super) fn import_page(&self, state: ImportState) -> ImportPage {
        let fault = json!([{ "c": self.told("Modèle"), "r": "too_long", "v": self.told("L13") }, { "r": "no_key" }]);
        let change = json!([{ "f": "model", "b": self.told("L13"), "a": null }, { "f": "person_name" }]);
        let report = |line, outcome, details| RowReport { line, outcome, details };
        let samples = vec![vec![self.told("PF3A")], vec![self.told("L13")]];
        let preview = Preview { headings: vec![self.told("Serial"), self.told("Remarque")], samples };
        let seen = Seen {
            samples: true,
            preview: Some(preview),
            rows: vec![
                report(2, OutcomeName::Bad, fault),
                report(3, OutcomeName::Changed, change),
                report(4, OutcomeName::New, json!([])),
                report(5, OutcomeName::New, json!([])),
            ],
            most: 3,
            outcome: None,
            problem: self.some("?"),
        };
        let asked = ReportAsked { outcome: String::new(), after: 1 };
        ImportPage::new(self.shell(Section::Imports, "parc.csv"), &self.import(state), seen, &asked)
    }

    pub(super) fn notices(&self) -> NoticesPage {
        let run = |job: Job| JobRun {
            job: job.to_string(),
            started_at: self.now,
            finished_at: Some(self.now),
            succeeded_at: Some(self.now),
            error: self.some("mail server"),
        };
        let webhook = Webhook {
            id: Uuid::from_u128(8),
            label: self.told("GLPI"),
            url: self.told("https://glpi.example/hook"),
            events: vec![EventKind::FlagRaised],
            created_at: self.now,
            disabled_at: None,
        };
        let last_error = Some((self.now, self.told("answered 500")));
        let read = notice::Read {
            state: MessageState::Failed,
            counts: MessageState::ALL.iter().map(|state| (*state, Some(3))).collect(),
            waiting: 12,
            messages: MessageState::ALL.iter().map(|state| self.message(*state)).collect(),
            later: true,
            next: None,
            jobs: Job::ALL.iter().map(|job| Standing { job: *job, run: Some(run(*job)), missed: true }).collect(),
            hooks: vec![webhook::Standing { webhook, waiting: 2, given_up: 1, last_error }],
        };
        NoticesPage::new(self.shell(Section::Notices, &self.words.say("notices-title")), read, self.now)
    }

    fn message(&self, state: MessageState) -> MessageRow {
        MessageRow {
            id: Uuid::from_u128(7),
            mail_id: self.told("1c2d@val.example"),
            recipient: RecipientKind::Referent,
            named: self.some("Marie Curie"),
            site: self.some("Collège des Tilleuls"),
            state,
            attempts: 2,
            next_attempt_at: Some(self.now),
            created_at: self.now,
            finished_at: Some(self.now),
            error: self.some("permanent error (550): 5.1.1"),
            notices: 3,
        }
    }

    pub(super) fn message_page(&self, state: MessageState) -> MessagePage {
        let line = |dropped: Dropped| NoticeRow {
            kind: NoticeKind::LoanDue,
            device: Some(Uuid::from_u128(9)),
            label: self.some("PC-0142"),
            due_day: Some(20_900),
            dropped: Some(dropped),
        };
        let shell = self.shell(Section::Notices, &self.words.say("message-title"));
        let lines = Dropped::ALL.iter().map(|why| line(*why)).collect();
        MessagePage::new(shell, self.message(state), lines, true, self.now)
    }
}
