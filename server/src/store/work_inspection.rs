//! Inspections and final tests: what staff found and what the machine claimed then, both kept for good.

use cartable_common::{DeviceId, UtcMillis};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    StoreError, Tx, health, on,
    value::{from_json, moment, parsed, to_json},
};
use crate::domain::{
    battery,
    policy::Policy,
    verdict::{Verdict, text_enum},
    work_order::checklist::Findings,
};

text_enum! {
    /// When an order was gone through.
    pub enum InspectionKind {
        /// Before anything was done.
        Inspection = "inspection",
        /// After everything was.
        FinalTest = "final_test",
    }
}

/// What the machine's own last report supports: kept beside what staff found, and never instead of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// When it was measured; none if it never reported.
    pub measured_at: Option<UtcMillis>,
    /// Its drives.
    pub drives: Verdict,
    /// Its batteries.
    pub batteries: Verdict,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// When.
    pub at: UtcMillis,
    /// Which.
    pub kind: InspectionKind,
    /// Who.
    pub actor: String,
    /// What staff found.
    pub findings: Findings,
    /// What the machine claimed.
    pub claims: Claims,
}

/// What a device claims now.
pub async fn claims(tx: &mut Tx, device: DeviceId, policy: &Policy) -> Result<Claims, StoreError> {
    let health = health::of_device(tx, device).await?;
    Ok(health.map_or(Claims { measured_at: None, drives: Verdict::Unknown, batteries: Verdict::Unknown }, |health| {
        Claims {
            measured_at: Some(health.measured_at),
            drives: health
                .drives(policy)
                .into_iter()
                .map(|one| one.verdict)
                .reduce(Verdict::worse)
                .unwrap_or(Verdict::Unknown),
            batteries: battery::worst(&health.report, policy),
        }
    }))
}

/// Writes one down.
pub(super) async fn insert(tx: &mut Tx, order: Uuid, made: &Inspection) -> Result<(), StoreError> {
    let sql = "INSERT INTO work_inspection (order_id, number, at, kind, actor, findings, claims) \
               SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6 FROM work_inspection WHERE order_id = $1";
    let findings = to_json("work_inspection.findings", &made.findings)?;
    let claims = to_json("work_inspection.claims", &made.claims)?;
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(order)
            .bind(made.at.get())
            .bind(made.kind.as_str())
            .bind(&made.actor)
            .bind(findings)
            .bind(claims)
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Raw {
    at: i64,
    kind: String,
    actor: String,
    findings: String,
    claims: String,
}

/// Those of an order, newest first. The caller has found the order within its scope.
pub async fn of_order(tx: &mut Tx, order: Uuid) -> Result<Vec<Inspection>, StoreError> {
    let sql = "SELECT at, kind, actor, findings, claims FROM work_inspection WHERE order_id = $1 ORDER BY number DESC";
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(order).fetch_all(c).await)?;
    raw.into_iter()
        .map(|raw| {
            Ok(Inspection {
                at: moment("work_inspection.at", raw.at)?,
                kind: parsed("work_inspection.kind", &raw.kind)?,
                actor: raw.actor,
                findings: from_json("work_inspection.findings", &raw.findings)?,
                claims: from_json("work_inspection.claims", &raw.claims)?,
            })
        })
        .collect()
}
