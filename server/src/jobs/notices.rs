//! Writes the day's reminders, groups what waits by recipient, and sends it.
//!
//! Each step can be cut off anywhere and is taken up by the next run: reminders have keys, messages have their
//! Message-ID before the first attempt, and an attempt is written down before it is made. A family's children share a
//! letter. An address is looked up for one message, used, and forgotten; each reading of who a borrower is leaves a row
//! in the audit.

mod family;
mod post;

use cartable_common::UtcMillis;
use data_encoding::HEXLOWER;
use jiff::{ToSpan as _, civil::Date};
use tokio_util::sync::CancellationToken;

use self::post::{letter, outcome};
use crate::{
    domain::{
        notice::{NO_ADDRESS, Reason, Recipient, RecipientKind},
        notice_schedule::{Calm, in_hours},
        paris,
        policy::Policy,
    },
    mail::smtp::{Link, Mailer, Parcel, Trouble},
    store::{
        Store, StoreError, Tx, message,
        message_address::{self, Post},
        message_attempt::{self, Attempt, Delivery, Outcome},
        notice::{self, NewNotice},
        notice_due,
    },
    vault::Vault,
};

/// How long notices and messages are kept after they ended.
const KEPT_DAYS: i64 = 400;

/// What writing to people needs.
#[derive(Clone, Copy)]
pub struct Writing<'a> {
    /// The database.
    pub store: &'a Store,
    /// Opens who borrowers are.
    pub vault: &'a Vault,
    /// Hands letters over; without one, notices wait.
    pub mailer: Option<&'a Mailer>,
    /// The rules.
    pub policy: &'a Policy,
    /// The clock: a run with thousands of letters takes a while.
    pub clock: &'a (dyn Fn() -> UtcMillis + Sync),
}

impl std::fmt::Debug for Writing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writing")
    }
}

/// Why a run stopped early.
#[derive(Debug, thiserror::Error)]
pub enum NoticesError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The mail server.
    #[error(transparent)]
    Mail(#[from] Trouble),
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Reminders that were written.
    pub written: u64,
    /// Messages that were made.
    pub messages: u64,
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that wait for another attempt.
    pub postponed: u64,
    /// Messages that failed for good.
    pub failed: u64,
}

