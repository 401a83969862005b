//! What surrounds every page: title, navigation, language, the person signed in.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use super::{assets, component::Tone, i18n::Words};
use crate::{
    auth::{Action, Object},
    domain::{device_record::CorrectionRefused, language::Language},
    store::{lending::Refused, work_order_act},
};

/// Where in the console a page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// The overview.
    Overview,
    /// Devices.
    Devices,
    /// Flags to handle.
    Flags,
    /// What devices should become.
    Dispositions,
    /// Labels.
    Labels,
    /// Enrolment tokens.
    Tokens,
    /// Machines that ask to be let in.
    Waiting,
    /// Loans.
    Loans,
    /// Handing devices over.
    HandOver,
    /// The return desk.
    Returns,
    /// Exports.
    Exports,
    /// Imports.
    Imports,
    /// Lots of donation and their recipients.
    Donations,
    /// Yearly figures.
    Figures,
    /// Needs.
    Needs,
    /// Who gets which device.
    Allocations,
    /// Work orders by stage.
    WorkOrders,
    /// Taking units in for refurbishment.
    WorkIntake,
    /// The stock of parts.
    Parts,
    /// Units that will be ready by a day.
    Forecast,
    /// Return campaigns.
    Campaigns,
    /// Borrowers.
    Borrowers,
    /// Programmes.
    Programmes,
    /// Sites.
    Sites,
    /// The school calendar.
    Calendar,
    /// Exams.
    Exams,
    /// Releases of the agent.
    Releases,
    /// The audit.
    Audit,
    /// Notices, jobs and webhooks.
    Notices,
    /// None of them.
    Elsewhere,
}

/// One page that the navigation may offer.
#[derive(Clone, Copy, Debug)]
struct Entry {
    section: Section,
    href: &'static str,
    key: &'static str,
    /// Who sees it: those who may do this, to all they see or to the programme as a whole.
    needs: (Action, Object),
}

const fn entry(section: Section, href: &'static str, key: &'static str, action: Action) -> Entry {
    Entry { section, href, key, needs: (action, Object::OwnScope) }
}

const fn of_programme(section: Section, href: &'static str, key: &'static str, action: Action) -> Entry {
    Entry { section, href, key, needs: (action, Object::Programme) }
}

/// The navigation: groups with their pages, in order. A person sees the pages that the role includes, and the groups
/// that are not empty then. A new page is one line here.
const GROUPS: &[(&str, &[Entry])] = &[
    ("nav-overview", &[entry(Section::Overview, "/", "nav-overview", Action::SeeOverview)]),
    (
        "nav-fleet",
        &[
            entry(Section::Devices, "/devices", "nav-devices", Action::SeeDevices),
            entry(Section::Flags, "/flags", "nav-flags", Action::SeeFlags),
            entry(Section::Dispositions, "/dispositions", "nav-dispositions", Action::SeeDevices),
            entry(Section::Labels, "/labels", "nav-labels", Action::PrintLabels),
            entry(Section::Tokens, "/tokens", "nav-tokens", Action::SeeEnrolmentTokens),
            entry(Section::Waiting, "/devices/waiting", "nav-waiting", Action::AdmitDevice),
            of_programme(Section::Donations, "/lots", "nav-donations", Action::SeeDonations),
            of_programme(Section::Figures, "/figures", "nav-figures", Action::SeeFigures),
        ],
    ),
    (
        "nav-lending",
        &[
            entry(Section::Loans, "/loans", "nav-loans", Action::SeeLoans),
            entry(Section::HandOver, "/hand-over", "nav-hand-over", Action::HandOver),
            entry(Section::Returns, "/returns", "nav-returns", Action::TakeBack),
            entry(Section::Campaigns, "/campaigns", "nav-campaigns", Action::SeeCampaigns),
            entry(Section::Borrowers, "/borrowers", "nav-borrowers", Action::SeeBorrowers),
            entry(Section::Needs, "/needs", "nav-needs", Action::SeeNeeds),
            of_programme(Section::Allocations, "/allocations", "nav-allocations", Action::SeeAllocations),
        ],
    ),
    (
        "nav-refurbishment",
        &[
            entry(Section::WorkOrders, "/work-orders", "nav-work-orders", Action::SeeWorkOrders),
            entry(Section::WorkIntake, "/work-orders/intake", "nav-work-intake", Action::WorkOnOrders),
            entry(Section::Parts, "/parts", "nav-parts", Action::SeeWorkOrders),
            of_programme(Section::Forecast, "/forecast", "nav-forecast", Action::SeeForecast),
        ],
    ),
    (
        "nav-running",
        &[
            entry(Section::Programmes, "/programmes", "nav-programmes", Action::SeeProgrammes),
            entry(Section::Sites, "/sites", "nav-sites", Action::SeeSites),
            entry(Section::Calendar, "/calendar", "nav-calendar", Action::SeeSites),
            entry(Section::Exams, "/exams", "nav-exams", Action::SeeExams),
            of_programme(Section::Releases, "/releases", "nav-releases", Action::SeeReleases),
            of_programme(Section::Imports, "/imports", "nav-imports", Action::ImportData),
            entry(Section::Exports, "/exports", "nav-exports", Action::ExportData),
            entry(Section::Notices, "/notices", "nav-notices", Action::SeeNotices),
            of_programme(Section::Audit, "/audit", "nav-audit", Action::SeeAudit),
        ],
    ),
];

