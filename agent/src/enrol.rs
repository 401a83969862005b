//! Enrolment: the key and the request are on disk before the first word to the server, so that repeating is harmless.
//!
//! A key is made once and never deleted by a refusal. Another key is made only for another server or when a technician
//! asks for it. A key whose certificate has ended gets no other by a token: it recovers, as in any contact.

use cartable_common::{
    UtcMillis,
    protocol::{Disclosure, EnrolRequest},
    report::{Hardware, KeyProtection},
};
use uuid::Uuid;

use crate::{
    client::{ClientError, Connect, EnrolAnswer, EnrolClient, Proxy},
    clock, heal,
    identity::{self, IdentityError, Key, Protection},
    recover::{self, Ended},
    roots,
    server_url::ServerUrl,
    spool::Spool,
    state::{Enrolment, Failure, Memory, Pending, StateDir, StateError},
    trouble::{Trouble, TroubleKind},
    version,
};

/// What a technician gives to enrol a laptop.
#[derive(Clone)]
pub struct Invitation {
    /// The server.
    pub server: ServerUrl,
    /// The authorities to trust, PEM.
    pub roots_pem: String,
    /// The token from the console.
    pub token: String,
    /// Whether an existing key may be used again.
    pub key: KeyChoice,
    /// Where a new key is made.
    pub protection: Protection,
    /// Who runs the agent, for the page that the borrower reads.
    pub disclosure: Disclosure,
}

/// Which key asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyChoice {
    /// The one there is for this server, or a new one.
    Keep,
    /// A new one, for a laptop whose old enrolment was revoked.
    New,
}

/// An enrolment that failed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The server's answer, or its absence.
    #[error("{0}")]
    Trouble(#[from] Trouble),
    /// The state folder.
    #[error(transparent)]
    State(#[from] StateError),
    /// The connection could not be prepared.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The roots or the certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The key that serves or waits is not where this one is wanted.
    #[error(
        "this computer has a key already, and it is not kept in the TPM; to ask with one that is, add --new-key, or leave \
         --key tpm out to go on with it"
    )]
    KeptElsewhere,
}

/// Where an enrolment stands.
#[derive(Debug)]
pub enum Progress {
    /// It is granted and kept.
    Enrolled(Box<Enrolment>),
    /// A person must approve it.
    Waiting {
        /// Seconds after which to ask again.
        retry_after_seconds: u32,
        /// The server's words.
        reason: String,
    },
}

/// Prepares the request of `invitation` on `machine`: the same as before if there was one for that server. Each other one would
/// wait for a person too, and of those that wait only the last has its key here.
pub fn prepare(state: &StateDir, invitation: Invitation, machine: &Hardware) -> Result<Pending, EnrolError> {
    identity::certificates(&invitation.roots_pem)?;
    let waits = state.pending()?;
    let earlier = earlier_request(state, waits.as_ref(), &invitation, machine)?;
    let Invitation { server, roots_pem, token, protection, disclosure, .. } = invitation;
    let (request_id, key) = match earlier {
        Some(earlier) => earlier,
        None => (Uuid::new_v4(), Key::make(&protection)?),
    };
    let pending = Pending::new(server, roots_pem, request_id, &key, token).disclosing(disclosure).after(waits);
    state.keep_pending(&pending)?;
    Ok(pending)
}

