//! The first page: how the fleet is, and what needs a person today.

use askama::Template;
use cartable_common::UtcMillis;

use super::{
    chart::{Bars, Legend, Meter},
    component::{Badge, Tone, When},
    flag::sentence,
    format,
    i18n::Words,
    shell::Shell,
};
use crate::{
    domain::{device::DeviceStatus, flag::Severity},
    store::{
        flag_list::FlagSummary,
        overview::{HOURS, Hour, Overview},
        page::Total,
    },
};

#[derive(Debug)]
struct Figure {
    tone: Tone,
    value: String,
    label: String,
    href: String,
}

#[derive(Debug)]
struct Share {
    label: String,
    href: String,
    meter: Meter,
    amount: String,
}

#[derive(Debug)]
struct Todo {
    sentence: String,
    href: String,
    device: String,
    site: Option<String>,
    since: When,
    severity: Badge,
}

#[derive(Debug)]
struct HourRow {
    when: When,
    check_ins: String,
    reports: String,
}

#[derive(Debug)]
struct Hourly {
    chart: Bars,
    rows: Vec<HourRow>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "overview.html")]
pub(super) struct OverviewPage {
    shell: Shell,
    summary: String,
    figures: Vec<Figure>,
    todo: Vec<Todo>,
    heard: Vec<Share>,
    codes: Vec<Share>,
    hourly: Option<Hourly>,
}

impl OverviewPage {
    /// The page for these figures and the flags that wait.
    pub(super) fn new(shell: Shell, overview: &Overview, waiting: Vec<FlagSummary>, now: UtcMillis) -> Self {
        let words = shell.words;
        Self {
            summary: words.with_two(
                "overview-summary",
                &words.count("devices-found", overview.devices()),
                &format::date_time(now, words),
            ),
            figures: figures(overview, words),
            todo: waiting.into_iter().map(|flag| todo(flag, now, words)).collect(),
            heard: heard(overview, words),
            codes: codes(overview, words),
            hourly: overview.hourly.as_deref().map(|hours| hourly(hours, words)),
            shell,
        }
    }

    /// With how many machines ask to be let in, for whoever decides about them.
    pub(super) fn with_asking(mut self, asking: Total) -> Self {
        let words = self.shell.words;
        let amount = |value| format::number(value, words.language);
        let value = match asking {
            Total::Exact(0) => return self,
            Total::Exact(count) => amount(count),
            Total::MoreThan(count) => words.with("more-than", &amount(count)),
        };
        self.figures.push(Figure {
            tone: Tone::Warning,
            value,
            label: words.say("overview-waiting"),
            href: "/devices/waiting".to_owned(),
        });
        self
    }
}

fn figures(overview: &Overview, words: Words) -> Vec<Figure> {
    let amount = |value| format::number(value, words.language);
    let mut figures = Vec::new();
    for severity in [Severity::Critical, Severity::Warning] {
        let count = overview.by_severity.iter().find(|(of, _)| *of == severity).map_or(0, |(_, count)| *count);
        figures.push(Figure {
            tone: severity.into(),
            value: amount(count),
            label: words.word("overview-severity", severity.as_str()),
            href: format!("/devices?severity={severity}&sort=severity&order=desc"),
        });
    }
    for status in DeviceStatus::ALL {
        let count = overview.by_status.iter().find(|(of, _)| of == status).map_or(0, |(_, count)| *count);
        // A state that no device is in says nothing, except the one that most should be in.
        if count > 0 || *status == DeviceStatus::Active {
            figures.push(Figure {
                tone: Tone::Plain,
                value: amount(count),
                label: words.word("overview-status", status.as_str()),
                href: format!("/devices?status={status}"),
            });
        }
    }
    if overview.archived > 0 {
        figures.push(Figure {
            tone: Tone::Plain,
            value: amount(overview.archived),
            label: words.say("overview-archived"),
            href: "/devices?archived=only".to_owned(),
        });
    }
    figures
}

fn todo(flag: FlagSummary, now: UtcMillis, words: Words) -> Todo {
    Todo {
        sentence: sentence(&flag.evidence, words).to_owned(),
        href: format!("/devices/{}#flag-{}", flag.device_id, flag.id),
        device: super::device_list::device_name(
            flag.serial_number.as_deref(),
            flag.asset_tag.as_deref(),
            flag.device_id,
        ),
        site: flag.site_name,
        since: When::relative(flag.since, now, words),
        severity: Badge::severity(flag.severity, words),
    }
}

fn heard(overview: &Overview, words: Words) -> Vec<Share> {
    let heard = overview.last_heard;
    let whole = heard.fresh + heard.week + heard.month + heard.older + heard.never;
    [
        ("heard-fresh", heard.fresh, Tone::Good),
        ("heard-week", heard.week, Tone::Good),
        ("heard-month", heard.month, Tone::Warning),
        ("heard-older", heard.older, Tone::Critical),
        ("heard-never", heard.never, Tone::Critical),
    ]
    .into_iter()
    .map(|(key, count, tone)| Share {
        label: words.say(key),
        href: String::new(),
        meter: Meter::of(count, whole, tone),
        amount: format::number(count, words.language),
    })
    .collect()
}

fn codes(overview: &Overview, words: Words) -> Vec<Share> {
    let whole = overview.by_code.iter().map(|(_, count)| *count).max().unwrap_or(0);
    overview
        .by_code
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(code, count)| Share {
            label: words.word("flag", code.as_str()),
            href: format!("/flags?code={code}&handling=all"),
            meter: Meter::of(*count, whole, Tone::Plain),
            amount: format::number(*count, words.language),
        })
        .collect()
}

fn hourly(hours: &[Hour], words: Words) -> Hourly {
    let values: Vec<i64> = hours.iter().map(|hour| hour.check_ins).collect();
    let peak = values.iter().copied().max().unwrap_or(0);
    let at = |hour: Option<&Hour>| hour.map_or_else(String::new, |hour| format::date_time(hour.starts, words));
    let legend = Legend {
        label: words.count("overview-hours-label", HOURS),
        from: at(hours.first()),
        peak: words.count("overview-hours-peak", peak),
        to: at(hours.last()),
    };
    let row = |hour: &Hour| HourRow {
        when: When::exact(hour.starts, words),
        check_ins: format::number(hour.check_ins, words.language),
        reports: format::number(hour.reports, words.language),
    };
    Hourly { chart: Bars::new(&values, legend), rows: hours.iter().rev().map(row).collect() }
}
