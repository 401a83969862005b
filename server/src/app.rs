//! What every request handler of the console and the API shares.

use cartable_common::UtcMillis;
use uuid::Uuid;

use crate::{
    documents::{Documents, Maker},
    domain::{
        authority::{Action, Object},
        person::Person,
        policy::LivePolicy,
    },
    store::Store,
    vault::Vault,
};

/// Shared, cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// The database.
    pub store: Store,
    /// The rules' thresholds.
    pub policy: LivePolicy,
    /// Seals and opens who borrowers are.
    pub vault: Vault,
    /// Makes agreements, receipts, lists and labels.
    pub documents: Documents,
    /// Whether the console is reached over HTTPS: cookies are then `Secure`. Off only for plain HTTP on loopback.
    pub secure_cookies: bool,
}

impl App {
    /// Who has a document made: this person, by `token` where it came through the API.
    pub fn maker<'a>(&'a self, person: &'a Person, token: Option<Uuid>, now: UtcMillis) -> Maker<'a> {
        let may = |action| person.can(action, Object::OwnScope).is_allowed();
        Maker {
            store: &self.store,
            vault: &self.vault,
            actor: person.login.as_str(),
            token,
            scope: &person.scope,
            borrowers: may(Action::SeeBorrowers),
            identities: may(Action::SeeIdentity),
            now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::DocumentSettings, domain::policy::Policy, pki::MasterKey};

    impl App {
        /// Over an empty store, which lasts as long as the folder does.
        pub(crate) async fn for_tests() -> (Self, tempfile::TempDir) {
            let directory = tempfile::tempdir().unwrap();
            let store = Store::open(&format!("sqlite:{}", directory.path().join("t.db").display())).await.unwrap();
            let (policy, vault) = (LivePolicy::new(Policy::default()), Vault::new(&MasterKey::of([7; 32])));
            let documents = Documents::new(&DocumentSettings::default(), None).unwrap();
            (Self { store, policy, vault, documents, secure_cookies: false }, directory)
        }
    }
}
