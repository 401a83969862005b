//! What the agent speaks with, changed in the middle of a contact: its key, the certificate for it, the roots that it trusts.
//!
//! Nothing takes the place of what works before a client was made with it.

use cartable_common::{protocol::RenewRequest, report::Hardware, trust::bundle_number};

use super::{Agent, Done, client_of, obey};
use crate::{
    client::Connect,
    clock,
    enrol::{self, Progress},
    fairness::Surroundings,
    heal, identity,
    reader::Occasion,
    recover::{self, Ended},
    roots,
    spool::Spool,
    state::{Enrolment, Memory, Pending},
    trouble::Trouble,
};

impl Agent {
    /// The TPM does not hold the key any more: asks with another, and goes on with that one once a person agreed.
    pub(super) async fn come_back(&mut self, occasion: Occasion, around: &Surroundings) -> Result<Done, Trouble> {
        let hardware = self.reader.hardware().await;
        let enrolment = enrol::come_back(&self.state, &self.enrolment, hardware, self.connect.proxy).await?;
        self.take(enrolment)?;
        tracing::warn!("this computer came back with another key: the TPM did not hold the old one any more");
        self.contact(occasion, around).await
    }

    /// Asks once for the enrolment that waits beside this one, and goes on with it where it is granted: the server ends this one
    /// as soon as a person agrees. Whatever else comes of it, this one's contact takes place.
    pub(super) async fn ask_anew(&mut self) {
        // One that is there because the TPM did not hold the key is asked for when it does not: the TPM may be back.
        let waits = |pending: &Pending| pending.lost_key.is_none() && !pending.is_refused;
        let Some(pending) = self.state.pending().ok().flatten().filter(waits) else { return };
        let told = pending.reason.clone();
        let hardware = self.reader.hardware().await;
        match enrol::ask(&self.state, pending, hardware, self.connect.proxy).await {
            Ok(Progress::Enrolled(enrolment)) => match self.take(*enrolment) {
                Ok(()) => tracing::info!(device = %self.enrolment.grant.device_id, "the new enrolment is granted"),
                Err(trouble) => {
                    tracing::warn!(%trouble, "the new enrolment is granted; the next start goes on with it");
                }
            },
            Ok(Progress::Waiting { reason, .. }) if told.as_ref() == Some(&reason) => {}
            Ok(Progress::Waiting { reason, .. }) => {
                tracing::info!(%reason, "the new enrolment waits for approval; the old one goes on");
            }
            Err(error) => tracing::warn!(%error, "the new enrolment is not granted; the old one goes on"),
        }
    }

    /// Goes on with an enrolment that is granted and kept, of this server or another one.
    fn take(&mut self, enrolment: Enrolment) -> Result<(), Trouble> {
        let mut connect =
            Connect::new(enrolment.server.clone(), &enrolment.roots_pem).map_err(|e| Trouble::local(&e))?;
        connect.proxy = self.connect.proxy;
        if enrolment.server == self.enrolment.server {
            connect.clock = self.connect.clock.clone();
        }
        self.client = client_of(&connect, &enrolment).map_err(|error| Trouble::local(&error))?;
        // What came with an image went when this was kept.
        self.spool = Spool::open(&self.state.spool_folder()).map_err(|error| Trouble::local(&error))?;
        self.actions = obey::resumed(&self.state, &self.memory);
        (self.connect, self.enrolment) = (connect, enrolment);
        self.stands = false;
        self.shown = None;
        // What an earlier enrolment was told counts for this one no more.
        self.memory = Memory { pace: self.memory.pace, ..Memory::default() };
        Ok(())
    }

    /// Asks for a key of this machine's own, and takes it. What another machine measured goes before the new key comes: a
    /// kill in between costs nothing, since that machine sends it itself.
    pub(super) async fn heal(&mut self, hardware: &Hardware, failed: Option<&Trouble>) -> Result<(), Trouble> {
        tracing::warn!("the key of this computer is on another machine too; asking for another one");
        let asked = heal::ask(&self.state, &self.client, &self.enrolment, hardware).await;
        let healed = match asked {
            Ok(healed) => healed,
            Err(trouble) => {
                self.recover_after(trouble, failed).await?;
                heal::ask(&self.state, &self.client, &self.enrolment, hardware).await?
            }
        };
        // Only a certificate that fits the key replaces the one there is.
        let client = client_of(&self.connect, &healed).map_err(|error| Trouble::local(&error))?;
        let is_other = healed.grant.device_id != self.enrolment.grant.device_id;
        if is_other || heal::is_at_home(&self.enrolment, hardware) {
            // Where this very machine enrolled and is told that its key is another's, it is what another one measured.
            self.leave_to_the_other(hardware)?;
        }
        if is_other {
            self.leave_orders();
            // What the server holds of the other machine.
            self.memory.server_content = None;
            self.memory.last_full_at = None;
            // What its family reads.
            self.memory.disclosure = None;
            self.shown = None;
            self.keep_memory();
        }
        self.state.keep_enrolment(&healed).map_err(|error| Trouble::local(&error))?;
        tracing::info!(device = %healed.grant.device_id, "this computer has a key of its own now");
        self.enrolment = healed;
        self.client = client;
        Ok(())
    }

