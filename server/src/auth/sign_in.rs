//! Signs a person in: counts the attempt, checks the password, opens a session.

use cartable_common::UtcMillis;

use super::{
    ClientAddress, Login,
    password::{self, Check, PasswordError},
    session::{self, SessionCookie},
    throttle::{self, Attempt},
};
use crate::{
    app::App,
    domain::person::MAX_PASSWORD_BYTES,
    random::NoRandomness,
    store::{
        StoreError,
        audit::{self, NewAudit},
        person::{self, Account},
    },
};

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInRefused {
    /// Unknown login, wrong password or disabled account: which of them is not told.
    #[error("the login or the password is wrong")]
    Wrong,
    /// Too many attempts on this login or from this address.
    #[error("too many attempts: try again in {retry_after_seconds} seconds")]
    Throttled {
        /// After how many seconds the next attempt is let through.
        retry_after_seconds: i64,
    },
    /// Too many sign-ins at once.
    #[error("the server is busy: try again in a moment")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that should not fail did.
    #[error("sign-in failed: {0}")]
    Failed(String),
}

impl From<PasswordError> for SignInRefused {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Failed(why) => Self::Failed(why),
        }
    }
}

impl From<NoRandomness> for SignInRefused {
    fn from(error: NoRandomness) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Signs in with a login and a password, and gives the cookie of the new session.
pub async fn sign_in(
    app: &App,
    login: &str,
    password: &str,
    client: ClientAddress,
    now: UtcMillis,
) -> Result<SessionCookie, SignInRefused> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(SignInRefused::Wrong);
    }
    let (attempt, account) = begin(app, login, client, now).await?;
    let account = account.filter(|account| account.disabled_at.is_none());
    let stored = account.as_ref().map(|account| account.password_hash.as_str());
    let renewed = match (password::check(password, stored).await?, account) {
        (Check::Right, Some(account)) => (account, None),
        (Check::RightButOld, Some(account)) => (account, Some(password::hash(password).await?)),
        (Check::Wrong, _) | (_, None) => return Err(SignInRefused::Wrong),
    };
    let (account, new_hash) = renewed;
    let mut tx = app.store.write().await?;
    throttle::succeed(&mut tx, &attempt).await?;
    if let Some(hash) = new_hash {
        person::set_password_hash(&mut tx, account.person.id, &hash).await?;
    }
    let cookie = session::open(&mut tx, &account.person, app.secure_cookies, now).await?;
    let (actor, id) = (account.person.login.as_str(), account.person.id.to_string());
    let details = serde_json::json!({});
    let entry = NewAudit { actor, action: "session.open", object_kind: "person", object_id: &id, details };
    audit::append(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok(cookie)
}

/// Counts the attempt and looks the account up, in one unit of work.
async fn begin(
    app: &App,
    login: &str,
    client: ClientAddress,
    now: UtcMillis,
) -> Result<(Attempt, Option<Account>), SignInRefused> {
    let mut tx = app.store.write().await?;
    let attempt = match throttle::begin(&mut tx, login, client, now).await? {
        Ok(attempt) => attempt,
        Err(too_many) => {
            return Err(SignInRefused::Throttled { retry_after_seconds: too_many.retry_after_seconds });
        }
    };
    let account = match login.parse::<Login>() {
        Ok(login) => person::by_login(&mut tx, &login).await?,
        Err(_) => None,
    };
    tx.commit().await?;
    Ok((attempt, account))
}