/// The request that is repeated, if one is: the one that waits, the one for a key of this machine's own where the state came
/// from another machine, or that of the enrolment itself.
fn earlier_request(
    state: &StateDir,
    waits: Option<&Pending>,
    invitation: &Invitation,
    machine: &Hardware,
) -> Result<Option<(Uuid, Key)>, EnrolError> {
    let enrolment = state.enrolment()?.filter(|enrolment| enrolment.server == invitation.server);
    let asked = waits.and_then(|waits| waits.request_to(&invitation.server));
    let is_of_enrolment =
        |asked: &Pending| enrolment.as_ref().is_some_and(|enrolment| enrolment.request_id == asked.request_id);
    let is_wanted =
        |key: &Key| !matches!(invitation.protection, Protection::Tpm(_)) || key.protection() == KeyProtection::Tpm;
    // For a key of this machine's own. One that cannot be used is no reason to ask with none.
    let healing = |enrolment: &Enrolment| {
        let healing = heal::under_way(state, enrolment)?;
        Some((healing.request_id, healing.key().ok()?)).filter(|(_, key)| is_wanted(key))
    };
    if invitation.key == KeyChoice::New {
        let repeated = asked.filter(|asked| !asked.is_refused && !is_of_enrolment(asked)).and_then(|asked| {
            let key = asked.key().ok().filter(&is_wanted)?;
            Some((asked.request_id, key))
        });
        return Ok(repeated.or_else(|| enrolment.as_ref().and_then(healing)));
    }
    let (id, key) = match (asked, &enrolment) {
        (Some(asked), _) => (asked.request_id, asked.key()?),
        (None, Some(enrolment)) if heal::is_elsewhere(enrolment, machine) => return Ok(healing(enrolment)),
        (None, Some(enrolment)) => (enrolment.request_id, enrolment.key()?),
        (None, None) => return Ok(None),
    };
    if is_wanted(&key) {
        return Ok(Some((id, key)));
    }
    // Nobody can agree to what no server has answered.
    let is_nobodys = asked.is_some_and(|asked| asked.reason.is_none() && !is_of_enrolment(asked));
    if is_nobodys { Ok(None) } else { Err(EnrolError::KeptElsewhere) }
}

/// Asks once.
pub async fn ask(state: &StateDir, pending: Pending, hardware: Hardware, proxy: Proxy) -> Result<Progress, EnrolError> {
    let mut connect = Connect::new(pending.server.clone(), &pending.roots_pem)?;
    connect.proxy = proxy;
    connect.clock = state.memory().clock();
    let machine = hardware.clone();
    let (mut pending, key, csr_pem) = certificate_request(state, pending)?;
    let request = EnrolRequest {
        request_id: pending.request_id,
        token: pending.token.trim().to_owned(),
        lost_key: pending.lost_key.clone(),
        csr_pem,
        hardware,
        agent_version: version(),
    };
    let mut answer = EnrolClient::new(&connect)?.enrol(&request).await;
    if answer.as_ref().is_err_and(roots::may_be_behind)
        && let Ok(Some(roots_pem)) = roots::newer(&connect, &pending.roots_pem).await
    {
        // The server's root was changed while this request waited, or since its file of roots was made.
        connect = connect.trusting(&roots_pem)?;
        pending = pending.trusting(roots_pem);
        state.keep_pending(&pending)?;
        answer = EnrolClient::new(&connect)?.enrol(&request).await;
    }
    let answer = match answer {
        Err(ended) if ended.kind == TroubleKind::CertificateEnded => recovered(&connect, &key, ended).await,
        answer => answer,
    };
    let answer = match answer.inspect_err(|trouble| remember(state, trouble)) {
        Err(trouble) if trouble.ends_key => {
            state.keep_pending(&pending.refused())?;
            return Err(trouble.into());
        }
        answer => answer?,
    };
    match answer {
        EnrolAnswer::Granted(grant) => {
            identity::check_grant(&grant)?;
            let enrolment = pending.granted(grant);
            // Before it counts: a kill in between costs what others tell themselves.
            leave_to_another(state, &enrolment, &machine)?;
            let enrolment = enrolment.on(machine);
            // What an earlier server knew is not what this one knows.
            state.forget_memory()?;
            state.keep_enrolment(&enrolment)?;
            Ok(Progress::Enrolled(Box::new(enrolment)))
        }
        EnrolAnswer::Pending(answer) => {
            let reason = cartable_common::Text::in_whole_words(&answer.reason).as_str().to_owned();
            state.keep_pending(&pending.waiting(reason.clone()))?;
            Ok(Progress::Waiting { retry_after_seconds: answer.retry_after_seconds, reason })
        }
    }
}

