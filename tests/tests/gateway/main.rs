//! The device port over real TLS: enrolment, recovery, check-ins, identities, and whatever else may be sent to it.

mod approval;
mod bombs;
mod clone;
mod enrolment;
mod exams;
mod hostile;
mod http2;
mod identity;
mod recovery;
