//! Hashes passwords with Argon2id, off the request threads and a bounded number at a time.

use std::time::Duration;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version, password_hash::phc::PasswordHash,
};
use tokio::sync::Semaphore;

/// Memory for one hash: 46 MiB with one pass and one lane (OWASP ASVS 5.0, appendix C, and OWASP's Password Storage
/// Cheat Sheet, first of its equivalent settings).
const MEMORY_KIB: u32 = 46 * 1024;
/// Passes over the memory.
const PASSES: u32 = 1;
/// Lanes.
const LANES: u32 = 1;

/// Hashes at a time: each holds 46 MiB, which the server's memory budget (DESIGN §9) bears once. At about 40 ms each
/// that is far more sign-ins than a département's staff makes.
static HASHERS: Semaphore = Semaphore::const_new(1);
/// How long a sign-in waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);

/// A hash of no password, with the present parameters: checking against it costs what checking a real one costs, so
/// that the time of an answer does not tell whether a login exists.
const NOBODY: &str = "$argon2id$v=19$m=47104,t=1,p=1$Y2FydGFibGUtbm9ib2R5$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password could not be hashed or checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many sign-ins at once.
    #[error("too many sign-ins at once: try again in a moment")]
    Busy,
    /// The library or the random source refused.
    #[error("the password could not be hashed: {0}")]
    Failed(String),
}

/// What checking a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is wrong.
    Wrong,
    /// It is right.
    Right,
    /// It is right, and its hash has older parameters: hash it anew.
    RightButOld,
}

/// The hash of `password` in PHC form, with a fresh salt.
pub async fn hash(password: &str) -> Result<String, PasswordError> {
    let password = password.to_owned();
    on_hasher(move || {
        let hash = argon2()?.hash_password(password.as_bytes()).map_err(|error| failed(&error))?;
        Ok(hash.to_string())
    })
    .await
}

/// Checks `password` against a stored hash; against none, it takes as long and is wrong.
pub async fn check(password: &str, stored: Option<&str>) -> Result<Check, PasswordError> {
    let password = password.to_owned();
    let known = stored.is_some();
    let stored = stored.unwrap_or(NOBODY).to_owned();
    on_hasher(move || {
        let stored = PasswordHash::new(&stored).map_err(|error| failed(&error))?;
        let right = argon2()?.verify_password(password.as_bytes(), &stored).is_ok();
        Ok(match (right && known, is_current(&stored)) {
            (false, _) => Check::Wrong,
            (true, true) => Check::Right,
            (true, false) => Check::RightButOld,
        })
    })
    .await
}

async fn on_hasher<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
) -> Result<T, PasswordError> {
    let permit = tokio::time::timeout(PATIENCE, HASHERS.acquire()).await;
    let _permit = permit.map_err(|_| PasswordError::Busy)?.map_err(|error| failed(&error))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))?
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| failed(&error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn is_current(hash: &PasswordHash) -> bool {
    let parameters = Params::try_from(hash);
    hash.algorithm == Algorithm::Argon2id.ident()
        && parameters.is_ok_and(|p| (p.m_cost(), p.t_cost(), p.p_cost()) == (MEMORY_KIB, PASSES, LANES))
}

fn failed(error: &impl std::fmt::Display) -> PasswordError {
    PasswordError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_and_another_is_not() {
        let stored = hash("cheval pile agrafe").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{stored}");
        assert_eq!(check("cheval pile agrafe", Some(&stored)).await, Ok(Check::Right));
        assert_eq!(check("cheval pile agrafo", Some(&stored)).await, Ok(Check::Wrong));
        assert_ne!(hash("cheval pile agrafe").await.unwrap(), stored, "the salt is fresh");
    }

    #[tokio::test]
    async fn an_older_hash_is_recognised_and_renewed() {
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).unwrap());
        let stored = weaker.hash_password(b"cheval pile agrafe").unwrap().to_string();
        assert_eq!(check("cheval pile agrafe", Some(&stored)).await, Ok(Check::RightButOld));
    }

    #[test]
    fn nobody_costs_what_somebody_costs() {
        assert!(is_current(&PasswordHash::new(NOBODY).unwrap()), "the constant must follow the parameters");
    }

    #[tokio::test]
    async fn nobody_never_signs_in() {
        for password in ["", "cartable-nobody", "\0"] {
            assert_eq!(check(password, None).await, Ok(Check::Wrong));
        }
    }
}
