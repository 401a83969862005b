//! Recovery: another certificate for a key whose one has ended while the laptop was shut.
//!
//! Nothing of it is kept on disk, because everything it needs is there already: the key. Each attempt begins with a new
//! nonce. Killed before the answer is kept, the next attempt is given the same certificate; a request that waits for a
//! person is known to the server by its key, however often it is repeated. No refusal removes the key or the spool.
//!
//! Whether a certificate has ended is the server's to say: this machine's clock may be wrong by years either way. It only
//! decides whether the server is asked before the contact or after one that failed.

use cartable_common::{
    UtcMillis,
    protocol::{CertificateGrant, RecoverNonceRequest, RecoverRequest, recovery_message},
};

use crate::{
    client::{Connect, EnrolAnswer, EnrolClient},
    clock::TrustedClock,
    identity::{self, Key},
    trouble::{Trouble, TroubleKind},
};

/// How sure it is that the certificate has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The server said so.
    Told,
    /// The clock here says so, or cannot be believed: the server's time decides.
    Perhaps,
}

/// Whether the certificate has ended by the best clock there is.
#[must_use]
pub fn seems_ended(grant: &CertificateGrant, clock: &TrustedClock, now: UtcMillis) -> bool {
    clock.latest(now) >= grant.not_after
}

/// Whether a contact may have failed because the certificate has ended, and how sure that is. The server refuses such a
/// certificate within the handshake, and its words may be lost with the connection: so a connection that breaks counts
/// where the certificate should have been renewed by now, or where the clock here is known to be wrong, by more than clocks
/// differ.
#[must_use]
pub fn after(trouble: &Trouble, grant: &CertificateGrant, clock: &TrustedClock, now: UtcMillis) -> Option<Ended> {
    if trouble.kind == TroubleKind::CertificateEnded {
        return Some(Ended::Told);
    }
    let is_old = clock.is_far_ahead_of(now) || clock.latest(now) >= grant.renew_from;
    (trouble.kind == TroubleKind::Unreachable && is_old).then_some(Ended::Perhaps)
}

/// Whether a failed recovery was the server's own answer to it: given only to whoever's certificate has ended by its clock.
#[must_use]
pub fn is_answer(failed: &Trouble) -> bool {
    matches!(failed.kind, TroubleKind::AwaitsApproval | TroubleKind::Refused)
}

/// Asks once for another certificate than the one that lasts until `not_after`. None where it has not ended by the server's
/// time, which `connect` learns. An answer that a person must agree first is a trouble of its own.
pub async fn ask(
    connect: &Connect,
    key: &Key,
    not_after: UtcMillis,
    ended: Ended,
) -> Result<Option<CertificateGrant>, Trouble> {
    let client = EnrolClient::new(connect).map_err(|error| Trouble::local(&error))?;
    let public_key = key.public_key_base64();
    let nonce = client.recovery_nonce(&RecoverNonceRequest { public_key: public_key.clone() }).await?;
    connect.clock.learn(nonce.server_time);
    if ended == Ended::Perhaps && nonce.server_time < not_after {
        return Ok(None);
    }
    let csr_pem = key.request_pem().map_err(|error| Trouble::of_key(&error))?;
    let message = recovery_message(&nonce.nonce, &csr_pem);
    let signature = key.sign_base64(&message).map_err(|error| Trouble::of_key(&error))?;
    let request = RecoverRequest { public_key, nonce: nonce.nonce, csr_pem, signature };
    match client.recover(&request).await? {
        EnrolAnswer::Granted(grant) => {
            identity::check_grant(&grant).map_err(|error| Trouble::local(&error))?;
            Ok(Some(grant))
        }
        EnrolAnswer::Pending(pending) => Err(Trouble::new(TroubleKind::AwaitsApproval, &pending.reason)),
    }
}

#[cfg(test)]
mod tests {
    use cartable_common::{DeviceId, EnrolmentId};
    use uuid::Uuid;

    use super::*;
    use crate::clock::built_at;

    /// A certificate given on the day after this agent was built.
    fn grant() -> CertificateGrant {
        let given = built_at().plus_days(1);
        CertificateGrant {
            device_id: DeviceId(Uuid::nil()),
            enrolment_id: EnrolmentId(Uuid::nil()),
            certificate_chain_pem: String::new(),
            not_after: given.plus_days(180),
            renew_from: given.plus_days(60),
            next_check_in_seconds: 60,
        }
    }

    #[test]
    fn the_best_clock_says_whether_to_ask_first() {
        let (grant, clock) = (grant(), TrustedClock::default());
        assert!(!seems_ended(&grant, &clock, built_at().plus_days(180)));
        assert!(seems_ended(&grant, &clock, built_at().plus_days(181)));
        // A dead battery: 1970, but the server once told the time.
        assert!(!seems_ended(&grant, &clock, UtcMillis::default()));
        clock.learn(built_at().plus_days(200));
        assert!(seems_ended(&grant, &clock, UtcMillis::default()));
    }

    #[test]
    fn a_failure_leads_to_a_recovery_only_where_the_certificate_may_be_why() {
        let (grant, clock) = (grant(), TrustedClock::default());
        let asked = |kind, now| after(&Trouble::new(kind, "test"), &grant, &clock, now);
        let fresh = built_at().plus_days(30);
        assert_eq!(asked(TroubleKind::CertificateEnded, fresh), Some(Ended::Told));
        assert_eq!(asked(TroubleKind::Unreachable, fresh), None, "renewed a month ago: the server is down");
        assert_eq!(asked(TroubleKind::Unreachable, built_at().plus_days(61)), Some(Ended::Perhaps));
        assert_eq!(asked(TroubleKind::Unreachable, UtcMillis::default()), Some(Ended::Perhaps), "the clock is wrong");
        clock.learn(fresh);
        let second_behind = fresh.plus_millis(-1000);
        assert_eq!(asked(TroubleKind::Unreachable, second_behind), None, "as clocks are");
        assert_eq!(asked(TroubleKind::Unreachable, fresh.plus_days(-1)), Some(Ended::Perhaps), "no clock is");
        for kind in [TroubleKind::Refused, TroubleKind::NameResolution, TroubleKind::Busy, TroubleKind::CaptivePortal] {
            assert_eq!(asked(kind, UtcMillis::default()), None, "{kind:?}");
        }
    }
}
