//! One check-in: read the machine, spool what is new, recover an ended certificate, speak, settle, renew if due; and ask for
//! a key of one's own where the key turns out to be another machine's (see [`heal`](mod@crate::heal)).
//!
//! A report leaves the spool only when the server answered for it. Everything that matters is durable before each
//! await, so that this future may be dropped and this process killed at any moment. A refusal removes nothing: only an
//! order that names this device and this enrolment, over the connection that its own key opened or in answer to what that
//! key signed, leads to [`Agent::remove`].

mod keys;
mod obey;
mod reports;

use cartable_common::{
    AgentVersion, ContentHash, UtcMillis,
    protocol::{CheckInRequest, CheckInResponse, ReleaseOrder},
    report::HealthReport,
    trust::{FIRST_BUNDLE, bundle_number},
};

use crate::{
    actions::{Kept, SOON_SECONDS},
    client::{Client, ClientError, Connect, Proxy},
    clock::{self, TrustedClock},
    disclosure::Shown,
    fairness::{self, Surroundings},
    heal,
    reader::{Occasion, Reader},
    roots,
    spool::{Spool, SpoolError},
    state::{Enrolment, Failure, Memory, StateDir, StateError},
    trouble::{Trouble, TroubleKind},
    version,
};

/// Exchanges in one check-in: enough to empty a full spool (128 reports, 32 at a time) and to answer a server that
/// asks for the whole report; never a loop.
const MOST_EXCHANGES: usize = 6;

/// What only the contact that takes place knows: each begins without it.
#[derive(Debug, Default)]
struct Course {
    /// Whether newer roots were asked for: whoever stands in between is asked once.
    roots_asked: bool,
    /// Whether the machine is not the one that enrolled.
    is_elsewhere: bool,
    /// Whether it is to be followed by another one soon.
    comes_back_soon: bool,
}

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
    /// What only the contact that takes place knows.
    course: Course,
    /// What a borrower may read of the last report.
    shown: Option<Shown>,
    /// What was ordered and done.
    actions: Kept,
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
        Ok(Self {
            state,
            enrolment,
            memory,
            spool,
            reader,
            connect,
            client,
            stands: false,
            course: Course::default(),
            shown,
            actions,
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
        self.course = Course::default();
        self.ask_anew().await;
        let result = match self.contact(occasion, around).await {
            Err(trouble) if self.has_to_come_back(&trouble) => self.come_back(occasion, around).await,
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

    /// Whether the key is lost; or another one, which was asked for when it seemed lost, took its place since.
    fn has_to_come_back(&self, trouble: &Trouble) -> bool {
        let asked = || self.state.pending().is_ok_and(|pending| pending.is_some_and(|one| one.lost_key.is_some()));
        // With the order to leave nothing is to come back to.
        let is_refused = trouble.kind == TroubleKind::Refused && trouble.release.is_none();
        trouble.kind == TroubleKind::KeyLost || is_refused && asked()
    }

    /// A refusal that carries the order to leave counts as one only where it names this device and this enrolment; and where
    /// this machine is the one that enrolled, for an image carries both names to others.
    fn recognised(&self, trouble: Trouble) -> Trouble {
        let own =
            ReleaseOrder { device_id: self.enrolment.grant.device_id, enrolment_id: self.enrolment.grant.enrolment_id };
        let is_own = trouble.release == Some(own) && !self.course.is_elsewhere;
        let kind = if is_own { TroubleKind::Released } else { trouble.kind };
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
        let is_news = |content| reports::needs_report(self.newest_spooled(), &self.memory, content, clock::now());
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
        self.course.is_elsewhere = is_elsewhere;
        let asks_first = is_elsewhere || heal::under_way(&self.state, &self.enrolment).is_some();
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

    /// Speaks, with `report` as what the machine says now. Says also whether the server wants another key to be made.
    async fn exchange_all(
        &mut self,
        report: Option<&HealthReport>,
        around: &Surroundings,
        failed: Option<&Trouble>,
    ) -> Result<(Done, bool), Trouble> {
        let content = report.map(HealthReport::content_hash);
        let (mut acknowledged, mut last, mut spooled) = (0, None, false);
        for _ in 0..MOST_EXCHANGES {
            let request = self.request(content);
            // Only now: the request leaves out what cannot be read any more.
            spooled |= content.is_some() && self.newest_spooled() == content;
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
        let next_check_in_seconds = if self.course.comes_back_soon { usual.min(SOON_SECONDS) } else { usual };
        let spooled = self.spool.records().len();
        Ok((Done { next_check_in_seconds, acknowledged, spooled, offered: response.update }, response.heal))
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

    fn request(&mut self, content_hash: Option<ContentHash>) -> CheckInRequest {
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

    fn keep_memory(&self) {
        if let Err(error) = self.state.keep_memory(&self.memory) {
            tracing::warn!(%error, "what was learnt could not be kept");
        }
    }
}

fn client_of(connect: &Connect, enrolment: &Enrolment) -> Result<Client, ClientError> {
    Client::new(connect, &enrolment.key()?, &enrolment.grant.certificate_chain_pem)
}
