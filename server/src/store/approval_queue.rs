//! The approval queue: every request to be let in that a person decides about, oldest first, with what letting it in
//! would do.
//!
//! Each kind of request ([`Source`]) is one part of the union below.

use std::collections::{BTreeMap, BTreeSet};

use cartable_common::{DeviceId, SerialNumber, Text, UtcDay, UtcMillis, report::Hardware};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    cloned_key::{self, Shown},
    device_list::{COUNT_CAP, PAGE_ROWS},
    enrolment, lapse, newcomer,
    page::{self, Cursor, CursorKey, Page, Total},
    rows::Rows,
    value::{from_json, moment, optional_moment, parsed},
};
use crate::domain::{
    approval::{Effect, Hindrance, Source, WaitsFor, lapses_at},
    clone::Place,
    device::DeviceStatus,
    enrolment::Arrival,
    loan::LendingState,
    scope::Scope,
};

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueQuery {
    /// Only those that wait for this reason.
    pub waits_for: Option<WaitsFor>,
    /// Only this site.
    pub site: Option<Uuid>,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Rows on this page; [`PAGE_ROWS`] when zero.
    pub limit: usize,
}

/// A request to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Never given to another, of whatever source.
    pub id: Uuid,
    /// Where it is kept.
    pub source: Source,
    /// Why it waits.
    pub waits_for: WaitsFor,
    /// Since when it asks.
    pub since: UtcMillis,
    /// The day of its last ask; nothing where none is kept. Of two requests of one machine it tells the one that still asks.
    pub last_asked_on: Option<UtcDay>,
    /// When it lapses if nobody decides and its machine asks no more; nothing where it waits as long as it takes.
    pub lapses_at: Option<UtcMillis>,
    /// The machine's serial number.
    pub serial_number: Option<String>,
    /// Its maker.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// The label of the token that it brought.
    pub token: Option<String>,
    /// Whether it named a key that it lost, which proves nothing.
    pub by_lost_key: bool,
    /// The device whose key that is, as far as the caller may know.
    pub lost_key_of: Option<Known>,
    /// The site that it would belong to, or does.
    pub site: Option<Uuid>,
    /// That site's name.
    pub site_name: Option<String>,
    /// What letting it in would do, as far as the caller may know.
    pub effect: Effect,
    /// The device that it is about, where there is one.
    pub known: Option<Known>,
}

/// A device that is known, as far as it says something about a machine that claims to be it. Not who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: DeviceId,
    /// Its serial number.
    pub serial_number: Option<String>,
    /// Its label.
    pub asset_tag: Option<String>,
    /// Where it stands.
    pub status: DeviceStatus,
    /// Whether it was put away.
    pub archived: bool,
    /// Where it is.
    pub lending: Option<LendingState>,
    /// When it was last heard of.
    pub last_contact_at: Option<UtcMillis>,
}

/// Everything that waits, of whatever source, as the table `q`: these three after each other.
const QUEUE: [&str; 3] = [
    "(SELECT e.id, 'enrolment' AS source, COALESCE(e.waits_for, 'replacement') AS waits_for, \
    e.created_at, e.device_id, NULL AS hardware, d.site_id, e.token_id, e.lost_key_of, ",
    lapse::ENROLMENT_ASKED_ON,
    " AS asked_on FROM enrolment e \
    JOIN device d ON d.id = e.device_id WHERE e.status = 'pending' \
    UNION ALL SELECT n.id, 'newcomer', n.waits_for, n.created_at, NULL, n.hardware, \
    COALESCE(l.site_id, k.site_id, b.site_id), n.token_id, n.lost_key_of, n.asked_on FROM newcomer n \
    LEFT JOIN enrolment_token k ON k.id = n.token_id LEFT JOIN enrolment v ON v.id = n.vouched_by \
    LEFT JOIN device b ON b.id = v.device_id LEFT JOIN device l ON l.id = n.listed_as WHERE n.state = 'waiting' \
    UNION ALL SELECT r.id, 'recovery', 'recovery', r.asked_at, r.device_id, NULL, d.site_id, e.token_id, NULL, NULL \
    FROM recovery r JOIN enrolment e ON e.id = r.enrolment_id JOIN device d ON d.id = r.device_id \
    WHERE r.state = 'waiting' AND e.status = 'active' AND d.status = 'active') q",
];

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    source: String,
    waits_for: String,
    created_at: i64,
    device_id: Option<Uuid>,
    hardware: Option<String>,
    site_id: Option<Uuid>,
    site_name: Option<String>,
    label: Option<String>,
    lost_key_of: Option<Uuid>,
    asked_on: Option<i64>,
}

