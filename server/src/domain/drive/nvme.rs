//! The health log of an NVMe drive (NVMe base specification, SMART / Health Information).
//!
//! Entries of the error log are ignored: 39.8 % of 12,240 healthy-fleet reports have some, mostly commands the drive
//! does not know.

use cartable_common::report::NvmeHealth;

use super::{Findings, Reason, Said, Step, Verdict, maker, number, percent};
use crate::domain::policy::Policy;

const HOT: u8 = 1 << 1;

/// Bits of the critical warning that stand for a risk, with what they say.
const RISKS: [(u8, &str, &str, &str); 4] = [
    (1 << 0, "nvme_spare", "sa réserve de blocs est épuisée", "its spare blocks are used up"),
    (1 << 2, "nvme_unreliable", "il se dit devenu peu fiable", "it says that it has become unreliable"),
    (1 << 3, "nvme_read_only", "il est passé en lecture seule", "it has become read-only"),
    (1 << 4, "nvme_backup", "sa protection contre les coupures est en panne", "its power-loss protection has failed"),
];

pub(super) fn look(nvme: &NvmeHealth, policy: &Policy, findings: &mut Findings) {
    look_at_warnings(nvme, findings);
    look_at_spare(nvme, findings);
    findings.figures |= nvme.percentage_used_percent.is_some();
    let spare = nvme.available_spare_percent.is_some() && nvme.available_spare_threshold_percent.is_some();
    findings.expect(nvme.critical_warning.is_some(), "ses alertes", "its warnings");
    findings.expect(spare, "sa réserve de blocs et le seuil de celle-ci", "its spare blocks and their threshold");
    findings.expect(nvme.media_errors.is_some(), "ses données illisibles", "its unreadable data");
    if let Some(errors) = nvme.media_errors {
        let steps = [
            Step::worn(policy.drive.flash_errors_worn, "drive.flash_errors_worn"),
            Step::failing(policy.drive.flash_errors_failing, "drive.flash_errors_failing"),
        ];
        let shown = number(errors);
        let said = Said::new(
            if errors < 2 {
                format!("{} donnée qu'il n'a pas pu relire", shown.fr)
            } else {
                format!("{} données qu'il n'a pas pu relire", shown.fr)
            },
            format!("{} piece{} of data that it could not read back", shown.en, if errors == 1 { "" } else { "s" }),
        );
        findings.count("media_errors", errors, &steps, said);
    }
}

/// Whether heat is all that the drive warns of: it cools down again.
pub(super) fn is_only_hot(nvme: &NvmeHealth) -> bool {
    nvme.critical_warning == Some(HOT)
}

fn look_at_warnings(nvme: &NvmeHealth, findings: &mut Findings) {
    let Some(warning) = nvme.critical_warning else { return };
    findings.figures = true;
    for (bit, code, fr, en) in RISKS {
        if warning & bit != 0 {
            findings.reason(Reason {
                code,
                verdict: Verdict::Failing,
                value: Said::same(format!("critical_warning 0x{warning:02x}")),
                threshold: Some(Said::same(format!("bit {}", bit.trailing_zeros()))),
                source: maker(),
                said: Said::new(fr, en),
            });
        }
    }
    if warning & HOT != 0 {
        findings.reason(Reason {
            code: "nvme_hot",
            verdict: Verdict::Healthy,
            value: Said::same(format!("critical_warning 0x{warning:02x}")),
            threshold: Some(Said::same("bit 1")),
            source: maker(),
            said: Said::new(
                "il était trop chaud (ou trop froid) au moment du relevé : à relire une fois reposé",
                "it was too hot (or too cold) when read: read it again once it has rested",
            ),
        });
    }
}

fn look_at_spare(nvme: &NvmeHealth, findings: &mut Findings) {
    let (Some(spare), Some(threshold)) = (nvme.available_spare_percent, nvme.available_spare_threshold_percent) else {
        return;
    };
    findings.figures = true;
    let enough = spare >= threshold;
    let (spare, threshold) = (percent(u64::from(spare.get())), percent(u64::from(threshold.get())));
    let only = if enough { ("reste", "") } else { ("ne reste que", "only ") };
    let reason = |verdict| Reason {
        code: "nvme_spare",
        verdict,
        value: spare.clone(),
        threshold: Some(threshold.clone()),
        source: maker(),
        said: Said::new(
            format!("il {} {} de blocs de réserve (seuil {})", only.0, spare.fr, threshold.fr),
            format!("{}{} of its spare blocks are left (threshold {})", only.1, spare.en, threshold.en),
        ),
    };
    if enough {
        findings.passed.push(reason(Verdict::Healthy));
    } else {
        findings.reasons.retain(|reason| reason.code != "nvme_spare");
        findings.reason(reason(Verdict::Failing));
    }
}
