//! What a key that machines shared still opens once it was set aside: it ends with a person's word, recovers to heal and for
//! nothing else, and stays until the new one is used.

use cartable_common::{
    UtcMillis,
    protocol::{CertificateGrant, HealRequest, RENEW_PATH, RenewRequest},
};
use cartable_server::clock;
use cartable_tests::gateway_client::{Credentials, Port, SITE, csr, enrol_request};
use rcgen::KeyPair;

use crate::{
    clone::{Machine, ask, cloned, enrol, enrolled, granted, heal, raw, say, waiting},
    recovery::{recover, shut_for},
};

on_both_engines! {
    a_key_that_is_set_aside_ends_with_a_persons_word,
    a_cloned_key_whose_certificate_has_ended_recovers_to_heal_and_for_nothing_else,
    the_old_key_stays_until_the_new_one_is_used,
}

async fn a_key_that_is_set_aside_ends_with_a_persons_word(port: Port) {
    let (mut master, device, image) = enrolled(&port, "PF2MASTER").await;
    assert_eq!(say(&port, &image, &Machine::new("PF2CLONE").whole()).await.outcome(), cloned());
    // The original is installed anew, with a token, and a person approves.
    let key = KeyPair::generate().unwrap();
    let token = port.installation.create_enrolment_token(SITE, 1).unwrap();
    let request = enrol_request(&token, &key, master.hardware.clone()).unwrap();
    assert_eq!(port.enrol(&request).await.unwrap().status, 202);
    let lines = waiting(&port);
    port.installation.run("device approve", &[&lines[0][0]], "").unwrap();
    let (again, own) = granted(&port.enrol(&request).await.unwrap(), &key);
    assert_eq!(again, device);
    let mut raw = raw(&port).await;
    let standing = raw.texts("SELECT status FROM enrolment ORDER BY created_at, id").await.unwrap();
    assert_eq!(standing, ["replaced", "active"]);
    // A copy of the old key takes nothing back: who says to be the master waits, and so does who does not.
    for serial in ["PF2MASTER", "PF2CLONE"] {
        assert_eq!(heal(&port, &image, &Machine::new(serial)).await.0.status, 202, "{serial}");
    }
    assert_eq!(say(&port, &own, &master.whole()).await.status, 200);
}

async fn a_cloned_key_whose_certificate_has_ended_recovers_to_heal_and_for_nothing_else(port: Port) {
    let (old, next) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut master = Machine::new("PF2MASTER");
    let (device, image) = granted(&enrol(&port, &master, &old).await, &old);
    let mut clone = Machine::new("PF2CLONE");
    assert_eq!(say(&port, &image, &clone.whole()).await.outcome(), cloned());
    let mut raw = raw(&port).await;
    shut_for(&mut raw, 200).await;

    assert_eq!(recover(&port, &old, &next).await.outcome(), (403, "quarantined".to_owned()), "for no other key");
    let answer = recover(&port, &old, &old).await;
    let grant: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    let days = grant.not_after.millis_since(clock::now()) / UtcMillis::DAY;
    assert!((6..=7).contains(&days) && grant.renew_from >= grant.not_after, "{answer:?}");
    let again: CertificateGrant = serde_json::from_slice(&recover(&port, &old, &old).await.body).unwrap();
    assert_eq!(again.certificate_chain_pem, grant.certificate_chain_pem, "the machines that have the key share it");
    assert_eq!(raw.number("SELECT count(*) FROM recovery").await.unwrap(), 0, "nothing was recovered");
    let told = "SELECT count(*) FROM audit WHERE action = 'recovery.grant' AND object_kind = 'enrolment'";
    assert_eq!(raw.number(told).await.unwrap(), 1);

    // It opens what the key may do, and no more.
    let image = Credentials::of(&grant.certificate_chain_pem, &old);
    assert_eq!(say(&port, &image, &clone.whole()).await.outcome(), cloned());
    assert_eq!(heal(&port, &image, &clone).await.0.status, 202);
    let renewal = serde_json::to_vec(&RenewRequest { csr_pem: csr(&next).unwrap() }).unwrap();
    let answer = port.connect_as(&image).await.unwrap().post(RENEW_PATH, &renewal).await.unwrap();
    assert_eq!(answer.outcome(), (403, "quarantined".to_owned()));
    let (answer, key) = heal(&port, &image, &master).await;
    let (healed, own) = granted(&answer, &key);
    assert_eq!(healed, device);
    assert_eq!(say(&port, &own, &master.whole()).await.status, 200);

    // The key has ended: a machine that slept through all that still finds out, and waits.
    raw.execute("UPDATE certificate SET not_after = not_before").await.unwrap();
    let answer = recover(&port, &old, &old).await;
    let grant: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    let image = Credentials::of(&grant.certificate_chain_pem, &old);
    assert_eq!(heal(&port, &image, &Machine::new("PF2LATE")).await.0.status, 202);
    port.installation.run("device quarantine", &[&device.to_string()], "").unwrap();
    raw.execute("UPDATE certificate SET not_after = not_before").await.unwrap();
    assert_eq!(
        recover(&port, &old, &old).await.outcome(),
        (403, "replaced".to_owned()),
        "of no device that is set aside"
    );
}

async fn the_old_key_stays_until_the_new_one_is_used(port: Port) {
    let (mut machine, device, old) = enrolled(&port, "PF2ALONE").await;
    assert_eq!(say(&port, &old, &machine.whole()).await.status, 200);
    let key = KeyPair::generate().unwrap();
    let request = machine.heal(&key);
    granted(&ask(&port, &old, &request).await, &key);
    // The answer was lost: the laptop goes on with what it has, and asks again.
    assert_eq!(say(&port, &old, &machine.unchanged()).await.status, 200);
    let (same, new) = granted(&ask(&port, &old, &request).await, &key);
    assert_eq!(same, device);
    assert_eq!(say(&port, &new, &machine.whole()).await.status, 200);
    // Now the old one has ended. It still hears what became of the key that it vouched for, and vouches for no other.
    let replaced = (403, "replaced".to_owned());
    assert_eq!(say(&port, &old, &machine.unchanged()).await.outcome(), replaced);
    assert_eq!(granted(&ask(&port, &old, &request).await, &key).0, device);
    for serial in ["PF2ALONE", "PF2OTHER"] {
        assert_eq!(heal(&port, &old, &Machine::new(serial)).await.0.outcome(), replaced, "{serial}");
    }
    let other = HealRequest { hardware: Machine::new("PF2OTHER").hardware, ..request };
    assert_eq!(ask(&port, &old, &other).await.outcome(), (409, "foreign-key".to_owned()));
    let mut raw = raw(&port).await;
    assert_eq!(raw.number("SELECT count(*) FROM cloned_key").await.unwrap(), 0);
}