/// Leaves to the device that enrolled here before what it measured and was ordered, and what its family reads: the state came
/// from another machine.
fn leave_to_another(state: &StateDir, enrolment: &Enrolment, machine: &Hardware) -> Result<(), EnrolError> {
    let Some(before) = state.enrolment()?.filter(|before| before.grant.device_id != enrolment.grant.device_id) else {
        return Ok(());
    };
    let mut spool = Spool::open(&state.spool_folder()).map_err(|error| Trouble::local(&error))?;
    let dropped = spool.drop_foreign(machine).map_err(|error| Trouble::local(&error))?;
    let device = before.grant.device_id;
    tracing::warn!(%device, dropped, "what another device measured and was ordered is left to it");
    state.keep_actions(&state.actions(state.memory().clock().floor()).for_another())?;
    state.forget_shown()?;
    Ok(())
}

/// The certificate request of `pending`, with another key where the TPM says that it holds that one no more: nothing came of
/// it yet.
fn certificate_request(state: &StateDir, pending: Pending) -> Result<(Pending, Key, String), EnrolError> {
    let key = pending.key()?;
    match key.request_pem() {
        Ok(csr_pem) => return Ok((pending, key, csr_pem)),
        Err(error) if !error.is_lost() => return Err(Trouble::of_key(&error).into()),
        Err(error) => tracing::warn!(%error, "another key asks in place of the one that waited"),
    }
    let key = key.successor()?;
    let pending = pending.with_key(Uuid::new_v4(), &key);
    state.keep_pending(&pending)?;
    let csr_pem = key.request_pem().map_err(|error| Trouble::of_key(&error))?;
    Ok((pending, key, csr_pem))
}

/// Asks to come back with another key, because the TPM says that it does not hold the key of `lost` any more. The old
/// enrolment stays on disk until the new one is granted: a TPM that comes back finds its key. A person must agree, which
/// is a trouble of its own.
pub async fn come_back(
    state: &StateDir,
    lost: &Enrolment,
    hardware: Hardware,
    proxy: Proxy,
) -> Result<Enrolment, Trouble> {
    let pending = pending_for(state, lost).map_err(|error| trouble_of(&error))?;
    match ask(state, pending, hardware, proxy).await.map_err(|error| trouble_of(&error))? {
        Progress::Enrolled(enrolment) => Ok(*enrolment),
        Progress::Waiting { reason, .. } => Err(Trouble::new(TroubleKind::KeyLost, &reason)),
    }
}

/// The request that waits for that server, whoever made it; else a new one.
fn pending_for(state: &StateDir, lost: &Enrolment) -> Result<Pending, EnrolError> {
    if let Some(pending) = state.pending()?.filter(|pending| pending.server == lost.server) {
        return Ok(pending);
    }
    let old = lost.key()?;
    let new = old.successor()?;
    let pending = Pending::in_place_of(lost, old.public_key_base64(), Uuid::new_v4(), &new).after(state.pending()?);
    state.keep_pending(&pending)?;
    Ok(pending)
}

fn trouble_of(error: &EnrolError) -> Trouble {
    match error {
        EnrolError::Trouble(trouble) => trouble.clone(),
        EnrolError::Identity(error) => Trouble::of_key(error),
        EnrolError::State(error) => Trouble::local(error),
        EnrolError::Client(error) => Trouble::local(error),
        EnrolError::KeptElsewhere => Trouble::local(error),
    }
}

/// What the key, which the server knows, gets in place of its certificate that has `ended`. That a person must agree first is
/// a trouble of its own.
async fn recovered(connect: &Connect, key: &Key, ended: Trouble) -> Result<EnrolAnswer, Trouble> {
    // The server said that it has ended: when it did is not asked.
    let grant = recover::ask(connect, key, UtcMillis::default(), Ended::Told).await?;
    grant.map(EnrolAnswer::Granted).ok_or(ended)
}

