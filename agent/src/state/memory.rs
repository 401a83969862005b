//! What the agent learnt from contacts, to pace itself and to tell only what is new.

use cartable_common::{ContentHash, UtcMillis, protocol::Disclosure};
use serde::{Deserialize, Serialize};

use crate::{clock::TrustedClock, schedule::Pace, trouble::Trouble};

/// What was learnt from contacts. Losing it costs one needless report, nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Failures in a row and the planned next contact.
    pub pace: Pace,
    /// The last contact that went well, by this machine's clock.
    pub last_success_at: Option<UtcMillis>,
    /// The last one that failed.
    pub last_failure: Option<Failure>,
    /// The server's clock at the last contact that went well.
    pub server_time: Option<UtcMillis>,
    /// What the server holds of this machine.
    pub server_content: Option<ContentHash>,
    /// When a whole report was last acknowledged.
    pub last_full_at: Option<UtcMillis>,
    /// The end of an exam that the server announced, by this machine's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exams_until: Option<UtcMillis>,
    /// Since when battery or network hold contacts back, by this machine's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_since: Option<UtcMillis>,
    /// What the server said of who runs the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disclosure: Option<Disclosure>,
}

/// A contact that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When, by this machine's clock.
    pub at: UtcMillis,
    /// Why.
    pub trouble: Trouble,
}

impl Memory {
    /// A clock that knows what the server told last.
    pub fn clock(&self) -> TrustedClock {
        let clock = TrustedClock::default();
        if let Some(server_time) = self.server_time {
            clock.learn(server_time);
        }
        clock
    }
}
