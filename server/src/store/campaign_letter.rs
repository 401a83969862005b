//! Letters of a campaign: a further e-mail to those who are still expected, at most one a day and through the outbox;
//! and what the printed letters of a site say.

use std::{collections::HashSet, fmt::Display};

use cartable_common::UtcMillis;
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    campaign::{self, Campaign},
    clause::Clause,
    notice::{self, NewNotice},
    on,
    value::{day, day_number, from_json, parsed},
};
use crate::domain::{
    borrower::BorrowerKind,
    campaign::{CampaignState, Slot},
    notice::{CampaignLetter, Reason, Recipient},
    paris,
    scope::Scope,
};

/// Why nobody is written to again. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteRefused {
    /// Planned still, or closed.
    #[error("the campaign does not run")]
    NotRunning,
    /// One letter a day is enough.
    #[error("those still expected were written to today")]
    WrittenToday,
    /// Its last day has passed: a letter would name days that are over. Reminders of due loans go on.
    #[error("the campaign's last day has passed")]
    Over,
}

/// Why writing again failed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Not now.
    #[error(transparent)]
    Refused(#[from] WriteRefused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(sqlx::FromRow)]
struct RawExpected {
    loan_id: Uuid,
    borrower_id: Uuid,
    site_id: Uuid,
    site_name: String,
    day: i64,
    desk: i64,
    slot: i64,
}

/// Writes to those whose loans a running campaign still expects; tells to how many loans a letter was written. A loan
/// whose letter of this campaign still waits to leave gets no second one.
pub async fn write_again(tx: &mut Tx, id: Uuid, now: UtcMillis) -> Result<u64, WriteError> {
    let today = paris::date(now);
    let sql = "UPDATE campaign SET letters = letters + 1, written_day = $2 WHERE id = $1 AND state = 'running' \
               AND last_day >= $2 AND (written_day IS NULL OR written_day < $2) RETURNING letters";
    let letter: Option<i64> =
        on!(tx, |c| sqlx::query_scalar(sql).bind(id).bind(day_number(today)).fetch_optional(c).await)
            .map_err(StoreError::from)?;
    let campaign = campaign::find(tx, id).await?.ok_or(WriteRefused::NotRunning)?;
    let Some(letter) = letter else {
        return Err(match campaign.state {
            CampaignState::Planned | CampaignState::Closed => WriteRefused::NotRunning,
            CampaignState::Running if campaign.last < today => WriteRefused::Over,
            CampaignState::Running => WriteRefused::WrittenToday,
        }
        .into());
    };
    let letter = u32::try_from(letter).unwrap_or(u32::MAX);
    let mut notices = Vec::new();
    for raw in expected(tx, id).await? {
        notices.push(again(&campaign, letter, &raw, today)?);
    }
    Ok(notice::add_all(tx, &notices, now).await?)
}

/// The loans that are expected, without those whose letter has not left the outbox's waiting room.
async fn expected(tx: &mut Tx, id: Uuid) -> Result<Vec<RawExpected>, StoreError> {
    let mut waiting = Clause::new(
        "SELECT n.loan_id, n.details FROM notice n JOIN campaign_loan p ON p.loan_id = n.loan_id \
         WHERE n.kind = 'campaign' AND (n.state = 'waiting' OR (n.state = 'grouped' AND EXISTS \
         (SELECT 1 FROM message m WHERE m.id = n.message_id AND m.finished_at IS NULL))) AND p.campaign_id = ",
    );
    let rows: Vec<(Uuid, String)> = waiting.value(id).rows(tx).await?;
    let mut waits = HashSet::new();
    for (loan, details) in rows {
        let letter: CampaignLetter = from_json("notice.details", &details)?;
        if letter.campaign == id {
            waits.insert(loan);
        }
    }
    let mut clause = Clause::new(
        "SELECT p.loan_id, l.borrower_id, p.site_id, s.name AS site_name, p.day, p.desk, p.slot FROM campaign_loan p \
         JOIN loan l ON l.id = p.loan_id JOIN site s ON s.id = p.site_id WHERE p.state = 'expected' AND p.campaign_id = ",
    );
    let mut rows: Vec<RawExpected> = clause.value(id).rows(tx).await?;
    rows.retain(|row| !waits.contains(&row.loan_id));
    Ok(rows)
}

/// The letter to one of them: its place while that is still to come; from today on, at any desk, once it is missed.
fn again(campaign: &Campaign, number: u32, raw: &RawExpected, today: Date) -> Result<NewNotice, StoreError> {
    let planned = day("campaign_loan.day", raw.day)?;
    let missed = planned < today;
    let place = if missed { raw.site_name.clone() } else { place_of(&raw.site_name, raw.desk, raw.slot) };
    let to = Addressee { borrower: raw.borrower_id, site: raw.site_id, loan: raw.loan_id };
    Ok(letter(campaign, number, &to, (planned.max(today), place), today))
}

/// To whom a letter goes, and about which loan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addressee {
    pub(super) borrower: Uuid,
    pub(super) site: Uuid,
    pub(super) loan: Uuid,
}

