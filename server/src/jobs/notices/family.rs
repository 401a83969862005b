//! Families: borrowers whose letters go to the same addresses, in the same language, get one letter for all.

use std::collections::HashMap;

use cartable_common::UtcMillis;
use jiff::civil::Date;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    NoticesError, Writing,
    post::{posts_of, way},
};
use crate::{
    domain::{notice::Recipient, notice_schedule::Calm, paris},
    mail::smtp::{Link, Mailer},
    store::{
        StoreError, Tx,
        audit::{self, NewAudit},
        message_address::{self, Known, Post},
        message_attempt::Attempt,
        message_family::{self, Neighbours},
    },
};

/// What is opened for a message: whose, and where their letters go.
struct Opened {
    recipient: Recipient,
    posts: Vec<Post>,
    sealed: bool,
}

impl Writing<'_> {
    /// Joins the messages of each family that wait for their first attempt. Nobody's identity is opened before there is a
    /// connection to the mail server, which is given back.
    pub(super) async fn join_families(
        &self,
        mailer: &Mailer,
        stop: &CancellationToken,
    ) -> Result<Option<Link>, NoticesError> {
        let now = (self.clock)();
        let today: Date = paris::date(now);
        let mut tx = self.store.read().await?;
        let mut waiting = message_family::neighbours(&mut tx, now).await?;
        drop(tx);
        waiting.retain(|one| Calm::new(self.policy, one.zone).allows(one.quiet, today));
        if waiting.is_empty() {
            return Ok(None);
        }
        let link = mailer.connect().await?;
        for one in waiting {
            if stop.is_cancelled() {
                break;
            }
            self.join_neighbours(one, now).await?;
        }
        Ok(Some(link))
    }

    async fn join_neighbours(&self, at: Neighbours, now: UtcMillis) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        let untried = message_family::untried(&mut tx, at, now).await?;
        let mut families: HashMap<[u8; 32], Uuid> = HashMap::new();
        let mut pairs = Vec::new();
        for one in &untried {
            // One that cannot be opened is reported when its own turn comes.
            let Ok(identity) = self.vault.open_identity(one.borrower, &one.sealed) else { continue };
            let Some(way) = way(&posts_of(&identity)) else { continue };
            let kept = *families.entry(self.vault.natural_key(&way)).or_insert(one.id);
            if kept != one.id {
                pairs.push((one.id, kept));
            }
        }
        message_family::join(&mut tx, &pairs).await?;
        let object_id = at.site.map(|site| site.to_string()).unwrap_or_default();
        let reading = NewAudit {
            actor: "job:notices",
            action: "borrower.identity_read",
            object_kind: "site",
            object_id: &object_id,
            details: json!({ "for": "grouping", "opened": untried.len() }),
        };
        audit::append(&mut tx, reading, now).await?;
        tx.commit().await
    }

    /// The addresses of a message. Who a borrower is, is opened here and written into the audit. Somebody whose letters no
    /// longer go where the family's do, because an address was corrected, is taken out of the message.
    pub(super) async fn posts(
        &self,
        tx: &mut Tx,
        attempt: &mut Attempt,
        now: UtcMillis,
    ) -> Result<Vec<Post>, StoreError> {
        let mut all = Vec::new();
        for recipient in attempt.recipients() {
            all.push(self.open(tx, recipient).await?);
        }
        let Some(first) = all.first().map(|first| first.posts.clone()) else { return Ok(Vec::new()) };
        let elsewhere = all.iter().filter(|one| way(&one.posts) != way(&first)).map(|one| one.recipient.id);
        let elsewhere: Vec<Uuid> = elsewhere.collect();
        message_family::part(tx, attempt.id, &elsewhere).await?;
        attempt.lines.retain(|line| !elsewhere.contains(&line.recipient));
        for one in all.iter().filter(|one| one.sealed) {
            let object_id = one.recipient.id.to_string();
            let reading = NewAudit {
                actor: "job:notices",
                action: "borrower.identity_read",
                object_kind: "borrower",
                object_id: &object_id,
                details: json!({ "for": "message", "message": attempt.id }),
            };
            audit::append(tx, reading, now).await?;
        }
        Ok(first)
    }

    async fn open(&self, tx: &mut Tx, recipient: Recipient) -> Result<Opened, StoreError> {
        let sealed = match message_address::of(tx, recipient).await? {
            Known::Gone => return Ok(Opened { recipient, posts: Vec::new(), sealed: false }),
            Known::Plain(posts) => return Ok(Opened { recipient, posts, sealed: false }),
            Known::Sealed(sealed) => sealed,
        };
        let posts = match self.vault.open_identity(recipient.id, &sealed) {
            Ok(identity) => posts_of(&identity),
            Err(error) => {
                tracing::error!(borrower = %recipient.id, %error, "a borrower's identity cannot be opened");
                Vec::new()
            }
        };
        Ok(Opened { recipient, posts, sealed: true })
    }
}
