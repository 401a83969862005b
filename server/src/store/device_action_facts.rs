//! What orders to agents depend on, of one device or of many, in two statements: a preview of thousands reads what the
//! order itself reads.

use std::collections::HashMap;

use cartable_common::{EnrolmentId, UtcMillis};
use jiff::civil::Date;
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    rows::Rows,
    value::{day, parsed},
};
use crate::domain::device_action::{Facts, Kind};

/// A device, as an order to its agent sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// What decides.
    pub(super) facts: Facts,
    /// The enrolment that is told.
    pub(super) enrolment: Option<EnrolmentId>,
    /// Its site's name.
    pub(super) site: Option<String>,
}

#[derive(FromRow)]
struct Raw {
    id: Uuid,
    status: String,
    archived_at: Option<i64>,
    lending_state: String,
    site_name: Option<String>,
    due_day: Option<i64>,
    enrolment_id: Option<Uuid>,
}

#[derive(FromRow)]
struct Waiting {
    device_id: Uuid,
    enrolment_id: Uuid,
    kind: String,
    due_day: Option<i64>,
    expires_at: i64,
}

/// How each of these devices stands at `now`; of one that is not there, nothing.
pub(super) async fn of(tx: &mut Tx, devices: &[Uuid], now: UtcMillis) -> Result<HashMap<Uuid, Standing>, StoreError> {
    const SQL: &str = "SELECT d.id, d.status, d.archived_at, d.lending_state, s.name AS site_name, l.due_day, \
        (SELECT e.id FROM enrolment e WHERE e.device_id = d.id AND e.status = 'active' AND e.kind = 'agent' \
        ORDER BY e.id DESC LIMIT 1) AS enrolment_id \
        FROM {rows} JOIN device d ON d.id = r.id LEFT JOIN site s ON s.id = d.site_id \
        LEFT JOIN loan l ON l.device_id = d.id AND l.ended_at IS NULL AND l.state = 'handed_over'";
    const WAITING: &str = "SELECT a.device_id, a.enrolment_id, a.kind, a.due_day, a.expires_at \
        FROM {rows} JOIN device_action a ON a.device_id = r.id AND a.closed_at IS NULL";
    let rows = Rows::of_ids(devices.iter().copied());
    let found: Vec<Raw> = rows.fetch(tx, SQL).await?;
    let waiting: Vec<Waiting> = rows.fetch(tx, WAITING).await?;
    let mut standings =
        found.into_iter().map(|raw| Ok((raw.id, raw.read()?))).collect::<Result<HashMap<_, _>, StoreError>>()?;
    for order in waiting {
        let Some(standing) = standings.get_mut(&order.device_id) else { continue };
        if order.still_waits(standing, now)? {
            let kind: Kind = parsed("device_action.kind", &order.kind)?;
            standing.facts.waiting.push(kind);
        }
    }
    Ok(standings)
}

impl Raw {
    fn read(self) -> Result<Standing, StoreError> {
        let facts = Facts {
            status: parsed("device.status", &self.status)?,
            is_archived: self.archived_at.is_some(),
            lending: parsed("device.lending_state", &self.lending_state)?,
            due: known_day("loan.due_day", self.due_day)?,
            has_agent: self.enrolment_id.is_some(),
            waiting: Vec::new(),
        };
        Ok(Standing { facts, enrolment: self.enrolment_id.map(EnrolmentId), site: self.site_name })
    }
}

impl Waiting {
    /// Whether it holds up another of its kind: what the next order closes as past does not.
    fn still_waits(&self, standing: &Standing, now: UtcMillis) -> Result<bool, StoreError> {
        let due = known_day("device_action.due_day", self.due_day)?;
        let is_anothers = standing.enrolment.is_some_and(|enrolment| enrolment.0 != self.enrolment_id);
        let is_of_another_day = due.zip(standing.facts.due).is_some_and(|(told, lent)| told != lent);
        Ok(self.expires_at > now.get() && !is_anothers && !is_of_another_day)
    }
}

fn known_day(what: &'static str, number: Option<i64>) -> Result<Option<Date>, StoreError> {
    number.map(|number| day(what, number)).transpose()
}
