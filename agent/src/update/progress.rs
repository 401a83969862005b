//! How far an update is, on disk, and what follows from each start and each contact. Pure.
//!
//! One release at a time is tried. It is healthy once it has checked in. Where it only ever starts, or its contacts fail for
//! reasons of its own, the program before it is put back and that release is never tried again. A network that is away, a
//! server that is down or refuses, says nothing about the program.
//!
//! That it is to be put back stays on disk until another program than that release is seen to start: an attempt that fails, or
//! that a power cut ends, is repeated at each start.

use cartable_common::{
    AgentVersion, UtcMillis,
    update::{Manifest, Release, UpdateKey},
};
use serde::{Deserialize, Serialize};

use crate::trouble::TroubleKind;

/// Installations of one release that may be begun without its program ever starting.
pub const MOST_ATTEMPTS: u8 = 3;
/// Starts without a contact after which a release is given up: one that crashes is started again by the system.
pub const MOST_STARTS: u8 = 5;
/// Contacts that fail for the program's own reasons after which it is.
pub const MOST_FAILURES: u8 = 8;
/// Releases that were given up and are remembered.
const GIVEN_UP_KEPT: usize = 16;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The keys that may sign a manifest; first those of the installation.
    pub keys: Vec<UpdateKey>,
    /// The highest number of a manifest that was believed.
    pub number: u64,
    /// What is being tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// What is never tried again, the last given up last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub given_up: Vec<AgentVersion>,
}

/// A release that is being tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The version before it, which is kept.
    pub from: AgentVersion,
    /// The release.
    pub to: AgentVersion,
    /// Installations that were begun.
    pub attempts: u8,
    /// Its starts without a contact.
    pub starts: u8,
    /// Contacts in it that failed for its own reasons.
    pub failures: u8,
    /// Whether it was found not to work: the program before it is to be put back, and was not seen to start yet.
    #[serde(default)]
    pub putting_back: bool,
}

/// What a contact says of the program that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// It works.
    Success,
    /// It failed for reasons of the program, as far as can be told.
    Failure,
    /// It failed elsewhere: network, server, a person's decision. The program lives.
    Elsewhere,
}

impl Contact {
    /// What a failure of this kind says. A server that proves nothing is most often a proxy that reads TLS, or a stranger's
    /// Wi-Fi, and a state folder that fails is most often a full disk: no reason to ban a good release, though a program that
    /// broke in just these is not put back by itself. What counts comes with an answer of the proven server, or of the TPM.
    pub const fn failed(kind: TroubleKind) -> Self {
        match kind {
            TroubleKind::Rejected | TroubleKind::NotUnderstood | TroubleKind::Tpm => Self::Failure,
            TroubleKind::UntrustedServer
            | TroubleKind::Local
            | TroubleKind::NameResolution
            | TroubleKind::Unreachable
            | TroubleKind::TimedOut
            | TroubleKind::Proxy
            | TroubleKind::CaptivePortal
            | TroubleKind::Clock
            | TroubleKind::Refused
            | TroubleKind::CertificateEnded
            | TroubleKind::AwaitsApproval
            | TroubleKind::QueueFull
            | TroubleKind::KeyCloned
            | TroubleKind::KeyLost
            | TroubleKind::Released
            | TroubleKind::Busy
            | TroubleKind::ServerFault => Self::Elsewhere,
        }
    }
}

/// What follows.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    GoOn,
    /// The release works: what was kept of the one before can go.
    Healthy,
    /// The release was never installed, or the program before it is back: it is not tried again.
    GivenUp,
    /// The release does not work: put the program before it back.
    PutBack,
}

/// Why an offered release is not installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Declined {
    /// No key was pinned.
    #[error("no key was pinned at the installation")]
    NoKey,
    /// A newer manifest was seen before.
    #[error("the list is older than one that was seen before")]
    Older,
    /// The manifest's time is over.
    #[error("the list's time is over")]
    Expired,
    /// It is not above the version that runs.
    #[error("it is not above the version that runs")]
    NotUpward,
    /// It was tried.
    #[error("it was tried and did not work here")]
    GivenUp,
    /// The manifest does not name it.
    #[error("the list does not name it")]
    NotListed,
    /// The version that runs is too old for it.
    #[error("it does not follow the version that runs at once")]
    TooOld,
}

impl Progress {
    /// Whether it is worth asking for the manifest.
    pub fn may_ask(&self, offered: AgentVersion, running: AgentVersion) -> Result<(), Declined> {
        if self.keys.is_empty() {
            Err(Declined::NoKey)
        } else if offered <= running {
            Err(Declined::NotUpward)
        } else if self.given_up.contains(&offered) {
            Err(Declined::GivenUp)
        } else {
            Ok(())
        }
    }

