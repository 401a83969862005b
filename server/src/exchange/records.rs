//! The rows of a file as records, and a chunk of them compared with the store and written.
//!
//! Reading is pure and the same each time, so an import that was interrupted reads the file again and goes on behind
//! the last row that was committed.

use std::collections::{BTreeSet, HashMap, HashSet};

use cartable_common::UtcMillis;
use serde_json::{Value, json};
use uuid::Uuid;

use super::read::Table;
use crate::{
    domain::{
        borrower::{Identity, REFERENCE_BYTES, Reference},
        import::{
            Blanks, FieldChange, Kind, Outcome,
            borrower::{BorrowerRecord, KnownBorrowers},
            cells::{Reading, Wanted},
            device::{Around, DeviceRecord, KnownDevice, KnownDevices},
            fault::{Fault, Reason},
            field::Field,
            loan::{KnownLoans, LoanRecord},
            mapping::Mapping,
            site::SiteRecord,
        },
        paris,
    },
    random,
    store::{
        StoreError, Tx, import::RowReport, import_borrower, import_device, import_loan, import_places, import_site,
    },
    vault::{Vault, VaultError},
};

/// A row: its record, or why there is none.
type Row<R> = (u32, Result<R, Vec<Fault>>);

/// All rows of a file.
#[derive(Debug)]
pub enum Records {
    /// Devices.
    Devices(Vec<Row<DeviceRecord>>),
    /// Sites.
    Sites(Vec<Row<SiteRecord>>),
    /// Borrowers.
    Borrowers(Vec<Row<BorrowerRecord>>),
    /// Loans.
    Loans(Vec<Row<LoanRecord>>),
}

/// Whether a chunk is only looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Nothing is written.
    No,
    /// Good rows are written.
    Yes,
}

/// Why a chunk could not be worked on.
#[derive(Debug, thiserror::Error)]
pub enum ChunkFailed {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Sealing.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// No randomness for a reference.
    #[error(transparent)]
    Randomness(#[from] random::NoRandomness),
}

/// What chunks of one pass share.
#[derive(Debug)]
pub struct Pass<'a> {
    /// Seals who people are.
    pub vault: &'a Vault,
    /// Whether it writes.
    pub write: Write,
    /// Who imports, for the history of loans.
    pub actor: &'a str,
    /// The present moment.
    pub now: UtcMillis,
    /// Things that earlier rows are about.
    pub touched: HashSet<Uuid>,
}

