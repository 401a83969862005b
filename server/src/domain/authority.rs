//! Who may do what: one pure function, [`can`], asked before each act. docs/api.md holds the same table for people.
//!
//! It never reads the store: the caller hands in the actor as of this request and the object's site. Queries apply
//! the actor's [`Scope`] besides, so that a list never holds what this function would refuse.

use uuid::Uuid;

use crate::domain::scope::Scope;

/// What a person is trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Runs the programme: people, sites, the audit, and everything a technician does.
    Administrator,
    /// Looks after devices: sees them, handles flags, enrols.
    Technician,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 2] = [Self::Administrator, Self::Technician];

    /// As stored and as typed on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Technician => "technician",
        }
    }
}

/// A text that names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the roles are administrator and technician")]
pub struct UnknownRole;

impl std::str::FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// Something a person may want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// See counts and contacts over time.
    SeeOverview,
    /// See devices, their reports and their history.
    SeeDevices,
    /// See flags to handle.
    SeeFlags,
    /// Acknowledge or snooze a flag.
    HandleFlag,
    /// Archive a device, accept its new parts as its baseline.
    ChangeDevice,
    /// Let a pending device in, or shut one out.
    AdmitDevice,
    /// See enrolment tokens, never their secret.
    SeeEnrolmentTokens,
    /// Create an enrolment token for a site.
    CreateEnrolmentToken,
    /// Revoke an enrolment token of a site.
    RevokeEnrolmentToken,
    /// See sites.
    SeeSites,
    /// Create or rename a site.
    ChangeSites,
    /// Read the audit.
    SeeAudit,
    /// Create, change or disable people and their API tokens.
    ChangePeople,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 13] = [
        Self::SeeOverview,
        Self::SeeDevices,
        Self::SeeFlags,
        Self::HandleFlag,
        Self::ChangeDevice,
        Self::AdmitDevice,
        Self::SeeEnrolmentTokens,
        Self::CreateEnrolmentToken,
        Self::RevokeEnrolmentToken,
        Self::SeeSites,
        Self::ChangeSites,
        Self::SeeAudit,
        Self::ChangePeople,
    ];

    /// Whether a technician may, within the scope; an administrator may do everything within the scope.
    const fn is_for_technicians(self) -> bool {
        match self {
            Self::SeeOverview
            | Self::SeeDevices
            | Self::SeeFlags
            | Self::HandleFlag
            | Self::ChangeDevice
            | Self::AdmitDevice
            | Self::SeeEnrolmentTokens
            | Self::CreateEnrolmentToken
            | Self::RevokeEnrolmentToken
            | Self::SeeSites => true,
            Self::ChangeSites | Self::SeeAudit | Self::ChangePeople => false,
        }
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
    if actor.role == Role::Technician && !action.is_for_technicians() {
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
    use super::*;

    #[test]
    fn a_technician_never_touches_people_sites_or_the_audit() {
        let everything = Scope::Everything;
        let technician = Actor { role: Role::Technician, scope: &everything };
        let refused: Vec<_> = Action::ALL
            .into_iter()
            .filter(|action| !can(technician, *action, Object::Programme).is_allowed())
            .collect();
        assert_eq!(refused, [Action::ChangeSites, Action::SeeAudit, Action::ChangePeople]);
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
