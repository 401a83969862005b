//! Tells other systems of the events that wait. Each target has its own line, oldest event first: one that does not
//! answer, or has thousands waiting, delays no other.

use cartable_common::UtcMillis;
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    domain::notice_schedule::{given_up_before, next_attempt},
    store::{
        Store, StoreError, Tx,
        webhook::{self, Due, PutOff, Told},
    },
    vault::Vault,
    webhook::{Refusal, Secret, Teller},
};

/// How long deliveries are kept after they ended.
const KEPT_DAYS: i64 = 30;
/// How long one line may go on in a run: a target that answers slowly and has many events waiting must not keep the run
/// from ending, after which the others' new events are looked for.
const TURN_MILLIS: i64 = 60_000;

/// What telling needs.
#[derive(Clone, Copy)]
pub struct Telling<'a> {
    /// The database.
    pub store: &'a Store,
    /// Opens the signing secrets.
    pub vault: &'a Vault,
    /// Tells.
    pub teller: &'a Teller,
    /// The clock, read for each event: receivers refuse what was signed minutes ago.
    pub clock: &'a (dyn Fn() -> UtcMillis + Sync),
}

impl std::fmt::Debug for Telling<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Telling")
    }
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Events that were taken.
    pub delivered: u64,
    /// Events that wait for another attempt.
    pub later: u64,
    /// Events that are given up.
    pub given_up: u64,
}

impl Telling<'_> {
    /// Tells of what is due; stops early when `shutdown` is cancelled.
    pub async fn run(self, shutdown: &CancellationToken) -> Result<Done, StoreError> {
        let now = (self.clock)();
        let mut tx = self.store.write().await?;
        webhook::forget(&mut tx, now.plus_days(-KEPT_DAYS)).await?;
        let mut done = Done { given_up: webhook::give_up_disabled(&mut tx, now).await?, ..Done::default() };
        tx.commit().await?;
        let mut tx = self.store.read().await?;
        let lines = webhook::lines(&mut tx, now).await?;
        drop(tx);
        for part in join_all(lines.into_iter().map(|line| self.line(line, shutdown))).await {
            let part = part?;
            done.delivered += part.delivered;
            done.later += part.later;
            done.given_up += part.given_up;
        }
        Ok(done)
    }

    /// Tells one target of its events in order. After one that could not be told, the rest waits like it.
    async fn line(self, webhook: Uuid, shutdown: &CancellationToken) -> Result<Done, StoreError> {
        let mut done = Done::default();
        let began = (self.clock)();
        loop {
            let now = (self.clock)();
            if shutdown.is_cancelled() || now.millis_since(began) > TURN_MILLIS {
                return Ok(done);
            }
            // Looked up anew for each: the webhook may have been disabled meanwhile.
            let mut tx = self.store.read().await?;
            let event = webhook::next(&mut tx, webhook, now).await?;
            drop(tx);
            let Some(event) = event else { return Ok(done) };
            let told = self.tell(&event, now).await;
            let now = (self.clock)();
            let mut tx = self.store.write().await?;
            if let Err(refusal) = &told {
                let (given_up, later) = broken(&mut tx, &event, refusal, now).await?;
                done.given_up += given_up;
                done.later += later;
            } else {
                webhook::told(&mut tx, event.id, Told::Delivered, now).await?;
                done.delivered += 1;
            }
            tx.commit().await?;
            if told.is_err() {
                return Ok(done);
            }
        }
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

/// Writes down that `event` could not be told, and puts its line off; how many events are given up, and how many wait.
async fn broken(tx: &mut Tx, event: &Due, refusal: &Refusal, now: UtcMillis) -> Result<(u64, u64), StoreError> {
    let error = &refusal.to_string();
    let last = final_word(refusal);
    if last {
        webhook::told(tx, event.id, Told::GivenUp { error }, now).await?;
    }
    let how = PutOff {
        tried: (!last).then_some(event.id),
        next: next_attempt(event.attempts + 1, now),
        given_up_before: given_up_before(now),
        error,
    };
    let (given_up, later) = webhook::put_off(tx, event.webhook, how, now).await?;
    let given_up = given_up + u64::from(last);
    if given_up > 0 {
        tracing::warn!(webhook = %event.webhook, event = %event.event, given_up, error, "events are given up");
    }
    Ok((given_up, later))
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
