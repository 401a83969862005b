//! Every page from samples, in both languages, with ordinary and with hostile texts in every field that a device or a
//! person fills. With `CARTABLE_SAMPLES=DIR` the pages are also written there, to be looked at and photographed.

use askama::Template;
use axum::http::HeaderMap;
use cartable_common::{ContentHash, DeviceId, EnrolmentId, ReportId, UtcMillis, report::HealthReport};
use serde_json::json;
use uuid::Uuid;

use super::{
    assets,
    audit::AuditPage,
    design::{DesignPage, sample_flag},
    device::{Allowed, DevicePage, DeviceRead},
    device_list::{self, DevicesPage},
    error::{ErrorPage, Refusal},
    exports::ExportsPage,
    flag_list::{self, FlagsPage},
    i18n::Words,
    import_page::{ImportPage, ImportsPage, ReportAsked, Seen},
    notice::{self, MessagePage, NoticesPage},
    overview::OverviewPage,
    shell::{Notice, Section, Shell, Signed, offered},
    sign_in::SignInPage,
    token::{Outcome, TokenForm, TokensPage},
    visitor::Visitor,
};
use crate::{
    domain::{
        change::Change,
        daily::DailyFigures,
        device::DeviceStatus,
        device_record::ContactExpected,
        enrolment_token::TokenKind,
        facts::Zone,
        flag::{FlagCode, Severity},
        import::{
            Blanks, Counts, ImportState, Kind, OnError, OutcomeName, cells::Line, field::Field, foreign::Format,
            mapping::Mapping,
        },
        job::Job,
        language::Language,
        notice::{Dropped, MessageState, NoticeKind, RecipientKind},
        policy::Policy,
        verdict::Verdict,
        webhook::EventKind,
    },
    exchange::read::Table,
    store::{
        audit::Audit,
        contact::Contact,
        detail::{self, DeviceDetail},
        device::DeviceRow,
        device_list::{DeviceQuery, DeviceSummary, SiteName},
        device_record::Recorded,
        enrolment::Waiting,
        enrolment_token::TokenRow,
        flag::{FlagRow, Remark},
        flag_list::{FlagQuery, FlagSummary},
        health::Health,
        history::{ChangeRow, Day},
        import::{Import, RowReport},
        job_run::{JobRun, Standing},
        message_list::{MessageRow, NoticeRow},
        overview::{HOURS, Hour, LastHeard, Overview},
        page::{Cursor, CursorKey, Page, Total},
        site::SiteRow,
        webhook::{self, Webhook},
    },
};

/// Texts that must stay texts.
const HOSTILE: [&str; 4] = [
    "<img src=x onerror=alert(1)>",
    "\"><script>alert(1)</script>",
    "=HYPERLINK(\"http://example.org\")",
    "'; DROP TABLE device; -- & </td></title>",
];

/// One set of samples: `text` gives each field its value.
pub(super) struct Samples<'a> {
    pub(super) words: Words,
    pub(super) now: UtcMillis,
    text: &'a dyn Fn(&'static str) -> String,
}

