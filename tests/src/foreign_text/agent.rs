//! What the agent reads: of drives, of the kernel, of Windows, of whatever answers in the server's place.

use cartable_agent::{
    client::parse,
    collect::of_wmi,
    fairness::exams_until,
    identity::certificates,
    trouble::{Trouble, TroubleKind},
};
use cartable_common::{
    UtcMillis,
    limits::{MAX_ATA_ATTRIBUTES, MAX_EXAMS_SECONDS, MAX_TEXT_CHARS},
    power_supply::{battery, in_uevent},
    protocol::{CertificateGrant, CheckInResponse, EnrolPending, RecoverNonce},
    report::Drive,
    smartctl::merge,
    text::is_unshowable,
};
use reqwest::StatusCode;

use super::{is_a_report, survives_the_wire};

/// smartctl's JSON.
pub fn smartctl(bytes: &[u8]) {
    let Ok(answer) = serde_json::from_slice(bytes) else { return };
    let mut drive = Drive::default();
    merge(&mut drive, &answer);
    assert!(drive.ata_attributes.len() <= MAX_ATA_ATTRIBUTES);
    survives_the_wire(&drive);
    // Asked again, a drive that answers the same is the same.
    let before = drive.clone();
    merge(&mut drive, &answer);
    assert_eq!(drive, before);
}

/// What the kernel says of a power supply.
pub fn uevent(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some(battery) = battery(|name| in_uevent(&text, name).map(str::to_owned)) else { return };
    assert_ne!(battery.cycle_count, Some(0), "zero is not told");
    survives_the_wire(&battery);
}

/// What Windows says by WMI, a line of JSON for each class.
pub fn wmi(bytes: &[u8]) {
    is_a_report(&of_wmi(bytes));
}

/// The first byte chooses the status under which the rest comes as an answer of the server, or of what stands before it.
pub fn answer(bytes: &[u8]) {
    let Some((&choice, body)) = bytes.split_first() else { return };
    match [200, 202, 302, 401, 403, 404, 407, 429, 500, 503, 511][usize::from(choice) % 11] {
        200 => {
            if let Some(told) = success::<CheckInResponse>(body) {
                let most = UtcMillis::default().plus_millis(i64::from(MAX_EXAMS_SECONDS) * 1000);
                assert!(exams_until(told.exams_for_seconds, UtcMillis::default()).is_none_or(|until| until <= most));
            }
            if let Some(grant) = success::<CertificateGrant>(body) {
                assert!(certificates(&grant.certificate_chain_pem).map_or(true, |chain| !chain.is_empty()));
            }
            success::<RecoverNonce>(body);
        }
        202 => {
            success::<EnrolPending>(body);
        }
        status => {
            let status = StatusCode::from_u16(status).expect("a status that exists");
            let trouble = Trouble::of_status(status, None, body);
            is_for_people(&trouble);
            assert!(trouble.release.is_none() || trouble.kind == TroubleKind::Refused, "an order needs a refusal");
        }
    }
}

fn success<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(body: &[u8]) -> Option<T> {
    let read: Result<T, Trouble> = parse(body);
    match &read {
        Ok(value) => survives_the_wire(value),
        Err(trouble) => is_for_people(trouble),
    }
    read.ok()
}

/// What is kept of a stranger's words is short and can be shown.
fn is_for_people(trouble: &Trouble) {
    assert!(trouble.detail.chars().count() <= MAX_TEXT_CHARS);
    assert!(!trouble.detail.contains(is_unshowable));
}