impl Records {
    /// Reads all rows of `table`.
    #[must_use]
    pub fn read(kind: Kind, table: &Table, mapping: &Mapping, blanks: Blanks, now: UtcMillis) -> Self {
        let reading = Reading { kind, headings: &table.headings, mapping, blanks };
        let today = crate::domain::import::value::day(&paris::date(now).to_string()).unwrap_or_default();
        match kind {
            Kind::Devices => {
                let mut rows = rows(table, |line| DeviceRecord::read(reading, line));
                refuse_repeated(&mut rows, Reason::DuplicateRow, |one| one.serial.value().cloned());
                refuse_repeated(&mut rows, Reason::DuplicateTag, |one| one.asset_tag.value().cloned());
                Self::Devices(rows)
            }
            Kind::Sites => {
                let mut rows = rows(table, |line| SiteRecord::read(reading, line));
                refuse_repeated(&mut rows, Reason::DuplicateRow, |one| Some(one.uai.clone()));
                Self::Sites(rows)
            }
            Kind::Borrowers => {
                let mut rows = rows(table, |line| BorrowerRecord::read(reading, line));
                let reference = |one: &BorrowerRecord| one.reference.value().map(ToString::to_string);
                refuse_repeated(&mut rows, Reason::DuplicateRow, reference);
                let number = |one: &BorrowerRecord| one.school_number.value().map(|number| number.to_lowercase());
                refuse_repeated(&mut rows, Reason::DuplicateRow, number);
                Self::Borrowers(rows)
            }
            Kind::Loans => {
                let mut rows = rows(table, |line| LoanRecord::read(reading, line, today));
                refuse_repeated(&mut rows, Reason::DuplicateRow, |one| {
                    let device = one.serial.as_ref().or(one.asset_tag.as_ref());
                    device.map(|device| format!("{device} {}", one.start))
                });
                Self::Loans(rows)
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Devices(rows) => rows.len(),
            Self::Sites(rows) => rows.len(),
            Self::Borrowers(rows) => rows.len(),
            Self::Loans(rows) => rows.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Works on the rows from `from` up to `to`, and reports each.
    pub async fn work(
        &self,
        tx: &mut Tx,
        pass: &mut Pass<'_>,
        from: usize,
        to: usize,
    ) -> Result<Vec<RowReport>, ChunkFailed> {
        match self {
            Self::Devices(rows) => devices(tx, pass, &rows[from..to]).await,
            Self::Sites(rows) => sites(tx, pass, &rows[from..to]).await,
            Self::Borrowers(rows) => borrowers(tx, pass, &rows[from..to]).await,
            Self::Loans(rows) => loans(tx, pass, &rows[from..to]).await,
        }
    }
}

fn rows<R>(table: &Table, read: impl Fn(&crate::domain::import::cells::Line) -> Result<R, Vec<Fault>>) -> Vec<Row<R>> {
    table.lines.iter().map(|line| (line.number, read(line))).collect()
}

/// Refuses each row whose key an earlier good row has.
fn refuse_repeated<R>(rows: &mut [Row<R>], reason: Reason, key: impl Fn(&R) -> Option<String>) {
    let mut seen: HashMap<String, u32> = HashMap::new();
    for (line, row) in rows {
        let Some(key) = row.as_ref().ok().and_then(&key) else { continue };
        if let Some(first) = seen.get(&key) {
            *row = Err(vec![Fault { column: None, reason, value: Some(first.to_string()) }]);
        } else {
            seen.insert(key, *line);
        }
    }
}

fn good<R>(rows: &[Row<R>]) -> impl Iterator<Item = &R> {
    rows.iter().filter_map(|(_, row)| row.as_ref().ok())
}

/// Decides about each row.
fn decide<R, T>(rows: &[Row<R>], mut decide: impl FnMut(&R) -> Outcome<T>) -> Vec<(u32, Outcome<T>)> {
    rows.iter()
        .map(|(line, row)| match row {
            Ok(record) => (*line, decide(record)),
            Err(faults) => (*line, Outcome::Bad(faults.clone())),
        })
        .collect()
}

fn reports<T>(outcomes: &[(u32, Outcome<T>)]) -> Vec<RowReport> {
    let report = |(line, outcome): &(u32, Outcome<T>)| RowReport {
        line: i64::from(*line),
        outcome: outcome.name(),
        details: match outcome {
            Outcome::Bad(faults) => json!(faults),
            Outcome::Changed(_, changes) => changes.iter().map(change).collect(),
            Outcome::New(_) | Outcome::Same => json!([]),
        },
    };
    outcomes.iter().map(report).collect()
}

fn change(change: &FieldChange) -> Value {
    json!({ "f": change.field.as_str(), "b": change.before, "a": change.after })
}

fn written<T>(outcomes: &[(u32, Outcome<T>)]) -> impl Iterator<Item = (bool, &T)> {
    outcomes.iter().filter_map(|(_, outcome)| match outcome {
        Outcome::New(after) => Some((true, after)),
        Outcome::Changed(after, _) => Some((false, after)),
        Outcome::Bad(_) | Outcome::Same => None,
    })
}

async fn devices(tx: &mut Tx, pass: &mut Pass<'_>, rows: &[Row<DeviceRecord>]) -> Result<Vec<RowReport>, ChunkFailed> {
    let serials = good(rows).filter_map(|one| one.serial.value().map(String::as_str));
    let tags = good(rows).filter_map(|one| one.asset_tag.value().map(String::as_str));
    let mut known = KnownDevices { devices: import_device::known(tx, serials, tags).await?, ..KnownDevices::default() };
    if good(rows).any(|one| one.site.value().is_some()) {
        known.sites = import_places::sites(tx).await?;
    }
    if good(rows).any(|one| one.programme.value().is_some()) {
        let programmes = import_places::programmes(tx).await?;
        known.programmes = programmes.into_iter().map(|(code, (_, open))| (code, open)).collect();
    }
    let index = Index::of(&known.devices);
    let mut outcomes = decide(rows, |one| one.decide(&index.around(one, &known), &mut pass.touched, Uuid::now_v7()));
    name_sites(&known.sites, &mut outcomes);
    if pass.write == Write::Yes {
        let before: HashMap<Uuid, &KnownDevice> = known.devices.iter().map(|device| (device.id, device)).collect();
        let changes: Vec<_> = written(&outcomes)
            .map(|(_, after)| import_device::Written { before: before.get(&after.id).copied(), after })
            .collect();
        import_device::write(tx, &changes, pass.now).await?;
    }
    Ok(reports(&outcomes))
}

/// Known devices by their keys, so that a row is compared with the few that it may be about.
struct Index<'a> {
    by_serial: HashMap<&'a str, Vec<&'a KnownDevice>>,
    by_tag: HashMap<&'a str, &'a KnownDevice>,
}

impl<'a> Index<'a> {
    fn of(devices: &'a [KnownDevice]) -> Self {
        let mut index = Self { by_serial: HashMap::new(), by_tag: HashMap::new() };
        for device in devices {
            if let Some(serial) = &device.serial {
                index.by_serial.entry(serial).or_default().push(device);
            }
            if let Some(tag) = &device.asset_tag {
                index.by_tag.insert(tag, device);
            }
        }
        index
    }

    fn around(&self, record: &DeviceRecord, known: &'a KnownDevices) -> Around<'a> {
        let mut devices: Vec<&KnownDevice> = Vec::new();
        if let Some(serial) = record.serial.value() {
            devices.extend(self.by_serial.get(serial.as_str()).into_iter().flatten());
        }
        if let Some(tagged) = record.asset_tag.value().and_then(|tag| self.by_tag.get(tag.as_str()))
            && devices.iter().all(|device| device.id != tagged.id)
        {
            devices.push(tagged);
        }
        Around { devices, sites: &known.sites, programmes: &known.programmes }
    }
}

/// Shows sites by their code instead of their id.
fn name_sites<T>(sites: &HashMap<String, Uuid>, outcomes: &mut [(u32, Outcome<T>)]) {
    let is_code = |key: &&String| key.len() == 8 && key.ends_with(|c: char| c.is_ascii_uppercase());
    let codes: HashMap<String, &String> =
        sites.iter().filter(|(key, _)| is_code(key)).map(|(code, id)| (id.to_string(), code)).collect();
    for (_, outcome) in outcomes {
        if let Outcome::Changed(_, changes) = outcome {
            for change in changes.iter_mut().filter(|change| change.field == Field::Site) {
                for text in [&mut change.before, &mut change.after].into_iter().flatten() {
                    if let Some(code) = codes.get(text) {
                        (*code).clone_into(text);
                    }
                }
            }
        }
    }
}

async fn sites(tx: &mut Tx, pass: &mut Pass<'_>, rows: &[Row<SiteRecord>]) -> Result<Vec<RowReport>, ChunkFailed> {
    let known = import_site::known(tx, good(rows).map(|one| one.uai.as_str())).await?;
    let outcomes = decide(rows, |one| one.decide(&known, Uuid::now_v7()));
    if pass.write == Write::Yes {
        import_site::write(tx, &written(&outcomes).collect::<Vec<_>>(), pass.now).await?;
    }
    Ok(reports(&outcomes))
}

/// What the numbers of a chunk's rows are recognised by.
fn keys<'r>(vault: &Vault, numbers: impl Iterator<Item = Option<&'r String>>) -> HashMap<String, [u8; 32]> {
    numbers.flatten().map(|number| (number.clone(), vault.natural_key(number))).collect()
}

async fn borrowers(
    tx: &mut Tx,
    pass: &mut Pass<'_>,
    rows: &[Row<BorrowerRecord>],
) -> Result<Vec<RowReport>, ChunkFailed> {
    let keys = keys(pass.vault, good(rows).map(|one| one.school_number.value()));
    let references = good(rows).filter_map(|one| one.reference.value().map(Reference::as_str));
    let found = import_borrower::known(tx, references, keys.values().map(<[u8; 32]>::as_slice)).await?;
    let mut known = KnownBorrowers::default();
    for (mut borrower, sealed) in found {
        if let Some(sealed) = sealed {
            borrower.identity = pass.vault.open_identity(borrower.id, &sealed)?;
        }
        known.borrowers.push(borrower);
    }
    if good(rows).any(|one| matches!(one.site, Wanted::Set(_))) {
        known.sites = import_places::sites(tx).await?;
    }
    let mut random = Vec::with_capacity(rows.len());
    for _ in rows {
        random.push(Reference::from_random(random::bytes::<REFERENCE_BYTES>()?));
    }
    let known_by = BorrowerIndex::of(&known);
    let mut outcomes = decide(rows, |one| {
        let key = one.school_number.value().and_then(|number| keys.get(number)).map(<[u8; 32]>::as_slice);
        let reference = random.pop().unwrap_or_else(|| Reference::from_random([0; REFERENCE_BYTES]));
        one.decide(&known_by.around(one, key), key, &mut pass.touched, (Uuid::now_v7(), reference))
    });
    name_sites(&known.sites, &mut outcomes);
    if pass.write == Write::Yes {
        let before: HashMap<Uuid, &Identity> = known.borrowers.iter().map(|one| (one.id, &one.identity)).collect();
        let mut changes = Vec::new();
        for (is_new, after) in written(&outcomes) {
            let said =
                before.get(&after.id).map_or(after.identity != Identity::default(), |was| **was != after.identity);
            let sealed = if said { Some(pass.vault.seal_identity(after.id, &after.identity)?) } else { None };
            changes.push(import_borrower::Written { after, is_new, sealed });
        }
        import_borrower::write(tx, &changes, pass.now).await?;
    }
    Ok(reports(&outcomes))
}

/// Known borrowers by their keys.
struct BorrowerIndex<'a> {
    known: &'a KnownBorrowers,
    by_reference: HashMap<&'a str, usize>,
    by_key: HashMap<&'a [u8], usize>,
}

impl<'a> BorrowerIndex<'a> {
    fn of(known: &'a KnownBorrowers) -> Self {
        let numbered = || known.borrowers.iter().enumerate();
        Self {
            known,
            by_reference: numbered().map(|(place, one)| (one.reference.as_str(), place)).collect(),
            by_key: numbered().filter_map(|(place, one)| one.key.as_deref().map(|key| (key, place))).collect(),
        }
    }

