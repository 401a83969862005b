//! The exports: each list with its filters, in columns that an import takes back where there is one.

use std::{collections::BTreeSet, sync::Arc};

use cartable_common::{UtcMillis, report::Chassis};

use super::{
    export_rows,
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

const EXTRA_DEVICE: [(&str, &str); 6] = [
    ("Nom de l’établissement", "Site name"),
    ("Statut d’enrôlement", "Enrolment status"),
    ("Nombre de signalements", "Number of flags"),
    ("Signalements", "Flags"),
    ("Dernier contact", "Last contact"),
    ("Référence interne", "Internal id"),
];
const EXTRA_LOAN: [(&str, &str); 6] = [
    ("Modèle", "Model"),
    ("Nature du bénéficiaire", "Kind of borrower"),
    ("Nom de l’institution", "Name of the institution"),
    ("Nom de l’établissement", "Site name"),
    ("Réservé le", "Reserved on"),
    ("Accessoires manquants", "Missing accessories"),
];
const EXTRA_NEED: [(&str, &str); 4] = [
    ("Nom de l’établissement", "Site name"),
    ("État du besoin", "What became of it"),
    ("Saisi le", "Entered on"),
    ("Saisi par", "Entered by"),
];
const NOTICE: [(&str, &str); 10] = [
    ("Destinataire", "Recipient"),
    ("Nature", "Kind of recipient"),
    ("Nom de l’établissement", "Site name"),
    ("État", "State"),
    ("Nombre d’avis", "Notices"),
    ("Préparé le", "Made on"),
    ("Fini le", "Finished on"),
    ("Essais", "Attempts"),
    ("Erreur", "Error"),
    ("Message-ID", "Message-ID"),
];
const PROGRAMME: [(&str, &str); 7] = [
    ("Code", "Code"),
    ("Nom", "Name"),
    ("Genre", "Kind"),
    ("Durée", "Term"),
    ("Renouvellements", "Renewals"),
    ("Propriétaire", "Owner"),
    ("Ouvert", "Open"),
];
const FLAG: [(&str, &str); 9] = [
    ("Numéro de série", "Serial number"),
    ("Étiquette", "Asset tag"),
    ("Modèle", "Model"),
    ("Nom de l’établissement", "Site name"),
    ("Signalement", "Flag"),
    ("Gravité", "Severity"),
    ("Depuis", "Since"),
    ("Valeur", "Value"),
    ("Explication", "Explanation"),
];
const DISPOSITION: [(&str, &str); 16] = [
    ("Numéro de série", "Serial number"),
    ("Étiquette", "Asset tag"),
    ("Fabricant", "Manufacturer"),
    ("Modèle", "Model"),
    ("Dispositif", "Programme"),
    ("UAI", "UAI"),
    ("Nom de l’établissement", "Site name"),
    ("Situation", "Lending state"),
    ("Grade", "Grade"),
    ("Orientation", "Disposition"),
    ("Confiance", "Confidence"),
    ("Coût (€)", "Cost (€)"),
    ("Valeur (€)", "Value (€)"),
    ("Mois d’usage restants", "Months left"),
    ("Date du relevé", "Date of the evidence"),
    ("Version de la politique", "Policy version"),
];
/// As Snipe-IT's importer maps by itself. Without a user: its importer would create an account for every name.
const SNIPE_IT: [&str; 10] = [
    "Item Name",
    "Asset Tag",
    "Serial",
    "Model Name",
    "Manufacturer",
    "Category",
    "Status",
    "Location",
    "Checkout Type",
    "Checked Out To: Location",
];
/// As GLPI names the fields of computers, for a model of its data injection plugin.
const GLPI: [(&str, &str); 8] = [
    ("Nom", "Name"),
    ("Numéro de série", "Serial number"),
    ("Numéro d’inventaire", "Inventory number"),
    ("Fabricant", "Manufacturer"),
    ("Modèle", "Model"),
    ("Type", "Type"),
    ("Statut", "Status"),
    ("Lieu", "Location"),
];

impl Sheet for Export {
    fn headings(&self) -> Vec<String> {
        let fields = |kind| Field::of(kind).iter().filter(|field| !field.is_personal());
        let columns = |kind, extra: &[(&str, &str)]| {
            let own = fields(kind).map(|field| field.heading(self.language).to_owned());
            own.chain(self.either(extra)).collect()
        };
        match self.kind {
            ExportKind::Devices => columns(Kind::Devices, &EXTRA_DEVICE),
            ExportKind::Loans => columns(Kind::Loans, &EXTRA_LOAN),
            ExportKind::Borrowers => columns(Kind::Borrowers, &[]),
            ExportKind::Needs => columns(Kind::Needs, &EXTRA_NEED),
            ExportKind::Sites => columns(Kind::Sites, &[]),
            ExportKind::Programmes => self.either(&PROGRAMME).collect(),
            ExportKind::Flags => self.either(&FLAG).collect(),
            ExportKind::Notices => self.either(&NOTICE).collect(),
            ExportKind::Dispositions => self.either(&DISPOSITION).collect(),
            ExportKind::SnipeIt => SNIPE_IT.map(str::to_owned).to_vec(),
            ExportKind::Glpi => self.either(&GLPI).collect(),
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
