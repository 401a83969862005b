//! One check-in: read the machine, spool what is new, recover an ended certificate, speak, settle, renew if due; and ask for
//! a key of one's own where the key turns out to be another machine's (see [`heal`](mod@crate::heal)).
//!
//! A report leaves the spool only when the server answered for it. Everything that matters is durable before each
//! await, so that this future may be dropped and this process killed at any moment. A refusal removes nothing: only an
//! order that names this device and this enrolment, over the connection that its own key opened or in answer to what that
//! key signed, leads to [`Agent::remove`].

mod obey;

use cartable_common::{
    AgentVersion, ContentHash, ReportId, UtcMillis,
    limits::FULL_REPORT_EVERY_DAYS,
    protocol::{CheckInRequest, CheckInResponse, ReleaseOrder, RenewRequest},
    report::{Hardware, HealthReport},
    trust::{FIRST_BUNDLE, bundle_number},
};
use uuid::Uuid;

use crate::{
    actions::{Kept, SOON_SECONDS},
    client::{Client, ClientError, Connect, Proxy},
    clock::{self, TrustedClock},
    disclosure::Shown,
    enrol,
    fairness::{self, Surroundings},
    heal, identity,
    reader::{Occasion, Reader},
    recover::{self, Ended},
    roots,
    spool::{Spool, SpoolError},
    state::{Enrolment, Failure, Memory, StateDir, StateError},
    trouble::{Trouble, TroubleKind},
    version,
};

/// Exchanges in one check-in: enough to empty a full spool (128 reports, 32 at a time) and to answer a server that
/// asks for the whole report; never a loop.
const MOST_EXCHANGES: usize = 6;

/// An enrolled agent, ready to check in.
#[derive(Debug)]
pub struct Agent {
    state: StateDir,
    enrolment: Enrolment,
    memory: Memory,
    spool: Spool,
    reader: Reader,
    connect: Connect,
    client: Client,
    /// Whether the server said, since this agent started, that the certificate has not ended: its word counts above the
    /// clock's.
    stands: bool,
    /// Whether newer roots were asked for in this contact: whoever stands in between is asked once.
    roots_asked: bool,
    /// What a borrower may read of the last report.
    shown: Option<Shown>,
    /// What was ordered and done.
    actions: Kept,
    /// Whether this contact was told to be followed by another soon.
    comes_back_soon: bool,
    /// Whether desktops read what is laid ready for them.
    desktop: obey::Desktop,
}

/// An agent that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state folder.
    #[error(transparent)]
    State(#[from] StateError),
    /// The spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The certificate or the key.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// What a check-in did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Seconds to the next one, as the server says.
    pub next_check_in_seconds: u32,
    /// Reports that became durable on the server.
    pub acknowledged: usize,
    /// Reports still in the spool.
    pub spooled: usize,
    /// The release that the server offers this computer.
    pub offered: Option<AgentVersion>,
}

impl Agent {
    /// Makes ready. The caller holds the state folder's lock.
    pub fn open(state: StateDir, enrolment: Enrolment, reader: Reader, proxy: Proxy) -> Result<Self, OpenError> {
        if let Err(error) = heal::forget_what_is_over(&state, &enrolment) {
            tracing::warn!(%error, "a key that is not needed could not be removed");
        }
        let memory = state.memory();
        let spool = Spool::open(&state.spool_folder())?;
        let mut connect = Connect::new(enrolment.server.clone(), &enrolment.roots_pem).map_err(ClientError::from)?;
        connect.clock = memory.clock();
        connect.proxy = proxy;
        let client = client_of(&connect, &enrolment)?;
        let (shown, actions) = (state.shown(), obey::resumed(&state, &memory));
        let (stands, roots_asked, comes_back_soon) = (false, false, false);
        Ok(Self {
            state,
            enrolment,
            memory,
            spool,
            reader,
            connect,
            client,
            stands,
            roots_asked,
            shown,
            actions,
            comes_back_soon,
            desktop: obey::Desktop::OutOfReach,
        })
    }

    /// Where its state lies.
    pub const fn state(&self) -> &StateDir {
        &self.state
    }

