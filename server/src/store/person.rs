//! People who sign in. Never deleted: the audit names them; one who leaves is disabled.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    value::{moment, optional_moment, parsed},
};
use crate::domain::{
    authority::Role,
    language::Language,
    person::{Login, Person},
    scope::Scope,
};

/// A person to be added.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// Who.
    pub person: Person,
    /// The hash of the password, in PHC form.
    pub password_hash: String,
}

/// A person with what is needed to check a password.
#[derive(Clone, Debug)]
pub struct Account {
    /// Who.
    pub person: Person,
    /// The hash of the password, in PHC form.
    pub password_hash: String,
    /// When the account was made.
    pub created_at: UtcMillis,
    /// Since when nobody may sign in with it.
    pub disabled_at: Option<UtcMillis>,
}

#[derive(sqlx::FromRow)]
pub(super) struct PersonRow {
    id: Uuid,
    login: String,
    display_name: String,
    password_hash: String,
    role: String,
    sites: Option<String>,
    language: Option<String>,
    created_at: i64,
    disabled_at: Option<i64>,
}

impl PersonRow {
    pub(super) fn into_account(self) -> Result<Account, StoreError> {
        let person = Person {
            id: self.id,
            login: parsed("login", &self.login)?,
            display_name: self.display_name,
            role: parsed("role", &self.role)?,
            scope: scope(self.sites.as_deref())?,
            language: self.language.as_deref().map(|text| parsed("language", text)).transpose()?,
        };
        Ok(Account {
            person,
            password_hash: self.password_hash,
            created_at: moment("person", self.created_at)?,
            disabled_at: optional_moment("person", self.disabled_at)?,
        })
    }
}

fn scope(sites: Option<&str>) -> Result<Scope, StoreError> {
    let Some(json) = sites else { return Ok(Scope::Everything) };
    let why = |error: serde_json::Error| StoreError::Corrupt { what: "sites of a person", why: error.to_string() };
    Ok(Scope::Sites(serde_json::from_str(json).map_err(why)?))
}

fn sites(scope: &Scope) -> Option<String> {
    match scope {
        Scope::Everything => None,
        Scope::Sites(sites) => Some(sites.iter().map(Uuid::to_string).collect::<serde_json::Value>().to_string()),
    }
}

/// Adds a person. False when the login is taken.
pub async fn insert(tx: &mut Tx, new: &NewPerson, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "INSERT INTO person (id, login, display_name, password_hash, role, sites, language, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (login) DO NOTHING";
    let person = &new.person;
    let rows = on!(tx, |c| {
        sqlx::query(sql)
            .bind(person.id)
            .bind(person.login.as_str().to_owned())
            .bind(person.display_name.clone())
            .bind(new.password_hash.clone())
            .bind(person.role.as_str())
            .bind(sites(&person.scope))
            .bind(person.language.map(Language::as_str))
            .bind(now.get())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(rows == 1)
}

/// The account with this login.
pub async fn by_login(tx: &mut Tx, login: &Login) -> Result<Option<Account>, StoreError> {
    let sql = "SELECT * FROM person WHERE login = $1";
    let row: Option<PersonRow> =
        on!(tx, |c| sqlx::query_as(sql).bind(login.as_str().to_owned()).fetch_optional(c).await)?;
    row.map(PersonRow::into_account).transpose()
}

/// All accounts, by login.
pub async fn list(tx: &mut Tx) -> Result<Vec<Account>, StoreError> {
    let sql = "SELECT * FROM person ORDER BY login";
    let rows: Vec<PersonRow> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    rows.into_iter().map(PersonRow::into_account).collect()
}

/// How many people with this role may sign in.
pub async fn count_enabled(tx: &mut Tx, role: Role) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM person WHERE role = $1 AND disabled_at IS NULL";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(role.as_str()).fetch_one(c).await)?)
}

/// Stores another hash of a password.
pub async fn set_password_hash(tx: &mut Tx, person: Uuid, hash: &str) -> Result<(), StoreError> {
    let sql = "UPDATE person SET password_hash = $2 WHERE id = $1";
    on!(tx, |c| sqlx::query(sql).bind(person).bind(hash.to_owned()).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Stores the language a person chose.
pub async fn set_language(tx: &mut Tx, person: Uuid, language: Language) -> Result<(), StoreError> {
    let sql = "UPDATE person SET language = $2 WHERE id = $1";
    on!(tx, |c| sqlx::query(sql).bind(person).bind(language.as_str()).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Stops an account. False when it was stopped before.
pub async fn disable(tx: &mut Tx, person: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE person SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL";
    let rows =
        on!(tx, |c| sqlx::query(sql).bind(person).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
