//! A step happened whole or not at all, and whoever slept through all of them can follow.

use cartable_common::trust::{FIRST_BUNDLE, Trusted, bundle_number};
use rustls_pki_types::pem::PemObject as _;

use super::*;
use crate::pki::{Authority, RootRole, Standing, manifest::is_under};

struct Made {
    _home: tempfile::TempDir,
    directory: PathBuf,
    master: MasterKey,
    now: UtcMillis,
}

impl Made {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("pki");
        let (master, now) = (MasterKey([3; 32]), UtcMillis::new(1_796_000_000_000).unwrap());
        Authority::create(&directory, &master, &["localhost".to_owned()], now).unwrap();
        Self { _home: home, directory, master, now }
    }

    fn open(&self) -> Rotation {
        Rotation::open(&self.directory, &self.master).unwrap()
    }

    fn load(&self) -> Authority {
        Authority::load(&self.directory, &self.master).unwrap()
    }

    /// The gateway's chain leaf first, by the names of its issuers' keys.
    fn gateway_issuer(&self) -> CertificateDer<'static> {
        let chain = self.load().gateway_certificate(&["localhost".to_owned()], self.now).unwrap().chain;
        chain[1].clone()
    }
}

impl Made {
    /// The file of names is as a version wrote it that knows nothing of orders.
    fn forget_signer(&self) {
        let path = self.directory.join(manifest::FILE);
        let mut names: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(names.as_object_mut().unwrap().remove("actions").is_some());
        std::fs::write(&path, names.to_string()).unwrap();
    }

    /// The certificate that orders come with.
    fn signer(&self) -> CertificateDer<'static> {
        let signed = self.load().actions().unwrap().sign(Vec::new()).unwrap();
        BASE64.decode(signed.certificate.as_bytes()).unwrap().into()
    }
}

fn held(authority: &Authority) -> Trusted {
    let pem = authority.roots_pem();
    let roots = CertificateDer::pem_slice_iter(pem.as_bytes()).map(|root| root.unwrap().to_vec()).collect();
    Trusted { number: bundle_number(pem), roots }
}

#[test]
fn a_new_device_intermediate_leaves_the_certificates_of_the_earlier_one_valid_until_it_is_dropped() {
    let made = Made::new();
    let before = made.load();
    made.open().renew_devices(None, made.now).unwrap();
    let after = made.load();
    assert_ne!(after.devices().certificate(), before.devices().certificate());
    let both = [after.devices().certificate().clone(), before.devices().certificate().clone()];
    assert_eq!(after.accepted(), both);
    assert_eq!((after.roots_pem(), held(&after).number), (before.roots_pem(), FIRST_BUNDLE), "agents see nothing");
    made.open().drop_earlier().unwrap();
    assert_eq!(made.load().accepted(), [after.devices().certificate().clone()]);
    let nothing = made.open().drop_earlier().unwrap_err();
    assert!(nothing.to_string().contains("no earlier intermediate"), "{nothing}");
}

#[test]
fn a_new_gateway_intermediate_signs_another_certificate_at_the_next_start() {
    let made = Made::new();
    let before = made.gateway_issuer();
    made.open().renew_gateway(None, made.now).unwrap();
    let after = made.gateway_issuer();
    assert_ne!(before, after);
    assert!(is_under(&after, &made.open().certificate(ROOT).unwrap()));
    assert_eq!(made.gateway_issuer(), after, "it is kept");
}

