//! The small parts that pages are made of. Each is a template of its own that escapes what it is given, and may then
//! stand in a page as it is.

use askama::{Template, filters::HtmlSafe};
use cartable_common::UtcMillis;

use super::{format, i18n::Words};
use crate::{
    domain::{device::DeviceStatus, flag::Severity, verdict::Verdict},
    store::page::{Cursor, Page, Total},
};

/// How a mark looks. Colour never speaks alone: each tone has its own shape, and a word beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Needs a person now.
    Critical,
    /// Needs a person when the device is next in hand.
    Warning,
    /// Good to know.
    Info,
    /// Well.
    Good,
    /// Nothing is known.
    Unknown,
    /// Neither good nor bad.
    Plain,
}

impl Tone {
    /// Every tone.
    pub(super) const ALL: [Self; 6] =
        [Self::Critical, Self::Warning, Self::Info, Self::Good, Self::Unknown, Self::Plain];

    /// The name in class names.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Good => "good",
            Self::Unknown => "unknown",
            Self::Plain => "plain",
        }
    }

    /// The shape's outline on a 12 × 12 field.
    const fn shape(self) -> &'static str {
        match self {
            Self::Critical => "M6 .5 11.5 6 6 11.5 .5 6Z",
            Self::Warning => "M6 1 11.5 11H.5Z",
            Self::Info => "M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1Z",
            Self::Good => "M1 6.4 2.6 4.8 4.9 7.1 9.5 2 11 3.6 5 10.2Z",
            Self::Unknown => "M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1Zm0 1.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4Z",
            Self::Plain => "M2 5h8v2H2Z",
        }
    }
}

impl From<Severity> for Tone {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
        }
    }
}

impl From<Verdict> for Tone {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Healthy => Self::Good,
            Verdict::Worn => Self::Warning,
            Verdict::Failing => Self::Critical,
            Verdict::Unknown => Self::Unknown,
        }
    }
}

impl From<DeviceStatus> for Tone {
    fn from(status: DeviceStatus) -> Self {
        match status {
            DeviceStatus::Pending => Self::Info,
            DeviceStatus::Active => Self::Good,
            DeviceStatus::Quarantined => Self::Warning,
            DeviceStatus::Revoked => Self::Critical,
            DeviceStatus::Released => Self::Plain,
        }
    }
}

/// A word with its mark.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<span class="badge {{ tone.as_str() }}"><svg class="glyph" viewBox="0 0 12 12" aria-hidden="true" focusable="false"><path d="{{ tone.shape() }}"/></svg>{{ label }}</span>"#
)]
pub(super) struct Badge {
    /// How it looks.
    pub(super) tone: Tone,
    /// What it says.
    pub(super) label: String,
}

impl HtmlSafe for Badge {}

impl Badge {
    /// A badge.
    pub(super) fn new(tone: impl Into<Tone>, label: String) -> Self {
        Self { tone: tone.into(), label }
    }

    /// A device's status.
    pub(super) fn status(status: DeviceStatus, words: Words) -> Self {
        Self::new(status, words.word("status", status.as_str()))
    }

    /// A severity.
    pub(super) fn severity(severity: Severity, words: Words) -> Self {
        Self::new(severity, words.word("severity", severity.as_str()))
    }

    /// A verdict.
    pub(super) fn verdict(verdict: Verdict, words: Words) -> Self {
        Self::new(verdict, words.word("verdict", verdict.as_str()))
    }
}

/// A moment: how long ago, and exactly when for those who ask.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<time datetime="{{ iso }}"{% if exact != shown %} title="{{ exact }}"{% endif %}>{{ shown }}</time>"#
)]
pub(super) struct When {
    iso: String,
    shown: String,
    exact: String,
}

impl HtmlSafe for When {}

impl When {
    /// Shown as the time that has passed.
    pub(super) fn relative(moment: UtcMillis, now: UtcMillis, words: Words) -> Self {
        let (iso, exact) = (format::iso(moment), format::date_time(moment, words));
        Self { iso, shown: format::relative(moment, now, words), exact }
    }

    /// Shown in full.
    pub(super) fn exact(moment: UtcMillis, words: Words) -> Self {
        let exact = format::date_time(moment, words);
        Self { iso: format::iso(moment), shown: exact.clone(), exact }
    }

    /// The same, where the beginning of a day stands for that day.
    pub(super) fn recorded(moment: UtcMillis, words: Words) -> Self {
        if moment.get() % UtcMillis::DAY != 0 {
            return Self::exact(moment, words);
        }
        let day = format::day(moment.day_number(), words);
        Self { iso: format::iso(moment), shown: day.clone(), exact: day }
    }
}

/// One choice of a select field or of a row of filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The value in the address.
    pub(super) value: String,
    /// What it says.
    pub(super) label: String,
    /// Whether it is the present one.
    pub(super) selected: bool,
}

/// The foot of a list: how many there are, and the way to the next ones.
#[derive(Clone, Debug, Template)]
#[template(path = "pager.html")]
pub(super) struct Pager {
    words: Words,
    total: String,
    first: Option<String>,
    next: Option<String>,
}

impl HtmlSafe for Pager {}

impl Pager {
    /// The foot of `page`. `address` is the list's own address with its filters, ending in `?` or `&`.
    pub(super) fn new<T>(page: &Page<T>, counted: &str, address: &str, after: Option<&Cursor>, words: Words) -> Self {
        Self {
            words,
            total: total(page.total, counted, words),
            first: after.map(|_| address.trim_end_matches(['?', '&']).to_owned()),
            next: page.next.as_ref().map(|cursor| format!("{address}after={cursor}")),
        }
    }

    /// How many there are, for the head of the list.
    pub(super) fn total(&self) -> &str {
        &self.total
    }
}

fn total(total: Total, counted: &str, words: Words) -> String {
    match total {
        Total::Exact(count) => words.count(counted, count),
        Total::MoreThan(count) => words.with("more-than", &words.count(counted, count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;

    #[test]
    fn a_part_escapes_what_it_is_given() {
        let badge = Badge::new(Tone::Info, "<img src=x onerror=alert(1)>".to_owned());
        let html = badge.render().unwrap();
        assert!(html.contains("&#60;img src=x onerror=alert(1)&#62;"), "{html}");
        assert!(!html.contains("<img"));
    }

    #[test]
    fn every_tone_has_its_own_shape() {
        let shapes: std::collections::BTreeSet<_> = Tone::ALL.map(Tone::shape).into_iter().collect();
        assert_eq!(shapes.len(), Tone::ALL.len());
        assert_eq!(
            When::exact(UtcMillis::default(), Words::of(Language::French)).render().unwrap().matches("title").count(),
            0
        );
    }

    #[test]
    fn where_the_day_alone_is_recorded_no_hour_is_shown() {
        let (day, words) = (UtcMillis::default().plus_days(20_000), Words::of(Language::English));
        let shown = |moment| When::recorded(moment, words).shown;
        assert_eq!(shown(day), format::day(20_000, words));
        let later = day.plus_millis(1);
        assert_eq!(shown(later), When::exact(later, words).shown);
        assert_ne!(shown(day), When::exact(day, words).shown);
    }
}
