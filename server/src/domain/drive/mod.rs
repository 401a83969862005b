//! Judges a drive by what it says of itself: healthy, worn, failing or unknown, each with its reasons.
//!
//! A clean reading is no proof: 36 % of the drives that failed at Google had shown no sign (FAST '07). So the words are
//! "risk", never "will fail", and a drive that gave no figures is unknown, whatever else it says. What a value means
//! follows from its technology and its name, never from a model or a serial number. A drive that leaves out a figure
//! that a sound one of its kind gives is unknown too: what was not said may be what is wrong. [`history`] adds what
//! changed between reports.

mod ata;
mod emmc;
pub mod history;
mod nvme;
mod wear;

use cartable_common::{
    UtcMillis,
    report::{Drive, DriveKind, HealthReport, SelfAssessment},
    smartctl,
};

use self::history::Level;
use super::{
    policy::Policy,
    verdict::{Judgement, Reason, Verdict},
    wording::{Said, number, percent},
};
pub use wear::{Wear, wear};

/// What `drive`'s own values support.
pub fn judge(drive: &Drive, policy: &Policy) -> Judgement {
    examine(drive, policy).into_judgement()
}

/// What `drive`'s values at the moment `at` support together with its earlier ones, in whatever order these stand.
/// Levels of other drives are left aside.
pub fn judge_with(drive: &Drive, past: &[Level], at: UtcMillis, policy: &Policy) -> Judgement {
    let mut findings = examine(drive, policy);
    history::look(drive, past, at, policy, &mut findings);
    findings.into_judgement()
}

/// Whether `drive` stopped answering: it is unknown because nothing was read of it, or not what it counted before. One that
/// answers as it always did and never said all that a sound one says is not among them.
#[must_use]
pub fn is_unread(drive: &Drive, past: &[Level], at: UtcMillis, policy: &Policy) -> bool {
    let asked = drive.smartctl_exit_status.is_none_or(|status| status & EXIT_NO_READING == 0);
    let tells = asked && (smartctl::tells_health(drive) || drive.emmc.is_some());
    (!tells || history::lost_a_count(drive, past)) && judge_with(drive, past, at, policy).verdict == Verdict::Unknown
}

/// The verdict on all drives of `report` together; unknown when it lists none.
#[must_use]
pub fn worst(report: &HealthReport, past: &[Level], at: UtcMillis, policy: &Policy) -> Verdict {
    let verdicts = report.drives.iter().map(|drive| judge_with(drive, past, at, policy).verdict);
    verdicts.reduce(Verdict::worse).unwrap_or(Verdict::Unknown)
}

/// What was looked at in `drive` and found in order, each with the threshold that it did not meet.
#[must_use]
pub fn evidence(drive: &Drive, policy: &Policy) -> Vec<Reason> {
    examine(drive, policy).passed
}

fn examine(drive: &Drive, policy: &Policy) -> Findings {
    let mut findings = Findings::default();
    if drive.smartctl_exit_status.is_some_and(|status| status & EXIT_NO_READING != 0) {
        findings.missing(
            "Le disque n'a pas pu être interrogé (smartctl, bits 0 et 1).",
            "The drive could not be asked (smartctl, bits 0 and 1).",
        );
        return findings;
    }
    if let Some(nvme) = &drive.nvme {
        nvme::look(nvme, policy, &mut findings);
    } else if let Some(emmc) = &drive.emmc {
        emmc::look(emmc, &mut findings);
    } else {
        ata::look(drive, policy, &mut findings);
    }
    look_at_own_status(drive, &mut findings);
    look_at_self_tests(drive, &mut findings);
    wear::look(drive, policy, &mut findings);
    findings
}

/// smartctl's exit status: a bad command line, or a device that could not be opened.
const EXIT_NO_READING: u8 = 0b11;
/// A command failed: some values may be missing.
const EXIT_INCOMPLETE: u8 = 0b100;
/// The drive says that it is failing.
const EXIT_FAILING: u8 = 0b1000;
/// A prefail attribute stands at or below its threshold.
const EXIT_PREFAIL: u8 = 0b1_0000;
/// An attribute stood at or below its threshold once.
const EXIT_ONCE: u8 = 0b10_0000;
/// The log of self-tests holds failures that no later complete test has outdated.
const EXIT_SELF_TESTS: u8 = 0b1000_0000;

