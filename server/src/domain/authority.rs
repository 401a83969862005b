//! Who may do what: one pure function, [`can`], asked before each act. docs/api.md holds the same table for people.
//!
//! It never reads the store: the caller hands in the actor as of this request and the object's site. Queries apply
//! the actor's [`Scope`] besides, so that a list never holds what this function would refuse.

use uuid::Uuid;

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
    /// Correct a device's record, archive it, accept its new parts as its baseline.
    ChangeDevice,
    /// Let a pending device in, or shut one out.
    AdmitDevice,
    /// Order an agent to check in, to report, to test the drives or to send its log; read that log.
    OrderActions,
    /// Have a return notice shown on a laptop.
    OrderReturnNotice,
    /// Record a device that has no agent.
    AddDevice,
    /// See enrolment tokens, never their secret.
    SeeEnrolmentTokens,
    /// Create an enrolment token for a site.
    CreateEnrolmentToken,
    /// Revoke an enrolment token of a site.
    RevokeEnrolmentToken,
    /// See sites.
    SeeSites,
    /// Create or rename a site, its referents.
    ChangeSites,
    /// Import the school calendar.
    ImportCalendar,
    /// See exams.
    SeeExams,
    /// Order exams, call them off.
    OrderExams,
    /// See releases of the agent.
    SeeReleases,
    /// Offer releases of the agent, take them back.
    OfferReleases,
    /// Read the audit.
    SeeAudit,
    /// Create, change or disable people and their API tokens.
    ChangePeople,
    /// See programmes.
    SeeProgrammes,
    /// Create, change or close a programme.
    ChangeProgrammes,
    /// See borrowers by their reference, not who they are.
    SeeBorrowers,
    /// See who a borrower is: each read leaves a row in the audit.
    SeeIdentity,
    /// Record a borrower, change or erase who it is.
    ChangeBorrowers,
    /// See loans.
    SeeLoans,
    /// Reserve a device and hand it over.
    HandOver,
    /// Take a device back.
    TakeBack,
    /// Extend a loan, declare a loss or a theft.
    ChangeLoan,
    /// Write a loan off.
    EndLoan,
    /// See what sites need.
    SeeNeeds,
    /// Enter, change or withdraw a need of a site.
    ChangeNeeds,
    /// See proposals of who gets which device.
    SeeAllocations,
    /// Propose and adjust who gets which device.
    ProposeAllocation,
    /// Approve a proposal of somebody else.
    ApproveAllocation,
    /// See return campaigns and their progress.
    SeeCampaigns,
    /// Plan, change, start and close a return campaign, write again to those still expected.
    ChangeCampaigns,
    /// See what was written to whom, and what failed.
    SeeNotices,
    /// Send failed notices again, change webhooks.
    ChangeNotices,
    /// Import lists of devices, sites, borrowers, loans, needs.
    ImportData,
    /// Export lists.
    ExportData,
    /// Print labels for devices.
    PrintLabels,
    /// Record the erasure of a device's drives, confirm one, have its certificate made.
    RecordErasure,
    /// See work orders, and the stock of parts.
    SeeWorkOrders,
    /// Take units in for refurbishment, inspect, repair, grade and decide; keep the stock of parts.
    WorkOnOrders,
    /// Let an order pass the erasure stage without an erasure, or declare a drive absent, with a reason.
    WaiveErasure,
    /// See how many units will be ready by a day, and which parts to order.
    SeeForecast,
    /// See lots of donation, what is missing for each unit, and recipients.
    SeeDonations,
    /// Record recipients, put a lot together, value its units, hand an approved lot over.
    PrepareDonation,
    /// Approve a lot that others put together.
    ApproveDonation,
    /// See the figures of a year, the units behind them, and the yearly report.
    SeeFigures,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 52] = [
        Self::SeeOverview,
        Self::SeeDevices,
        Self::SeeFlags,
        Self::HandleFlag,
        Self::ChangeDevice,
        Self::AdmitDevice,
        Self::OrderActions,
        Self::OrderReturnNotice,
        Self::AddDevice,
        Self::SeeEnrolmentTokens,
        Self::CreateEnrolmentToken,
        Self::RevokeEnrolmentToken,
        Self::SeeSites,
        Self::ChangeSites,
        Self::ImportCalendar,
        Self::SeeExams,
        Self::OrderExams,
        Self::SeeReleases,
        Self::OfferReleases,
        Self::SeeAudit,
        Self::ChangePeople,
        Self::SeeProgrammes,
        Self::ChangeProgrammes,
        Self::SeeBorrowers,
        Self::SeeIdentity,
        Self::ChangeBorrowers,
        Self::SeeLoans,
        Self::HandOver,
        Self::TakeBack,
        Self::ChangeLoan,
        Self::EndLoan,
        Self::SeeNeeds,
        Self::ChangeNeeds,
        Self::SeeAllocations,
        Self::ProposeAllocation,
        Self::ApproveAllocation,
        Self::SeeCampaigns,
        Self::ChangeCampaigns,
        Self::SeeNotices,
        Self::ChangeNotices,
        Self::ImportData,
        Self::ExportData,
        Self::PrintLabels,
        Self::RecordErasure,
        Self::SeeWorkOrders,
        Self::WorkOnOrders,
        Self::WaiveErasure,
        Self::SeeForecast,
        Self::SeeDonations,
        Self::PrepareDonation,
        Self::ApproveDonation,
        Self::SeeFigures,
    ];

    /// What docs/api.md calls the action, and the roles that include it besides the administrator.
    #[expect(clippy::too_many_lines, reason = "a table: a row for each action")]
    const fn rights(self) -> (&'static str, &'static [Role]) {
        use Role::{Auditor, ProgrammeManager, Referent, Refurbisher, Technician};
        match self {
            Self::SeeOverview => {
                ("See counts and contacts over time", &[ProgrammeManager, Technician, Referent, Refurbisher, Auditor])
            }
            Self::SeeDevices => (
                "See devices, their reports and their history",
                &[ProgrammeManager, Technician, Referent, Refurbisher, Auditor],
            ),
            Self::SeeFlags => ("See flags to handle", &[ProgrammeManager, Technician, Referent, Refurbisher, Auditor]),
            Self::HandleFlag => ("Acknowledge or snooze a flag", &[ProgrammeManager, Technician, Refurbisher]),
            Self::ChangeDevice => (
                "Correct a device's record, archive it, accept its new parts",
                &[ProgrammeManager, Technician, Refurbisher],
            ),
            Self::AdmitDevice => ("Let a pending device in, or shut one out", &[Technician]),
            Self::OrderActions => {
                ("Order an agent to check in, report, test the drives, send its log; read that log", &[Technician])
            }
            Self::OrderReturnNotice => {
                ("Have a return notice shown on a laptop", &[ProgrammeManager, Technician, Referent])
            }
            Self::AddDevice => ("Record a device that has no agent", &[ProgrammeManager, Technician, Refurbisher]),
            Self::SeeEnrolmentTokens => ("See enrolment tokens, never their secret", &[Technician, Auditor]),
            Self::CreateEnrolmentToken => ("Create an enrolment token for a site", &[Technician]),
            Self::RevokeEnrolmentToken => ("Revoke an enrolment token of a site", &[Technician]),
            Self::SeeSites => ("See sites", &[ProgrammeManager, Technician, Referent, Refurbisher, Auditor]),
            Self::ChangeSites => ("Create or rename a site, its referents", &[ProgrammeManager]),
            Self::ImportCalendar => ("Import the school calendar", &[]),
            Self::SeeExams => ("See exams", &[ProgrammeManager, Technician, Referent, Refurbisher, Auditor]),
            Self::OrderExams => ("Order exams, call them off", &[Technician]),
            Self::SeeReleases => ("See releases of the agent", &[Technician, Auditor]),
            Self::OfferReleases => ("Offer releases of the agent, take them back", &[Technician]),
            Self::SeeAudit => ("Read the audit", &[Auditor]),
            Self::ChangePeople => ("Create, change or disable people and their API tokens", &[]),
            Self::SeeProgrammes => ("See programmes", &[ProgrammeManager, Technician, Referent, Refurbisher, Auditor]),
            Self::ChangeProgrammes => ("Create, change or close a programme", &[ProgrammeManager]),
            Self::SeeBorrowers => {
                ("See borrowers by their reference, not who they are", &[ProgrammeManager, Referent, Auditor])
            }
            Self::SeeIdentity => ("See who a borrower is", &[ProgrammeManager, Referent]),
            Self::ChangeBorrowers => ("Record a borrower, change or erase who it is", &[ProgrammeManager, Referent]),
            Self::SeeLoans => ("See loans", &[ProgrammeManager, Technician, Referent, Refurbisher, Auditor]),
            Self::HandOver => ("Reserve a device and hand it over", &[ProgrammeManager, Referent]),
            Self::TakeBack => ("Take a device back", &[ProgrammeManager, Technician, Referent, Refurbisher]),
            Self::ChangeLoan => ("Extend a loan, declare a loss or a theft", &[ProgrammeManager, Referent]),
            Self::EndLoan => ("Write a loan off", &[ProgrammeManager]),
            Self::SeeNeeds => ("See what sites need", &[ProgrammeManager, Referent, Auditor]),
            Self::ChangeNeeds => ("Enter, change or withdraw a need of a site", &[ProgrammeManager, Referent]),
            Self::SeeAllocations => ("See proposals of who gets which device", &[ProgrammeManager, Auditor]),
            Self::ProposeAllocation => ("Propose and adjust who gets which device", &[ProgrammeManager]),
            Self::ApproveAllocation => ("Approve a proposal of somebody else", &[ProgrammeManager]),
            Self::SeeCampaigns => (
                "See return campaigns and their progress",
                &[ProgrammeManager, Technician, Referent, Refurbisher, Auditor],
            ),
            Self::ChangeCampaigns => (
                "Plan, change, start and close a return campaign, write again to those still expected",
                &[ProgrammeManager],
            ),
            Self::SeeNotices => ("See what was written to whom, and what failed", &[ProgrammeManager, Auditor]),
            Self::ChangeNotices => ("Send failed notices again, change webhooks", &[]),
            Self::ImportData => ("Import lists of devices, sites, borrowers, loans, needs", &[ProgrammeManager]),
            Self::PrintLabels => ("Print labels for devices", &[ProgrammeManager, Technician]),
            Self::RecordErasure => (
                "Record the erasure of a device's drives, confirm one, have its certificate made",
                &[Technician, Refurbisher],
            ),
            Self::SeeWorkOrders => ("See work orders and the stock of parts", &[Technician, Refurbisher]),
            Self::WorkOnOrders => ("Refurbish: take in, inspect, repair, grade, decide; parts", &[Refurbisher]),
            Self::WaiveErasure => {
                ("Let a work order pass without an erasure, declare a drive absent, with a reason", &[])
            }
            Self::SeeForecast => (
                "See how many units will be ready by a day, and which parts to order",
                &[ProgrammeManager, Technician, Refurbisher, Auditor],
            ),
            Self::SeeDonations => (
                "See lots of donation, what is missing for each unit, and recipients",
                &[ProgrammeManager, Refurbisher, Auditor],
            ),
            Self::PrepareDonation => (
                "Record recipients, put a lot together, value its units, hand an approved lot over",
                &[ProgrammeManager, Refurbisher],
            ),
            Self::ApproveDonation => ("Approve a lot that others put together", &[ProgrammeManager]),
            Self::SeeFigures => (
                "See the figures of a year, the units behind them, and the yearly report",
                &[ProgrammeManager, Refurbisher, Auditor],
            ),
            Self::ExportData => ("Export lists", &[ProgrammeManager, Technician, Referent, Refurbisher, Auditor]),
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
