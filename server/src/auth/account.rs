//! What is done to accounts and API tokens, each with its audit row: used by the command line, later by pages.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    bearer::TOKEN_PREFIX,
    password::{self, PasswordError},
    secret::Secret,
};
use crate::{
    domain::person::{Login, Person, WeakPassword, check_password},
    random::NoRandomness,
    store::{
        Store, StoreError, Tx,
        api_token::{self, NewApiToken},
        audit::{self, NewAudit},
        person::{self, Account, NewPerson},
        session,
    },
};

/// Why an account or a token stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Not good enough.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// Taken.
    #[error("there is already a person with the login {0}: choose another, or change the password of that one")]
    Taken(Login),
    /// Unknown.
    #[error("there is no person with the login {0}: see `cartable-server user list`")]
    Unknown(Login),
    /// Disabled before.
    #[error("the account {0} is disabled: tokens are for people who may sign in")]
    Disabled(Login),
    /// The last one.
    #[error("{0} is the last administrator who may sign in: create another one first")]
    LastAdministrator(Login),
    /// Unknown token.
    #[error("there is no API token in force with the id {0}: see `cartable-server api-token list`")]
    UnknownToken(Uuid),
    /// Hashing failed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds a person.
pub async fn create(
    store: &Store,
    actor: &str,
    person: Person,
    password: &str,
    now: UtcMillis,
) -> Result<(), AccountError> {
    check_password(password, &person.login, person.role)?;
    let new = NewPerson { password_hash: password::hash(password).await?, person };
    let mut tx = store.write().await?;
    if !person::insert(&mut tx, &new, now).await? {
        return Err(AccountError::Taken(new.person.login));
    }
    let details = serde_json::json!({ "login": new.person.login.as_str(), "role": new.person.role.as_str() });
    record(&mut tx, actor, "person.create", "person", new.person.id, details, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a person another password and ends all sessions of that person (ASVS 7.4.3).
pub async fn change_password(
    store: &Store,
    actor: &str,
    login: &Login,
    password: &str,
    now: UtcMillis,
) -> Result<(), AccountError> {
    let mut tx = store.read().await?;
    let account = known(&mut tx, login).await?;
    drop(tx);
    check_password(password, login, account.person.role)?;
    let hash = password::hash(password).await?;
    let mut tx = store.write().await?;
    person::set_password_hash(&mut tx, account.person.id, &hash).await?;
    let ended = session::delete_of_person(&mut tx, account.person.id).await?;
    let details = serde_json::json!({ "login": login.as_str(), "sessions_ended": ended });
    record(&mut tx, actor, "person.change_password", "person", account.person.id, details, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Stops an account: its sessions end, its tokens are revoked.
pub async fn disable(store: &Store, actor: &str, login: &Login, now: UtcMillis) -> Result<(), AccountError> {
    let mut tx = store.write().await?;
    let account = known(&mut tx, login).await?;
    if account.disabled_at.is_some() {
        return Ok(());
    }
    let role = account.person.role;
    if role == super::Role::Administrator && person::count_enabled(&mut tx, role).await? <= 1 {
        return Err(AccountError::LastAdministrator(login.clone()));
    }
    person::disable(&mut tx, account.person.id, now).await?;
    let sessions = session::delete_of_person(&mut tx, account.person.id).await?;
    let tokens = api_token::revoke_of_person(&mut tx, account.person.id, now).await?;
    let details =
        serde_json::json!({ "login": login.as_str(), "sessions_ended": sessions, "api_tokens_revoked": tokens });
    record(&mut tx, actor, "person.disable", "person", account.person.id, details, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Makes an API token with the rights of `login`, and gives its id and the token, which is never seen again.
pub async fn create_token(
    store: &Store,
    actor: &str,
    login: &Login,
    label: &str,
    expires_at: UtcMillis,
    now: UtcMillis,
) -> Result<(Uuid, Secret), AccountError> {
    let secret = Secret::random(TOKEN_PREFIX)?;
    let id = Uuid::new_v4();
    let mut tx = store.write().await?;
    let account = known(&mut tx, login).await?;
    if account.disabled_at.is_some() {
        return Err(AccountError::Disabled(login.clone()));
    }
    let new =
        NewApiToken { id, token_hash: secret.hash(), label: label.to_owned(), person: account.person.id, expires_at };
    api_token::insert(&mut tx, &new, now).await?;
    let details = serde_json::json!({ "login": login.as_str(), "label": label, "expires_at": expires_at.get() });
    record(&mut tx, actor, "api_token.create", "api_token", id, details, now).await?;
    tx.commit().await?;
    Ok((id, secret))
}

/// Revokes an API token.
pub async fn revoke_token(store: &Store, actor: &str, id: Uuid, now: UtcMillis) -> Result<(), AccountError> {
    let mut tx = store.write().await?;
    if !api_token::revoke(&mut tx, id, now).await? {
        return Err(AccountError::UnknownToken(id));
    }
    record(&mut tx, actor, "api_token.revoke", "api_token", id, serde_json::json!({}), now).await?;
    tx.commit().await?;
    Ok(())
}

async fn known(tx: &mut Tx, login: &Login) -> Result<Account, AccountError> {
    person::by_login(tx, login).await?.ok_or_else(|| AccountError::Unknown(login.clone()))
}

async fn record(
    tx: &mut Tx,
    actor: &str,
    action: &str,
    object_kind: &str,
    object: Uuid,
    details: serde_json::Value,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let object_id = object.to_string();
    audit::append(tx, NewAudit { actor, action, object_kind, object_id: &object_id, details }, now).await?;
    Ok(())
}