    /// What another machine measured is its own to tell.
    fn leave_to_the_other(&mut self, hardware: &Hardware) -> Result<(), Trouble> {
        let dropped = self.spool.drop_foreign(hardware).map_err(|error| Trouble::local(&error))?;
        if dropped > 0 {
            tracing::warn!(dropped, "reports that came with the image were dropped: their own machine sends them");
        }
        Ok(())
    }

    /// Recovers before the contact, where the clock here says that the certificate has ended. That this fails is no reason to
    /// be silent: the clock may be wrong, and recovery may be what does not work.
    pub(super) async fn recover_early(&mut self) -> Result<(), Trouble> {
        if self.stands || !recover::seems_ended(&self.enrolment.grant, &self.connect.clock, clock::now()) {
            return Ok(());
        }
        let asked = self.recover(Ended::Perhaps).await;
        asked.map(drop).inspect_err(|trouble| {
            tracing::warn!(%trouble, "the certificate seems to have ended and was not recovered; the contact goes on");
        })
    }

    /// Recovers where `trouble` may be that the certificate has ended, so that what met it can be tried again; else gives it
    /// back. A recovery that has `failed` in this contact is not repeated; its trouble is the contact's where the server's
    /// word, or its clock, says that the certificate has ended.
    pub(super) async fn recover_after(&mut self, trouble: Trouble, failed: Option<&Trouble>) -> Result<(), Trouble> {
        let ended = recover::after(&trouble, &self.enrolment.grant, &self.connect.clock, clock::now());
        let Some(ended) = ended else { return Err(trouble) };
        let recovered = match failed {
            Some(failed) => Err(failed.clone()),
            None => self.recover(ended).await,
        };
        match recovered {
            Ok(true) => Ok(()),
            Ok(false) => Err(trouble),
            Err(failed) if ended == Ended::Told || recover::is_answer(&failed) => Err(failed),
            Err(failed) => {
                tracing::warn!(%failed, "the certificate may have ended and was not recovered");
                Err(trouble)
            }
        }
    }

    /// Gets another certificate for the key whose one has ended. False where it has not, by the server's time.
    async fn recover(&mut self, ended: Ended) -> Result<bool, Trouble> {
        let key = self.enrolment.key().map_err(|error| Trouble::of_key(&error))?;
        let not_after = self.enrolment.grant.not_after;
        let mut asked = recover::ask(&self.connect, &key, not_after, ended).await;
        if asked.as_ref().is_err_and(roots::may_be_behind) && self.renew_roots().await {
            asked = recover::ask(&self.connect, &key, not_after, ended).await;
        }
        let asked = asked?;
        self.stands = true;
        let Some(grant) = asked else { return Ok(false) };
        let recovered = self.enrolment.renewed(grant);
        // Only a certificate that fits the key replaces the other.
        let client = client_of(&self.connect, &recovered).map_err(|error| Trouble::local(&error))?;
        if let Err(error) = self.state.keep_certificate(&recovered) {
            // A full disk silences no laptop: the next start asks again, and is given the same.
            tracing::warn!(%error, "the recovered certificate could not be kept; it serves until the agent stops");
        }
        self.enrolment = recovered;
        self.client = client;
        tracing::info!("the certificate had ended and was recovered");
        Ok(true)
    }

    /// Takes the newest roots that follow from those that are held, and uses them from now on. False where there are none.
    pub(super) async fn renew_roots(&mut self) -> bool {
        if std::mem::replace(&mut self.course.roots_asked, true) {
            return false;
        }
        let renewed = self.try_renew_roots().await;
        renewed.unwrap_or_else(|error| {
            tracing::warn!(%error, "newer roots could not be had");
            false
        })
    }

    async fn try_renew_roots(&mut self) -> anyhow::Result<bool> {
        let Some(roots_pem) = roots::newer(&self.connect, &self.enrolment.roots_pem).await? else { return Ok(false) };
        let enrolment = self.enrolment.trusting(roots_pem);
        let connect = self.connect.trusting(&enrolment.roots_pem)?;
        // Only roots that can be used replace those that were.
        let client = client_of(&connect, &enrolment)?;
        if let Err(error) = self.state.keep_certificate(&enrolment) {
            // The old ones stay on the disk, and lead to these again.
            tracing::warn!(%error, "the newer roots could not be kept; they serve until the agent stops");
        }
        (self.enrolment, self.connect, self.client) = (enrolment, connect, client);
        tracing::info!(bundle = bundle_number(&self.enrolment.roots_pem), "the server's newer roots were taken");
        Ok(true)
    }

    /// A failed renewal is tried again at the next check-in: there are months for it.
    pub(super) async fn renew(&mut self) {
        match self.try_renew().await {
            Ok(()) => tracing::info!("the certificate was renewed"),
            Err(error) => tracing::warn!(%error, "the certificate could not be renewed yet"),
        }
    }

    async fn try_renew(&mut self) -> anyhow::Result<()> {
        let csr_pem = self.enrolment.key()?.request_pem()?;
        let grant = self.client.renew(&RenewRequest { csr_pem }).await?;
        identity::check_grant(&grant)?;
        let renewed = self.enrolment.renewed(grant);
        // Only a certificate that fits the key replaces the one that works.
        let client = client_of(&self.connect, &renewed)?;
        self.state.keep_certificate(&renewed)?;
        self.enrolment = renewed;
        self.client = client;
        Ok(())
    }
}