/// The addresses of the navigation that are offered to whoever `may` do what they need.
pub(super) fn offered(may: impl Fn(Action, Object) -> bool) -> Vec<&'static str> {
    GROUPS
        .iter()
        .flat_map(|(_, pages)| *pages)
        .filter(|page| may(page.needs.0, page.needs.1))
        .map(|page| page.href)
        .collect()
}

/// The person signed in, as the page shows and uses it.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    /// For greeting.
    pub(super) name: String,
    /// What forms carry to prove that they come from this session.
    pub(super) csrf: String,
    /// The addresses that the navigation offers.
    pub(super) offered: Vec<&'static str>,
    /// Whether the person may record a device.
    pub(super) adds_devices: bool,
}

/// What surrounds a page.
#[derive(Clone, Debug)]
pub(super) struct Shell {
    /// The language's words.
    pub(super) words: Words,
    /// The page's title and main heading.
    pub(super) title: String,
    /// The page's own address, to come back to after changing the language.
    pub(super) here: String,
    /// Where it stands.
    pub(super) section: Section,
    /// Who is signed in.
    pub(super) person: Option<Signed>,
    /// What was just done, or was not.
    pub(super) notice: Option<Notice>,
    /// Whether to say that a periodic job is missed.
    pub(super) alarm: bool,
}

/// A message at the head of a page.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    /// How it looks.
    pub(super) tone: Tone,
    /// What it says.
    pub(super) text: String,
}

impl Notice {
    /// The message after an act whose outcome stands in the address. Only known outcomes say anything.
    pub(super) fn after(outcome: &str, words: Words) -> Option<Self> {
        let (tone, key) = match outcome {
            "saved" => (Tone::Good, "done-saved"),
            "already" => (Tone::Info, "done-already"),
            "due-needed" => (Tone::Critical, "loan-due-needed"),
            "handed-over" => (Tone::Good, "done-handed-over"),
            "reserved" => (Tone::Good, "done-reserved"),
            "class-handed-over" => (Tone::Good, "done-class-handed-over"),
            "return-undone" => (Tone::Good, "done-return-undone"),
            "import-deleted" => (Tone::Good, "done-import-deleted"),
            "import-too-long" => (Tone::Warning, "done-import-too-long"),
            "import-busy" => (Tone::Warning, "done-import-busy"),
            "identity-erased" => (Tone::Good, "borrower-erased"),
            "token-revoked" => (Tone::Good, "done-token-revoked"),
            "document-no-holder" => (Tone::Critical, "document-no-holder"),
            "document-not-in-state" => (Tone::Critical, "document-not-in-state"),
            "archive-lent" => (Tone::Critical, "device-archive-lent"),
            "archive-on-bench" => (Tone::Critical, "device-archive-on-bench"),
            "unarchive-given" => (Tone::Critical, "device-unarchive-given"),
            "asset-tag-taken" => (Tone::Critical, "device-asset-tag-taken"),
            "bench-no-picture" => (Tone::Critical, "work-no-picture"),
            _ => {
                if let Some(code) = outcome.strip_prefix("record-") {
                    let known = CorrectionRefused::CODES.contains(&code);
                    return known.then(|| Self { tone: Tone::Critical, text: words.word("record-refused", code) });
                }
                if let Some(code) = outcome.strip_prefix("bench-") {
                    let known = work_order_act::Refused::CODES.contains(&code);
                    return known.then(|| Self { tone: Tone::Critical, text: words.word("bench-refused", code) });
                }
                let code = outcome.strip_prefix("refused-").filter(|code| Refused::CODES.contains(code))?;
                return Some(Self { tone: Tone::Critical, text: words.word("refused", code) });
            }
        };
        Some(Self { tone, text: words.say(key) })
    }
}

