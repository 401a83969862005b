//! How a command ends: its exit code, and what is said of a failure.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use cartable_common::said_once;

use crate::{
    client::ClientError,
    contact::OpenError,
    enrol::EnrolError,
    identity::IdentityError,
    language::Language,
    service::ServiceError,
    state::StateError,
    status::{self, Verdict},
    trouble::{Trouble, TroubleKind},
};

/// What a person gave to enrol with, and cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Given {
    #[error("the file of roots {} could not be read; `cartable-server show-roots` prints it", .0.display())]
    Roots(PathBuf),
    #[error("the token file {} could not be read", .0.display())]
    TokenFile(PathBuf),
    #[error("this is not an enrolment token: it is empty or too long")]
    Token,
}

/// Says what failed and, where that is known, what to do; gives the exit code.
pub(super) fn complain(error: &anyhow::Error, language: Language) -> ExitCode {
    let mut stderr = std::io::stderr();
    // Nothing is left to do when even standard error fails.
    let _ = writeln!(stderr, "cartable-agent: {}", words(error, language));
    let advise = if error.is::<EnrolError>() { status::enrol_advice } else { status::advice };
    if let Some(advice) = trouble_in(error).and_then(|trouble| advise(trouble.kind, language)) {
        let _ = writeln!(stderr, "{advice}");
    }
    ExitCode::from(exit_code(error))
}

/// What failed and why, in one line.
fn words(error: &anyhow::Error, language: Language) -> String {
    if let Some(error) = state_error_in(error) {
        return error.words(language);
    }
    said_once(error.chain().map(ToString::to_string))
}

fn trouble_in(error: &anyhow::Error) -> Option<&Trouble> {
    error.chain().find_map(|cause| match cause.downcast_ref::<EnrolError>() {
        Some(EnrolError::Trouble(trouble)) => Some(trouble),
        _ => cause.downcast_ref::<Trouble>(),
    })
}

pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(trouble) = trouble_in(error).filter(|trouble| status::verdict_of(trouble.kind) != Verdict::Trouble) {
        return code(status::verdict_of(trouble.kind));
    }
    let waits = |trouble: &Trouble| matches!(trouble.kind, TroubleKind::AwaitsApproval | TroubleKind::KeyLost);
    if trouble_in(error).is_some_and(waits) {
        return code(Verdict::Waiting);
    }
    if matches!(state_error_in(error), Some(StateError::InUse(_))) {
        return 6;
    }
    if is_for_a_person(error) {
        return UNUSABLE;
    }
    match error.downcast_ref::<ServiceError>() {
        Some(ServiceError::NotEnrolled | ServiceError::Invitation(_)) => code(Verdict::NotEnrolled),
        Some(ServiceError::Released) => RELEASED,
        _ => code(Verdict::Trouble),
    }
}

/// Whether trying again is of no use, however long one waits: what the agent keeps, or was given, cannot be used as it is.
fn is_for_a_person(error: &anyhow::Error) -> bool {
    let of_state = |error: &StateError| match error {
        StateError::Open { .. }
        | StateError::Foreign { .. }
        | StateError::OpenTo { .. }
        | StateError::Damaged { .. } => true,
        StateError::Identity(error) => error.is_unusable(),
        // The disk may be there again, or have room.
        StateError::InUse(_) | StateError::Io { .. } => false,
    };
    let of_client = |error: &ClientError| match error {
        ClientError::Identity(error) => error.is_unusable(),
        ClientError::Tls(_) | ClientError::Http(_) | ClientError::Proxy(_) => true,
    };
    let identity = match enrol_error_in(error) {
        Some(EnrolError::Identity(error)) => Some(error),
        _ => None,
    };
    state_error_in(error).is_some_and(of_state)
        || client_error_in(error).is_some_and(of_client)
        || identity.is_some_and(IdentityError::is_unusable)
        || error.is::<Given>()
}

/// The state folder's error, whichever command met it.
fn state_error_in(error: &anyhow::Error) -> Option<&StateError> {
    match (enrol_error_in(error), open_error_in(error)) {
        (Some(EnrolError::State(error)), _) | (_, Some(OpenError::State(error))) => Some(error),
        _ => error.downcast_ref::<StateError>(),
    }
}

fn client_error_in(error: &anyhow::Error) -> Option<&ClientError> {
    match (enrol_error_in(error), open_error_in(error)) {
        (Some(EnrolError::Client(error)), _) | (_, Some(OpenError::Client(error))) => Some(error),
        _ => None,
    }
}

/// The service's errors say what those below them say, and so are no links of a chain.
fn enrol_error_in(error: &anyhow::Error) -> Option<&EnrolError> {
    match error.downcast_ref::<ServiceError>() {
        Some(ServiceError::Enrol(error)) => Some(error),
        _ => error.downcast_ref::<EnrolError>(),
    }
}

fn open_error_in(error: &anyhow::Error) -> Option<&OpenError> {
    match error.downcast_ref::<ServiceError>() {
        Some(ServiceError::Open(error)) => Some(error),
        _ => error.downcast_ref::<OpenError>(),
    }
}