    /// How it speaks to the server.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The clock by which it judges what ends.
    pub const fn clock(&self) -> &TrustedClock {
        &self.connect.clock
    }

    /// What was learnt so far.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Keeps a new pace; a disk that cannot take it only costs an earlier retry after a restart.
    pub fn keep_pace(&mut self, pace: crate::schedule::Pace) {
        self.memory.pace = pace;
        self.keep_memory();
    }

    /// What a borrower may read, once a report was sent.
    pub const fn shown(&self) -> Option<&Shown> {
        self.shown.as_ref()
    }

    /// What counts for whether a contact is fair now, with what the service read of the laptop.
    pub const fn surroundings(&self, power: fairness::Power, network: fairness::Network) -> Surroundings {
        let (exams_until, held_since) = (self.memory.exams_until, self.memory.held_since);
        Surroundings { power, network, exams_until, held_since }
    }

    /// Notes that contacts are held back, or no longer; written down only when that changes.
    pub fn keep_held(&mut self, held_since: Option<UtcMillis>) {
        if self.memory.held_since != held_since {
            self.memory.held_since = held_since;
            self.keep_memory();
        }
    }

    /// Checks in once. On failure everything measured stays in the spool.
    pub async fn check_in(&mut self, occasion: Occasion, around: &Surroundings) -> Result<Done, Trouble> {
        self.roots_asked = false;
        let result = match self.contact(occasion, around).await {
            Err(trouble) if trouble.kind == TroubleKind::KeyLost => self.come_back(occasion, around).await,
            result => result,
        };
        let result = result.map_err(|trouble| self.recognised(trouble));
        let now = clock::now();
        match &result {
            Ok(_) => {
                self.memory.last_success_at = Some(now);
                self.memory.last_failure = None;
            }
            Err(trouble) => {
                self.memory.last_failure = Some(Failure { at: now, trouble: trouble.clone() });
                if trouble.kind == TroubleKind::Clock && self.connect.clock.is_ahead_of(now) {
                    // The server once told a time that its own certificate does not live to see.
                    self.connect.clock.forget();
                    self.memory.server_time = None;
                }
            }
        }
        self.keep_memory();
        result
    }

    /// The TPM does not hold the key any more: asks with another, and goes on with that one once a person agreed.
    async fn come_back(&mut self, occasion: Occasion, around: &Surroundings) -> Result<Done, Trouble> {
        let hardware = self.reader.hardware().await;
        let enrolment = enrol::come_back(&self.state, &self.enrolment, hardware.clone(), self.connect.proxy).await?;
        self.client = client_of(&self.connect, &enrolment).map_err(|error| recover::local(&error))?;
        if enrolment.grant.device_id != self.enrolment.grant.device_id {
            // The disk is in another computer: what the other one measured is not this one's.
            self.spool.drop_foreign(&hardware).map_err(|error| recover::local(&error))?;
            self.leave_orders();
        }
        self.enrolment = enrolment;
        self.stands = false;
        // What an earlier enrolment was told counts for this one no more.
        self.memory = Memory { pace: self.memory.pace, ..Memory::default() };
        tracing::warn!("this computer came back with another key: the TPM did not hold the old one any more");
        self.contact(occasion, around).await
    }

    /// A refusal that carries the order to leave counts as one only where it names this device and this enrolment.
    fn recognised(&self, trouble: Trouble) -> Trouble {
        let own =
            ReleaseOrder { device_id: self.enrolment.grant.device_id, enrolment_id: self.enrolment.grant.enrolment_id };
        let kind = if trouble.release == Some(own) { TroubleKind::Released } else { trouble.kind };
        Trouble { kind, ..trouble }
    }

    /// Removes the key, the spool and everything else of this agent from the computer, as it was ordered to.
    pub fn remove(self) -> Result<(), StateError> {
        let Self { state, spool, .. } = self;
        // The spool's own files go with its folder.
        drop(spool);
        state.remove_everything()
    }

