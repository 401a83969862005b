//! The rows of a file as records, and a chunk of them compared with the store and written.
//!
//! Reading is pure and the same each time, so an import that was interrupted reads the file again and goes on behind
//! the last row that was committed.

mod borrower;
mod device;
mod loan;
mod need;
mod site;

use std::collections::{HashMap, HashSet};

use cartable_common::UtcMillis;
use serde_json::{Value, json};
use uuid::Uuid;

use super::read::Table;
use crate::{
    domain::{
        device::folded_code,
        import::{
            Blanks, FieldChange, Kind, Outcome,
            borrower::BorrowerRecord,
            cells::{Line, Reading},
            device::DeviceRecord,
            fault::{Fault, Reason},
            field::Field,
            loan::LoanRecord,
            mapping::Mapping,
            need::NeedRecord,
            site::SiteRecord,
            value,
        },
        paris,
    },
    random,
    store::{StoreError, Tx, import::RowReport},
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
    /// Needs.
    Needs(Vec<Row<NeedRecord>>),
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
    /// Who imports, for the history of loans and needs.
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
        let today = value::day(&paris::date(now).to_string()).unwrap_or_default();
        match kind {
            Kind::Devices => {
                let mut rows = rows(table, |line| DeviceRecord::read(reading, line));
                refuse_repeated(&mut rows, Reason::DuplicateRow, |one| {
                    one.serial.value().map(|code| folded_code(code))
                });
                refuse_repeated(&mut rows, Reason::DuplicateTag, |one| {
                    one.asset_tag.value().map(|code| folded_code(code))
                });
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
            Kind::Needs => {
                let mut rows = rows(table, |line| NeedRecord::read(reading, line));
                refuse_repeated(&mut rows, Reason::DuplicateRow, NeedRecord::same_as);
                Self::Needs(rows)
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
            Self::Needs(rows) => rows.len(),
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
            Self::Devices(rows) => device::work(tx, pass, &rows[from..to]).await,
            Self::Sites(rows) => site::work(tx, pass, &rows[from..to]).await,
            Self::Borrowers(rows) => borrower::work(tx, pass, &rows[from..to]).await,
            Self::Loans(rows) => loan::work(tx, pass, &rows[from..to]).await,
            Self::Needs(rows) => need::work(tx, pass, &rows[from..to]).await,
        }
    }
}

fn rows<R>(table: &Table, read: impl Fn(&Line) -> Result<R, Vec<Fault>>) -> Vec<Row<R>> {
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

/// What the numbers of a chunk's rows are recognised by.
fn keys<'r>(vault: &Vault, numbers: impl Iterator<Item = Option<&'r String>>) -> HashMap<String, [u8; 32]> {
    numbers.flatten().map(|number| (number.clone(), vault.natural_key(number))).collect()
}
