//! Starting and stopping: signals, cancellation, the tasks to wait for.
//!
//! Stopping has two steps: first the ports close and open requests end, then what they hand their work to (the ingest
//! writer, jobs) writes what waits and ends. A second signal ends the process at once; what was acknowledged is
//! durable either way.

use std::{process, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Exit status after a second signal, as shells give for an interrupt.
const ABORTED: i32 = 130;

/// The running program's tasks, in two groups.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    ports: Group,
    workers: Group,
}

/// Tasks that stop together.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Cancelled when they are to end.
    pub stop: CancellationToken,
    /// The tasks.
    pub tasks: TaskTracker,
}

impl Group {
    async fn end(&self, within: Duration) -> bool {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(within, self.tasks.wait()).await.is_ok()
    }
}

impl Lifecycle {
    /// Listeners and connections.
    pub const fn ports(&self) -> &Group {
        &self.ports
    }

    /// What they hand their work to.
    pub const fn workers(&self) -> &Group {
        &self.workers
    }

    /// Waits for a signal to stop; from then on, a second one ends the process.
    pub async fn until_signal(&self) {
        signal().await;
        tracing::info!("stopping; a second signal ends at once");
        tokio::spawn(async {
            signal().await;
            process::exit(ABORTED);
        });
    }

    /// Ends ports, then workers, each within `grace`.
    pub async fn end(&self, grace: Duration) {
        if !self.ports.end(grace).await {
            tracing::warn!("some connections did not end in time and are cut");
        }
        if !self.workers.end(grace).await {
            tracing::error!("some work did not end in time and is given up; nothing of it was acknowledged");
        }
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        tracing::error!("signals cannot be received; only SIGKILL stops this process");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
