//! Whether what answers is the server, judged by a clock that may be wrong by years.
//!
//! The rules are rustls' own: the pinned authorities, the name, the signatures, the dates. One thing is added: a clock that
//! is years ahead of everything that is known, or behind it, is not believed, or such a laptop would never hear the right
//! time again. A certificate that is over by a clock far ahead counts all the same where it ran until later than the last
//! moment that is known to have passed. What that admits is a certificate that ended since then, whose private key somebody
//! else holds. One that has not begun at that moment counts where the clock is behind it: the gateway gets another one every
//! two months, which a laptop with a dead clock battery that was shut for a summer would refuse for ever. That admits
//! nothing that its authority did not sign.

use std::sync::Arc;

use cartable_common::UtcMillis;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use crate::{clock::TrustedClock, crypto};

/// Judges the server's certificate. rustls' own verifier takes the same steps, and reads lists of revoked certificates besides,
/// which nobody gives it here: 20 KB of the program.
#[derive(Debug)]
pub(crate) struct Verifier {
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
    clock: TrustedClock,
}

impl Verifier {
    /// Trusts `roots` alone.
    pub(crate) fn new(
        roots: RootCertStore,
        provider: &CryptoProvider,
        clock: TrustedClock,
    ) -> Result<Arc<Self>, Error> {
        if roots.is_empty() {
            return Err(Error::General("there is no authority to trust".to_owned()));
        }
        Ok(Arc::new(Self { roots, algorithms: provider.signature_verification_algorithms, clock }))
    }

    /// The verdict at the moment `at`.
    fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        at: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let (roots, algorithms) = (&self.roots, self.algorithms.all);
        verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, at, algorithms)?;
        verify_server_name(&certificate, server_name)?;
        Ok(ServerCertVerified::assertion())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judge = |at| self.judge(end_entity, intermediates, server_name, at);
        match judge(now) {
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. }))
                if self.clock.may_still_run(moment(now), moment(not_after)) =>
            {
                judge(not_after)
            }
            Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. }))
                if self.clock.may_run_already(moment(now)) =>
            {
                match judge(not_before) {
                    // The intermediate was made after the certificate begins, which is dated back.
                    Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
                        judge(not_before)
                    }
                    verdict => verdict,
                }
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Finds nothing wrong with whoever answers: for what is verified by itself.
#[derive(Debug)]
pub(crate) struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        crypto::provider().signature_verification_algorithms.supported_schemes()
    }
}

fn moment(time: UnixTime) -> UtcMillis {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    UtcMillis::default().plus_millis(seconds.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

    use super::*;

    const JANUARY_2039: u64 = 2_177_452_800;
    const MARCH_2039: u64 = 2_182_550_400;
    const JANUARY_2040: u64 = 2_208_988_800;
    const MARCH_2040: u64 = 2_214_172_800;
    const JULY_2040: u64 = 2_224_713_600;
    const JANUARY_2041: u64 = 2_240_611_200;
    const JANUARY_2099: u64 = 4_070_908_800;

    /// A verifier that pins an authority, to which the server told `told` last; and that authority's certificate for
    /// `localhost`, which runs from June 2039 to June 2040.
    fn server(told: u64) -> (Arc<Verifier>, CertificateDer<'static>) {
        let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = ca.self_signed(&ca_key).unwrap().der().clone();
        let mut leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (leaf.not_before, leaf.not_after) = (date_time_ymd(2039, 6, 1), date_time_ymd(2040, 6, 1));
        let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap().der().clone();
        let mut roots = RootCertStore::empty();
        roots.add(root).unwrap();
        let clock = TrustedClock::default();
        clock.learn(moment(at(told)));
        (Verifier::new(roots, &crypto::provider(), clock).unwrap(), leaf)
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    fn is_trusted(verifier: &Verifier, leaf: &CertificateDer<'_>, name: &str, now: u64) -> bool {
        let name = ServerName::try_from(name).unwrap();
        verifier.verify_server_cert(leaf, &[], &name, &[], at(now)).is_ok()
    }

    #[test]
    fn only_a_clock_that_is_years_ahead_is_not_believed() {
        let (verifier, leaf) = server(JANUARY_2040);
        assert!(is_trusted(&verifier, &leaf, "localhost", MARCH_2040), "it runs");
        assert!(!is_trusted(&verifier, &leaf, "localhost", JULY_2040), "it is over");
        assert!(!is_trusted(&verifier, &leaf, "localhost", JANUARY_2041), "a laptop may sleep for a year");
        assert!(is_trusted(&verifier, &leaf, "localhost", JANUARY_2099), "nobody sleeps for 59 years");
    }

    /// rustls asks the clock that knows the floor: for a machine in 2017 it says the last moment that the server told.
    #[test]
    fn only_a_clock_that_is_behind_what_is_known_takes_what_has_not_begun() {
        let (verifier, leaf) = server(JANUARY_2039);
        assert!(is_trusted(&verifier, &leaf, "localhost", JANUARY_2039), "nobody here knows how late it is");
        assert!(!is_trusted(&verifier, &leaf, "localhost", MARCH_2039), "the clock goes on from what is known");
        assert!(!is_trusted(&verifier, &leaf, "elsewhere.example", JANUARY_2039), "another name");
        let (_, foreign) = server(JANUARY_2039);
        assert!(!is_trusted(&verifier, &foreign, "localhost", JANUARY_2039), "another authority");
    }

    #[test]
    fn an_intermediate_that_begins_after_what_it_signed_shuts_nobody_out() {
        let keys: [KeyPair; 3] = std::array::from_fn(|_| KeyPair::generate().unwrap());
        let [root_key, between_key, key] = keys;
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let mut between = ca.clone();
        between.not_before = date_time_ymd(2039, 6, 2);
        between.distinguished_name.push(rcgen::DnType::CommonName, "between");
        let root = ca.self_signed(&root_key).unwrap().der().clone();
        let signed = between.signed_by(&between_key, &Issuer::new(ca, root_key)).unwrap().der().clone();
        let mut leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (leaf.not_before, leaf.not_after) = (date_time_ymd(2039, 6, 1), date_time_ymd(2040, 6, 1));
        let leaf = leaf.signed_by(&key, &Issuer::new(between, between_key)).unwrap().der().clone();
        let mut roots = RootCertStore::empty();
        roots.add(root).unwrap();
        let clock = TrustedClock::default();
        clock.learn(moment(at(JANUARY_2039)));
        let verifier = Verifier::new(roots, &crypto::provider(), clock).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let judge =
            |now| verifier.verify_server_cert(&leaf, std::slice::from_ref(&signed), &name, &[], at(now)).is_ok();
        assert!(judge(JANUARY_2039), "nobody here knows how late it is");
        assert!(!judge(MARCH_2039), "the clock goes on from what is known");
    }

    #[test]
    fn what_is_known_to_be_over_or_is_anothers_is_refused_whatever_the_clock_says() {
        let (verifier, leaf) = server(JULY_2040);
        assert!(!is_trusted(&verifier, &leaf, "localhost", JANUARY_2099), "it was over when the server told the time");
        let (verifier, leaf) = server(JANUARY_2040);
        assert!(!is_trusted(&verifier, &leaf, "elsewhere.example", JANUARY_2099), "another name");
        let (_, foreign) = server(JANUARY_2040);
        assert!(!is_trusted(&verifier, &foreign, "localhost", JANUARY_2099), "another authority");
    }
}