impl Samples<'_> {
    pub(super) fn told(&self, ordinary: &'static str) -> String {
        (self.text)(ordinary)
    }

    #[expect(clippy::unnecessary_wraps, reason = "fields that may be absent take it as it is")]
    pub(super) fn some(&self, ordinary: &'static str) -> Option<String> {
        Some(self.told(ordinary))
    }

    pub(super) fn shell(&self, section: Section, title: &str) -> Shell {
        Shell {
            words: self.words,
            title: title.to_owned(),
            here: "/devices?q=a&sort=model".to_owned(),
            section,
            person: Some(Signed {
                name: self.told("Anne Martin"),
                csrf: "csrf-token".to_owned(),
                offered: offered(|_, _| true),
                adds_devices: true,
            }),
            notice: Notice::after("saved", self.words),
            alarm: true,
        }
    }

    fn report(&self) -> HealthReport {
        let text = |ordinary| self.told(ordinary);
        let value = json!({
            "hardware": { "manufacturer": text("Lenovo"), "model": text("ThinkPad X13"), "chassis": "laptop",
                "serial_number": text("PF2ABCDE"), "system_uuid": "4C4C4544-0035-3810-8051-B4C04F473332" },
            "processor": { "model": text("AMD Ryzen 5 PRO 4650U"), "cores": 6, "threads": 12 },
            "memory": { "total_bytes": 8_226_816_000_u64 },
            "firmware": { "vendor": text("LENOVO"), "version": text("R1CET63W"), "date": text("2023-05-04"),
                "secure_boot": "on", "tpm_version": 2 },
            "operating_system": { "family": "windows", "name": text("windows"), "version": text("11 23H2"),
                "build": text("22631.4460"), "architecture": text("x86_64"), "reboot_pending": true },
            "volumes": [
                { "role": "system", "file_system": text("ntfs"), "total_bytes": 255_000_000_000_u64,
                  "available_bytes": 9_400_000_000_u64, "encryption": "on" },
                { "role": "removable" } ],
            "drives": [
                { "model": text("SAMSUNG MZVLB256HBHQ"), "serial_number": text("S4GXNX0N"), "firmware": text("4L2QEXH7"),
                  "kind": "nvme", "capacity_bytes": 256_060_514_304_u64, "self_assessment": "passed",
                  "power_on_hours": 4_321, "power_cycles": 2_100, "temperature_celsius": 41, "logged_errors": 3,
                  "nvme": { "critical_warning": 0, "available_spare_percent": 100,
                    "available_spare_threshold_percent": 10, "percentage_used_percent": 12, "media_errors": 7 } },
                { "kind": "hdd", "ata_attributes": [
                    { "id": 5, "name": text("Reallocated_Sector_Ct"), "value": 98, "worst": 98, "threshold": 36, "raw": 40 } ] } ],
            "batteries": [ { "manufacturer": text("SMP"), "model": text("5B10W13932"), "design_milliwatt_hours": 48_000,
                "full_milliwatt_hours": 31_200, "cycle_count": 412, "technology": text("Li-ion") } ],
            "temperatures": [ { "sensor": "processor", "celsius": 61 } ],
            "uptime_hours": 130,
            "unread": [ { "subject": "encryption", "reason": "permission_denied", "detail": text("access denied") },
                { "subject": "tpm", "reason": "not_present" } ],
        });
        serde_json::from_value(value).unwrap()
    }

    fn flags(&self) -> Vec<FlagRow> {
        Severity::ALL
            .iter()
            .rev()
            .map(|severity| {
                let mut flag = sample_flag(*severity, self.now);
                flag.subject = self.told("S4GXNX0N");
                flag.evidence.value = self.told("7 erreurs");
                flag.evidence.source = self.told("NVM Express Base Specification 2.0");
                flag.evidence.sentence_fr = self.told("Le disque S4GXNX0N signale un risque : 7 erreurs de lecture.");
                flag.evidence.sentence_en = self.told("Drive S4GXNX0N reports a risk: 7 read errors.");
                flag.evidence.missing = vec![self.told("smartctl")];
                if *severity == Severity::Warning {
                    flag.acknowledged =
                        Some(Remark { at: self.now, by: self.told("anne"), reason: self.told("pièce commandée") });
                }
                if *severity == Severity::Info {
                    flag.snoozed_until = Some(self.now.plus_days(7));
                    flag.snoozed = Some((self.told("anne"), self.told("au retour des vacances")));
                }
                flag
            })
            .collect()
    }

    fn detail(&self) -> DeviceDetail {
        let id = DeviceId(Uuid::from_u128(0x0192_f3a0));
        let site = Uuid::from_u128(2);
        let device = DeviceRow {
            id,
            status: DeviceStatus::Quarantined,
            serial_number: self.some("PF2ABCDE"),
            system_uuid: self.some("4c4c4544-0035-3810-8051-b4c04f473332"),
            manufacturer: self.some("Lenovo"),
            model: self.some("ThinkPad X13"),
            chassis: Some("laptop".to_owned()),
            asset_tag: self.some("CD72-004512"),
            programme: self.some("ULIS"),
            site: Some(site),
            baseline: None,
            created_at: self.now.plus_days(-400),
            enrolled_at: Some(self.now.plus_days(-399)),
            archived_at: Some(self.now),
            archive_reason: self.some("écran cassé"),
            last_contact_day: Some(self.now.day_number()),
            worst_severity: 3,
            open_flags: 3,
        };
        let enrolment_id = EnrolmentId(Uuid::from_u128(3));
        DeviceDetail {
            device,
            site: Some(detail::SiteName {
                id: site,
                uai: "0720001A".to_owned(),
                name: self.told("Collège Les Tilleuls"),
                commune: self.told("Le Mans"),
            }),
            contact: Some(Contact {
                enrolment_id,
                first_at: self.now.plus_days(-399),
                last_at: self.now.plus_millis(-7_200_000),
                check_ins: 5_321,
                skew_millis: -3_200,
                agent_version: self.told("0.1.0"),
                content_hash: None,
            }),
            health: Some(Health {
                enrolment_id,
                report_id: ReportId(Uuid::from_u128(4)),
                sequence: 9,
                measured_at: self.now.plus_millis(-7_300_000),
                received_at: self.now.plus_millis(-7_200_000),
                content_hash: ContentHash::of(b"x").to_string(),
                drive_verdict: Verdict::Failing,
                battery_verdict: Verdict::Worn,
                report: self.report(),
            }),
            flags: self.flags(),
        }
    }

    fn device(&self) -> DevicePage {
        let change = |before, after| ChangeRow {
            received_at: self.now,
            measured_at: self.now,
            report_id: ReportId(Uuid::from_u128(4)),
            change: Change { path: self.told("drives[S4GXNX0N].nvme.media_errors"), before, after },
        };
        let day = |day: i64| Day {
            day: self.now.day_number() - day,
            figures: DailyFigures {
                system_volume_available_percent: Some(4 + day),
                battery_health_percent: Some(65 + day / 20),
                drive_wear_percent: Some(12 - day / 15),
                hottest_celsius: Some(45 + day % 17),
            },
        };
        let cleared = FlagRow { cleared_at: Some(self.now), ..sample_flag(Severity::Warning, self.now) };
        let read = DeviceRead {
            detail: self.detail(),
            changes: vec![change(None, self.some("7")), change(self.some("3"), None)],
            days: (0..120).rev().map(day).collect(),
            flags_ever: vec![cleared],
            loans: Some(super::loan_samples::card(self.now, self.text)),
            recorded: Recorded {
                contact_expected: ContactExpected::None,
                warranty_until: Some(jiff::civil::date(2028, 8, 31)),
            },
            waiting: vec![Waiting {
                enrolment: EnrolmentId(Uuid::from_u128(46)),
                device: DeviceId(Uuid::from_u128(7)),
                serial_number: None,
                model: None,
                since: self.now.plus_days(-1),
            }],
        };
        let allowed = Allowed { change: true, admit: true };
        let title = super::device::title(&read.detail);
        DevicePage::new(self.shell(Section::Devices, &title), read, allowed, &Policy::default(), self.now)
    }

    fn bare_device(&self) -> DevicePage {
        let mut detail = self.detail();
        detail.site = None;
        detail.contact = None;
        detail.health = None;
        detail.flags = Vec::new();
        detail.device = DeviceRow {
            status: DeviceStatus::Pending,
            serial_number: None,
            system_uuid: None,
            manufacturer: None,
            model: None,
            chassis: None,
            asset_tag: None,
            programme: None,
            enrolled_at: None,
            archived_at: None,
            archive_reason: None,
            ..detail.device
        };
        let read = DeviceRead {
            detail,
            changes: Vec::new(),
            days: Vec::new(),
            flags_ever: Vec::new(),
            recorded: Recorded::default(),
            waiting: Vec::new(),
            loans: None,
        };
        let allowed = Allowed { change: true, admit: true };
        let title = super::device::title(&read.detail);
        DevicePage::new(self.shell(Section::Devices, &title), read, allowed, &Policy::default(), self.now)
    }

    fn devices(&self, some: bool) -> DevicesPage {
        let device = |(index, status): (usize, &DeviceStatus)| DeviceSummary {
            id: DeviceId(Uuid::from_u128(index as u128)),
            status: *status,
            serial_number: self.some("PF2ABCDE"),
            manufacturer: self.some("Lenovo"),
            model: self.some("ThinkPad X13"),
            chassis: self.some("laptop"),
            asset_tag: self.some("CD72-004512"),
            site: (index != 1).then(|| SiteName {
                id: Uuid::nil(),
                uai: "0720001A".to_owned(),
                name: self.told("Collège Les Tilleuls"),
                commune: self.told("Le Mans"),
            }),
            archived_at: (index == 4).then_some(self.now),
            last_contact_at: (index != 0).then(|| self.now.plus_days(-1)),
            os_name: self.some("windows"),
            os_version: self.some("11 23H2"),
            memory: None,
            drives: Some(Verdict::Healthy),
            batteries: Some(Verdict::Unknown),
            worst_severity: Some(Severity::Critical),
            open_flags: 2,
            flags: if index == 2 {
                vec![]
            } else {
                vec![(FlagCode::DriveFailing, Severity::Critical), (FlagCode::BatteryWorn, Severity::Warning)]
            },
        };
        let rows = if some { DeviceStatus::ALL.iter().enumerate().map(device).collect() } else { Vec::new() };
        let cursor = Cursor { key: CursorKey::Text(self.told("pf2abcde")), id: Uuid::nil() };
        let asked = device_list::Asked { q: self.told("tilleuls"), ..device_list::Asked::default() };
        let query = DeviceQuery { after: some.then(|| cursor.clone()), ..DeviceQuery::default() };
        let page = Page {
            rows,
            next: some.then_some(cursor),
            total: if some { Total::MoreThan(1_000) } else { Total::Exact(0) },
        };
        DevicesPage::new(self.shell(Section::Devices, &self.words.say("devices-title")), &asked, &query, page, self.now)
    }

    fn flag_summaries(&self) -> Vec<FlagSummary> {
        self.flags()
            .into_iter()
            .map(|flag| FlagSummary {
                id: flag.id,
                device_id: flag.device_id,
                code: flag.code,
                severity: flag.severity,
                since: flag.since,
                evidence: flag.evidence,
                acknowledged_at: flag.acknowledged.map(|remark| remark.at),
                acknowledged_by: self.some("anne"),
                snoozed_until: flag.snoozed_until,
                serial_number: self.some("PF2ABCDE"),
                manufacturer: self.some("Lenovo"),
                model: self.some("ThinkPad X13"),
                asset_tag: None,
                site_name: self.some("Collège Les Tilleuls"),
                commune: self.some("Le Mans"),
            })
            .collect()
    }

    fn flag_list(&self, some: bool) -> FlagsPage {
        let rows = if some { self.flag_summaries() } else { Vec::new() };
        let page = Page { rows, next: None, total: Total::Exact(if some { 3 } else { 0 }) };
        let (asked, query) = (flag_list::Asked::default(), FlagQuery::default());
        FlagsPage::new(self.shell(Section::Flags, &self.words.say("flags-title")), &asked, &query, page, self.now)
    }

    fn overview(&self, some: bool) -> OverviewPage {
        let hour = |hour: i64| Hour {
            starts: self.now.plus_millis((hour - HOURS) * 3_600_000),
            check_ins: (hour * 37) % 900,
            reports: hour,
        };
        let overview = if some {
            Overview {
                by_status: DeviceStatus::ALL
                    .iter()
                    .zip([12, 17_930, 3, 41, 800])
                    .map(|(status, count)| (*status, count))
                    .collect(),
                archived: 122,
                by_code: FlagCode::ALL
                    .iter()
                    .zip([931, 212, 640, 96, 310, 1_204, 402, 7, 12, 30])
                    .map(|(code, count)| (*code, count))
                    .collect(),
                by_severity: vec![(Severity::Critical, 118), (Severity::Warning, 1_402), (Severity::Info, 300)],
                hourly: Some((0..HOURS).map(hour).collect()),
                last_heard: LastHeard { fresh: 15_210, week: 1_480, month: 760, older: 310, never: 170 },
            }
        } else {
            Overview::default()
        };
        let waiting = if some { self.flag_summaries() } else { Vec::new() };
        OverviewPage::new(
            self.shell(Section::Overview, &self.words.say("overview-title")),
            &overview,
            waiting,
            self.now,
        )
    }

    fn tokens(&self, outcome: Outcome) -> TokensPage {
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
        };
        let (later, before) = (self.now.plus_days(2), self.now.plus_days(-2));
        let tokens =
            vec![token(12, later, None), token(30, later, None), token(1, before, None), token(1, later, Some(before))];
        let shell = self.shell(Section::Tokens, &self.words.say("tokens-title"));
        TokensPage::new(shell, tokens, vec![site.clone()], outcome, self.now)
    }

    fn audit(&self) -> AuditPage {
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

    fn imports(&self) -> ImportsPage {
        let imports = ImportState::ALL.iter().map(|state| self.import(*state)).collect();
        let shell = self.shell(Section::Imports, &self.words.say("imports-title"));
        ImportsPage::new(shell, imports, Some((Kind::Sites, self.told("?"))), self.now)
    }

    fn import_page(&self, state: ImportState) -> ImportPage {
        let fault = json!([{ "c": self.told("Modèle"), "r": "too_long", "v": self.told("L13") }, { "r": "no_key" }]);
        let change = json!([{ "f": "model", "b": self.told("L13"), "a": null }, { "f": "person_name" }]);
        let report = |line, outcome, details| RowReport { line, outcome, details };
        let line = Line { number: 2, cells: vec![self.told("PF3A"), self.told("L13")] };
        let table = Table { headings: vec![self.told("Serial"), self.told("Remarque")], lines: vec![line] };
        let seen = Seen {
            samples: true,
            table: Some(table),
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

    fn notices(&self) -> NoticesPage {
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

    fn message_page(&self, state: MessageState) -> MessagePage {
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

    fn sign_in(&self) -> SignInPage {
        let mut headers = HeaderMap::new();
        headers.insert("accept-language", self.words.language.as_str().parse().unwrap());
        let visitor = Visitor::of_headers(&headers);
        SignInPage::new(&visitor, "/devices", &self.told("anne"), Some(self.words.count("sign-in-throttled", 30)))
    }

    fn pages(&self) -> Vec<(String, String)> {
        let failed = Outcome {
            problem: self.some("?"),
            form: TokenForm {
                label: self.told("a"),
                programme: self.told("b"),
                cap: self.told("1"),
                hours: self.told("2"),
                ..TokenForm::default()
            },
            created: None,
        };
        let created = Outcome { created: self.some("4PXR-7KQM-2D9T-HW3C-8VNB-5FZE-J6YS"), ..Outcome::default() };
        let mut pages = vec![
            ("overview", self.overview(true).render()),
            ("overview-empty", self.overview(false).render()),
            ("devices", self.devices(true).render()),
            ("device-new", self.new_device().render()),
            ("devices-empty", self.devices(false).render()),
            ("device", self.device().render()),
            ("device-bare", self.bare_device().render()),
            ("flags", self.flag_list(true).render()),
            ("flags-empty", self.flag_list(false).render()),
            ("tokens", self.tokens(Outcome::default()).render()),
            ("tokens-created", self.tokens(created).render()),
            ("tokens-failed", self.tokens(failed).render()),
            ("borrowers", self.borrowers(true).render()),
            ("borrowers-empty", self.borrowers(false).render()),
            ("borrower", self.one_borrower(false).render()),
            ("borrower-shown", self.one_borrower(true).render()),
            ("borrower-new", self.new_borrower().render()),
            ("sites", self.sites(true).render()),
            ("sites-empty", self.sites(false).render()),
            ("site", self.one_site().render()),
            ("labels", self.labels(false).render()),
            ("labels-wrong", self.labels(true).render()),
            ("document", self.one_document().render()),
            ("programmes", self.programmes(true).render()),
            ("programmes-empty", self.programmes(false).render()),
            ("programme", self.one_programme(false).render()),
            ("programme-new", self.one_programme(true).render()),
            ("audit", self.audit().render()),
            ("exports", ExportsPage::new(self.shell(Section::Exports, "Exports"), |_| true).render()),
            ("imports", self.imports().render()),
            ("import-mapping", self.import_page(ImportState::Mapping).render()),
            ("import-running", self.import_page(ImportState::Applying).render()),
            ("import-checked", self.import_page(ImportState::Checked).render()),
            ("notices", self.notices().render()),
            ("message-sent", self.message_page(MessageState::Sent).render()),
            ("message-failed", self.message_page(MessageState::Failed).render()),
            ("sign-in", self.sign_in().render()),
            (
                "design",
                DesignPage::new(self.shell(Section::Elsewhere, &self.words.say("design-title")), self.now).render(),
            ),
        ];
        pages.extend(Refusal::ALL.map(|refusal| (refusal.as_str(), ErrorPage::new(refusal, self.words).render())));
        pages
            .into_iter()
            .map(|(name, html)| (format!("{name}.{}", self.words.language.as_str()), html.unwrap()))
            .collect()
    }
}

fn now() -> UtcMillis {
    UtcMillis::new(1_795_600_000_000).unwrap()
}

fn samples(language: Language, text: &dyn Fn(&'static str) -> String) -> Vec<(String, String)> {
    Samples { words: Words::of(language), now: now(), text }.pages()
}

#[test]
fn every_page_renders_in_both_languages_without_a_missing_word() {
    for language in Language::ALL {
        for (name, html) in samples(language, &|ordinary| ordinary.to_owned()) {
            assert!(!html.contains('⟦'), "{name}: {}", &html[html.find('⟦').unwrap()..][..60]);
            assert!(html.contains(&format!("<html lang=\"{}\">", language.as_str())), "{name}");
            assert_eq!(html.matches("<h1").count(), 1, "{name}: one main heading");
            assert_eq!(html.matches("<main").count(), 1, "{name}");
            for forbidden in ["style=", "<script", "<style", " onclick", "javascript:", "http://", "https://"] {
                assert!(!html.contains(forbidden), "{name} holds {forbidden}");
            }
            write_sample(&name, &html);
        }
    }
}

#[test]
fn what_devices_and_people_write_stays_text_on_every_page() {
    for hostile in HOSTILE {
        for (name, html) in samples(Language::French, &|_| hostile.to_owned()) {
            for tag in ["<img", "<script", "</td></title>"] {
                assert!(!html.contains(tag), "{name} lets {tag} through");
            }
            assert!(!html.contains(hostile) || !hostile.contains(['<', '"', '\'']), "{name}: {hostile}");
        }
    }
}

#[test]
fn fields_are_labelled_identifiers_are_unique_and_headings_are_in_order() {
    for language in Language::ALL {
        for (name, html) in samples(language, &|ordinary| ordinary.to_owned()) {
            let mut ids: Vec<&str> = attribute(&html, " id=\"");
            let fields: Vec<&str> =
                ["<input id=\"", "<select id=\""].iter().flat_map(|tag| attribute(&html, tag)).collect();
            for field in fields {
                assert!(html.contains(&format!("for=\"{field}\"")), "{name}: field {field} has no label");
            }
            ids.sort_unstable();
            let count = ids.len();
            ids.dedup();
            assert_eq!(ids.len(), count, "{name}: an id twice");
            for id in attribute(&html, "aria-labelledby=\"") {
                assert!(ids.contains(&id), "{name}: nothing is called {id}");
            }
            let mut last = 0;
            for level in html.match_indices("<h").filter_map(|(at, _)| html[at + 2..].chars().next()?.to_digit(10)) {
                assert!(level <= last + 1, "{name}: h{level} after h{last}");
                last = level;
            }
        }
    }
}

fn attribute<'a>(html: &'a str, start: &str) -> Vec<&'a str> {
    html.split(start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Writes a sample where somebody wants to look at it.
fn write_sample(name: &str, html: &str) {
    let Some(directory) = std::env::var_os("CARTABLE_SAMPLES").map(std::path::PathBuf::from) else { return };
    std::fs::create_dir_all(directory.join("static")).unwrap();
    std::fs::write(directory.join(format!("{name}.html")), html).unwrap();
    for asset in [&*assets::STYLESHEET, &*assets::ICON] {
        std::fs::write(directory.join(asset.address.trim_start_matches('/')), asset.content).unwrap();
    }
}