/// The drive's own verdict. An NVMe drive that is only hot says "failed" too: then its warning bits have spoken.
fn look_at_own_status(drive: &Drive, findings: &mut Findings) {
    let status = drive.smartctl_exit_status.unwrap_or_default();
    if status & EXIT_INCOMPLETE != 0 {
        findings.missing(
            "Une commande SMART a échoué : des valeurs peuvent manquer (smartctl, bit 2).",
            "A SMART command failed: values may be missing (smartctl, bit 2).",
        );
    }
    // The status of an NVMe drive sums up the bits of its warning: those that spoke need no repeating.
    let told = |findings: &Findings| findings.reasons.iter().any(|reason| reason.verdict == Verdict::Failing);
    if drive.nvme.as_ref().is_some_and(|nvme| nvme::is_only_hot(nvme) || told(findings)) {
        return;
    }
    if drive.self_assessment == Some(SelfAssessment::Failed) || status & EXIT_FAILING != 0 {
        findings.reason(Reason {
            code: "own_status",
            verdict: Verdict::Failing,
            value: Said::new("défaillant", "failed"),
            threshold: None,
            source: maker(),
            said: Said::new("il se déclare lui-même défaillant", "it declares itself failing"),
        });
    }
    if status & EXIT_PREFAIL != 0 && !findings.has("below_threshold") {
        findings.reason(Reason {
            code: "below_threshold",
            verdict: Verdict::Failing,
            value: Said::new("sous le seuil", "below threshold"),
            threshold: None,
            source: maker(),
            said: Said::new(
                "un attribut critique est sous le seuil du fabricant (smartctl, bit 4)",
                "a prefail attribute is below the maker's threshold (smartctl, bit 4)",
            ),
        });
    }
    if drive.self_assessment == Some(SelfAssessment::Passed) {
        findings.passed.push(Reason {
            code: "own_status",
            verdict: Verdict::Healthy,
            value: Said::new("sain", "passed"),
            threshold: None,
            source: maker(),
            said: Said::new("il se déclare lui-même sain", "it declares itself well"),
        });
    }
    if status & EXIT_ONCE != 0 && !findings.has("below_threshold") {
        findings.reason(Reason {
            code: "below_threshold_once",
            verdict: Verdict::Healthy,
            value: Said::new("sous le seuil dans le passé", "below threshold in the past"),
            threshold: None,
            source: maker(),
            said: Said::new(
                "un attribut a été sous le seuil du fabricant et ne l'est plus (smartctl, bit 5)",
                "an attribute was below the maker's threshold and no longer is (smartctl, bit 5)",
            ),
        });
    }
}

/// Its own self-tests: one that could not read the medium tells what an unreadable sector tells.
fn look_at_self_tests(drive: &Drive, findings: &mut Findings) {
    let failed = match drive.failed_self_tests {
        Some(failed) => failed,
        None => u64::from(drive.smartctl_exit_status.is_some_and(|status| status & EXIT_SELF_TESTS != 0)),
    };
    if failed == 0 {
        return;
    }
    let shown = number(failed);
    findings.reason(Reason {
        code: "failed_self_tests",
        verdict: Verdict::Failing,
        value: shown.clone(),
        threshold: Some(number(1)),
        source: Said::new(
            "smartctl(8), bit 7 : échecs qu'aucun test complet plus récent n'a démentis",
            "smartctl(8), bit 7: failures that no later complete test has outdated",
        ),
        said: Said::new(
            if failed < 2 {
                "un de ses propres tests a échoué".to_owned()
            } else {
                format!("{} de ses propres tests ont échoué", shown.fr)
            },
            if failed < 2 {
                "one of its own self-tests failed".to_owned()
            } else {
                format!("{} of its own self-tests failed", shown.en)
            },
        ),
    });
}

/// Whether `drive` rotates: it says so, or has attributes that only a motor and moving heads can have (spin-up time,
/// seek errors, spin retries).
fn rotates(drive: &Drive) -> bool {
    match drive.kind {
        Some(DriveKind::Hdd) => true,
        Some(DriveKind::Ssd | DriveKind::Nvme | DriveKind::Emmc) => false,
        Some(DriveKind::Unknown) | None => {
            drive.ata_attributes.iter().any(|attribute| matches!(attribute.id, 3 | 7 | 10))
        }
    }
}

