//! The device port over real TLS: enrolment, check-ins, identities, and whatever else may be sent to it.

mod bombs;
mod clone;
mod enrolment;
mod hostile;
mod http2;
mod identity;
