//! A whole fleet on the wire: enrols the devices that are not yet, then keeps all of them checking in.
//!
//! Reads the clock (an edge). A device that is refused or cannot reach the server is tried again later; none stops the
//! others.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use cartable_common::UtcMillis;
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, sleep_until};

use super::{
    condition::Contact, device::Link, keyring::Keyring, lived::Lived, machine::Machine, random::Random, roster::Roster,
};

/// Devices that enrol at once: enough to keep a server's core busy beside this process.
const ENROLLING_AT_ONCE: usize = 6;

/// How much more often than the server says devices of the demonstration come back: its day passes in four hours.
const HASTE: u32 = 6;

/// Wait before a device that failed is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// A fleet and the server it talks to.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The machines.
    pub roster: Arc<Roster>,
    /// What those with a past have lived through.
    pub lived: Arc<Lived>,
    /// Their keys.
    pub keyring: Arc<Keyring>,
    /// The server.
    pub link: Link,
    /// One enrolment token for each (site, scheme code).
    pub tokens: Arc<Tokens>,
    /// What happened so far.
    pub progress: Arc<Progress>,
}

/// Enrolment tokens by site and scheme.
pub type Tokens = std::collections::HashMap<(usize, &'static str), String>;

/// Counts for people who watch.
#[derive(Debug, Default)]
pub struct Progress {
    /// Devices that are enrolled and have reported.
    pub present: Mutex<HashSet<u64>>,
    /// Contacts that succeeded.
    pub contacts: AtomicUsize,
    /// Enrolments and contacts that failed.
    pub failures: AtomicUsize,
    /// Why the last one failed.
    pub last_failure: Mutex<Option<String>>,
}

impl Progress {
    /// How many devices are enrolled and have reported.
    pub fn present(&self) -> usize {
        self.present.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn failed(&self, why: String) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

impl Fleet {
    /// How many devices are to be in contact.
    pub fn live(&self) -> usize {
        self.live_machines().count()
    }

    fn live_machines(&self) -> impl Iterator<Item = &Machine> {
        self.roster.machines.iter().filter(|machine| machine.condition.contact == Contact::Live)
    }

    /// Enrols every live device that is not enrolled and lets each report once. Gives for each when it is due again.
    pub async fn fill(&self) -> Vec<(Instant, u64)> {
        let indices: Vec<u64> = self.live_machines().map(|machine| machine.index).collect();
        stream::iter(indices)
            .map(|index| {
                let fleet = self.clone();
                async move { (fleet.appear(index).await, index) }
            })
            .buffer_unordered(ENROLLING_AT_ONCE)
            .collect()
            .await
    }

    /// Keeps devices checking in, each when it is due, one after the other: a light load. Never ends.
    pub async fn keep_alive(&self, due: Vec<(Instant, u64)>) {
        let mut due: BinaryHeap<Reverse<(Instant, u64)>> = due.into_iter().map(Reverse).collect();
        while let Some(Reverse((at, index))) = due.pop() {
            sleep_until(at).await;
            due.push(Reverse((self.appear(index).await, index)));
        }
        std::future::pending::<()>().await;
    }

    /// Enrols the device if needed, lets it check in, and tells when it is due again.
    async fn appear(&self, index: u64) -> Instant {
        match self.contact(index).await {
            Ok(seconds) => {
                self.progress.contacts.fetch_add(1, Ordering::Relaxed);
                Instant::now() + Duration::from_secs(u64::from(seconds / HASTE).max(30))
            }
            Err(error) => {
                self.progress.failed(format!("{error:#}"));
                // Spread, so that a restarted server does not meet everyone at once.
                Instant::now() + RETRY + Duration::from_millis(Random::of(index, "retry", 0).below(30_000))
            }
        }
    }

    async fn contact(&self, index: u64) -> anyhow::Result<u32> {
        let place = usize::try_from(index)?;
        let machine = &self.roster.machines[place];
        let mut identity = self.keyring.identity(index)?;
        if identity.granted.is_none() {
            let token = self.tokens.get(&(machine.site, machine.programme.code())).map_or("", String::as_str);
            identity.granted = Some(self.link.enrol(&identity, token, machine.hardware()).await?);
            self.keyring.keep(identity.clone())?;
        }
        let now = now();
        let report = self.lived.life(machine).report(now);
        let contacted = self.link.device(&identity)?.contact(report, machine.own_clock(now), now).await?;
        self.progress.present.lock().unwrap_or_else(PoisonError::into_inner).insert(index);
        Ok(contacted.answer.next_check_in_seconds)
    }
}

fn now() -> UtcMillis {
    cartable_agent::clock::now()
}
