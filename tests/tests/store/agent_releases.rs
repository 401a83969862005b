//! What the store promises about releases of the agent, on both engines: a version is never replaced by other content, a
//! package is read in parts, whom a release reaches is read as it was said, a halt counts at once, and a publication takes the
//! place of the one before.

use cartable_common::{AgentVersion, update::UpdateKey};
use cartable_server::{
    domain::{
        school_calendar::Zone,
        update::{PackageKind, Stage, publication::Publication},
    },
    store::{
        Tx,
        agent_package::{self, Package},
        agent_publication,
        site::{self, NewSite},
    },
};
use cartable_tests::{fleet::at, on_both_engines, simulator::site::uai_code, stores::TestStore};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

on_both_engines! {
    a_version_is_never_another_package,
    a_package_is_read_in_parts_until_it_is_halted,
    whom_a_release_reaches_is_read_as_it_was_said,
    a_restored_server_offers_nothing_until_somebody_does,
    a_publication_takes_the_place_of_the_one_before,
}

const NEXT: AgentVersion = AgentVersion::new(0, 2, 0);

fn package(kind: PackageKind, content: &[u8]) -> Package {
    Package {
        sha256: Sha256::digest(content).into(),
        kind,
        release: NEXT,
        version: "0.2.0-1".to_owned(),
        architecture: "amd64".to_owned(),
        from: AgentVersion::new(0, 1, 0),
        control: "Package: cartable-agent\n".to_owned(),
        bytes: u32::try_from(content.len()).unwrap(),
    }
}

async fn add(tx: &mut Tx, kind: PackageKind, content: &[u8]) -> bool {
    agent_package::add(tx, &package(kind, content), content, at(0, 0, 0)).await.unwrap()
}

async fn a_version_is_never_another_package(test: &TestStore) {
    let mut tx = test.store.write().await.unwrap();
    assert!(add(&mut tx, PackageKind::Deb, b"one").await);
    assert!(!add(&mut tx, PackageKind::Deb, b"one").await);
    assert!(!add(&mut tx, PackageKind::Deb, b"two").await);
    assert!(add(&mut tx, PackageKind::Msi, b"three").await, "Windows counts by itself");
    let one = package(PackageKind::Deb, b"one");
    assert!(agent_package::is_here(&mut tx, &one.sha256).await.unwrap());
    assert_eq!(agent_package::current(&mut tx).await.unwrap(), [one, package(PackageKind::Msi, b"three")]);
    let found = agent_package::deb(&mut tx, "0.2.0-1", "amd64").await.unwrap();
    assert_eq!(found.as_deref(), Some(b"one".as_slice()));
    assert_eq!(agent_package::deb(&mut tx, "0.2.0-1", "arm64").await.unwrap(), None);
    let hash: Option<[u8; 32]> = Some(Sha256::digest(b"one").into());
    assert_eq!(agent_package::deb_hash(&mut tx, "0.2.0-1", "amd64").await.unwrap(), hash);
    assert_eq!(agent_package::deb_hash(&mut tx, "0.2.0-1", "arm64").await.unwrap(), None);
    assert!(agent_package::halt(&mut tx, NEXT, at(0, 1, 0)).await.unwrap());
    assert_eq!(agent_package::deb_hash(&mut tx, "0.2.0-1", "amd64").await.unwrap(), None);
}

async fn a_package_is_read_in_parts_until_it_is_halted(test: &TestStore) {
    let mut tx = test.store.write().await.unwrap();
    let content = b"0123456789";
    add(&mut tx, PackageKind::Msi, content).await;
    let sha256 = package(PackageKind::Msi, content).sha256;
    for (from, expected) in [(0, "0123"), (4, "4567"), (8, "89"), (10, ""), (u32::MAX / 4, "")] {
        let part = agent_package::part(&mut tx, &sha256, from, 4).await.unwrap();
        assert_eq!(part.as_deref(), Some(expected.as_bytes()), "{from}");
    }
    assert_eq!(agent_package::part(&mut tx, &[9; 32], 0, 4).await.unwrap(), None);
    assert!(agent_package::halt(&mut tx, NEXT, at(0, 1, 0)).await.unwrap());
    assert!(!agent_package::halt(&mut tx, NEXT, at(0, 2, 0)).await.unwrap(), "once");
    assert_eq!(agent_package::part(&mut tx, &sha256, 0, 4).await.unwrap(), None);
    assert!(agent_package::current(&mut tx).await.unwrap().is_empty());
    assert!(!agent_package::set_percent(&mut tx, NEXT, 10, at(0, 3, 0)).await.unwrap());
}