/// Keeps why an enrolment failed, for `status`. Beside an enrolment that serves, only its own contacts count.
fn remember(state: &StateDir, trouble: &Trouble) {
    if state.enrolment().is_ok_and(|enrolment| enrolment.is_none()) {
        let failure = Failure { at: clock::now(), trouble: trouble.clone() };
        // A disk that cannot keep it costs a word in `status`, nothing else.
        let _ = state.keep_memory(&Memory { last_failure: Some(failure), ..state.memory() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation(server: &str, key: KeyChoice) -> Invitation {
        let authority = Key::generate().unwrap();
        let pair = rcgen::KeyPair::from_pem(&authority.to_pem()).unwrap();
        let roots_pem = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap().pem();
        Invitation {
            server: server.parse().unwrap(),
            roots_pem,
            token: "T".into(),
            key,
            protection: Protection::Software,
            disclosure: Disclosure::default(),
        }
    }

    #[test]
    fn repeating_keeps_the_request_and_the_key_until_another_is_asked_for() {
        let base = tempfile::tempdir().unwrap();
        let state = StateDir::open(&base.path().join("state")).unwrap();
        let first = prepare(&state, invitation("https://a.example", KeyChoice::Keep), &Hardware::default()).unwrap();
        let again = prepare(&state, invitation("https://a.example", KeyChoice::Keep), &Hardware::default()).unwrap();
        assert_eq!(first.request_id, again.request_id);
        assert_eq!(first.key().unwrap().public_key(), again.key().unwrap().public_key());
        let repeated = prepare(&state, invitation("https://a.example", KeyChoice::New), &Hardware::default()).unwrap();
        assert_eq!(first.request_id, repeated.request_id, "no enrolment has this key");
        state.keep_pending(&repeated.refused()).unwrap();
        let other = prepare(&state, invitation("https://a.example", KeyChoice::New), &Hardware::default()).unwrap();
        assert_ne!(first.request_id, other.request_id);
        assert_ne!(first.key().unwrap().public_key(), other.key().unwrap().public_key());
        let elsewhere =
            prepare(&state, invitation("https://b.example", KeyChoice::Keep), &Hardware::default()).unwrap();
        assert_ne!(elsewhere.request_id, other.request_id);
    }

    #[test]
    fn a_key_that_is_wanted_in_the_tpm_is_no_file_from_before() {
        let base = tempfile::tempdir().unwrap();
        let state = StateDir::open(&base.path().join("state")).unwrap();
        let wants_tpm = || Invitation {
            protection: Protection::Tpm(base.path().join("tpm0")),
            ..invitation("https://a.example", KeyChoice::Keep)
        };
        let prepare = |invitation| prepare(&state, invitation, &Hardware::default());
        let unsent = prepare(invitation("https://a.example", KeyChoice::Keep)).unwrap();
        assert!(matches!(prepare(wants_tpm()), Err(EnrolError::Identity(_))), "it is made anew, and no TPM answers");
        state.keep_pending(&unsent.waiting("a person must agree".into())).unwrap();
        assert!(matches!(prepare(wants_tpm()), Err(EnrolError::KeptElsewhere)), "a person may agree to it any time");
        assert!(prepare(invitation("https://a.example", KeyChoice::Keep)).is_ok());
    }

    #[test]
    fn roots_that_are_none_change_nothing() {
        let base = tempfile::tempdir().unwrap();
        let state = StateDir::open(&base.path().join("state")).unwrap();
        let bad = Invitation { roots_pem: "no PEM".into(), ..invitation("https://a.example", KeyChoice::Keep) };
        assert!(matches!(prepare(&state, bad, &Hardware::default()), Err(EnrolError::Identity(_))));
        assert!(state.pending().unwrap().is_none());
    }
}