#[test]
fn a_root_is_changed_in_three_steps_that_whoever_slept_can_follow() {
    let made = Made::new();
    let asleep = held(&made.load());
    assert!(matches!(made.open().switch(None, made.now), Err(PkiError::Step { .. })));
    assert!(matches!(made.open().retire(None, made.now), Err(PkiError::Step { .. })));

    made.open().begin(None, made.now).unwrap();
    assert!(matches!(made.open().begin(None, made.now), Err(PkiError::Step { .. })));
    let begun = made.load();
    assert_eq!((held(&begun).number, held(&begun).roots.len()), (2, 2));
    assert_eq!(begun.newer_bundle(None), Some(2));
    assert_eq!(begun.newer_bundle(Some(2)), None);
    assert!(is_under(&made.gateway_issuer(), &made.open().certificate(ROOT).unwrap()), "nothing is issued by it yet");

    made.open().switch(None, made.now).unwrap();
    let switched = made.load();
    assert_eq!(held(&switched), held(&begun));
    assert_eq!(switched.accepted().len(), 2);
    assert!(is_under(&made.gateway_issuer(), &made.open().certificate("root-2").unwrap()));
    assert!(matches!(made.open().begin(None, made.now), Err(PkiError::Step { .. })));

    assert!(is_under(&made.signer(), &made.open().certificate("root-2").unwrap()), "or nobody obeyed after the end");

    made.open().retire(None, made.now).unwrap();
    let retired = made.load();
    assert_eq!(retired.accepted(), [switched.devices().certificate().clone()]);
    assert_eq!((held(&retired).number, held(&retired).roots.len()), (3, 1));
    // Whoever slept through all of it.
    assert_eq!(retired.chain().newest(&asleep, manifest::has_signed), Some(held(&retired)));
    assert_eq!(retired.chain().newest(&held(&begun), manifest::has_signed), Some(held(&retired)));
    // And once more.
    made.open().begin(None, made.now).unwrap();
    made.open().switch(None, made.now).unwrap();
    made.open().retire(None, made.now).unwrap();
    let again = made.load();
    assert_eq!(again.chain().newest(&asleep, manifest::has_signed), Some(held(&again)));
    assert_eq!(held(&again).number, 5);
}

#[test]
fn an_authority_that_is_older_than_orders_gets_a_signer_and_another_one_later() {
    let made = Made::new();
    for name in ["actions.key", "actions.pem"] {
        std::fs::remove_file(made.directory.join(name)).unwrap();
    }
    assert!(made.load().actions().is_none());
    made.open().renew_signer(None, made.now).unwrap();
    let first = made.signer();
    made.open().renew_signer(None, made.now).unwrap();
    assert_ne!(made.signer(), first);
    assert!(is_under(&made.signer(), &made.open().certificate(ROOT).unwrap()));
}

#[test]
fn a_file_of_names_that_is_older_than_orders_hides_no_signer() {
    let made = Made::new();
    let signer = made.signer();
    made.open().renew_devices(None, made.now).unwrap();
    made.forget_signer();
    assert_eq!(made.signer(), signer);
}

#[test]
fn a_file_of_names_that_is_older_than_orders_gives_no_signer_of_a_root_that_was_retired() {
    let made = Made::new();
    for step in [Rotation::begin, Rotation::switch, Rotation::retire] {
        step(&mut made.open(), None, made.now).unwrap();
    }
    assert!(made.load().actions().is_some());
    made.forget_signer();
    assert!(made.load().actions().is_none(), "agents obey nothing of it");
    assert_eq!(Standing::of(&made.directory).unwrap().bundle, 3, "all else goes on");
    made.open().renew_signer(None, made.now).unwrap();
    assert!(is_under(&made.signer(), &made.open().certificate("root-2").unwrap()));
}

#[test]
fn a_roots_key_may_lie_elsewhere_and_no_other_key_serves() {
    let made = Made::new();
    let elsewhere = made.directory.with_file_name("medium.key");
    std::fs::rename(made.directory.join("root.key"), &elsewhere).unwrap();
    let before = std::fs::read_dir(&made.directory).unwrap().count();
    let error = made.open().begin(None, made.now).unwrap_err();
    assert!(error.to_string().contains("--root-key"), "{error}");
    let wrong = made.directory.join("devices.key");
    assert!(matches!(made.open().begin(Some(&wrong), made.now), Err(PkiError::OtherRootKey { .. })));
    let mut stranger = Rotation::open(&made.directory, &MasterKey([4; 32])).unwrap();
    assert!(matches!(stranger.begin(Some(&elsewhere), made.now), Err(PkiError::WrongKey { .. })));
    assert_eq!(std::fs::read_dir(&made.directory).unwrap().count(), before, "nothing was made");
    made.open().begin(Some(&elsewhere), made.now).unwrap();
    assert!(!made.directory.join("root.key").exists());
    let standing = Standing::of(&made.directory).unwrap();
    let roles: Vec<RootRole> = standing.roots.iter().map(|root| root.role).collect();
    assert_eq!(roles, [RootRole::Issuing, RootRole::Next]);
}

#[test]
fn a_chain_that_does_not_follow_is_no_authority() {
    let made = Made::new();
    made.open().begin(None, made.now).unwrap();
    let path = made.directory.join(manifest::FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"number\": 2", "\"number\": 3")).unwrap();
    let error = Authority::load(&made.directory, &made.master).unwrap_err();
    assert!(matches!(error, PkiError::Damaged { .. }), "{error}");
}
