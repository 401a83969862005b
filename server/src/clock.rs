//! The one place of the server that reads the system's clock. Everything below takes `now` as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use cartable_common::UtcMillis;

/// The present moment; the first one of 1970 where the system's clock stands before it.
pub fn now() -> UtcMillis {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).ok().and_then(UtcMillis::new).unwrap_or_default()
}
