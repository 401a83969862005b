//! Whether what answers is the server, judged by a clock that may be years behind or ahead.
//!
//! The rules are rustls' own: the pinned authorities, the name, the signatures, the dates. Two things are added, or such a
//! laptop would never hear the right time again.
//!
//! A certificate that begins later than the clock says counts from its beginning: the pinned authority signed that date, so
//! the clock is behind it. Otherwise a laptop with a dead clock battery would refuse every certificate that is younger than
//! its agent and than the last word of its server. What that admits is nothing that an authority issues.
//!
//! A clock that is years ahead of everything that is known is not believed. A certificate that is over by it counts all the
//! same where it ran until later than the last moment that is known to have passed. What that admits is a certificate that
//! ended since then, whose private key somebody else holds.

use std::sync::Arc;

use cartable_common::UtcMillis;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::clock::TrustedClock;

/// Judges the server's certificate.
#[derive(Debug)]
pub(crate) struct Verifier {
    rules: Arc<WebPkiServerVerifier>,
    clock: TrustedClock,
}

impl Verifier {
    /// Trusts `roots` alone.
    pub(crate) fn new(
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
        clock: TrustedClock,
    ) -> Result<Arc<Self>, Error> {
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let rules = builder.build().map_err(|error| Error::General(error.to_string()))?;
        Ok(Arc::new(Self { rules, clock }))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judge = |at| self.rules.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, at);
        match judge(now) {
            // The rest of the chain is older: it issued this one.
            Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
                judge(not_before)
            }
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. }))
                if self.clock.may_still_run(moment(now), moment(not_after)) =>
            {
                judge(not_after)
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
        self.rules.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.rules.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.rules.supported_verify_schemes()
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
    use crate::crypto;

    const JANUARY_2039: u64 = 2_177_452_800;
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
        (Verifier::new(roots, Arc::new(crypto::provider()), clock).unwrap(), leaf)
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

    /// Found on the virtual laptop, with its clock in 2017 and an agent older than the server's certificate.
    #[test]
    fn a_clock_behind_the_certificate_shuts_nobody_out() {
        let (verifier, leaf) = server(JANUARY_2039);
        assert!(is_trusted(&verifier, &leaf, "localhost", JANUARY_2039), "it begins in June");
        assert!(!is_trusted(&verifier, &leaf, "elsewhere.example", JANUARY_2039), "another name");
        let (_, foreign) = server(JANUARY_2039);
        assert!(!is_trusted(&verifier, &foreign, "localhost", JANUARY_2039), "another authority");
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
