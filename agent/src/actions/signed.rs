//! Whether orders are the signer's: its certificate by the pinned roots, its signature over the exact text.

use cartable_common::{
    UtcMillis,
    action::{ACTION_PURPOSE, ActionOrder, MAX_ACTIONS, MAX_ORDER_BYTES, SignedAction, SignedActions, signed_message},
};
use data_encoding::BASE64;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, ring::ECDSA_P256_SHA256};

/// Why orders are not believed.
#[derive(Debug, thiserror::Error)]
pub enum Distrust {
    /// They are no orders.
    #[error("they have not the form of orders")]
    Form,
    /// No pinned root issued this signer's certificate for orders.
    #[error("the signer's certificate is not one for orders by a pinned root ({0})")]
    Signer(webpki::Error),
    /// The text is not what was signed.
    #[error("a signature does not fit its text")]
    Signature,
}

/// The orders in `actions`, if all of them are the signer's by one of `roots`. `now` is the last moment that is known to
/// have passed: this machine's clock may be wrong.
pub fn read(
    actions: &SignedActions,
    roots: &[CertificateDer<'static>],
    now: UtcMillis,
) -> Result<Vec<ActionOrder>, Distrust> {
    if actions.orders.len() > MAX_ACTIONS || actions.orders.iter().any(|order| order.text.len() > MAX_ORDER_BYTES) {
        return Err(Distrust::Form);
    }
    let der = BASE64.decode(actions.certificate.as_bytes()).map_err(|_| Distrust::Form)?;
    let der = CertificateDer::from(der);
    let signer = signer(&der, roots, now)?;
    actions.orders.iter().map(|order| verified(&signer, order)).collect()
}

/// The certificate in `der`, where one of the pinned `roots` issued it, without anything between, to sign orders.
fn signer<'a>(
    der: &'a CertificateDer<'a>,
    roots: &[CertificateDer<'static>],
    now: UtcMillis,
) -> Result<EndEntityCert<'a>, Distrust> {
    let certificate = EndEntityCert::try_from(der).map_err(Distrust::Signer)?;
    let anchors: Vec<_> = roots.iter().filter_map(|root| anchor_from_trusted_cert(root).ok()).collect();
    let seconds = u64::try_from(now.get() / 1000).unwrap_or_default();
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let purpose = KeyUsage::required(ACTION_PURPOSE);
    certificate
        .verify_for_usage(&[ECDSA_P256_SHA256], &anchors, &[], time, purpose, None, None)
        .map_err(Distrust::Signer)?;
    Ok(certificate)
}

fn verified(signer: &EndEntityCert<'_>, order: &SignedAction) -> Result<ActionOrder, Distrust> {
    let signature = BASE64.decode(order.signature.as_bytes()).map_err(|_| Distrust::Form)?;
    signer
        .verify_signature(ECDSA_P256_SHA256, &signed_message(&order.text), &signature)
        .map_err(|_| Distrust::Signature)?;
    serde_json::from_str(&order.text).map_err(|_| Distrust::Form)
}

#[cfg(test)]
mod tests {
    use cartable_common::{ActionId, DeviceId, EnrolmentId, action::ActionKind};
    use rcgen::{
        BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
        SigningKey as _,
    };
    use uuid::Uuid;

    use super::*;
    use crate::clock::built_at;

