//! The device port: TLS listener, device identity, enrolment, check-in, renewal.
