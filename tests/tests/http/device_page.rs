//! A device's page as it shows the last report, in both languages: where the agent says that its key is.

use cartable_common::report::KeyProtection;
use cartable_server::{auth::Role, clock, domain::scope::Scope};
use cartable_tests::{
    fleet::{RunningIngest, enrol, envelope, laptop},
    in_process::InProcess,
    on_both_engines,
    stores::TestStore,
};

on_both_engines! {
    a_devices_page_says_where_the_agents_key_is,
}

async fn a_devices_page_says_where_the_agents_key_is(test: &TestStore) {
    let (cartable, now) = (InProcess::new(&test.store), clock::now());
    let site = cartable.site(1).await.unwrap();
    cartable.person("tom", Role::Technician, Scope::Sites(vec![site])).await.unwrap();
    let tom = cartable.signed_in("tom").await.unwrap();
    for (key, fr, en) in [
        (Some(KeyProtection::Tpm), "Dans le TPM", "In the TPM"),
        (Some(KeyProtection::Software), "Dans un fichier", "In a file"),
        (Some(KeyProtection::Platform), "Dans le coffre de clés du système", "In the system’s key store"),
        // An agent of an earlier version, or another system's.
        (None, "Non lu", "Not read"),
    ] {
        let one = enrol(&test.store, test.url(), Some(site), now).await.unwrap();
        let mut report = laptop(50);
        report.firmware.key_protection = key;
        let running = RunningIngest::start(&test.store);
        running.ingest.check_in(one.check_in(now, vec![envelope(1, now, report)])).await.unwrap();
        running.stop().await;
        for (language, fact) in [
            ("fr", format!("<dt>Clé de l’agent, selon lui</dt><dd>{fr}</dd>")),
            ("en", format!("<dt>Agent’s key, as it states</dt><dd>{en}</dd>")),
        ] {
            let page = tom.clone().speaking(language).get(&format!("/devices/{}", one.device)).await.unwrap().body;
            assert!(page.contains(&fact), "{fact}: {page}");
        }
    }
}
