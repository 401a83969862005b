//! The authority matrix: every route of the router, for each role and nobody, on what is theirs, a foreign site's, and
//! nobody's. [`ROWS`] says who may what; `domain::authority` is never asked, so that a mistake in it shows here.

mod matrix;
mod routes;
mod rows;
mod things;

pub use matrix::{run, without_a_row};
pub use rows::ROWS;
pub use things::{Things, make};

use cartable_server::auth::Role;

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
    /// What is sent: a form's fields for the console, JSON for the API; filled like the route.
    pub body: &'static str,
    /// For acts that take several things: a body that names one of site 1 and, as `{foreign-device}`, one of site 2.
    pub mixed: Option<Mixed>,
}

/// A body that names things of which some are a foreign site's.
#[derive(Clone, Copy, Debug)]
pub struct Mixed {
    /// What is sent.
    pub body: &'static str,
    /// The answer to people of site 1. Whatever it is, nothing is done to the foreign thing.
    pub status: u16,
}

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
        Self { route, may, on, done, body: "", mixed: None }
    }

    /// With this body.
    #[must_use]
    pub const fn sends(self, body: &'static str) -> Self {
        Self { body, ..self }
    }

    /// With this body of things that are not all the actor's, answered with `status`.
    #[must_use]
    pub const fn mixed(self, body: &'static str, status: u16) -> Self {
        Self { mixed: Some(Mixed { body, status }), ..self }
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
    fn misspelt(&self) -> Option<String> {
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
