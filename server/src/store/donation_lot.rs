//! Lots of donation: to whom and under which text, who put them together, who approved them. Their units are in
//! `donation_line`, approving in `donation_approval`, handing over in `donation_delivery`.

use cartable_common::UtcMillis;
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    allocation::Who,
    clause::Clause,
    donation_recipient, on,
    value::{day, day_number, moment, optional_moment, parsed},
};
use crate::domain::{
    document::DocumentNumber,
    donation::{Deliberation, LotState, MAX_UNITS, Recipient, Terms, basis::LegalBasis},
};

/// A lot, without its units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotRow {
    /// Never given to another.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub state: LotState,
    /// On what terms.
    pub terms: Terms,
    /// The recipient's name.
    pub recipient_name: Option<String>,
    /// How many units it has.
    pub units: i64,
    /// Who began it.
    pub prepared_by: Who,
    /// When.
    pub prepared_at: UtcMillis,
    /// Who approved it.
    pub approved_by: Option<Who>,
    /// When.
    pub approved_at: Option<UtcMillis>,
    /// How it was handed over.
    pub delivered: Option<Delivered>,
    /// When it was given up.
    pub dropped_at: Option<UtcMillis>,
}

/// How a lot was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Who recorded it.
    pub by: Who,
    /// When.
    pub at: UtcMillis,
    /// The day on which the recipient took it.
    pub day: Date,
    /// The deed that was signed.
    pub deed: DocumentNumber,
}

/// Why something about a lot is not done. Nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LotRefused {
    /// There is none.
    #[error("there is no such lot")]
    NoLot,
    /// It was approved, handed over or given up meanwhile.
    #[error("the lot is no longer a draft")]
    NotDraft,
    /// It was not approved, or is gone.
    #[error("only an approved lot is handed over; this one is {0}")]
    NotApproved(LotState),
    /// Nobody approves what is their own.
    #[error("a lot is approved by somebody who did not put it together")]
    Own,
    /// It has no units.
    #[error("the lot is empty")]
    Empty,
    /// It would have too many.
    #[error("a lot has at most {MAX_UNITS} units: begin another")]
    TooMany,
    /// There is no such recipient, or it has ended.
    #[error("there is no such recipient, or it is no longer one")]
    NoRecipient,
    /// There is no device with this id.
    #[error("there is no device {0}")]
    NoDevice(String),
    /// The device is in another lot, or in this one.
    #[error("the device {device} is in the lot {lot:?} already")]
    InLot {
        /// Its asset tag, else its serial number, else its id.
        device: String,
        /// What people call the lot.
        lot: String,
    },
    /// The device, called so, has changed owner.
    #[error("the device {0} has changed owner already")]
    Ceded(String),
    /// The device is not in this lot.
    #[error("the device is not in this lot")]
    NotListed,
    /// A value for all units that have none, where none is left.
    #[error("every unit has a value already: change one by naming it")]
    AllValued,
    /// It was handed over, which is final.
    #[error("the lot was handed over, which is final")]
    HandedOver,
    /// Something is missing for some units.
    #[error("something is missing for {0} of the lot's units: see each of them")]
    Unmet(usize),
    /// What proves the erasures is not what was approved.
    #[error(
        "other records prove the erasures than those that were approved, or a drive came since: give the lot up, and have \
         a new one approved"
    )]
    EvidenceChanged,
    /// No deed with that number was made of this lot since it was approved.
    #[error(
        "no deed with this number was made of this lot since it was approved: print it, have it signed, give its number"
    )]
    NoDeed,
    /// A day before the approval, or in the future.
    #[error("the day of the hand-over lies between the approval and today")]
    BadDay,
}

impl LotRefused {
    /// Every code, for catalogues of words.
    pub const CODES: [&'static str; 17] = [
        "no-lot",
        "not-draft",
        "not-approved",
        "own",
        "empty",
        "too-many",
        "no-recipient",
        "no-device",
        "in-lot",
        "ceded",
        "not-listed",
        "all-valued",
        "handed-over",
        "unmet",
        "evidence-changed",
        "no-deed",
        "bad-day",
    ];

    /// What it is called in catalogues of words.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoLot => "no-lot",
            Self::NotDraft => "not-draft",
            Self::NotApproved(_) => "not-approved",
            Self::Own => "own",
            Self::Empty => "empty",
            Self::TooMany => "too-many",
            Self::NoRecipient => "no-recipient",
            Self::NoDevice(_) => "no-device",
            Self::InLot { .. } => "in-lot",
            Self::Ceded(_) => "ceded",
            Self::NotListed => "not-listed",
            Self::AllValued => "all-valued",
            Self::HandedOver => "handed-over",
            Self::Unmet(_) => "unmet",
            Self::EvidenceChanged => "evidence-changed",
            Self::NoDeed => "no-deed",
            Self::BadDay => "bad-day",
        }
    }
}

