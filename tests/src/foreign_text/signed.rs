//! What the agent believes by a signature alone: orders, newer roots, lists of releases.
//!
//! No chance makes a signature. So each text is read twice: as it came, when nobody may be believed, and signed by keys that
//! are made here for the time of a run, so that what stands behind the signature is read too.

use cartable_agent::{
    actions::{self, DesktopNotice, Distrust, Judged, Kept, judge},
    client::parse,
    clock::built_at,
    language::Language,
    roots::{follow, held},
    update::{Progress, believed},
};
use cartable_common::{
    AgentVersion, DeviceId,
    action::{ACTION_PURPOSE, ActionKind, ActionOrder, MAX_ACTION_DAYS, SignedAction, SignedActions, signed_message},
    limits::{MAX_ROOTS, MAX_TRUST_BUNDLES},
    trust::{TrustBundle, TrustChain, Trusted, trust_message},
    units::UtcMillis,
    update::{MAX_PACKAGE_BYTES, MAX_RELEASES, MAX_UPDATE_KEYS, Manifest, UpdateKey},
};
use cartable_server::pki::is_chain;
use data_encoding::BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, IsCa, Issuer, KeyPair, PKCS_ED25519, PublicKeyData as _,
    SigningKey as _,
};
use rustls_pki_types::CertificateDer;
use uuid::Uuid;

use super::survives_the_wire;

thread_local! {
    static SIGNER: Signer = Signer::new();
    static ROOTS: Roots = Roots::new();
    static RELEASES: Releases = Releases::new();
}

/// Orders as they come; and the text of one order, which the right signer signs.
pub fn orders(bytes: &[u8]) {
    SIGNER.with(|signer| {
        let read = |actions: &SignedActions| actions::read(actions, &signer.roots, built_at());
        if let Ok(strangers) = parse::<SignedActions>(bytes) {
            survives_the_wire(&strangers);
            assert!(read(&strangers).is_err(), "nobody else has the signer's key");
        }
        let mut signed = signer.sign(String::from_utf8_lossy(bytes).into_owned());
        match read(&signed) {
            Ok(orders) => {
                assert_eq!(orders.len(), 1);
                orders.iter().for_each(is_obeyed_once_or_not_at_all);
                signed.orders[0].text.push(' ');
                assert!(read(&signed).is_err(), "not a byte can be added");
            }
            Err(why) => assert!(matches!(why, Distrust::Form), "{why}"),
        }
    });
}

fn is_obeyed_once_or_not_at_all(order: &ActionOrder) {
    survives_the_wire(order);
    let (own, now) = ((order.device_id, order.enrolment_id), built_at());
    let other = (DeviceId(Uuid::from_u128(!order.device_id.0.as_u128())), order.enrolment_id);
    assert_eq!(judge(order, other, &Kept::default(), now), Judged::Ignore, "it is another's");
    if judge(order, own, &Kept::default(), now) == Judged::Obey {
        assert!(order.expires_at > now && order.counter > 0 && order.kind != ActionKind::Unknown);
        assert!(order.expires_at.millis_since(order.issued_at) <= MAX_ACTION_DAYS * UtcMillis::DAY);
        assert_ne!(judge(order, own, &Kept::default().begun(order), now), Judged::Obey, "once");
    }
    let Some(notice) = &order.notice else { return };
    let shown = DesktopNotice::new(notice.clone(), order.expires_at);
    for language in [Language::French, Language::English] {
        let long = shown.words(language);
        assert!(long.iter().all(|words| !words.contains(['<', '>', '&'])), "desktops read these as markup: {long:?}");
        let [title, words] = shown.short_words(language).map(|words| words.encode_utf16().count());
        assert!(title <= 63 && words <= 255, "what Windows has room for");
    }
}

/// A file of roots; and a chain of trust bundles, in which a letter stands for one of three roots or for its signature.
pub fn trust_chain(bytes: &[u8]) {
    if let Ok(kept) = held(&String::from_utf8_lossy(bytes)) {
        is_kept_as_it_is(&kept);
    }
    let Ok(chain) = parse::<TrustChain>(bytes) else { return };
    survives_the_wire(&chain);
    if let Some(first) = first_of(&chain) {
        assert_eq!(follow(&chain, &first), None, "nobody has signed it");
    }
    let chain = ROOTS.with(|roots| roots.put_into(chain));
    let Some(first) = first_of(&chain) else { return };
    let newest = follow(&chain, &first);
    if let Some(newest) = &newest {
        assert!(newest.number > first.number && (1..=MAX_ROOTS).contains(&newest.roots.len()));
        assert!(chain.bundles.iter().any(|bundle| bundle.trusted().as_ref() == Some(newest)), "it stands in the chain");
        is_kept_as_it_is(newest);
    }
    if is_chain(&chain.bundles) && (2..=MAX_TRUST_BUNDLES).contains(&chain.bundles.len()) {
        let last = chain.bundles.last().and_then(TrustBundle::trusted);
        assert_eq!(newest, last, "what a server keeps leads its agents to the end");
    }
}

