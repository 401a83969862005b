//! Faults of this program: a panic ends what it happened in, never the server, and stands in the log.

use std::{any::Any, panic::AssertUnwindSafe};

use futures_util::FutureExt as _;

/// Notes that `place` panicked.
pub fn log(place: &'static str, panic: &(dyn Any + Send)) {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
    tracing::error!(place, message, "failed by a fault of this program; everything else goes on");
}

/// Does `work`, which leaves nothing half done when it is dropped; `None` if it panicked.
pub async fn contain<T>(place: &'static str, work: impl Future<Output = T>) -> Option<T> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(done) => Some(done),
        Err(panic) => {
            log(place, &*panic);
            None
        }
    }
}

/// The same of work that waits for nothing.
pub fn contain_now<T>(place: &'static str, work: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).inspect_err(|panic| log(place, &**panic)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_the_work_and_nothing_else() {
        assert_eq!(contain("a test", async { 1 }).await, Some(1));
        let failed = contain("a test", async {
            tokio::task::yield_now().await;
            assert!(std::hint::black_box(false), "as intended");
        });
        assert_eq!(failed.await, None);
        assert_eq!(contain_now("a test", || 1), Some(1));
        assert_eq!(contain_now("a test", || assert!(std::hint::black_box(false), "as intended")), None);
    }
}