/// Why something about a lot failed.
#[derive(Debug, thiserror::Error)]
pub enum LotError {
    /// It is not allowed.
    #[error(transparent)]
    Refused(#[from] LotRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    name: String,
    state: String,
    recipient_id: Option<Uuid>,
    recipient_name: Option<String>,
    basis: Option<String>,
    deliberation_number: Option<String>,
    deliberation_day: Option<i64>,
    units: i64,
    prepared_by: Uuid,
    preparer: String,
    prepared_at: i64,
    approved_by: Option<Uuid>,
    approver: Option<String>,
    approved_at: Option<i64>,
    delivered_by: Option<Uuid>,
    deliverer: Option<String>,
    delivered_at: Option<i64>,
    delivered_day: Option<i64>,
    deed: Option<String>,
    dropped_at: Option<i64>,
}

impl Raw {
    fn read(self) -> Result<LotRow, StoreError> {
        let deliberation = match (self.deliberation_number, self.deliberation_day) {
            (Some(number), Some(number_of_day)) => {
                Some(Deliberation { number, day: day("donation_lot.deliberation_day", number_of_day)? })
            }
            (None, _) | (_, None) => None,
        };
        let delivered = match (self.delivered_by, self.delivered_at, self.delivered_day, self.deed) {
            (Some(by), Some(at), Some(number_of_day), Some(deed)) => Some(Delivered {
                by: Who { id: by, name: self.deliverer.unwrap_or_default() },
                at: moment("donation_lot.delivered_at", at)?,
                day: day("donation_lot.delivered_day", number_of_day)?,
                deed: parsed("donation_lot.deed", &deed)?,
            }),
            _ => None,
        };
        Ok(LotRow {
            id: self.id,
            name: self.name,
            state: parsed("donation_lot.state", &self.state)?,
            terms: Terms {
                recipient: self.recipient_id,
                basis: self.basis.map(|basis| parsed("donation_lot.basis", &basis)).transpose()?,
                deliberation,
            },
            recipient_name: self.recipient_name,
            units: self.units,
            prepared_by: Who { id: self.prepared_by, name: self.preparer },
            prepared_at: moment("donation_lot.prepared_at", self.prepared_at)?,
            approved_by: self.approved_by.map(|id| Who { id, name: self.approver.unwrap_or_default() }),
            approved_at: optional_moment("donation_lot.approved_at", self.approved_at)?,
            delivered,
            dropped_at: optional_moment("donation_lot.dropped_at", self.dropped_at)?,
        })
    }
}

const SELECT: &str = "SELECT t.id, t.name, t.state, t.recipient_id, r.name AS recipient_name, t.basis, \
     t.deliberation_number, t.deliberation_day, \
     (SELECT count(*) FROM donation_line n WHERE n.lot_id = t.id) AS units, \
     t.prepared_by, p.display_name AS preparer, t.prepared_at, t.approved_by, a.display_name AS approver, t.approved_at, \
     t.delivered_by, d.display_name AS deliverer, t.delivered_at, t.delivered_day, t.deed, t.dropped_at \
     FROM donation_lot t JOIN person p ON p.id = t.prepared_by LEFT JOIN person a ON a.id = t.approved_by \
     LEFT JOIN person d ON d.id = t.delivered_by LEFT JOIN donation_recipient r ON r.id = t.recipient_id WHERE 1 = 1";

/// Most lots that are listed: those of some years.
pub const LISTED: i64 = 200;

/// The newest lots, newest first.
pub async fn list(tx: &mut Tx) -> Result<Vec<LotRow>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.sql(" ORDER BY t.prepared_at DESC, t.id DESC LIMIT ").value(LISTED);
    clause.rows::<Raw>(tx).await?.into_iter().map(Raw::read).collect()
}

/// The lot with that id.
pub async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<LotRow>, StoreError> {
    let mut clause = Clause::new(SELECT);
    clause.sql(" AND t.id = ").value(id);
    clause.rows::<Raw>(tx).await?.pop().map(Raw::read).transpose()
}

/// Holds the lot until this unit of work ends, and gives it as it then is.
pub(super) async fn locked(tx: &mut Tx, id: Uuid) -> Result<LotRow, LotError> {
    if matches!(tx, Tx::Postgres(_)) {
        let sql = "SELECT id FROM donation_lot WHERE id = $1 FOR UPDATE";
        let held: Result<Option<Uuid>, _> = on!(tx, |c| sqlx::query_scalar(sql).bind(id).fetch_optional(c).await);
        held.map_err(StoreError::from)?;
    }
    Ok(find(tx, id).await?.ok_or(LotRefused::NoLot)?)
}