    /// The offered release, if a manifest that was signed as it must be lets this version have it at `now`.
    pub fn choose<'a>(
        &self,
        manifest: &'a Manifest,
        offered: AgentVersion,
        running: AgentVersion,
        now: UtcMillis,
    ) -> Result<&'a Release, Declined> {
        self.may_ask(offered, running)?;
        if manifest.number < self.number {
            return Err(Declined::Older);
        }
        if manifest.expires_at <= now {
            return Err(Declined::Expired);
        }
        let release = manifest.releases.iter().find(|one| one.version == offered).ok_or(Declined::NotListed)?;
        if running < release.from { Err(Declined::TooOld) } else { Ok(release) }
    }

    /// Notes what a manifest said that was chosen from.
    pub fn learn(&mut self, manifest: &Manifest) {
        self.keys.clone_from(&manifest.keys);
        self.number = manifest.number;
    }

    /// The installation of `to` is to begin. Begun too often without its program ever starting, it is given up instead.
    pub fn begin(&mut self, from: AgentVersion, to: AgentVersion) -> Step {
        let earlier = self.trial.filter(|trial| trial.from == from && trial.to == to);
        let attempts = earlier.map_or(0, |trial| trial.attempts).saturating_add(1);
        if attempts > MOST_ATTEMPTS {
            self.give_up(to);
            return Step::GivenUp;
        }
        self.trial = Some(Trial { from, to, attempts, starts: 0, failures: 0, putting_back: false });
        Step::GoOn
    }

    /// The version `running` was started.
    pub fn started(&mut self, running: AgentVersion) -> Step {
        let Some(trial) = self.trial.as_mut() else { return Step::GoOn };
        if trial.to != running {
            let (release, is_back) = (trial.to, trial.putting_back);
            if !is_back {
                return Step::GoOn;
            }
            self.give_up(release);
            return Step::GivenUp;
        }
        trial.starts = trial.starts.saturating_add(1);
        trial.putting_back |= trial.starts > MOST_STARTS;
        if trial.putting_back { Step::PutBack } else { Step::GoOn }
    }

    /// The version `running` made a contact.
    pub fn contacted(&mut self, running: AgentVersion, contact: Contact) -> Step {
        let Some(trial) = self.trial.as_mut().filter(|trial| trial.to == running) else { return Step::GoOn };
        match contact {
            Contact::Success => {
                self.trial = None;
                Step::Healthy
            }
            Contact::Elsewhere => {
                trial.starts = 0;
                Step::GoOn
            }
            Contact::Failure => {
                trial.failures = trial.failures.saturating_add(1);
                trial.putting_back |= trial.failures >= MOST_FAILURES;
                if trial.putting_back { Step::PutBack } else { Step::GoOn }
            }
        }
    }

    fn give_up(&mut self, release: AgentVersion) {
        self.trial = None;
        self.given_up.retain(|one| *one != release);
        self.given_up.push(release);
        let surplus = self.given_up.len().saturating_sub(GIVEN_UP_KEPT);
        self.given_up.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: AgentVersion = AgentVersion::new(0, 1, 0);
    const NEW: AgentVersion = AgentVersion::new(0, 2, 0);

    fn now() -> UtcMillis {
        UtcMillis::default().plus_days(20_000)
    }

    fn pinned() -> Progress {
        Progress { keys: vec![UpdateKey([1; 32])], number: 3, ..Progress::default() }
    }

    fn manifest(number: u64) -> Manifest {
        let release = Release { version: NEW, bytes: 5, sha256: [1; 32], from: OLD };
        Manifest { number, expires_at: now().plus_days(1), keys: vec![UpdateKey([2; 32])], releases: vec![release] }
    }

    #[test]
    fn only_a_newer_release_of_a_fresh_list_is_chosen() {
        let choose = |progress: &Progress, manifest: &Manifest, offered, running| {
            progress.choose(manifest, offered, running, now()).map(|release| release.version)
        };
        assert_eq!(choose(&pinned(), &manifest(3), NEW, OLD), Ok(NEW));
        assert_eq!(choose(&pinned(), &manifest(2), NEW, OLD), Err(Declined::Older));
        assert_eq!(choose(&pinned(), &manifest(3), NEW, NEW), Err(Declined::NotUpward));
        assert_eq!(choose(&pinned(), &manifest(3), OLD, NEW), Err(Declined::NotUpward));
        assert_eq!(choose(&pinned(), &manifest(3), AgentVersion::new(0, 3, 0), OLD), Err(Declined::NotListed));
        assert_eq!(choose(&pinned(), &manifest(3), NEW, AgentVersion::new(0, 0, 9)), Err(Declined::TooOld));
        assert_eq!(choose(&Progress::default(), &manifest(3), NEW, OLD), Err(Declined::NoKey));
        let over = Manifest { expires_at: now(), ..manifest(3) };
        assert_eq!(choose(&pinned(), &over, NEW, OLD), Err(Declined::Expired));
        let mut tried = pinned();
        tried.give_up(NEW);
        assert_eq!(choose(&tried, &manifest(3), NEW, OLD), Err(Declined::GivenUp));
    }

    #[test]
    fn a_release_that_checks_in_is_healthy() {
        let mut progress = pinned();
        assert_eq!(progress.begin(OLD, NEW), Step::GoOn);
        assert_eq!(progress.started(NEW), Step::GoOn);
        assert_eq!(progress.contacted(NEW, Contact::Failure), Step::GoOn);
        assert_eq!(progress.contacted(NEW, Contact::Success), Step::Healthy);
        assert_eq!((progress.trial, progress.given_up.len()), (None, 0));
        assert_eq!(progress.contacted(NEW, Contact::Failure), Step::GoOn, "its trial is over");
    }

    #[test]
    fn one_that_crashes_or_cannot_speak_is_put_back_once_and_for_all() {
        let mut crashes = pinned();
        assert_eq!(crashes.begin(OLD, NEW), Step::GoOn);
        let steps: Vec<Step> = (0..=MOST_STARTS).map(|_| crashes.started(NEW)).collect();
        assert_eq!(steps.iter().filter(|step| **step == Step::GoOn).count(), usize::from(MOST_STARTS));
        assert_eq!(steps.last(), Some(&Step::PutBack));
        let mut mute = pinned();
        assert_eq!(mute.begin(OLD, NEW), Step::GoOn);
        let steps: Vec<Step> = (0..MOST_FAILURES).map(|_| mute.contacted(NEW, Contact::Failure)).collect();
        assert_eq!(steps.last(), Some(&Step::PutBack));
        for mut progress in [crashes, mute] {
            // Not put back, for a full disk or a power cut: the next start tries again, until the one before it starts.
            assert_eq!((progress.started(NEW), progress.started(NEW)), (Step::PutBack, Step::PutBack));
            assert_eq!(progress.contacted(NEW, Contact::Elsewhere), Step::GoOn);
            assert_eq!(progress.started(NEW), Step::PutBack);
            assert!(progress.given_up.is_empty());
            assert_eq!(progress.started(OLD), Step::GivenUp);
            assert_eq!((progress.trial, progress.given_up.as_slice()), (None, [NEW].as_slice()));
        }
    }

    #[test]
    fn one_that_could_not_be_put_back_and_works_after_all_is_healthy() {
        let mut progress = pinned();
        assert_eq!(progress.begin(OLD, NEW), Step::GoOn);
        let steps: Vec<Step> = (0..=MOST_STARTS).map(|_| progress.started(NEW)).collect();
        assert_eq!(steps.last(), Some(&Step::PutBack));
        assert_eq!(progress.contacted(NEW, Contact::Success), Step::Healthy);
        assert_eq!((progress.trial, progress.given_up.len()), (None, 0));
    }

    #[test]
    fn what_an_earlier_agent_kept_is_read() {
        let kept =
            r#"{"keys":[],"number":3,"trial":{"from":"0.1.0","to":"0.2.0","attempts":1,"starts":2,"failures":0}}"#;
        let mut progress: Progress = serde_json::from_str(kept).unwrap();
        assert!(!progress.trial.unwrap().putting_back);
        assert_eq!(progress.started(NEW), Step::GoOn);
    }

    #[test]
    fn a_summer_without_a_network_or_behind_a_proxy_that_reads_tls_puts_nothing_back() {
        let mut progress = pinned();
        assert_eq!(progress.begin(OLD, NEW), Step::GoOn);
        for _ in 0..100 {
            assert_eq!(progress.started(NEW), Step::GoOn);
            for kind in [TroubleKind::NameResolution, TroubleKind::UntrustedServer, TroubleKind::Local] {
                assert_eq!(progress.contacted(NEW, Contact::failed(kind)), Step::GoOn);
            }
        }
        assert_eq!(progress.contacted(NEW, Contact::Success), Step::Healthy);
    }

    #[test]
    fn an_installation_that_never_comes_about_is_given_up() {
        let mut progress = pinned();
        for _ in 0..MOST_ATTEMPTS {
            assert_eq!(progress.begin(OLD, NEW), Step::GoOn);
            assert_eq!(progress.started(OLD), Step::GoOn);
            assert_eq!(progress.contacted(OLD, Contact::Success), Step::GoOn, "the old one works, and tries again");
        }
        assert_eq!(progress.begin(OLD, NEW), Step::GivenUp);
        assert_eq!(progress.may_ask(NEW, OLD), Err(Declined::GivenUp));
    }
}
