//! A device that was given away does not come back by the device port: neither by an enrolment of the same machine, nor
//! by an approval, nor by a status set from the command line.

use cartable_common::{identity::SerialNumber, protocol::CertificateGrant, report::Hardware};
use cartable_server::{clock, domain::erasure::Method, store::Store};
use cartable_tests::{
    donation::{erased, people},
    gateway_client::{Credentials, Port, SITE, UNCHANGED, enrol_request},
    raw::Raw,
};
use rcgen::KeyPair;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_away_stays_away_on_sqlite() {
    stays_away(Port::start().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_away_stays_away_on_postgres() {
    stays_away(Port::start_on_postgres().await.unwrap()).await;
}

async fn stays_away(port: Port) {
    let token = port.installation.create_enrolment_token(SITE, 5).unwrap();
    let hardware = Hardware { serial_number: SerialNumber::parse("PF2GIVEN").into(), ..Hardware::default() };
    let old_key = KeyPair::generate().unwrap();
    let answer = port.enrol(&enrol_request(&token, &old_key, hardware.clone()).unwrap()).await.unwrap();
    let old: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    let old_credentials = Credentials::of(&old.certificate_chain_pem, &old_key);
    let url = port.installation.database_url();
    let (store, now) = (Store::open(&url).await.unwrap(), clock::now());
    let who = people(&store, now).await.unwrap();
    let mut tx = store.write().await.unwrap();
    let drive = ("GIVEN-DISK", Method::NvmeSanitizeCrypto);
    erased(&mut tx, old.device_id, drive, &who.policy, now).await.unwrap();
    tx.commit().await.unwrap();
    who.give(&store, &[old.device_id], now).await.unwrap();
    store.close().await;

    // Its new owner installs an agent: that is a device like any other, and nobody is asked.
    let new_key = KeyPair::generate().unwrap();
    let answer = port.enrol(&enrol_request(&token, &new_key, hardware).unwrap()).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let new: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    assert_ne!(new.device_id, old.device_id);
    let new_credentials = Credentials::of(&new.certificate_chain_pem, &new_key);
    assert_eq!(port.connect_as(&new_credentials).await.unwrap().check_in(UNCHANGED).await.unwrap().status, 200);
    assert_eq!(port.connect_as(&old_credentials).await.unwrap().check_in(UNCHANGED).await.unwrap().status, 403);
    assert_eq!(port.installation.run("device pending", &[], "").unwrap(), "");

    // Nor does a person bring it back, whatever stands in the database.
    let mut raw = Raw::connect(&url).await.unwrap();
    let own = raw.uuid(old.device_id.0);
    let waits = format!("UPDATE enrolment SET status = 'pending', ended_at = NULL WHERE device_id = {own}");
    raw.execute(&waits).await.unwrap();
    let (device, enrolment) = (old.device_id.to_string(), old.enrolment_id.to_string());
    assert!(port.installation.run("device approve", &[enrolment.as_str()], "").is_err());
    for command in ["device activate", "device quarantine", "device revoke"] {
        let refused = port.installation.run(command, &[device.as_str()], "").unwrap_err();
        assert!(format!("{refused:#}").contains("given away"), "{command}: {refused:#}");
    }
    let stands = format!("SELECT status FROM device WHERE id = {own} AND archived_at IS NOT NULL");
    assert_eq!(raw.texts(&stands).await.unwrap(), ["released"]);
}
