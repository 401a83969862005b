//! An authority: it signs the gateway's certificate, the devices', its own successor, and whoever signs orders.

use cartable_common::{
    UtcMillis,
    action::ACTION_PURPOSE,
    trust::{TrustBundle, trust_message},
};
use data_encoding::BASE64;
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, IsCa, Issuer, KeyPair, SigningKey as _};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// An authority that signs the gateway's and the devices' certificates.
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(super) certificate: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Self { pem, certificate: der, issuer: Issuer::new(params, key) }
    }

    /// The trust bundle `number` with the roots of `authorities`, signed by this one's key.
    pub(crate) fn bundle(&self, number: u32, authorities: &[&Self]) -> TrustBundle {
        let roots: Vec<Vec<u8>> = authorities.iter().map(|authority| authority.certificate.to_vec()).collect();
        let message = trust_message(number, UtcMillis::default(), &roots);
        TrustBundle {
            number,
            not_before: UtcMillis::default(),
            roots: roots.iter().map(|root| BASE64.encode(root)).collect(),
            signature: BASE64.encode(&self.issuer.key().sign(&message).unwrap()),
        }
    }

    /// Somebody who signs orders by this authority: its certificate for that purpose, base64, and its key.
    pub(crate) fn signer(&self) -> (String, KeyPair) {
        let length = u8::try_from(ACTION_PURPOSE.len()).unwrap();
        let purpose = [&[0x30, length + 2, 0x06, length][..], ACTION_PURPOSE].concat();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 37], purpose)];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (BASE64.encode(certificate.der()), key)
    }

    pub(super) fn gateway(&self, ended: bool) -> (CertificateDer<'static>, PrivatePkcs8KeyDer<'static>) {
        let mut params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
        if ended {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()))
    }
}