async fn whom_a_release_reaches_is_read_as_it_was_said(test: &TestStore) {
    let mut tx = test.store.write().await.unwrap();
    let mut sites = Vec::new();
    for number in [1, 2] {
        let uai = uai_code(96, number).parse().unwrap();
        let new = NewSite { uai, name: format!("Collège {number}"), commune: "Lyon".into(), zone: Zone::A };
        sites.push(site::put(&mut tx, &new, at(0, 0, 0)).await.unwrap());
    }
    sites.sort_unstable();
    let stage = |percent, sites: &[Uuid]| Stage { release: NEXT, percent, sites: sites.to_vec() };
    let now = at(0, 0, 0);
    assert!(!agent_package::stage(&mut tx, &stage(10, &[]), now).await.unwrap(), "there is no such release");
    add(&mut tx, PackageKind::Deb, b"deb").await;
    assert!(agent_package::stage(&mut tx, &stage(10, &sites), now).await.unwrap());
    assert!(agent_package::stages(&mut tx).await.unwrap().is_empty(), "there is nothing for Windows in it");
    add(&mut tx, PackageKind::Msi, b"msi").await;
    assert_eq!(agent_package::stages(&mut tx).await.unwrap(), [stage(10, &sites)]);
    assert!(agent_package::set_percent(&mut tx, NEXT, 0, now).await.unwrap());
    assert_eq!(agent_package::stages(&mut tx).await.unwrap(), [stage(0, &sites)], "the sites stay");
    assert!(agent_package::stage(&mut tx, &stage(0, &[]), now).await.unwrap());
    assert!(agent_package::stages(&mut tx).await.unwrap().is_empty());
    let rows = agent_package::releases(&mut tx).await.unwrap();
    assert_eq!((rows.len(), rows[0].release, rows[0].percent, rows[0].halted_at), (1, NEXT, 0, None));
}

async fn a_restored_server_offers_nothing_until_somebody_does(test: &TestStore) {
    let mut tx = test.store.write().await.unwrap();
    let uai = uai_code(96, 1).parse().unwrap();
    let new = NewSite { uai, name: "Collège".into(), commune: "Lyon".into(), zone: Zone::A };
    let site = site::put(&mut tx, &new, at(0, 0, 0)).await.unwrap();
    add(&mut tx, PackageKind::Msi, b"msi").await;
    for (percent, sites) in [(10, vec![]), (0, vec![site])] {
        let stage = Stage { release: NEXT, percent, sites };
        assert!(agent_package::stage(&mut tx, &stage, at(0, 0, 0)).await.unwrap());
        assert_eq!(agent_package::withdraw(&mut tx, at(1, 0, 0)).await.unwrap(), [NEXT]);
        assert!(agent_package::stages(&mut tx).await.unwrap().is_empty());
        assert!(agent_package::withdraw(&mut tx, at(1, 0, 0)).await.unwrap().is_empty(), "once");
    }
    assert!(agent_package::set_percent(&mut tx, NEXT, 10, at(2, 0, 0)).await.unwrap(), "it may be offered again");
    assert!(agent_package::halt(&mut tx, NEXT, at(2, 1, 0)).await.unwrap());
    assert!(agent_package::withdraw(&mut tx, at(3, 0, 0)).await.unwrap().is_empty(), "what is halted stays so");
}

async fn a_publication_takes_the_place_of_the_one_before(test: &TestStore) {
    let mut tx = test.store.write().await.unwrap();
    assert_eq!(agent_publication::last(&mut tx).await.unwrap(), None);
    let (key, now) = (UpdateKey([1; 32]), at(0, 0, 0));
    let mut first = Publication::draft(1, (now, now.plus_days(1)), &[], Vec::new());
    first.files.insert("gone".to_owned(), "text".to_owned());
    agent_publication::publish(&mut tx, &first, key, now).await.unwrap();
    assert_eq!(agent_publication::text(&mut tx, "gone").await.unwrap().as_deref(), Some("text"));
    let second = Publication::draft(2, (now, now.plus_days(2)), &[], Vec::new());
    agent_publication::publish(&mut tx, &second, UpdateKey([2; 32]), now).await.unwrap();
    assert_eq!(agent_publication::text(&mut tx, "gone").await.unwrap(), None);
    let last = agent_publication::last(&mut tx).await.unwrap().unwrap();
    assert_eq!((last.number, last.signed_by, last.expires_at), (2, UpdateKey([2; 32]), now.plus_days(2)));
    assert!(agent_publication::publish(&mut tx, &second, key, now).await.is_err(), "a number counts once");
}