    fn authority() -> (CertificateDer<'static>, Issuer<'static, KeyPair>) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().clone();
        (der, Issuer::new(params, key))
    }

    /// The extension that names the purpose of an order's signer.
    fn purpose() -> CustomExtension {
        let length = u8::try_from(ACTION_PURPOSE.len()).unwrap();
        let der = [&[0x30, length + 2, 0x06, length][..], ACTION_PURPOSE].concat();
        CustomExtension::from_oid_content(&[2, 5, 29, 37], der)
    }

    fn leaf(issuer: &Issuer<'_, KeyPair>, change: impl FnOnce(&mut CertificateParams)) -> (String, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, issuer).unwrap();
        (BASE64.encode(certificate.der()), key)
    }

    fn order() -> ActionOrder {
        ActionOrder {
            action_id: ActionId(Uuid::from_u128(1)),
            device_id: DeviceId(Uuid::from_u128(2)),
            enrolment_id: EnrolmentId(Uuid::from_u128(3)),
            kind: ActionKind::CheckIn,
            notice: None,
            counter: 4,
            issued_at: built_at(),
            expires_at: built_at().plus_days(1),
        }
    }

    fn signed(certificate: String, key: &KeyPair) -> SignedActions {
        let text = serde_json::to_string(&order()).unwrap();
        let signature = BASE64.encode(&key.sign(&signed_message(&text)).unwrap());
        SignedActions { certificate, orders: vec![SignedAction { text, signature }] }
    }

    #[test]
    fn only_a_signer_that_a_pinned_root_issued_for_orders_is_believed() {
        let (root, issuer) = authority();
        let (other_root, other) = authority();
        let roots = [root];
        let (certificate, key) = leaf(&issuer, |params| params.custom_extensions = vec![purpose()]);
        let good = signed(certificate, &key);
        assert_eq!(read(&good, &roots, built_at()).unwrap(), [order()]);
        assert!(matches!(read(&good, &[other_root], built_at()), Err(Distrust::Signer(_))), "another's root");

        let (certificate, key) = leaf(&issuer, |_| {});
        let plain = signed(certificate, &key);
        assert!(matches!(read(&plain, &roots, built_at()), Err(Distrust::Signer(_))), "without the purpose");
        for usage in
            [ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Any]
        {
            let (certificate, key) = leaf(&issuer, |params| params.extended_key_usages = vec![usage.clone()]);
            let tls = signed(certificate, &key);
            assert!(matches!(read(&tls, &roots, built_at()), Err(Distrust::Signer(_))), "{usage:?}");
        }
        let (certificate, key) = leaf(&other, |params| params.custom_extensions = vec![purpose()]);
        let foreign = signed(certificate, &key);
        assert!(matches!(read(&foreign, &roots, built_at()), Err(Distrust::Signer(_))), "another authority");
    }

    #[test]
    fn nobody_between_a_root_and_the_signer_is_believed() {
        let (root, issuer) = authority();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        params.signed_by(&key, &issuer).unwrap();
        let between = Issuer::new(params, key);
        let (certificate, key) = leaf(&between, |params| params.custom_extensions = vec![purpose()]);
        assert!(matches!(read(&signed(certificate, &key), &[root], built_at()), Err(Distrust::Signer(_))));
    }

    #[test]
    fn not_a_byte_of_an_order_can_be_changed() {
        let (root, issuer) = authority();
        let roots = [root];
        let (certificate, key) = leaf(&issuer, |params| params.custom_extensions = vec![purpose()]);
        let good = signed(certificate, &key);
        let mut changed = good.clone();
        changed.orders[0].text = changed.orders[0].text.replace("check_in", "send_log");
        assert!(matches!(read(&changed, &roots, built_at()), Err(Distrust::Signature)));
        // The same key signed something else: what it signs for orders begins with its own words.
        let mut bare = good.clone();
        bare.orders[0].signature = BASE64.encode(&key.sign(bare.orders[0].text.as_bytes()).unwrap());
        assert!(matches!(read(&bare, &roots, built_at()), Err(Distrust::Signature)));
        let mut many = good.clone();
        many.orders = vec![good.orders[0].clone(); MAX_ACTIONS + 1];
        assert!(matches!(read(&many, &roots, built_at()), Err(Distrust::Form)));
        let none = SignedActions { certificate: "no base64".to_owned(), ..good };
        assert!(matches!(read(&none, &roots, built_at()), Err(Distrust::Form)));
    }
}
