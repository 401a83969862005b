//! Slows down whoever guesses passwords, per login and per client address, in the database: it survives restarts and
//! counts across several server processes.
//!
//! An attempt is counted before the password is checked and taken back when it succeeds, so a thousand guesses at
//! once get no more tries than ten in a row.

use cartable_common::UtcMillis;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::ClientAddress;
use crate::store::{
    StoreError, Tx,
    sign_in_attempt::{self, SubjectHash},
};

/// The window in which attempts count: 15 minutes.
pub const WINDOW_MILLIS: i64 = 15 * 60 * 1000;
/// Failed attempts on one login within the window: 960 guesses a day against at least 12 characters, and NIST
/// SP 800-63B-4, 3.2.2, allows 100 in a row.
pub const MAX_PER_LOGIN: i64 = 10;
/// Failed attempts from one address within the window; higher, because a whole département may share one.
pub const MAX_PER_ADDRESS: i64 = 50;

/// An attempt that was let through and counted.
#[derive(Clone, Debug)]
pub struct Attempt {
    id: Uuid,
    at: UtcMillis,
    login: SubjectHash,
    address: SubjectHash,
}

/// Too many attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// After how many seconds the next one is let through.
    pub retry_after_seconds: i64,
}

/// Counts an attempt, or refuses it. `login` is what was typed, whether such a person exists or not.
pub async fn begin(
    tx: &mut Tx,
    login: &str,
    client: ClientAddress,
    now: UtcMillis,
) -> Result<Result<Attempt, TooMany>, StoreError> {
    let attempt = Attempt {
        id: Uuid::new_v4(),
        at: now,
        login: subject("login", &login.trim().to_ascii_lowercase()),
        address: subject("address", &client.network().to_string()),
    };
    let since = now.plus_millis(-WINDOW_MILLIS);
    // Both, always in the same order, so that two attempts never wait for each other.
    let mut subjects = [(attempt.login, MAX_PER_LOGIN), (attempt.address, MAX_PER_ADDRESS)];
    subjects.sort_unstable();
    for (subject, most) in subjects {
        sign_in_attempt::hold(tx, &subject).await?;
        let (count, oldest) = sign_in_attempt::count(tx, &subject, since).await?;
        if count >= most {
            let ends = oldest.unwrap_or(now).plus_millis(WINDOW_MILLIS);
            return Ok(Err(TooMany { retry_after_seconds: (ends.millis_since(now) / 1000).max(1) }));
        }
    }
    for (subject, _) in subjects {
        sign_in_attempt::insert(tx, &subject, attempt.id, now).await?;
    }
    sign_in_attempt::delete_before(tx, since).await?;
    Ok(Ok(attempt))
}

/// The attempt succeeded: the login begins anew, the address gets this one back.
pub async fn succeed(tx: &mut Tx, attempt: &Attempt) -> Result<(), StoreError> {
    sign_in_attempt::clear(tx, &attempt.login).await?;
    sign_in_attempt::take_back(tx, &attempt.address, attempt.id, attempt.at).await
}

fn subject(kind: &str, text: &str) -> SubjectHash {
    Sha256::digest(format!("cartable-sign-in-1\n{kind}\n{text}").as_bytes()).into()
}