/// A place at a site's desks, as letters name it.
pub(super) fn place_of(site: &str, desk: impl Display, slot: impl Display) -> String {
    format!("{site}, n° {desk}-{slot}")
}

/// The campaign's `number`th letter: from which day on a device comes back, and where. It leaves from `today` on.
pub(super) fn letter(
    campaign: &Campaign,
    number: u32,
    to: &Addressee,
    (first, place): (Date, String),
    today: Date,
) -> NewNotice {
    let letter = CampaignLetter {
        campaign: campaign.id,
        letter: number,
        title: campaign.name.clone(),
        first,
        last: campaign.last,
        place,
    };
    NewNotice {
        recipient: Recipient::borrower(to.borrower),
        site: Some(to.site),
        reason: Reason::Campaign { loan: to.loan, letter },
        not_before: today,
        not_after: campaign.last,
    }
}

/// Places of a site whose letters stand in one document: about as many pages, made within a template's time limit.
pub const PLACES_OF_A_PART: u32 = 400;

/// What the printed letter about one loan says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRow {
    /// The borrower.
    pub borrower: Uuid,
    /// What stands for it.
    pub reference: String,
    /// A person or an institution.
    pub borrower_kind: BorrowerKind,
    /// The institution's name.
    pub institution_name: Option<String>,
    /// Label stuck on by staff.
    pub asset_tag: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Maker.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// What went with the device.
    pub accessories: Vec<String>,
    /// When and where it comes.
    pub slot: Slot,
}

#[derive(sqlx::FromRow)]
struct RawLetter {
    borrower_id: Uuid,
    reference: String,
    kind: String,
    institution_name: Option<String>,
    asset_tag: Option<String>,
    serial_number: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    accessories: String,
    day: i64,
    desk: i64,
    slot: i64,
}

impl RawLetter {
    fn read(self) -> Result<LetterRow, StoreError> {
        let whole = |number: i64| u32::try_from(number).unwrap_or_default();
        Ok(LetterRow {
            borrower: self.borrower_id,
            reference: self.reference,
            borrower_kind: parsed("borrower.kind", &self.kind)?,
            institution_name: self.institution_name,
            asset_tag: self.asset_tag,
            serial: self.serial_number,
            manufacturer: self.manufacturer,
            model: self.model,
            accessories: from_json("loan.accessories", &self.accessories)?,
            slot: Slot { day: day("campaign_loan.day", self.day)?, desk: whole(self.desk), slot: whole(self.slot) },
        })
    }
}

/// The loans of one site that a campaign still expects, among the places of one part (from 1), by place. Parts count
/// all places, given back or not: a return in between moves nobody from one part to another.
pub async fn of_site(
    tx: &mut Tx,
    scope: &Scope,
    (campaign, site, part): (Uuid, Uuid, u32),
) -> Result<Vec<LetterRow>, StoreError> {
    let before = i64::from(part.max(1) - 1) * i64::from(PLACES_OF_A_PART);
    let mut clause = Clause::new(
        "SELECT l.borrower_id, b.reference, b.kind, b.institution_name, d.asset_tag, d.serial_number, d.manufacturer, \
         d.model, l.accessories, p.day, p.desk, p.slot FROM (SELECT * FROM campaign_loan WHERE campaign_id = ",
    );
    clause.value(campaign).sql(" AND site_id = ").value(site).within("site_id", scope);
    clause.sql(" ORDER BY day, desk, slot LIMIT ").value(i64::from(PLACES_OF_A_PART)).sql(" OFFSET ").value(before);
    clause.sql(
        ") p JOIN loan l ON l.id = p.loan_id JOIN device d ON d.id = l.device_id JOIN borrower b ON b.id = l.borrower_id \
         WHERE p.state = 'expected' ORDER BY p.day, p.desk, p.slot",
    );
    clause.rows::<RawLetter>(tx).await?.into_iter().map(RawLetter::read).collect()
}

/// How many parts the letters of a site with so many places have.
#[must_use]
pub fn parts(places: i64) -> u32 {
    u32::try_from(places).unwrap_or_default().div_ceil(PLACES_OF_A_PART)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_in_a_part() {
        let most = i64::from(PLACES_OF_A_PART);
        assert_eq!([0, 1, most, most + 1].map(parts), [0, 1, 1, 2]);
    }
}
