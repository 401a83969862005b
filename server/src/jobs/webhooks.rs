//! Tells other systems of the events that wait. Each target has its own line: one that does not answer delays no other.

use cartable_common::UtcMillis;
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    domain::notice_schedule::{next_attempt, out_of_patience},
    store::{
        Store, StoreError,
        webhook::{self, Due, Told},
    },
    vault::Vault,
    webhook::{Refusal, Secret, Teller},
};

/// How long deliveries are kept after they ended.
const KEPT_DAYS: i64 = 30;

/// What telling needs.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// The database.
    pub store: &'a Store,
    /// Opens the signing secrets.
    pub vault: &'a Vault,
    /// Tells.
    pub teller: &'a Teller,
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Events that were taken.
    pub delivered: usize,
    /// Events that wait for another attempt.
    pub later: usize,
    /// Events that are given up.
    pub given_up: usize,
}

impl Telling<'_> {
    /// Tells of what is due; stops early when `shutdown` is cancelled.
    pub async fn run(self, now: UtcMillis, shutdown: &CancellationToken) -> Result<Done, StoreError> {
        let mut done = Done::default();
        while !shutdown.is_cancelled() {
            let mut tx = self.store.read().await?;
            let due = webhook::due(&mut tx, now).await?;
            drop(tx);
            if due.is_empty() {
                break;
            }
            for part in join_all(by_target(due).into_iter().map(|line| self.line(line, now))).await {
                let part = part?;
                done.delivered += part.delivered;
                done.later += part.later;
                done.given_up += part.given_up;
            }
        }
        let mut tx = self.store.write().await?;
        webhook::forget(&mut tx, now.plus_days(-KEPT_DAYS)).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Tells one target of its events in order. After one that could not be told, the rest waits like it.
    async fn line(self, events: Vec<Due>, now: UtcMillis) -> Result<Done, StoreError> {
        let mut done = Done::default();
        let mut broken: Option<String> = None;
        for event in events {
            let told = match &broken {
                Some(error) => put_off(&event, error.clone(), now),
                None => match self.tell(&event, now).await {
                    Ok(()) => Told::Delivered,
                    Err(refusal) => {
                        let error = refusal.to_string();
                        broken = Some(error.clone());
                        if final_word(&refusal) { Told::GivenUp { error } } else { put_off(&event, error, now) }
                    }
                },
            };
            match &told {
                Told::Delivered => done.delivered += 1,
                Told::Later { .. } => done.later += 1,
                Told::GivenUp { error } => {
                    tracing::warn!(webhook = %event.webhook, event = %event.event, error, "an event is given up");
                    done.given_up += 1;
                }
            }
            let mut tx = self.store.write().await?;
            webhook::told(&mut tx, event.id, told, now).await?;
            tx.commit().await?;
        }
        Ok(done)
    }

    async fn tell(self, event: &Due, now: UtcMillis) -> Result<(), Refusal> {
        let opened = self.vault.open("webhook", event.webhook, &event.sealed_secret);
        let secret = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|it| Secret::parse(&it).ok());
        let Some(secret) = secret else {
            return Err(Refusal::Connection("its signing secret cannot be opened: another master key?".to_owned()));
        };
        let id = format!("msg_{}", event.id.simple());
        self.teller.tell(&event.url, &secret, &id, &event.payload, now).await
    }
}

fn by_target(due: Vec<Due>) -> Vec<Vec<Due>> {
    let mut lines: Vec<(Uuid, Vec<Due>)> = Vec::new();
    for event in due {
        match lines.iter_mut().find(|(webhook, _)| *webhook == event.webhook) {
            Some((_, line)) => line.push(event),
            None => lines.push((event.webhook, vec![event])),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Later, or never if it has waited long enough.
fn put_off(event: &Due, error: String, now: UtcMillis) -> Told {
    if out_of_patience(event.created_at, now) {
        Told::GivenUp { error }
    } else {
        Told::Later { next: next_attempt(event.attempts + 1, now), error }
    }
}

/// Whether another attempt could not help.
fn final_word(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Target(_) | Refusal::Gone => true,
        Refusal::Inside(_)
        | Refusal::Unresolved(_)
        | Refusal::Connection(_)
        | Refusal::TimeLimit
        | Refusal::Status(_) => false,
    }
}
