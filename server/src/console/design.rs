//! The internal page that shows every component of the design system; the tests photograph it.

use askama::Template;
use cartable_common::{DeviceId, UtcMillis};
use uuid::Uuid;

use super::{
    chart::{Bars, Legend, Line, Meter},
    component::{Badge, Tone},
    flag::FlagCard,
    shell::Shell,
};
use crate::{
    domain::{
        flag::{Evidence, Explanation, FlagCode, Severity},
        verdict::Verdict,
    },
    store::flag::FlagRow,
};

/// The page.
#[derive(Debug, Template)]
#[template(path = "design.html")]
pub(super) struct DesignPage {
    shell: Shell,
    badges: Vec<Badge>,
    tones: [Tone; 6],
    notices: [Tone; 4],
    flags: Vec<FlagCard>,
    bars: Bars,
    line: Line,
    meter: Meter,
}

impl DesignPage {
    /// The page.
    pub(super) fn new(shell: Shell, now: UtcMillis) -> Self {
        let words = shell.words;
        let tones = Tone::ALL.map(|tone| Badge::new(tone, words.word("tone", tone.as_str())));
        let verdicts = Verdict::ALL.iter().map(|verdict| Badge::verdict(*verdict, words));
        let flag = |severity| FlagCard::new(&sample_flag(severity, now), "", "/design", now, words);
        let legend = || Legend {
            label: words.say("design-charts"),
            from: "0".to_owned(),
            peak: "100".to_owned(),
            to: "48".to_owned(),
        };
        let wave: Vec<i64> = (0..48).map(|hour| (hour * 37) % 101).collect();
        let slope: Vec<(i64, i64)> = (0..30).map(|day| (day, 90 - day)).collect();
        Self {
            badges: tones.into_iter().chain(verdicts).collect(),
            tones: Tone::ALL,
            notices: [Tone::Info, Tone::Good, Tone::Warning, Tone::Critical],
            flags: Severity::ALL.iter().rev().map(|severity| flag(*severity)).collect(),
            bars: Bars::new(&wave, legend()),
            line: Line::new(&slope, 100, legend()),
            meter: Meter::new(62, Tone::Plain),
            shell,
        }
    }
}

/// A flag as any device could have it.
pub(super) fn sample_flag(severity: Severity, now: UtcMillis) -> FlagRow {
    FlagRow {
        id: Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 + u128::from(severity as u8)),
        device_id: DeviceId(Uuid::from_u128(1)),
        code: match severity {
            Severity::Info => FlagCode::MemoryChanged,
            Severity::Warning => FlagCode::BatteryWorn,
            Severity::Critical => FlagCode::DriveFailing,
        },
        subject: "S3X9NX0M".to_owned(),
        severity,
        since: now.plus_days(-3),
        evidence: Evidence {
            value: "media_errors 7".to_owned(),
            threshold: Some("0".to_owned()),
            source: "NVM Express Base Specification".to_owned(),
            evidence_at: Some(now.plus_days(-3)),
            sentence_fr: "Le disque signale un risque : sept erreurs de lecture.".to_owned(),
            sentence_en: "The drive reports a risk: seven read errors.".to_owned(),
            missing: vec!["–".to_owned()],
            in_french: Explanation::default(),
        },
        updated_at: now,
        cleared_at: None,
        acknowledged: None,
        snoozed_until: None,
        snoozed: None,
    }
}