fn first_of(chain: &TrustChain) -> Option<Trusted> {
    chain.bundles.first().and_then(TrustBundle::trusted)
}

/// What is written down is what is read again.
fn is_kept_as_it_is(trusted: &Trusted) {
    assert!(!trusted.roots.is_empty());
    if trusted.roots.iter().all(|root| !root.is_empty()) {
        assert_eq!(held(&trusted.to_pem()).as_ref().ok(), Some(trusted));
    }
}

/// A list of releases as it comes; and signed by the pinned key.
pub fn update_manifest(bytes: &[u8]) {
    RELEASES.with(|releases| {
        let pinned = [releases.public];
        assert!(believed(bytes, &pinned).is_err(), "nobody else has the key");
        let Ok(manifest) = believed(releases.sign(&String::from_utf8_lossy(bytes)).as_bytes(), &pinned) else { return };
        assert!((1..=MAX_UPDATE_KEYS).contains(&manifest.keys.len()));
        assert!(manifest.keys.iter().all(|key| *key == releases.public), "no other key has signed");
        assert!(manifest.releases.len() <= MAX_RELEASES);
        assert!(manifest.releases.iter().all(|release| (1..=MAX_PACKAGE_BYTES).contains(&release.bytes)));
        let again = believed(releases.sign(&manifest.to_text()).as_bytes(), &pinned);
        assert_eq!(again.as_ref(), Ok(&manifest), "it is read as it is written");
        goes_upward_alone(&manifest);
    });
}

fn goes_upward_alone(manifest: &Manifest) {
    let (running, now) = (AgentVersion::new(0, 1, 0), built_at());
    let progress = Progress { keys: manifest.keys.clone(), ..Progress::default() };
    for release in &manifest.releases {
        if let Ok(chosen) = progress.choose(manifest, release.version, running, now) {
            assert!(chosen.version == release.version && chosen.version > running && chosen.from <= running);
            assert!(manifest.expires_at > now);
        }
    }
}

/// Whoever signs orders, with a certificate by the only root.
struct Signer {
    roots: Vec<CertificateDer<'static>>,
    certificate: String,
    key: KeyPair,
}

impl Signer {
    fn new() -> Self {
        let mut root = CertificateParams::new(Vec::new()).expect("no names");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_key = KeyPair::generate().expect("a key");
        let roots = vec![root.self_signed(&root_key).expect("a root").der().clone()];
        let issuer = Issuer::new(root, root_key);
        let mut signer = CertificateParams::new(Vec::new()).expect("no names");
        // The extended key usage, whose only purpose is this one.
        let length = u8::try_from(ACTION_PURPOSE.len()).expect("it is short");
        let usage = [&[0x30, length + 2, 0x06, length][..], ACTION_PURPOSE].concat();
        signer.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 37], usage)];
        let key = KeyPair::generate().expect("a key");
        let certificate = BASE64.encode(signer.signed_by(&key, &issuer).expect("a certificate").der());
        Self { roots, certificate, key }
    }

    fn sign(&self, text: String) -> SignedActions {
        let signature = BASE64.encode(&self.key.sign(&signed_message(&text)).expect("a signature"));
        SignedActions { certificate: self.certificate.clone(), orders: vec![SignedAction { text, signature }] }
    }
}

/// Three roots: their names, their certificates in base64, and their keys.
struct Roots([(&'static str, String, KeyPair); 3]);

impl Roots {
    fn new() -> Self {
        Self(["A", "B", "C"].map(|name| {
            let key = KeyPair::generate().expect("a key");
            let params = CertificateParams::new(Vec::new()).expect("no names");
            let certificate = BASE64.encode(params.self_signed(&key).expect("a root").der());
            (name, certificate, key)
        }))
    }

    fn named(&self, name: &str) -> Option<&(&'static str, String, KeyPair)> {
        self.0.iter().find(|root| root.0 == name)
    }

    /// The chain with certificates and signatures in the places of the names.
    fn put_into(&self, mut chain: TrustChain) -> TrustChain {
        for bundle in &mut chain.bundles {
            for root in &mut bundle.roots {
                if let Some((_, certificate, _)) = self.named(root) {
                    root.clone_from(certificate);
                }
            }
            let (Some(made), Some((_, _, key))) = (bundle.trusted(), self.named(&bundle.signature)) else { continue };
            let message = trust_message(bundle.number, bundle.not_before, &made.roots);
            bundle.signature = BASE64.encode(&key.sign(&message).expect("a signature"));
        }
        chain
    }
}

/// Whoever signs releases.
struct Releases {
    public: UpdateKey,
    key: KeyPair,
}

impl Releases {
    fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
        let public = UpdateKey(key.der_bytes().try_into().expect("32 bytes"));
        Self { public, key }
    }

    fn sign(&self, text: &str) -> String {
        let signature: [u8; 64] = self.key.sign(text.as_bytes()).expect("a signature").try_into().expect("64 bytes");
        format!("{text}{}", Manifest::signature_line(&self.public, &signature))
    }
}