/// One entry of the navigation.
#[derive(Clone, Debug)]
pub(super) struct NavItem {
    /// Where it leads.
    pub(super) href: &'static str,
    /// What it says.
    pub(super) label: String,
    /// Whether this is the page.
    pub(super) current: bool,
}

impl Shell {
    /// The navigation's groups; a group leads to the first of its pages.
    pub(super) fn groups(&self) -> Vec<NavItem> {
        GROUPS
            .iter()
            .filter_map(|(key, pages)| {
                let first = pages.iter().find(|page| self.offers(page))?;
                let current = pages.iter().any(|page| page.section == self.section);
                Some(NavItem { href: first.href, label: self.words.say(key), current })
            })
            .collect()
    }

    /// The pages of the group in which this page stands, where there are several.
    pub(super) fn pages(&self) -> Vec<NavItem> {
        let group = GROUPS.iter().find(|(_, pages)| pages.iter().any(|page| page.section == self.section));
        let item = |page: &Entry| NavItem {
            href: page.href,
            label: self.words.say(page.key),
            current: page.section == self.section,
        };
        let pages: Vec<NavItem> =
            group.map_or(&[][..], |(_, pages)| pages).iter().filter(|page| self.offers(page)).map(item).collect();
        if pages.len() > 1 { pages } else { Vec::new() }
    }

    fn offers(&self, page: &Entry) -> bool {
        self.person.as_ref().is_some_and(|person| person.offered.contains(&page.href))
    }

    /// Whether recording a device is offered.
    pub(super) fn may_add_device(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.adds_devices)
    }

    /// What forms of this page carry.
    pub(super) fn csrf(&self) -> String {
        self.person.as_ref().map_or_else(String::new, |person| person.csrf.clone())
    }

    /// The stylesheet's address.
    pub(super) fn stylesheet() -> &'static str {
        &assets::STYLESHEET.address
    }

    /// The address of the desks' script.
    pub(super) fn script() -> &'static str {
        &assets::SCRIPT.address
    }

    /// The icon's address.
    pub(super) fn icon() -> &'static str {
        &assets::ICON.address
    }

    /// The language that the switch offers.
    pub(super) const fn other_language(&self) -> Language {
        match self.words.language {
            Language::French => Language::English,
            Language::English => Language::French,
        }
    }

    /// That language's name in itself.
    pub(super) fn other_language_name(&self) -> String {
        Words::of(self.other_language()).say("language-name")
    }
}

/// Marks an answer whose page brings our own script along: [`super::guard`] lets it run there and nowhere else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scripted;

/// The answer, with leave for our own script, its requests to this server, and the camera.
pub(super) fn scripted(mut answer: Response) -> Response {
    answer.extensions_mut().insert(Scripted);
    answer
}

/// A page as an answer.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        auth::Role,
        domain::{
            authority::{Actor, can},
            scope::Scope,
        },
    };

    #[test]
    fn each_role_is_offered_what_it_may_open() {
        let (all, some) = (Scope::Everything, Scope::Sites(vec![uuid::Uuid::nil()]));
        let offered_to =
            |role, scope| offered(|action, object| can(Actor { role, scope }, action, object).is_allowed());
        let everything = offered(|_, _| true);
        assert_eq!(offered_to(Role::Administrator, &all), everything);
        assert!(offered_to(Role::Auditor, &all).contains(&"/audit"));
        assert!(!offered_to(Role::Auditor, &some).contains(&"/audit"), "the audit is the whole programme's");
        assert!(!offered_to(Role::Referent, &some).contains(&"/tokens"));
        for role in Role::ALL {
            assert_eq!(offered_to(role, &some).first(), Some(&"/"), "{role:?}");
        }
        let unique: std::collections::BTreeSet<_> = everything.iter().collect();
        assert_eq!(unique.len(), everything.len(), "an address twice");
    }
}
