//! Tells systemd how the agent fares (sd_notify(3)): ready, stopping, what it does, and how long silence is normal.
//!
//! A watchdog that wants a ping every minute would wake the laptop every minute. So before each wait the agent tells
//! systemd how long it will be silent, and before work how long work may take: the watchdog catches a hung agent and
//! costs no wake-up. systemd's watchdog does not count the time of a closed lid, the agent's timer does: it is never
//! late by sleeping. Where no service manager listens, nothing happens.

use std::time::Duration;

/// Longest work: six exchanges of a minute, sixteen drives of twenty seconds, a renewal, and as much again.
const WORK_LIMIT: Duration = Duration::from_mins(25);

/// How much later than planned a wait may end: a busy computer gives an idle-class program little.
const WAIT_MARGIN: Duration = Duration::from_mins(15);

/// The service has begun; a stop before the first contact is no failure.
pub fn ready() {
    send(&format!("READY=1\n{}", working_words()));
}

/// A contact begins.
pub fn working() {
    send(&working_words());
}

/// The agent does nothing for `wait`.
pub fn waiting(wait: Duration, why: &str) {
    send(&waiting_words(wait, why));
}

/// The agent was told to stop.
pub fn stopping() {
    send("STOPPING=1");
}

fn working_words() -> String {
    format!("WATCHDOG_USEC={}\nWATCHDOG=1\nSTATUS=Checking in", WORK_LIMIT.as_micros())
}

fn waiting_words(wait: Duration, why: &str) -> String {
    let limit = wait.saturating_add(WAIT_MARGIN).as_micros();
    // A line feed would begin an assignment of its own.
    let why = why.replace(['\n', '\r'], " ");
    format!("WATCHDOG_USEC={limit}\nWATCHDOG=1\nSTATUS={why}; next look in {} min", wait.as_secs().div_ceil(60))
}

#[cfg(target_os = "linux")]
fn send(words: &str) {
    use std::os::{
        linux::net::SocketAddrExt as _,
        unix::{ffi::OsStrExt as _, net},
    };
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => net::SocketAddr::from_abstract_name(name),
        None => net::SocketAddr::from_pathname(&socket),
    };
    let sent = address.and_then(|address| net::UnixDatagram::unbound()?.send_to_addr(words.as_bytes(), &address));
    if let Err(error) = sent {
        tracing::warn!(%error, "the service manager could not be told");
    }
}

#[cfg(not(target_os = "linux"))]
fn send(words: &str) {
    tracing::debug!(words, "no service manager listens");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_watchdog_always_outlasts_the_wait_and_no_words_become_an_assignment(seconds in 0_u64..=200_000, why in any::<String>()) {
            let words = waiting_words(Duration::from_secs(seconds), &why);
            let limit: u64 = words.strip_prefix("WATCHDOG_USEC=").unwrap().lines().next().unwrap().parse().unwrap();
            prop_assert!(limit >= (seconds + 600) * 1_000_000);
            prop_assert_eq!(words.split('\n').count(), 3);
        }
    }
}