impl Writing<'_> {
    /// One run; stops early when `shutdown` is cancelled, or when the mail server cannot be used.
    pub async fn run(&self, shutdown: &CancellationToken) -> Result<Done, NoticesError> {
        let now = (self.clock)();
        let today = paris::date(now);
        let mut done = Done::default();
        let mut tx = self.store.write().await?;
        message::expire(&mut tx, today).await?;
        tx.commit().await?;
        self.write_reminders(today, now, &mut done, shutdown).await?;
        let Some(mailer) = self.mailer.filter(|_| in_hours(self.policy, paris::date_time(now))) else {
            return Ok(done);
        };
        self.group(mailer, today, now, &mut done, shutdown).await?;
        self.send(mailer, &mut done, shutdown).await?;
        Ok(done)
    }

    /// Once a day: the reminders that the programmes' schedules ask for.
    async fn write_reminders(
        &self,
        today: Date,
        now: UtcMillis,
        done: &mut Done,
        shutdown: &CancellationToken,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.read().await?;
        let written = notice_due::is_written(&mut tx, today).await?;
        let programmes = notice_due::programmes(&mut tx).await?;
        drop(tx);
        if written {
            return Ok(());
        }
        let run = notice_due::Run { policy: self.policy, today, now };
        for programme in &programmes {
            let mut after = None;
            loop {
                if shutdown.is_cancelled() {
                    return Ok(());
                }
                let mut tx = self.store.write().await?;
                let (new, next) = notice_due::write(&mut tx, run, programme, after).await?;
                tx.commit().await?;
                done.written += new;
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        let mut tx = self.store.write().await?;
        message::forget(&mut tx, now.plus_days(-KEPT_DAYS)).await?;
        notice_due::set_written(&mut tx, today).await?;
        tx.commit().await
    }

    /// One message for each recipient for whom something may leave today.
    async fn group(
        &self,
        mailer: &Mailer,
        today: Date,
        now: UtcMillis,
        done: &mut Done,
        shutdown: &CancellationToken,
    ) -> Result<(), StoreError> {
        let mut after = None;
        while !shutdown.is_cancelled() {
            let mut tx = self.store.write().await?;
            let mut waiting = message::waiting(&mut tx, after, today).await?;
            let Some(last) = waiting.last().map(|last| last.recipient) else { return Ok(()) };
            after = Some(last);
            waiting.retain(|one| Calm::new(self.policy, one.zone).allows(one.quiet, today));
            done.messages += message::group(&mut tx, &waiting, mailer.domain(), now).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Sends what is due, over one connection as long as it lasts.
    async fn send(&self, mailer: &Mailer, done: &mut Done, shutdown: &CancellationToken) -> Result<(), NoticesError> {
        let (mut link, mut after) = (self.join_families(mailer, shutdown).await?, None);
        while !shutdown.is_cancelled() {
            let now = (self.clock)();
            let mut tx = self.store.read().await?;
            let due = message::due(&mut tx, after, now).await?;
            drop(tx);
            let Some(last) = due.last().copied() else { break };
            after = Some(last);
            for one in due {
                let (now, today) = ((self.clock)(), paris::date((self.clock)()));
                if shutdown.is_cancelled() {
                    break;
                }
                if !Calm::new(self.policy, one.zone).allows(one.quiet, today) {
                    continue;
                }
                // First the connection: while there is none, no attempt is counted and nobody's identity is opened.
                let sound = link.take().filter(Link::is_sound);
                let open = match sound {
                    Some(open) => open,
                    None => mailer.connect().await?,
                };
                link = self.one(mailer, open, one.id, today, now, done).await?;
            }
        }
        if let Some(link) = link {
            link.close().await;
        }
        Ok(())
    }

    /// One attempt at one message; gives the connection back if it may still be used.
    async fn one(
        &self,
        mailer: &Mailer,
        mut link: Link,
        id: uuid::Uuid,
        today: Date,
        now: UtcMillis,
        done: &mut Done,
    ) -> Result<Option<Link>, NoticesError> {
        let mut tx = self.store.write().await?;
        let mut attempt = message_attempt::begin(&mut tx, id, today, now).await?;
        let posts = match &mut attempt {
            Some(attempt) => self.posts(&mut tx, attempt, now).await?,
            None => Vec::new(),
        };
        tx.commit().await?;
        let Some(attempt) = attempt else { return Ok(Some(link)) };
        let outcome = if posts.is_empty() {
            Outcome::Failed { error: NO_ADDRESS.to_owned() }
        } else {
            self.hand_over(mailer, &mut link, &attempt, &posts, now).await
        };
        let in_doubt = matches!(outcome, Outcome::InDoubt { .. });
        match &outcome {
            Outcome::Sent { .. } => done.sent += 1,
            Outcome::Postponed { .. } | Outcome::InDoubt { .. } => done.postponed += 1,
            Outcome::Failed { error } => {
                tracing::warn!(message = %id, error, "a message could not be delivered");
                done.failed += 1;
            }
            Outcome::Cancelled => {}
        }
        let now = (self.clock)();
        let mut tx = self.store.write().await?;
        if matches!(outcome, Outcome::Failed { .. }) {
            pass_on(&mut tx, &attempt, today, now).await?;
        }
        message_attempt::finish(&mut tx, id, outcome, now).await?;
        tx.commit().await?;
        Ok(if in_doubt { None } else { Some(link) })
    }

    /// Hands the letter over to every address that has not taken it yet.
    async fn hand_over(
        &self,
        mailer: &Mailer,
        link: &mut Link,
        attempt: &Attempt,
        posts: &[Post],
        now: UtcMillis,
    ) -> Outcome {
        let mut deliveries = attempt.deliveries.clone();
        let (mut refused, mut trouble) = (None, None);
        for post in posts {
            let address = HEXLOWER.encode(&self.vault.natural_key(&post.email));
            if deliveries.iter().any(|known| known.address == address) {
                continue;
            }
            let said = letter(mailer, attempt, post.language);
            let parcel =
                Parcel { mail_id: &attempt.mail_id, to: &post.email, letter: &said, dated: attempt.created_at };
            match send(mailer, link, parcel).await {
                Ok(()) => deliveries.push(Delivery { address, taken: true }),
                Err(Trouble::Refused(error)) => {
                    refused = Some(error);
                    deliveries.push(Delivery { address, taken: false });
                }
                Err(other) => {
                    trouble = Some(other);
                    break;
                }
            }
        }
        outcome(attempt, deliveries, refused, trouble, now)
    }
}

/// Hands a letter over on a connection that is sound: mail servers are left after a refusal.
async fn send(mailer: &Mailer, link: &mut Link, parcel: Parcel<'_>) -> Result<(), Trouble> {
    if !link.is_sound() {
        *link = mailer.connect().await?;
    }
    mailer.send(link, parcel).await
}

/// A family that cannot be reached is told by whoever answers for the site: reminders and letters are passed on to the
/// referents.
async fn pass_on(tx: &mut Tx, attempt: &Attempt, today: Date, now: UtcMillis) -> Result<(), StoreError> {
    /// How long passing on still makes sense.
    const DAYS: i64 = 14;
    let (RecipientKind::Borrower, Some(site)) = (attempt.recipient.kind, attempt.site) else { return Ok(()) };
    let referents = message_address::referents(tx, site).await?;
    let worth = |reason: &Reason| matches!(reason, Reason::LoanDue { .. } | Reason::Campaign { .. });
    let mut notices = Vec::new();
    for line in attempt.lines.iter().filter(|line| worth(&line.reason)) {
        for referent in &referents {
            notices.push(NewNotice {
                recipient: Recipient::referent(*referent),
                site: Some(site),
                reason: Reason::Unreachable { loan: line.reason.loan() },
                not_before: today,
                not_after: today.saturating_add(DAYS.days()),
            });
        }
    }
    notice::add_all(tx, &notices, now).await.map(drop)
}
