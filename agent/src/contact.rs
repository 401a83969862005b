//! One check-in: read the machine, spool what is new, recover an ended certificate, speak, settle, renew if due.
//!
//! A report leaves the spool only when the server answered for it. Everything that matters is durable before each
//! await, so that this future may be dropped and this process killed at any moment. A refusal removes nothing: only an
//! order that names this device and this enrolment, over the connection that its own key opened or in answer to what that
//! key signed, leads to [`Agent::remove`].

use cartable_common::{
    AgentVersion, ContentHash, ReportId, UtcMillis,
    limits::FULL_REPORT_EVERY_DAYS,
    protocol::{CheckInRequest, CheckInResponse, ReleaseOrder, RenewRequest},
    report::HealthReport,
};
use uuid::Uuid;

use crate::{
    client::{Client, ClientError, Connect, Proxy},
    clock::{self, TrustedClock},
    disclosure::Shown,
    fairness::{self, Surroundings},
    identity,
    reader::{Occasion, Reader},
    recover::{self, Ended},
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
    /// What a borrower may read of the last report.
    shown: Option<Shown>,
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
        let memory = state.memory();
        let spool = Spool::open(&state.spool_folder())?;
        let mut connect = Connect::new(enrolment.server.clone(), &enrolment.roots_pem).map_err(ClientError::from)?;
        connect.clock = memory.clock();
        connect.proxy = proxy;
        let client = client_of(&connect, &enrolment)?;
        let shown = state.shown();
        Ok(Self { state, enrolment, memory, spool, reader, connect, client, stands: false, shown })
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
        let result = self.exchange_all(occasion, around).await.map_err(|trouble| self.recognised(trouble));
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

    async fn exchange_all(&mut self, occasion: Occasion, around: &Surroundings) -> Result<Done, Trouble> {
        let report = self.measure(occasion, around).await;
        let content = report.as_ref().map(HealthReport::content_hash);
        let is_news = |content| needs_report(self.newest_spooled(), &self.memory, content, clock::now());
        let mut spooled = content.is_some_and(is_news);
        if let Some(report) = report.as_ref().filter(|_| spooled) {
            self.spool_report(report);
        }
        let failed = self.recover_early().await.err();
        let (mut acknowledged, mut last) = (0, None);
        for _ in 0..MOST_EXCHANGES {
            let request = self.request(content);
            let response = self.speak(&request, failed.as_ref()).await?;
            self.connect.clock.learn(response.server_time);
            let settled = self.settle(&response, content, request);
            acknowledged += settled;
            let is_unknown_there = content.is_some() && response.content_hash != content;
            let wants_whole = !spooled && self.spool.records().is_empty() && is_unknown_there;
            let goes_on = settled > 0 && !self.spool.records().is_empty();
            last = Some(response);
            if let Some(report) = report.as_ref().filter(|_| wants_whole) {
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
        let next_check_in_seconds = response.next_check_in_seconds;
        Ok(Done { next_check_in_seconds, acknowledged, spooled: self.spool.records().len(), offered: response.update })
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

    /// One exchange; a second one where the first failed because the certificate had ended. A recovery that has `failed` in
    /// this contact is not repeated; its trouble is the contact's where the server's word, or its clock, says that the
    /// certificate has ended.
    async fn speak(&mut self, request: &CheckInRequest, failed: Option<&Trouble>) -> Result<CheckInResponse, Trouble> {
        let trouble = match self.client.check_in(request).await {
            Ok(response) => return Ok(response),
            Err(trouble) => trouble,
        };
        let ended = recover::after(&trouble, &self.enrolment.grant, &self.connect.clock, clock::now());
        let Some(ended) = ended else { return Err(trouble) };
        let recovered = match failed {
            Some(failed) => Err(failed.clone()),
            None => self.recover(ended).await,
        };
        match recovered {
            Ok(true) => self.client.check_in(request).await,
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
        let key = self.enrolment.key().map_err(|error| recover::local(&error))?;
        let asked = recover::ask(&self.connect, &key, self.enrolment.grant.not_after, ended).await?;
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

    /// Reads the machine. Where that fails the contact still takes place, and says nothing of the machine.
    async fn measure(&self, occasion: Occasion, around: &Surroundings) -> Option<HealthReport> {
        let kept = self.state.drives();
        match self.reader.read_fairly(occasion, kept.as_ref(), around, clock::now()).await {
            Ok((report, new)) => {
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
            reports: self.spool.batch(),
        }
    }

    fn newest_spooled(&self) -> Option<ContentHash> {
        self.spool.records().last().map(|record| record.content_hash)
    }

    /// A full disk must not silence a laptop: without room for the report the contact still takes place.
    fn spool_report(&mut self, report: &HealthReport) {
        if let Err(error) = self.spool.push(ReportId(Uuid::new_v4()), clock::now(), report.clone()) {
            tracing::error!(%error, "the new report could not be kept; the contact goes on without it");
        }
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
