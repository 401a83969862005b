//! The exports: each list with its filters, in columns that an import takes back where there is one.

use std::{collections::BTreeSet, sync::Arc};

use cartable_common::{UtcMillis, report::Chassis};

use super::{
    export_columns, export_rows, export_running,
    sheet::{Rows, Sheet},
};
use crate::{
    domain::{
        authority::{Action, Actor, Object, Role, can},
        import::{Kind, field::Field, words::word},
        language::Language,
        loan::LendingState,
        notice::MessageState,
        scope::Scope,
        verdict::text_enum,
    },
    store::{
        StoreError, Tx, advice_list::AdviceQuery, borrower_list::BorrowerQuery, device_list::DeviceQuery,
        flag_list::FlagQuery, loan_list::LoanQuery, need_list::NeedQuery, page::Cursor, programme,
    },
};

text_enum! {
    /// What is exported.
    pub enum ExportKind {
        /// Devices.
        Devices = "devices",
        /// Loans.
        Loans = "loans",
        /// Borrowers, without who they are.
        Borrowers = "borrowers",
        /// What sites need.
        Needs = "needs",
        /// Sites.
        Sites = "sites",
        /// Programmes.
        Programmes = "programmes",
        /// Open flags.
        Flags = "flags",
        /// What was written to whom.
        Notices = "notices",
        /// Enrolment tokens, without their secret.
        Tokens = "tokens",
        /// Proposals of who gets which device.
        Allocations = "allocations",
        /// Return campaigns.
        Campaigns = "campaigns",
        /// Files that were imported.
        Imports = "imports",
        /// Who changed what.
        Audit = "audit",
        /// What devices should become.
        Dispositions = "dispositions",
        /// Devices, for Snipe-IT's importer.
        SnipeIt = "snipe-it",
        /// Devices, for GLPI's data injection.
        Glpi = "glpi",
    }
}

impl ExportKind {
    /// What a person must be allowed to see, besides exporting.
    #[must_use]
    pub const fn needs(self) -> Action {
        match self {
            Self::Devices | Self::Dispositions | Self::SnipeIt | Self::Glpi => Action::SeeDevices,
            Self::Loans => Action::SeeLoans,
            Self::Borrowers => Action::SeeBorrowers,
            Self::Needs => Action::SeeNeeds,
            Self::Sites => Action::SeeSites,
            Self::Programmes => Action::SeeProgrammes,
            Self::Flags => Action::SeeFlags,
            Self::Notices => Action::SeeNotices,
            Self::Tokens => Action::SeeEnrolmentTokens,
            Self::Allocations => Action::SeeAllocations,
            Self::Campaigns => Action::SeeCampaigns,
            Self::Imports => Action::ImportData,
            Self::Audit => Action::SeeAudit,
        }
    }

    /// Of what: of the sites that a person sees, or of the programme as a whole, which only those see who see all of it.
    #[must_use]
    pub const fn of(self) -> Object {
        match self {
            Self::Allocations | Self::Imports | Self::Audit => Object::Programme,
            Self::Devices
            | Self::Loans
            | Self::Borrowers
            | Self::Needs
            | Self::Sites
            | Self::Programmes
            | Self::Flags
            | Self::Notices
            | Self::Tokens
            | Self::Campaigns
            | Self::Dispositions
            | Self::SnipeIt
            | Self::Glpi => Object::OwnScope,
        }
    }
}

/// Puts a code of a family (`status`, `flag`) into a reader's words.
pub type Say = Arc<dyn Fn(&str, &str) -> String + Send + Sync>;

/// The filters of each list: an export holds what its page shows.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// Of devices.
    pub devices: DeviceQuery,
    /// Of loans.
    pub loans: LoanQuery,
    /// Of borrowers.
    pub borrowers: BorrowerQuery,
    /// Of needs.
    pub needs: NeedQuery,
    /// Of flags.
    pub flags: FlagQuery,
    /// Of dispositions.
    pub advice: AdviceQuery,
    /// Of messages: those that were sent unless another state is asked for.
    pub messages: Option<MessageState>,
}

