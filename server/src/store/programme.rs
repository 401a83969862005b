//! Programmes: recorded, changed, closed; never deleted, for loans name them.

use cartable_common::UtcMillis;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    value::{day, day_number, from_json, parsed, to_json},
};
use crate::domain::{
    authority::Role,
    programme::{Programme, ProgrammeCode, Term, Visibility},
};

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    code: String,
    name: String,
    kind: String,
    term_kind: String,
    term_value: Option<i64>,
    renewals_allowed: i64,
    accessories: String,
    owner: String,
    agreement_template: String,
    membership_roles: String,
    notice_days: String,
    closed_at: Option<i64>,
}

impl Raw {
    fn read(self) -> Result<Programme, StoreError> {
        Ok(Programme {
            id: self.id,
            code: parsed("programme.code", &self.code)?,
            name: self.name,
            kind: parsed("programme.kind", &self.kind)?,
            term: term(&self.term_kind, self.term_value)?,
            renewals_allowed: u32::try_from(self.renewals_allowed).unwrap_or_default(),
            accessories: from_json("programme.accessories", &self.accessories)?,
            owner: self.owner,
            agreement_template: self.agreement_template,
            membership: membership(&self.membership_roles)?,
            notice_days: from_json("programme.notice_days", &self.notice_days)?,
            open: self.closed_at.is_none(),
        })
    }
}

/// The roles that a stored list names.
pub(crate) fn membership(json: &str) -> Result<Vec<Role>, StoreError> {
    let roles: Vec<String> = from_json("programme.membership_roles", json)?;
    roles.iter().map(|role| parsed("programme.membership_roles", role)).collect()
}

fn term(kind: &str, value: Option<i64>) -> Result<Term, StoreError> {
    let corrupt = || StoreError::Corrupt { what: "programme.term_kind", why: format!("{kind} with {value:?}") };
    match (kind, value) {
        ("date", Some(number)) => Ok(Term::Date(day("programme.term_value", number)?)),
        ("days", Some(days)) => Ok(Term::Days(u32::try_from(days).map_err(|_| corrupt())?)),
        ("school_year_end", None) => Ok(Term::SchoolYearEnd),
        ("open", None) => Ok(Term::Open),
        _ => Err(corrupt()),
    }
}

fn term_columns(term: Term) -> (&'static str, Option<i64>) {
    match term {
        Term::Date(date) => ("date", Some(day_number(date))),
        Term::SchoolYearEnd => ("school_year_end", None),
        Term::Days(days) => ("days", Some(i64::from(days))),
        Term::Open => ("open", None),
    }
}

const SELECT: &str = "SELECT id, code, name, kind, term_kind, term_value, renewals_allowed, accessories, owner, \
     agreement_template, membership_roles, notice_days, closed_at FROM programme";

/// Records a programme, or changes everything but the code and the opening of the one with that id. A code that another
/// programme has is a database error naming `code`.
pub async fn put(tx: &mut Tx, programme: &Programme, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "INSERT INTO programme (id, code, name, kind, term_kind, term_value, renewals_allowed, accessories, \
               owner, agreement_template, membership_roles, notice_days, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
               ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, \
               term_kind = excluded.term_kind, term_value = excluded.term_value, \
               renewals_allowed = excluded.renewals_allowed, accessories = excluded.accessories, \
               owner = excluded.owner, agreement_template = excluded.agreement_template, \
               membership_roles = excluded.membership_roles, notice_days = excluded.notice_days";
    let (term_kind, term_value) = term_columns(programme.term);
    let roles: Vec<&str> = programme.membership.iter().map(|role| role.as_str()).collect();
    let (accessories, roles, days) = (
        to_json("programme.accessories", &programme.accessories)?,
        to_json("programme.membership_roles", &roles)?,
        to_json("programme.notice_days", &programme.notice_days)?,
    );
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(programme.id)
            .bind(programme.code.as_str())
            .bind(programme.name.as_str())
            .bind(programme.kind.as_str())
            .bind(term_kind)
            .bind(term_value)
            .bind(i64::from(programme.renewals_allowed))
            .bind(accessories)
            .bind(programme.owner.as_str())
            .bind(programme.agreement_template.as_str())
            .bind(roles)
            .bind(days)
            .bind(now.get())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// The programme with that id.
pub async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<Programme>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    raw.map(Raw::read).transpose()
}

/// The programme with that code.
pub async fn find_by_code(tx: &mut Tx, code: &ProgrammeCode) -> Result<Option<Programme>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE code = $1"));
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(code.as_str()).fetch_optional(c).await)?;
    raw.map(Raw::read).transpose()
}

/// What the audit keeps of a programme.
#[must_use]
pub fn details(programme: &Programme) -> Value {
    let roles: Vec<&str> = programme.membership.iter().map(|role| role.as_str()).collect();
    json!({
        "code": programme.code.as_str(), "name": programme.name, "kind": programme.kind.as_str(),
        "term": programme.term.text(), "renewals": programme.renewals_allowed, "owner": programme.owner,
        "membership": roles,
    })
}

/// All programmes, open ones first, by code.
pub async fn list(tx: &mut Tx) -> Result<Vec<Programme>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} ORDER BY closed_at IS NOT NULL, code"));
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    raw.into_iter().map(Raw::read).collect()
}

/// Stops a programme from lending. False when it was closed before, or does not exist.
pub async fn close(tx: &mut Tx, id: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE programme SET closed_at = $2 WHERE id = $1 AND closed_at IS NULL";
    let rows =
        on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Lets a closed programme lend again. False when it was open, or does not exist.
pub async fn reopen(tx: &mut Tx, id: Uuid) -> Result<bool, StoreError> {
    let sql = "UPDATE programme SET closed_at = NULL WHERE id = $1 AND closed_at IS NOT NULL";
    let rows = on!(tx, |c| sqlx::query(sql).bind(id).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// What `role` may see of who is in which programme.
pub async fn visibility(tx: &mut Tx, role: Role) -> Result<Visibility, StoreError> {
    Ok(Visibility::of(role, &list(tx).await?))
}