    /// Reads, spools, heals where that is due, and speaks. Another key is asked for once, whatever comes of it.
    async fn contact(&mut self, occasion: Occasion, around: &Surroundings) -> Result<Done, Trouble> {
        let report = self.measure(occasion, around).await;
        let report = report.as_ref();
        let is_news = |content| needs_report(self.newest_spooled(), &self.memory, content, clock::now());
        if let Some(report) = report.filter(|report| is_news(report.content_hash())) {
            self.spool_report(report);
        }
        let failed = self.recover_early().await.err();
        let failed = failed.as_ref();
        // A machine that cannot be read cannot say which one it is: it goes on with the key that it has.
        let Some(hardware) = report.map(|report| &report.hardware) else {
            return self.exchange_all(None, around, failed).await.map(|(done, _)| done);
        };
        let is_elsewhere = heal::is_elsewhere(&self.enrolment, hardware);
        let asks_first = is_elsewhere || heal::is_under_way(&self.state, &self.enrolment);
        if asks_first {
            match self.heal(hardware, failed).await {
                Ok(()) => {}
                // It speaks under no key but its own; one that waits for a person has nothing to say either.
                Err(trouble) if is_elsewhere || trouble.kind == TroubleKind::KeyCloned => return Err(trouble),
                Err(trouble) => tracing::warn!(%trouble, "no other key yet; the next contact asks again"),
            }
        }
        match self.exchange_all(report, around, failed).await {
            Ok((done, true)) if !asks_first => {
                if let Err(trouble) = self.heal(hardware, failed).await {
                    tracing::warn!(%trouble, "no other key yet; the next contact asks again");
                }
                Ok(done)
            }
            Ok((done, _)) => Ok(done),
            Err(trouble) if trouble.kind == TroubleKind::KeyCloned && !asks_first => {
                self.heal(hardware, failed).await?;
                self.exchange_all(report, around, failed).await.map(|(done, _)| done)
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Asks for a key of this machine's own, and takes it. What another machine measured goes before the new key comes: a
    /// kill in between costs nothing, since that machine sends it itself.
    async fn heal(&mut self, hardware: &Hardware, failed: Option<&Trouble>) -> Result<(), Trouble> {
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
        let client = client_of(&self.connect, &healed).map_err(|error| heal::local(&error))?;
        if healed.grant.device_id != self.enrolment.grant.device_id {
            let dropped = self.spool.drop_foreign(hardware).map_err(|error| heal::local(&error))?;
            if dropped > 0 {
                tracing::warn!(dropped, "reports that came with the image were dropped: their own machine sends them");
            }
            self.leave_orders();
            // What the server holds of the other machine.
            self.memory.server_content = None;
            self.memory.last_full_at = None;
            self.keep_memory();
        }
        self.state.keep_enrolment(&healed).map_err(|error| heal::local(&error))?;
        tracing::info!(device = %healed.grant.device_id, "this computer has a key of its own now");
        self.enrolment = healed;
        self.client = client;
        Ok(())
    }

    /// Speaks, with `report` as what the machine says now. Says also whether the server wants another key to be made.
    async fn exchange_all(
        &mut self,
        report: Option<&HealthReport>,
        around: &Surroundings,
        failed: Option<&Trouble>,
    ) -> Result<(Done, bool), Trouble> {
        let content = report.map(HealthReport::content_hash);
        let mut spooled = content.is_some() && self.newest_spooled() == content;
        let (mut acknowledged, mut last) = (0, None);
        for _ in 0..MOST_EXCHANGES {
            let request = self.request(content);
            let response = self.speak(&request, failed).await?;
            self.connect.clock.learn(response.server_time);
            let settled = self.settle(&response, content, request);
            acknowledged += settled;
            let is_unknown_there = content.is_some() && response.content_hash != content;
            let wants_whole = !spooled && self.spool.records().is_empty() && is_unknown_there;
            let is_news = self.obey(&response, report, around).await;
            let goes_on = is_news || settled > 0 && !self.spool.records().is_empty();
            last = Some(response);
            if let Some(report) = report.filter(|_| wants_whole) {
                self.spool_report(report);
                spooled = true;
            } else if !goes_on {
                break;
            }
        }
        let Some(response) = last else { return Err(Trouble::new(TroubleKind::Local, "no exchange took place")) };
        if response.renew || response.server_time >= self.enrolment.grant.renew_from {
            self.renew().await;
        }
        if response.trust_bundle.is_some_and(|number| number > bundle_number(&self.enrolment.roots_pem)) {
            self.renew_roots().await;
        }
        let usual = response.next_check_in_seconds;
        let is_soon = std::mem::take(&mut self.comes_back_soon);
        let next_check_in_seconds = if is_soon { usual.min(SOON_SECONDS) } else { usual };
        let spooled = self.spool.records().len();
        Ok((Done { next_check_in_seconds, acknowledged, spooled, offered: response.update }, response.heal))
    }

    /// Recovers before the contact, where the clock here says that the certificate has ended. That this fails is no reason to
    /// be silent: the clock may be wrong, and recovery may be what does not work.
    async fn recover_early(&mut self) -> Result<(), Trouble> {
        if self.stands || !recover::seems_ended(&self.enrolment.grant, &self.connect.clock, clock::now()) {
            return Ok(());
        }
        let asked = self.recover(Ended::Perhaps).await;
        asked.map(drop).inspect_err(|trouble| {
            tracing::warn!(%trouble, "the certificate seems to have ended and was not recovered; the contact goes on");
        })
    }

    /// One exchange; a second one where the first failed because the certificate had ended.
    async fn speak(&mut self, request: &CheckInRequest, failed: Option<&Trouble>) -> Result<CheckInResponse, Trouble> {
        let mut answer = self.client.check_in(request).await;
        if answer.as_ref().is_err_and(roots::may_be_behind) && self.renew_roots().await {
            answer = self.client.check_in(request).await;
        }
        match answer {
            Ok(response) => Ok(response),
            Err(trouble) => {
                self.recover_after(trouble, failed).await?;
                self.client.check_in(request).await
            }
        }
    }

    /// Recovers where `trouble` may be that the certificate has ended, so that what met it can be tried again; else gives it
    /// back. A recovery that has `failed` in this contact is not repeated; its trouble is the contact's where the server's
    /// word, or its clock, says that the certificate has ended.
    async fn recover_after(&mut self, trouble: Trouble, failed: Option<&Trouble>) -> Result<(), Trouble> {
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
        let client = client_of(&self.connect, &recovered).map_err(|error| recover::local(&error))?;
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
    async fn renew_roots(&mut self) -> bool {
        if std::mem::replace(&mut self.roots_asked, true) {
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

    /// Reads the machine. Where that fails the contact still takes place, and says nothing of the machine.
    async fn measure(&self, occasion: Occasion, around: &Surroundings) -> Option<HealthReport> {
        let kept = self.state.drives();
        match self.reader.read_fairly(occasion, kept.as_ref(), around, clock::now()).await {
            Ok((mut report, new)) => {
                report.firmware.key_protection = self.enrolment.key_protection();
                if let Some(Err(error)) = new.map(|drives| self.state.keep_drives(&drives)) {
                    tracing::warn!(%error, "what the drives said could not be kept; they are asked again");
                }
                Some(report)
            }
            Err(error) => {
                tracing::error!(%error, "the machine could not be read; the contact goes on without a report");
                None
            }
        }
    }

    fn request(&self, content_hash: Option<ContentHash>) -> CheckInRequest {
        CheckInRequest {
            agent_version: version(),
            sent_at: clock::now(),
            content_hash,
            disclosure_mark: self.memory.disclosure.as_ref().and_then(|told| told.mark),
            trust_bundle: Some(bundle_number(&self.enrolment.roots_pem)).filter(|number| *number != FIRST_BUNDLE),
            reports: self.spool.batch(),
            action_results: self.actions.results().to_vec(),
        }
    }

    fn newest_spooled(&self) -> Option<ContentHash> {
        self.spool.records().last().map(|record| record.content_hash)
    }

    /// A full disk must not silence a laptop: without room for the report the contact still takes place. False where there is
    /// none.
    fn spool_report(&mut self, report: &HealthReport) -> bool {
        let pushed = self.spool.push(ReportId(Uuid::new_v4()), clock::now(), report.clone());
        if let Err(error) = &pushed {
            tracing::error!(%error, "the new report could not be kept; the contact goes on without it");
        }
        pushed.is_ok()
    }

    /// Forgets what the server answered for; returns how many reports that were.
    fn settle(&mut self, response: &CheckInResponse, content: Option<ContentHash>, sent: CheckInRequest) -> usize {
        for refused in &response.refused {
            tracing::warn!(reason = ?refused.reason, "the server will never accept a report; it is dropped");
        }
        let refused = response.refused.iter().map(|refused| refused.report_id);
        let answered: Vec<ReportId> = response.acknowledged.iter().copied().chain(refused).collect();
        let was_current = |id: &ReportId| {
            self.spool.records().iter().any(|record| record.report_id == *id && Some(record.content_hash) == content)
        };
        if response.acknowledged.iter().any(was_current) {
            self.memory.last_full_at = Some(clock::now());
        }
        self.memory.server_content = response.content_hash;
        self.memory.server_time = Some(response.server_time);
        self.memory.exams_until = fairness::exams_until(response.exams_for_seconds, clock::now());
        if response.disclosure.is_some() {
            self.memory.disclosure.clone_from(&response.disclosure);
        }
        self.disclose(sent);
        self.spool.forget(&answered).unwrap_or_else(|error| {
            // They will be sent again, and the server will know them again.
            tracing::warn!(%error, "acknowledged reports could not be removed");
            0
        })
    }

    /// Keeps for the borrower what was just sent, if a report was in it or if who runs the agent changed.
    fn disclose(&mut self, sent: CheckInRequest) {
        // What the server leaves open, whoever installed the agent may have said.
        let told = self.memory.disclosure.clone().unwrap_or_default();
        let disclosure = told.or(self.enrolment.disclosure.clone());
        let shown = Shown::after(self.shown.as_ref(), self.enrolment.server.to_string(), sent, disclosure);
        let Some(shown) = shown else { return };
        if let Err(error) = self.state.keep_shown(&shown) {
            tracing::warn!(%error, "what was sent could not be kept for the borrower");
        }
        self.shown = Some(shown);
    }

    /// A failed renewal is tried again at the next check-in: there are months for it.
    async fn renew(&mut self) {
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

    fn keep_memory(&self) {
        if let Err(error) = self.state.keep_memory(&self.memory) {
            tracing::warn!(%error, "what was learnt could not be kept");
        }
    }
}

fn client_of(connect: &Connect, enrolment: &Enrolment) -> Result<Client, ClientError> {
    Client::new(connect, &enrolment.key()?, &enrolment.grant.certificate_chain_pem)
}

/// Whether `content` must be told: it differs from what the server holds, or will hold once the spool has arrived, or
/// the last whole report is a week old.
#[must_use]
pub fn needs_report(
    newest_spooled: Option<ContentHash>,
    memory: &Memory,
    content: ContentHash,
    now: UtcMillis,
) -> bool {
    if let Some(spooled) = newest_spooled {
        return spooled != content;
    }
    let is_fresh = |at: UtcMillis| {
        let age = now.millis_since(at);
        (0..i64::from(FULL_REPORT_EVERY_DAYS) * UtcMillis::DAY).contains(&age)
    };
    memory.server_content != Some(content) || !memory.last_full_at.is_some_and(is_fresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_made_when_content_changed_or_weekly() {
        let (a, b) = (ContentHash::of(b"a"), ContentHash::of(b"b"));
        let now = UtcMillis::default().plus_days(100);
        let memory = |content, days: i64| Memory {
            server_content: content,
            last_full_at: Some(now.plus_days(-days)),
            ..Memory::default()
        };
        assert!(needs_report(None, &Memory::default(), a, now), "the first");
        assert!(!needs_report(None, &memory(Some(a), 6), a, now), "unchanged");
        assert!(needs_report(None, &memory(Some(a), 7), a, now), "weekly");
        assert!(needs_report(None, &memory(Some(b), 1), a, now), "changed");
        assert!(needs_report(None, &memory(None, 1), a, now), "the server lost it");
        assert!(needs_report(None, &memory(Some(a), -2), a, now), "the clock went back");
        assert!(!needs_report(Some(a), &memory(Some(b), 1), a, now), "already spooled");
        assert!(needs_report(Some(b), &memory(Some(a), 1), a, now), "changed back while away");
    }
}
