//! How a command ends: its exit code, and what is said of a failure.

use std::{io::Write as _, process::ExitCode};

use crate::{
    contact::OpenError,
    enrol::EnrolError,
    language::Language,
    service::ServiceError,
    state::StateError,
    status::{self, Verdict},
    trouble::{Trouble, TroubleKind},
};

/// Says what failed and, where that is known, what to do; gives the exit code.
pub(super) fn complain(error: &anyhow::Error) -> ExitCode {
    let language = Language::of_environment();
    let mut stderr = std::io::stderr();
    // Nothing is left to do when even standard error fails.
    let _ = writeln!(stderr, "cartable-agent: {error:#}");
    let advise = if error.is::<EnrolError>() { status::enrol_advice } else { status::advice };
    if let Some(advice) = trouble_in(error).and_then(|trouble| advise(trouble.kind, language)) {
        let _ = writeln!(stderr, "{advice}");
    }
    ExitCode::from(exit_code(error))
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
    match error.downcast_ref::<ServiceError>() {
        Some(ServiceError::NotEnrolled | ServiceError::Invitation(_)) => code(Verdict::NotEnrolled),
        Some(ServiceError::Released) => RELEASED,
        _ => code(Verdict::Trouble),
    }
}

/// The state folder's error, whichever command met it.
fn state_error_in(error: &anyhow::Error) -> Option<&StateError> {
    match (error.downcast_ref::<EnrolError>(), error.downcast_ref::<OpenError>()) {
        (Some(EnrolError::State(error)), _) | (_, Some(OpenError::State(error))) => Some(error),
        _ => error.downcast_ref::<StateError>(),
    }
}

/// The exit code of an agent that has no enrolment.
#[cfg(windows)]
pub(crate) const NOT_ENROLLED: u8 = code(Verdict::NotEnrolled);

/// The exit code of an agent that removed itself.
pub(crate) const RELEASED: u8 = 7;

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
        assert_eq!(exit_code(&Trouble::new(TroubleKind::KeyLost, "x").into()), 4);
        assert_eq!(exit_code(&Trouble::new(TroubleKind::Tpm, "x").into()), 1);
    }
}
