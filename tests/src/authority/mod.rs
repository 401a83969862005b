//! The authority matrix: every route of the router, for each role and nobody, on what is theirs, a foreign site's, and
//! nobody's. [`rows`] says who may what; `domain::authority` is never asked, so that a mistake in it shows here.

mod matrix;
mod routes;
mod rows_api;
mod rows_console;
mod things;

pub use matrix::{run, without_a_row};
pub use things::{Things, make};

use cartable_server::auth::Role;

/// Every route: those of the API, then those of the console.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    rows_api::API.iter().chain(rows_console::CONSOLE)
}

/// One route: who may, on what, and how it then answers.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// `GET /devices/{device}`. A name in braces is filled with that thing of site 1: see [`Things`].
    pub route: &'static str,
    /// A letter for each role that may, in this order: `APTRFU`; `-` in the place of one that may not.
    /// Administrator, programme manager, technician, referent, reFurbisher, aUditor.
    pub may: &'static str,
    /// What the route's act is done to.
    pub on: On,
    /// The status where it is allowed.
    pub done: u16,
    /// What is sent: a form's fields for the console, JSON for the API; filled like the route. `%0A` is a line's end.
    pub body: &'static str,
    /// What the address asks besides: `kind=devices`.
    pub query: &'static str,
    /// The file that goes with the fields, where the route takes `multipart/form-data`; it may be empty.
    pub file: Option<&'static str>,
    /// Whether one request may name several things.
    pub bulk: bool,
    /// For routes that take several things: requests that name one of site 1 and, as `{foreign-device}`, one of site 2.
    pub mixed: &'static [Mixed],
}

/// A request that names things of which some are a foreign site's.
#[derive(Clone, Copy, Debug)]
pub struct Mixed {
    /// The address, where it is not the row's.
    pub path: Option<&'static str>,
    /// What is sent.
    pub body: &'static str,
    /// The answer to people of site 1. Whatever it is, nothing is done to the foreign thing; and nothing at all, unless
    /// it is the row's success.
    pub status: u16,
}

impl Mixed {
    /// This body to the row's own address.
    pub const fn body(body: &'static str, status: u16) -> Self {
        Self { path: None, body, status }
    }

    /// The row's body to this address.
    pub const fn at(path: &'static str, body: &'static str, status: u16) -> Self {
        Self { path: Some(path), body, status }
    }
}

/// Names of things that belong to a site. A route that names two of them may be asked for one of each of two sites.
const OF_A_SITE: [&str; 26] = [
    "site",
    "uai",
    "referent",
    "device",
    "enrolment",
    "newcomer",
    "recovery",
    "action",
    "erasure",
    "erasure-file",
    "exam",
    "flag",
    "token",
    "borrower",
    "borrower-reference",
    "need",
    "lent-device",
    "loan",
    "reservation",
    "returned-device",
    "returned-loan",
    "document",
    "message",
    "bounced-message",
    "order",
    "photo",
];

/// What an act is done to, and so who is refused besides the roles that may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// No sign-in is asked for: everybody gets the same.
    Public,
    /// Whatever the actor's sites cover: all of the roles that may succeed, wherever they work.
    Scope,
    /// The programme as a whole: only for people who see all sites; 403 for the others.
    Programme,
    /// A thing of a site: 404 to people of another site, the same as for a thing that does not exist.
    Site,
    /// The same, named in the body instead of the address: this status instead of 404.
    SiteInBody(u16),
    /// A thing that belongs to no site and that all who may do see, such as a programme; 404 when it does not exist.
    Shared,
}

impl Row {
    /// A row without a body.
    pub const fn new(route: &'static str, may: &'static str, on: On, done: u16) -> Self {
        Self { route, may, on, done, body: "", query: "", file: None, bulk: false, mixed: &[] }
    }

    /// With this body.
    #[must_use]
    pub const fn sends(self, body: &'static str) -> Self {
        Self { body, ..self }
    }

    /// With these fields and this file, as a form with a file is sent.
    #[must_use]
    pub const fn uploads(self, body: &'static str, file: &'static str) -> Self {
        Self { body, file: Some(file), ..self }
    }

    /// With this after the address's question mark.
    #[must_use]
    pub const fn asks(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    /// One request may name several things, which need not all be the actor's.
    #[must_use]
    pub const fn bulk(self) -> Self {
        Self { bulk: true, ..self }
    }

    /// With these requests about things that are not all the actor's.
    #[must_use]
    pub const fn mixed(self, mixed: &'static [Mixed]) -> Self {
        Self { mixed, ..self }
    }

    /// Whether one request may name several things: it is marked so, or names two that belong to a site.
    fn takes_several(&self) -> bool {
        let named = |name: &&&str| {
            let braces = format!("{{{name}}}");
            self.route.contains(&braces) || self.body.contains(&braces)
        };
        self.bulk || OF_A_SITE.iter().filter(named).count() > 1
    }

    fn method(&self) -> &'static str {
        self.route.split(' ').next().unwrap_or_default()
    }

    fn path(&self) -> &'static str {
        self.route.split(' ').nth(1).unwrap_or_default()
    }

    fn is_api(&self) -> bool {
        self.path().starts_with("/api/")
    }

    fn allows(&self, role: Role) -> bool {
        self.may.contains(letter(role))
    }

    /// What is wrong with how the row is written.
    pub fn misspelt(&self) -> Option<String> {
        if self.takes_several() && self.mixed.is_empty() {
            return Some(format!("{}: takes several things, and has no mixed request", self.route));
        }
        if self.mixed.iter().any(|mixed| !format!("{:?}{}", mixed.path, mixed.body).contains("{foreign-")) {
            return Some(format!("{}: a mixed request names nothing foreign", self.route));
        }
        let expected = Role::ALL.map(letter);
        let fits = self.may.chars().count() == expected.len()
            && self.may.chars().zip(expected).all(|(written, letter)| written == letter || written == '-');
        (!fits || self.path().is_empty())
            .then(|| format!("{}: {:?} is not APTRFU with - for those that may not", self.route, self.may))
    }
}

const fn letter(role: Role) -> char {
    match role {
        Role::Administrator => 'A',
        Role::ProgrammeManager => 'P',
        Role::Technician => 'T',
        Role::Referent => 'R',
        Role::Refurbisher => 'F',
        Role::Auditor => 'U',
    }
}
