//! The approval queue: every request to be let in that a person decides about, oldest first, with what letting it in
//! would do.
//!
//! Each kind of request ([`Source`]) is one part of the union below.

use cartable_common::{DeviceId, SerialNumber, Text, UtcMillis, report::Hardware};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    contact, device,
    device_list::{COUNT_CAP, PAGE_ROWS},
    enrolment, loan,
    page::{self, Cursor, CursorKey, Page, Total},
    value::{from_json, moment, parsed},
};
use crate::domain::{
    approval::{Effect, Hindrance, Source, WaitsFor},
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
    /// The machine's serial number.
    pub serial_number: Option<String>,
    /// Its maker.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// The label of the token that it brought.
    pub token: Option<String>,
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

/// Everything that waits, of whatever source, as the table `q`.
const QUEUE: &str = "(SELECT e.id, 'enrolment' AS source, COALESCE(e.waits_for, 'replacement') AS waits_for, \
    e.created_at, e.device_id, NULL AS hardware, d.site_id, e.token_id FROM enrolment e \
    JOIN device d ON d.id = e.device_id WHERE e.status = 'pending' \
    UNION ALL SELECT n.id, 'newcomer', n.waits_for, n.created_at, NULL, n.hardware, k.site_id, n.token_id \
    FROM newcomer n JOIN enrolment_token k ON k.id = n.token_id WHERE n.state = 'waiting' \
    UNION ALL SELECT r.id, 'recovery', 'recovery', r.asked_at, r.device_id, NULL, d.site_id, e.token_id \
    FROM recovery r JOIN enrolment e ON e.id = r.enrolment_id JOIN device d ON d.id = r.device_id \
    WHERE r.state = 'waiting' AND e.status = 'active' AND d.status = 'active') q";

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
    let mut rows = Vec::with_capacity(raw.len());
    for one in raw {
        rows.push(read(tx, scope, one).await?);
    }
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
    let raw: Option<Raw> = clause.rows(tx).await?.pop();
    match raw {
        Some(raw) => read(tx, scope, raw).await.map(Some),
        None => Ok(None),
    }
}

/// Whether there is, or was, a request with that id at a site that the scope covers.
pub async fn is_known(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<bool, StoreError> {
    let mut clause = Clause::new(
        "SELECT count(*) FROM (SELECT e.id, d.site_id FROM enrolment e JOIN device d ON d.id = e.device_id \
         UNION ALL SELECT n.id, k.site_id FROM newcomer n JOIN enrolment_token k ON k.id = n.token_id \
         UNION ALL SELECT r.id, d.site_id FROM recovery r JOIN device d ON d.id = r.device_id) q WHERE q.id = ",
    );
    clause.value(id).within("q.site_id", scope);
    Ok(clause.number(tx).await? > 0)
}

fn select() -> Clause {
    let mut clause = Clause::new(
        "SELECT q.id, q.source, q.waits_for, q.created_at, q.device_id, q.hardware, q.site_id, s.name AS site_name, \
         t.label FROM ",
    );
    clause.sql(QUEUE).sql(" LEFT JOIN site s ON s.id = q.site_id LEFT JOIN enrolment_token t ON t.id = q.token_id");
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
    clause.sql(QUEUE);
    restrict(&mut clause, scope, query);
    clause.sql(" LIMIT ").value(COUNT_CAP + 1).sql(") AS counted");
    let count = clause.number(tx).await?;
    Ok(if count > COUNT_CAP { Total::MoreThan(COUNT_CAP) } else { Total::Exact(count) })
}

async fn read(tx: &mut Tx, scope: &Scope, raw: Raw) -> Result<Asking, StoreError> {
    let source: Source = parsed("the source of a request", &raw.source)?;
    let mut asking = Asking {
        id: raw.id,
        source,
        waits_for: parsed("waits_for", &raw.waits_for)?,
        since: moment("created_at", raw.created_at)?,
        serial_number: None,
        manufacturer: None,
        model: None,
        token: raw.label,
        site: raw.site_id,
        site_name: raw.site_name,
        effect: Effect::NewDevice,
        known: None,
    };
    let missing = |what| StoreError::Corrupt { what, why: "absent from a request that waits".to_owned() };
    match source {
        Source::Enrolment | Source::Recovery => {
            let id = DeviceId(raw.device_id.ok_or_else(|| missing("device_id"))?);
            let of_own_key = source == Source::Recovery;
            asking.effect = if of_own_key { Effect::Renews(id) } else { of_device(tx, id).await? };
            let found = device::find(tx, scope, id).await?.ok_or_else(|| missing("device"))?;
            asking.known = Some(known(tx, &found).await?);
            asking.serial_number = found.serial_number;
            asking.manufacturer = found.manufacturer;
            asking.model = found.model;
        }
        Source::Newcomer => {
            let hardware: Hardware =
                from_json("newcomer.hardware", &raw.hardware.ok_or_else(|| missing("newcomer.hardware"))?)?;
            let arrival = enrolment::arrival_of(tx, &hardware).await?;
            (asking.effect, asking.known) = of_arrival(tx, scope, arrival).await?;
            asking.serial_number = hardware.serial_number.get().map(SerialNumber::as_str).map(str::to_owned);
            asking.manufacturer = hardware.manufacturer.as_ref().map(Text::as_str).map(str::to_owned);
            asking.model = hardware.model.as_ref().map(Text::as_str).map(str::to_owned);
        }
    }
    Ok(asking)
}

/// What letting in a key does that waits for a device.
async fn of_device(tx: &mut Tx, id: DeviceId) -> Result<Effect, StoreError> {
    if loan::lending_state(tx, id).await? == Some(LendingState::Ceded) {
        return Ok(Effect::Impossible(Hindrance::GivenAway));
    }
    Ok(if enrolment::has_key(tx, id).await? { Effect::Replaces(id) } else { Effect::FirstKey(id) })
}

/// What letting in a newcomer does, and the device that it would be. A device of a site that is not the caller's is not
/// told of.
async fn of_arrival(tx: &mut Tx, scope: &Scope, arrival: Arrival) -> Result<(Effect, Option<Known>), StoreError> {
    let id = match arrival {
        Arrival::NewDevice => return Ok((Effect::NewDevice, None)),
        Arrival::FirstEnrolment(id) | Arrival::Replacement(id) => id,
    };
    let Some(found) = device::find(tx, scope, id).await? else {
        return Ok((Effect::Impossible(Hindrance::Elsewhere), None));
    };
    Ok((of_device(tx, id).await?, Some(known(tx, &found).await?)))
}

async fn known(tx: &mut Tx, found: &device::DeviceRow) -> Result<Known, StoreError> {
    Ok(Known {
        id: found.id,
        serial_number: found.serial_number.clone(),
        asset_tag: found.asset_tag.clone(),
        status: found.status,
        archived: found.archived_at.is_some(),
        lending: loan::lending_state(tx, found.id).await?,
        last_contact_at: contact::of_device(tx, found.id).await?.map(|contact| contact.last_at),
    })
}