fn maker() -> Said {
    Said::new("seuil du fabricant", "the maker's threshold")
}

/// What has been found so far.
#[derive(Default)]
struct Findings {
    reasons: Vec<Reason>,
    missing: Vec<Said>,
    /// What was found in order.
    passed: Vec<Reason>,
    /// Whether at least one figure spoke of the drive's health.
    figures: bool,
    /// Whether a figure that decides could not be understood.
    unclear: bool,
    /// What a sound drive of its kind would have said.
    lacking: Vec<Said>,
}

impl Findings {
    fn reason(&mut self, reason: Reason) {
        self.reasons.push(reason);
    }

    fn missing(&mut self, fr: &str, en: &str) {
        self.missing.push(Said::new(fr, en));
    }

    /// Notes what a sound drive would have said: without it, none is called healthy.
    fn expect(&mut self, told: bool, fr: &str, en: &str) {
        if !told {
            self.lacking.push(Said::new(fr, en));
        }
    }

    fn has(&self, code: &str) -> bool {
        self.reasons.iter().any(|reason| reason.code == code)
    }

    /// Judges a count of something that should be zero. Above zero but below the thresholds it is worth watching.
    fn count(&mut self, code: &'static str, value: u64, steps: &[Step], said: Said) {
        self.figures = true;
        let step = steps.iter().filter(|step| value >= step.from).max_by_key(|step| weight(step.verdict));
        let shown = step.or_else(|| steps.first().filter(|_| value == 0));
        let reason = Reason {
            code,
            verdict: step.map_or(Verdict::Healthy, |step| step.verdict),
            value: number(value),
            threshold: shown.map(|step| number(step.from)),
            source: shown.map_or_else(worth_watching, |step| super::policy::source_of(step.setting)),
            said,
        };
        if value == 0 { self.passed.push(reason) } else { self.reason(reason) }
    }

    fn into_judgement(mut self) -> Judgement {
        self.reasons.sort_by_key(|reason| std::cmp::Reverse(weight(reason.verdict)));
        let worst = self.reasons.iter().map(|reason| reason.verdict).max_by_key(|verdict| weight(*verdict));
        let whole = self.figures && !self.unclear && self.lacking.is_empty();
        let verdict = match worst {
            Some(found @ (Verdict::Failing | Verdict::Worn)) => found,
            Some(Verdict::Healthy | Verdict::Unknown) | None if whole => Verdict::Healthy,
            Some(Verdict::Healthy | Verdict::Unknown) | None => Verdict::Unknown,
        };
        if !self.figures {
            self.missing("Le disque n'a donné aucun chiffre de santé.", "The drive gave no figure about its health.");
        } else if verdict == Verdict::Unknown && !self.lacking.is_empty() {
            let list = |said: fn(&Said) -> &str| self.lacking.iter().map(said).collect::<Vec<_>>().join(", ");
            let (fr, en) = (list(|said| &said.fr), list(|said| &said.en));
            self.missing.push(Said::new(
                format!("Le disque ne dit pas tout ce qu'un disque sain dit : {fr}."),
                format!("The drive leaves out what a sound one says: {en}."),
            ));
        }
        Judgement { verdict, reasons: self.reasons, missing: self.missing }
    }
}

const fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Healthy | Verdict::Unknown => 0,
        Verdict::Worn => 1,
        Verdict::Failing => 2,
    }
}

fn worth_watching() -> Said {
    Said::new("à surveiller dès 1", "worth watching from 1 on")
}

/// From which count on a verdict holds, and the setting that says so.
struct Step {
    from: u64,
    verdict: Verdict,
    setting: &'static str,
}

impl Step {
    fn worn(from: u32, setting: &'static str) -> Self {
        Self { from: u64::from(from), verdict: Verdict::Worn, setting }
    }

    fn failing(from: u32, setting: &'static str) -> Self {
        Self { from: u64::from(from), verdict: Verdict::Failing, setting }
    }
}

#[cfg(test)]
mod family_tests;
#[cfg(test)]
mod tests;
