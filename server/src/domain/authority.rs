//! Who may do what: one pure function, [`can`], asked before each act. docs/api.md holds the same table for people.
//!
//! It never reads the store: the caller hands in the actor as of this request and the object's site. Queries apply
//! the actor's [`Scope`] besides, so that a list never holds what this function would refuse.

mod action;

use uuid::Uuid;

pub use self::action::Action;
use crate::domain::scope::Scope;

/// What a person is trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Runs the installation: people, sites, the audit, and everything the others do.
    Administrator,
    /// Runs the lending: programmes, borrowers, loans, needs, campaigns.
    ProgrammeManager,
    /// Looks after devices: sees them, handles flags, enrols.
    Technician,
    /// Hands devices out and takes them back at a collège.
    Referent,
    /// Takes devices back and decides what becomes of them.
    Refurbisher,
    /// Reads everything but who the borrowers are.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Administrator,
        Self::ProgrammeManager,
        Self::Technician,
        Self::Referent,
        Self::Refurbisher,
        Self::Auditor,
    ];

    /// As stored and as typed on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::ProgrammeManager => "programme_manager",
            Self::Technician => "technician",
            Self::Referent => "referent",
            Self::Refurbisher => "refurbisher",
            Self::Auditor => "auditor",
        }
    }

    /// Whether this role includes `action`, within the person's scope. An administrator may do everything there.
    fn includes(self, action: Action) -> bool {
        self == Self::Administrator || action.rights().1.contains(&self)
    }
}

/// A text that names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the roles are administrator, programme_manager, technician, referent, refurbisher and auditor")]
pub struct UnknownRole;

impl std::str::FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// What the action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// Whatever the actor's scope covers: the query applies it.
    OwnScope,
    /// Something that belongs to this site, or to none.
    OfSite(Option<Uuid>),
    /// The programme as a whole: only for people who see all of it.
    Programme,
}

/// The one who acts, as of this request.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The role.
    pub role: Role,
    /// The sites.
    pub scope: &'a Scope,
}

/// The answer of [`can`].
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go ahead.
    Allowed,
    /// No, and saying so tells nothing (403).
    Forbidden,
    /// No, and whether the object exists is not for this actor to know (404).
    Hidden,
}

impl Decision {
    /// Whether it is allowed.
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }
}

/// Whether `actor` may do `action` to `object`.
pub fn can(actor: Actor<'_>, action: Action, object: Object) -> Decision {
    if !actor.role.includes(action) {
        return Decision::Forbidden;
    }
    match (object, actor.scope) {
        (Object::OwnScope, _) | (_, Scope::Everything) => Decision::Allowed,
        (Object::OfSite(Some(site)), Scope::Sites(sites)) if sites.contains(&site) => Decision::Allowed,
        (Object::OfSite(_), Scope::Sites(_)) => Decision::Hidden,
        (Object::Programme, Scope::Sites(_)) => Decision::Forbidden,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn some_things_are_for_few() {
        let everything = Scope::Everything;
        let who = |action| {
            let may =
                |role: &Role| can(Actor { role: *role, scope: &everything }, action, Object::Programme).is_allowed();
            Role::ALL.into_iter().filter(may).collect::<Vec<_>>()
        };
        assert_eq!(who(Action::ChangePeople), [Role::Administrator]);
        assert_eq!(who(Action::SeeIdentity), [Role::Administrator, Role::ProgrammeManager, Role::Referent]);
        assert_eq!(who(Action::SeeAudit), [Role::Administrator, Role::Auditor]);
        assert_eq!(who(Action::EndLoan), [Role::Administrator, Role::ProgrammeManager]);
    }

    #[test]
    fn an_auditor_changes_nothing() {
        let everything = Scope::Everything;
        let auditor = Actor { role: Role::Auditor, scope: &everything };
        for action in Action::ALL.into_iter().filter(|action| can(auditor, *action, Object::OwnScope).is_allowed()) {
            let name = format!("{action:?}");
            assert!(name.starts_with("See") || action == Action::ExportData, "{name}");
        }
    }

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api.md");
    const MARK: &str = "cargo test -p cartable-server authority_page -->\n";
    const END: &str = "\n<!-- end -->";

    fn table() -> String {
        let everything = Scope::Everything;
        let mut table = String::from("\n| Act |");
        for role in Role::ALL {
            let _ = write!(table, " {} |", role.as_str().replace('_', " "));
        }
        let _ = write!(table, "\n| --- |{}\n", " :-: |".repeat(Role::ALL.len()));
        for action in Action::ALL {
            let _ = write!(table, "| {} |", action.rights().0);
            for role in Role::ALL {
                let may = can(Actor { role, scope: &everything }, action, Object::Programme).is_allowed();
                table.push_str(if may { " yes |" } else { " |" });
            }
            table.push('\n');
        }
        table
    }

    #[test]
    fn authority_page_is_current() {
        let committed = std::fs::read_to_string(PAGE).unwrap();
        let (before, rest) = committed.split_once(MARK).unwrap();
        let (old, after) = rest.split_once(END).unwrap();
        if std::env::var_os("CARTABLE_BLESS").is_some() {
            std::fs::write(PAGE, format!("{before}{MARK}{}{END}{after}", table())).unwrap();
        } else {
            assert!(old == table(), "docs/api.md is stale: run this test with CARTABLE_BLESS=1");
        }
    }

    #[test]
    fn what_lies_outside_the_scope_is_hidden_whatever_the_role_and_the_action() {
        let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let scope = Scope::Sites(vec![own]);
        for role in Role::ALL {
            let actor = Actor { role, scope: &scope };
            for action in Action::ALL {
                for object in [Object::OfSite(Some(other)), Object::OfSite(None), Object::Programme] {
                    assert!(!can(actor, action, object).is_allowed(), "{role:?} {action:?} {object:?}");
                }
            }
            assert!(can(actor, Action::SeeDevices, Object::OfSite(Some(own))).is_allowed());
            assert_eq!(can(actor, Action::SeeDevices, Object::OfSite(Some(other))), Decision::Hidden);
        }
    }

    #[test]
    fn an_empty_scope_sees_nothing() {
        let scope = Scope::Sites(Vec::new());
        let actor = Actor { role: Role::Administrator, scope: &scope };
        assert_eq!(can(actor, Action::SeeDevices, Object::OfSite(Some(Uuid::nil()))), Decision::Hidden);
        assert_eq!(can(actor, Action::SeeAudit, Object::Programme), Decision::Forbidden);
    }
}