/// What to export, for whom.
#[derive(Clone)]
pub struct Export {
    /// Which list.
    pub kind: ExportKind,
    /// The language of headings and words.
    pub language: Language,
    /// The reader's role: who is in which programme is not for everybody.
    pub role: Role,
    /// The reader's sites.
    pub scope: Scope,
    /// What is left out.
    pub filters: Filters,
    /// The present moment.
    pub now: UtcMillis,
    /// The words of statuses and flags.
    pub say: Say,
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").field("kind", &self.kind).field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Sheet for Export {
    fn headings(&self) -> Vec<String> {
        let fields = |kind| Field::of(kind).iter().filter(|field| !field.is_personal());
        let columns = |kind, extra: &[(&str, &str)]| {
            let own = fields(kind).map(|field| field.heading(self.language).to_owned());
            own.chain(self.either(extra)).collect()
        };
        match self.kind {
            ExportKind::Devices => columns(Kind::Devices, &export_columns::EXTRA_DEVICE),
            ExportKind::Loans => columns(Kind::Loans, &export_columns::EXTRA_LOAN),
            ExportKind::Borrowers => columns(Kind::Borrowers, &[]),
            ExportKind::Needs => columns(Kind::Needs, &export_columns::EXTRA_NEED),
            ExportKind::Sites => columns(Kind::Sites, &[]),
            ExportKind::Programmes => self.either(&export_columns::PROGRAMME).collect(),
            ExportKind::Flags => self.either(&export_columns::FLAG).collect(),
            ExportKind::Notices => self.either(&export_columns::NOTICE).collect(),
            ExportKind::Dispositions => self.either(&export_columns::DISPOSITION).collect(),
            ExportKind::Tokens => self.either(&export_columns::TOKEN).collect(),
            ExportKind::Allocations => self.either(&export_columns::ALLOCATION).collect(),
            ExportKind::Campaigns => self.either(&export_columns::CAMPAIGN).collect(),
            ExportKind::Imports => self.either(&export_columns::IMPORT).collect(),
            ExportKind::Audit => self.either(&export_columns::AUDIT).collect(),
            ExportKind::SnipeIt => export_columns::SNIPE_IT.map(str::to_owned).to_vec(),
            ExportKind::Glpi => self.either(&export_columns::GLPI).collect(),
        }
    }

    async fn page(&self, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
        match self.kind {
            ExportKind::Devices | ExportKind::SnipeIt | ExportKind::Glpi => export_rows::devices(self, tx, after).await,
            ExportKind::Loans => export_rows::loans(self, tx, after).await,
            ExportKind::Borrowers => export_rows::borrowers(self, tx, after).await,
            ExportKind::Needs => export_rows::needs(self, tx, after).await,
            ExportKind::Sites => export_rows::sites(self, tx).await,
            ExportKind::Programmes => export_rows::programmes(self, tx).await,
            ExportKind::Flags => export_rows::flags(self, tx, after).await,
            ExportKind::Notices => export_rows::notices(self, tx, after).await,
            ExportKind::Tokens => export_running::tokens(self, tx).await,
            ExportKind::Allocations => export_running::allocations(self, tx, after).await,
            ExportKind::Campaigns => export_running::campaigns(self, tx, after).await,
            ExportKind::Imports => export_running::imports(self, tx, after).await,
            ExportKind::Audit => export_running::audit(tx, after).await,
            ExportKind::Dispositions => export_rows::dispositions(self, tx, after).await,
        }
    }
}

impl Export {
    /// The headings of the reader's language.
    fn either(&self, pairs: &[(&str, &str)]) -> impl Iterator<Item = String> {
        let french = self.language == Language::French;
        pairs.iter().map(move |(fr, en)| if french { *fr } else { *en }.to_owned())
    }

    /// Whether the reader may do this with what their sites cover.
    pub(super) fn may(&self, action: Action) -> bool {
        can(Actor { role: self.role, scope: &self.scope }, action, Object::OwnScope).is_allowed()
    }

    /// The codes of the programmes whose members the reader may know.
    pub(super) async fn shown_programmes(&self, tx: &mut Tx) -> Result<BTreeSet<String>, StoreError> {
        let all = programme::list(tx).await?;
        let shown = all.into_iter().filter(|one| one.shows_membership_to(self.role));
        Ok(shown.map(|one| one.code.as_str().to_owned()).collect())
    }

    /// Where a device is, in the reader's words.
    pub(super) fn lending(&self, state: LendingState) -> String {
        word::<LendingState>(state.as_str(), self.language)
    }

    /// What a device is, in the reader's words.
    pub(super) fn chassis(&self, code: Option<&str>) -> String {
        code.map(|code| word::<Chassis>(code, self.language)).unwrap_or_default()
    }
}
