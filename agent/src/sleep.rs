//! Waiting that counts the time the lid is closed.
//!
//! An ordinary timer stops while a laptop sleeps: one that is used an hour a day would report once a day. On Linux a
//! timer on CLOCK_BOOTTIME goes on counting; on Windows the clock does, and the service manager tells when the machine
//! woke. One wake-up per wait, on every system.

use std::time::Duration;

#[cfg(target_os = "linux")]
use linux as imp;
#[cfg(target_os = "linux")]
pub(crate) use linux::watched;
#[cfg(not(any(target_os = "linux", windows)))]
use other as imp;
#[cfg(windows)]
use windows as imp;
#[cfg(windows)]
pub use windows::resumed;

/// Waits, and returns by how much the wait was too long: the machine slept past its end.
pub async fn sleep(wait: Duration) -> Duration {
    if wait.is_zero() {
        return Duration::ZERO;
    }
    imp::sleep(wait).await
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{os::fd::OwnedFd, time::Duration};

    use rustix::time::{
        ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    pub(super) async fn sleep(wait: Duration) -> Duration {
        let start = since_boot();
        match timer(wait) {
            Ok(timer) => drop(timer.readable().await),
            // Without such a timer (very old kernels) an ordinary one does.
            Err(_) => tokio::time::sleep(wait).await,
        }
        since_boot().saturating_sub(start).saturating_sub(wait)
    }

    fn timer(wait: Duration) -> std::io::Result<AsyncFd<OwnedFd>> {
        let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        let it_value = Timespec::try_from(wait).map_err(std::io::Error::other)?;
        let spec = Itimerspec { it_interval: Timespec::default(), it_value };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &spec)?;
        watched(timer)
    }

    #[expect(
        deprecated,
        reason = "the constructor is sound for a descriptor that is owned and never replaced; its successor is an unsafe function, which this workspace forbids"
    )]
    pub(crate) fn watched(descriptor: OwnedFd) -> std::io::Result<AsyncFd<OwnedFd>> {
        AsyncFd::new(descriptor)
    }

    fn since_boot() -> Duration {
        Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
    }
}

#[cfg(windows)]
mod windows {
    use std::time::Duration;

    use tokio::{
        sync::Notify,
        time::{Instant, sleep_until},
    };

    static RESUMED: Notify = Notify::const_new();

    /// Tells the waits that the machine woke: Windows' waits stand still while it sleeps, its clock does not.
    pub fn resumed() {
        RESUMED.notify_waiters();
    }

    pub(super) async fn sleep(wait: Duration) -> Duration {
        let start = Instant::now();
        let end = start + wait;
        while Instant::now() < end {
            tokio::select! {
                () = sleep_until(end) => {}
                () = RESUMED.notified() => {}
            }
        }
        start.elapsed().saturating_sub(wait)
    }
}

/// An ordinary timer: on macOS it stops while the lid is closed, so that a contact comes later by that time.
#[cfg(not(any(target_os = "linux", windows)))]
mod other {
    use std::time::Duration;

    pub(super) async fn sleep(wait: Duration) -> Duration {
        tokio::time::sleep(wait).await;
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_ends_and_is_never_shorter_than_asked() {
        let start = std::time::Instant::now();
        sleep(Duration::from_millis(30)).await;
        assert!(start.elapsed() >= Duration::from_millis(30));
        assert_eq!(sleep(Duration::ZERO).await, Duration::ZERO);
    }
}
