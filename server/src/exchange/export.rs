//! Exports: the rows of each list, a page at a time, in columns that an import takes back.

use std::{collections::BTreeSet, sync::Arc};

use cartable_common::report::Chassis;

use super::{
    export_rows,
    write::{BYTE_ORDER_MARK, Delimiter, Unwritable, Workbook, csv_line},
};
use crate::{
    domain::{
        authority::{Action, Role},
        import::{Kind, field::Field, words::word},
        language::Language,
        loan::LendingState,
        scope::Scope,
        verdict::text_enum,
    },
    store::{
        Store, StoreError, Tx, device_list::DeviceQuery, flag_list::FlagQuery, loan_list::LoanQuery, page::Cursor,
        programme,
    },
};
use cartable_common::UtcMillis;

text_enum! {
    /// What is exported.
    pub enum ExportKind {
        /// Devices.
        Devices = "devices",
        /// Loans.
        Loans = "loans",
        /// Borrowers, without who they are.
        Borrowers = "borrowers",
        /// Sites.
        Sites = "sites",
        /// Programmes.
        Programmes = "programmes",
        /// Open flags.
        Flags = "flags",
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
            Self::Devices | Self::SnipeIt | Self::Glpi => Action::SeeDevices,
            Self::Loans => Action::SeeLoans,
            Self::Borrowers => Action::SeeBorrowers,
            Self::Sites => Action::SeeSites,
            Self::Programmes => Action::SeeProgrammes,
            Self::Flags => Action::SeeFlags,
        }
    }
}

/// Puts a code of a family (`status`, `flag`) into a reader's words.
pub type Say = Arc<dyn Fn(&str, &str) -> String + Send + Sync>;

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
    /// The filters of the list of devices.
    pub devices: DeviceQuery,
    /// The filters of the list of loans.
    pub loans: LoanQuery,
    /// The filters of the list of flags.
    pub flags: FlagQuery,
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

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportFailed {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The workbook.
    #[error(transparent)]
    Workbook(#[from] Unwritable),
}

/// A page of rows, and where the next one begins.
pub(super) type Page = (Vec<Vec<String>>, Option<Cursor>);

const EXTRA_DEVICE: [(&str, &str); 6] = [
    ("Nom de l’établissement", "Site name"),
    ("Statut d’enrôlement", "Enrolment status"),
    ("Nombre de signalements", "Number of flags"),
    ("Signalements", "Flags"),
    ("Dernier contact", "Last contact"),
    ("Référence interne", "Internal id"),
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

impl Export {
    /// The headings.
    #[must_use]
    pub fn headings(&self) -> Vec<&'static str> {
        let both =
            |pair: &(&'static str, &'static str)| if self.language == Language::French { pair.0 } else { pair.1 };
        let fields = |kind| Field::of(kind).iter().filter(|field| !field.is_personal());
        let named = |field: &Field| field.heading(self.language);
        match self.kind {
            ExportKind::Devices => fields(Kind::Devices).map(named).chain(EXTRA_DEVICE.iter().map(both)).collect(),
            ExportKind::Loans => fields(Kind::Loans).map(named).collect(),
            ExportKind::Borrowers => fields(Kind::Borrowers).map(named).collect(),
            ExportKind::Sites => fields(Kind::Sites).map(named).collect(),
            ExportKind::Programmes => PROGRAMME.iter().map(both).collect(),
            ExportKind::Flags => FLAG.iter().map(both).collect(),
            ExportKind::SnipeIt => SNIPE_IT.to_vec(),
            ExportKind::Glpi => GLPI.iter().map(both).collect(),
        }
    }

    /// A page of rows.
    pub async fn page(&self, tx: &mut Tx, after: Option<Cursor>) -> Result<Page, StoreError> {
        match self.kind {
            ExportKind::Devices | ExportKind::SnipeIt | ExportKind::Glpi => export_rows::devices(self, tx, after).await,
            ExportKind::Loans => export_rows::loans(self, tx, after).await,
            ExportKind::Borrowers => export_rows::borrowers(self, tx, after).await,
            ExportKind::Sites => export_rows::sites(self, tx).await,
            ExportKind::Programmes => export_rows::programmes(self, tx).await,
            ExportKind::Flags => export_rows::flags(self, tx, after).await,
        }
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

    /// A piece of CSV: the next page, with the headings before the first one; and where the one after begins.
    pub async fn csv_piece(
        &self,
        store: &Store,
        after: Option<Cursor>,
        delimiter: Delimiter,
    ) -> Result<(String, Option<Cursor>), ExportFailed> {
        let mut text = String::new();
        if after.is_none() {
            text.push_str(BYTE_ORDER_MARK);
            text.push_str(&csv_line(self.headings(), delimiter));
        }
        let mut tx = store.read().await?;
        let (rows, next) = self.page(&mut tx, after).await?;
        for row in &rows {
            text.push_str(&csv_line(row, delimiter));
        }
        Ok((text, next))
    }

    /// The whole as a workbook, in a file that nobody else sees.
    pub async fn workbook(&self, store: &Store) -> Result<std::fs::File, ExportFailed> {
        let mut book = Workbook::new(&self.headings())?;
        let mut after = None;
        loop {
            let mut tx = store.read().await?;
            let (rows, next) = self.page(&mut tx, after).await?;
            drop(tx);
            for row in rows {
                book.push(row)?;
            }
            match next {
                Some(cursor) => after = Some(cursor),
                None => break,
            }
        }
        Ok(tokio::task::spawn_blocking(move || book.finish_in_file())
            .await
            .unwrap_or_else(|_| Err(Unwritable::stopped()))?)
    }
}