/// One page of what waits, oldest first.
pub async fn list(tx: &mut Tx, scope: &Scope, query: &QueueQuery) -> Result<Page<Asking>, StoreError> {
    let limit = if query.limit == 0 { PAGE_ROWS } else { query.limit };
    let mut clause = select();
    restrict(&mut clause, scope, query);
    if let Some(Cursor { key: CursorKey::Number(at), id }) = &query.after {
        clause.sql(" AND (q.created_at, q.id) > (").value(*at).sql(", ").value(*id).sql(")");
    }
    clause.sql(" ORDER BY q.created_at, q.id LIMIT ").value(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    let mut raw: Vec<Raw> = clause.rows(tx).await?;
    let next = page::cut(&mut raw, limit, |row| Cursor { key: CursorKey::Number(row.created_at), id: row.id });
    let total = if query.after.is_none() && next.is_none() {
        Total::Exact(i64::try_from(raw.len()).unwrap_or(i64::MAX))
    } else {
        count(tx, scope, query).await?
    };
    let rows = read(tx, scope, raw).await?;
    Ok(Page { rows, next, total })
}

/// How many wait within `scope`, as far as it is worth counting.
pub async fn waiting(tx: &mut Tx, scope: &Scope) -> Result<Total, StoreError> {
    count(tx, scope, &QueueQuery::default()).await
}

/// One that waits, where the scope covers its site.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<Asking>, StoreError> {
    let mut clause = select();
    clause.sql(" WHERE q.id = ").value(id).within("q.site_id", scope);
    let raw: Vec<Raw> = clause.rows(tx).await?;
    Ok(read(tx, scope, raw).await?.pop())
}