/// The same, where it is a draft; `person` is from now on one of those who put it together.
pub(super) async fn draft(tx: &mut Tx, id: Uuid, person: Uuid, now: UtcMillis) -> Result<LotRow, LotError> {
    let found = locked(tx, id).await?;
    if found.state != LotState::Draft {
        return Err(LotRefused::NotDraft.into());
    }
    edited(tx, id, person, now).await?;
    Ok(found)
}

async fn edited(tx: &mut Tx, id: Uuid, person: Uuid, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "INSERT INTO donation_lot_editor (lot_id, person_id, edited_at) VALUES ($1, $2, $3) \
               ON CONFLICT (lot_id, person_id) DO NOTHING";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(person).bind(now.get()).execute(c).await.map(drop))?;
    Ok(())
}

/// Whether this person may not approve it: nobody approves what they helped to put together.
pub async fn is_own(tx: &mut Tx, lot: &LotRow, person: Uuid) -> Result<bool, StoreError> {
    if lot.prepared_by.id == person {
        return Ok(true);
    }
    let mut clause = Clause::new("SELECT count(*) FROM donation_lot_editor WHERE lot_id = ");
    Ok(clause.value(lot.id).sql(" AND person_id = ").value(person).number(tx).await? > 0)
}

/// Begins a lot.
pub async fn create(tx: &mut Tx, name: &str, terms: &Terms, by: Uuid, now: UtcMillis) -> Result<Uuid, LotError> {
    check_recipient(tx, terms).await?;
    let id = Uuid::now_v7();
    let sql = "INSERT INTO donation_lot (id, name, state, prepared_by, prepared_at) VALUES ($1, $2, 'draft', $3, $4)";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(name).bind(by).bind(now.get()).execute(c).await.map(drop))
        .map_err(StoreError::from)?;
    edited(tx, id, by, now).await?;
    write_terms(tx, id, name, terms).await?;
    Ok(id)
}

/// Changes the name and the terms of a draft.
pub async fn set_terms(
    tx: &mut Tx,
    id: Uuid,
    (name, terms): (&str, &Terms),
    by: Uuid,
    now: UtcMillis,
) -> Result<(), LotError> {
    draft(tx, id, by, now).await?;
    check_recipient(tx, terms).await?;
    Ok(write_terms(tx, id, name, terms).await?)
}

async fn check_recipient(tx: &mut Tx, terms: &Terms) -> Result<(), LotError> {
    let Some(id) = terms.recipient else { return Ok(()) };
    let found = donation_recipient::find(tx, id).await?.filter(|recipient| recipient.ended_at.is_none());
    found.map(drop).ok_or_else(|| LotRefused::NoRecipient.into())
}

async fn write_terms(tx: &mut Tx, id: Uuid, name: &str, terms: &Terms) -> Result<(), StoreError> {
    let sql = "UPDATE donation_lot SET name = $2, recipient_id = $3, basis = $4, deliberation_number = $5, \
               deliberation_day = $6 WHERE id = $1";
    let deliberation = terms.deliberation.as_ref();
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(id)
            .bind(name)
            .bind(terms.recipient)
            .bind(terms.basis.map(LegalBasis::as_str))
            .bind(deliberation.map(|decided| decided.number.as_str()))
            .bind(deliberation.map(|decided| day_number(decided.day)))
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Gives up a lot that was not handed over: its devices are free again.
pub async fn drop_lot(tx: &mut Tx, id: Uuid, now: UtcMillis) -> Result<(), LotError> {
    let found = locked(tx, id).await?;
    match found.state {
        LotState::Draft | LotState::Approved => {}
        LotState::Delivered => return Err(LotRefused::HandedOver.into()),
        LotState::Dropped => return Err(LotRefused::NotDraft.into()),
    }
    let lines = "UPDATE donation_line SET state = 'dropped' WHERE lot_id = $1 AND state <> 'dropped'";
    on!(tx, |c| sqlx::query(lines).bind(id).execute(c).await.map(drop)).map_err(StoreError::from)?;
    let sql = "UPDATE donation_lot SET state = 'dropped', dropped_at = $2 WHERE id = $1";
    on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).execute(c).await.map(drop)).map_err(StoreError::from)?;
    Ok(())
}

/// The recipient of a lot, as it now stands.
pub async fn recipient(tx: &mut Tx, lot: &LotRow) -> Result<Option<Recipient>, StoreError> {
    match lot.terms.recipient {
        Some(id) => donation_recipient::find(tx, id).await,
        None => Ok(None),
    }
}
