//! Tells other systems of events, signed as Standard Webhooks has it (standardwebhooks.com, 1.0).
//!
//! A target is HTTPS, allowed by name in the configuration, and every address that its name resolves to must be a public
//! one; the connection goes to an address that was checked, so that a name that changes meanwhile leads nowhere. No
//! redirect is followed, and of an answer only the status counts.

mod address;
mod send;
mod sign;

pub use self::{
    send::{Refusal, Teller, TellerError},
    sign::{InvalidSecret, Secret},
};
