//! What every request handler of the console and the API shares.

use std::sync::Arc;

use crate::{domain::policy::Policy, store::Store, vault::Vault};

/// Shared, cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// The database.
    pub store: Store,
    /// The rules' thresholds.
    pub policy: Arc<Policy>,
    /// Seals and opens who borrowers are.
    pub vault: Vault,
    /// Whether the console is reached over HTTPS: cookies are then `Secure`. Off only for plain HTTP on loopback.
    pub secure_cookies: bool,
}
