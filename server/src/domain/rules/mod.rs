//! The rules that raise flags. Each file holds one rule; this one runs them all.

use cartable_common::UtcMillis;

use super::{facts::DeviceFacts, flag::Finding, policy::Policy};

/// Everything that the rules say about a device at `now`. A flag that is no longer among the findings is cleared.
#[must_use]
pub fn evaluate(_facts: &DeviceFacts<'_>, _policy: &Policy, _now: UtcMillis) -> Vec<Finding> {
    Vec::new()
}