/// The exit code of an agent that has no enrolment.
#[cfg(windows)]
pub(crate) const NOT_ENROLLED: u8 = code(Verdict::NotEnrolled);

/// The exit code of an agent that removed itself.
pub(crate) const RELEASED: u8 = 7;

/// The exit code of an agent whose state, key or roots cannot be used: systemd does not start it again by itself.
const UNUSABLE: u8 = 8;

pub(super) const fn code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Well => 0,
        Verdict::Trouble => 1,
        Verdict::NotEnrolled => 3,
        Verdict::Waiting => 4,
        Verdict::Refused => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{key_store::StoreError, proxy, tpm::TpmError};
    use anyhow::Context as _;

    #[test]
    fn failures_have_their_exit_codes() {
        let refused = || Trouble::new(TroubleKind::Refused, "x");
        assert_eq!(exit_code(&refused().into()), 5);
        assert_eq!(exit_code(&EnrolError::from(refused()).into()), 5);
        assert_eq!(exit_code(&ServiceError::NotEnrolled.into()), 3);
        assert_eq!(exit_code(&ServiceError::Released.into()), 7);
        assert_eq!(exit_code(&StateError::InUse("x".into()).into()), 6);
        assert_eq!(exit_code(&EnrolError::from(StateError::InUse("x".into())).into()), 6);
        assert_eq!(exit_code(&Trouble::new(TroubleKind::Busy, "x").into()), 1);
        assert_eq!(exit_code(&Trouble::new(TroubleKind::AwaitsApproval, "x").into()), 4);
        let full = || Trouble::new(TroubleKind::QueueFull, "x");
        assert_eq!((exit_code(&full().into()), exit_code(&EnrolError::from(full()).into())), (4, 4));
        assert_eq!(exit_code(&Trouble::new(TroubleKind::KeyLost, "x").into()), 4);
        assert_eq!(exit_code(&Trouble::new(TroubleKind::Tpm, "x").into()), 1);
    }

    #[test]
    fn a_failure_is_said_once_and_the_state_folders_in_the_readers_language() {
        let english = |error: anyhow::Error| words(&error, Language::English);
        let refused = || Trouble::new(TroubleKind::Refused, "HTTP 403: X");
        assert_eq!(english(EnrolError::from(refused()).into()), "Refused: HTTP 403: X");
        let full = StateError::Io { path: "x".into(), source: std::io::ErrorKind::StorageFull.into() };
        let said = english(EnrolError::from(full).into());
        assert_eq!(said.matches("no storage space").count(), 1, "{said}");
        let absent = std::io::Error::from(std::io::ErrorKind::NotFound);
        let roots = Err::<(), _>(absent).with_context(|| Given::Roots("r.pem".into())).unwrap_err();
        assert_eq!(exit_code(&roots), 8);
        let said = english(roots);
        assert!(said.contains("r.pem could not be read") && said.ends_with(": entity not found"), "{said}");
        let damaged = StateError::Damaged { path: "x".into(), reason: "x".into() };
        assert!(words(&anyhow::Error::from(damaged), Language::French).starts_with("x est endommagé"));
    }

    #[test]
    fn what_a_person_gave_and_is_of_no_use_is_for_a_person() {
        assert_eq!(exit_code(&Given::Token.into()), 8);
        let invalid = || ClientError::from(proxy::InvalidProxy::of("HTTPS_PROXY"));
        assert_eq!(exit_code(&EnrolError::from(invalid()).into()), 8);
        assert_eq!(exit_code(&ServiceError::Open(invalid().into()).into()), 8);
    }

    #[test]
    fn what_only_a_person_can_mend_is_told_from_what_may_go_well_later() {
        let damaged = || StateError::Damaged { path: "x".into(), reason: "x".into() };
        let no_key = || IdentityError::Key("x".into());
        let silent = || IdentityError::Randomness;
        let full = || StateError::Io { path: "x".into(), source: std::io::ErrorKind::StorageFull.into() };
        let open = |error: OpenError| exit_code(&ServiceError::Open(error).into());
        let enrol = |error: EnrolError| exit_code(&ServiceError::Enrol(error).into());
        assert_eq!(exit_code(&damaged().into()), 8);
        assert_eq!(exit_code(&StateError::Open { path: "x".into(), mode: 0o755 }.into()), 8);
        assert_eq!((open(damaged().into()), enrol(damaged().into())), (8, 8));
        assert_eq!((open(ClientError::from(no_key()).into()), enrol(no_key().into())), (8, 8));
        let of_tpm = || IdentityError::from(TpmError::NoKey);
        let of_store = || IdentityError::from(StoreError::NoKey);
        assert_eq!((enrol(of_tpm().into()), enrol(of_store().into())), (8, 8), "what stands for a key is none");
        assert_eq!(enrol(IdentityError::from(StoreError::Absent).into()), 1, "it may be there again");
        assert_eq!((open(ClientError::from(silent()).into()), enrol(silent().into())), (1, 1));
        assert_eq!((exit_code(&full().into()), open(full().into()), enrol(full().into())), (1, 1, 1));
        assert_eq!(open(StateError::InUse("x".into()).into()), 6);
    }
}
