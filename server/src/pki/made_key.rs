//! A key pair that the server makes for a machine whose agent cannot make a certificate request. It is handed out once and
//! kept nowhere.

use rcgen::{CertificateParams, KeyPair};

use super::{PkiError, ProvenKey};

/// A new key pair: its public half as the issuer takes it, its private half to hand out.
pub struct MadeKey {
    proven: ProvenKey,
    private_pem: String,
}

impl MadeKey {
    /// Makes one. Its public half comes through a certificate request as everybody's does.
    pub fn generate() -> Result<Self, PkiError> {
        let pair = KeyPair::generate()?;
        let request = CertificateParams::new(Vec::new())?.serialize_request(&pair)?.pem()?;
        let proven = ProvenKey::from_csr_pem(&request)?;
        Ok(Self { proven, private_pem: pair.serialize_pem() })
    }

    /// The public half.
    pub const fn proven(&self) -> &ProvenKey {
        &self.proven
    }

    /// The private half, PKCS#8 in PEM.
    pub fn private_pem(&self) -> &str {
        &self.private_pem
    }
}

impl std::fmt::Debug for MadeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeKey").field("proven", &self.proven).field("private_pem", &"[redacted]").finish()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::PublicKeyData as _;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn its_halves_fit_and_it_tells_nothing_of_the_private_one() {
        let made = MadeKey::generate().unwrap();
        let pair = KeyPair::from_pem(made.private_pem()).unwrap();
        assert_eq!(made.proven().sha256()[..], Sha256::digest(pair.subject_public_key_info())[..]);
        let shown = format!("{made:?}");
        assert!(shown.contains("[redacted]") && !shown.contains("PRIVATE"), "{shown}");
        assert_ne!(MadeKey::generate().unwrap().private_pem(), made.private_pem());
    }
}
