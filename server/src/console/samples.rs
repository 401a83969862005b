//! Every page from samples, in both languages, with ordinary and with hostile texts in every field that a device or a
//! person fills. With `CARTABLE_SAMPLES=DIR` the pages are also written there, to be looked at and photographed.
//!
//! The samples themselves stand in `samples_desk`, `samples_device`, `samples_fleet`, `samples_lending`, `samples_running`
//! and what lies beside them.

use askama::Template;
use axum::http::HeaderMap;
use cartable_common::{UtcMillis, report::Chassis};

use super::{
    assets,
    check::Found,
    design::DesignPage,
    error::{ErrorPage, Refusal},
    exports::ExportsPage,
    i18n::Words,
    shell::{Notice, Section, Shell, Signed, offered},
    sign_in::SignInPage,
    token::{Outcome, TokenForm},
    visitor::Visitor,
    waiting::Stage,
};
use crate::domain::{import::ImportState, language::Language, notice::MessageState};

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
    pub(super) text: &'a dyn Fn(&'static str) -> String,
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

    fn sign_in(&self) -> SignInPage {
        let mut headers = HeaderMap::new();
        headers.insert("accept-language", self.words.language.as_str().parse().unwrap());
        let visitor = Visitor::of_headers(&headers);
        let problem = Some(self.words.count("sign-in-throttled", 30));
        SignInPage::new(&visitor, "/devices", &self.told("anne"), problem).after_a_lost_form()
    }

    /// The pages of desks, borrowers, sites and documents.
    fn lending(&self) -> Vec<(&'static str, askama::Result<String>)> {
        vec![
            ("hand-over", self.hand_over(false).render()),
            ("hand-over-confirm", self.hand_over(true).render()),
            ("class", self.class(false).render()),
            ("class-preview", self.class(true).render()),
            ("borrowers", self.borrowers(true).render()),
            ("borrowers-empty", self.borrowers(false).render()),
            ("borrower", self.one_borrower(false).render()),
            ("borrower-shown", self.one_borrower(true).render()),
            ("borrower-new", self.new_borrower().render()),
            ("sites", self.sites(true).render()),
            ("sites-empty", self.sites(false).render()),
            ("site", self.one_site().render()),
            ("calendar", self.calendar(false).render()),
            ("calendar-preview", self.calendar(true).render()),
            ("exams", self.exams(true).render()),
            ("exams-empty", self.exams(false).render()),
            ("releases", self.releases(true).render()),
            ("releases-empty", self.releases(false).render()),
            ("labels", self.labels(false).render()),
            ("labels-wrong", self.labels(true).render()),
            ("document", self.one_document().render()),
            ("erasures", self.erasures(true).render()),
            ("erasures-empty", self.erasures(false).render()),
            ("check", self.checked(Found::Exists).render()),
            ("check-genuine", self.checked(Found::Genuine).render()),
            ("check-altered", self.checked(Found::Altered).render()),
            ("check-unknown", self.checked(Found::Unknown).render()),
            ("check-too-large", self.checked(Found::TooLarge).render()),
        ]
    }

    /// The pages about what devices should become.
    fn deciding(&self) -> Vec<(&'static str, askama::Result<String>)> {
        vec![
            ("dispositions", self.dispositions(true).render()),
            ("dispositions-empty", self.dispositions(false).render()),
            ("what-if", self.what_if("70").render()),
            ("what-if-wrong", self.what_if("7x").render()),
        ]
    }

    /// The pages about machines that ask to be let in.
    fn joining(&self) -> Vec<(&'static str, askama::Result<String>)> {
        vec![
            ("waiting", self.waiting(true).render()),
            ("waiting-empty", self.waiting(false).render()),
            ("waiting-preview", self.waiting_preview(Stage::Preview).render()),
            ("waiting-decided", self.waiting_preview(Stage::Decided).render()),
        ]
    }

    /// The pages of the console's parts, as each of them knows them.
    fn of_each_part(&self) -> [Vec<(&'static str, askama::Result<String>)>; 9] {
        [
            self.joining(),
            self.bulk_orders(),
            self.lending(),
            self.deciding(),
            self.planning(),
            self.workshop(),
            self.donations(),
            self.figures(),
            self.forecasts(),
        ]
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
            ("device-desktop", self.device_without_battery(Chassis::Desktop).render()),
            ("device-battery-gone", self.device_without_battery(Chassis::Laptop).render()),
            ("device-bare", self.bare_device().render()),
            ("flags", self.flag_list(true).render()),
            ("flags-empty", self.flag_list(false).render()),
            ("tokens", self.tokens(Outcome::default()).render()),
            ("tokens-created", self.tokens(created).render()),
            ("tokens-failed", self.tokens(failed).render()),
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
        pages.extend(self.of_each_part().into_iter().flatten());
        let refused = |refusal: Refusal| ErrorPage::new(refusal, refusal.status(), self.some("/loans"), self.words);
        pages.extend(Refusal::ALL.map(|refusal| (refusal.as_str(), refused(refusal).render())));
        // The desks' own script, the only one there is, is not what the tests look for.
        let script = format!("<script type=\"module\" src=\"{}\"></script>", Shell::script());
        pages
            .into_iter()
            .map(|(name, html)| {
                (format!("{name}.{}", self.words.language.as_str()), html.unwrap().replace(&script, ""))
            })
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
fn a_machine_without_a_battery_is_told_from_one_whose_battery_is_gone() {
    let pages = samples(Language::French, &|ordinary| ordinary.to_owned());
    let page = |name: &str| pages.iter().find(|(known, _)| known == name).map(|(_, html)| html.as_str()).unwrap();
    let (desktop, laptop) = (page("device-desktop.fr"), page("device-battery-gone.fr"));
    assert!(desktop.contains("Batteries : aucune attendue") && desktop.contains("attendue sur cette machine"));
    assert!(!desktop.contains("Batteries : Inconnu"));
    assert!(laptop.contains("Batteries : aucune trouvée") && !laptop.contains("aucune attendue"));
}

#[test]
fn what_devices_and_people_write_stays_text_on_every_page() {
    for hostile in HOSTILE {
        for (name, html) in samples(Language::French, &|_| hostile.to_owned()) {
            for tag in ["<img src=x", "<script", "</td></title>"] {
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
            for id in attribute(&html, "aria-labelledby=\"").into_iter().flat_map(str::split_whitespace) {
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
