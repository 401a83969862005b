//! What the agent and the server agree on: the closed report schema, the messages of the device port, units,
//! identifiers and limits.
//!
//! Pure values only: no I/O, no async, no clock. Whatever is not described by a type here cannot be sent by an agent,
//! and `docs/what-is-sent.md` is generated from these types.

pub mod action;
pub mod calendar;
pub mod describe;
pub mod dictionary;
pub mod hash;
pub mod id;
pub mod identity;
pub mod limits;
pub mod machine;
pub mod pem;
pub mod power_supply;
pub mod protocol;
pub mod report;
pub mod smartctl;
pub mod text;
pub mod trust;
pub mod units;
pub mod update;
pub mod version;

pub use describe::{Described, Field};
pub use hash::ContentHash;
pub use id::{ActionId, DeviceId, EnrolmentId, ReportId};
pub use identity::{SerialNumber, SystemUuid};
pub use text::{Text, said_once};
pub use units::{Bytes, Celsius, Hours, MilliampHours, MilliwattHours, Percent, UtcDay, UtcMillis};
pub use version::AgentVersion;
