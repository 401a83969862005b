//! A key of one's own for a machine whose state folder was copied from another: a master image was taken with the key in it.
//!
//! The new key and its request are on disk before the first word to the server, and stay there until the enrolment is
//! granted and kept: killed at any moment, the agent asks the same again. Once is asked in a contact, never in a loop. The
//! old key is not deleted before the new one is granted.

use cartable_common::{EnrolmentId, Text, machine::Likeness, protocol::HealRequest, report::Hardware};

use crate::{
    client::{Client, EnrolAnswer},
    identity::{self, Key},
    state::{Enrolment, Healing, StateDir, StateError},
    trouble::{Trouble, TroubleKind},
    version,
};

/// Whether this machine is certainly not the one that enrolled. What cannot be read proves nothing.
#[must_use]
pub fn is_elsewhere(enrolment: &Enrolment, hardware: &Hardware) -> bool {
    enrolment.machine.as_ref().is_some_and(|enrolled| Likeness::of(enrolled, hardware) == Likeness::Other)
}

/// Whether this machine is certainly the one that enrolled.
#[must_use]
pub fn is_at_home(enrolment: &Enrolment, hardware: &Hardware) -> bool {
    enrolment.machine.as_ref().is_some_and(|enrolled| Likeness::of(enrolled, hardware) == Likeness::Same)
}

/// The new key that was asked for in the place of this enrolment's, and not yet granted.
#[must_use]
pub fn under_way(state: &StateDir, enrolment: &Enrolment) -> Option<Healing> {
    state.healing().filter(|healing| healing.old == enrolment.grant.enrolment_id)
}

/// Forgets a new key that was granted, or that came with an image: a kill may have left its file behind.
pub fn forget_what_is_over(state: &StateDir, enrolment: &Enrolment) -> Result<(), StateError> {
    match state.healing() {
        Some(healing) if healing.old != enrolment.grant.enrolment_id => state.forget_healing(),
        Some(_) | None => Ok(()),
    }
}

/// Asks once, on the connection of the old key. What is granted is not kept yet.
pub async fn ask(
    state: &StateDir,
    client: &Client,
    enrolment: &Enrolment,
    hardware: &Hardware,
) -> Result<Enrolment, Trouble> {
    let (healing, csr_pem) = certificate_request(state, request(state, enrolment)?)?;
    let request =
        HealRequest { request_id: healing.request_id, csr_pem, hardware: hardware.clone(), agent_version: version() };
    match client.heal(&request).await {
        Ok(EnrolAnswer::Granted(grant)) => {
            identity::check_grant(&grant).map_err(|error| Trouble::local(&error))?;
            Ok(enrolment.healed(healing, grant, hardware.clone()))
        }
        Ok(EnrolAnswer::Pending(answer)) => {
            let reason = Text::clean(&answer.reason);
            let retry_after_seconds = Some(answer.retry_after_seconds);
            Err(Trouble { retry_after_seconds, ..Trouble::new(TroubleKind::KeyCloned, reason.as_str()) })
        }
        Err(trouble) => {
            if trouble.kind == TroubleKind::Rejected {
                // The request itself was copied to another machine, which was faster: the next contact begins anew.
                state.forget_healing().map_err(|error| Trouble::local(&error))?;
            }
            Err(trouble)
        }
    }
}

/// The request as it was kept, or a new one, kept.
fn request(state: &StateDir, enrolment: &Enrolment) -> Result<Healing, Trouble> {
    if let Some(kept) = under_way(state, enrolment) {
        return Ok(kept);
    }
    let key = enrolment.key().map_err(|error| Trouble::of_key(&error))?;
    anew(state, enrolment.grant.enrolment_id, &key)
}

/// A new request in the place of the key of `old`, kept. Its key is made where `key` is.
fn anew(state: &StateDir, old: EnrolmentId, key: &Key) -> Result<Healing, Trouble> {
    let new = key.successor().map_err(|error| Trouble::of_key(&error))?;
    let healing = Healing::new(old, &new);
    state.keep_healing(&healing).map_err(|error| Trouble::local(&error))?;
    Ok(healing)
}

/// The certificate request of `healing`, with another key where the TPM says that it holds that one no more: nothing came of
/// it yet, and nobody could ever use it.
fn certificate_request(state: &StateDir, healing: Healing) -> Result<(Healing, String), Trouble> {
    let key = healing.key().map_err(|error| Trouble::of_key(&error))?;
    match key.request_pem() {
        Ok(csr_pem) => return Ok((healing, csr_pem)),
        Err(error) if !error.is_lost() => return Err(Trouble::of_key(&error)),
        Err(error) => tracing::warn!(%error, "another key asks in place of the one that was to heal"),
    }
    let healing = anew(state, healing.old, &key)?;
    let csr_pem = healing.key().and_then(|key| key.request_pem()).map_err(|error| Trouble::of_key(&error))?;
    Ok((healing, csr_pem))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use cartable_common::{DeviceId, SerialNumber, UtcMillis, protocol::CertificateGrant};
    use uuid::Uuid;

    use super::*;
    use crate::state::Pending;

    fn hardware(serial: &str) -> Hardware {
        Hardware { serial_number: SerialNumber::parse(serial).into(), ..Hardware::default() }
    }

    fn enrolment(id: u128) -> Enrolment {
        let key = Key::generate().unwrap();
        let server = "https://a.example".parse().unwrap();
        let grant = CertificateGrant {
            device_id: DeviceId(Uuid::nil()),
            enrolment_id: EnrolmentId(Uuid::from_u128(id)),
            certificate_chain_pem: String::new(),
            not_after: UtcMillis::default(),
            renew_from: UtcMillis::default(),
            next_check_in_seconds: 60,
        };
        Pending::new(server, "roots".into(), Uuid::nil(), &key, "token".into()).granted(grant)
    }

    #[test]
    fn only_another_machine_is_elsewhere() {
        let own = enrolment(1).on(hardware("PF2ABCDE"));
        assert!(is_elsewhere(&own, &hardware("PF2ZZZZZ")));
        assert!(!is_elsewhere(&own, &hardware("PF2ABCDE")));
        assert!(!is_elsewhere(&own, &Hardware::default()), "firmware that could not be read");
        assert!(!is_elsewhere(&enrolment(1), &hardware("PF2ZZZZZ")), "enrolled by an older agent");
    }

    #[test]
    fn one_key_is_made_for_an_enrolment_and_forgotten_with_it() {
        let base = tempfile::tempdir().unwrap();
        let state = StateDir::open(&base.path().join("state")).unwrap();
        let (first, second) = (enrolment(1), enrolment(2));
        assert!(under_way(&state, &first).is_none());
        let asked = request(&state, &first).unwrap();
        let again = request(&state, &first).unwrap();
        assert_eq!(asked.request_id, again.request_id);
        assert_eq!(asked.key().unwrap().public_key(), again.key().unwrap().public_key());
        assert!(
            under_way(&state, &first).is_some() && under_way(&state, &second).is_none(),
            "what is left of an earlier one is over"
        );
        forget_what_is_over(&state, &first).unwrap();
        assert!(under_way(&state, &first).is_some());
        forget_what_is_over(&state, &second).unwrap();
        assert!(state.healing().is_none());
        assert_ne!(request(&state, &second).unwrap().request_id, asked.request_id);
        assert_eq!(format!("{asked:?}"), format!("Healing({} [redacted])", first.grant.enrolment_id));
        state.keep_enrolment(&second).unwrap();
        assert!(state.healing().is_none());
    }
}
