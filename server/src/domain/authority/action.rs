//! What people may want to do, and the table of who may: each act with the roles that include it besides the administrator.

use super::Role;

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
    pub(super) const fn rights(self) -> (&'static str, &'static [Role]) {
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