    fn around(&self, record: &BorrowerRecord, key: Option<&[u8]>) -> KnownBorrowers {
        let reference = record.reference.value().and_then(|reference| self.by_reference.get(reference.as_str()));
        let places: BTreeSet<usize> =
            reference.into_iter().chain(key.and_then(|key| self.by_key.get(key))).copied().collect();
        let site = record.site.value().and_then(|site| self.known.sites.get_key_value(site));
        KnownBorrowers {
            borrowers: places.into_iter().map(|place| self.known.borrowers[place].clone()).collect(),
            sites: site.map(|(key, id)| (key.clone(), *id)).into_iter().collect(),
        }
    }
}

async fn loans(tx: &mut Tx, pass: &mut Pass<'_>, rows: &[Row<LoanRecord>]) -> Result<Vec<RowReport>, ChunkFailed> {
    let keys = keys(pass.vault, good(rows).map(|one| one.school_number.as_ref()));
    let serials = good(rows).filter_map(|one| one.serial.as_deref());
    let devices = import_loan::devices(tx, serials, good(rows).filter_map(|one| one.asset_tag.as_deref())).await?;
    let references = good(rows).filter_map(|one| one.reference.as_ref().map(Reference::as_str));
    let (by_reference, by_key) =
        import_loan::borrowers(tx, references, keys.values().map(<[u8; 32]>::as_slice)).await?;
    let ids: BTreeSet<Uuid> = devices.values().flatten().map(|device| device.id).collect();
    let mut loans: HashMap<Uuid, Vec<_>> = HashMap::new();
    for loan in import_loan::known(tx, ids).await? {
        loans.entry(loan.device).or_default().push(loan);
    }
    let mut known = KnownLoans {
        devices,
        by_reference,
        by_key,
        programmes: import_places::programmes(tx).await?,
        sites: import_places::sites(tx).await?,
        loans: Vec::new(),
    };
    let outcomes = decide(rows, |one| {
        let key = one.school_number.as_ref().and_then(|number| keys.get(number)).map(<[u8; 32]>::as_slice);
        let device = known.device_of(one);
        known.loans = device.and_then(|device| loans.remove(&device)).unwrap_or_default();
        let outcome = one.decide(&known, key, Uuid::now_v7());
        if let Some(device) = device {
            let mut kept = std::mem::take(&mut known.loans);
            if let Outcome::New(change) | Outcome::Changed(change, _) = &outcome {
                kept.retain(|loan| loan.id != change.loan.id);
                kept.push(change.loan.clone());
            }
            loans.insert(device, kept);
        }
        outcome
    });
    if pass.write == Write::Yes {
        import_loan::write(tx, &written(&outcomes).collect::<Vec<_>>(), pass.actor, pass.now).await?;
    }
    Ok(reports(&outcomes))
}
