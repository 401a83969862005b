//! Seals what says who a borrower is, and what else the database must not give away: webhook secrets.
//!
//! The key is derived from the master key, which never lies in the database or its directory: a copy of the database
//! alone names nobody.

use aws_lc_rs::{
    hmac,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use uuid::Uuid;

use crate::{
    domain::borrower::Identity,
    pki::{MasterKey, open_sealed, seal},
};

/// Seals and opens. Printing it through `Debug` shows nothing.
#[derive(Clone)]
pub struct Vault {
    sealing: [u8; 32],
    hashing: [u8; 32],
    documents: [u8; 32],
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault([redacted])")
    }
}

/// Why something cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The cryptography failed: no randomness.
    #[error("personal data could not be sealed: this machine gives no randomness")]
    Sealing,
    /// It was sealed with another key, for something else, or was altered.
    #[error("sealed data cannot be opened: it was sealed with another master key, or altered")]
    Opening,
}

impl Vault {
    /// The vault of this installation.
    #[must_use]
    pub fn new(key: &MasterKey) -> Self {
        Self {
            sealing: key.derive("cartable-vault-sealing-1"),
            hashing: key.derive("cartable-vault-hashing-1"),
            documents: key.derive("cartable-document-signing-1"),
        }
    }

    /// Seals `plain` for the thing `id` of the kind `what`; it opens for nothing else.
    pub fn seal(&self, what: &str, id: Uuid, plain: &[u8]) -> Result<String, VaultError> {
        seal(&self.sealing, &purpose(what, id), plain).map_err(|_| VaultError::Sealing)
    }

    /// What was sealed for the thing `id` of the kind `what`.
    pub fn open(&self, what: &str, id: Uuid, sealed: &str) -> Result<Vec<u8>, VaultError> {
        open_sealed(&self.sealing, &purpose(what, id), sealed).ok_or(VaultError::Opening)
    }

    /// Seals who the borrower `id` is.
    pub fn seal_identity(&self, id: Uuid, identity: &Identity) -> Result<String, VaultError> {
        let plain = serde_json::to_vec(identity).map_err(|_| VaultError::Sealing)?;
        self.seal("borrower", id, &plain)
    }

    /// Who the borrower `id` is. The reading belongs in the audit: the caller writes it there.
    pub fn open_identity(&self, id: Uuid, sealed: &str) -> Result<Identity, VaultError> {
        serde_json::from_slice(&self.open("borrower", id, sealed)?).map_err(|_| VaultError::Opening)
    }

    /// What recognises the number that a school's own system gives a person, without keeping the number.
    #[must_use]
    pub fn natural_key(&self, number: &str) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.hashing);
        let tag = hmac::sign(&key, number.trim().to_lowercase().as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(tag.as_ref());
        hash
    }

    fn document_key(&self) -> Result<Ed25519KeyPair, VaultError> {
        Ed25519KeyPair::from_seed_unchecked(&self.documents).map_err(|_| VaultError::Sealing)
    }

    /// Signs the facts of a document with the authority's document key (Ed25519). The key is made from the master key and
    /// for documents alone: it opens nothing, and it is the same on every server of the installation.
    pub fn sign_document(&self, facts: &[u8]) -> Result<[u8; 64], VaultError> {
        self.document_key()?.sign(facts).as_ref().try_into().map_err(|_| VaultError::Sealing)
    }

    /// The public half of that key, with which anybody checks a document.
    pub fn document_public_key(&self) -> Result<[u8; 32], VaultError> {
        self.document_key()?.public_key().as_ref().try_into().map_err(|_| VaultError::Sealing)
    }

    /// Whether this installation signed exactly these facts.
    #[must_use]
    pub fn signed_document(&self, facts: &[u8], signature: &[u8]) -> bool {
        let key = self.document_public_key();
        key.is_ok_and(|key| UnparsedPublicKey::new(&ED25519, key).verify(facts, signature).is_ok())
    }
}

fn purpose(what: &str, id: Uuid) -> String {
    format!("{what}:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_opens_for_its_borrower_with_its_key_alone() {
        let (vault, other) = (Vault::new(&MasterKey::of([1; 32])), Vault::new(&MasterKey::of([2; 32])));
        let (mine, yours) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let identity = Identity { name: "Inès Martin".into(), class: Some("5e B".into()), ..Identity::default() };
        let sealed = vault.seal_identity(mine, &identity).unwrap();
        assert!(!sealed.contains("Martin"));
        assert_eq!(vault.open_identity(mine, &sealed).unwrap(), identity);
        assert_eq!(vault.open_identity(yours, &sealed), Err(VaultError::Opening));
        assert_eq!(other.open_identity(mine, &sealed), Err(VaultError::Opening));
        assert_eq!(vault.natural_key(" 0123ab "), vault.natural_key("0123AB"));
        assert_ne!(vault.natural_key("0123ab"), other.natural_key("0123ab"));
        assert_eq!(format!("{vault:?}"), "Vault([redacted])");
    }

    #[test]
    fn a_signature_holds_for_its_facts_and_its_installation_alone() {
        let (vault, other) = (Vault::new(&MasterKey::of([1; 32])), Vault::new(&MasterKey::of([2; 32])));
        let facts = br#"{"drives":[],"number":"ERA-2026-000001"}"#;
        let signature = vault.sign_document(facts).unwrap();
        assert!(vault.signed_document(facts, &signature));
        assert!(!other.signed_document(facts, &signature));
        for place in 0..facts.len() {
            let mut altered = facts.to_vec();
            altered[place] ^= 1;
            assert!(!vault.signed_document(&altered, &signature), "byte {place}");
        }
        for place in 0..signature.len() {
            let mut altered = signature;
            altered[place] ^= 1;
            assert!(!vault.signed_document(facts, &altered), "byte {place}");
        }
        assert!(!vault.signed_document(facts, &[]));
    }
}