/// Whether there is, or was, a request with that id at a site that the scope covers.
pub async fn is_known(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<bool, StoreError> {
    let mut clause = Clause::new(
        "SELECT count(*) FROM (SELECT e.id, d.site_id FROM enrolment e JOIN device d ON d.id = e.device_id \
         UNION ALL SELECT n.id, COALESCE(l.site_id, k.site_id, b.site_id) FROM newcomer n \
         LEFT JOIN enrolment_token k ON k.id = n.token_id LEFT JOIN enrolment v ON v.id = n.vouched_by \
         LEFT JOIN device b ON b.id = v.device_id LEFT JOIN device l ON l.id = n.listed_as \
         UNION ALL SELECT r.id, d.site_id FROM recovery r JOIN device d ON d.id = r.device_id) q WHERE q.id = ",
    );
    clause.value(id).within("q.site_id", scope);
    Ok(clause.number(tx).await? > 0)
}

fn queue(clause: &mut Clause) -> &mut Clause {
    QUEUE.into_iter().fold(clause, |clause, part| clause.sql(part))
}

fn select() -> Clause {
    let mut clause = Clause::new(
        "SELECT q.id, q.source, q.waits_for, q.created_at, q.device_id, q.hardware, q.site_id, s.name AS site_name, \
         t.label, v.device_id AS lost_key_of, q.asked_on FROM ",
    );
    queue(&mut clause).sql(
        " LEFT JOIN site s ON s.id = q.site_id LEFT JOIN enrolment_token t ON t.id = q.token_id \
         LEFT JOIN enrolment v ON v.id = q.lost_key_of",
    );
    clause
}

fn restrict(clause: &mut Clause, scope: &Scope, query: &QueueQuery) {
    clause.sql(" WHERE 1 = 1").within("q.site_id", scope);
    if let Some(waits_for) = query.waits_for {
        clause.sql(" AND q.waits_for = ").value(waits_for.as_str());
    }
    if let Some(site) = query.site {
        clause.sql(" AND q.site_id = ").value(site);
    }
}

async fn count(tx: &mut Tx, scope: &Scope, query: &QueueQuery) -> Result<Total, StoreError> {
    let mut clause = Clause::new("SELECT count(*) FROM (SELECT 1 FROM ");
    queue(&mut clause);
    restrict(&mut clause, scope, query);
    clause.sql(" LIMIT ").value(COUNT_CAP + 1).sql(") AS counted");
    let count = clause.number(tx).await?;
    Ok(if count > COUNT_CAP { Total::MoreThan(COUNT_CAP) } else { Total::Exact(count) })
}

/// Requests with all that is told of them: one statement for their devices, however many.
async fn read(tx: &mut Tx, scope: &Scope, raw: Vec<Raw>) -> Result<Vec<Asking>, StoreError> {
    let mut claims = Vec::with_capacity(raw.len());
    for one in raw {
        claims.push(Claim::of(tx, one).await?);
    }
    let devices = Facts::of(tx, claims.iter().flat_map(Claim::devices).collect()).await?;
    claims.into_iter().map(|claim| claim.read(scope, &devices)).collect()
}

/// A request, and the device that it is about, where there is one.
struct Claim {
    raw: Raw,
    source: Source,
    /// What a newcomer says of itself.
    hardware: Option<Hardware>,
    device: Option<Uuid>,
    /// Why it cannot become that device, where that is known already.
    hindrance: Option<Hindrance>,
}

impl Claim {
    async fn of(tx: &mut Tx, raw: Raw) -> Result<Self, StoreError> {
        let source: Source = parsed("the source of a request", &raw.source)?;
        let Some(json) = raw.hardware.as_deref().filter(|_| source == Source::Newcomer) else {
            let device = raw.device_id;
            return Ok(Self { raw, source, hardware: None, device, hindrance: None });
        };
        let hardware: Hardware = from_json("newcomer.hardware", json)?;
        let (device, hindrance) = match shown_by(tx, &raw).await? {
            Some(old) => of_shown(tx, &old, &hardware).await?,
            None => match enrolment::arrival_of(tx, &hardware).await? {
                Arrival::NewDevice => (None, None),
                Arrival::FirstEnrolment(id) | Arrival::Replacement(id) => (Some(id.0), None),
            },
        };
        Ok(Self { raw, source, hardware: Some(hardware), device, hindrance })
    }

    /// Every device that it is about, or whose key it names.
    fn devices(&self) -> impl Iterator<Item = Uuid> + use<> {
        self.device.into_iter().chain(self.raw.lost_key_of)
    }

    /// A device of a site that is not the caller's is not told of.
    fn read(self, scope: &Scope, devices: &BTreeMap<Uuid, Facts>) -> Result<Asking, StoreError> {
        let told = |id: Option<Uuid>| id.and_then(|id| devices.get(&id)).filter(|found| scope.covers(found.site_id));
        let found = told(self.device);
        let effect = match (self.source, self.device, found) {
            (Source::Newcomer, None, _) => Effect::NewDevice,
            (Source::Newcomer, Some(_), None) => Effect::Impossible(Hindrance::Elsewhere),
            (Source::Newcomer | Source::Enrolment, Some(_), Some(found)) => match self.hindrance {
                Some(hindrance) => Effect::Impossible(hindrance),
                None => found.effect()?,
            },
            (Source::Recovery, Some(id), Some(_)) => Effect::Renews(DeviceId(id)),
            (Source::Enrolment | Source::Recovery, ..) => {
                let why = "absent from a request that waits".to_owned();
                return Err(StoreError::Corrupt { what: "device", why });
            }
        };
        let (serial_number, manufacturer, model) = match (&self.hardware, found) {
            (Some(hardware), _) => (
                hardware.serial_number.get().map(SerialNumber::as_str).map(str::to_owned),
                hardware.manufacturer.as_ref().map(Text::as_str).map(str::to_owned),
                hardware.model.as_ref().map(Text::as_str).map(str::to_owned),
            ),
            (None, Some(found)) => (found.serial_number.clone(), found.manufacturer.clone(), found.model.clone()),
            (None, None) => (None, None, None),
        };
        let last_ask = optional_moment("asked_on", self.raw.asked_on)?.map(UtcDay::from);
        Ok(Asking {
            id: self.raw.id,
            source: self.source,
            waits_for: parsed("waits_for", &self.raw.waits_for)?,
            since: moment("created_at", self.raw.created_at)?,
            last_asked_on: last_ask,
            lapses_at: lapses_at(last_ask),
            serial_number,
            manufacturer,
            model,
            token: self.raw.label,
            by_lost_key: self.raw.lost_key_of.is_some(),
            lost_key_of: told(self.raw.lost_key_of).map(Facts::known).transpose()?,
            site: self.raw.site_id,
            site_name: self.raw.site_name,
            effect,
            known: found.map(Facts::known).transpose()?,
        })
    }
}

/// The key of another machine that a newcomer showed, where it brought no token.
async fn shown_by(tx: &mut Tx, raw: &Raw) -> Result<Option<Shown>, StoreError> {
    if raw.waits_for != WaitsFor::ClonedKey.as_str() {
        return Ok(None);
    }
    Ok(newcomer::find(tx, raw.id).await?.and_then(|newcomer| newcomer.shown))
}

/// The device that a machine would be that showed `old`, as things stand now and not when it asked; and whether that would
/// then be called what another is called: the device that the key is bound to is given the machine's serial number.
async fn of_shown(
    tx: &mut Tx,
    old: &Shown,
    hardware: &Hardware,
) -> Result<(Option<Uuid>, Option<Hindrance>), StoreError> {
    let id = match cloned_key::place(tx, old, hardware).await? {
        Place::Own => old.device,
        Place::Recorded(id) | Place::Waits(id) => id,
        Place::WaitsAnew => return Ok((None, None)),
    };
    let Some(serial) = hardware.serial_number.get().filter(|_| id == old.device) else {
        return Ok((Some(id.0), None));
    };
    let maker = hardware.manufacturer.as_ref().map(Text::as_str);
    let is_taken = enrolment::is_serial_elsewhere(tx, id, serial.as_str(), maker).await?;
    Ok((Some(id.0), is_taken.then_some(Hindrance::SerialTaken)))
}

/// What counts of a device that a request is about.
#[derive(sqlx::FromRow)]
struct Facts {
    id: Uuid,
    site_id: Option<Uuid>,
    status: String,
    serial_number: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    asset_tag: Option<String>,
    archived_at: Option<i64>,
    lending_state: String,
    has_key: bool,
    last_at: Option<i64>,
}

impl Facts {
    async fn of(tx: &mut Tx, ids: BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, Self>, StoreError> {
        let sql = "SELECT d.id, d.site_id, d.status, d.serial_number, d.manufacturer, d.model, d.asset_tag, \
                   d.archived_at, d.lending_state, EXISTS (SELECT 1 FROM enrolment e WHERE e.device_id = d.id \
                   AND e.status IN ('active', 'quarantined')) AS has_key, c.last_at FROM device d \
                   LEFT JOIN contact c ON c.device_id = d.id WHERE d.id IN (SELECT r.id FROM {rows})";
        let rows: Vec<Self> = Rows::of_ids(ids).fetch(tx, sql).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    fn lending(&self) -> Result<LendingState, StoreError> {
        parsed("device.lending_state", &self.lending_state)
    }

    /// What letting in another key for it does.
    fn effect(&self) -> Result<Effect, StoreError> {
        let id = DeviceId(self.id);
        if self.lending()? == LendingState::Ceded {
            return Ok(Effect::Impossible(Hindrance::GivenAway));
        }
        Ok(if self.has_key { Effect::Replaces(id) } else { Effect::FirstKey(id) })
    }

    fn known(&self) -> Result<Known, StoreError> {
        Ok(Known {
            id: DeviceId(self.id),
            serial_number: self.serial_number.clone(),
            asset_tag: self.asset_tag.clone(),
            status: parsed("device.status", &self.status)?,
            archived: self.archived_at.is_some(),
            lending: Some(self.lending()?),
            last_contact_at: optional_moment("contact.last_at", self.last_at)?,
        })
    }
}
