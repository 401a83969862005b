//! Exams: the page that lists them, and the form that orders one.

use std::collections::BTreeMap;

use askama::Template;
use cartable_common::UtcMillis;
use jiff::civil::DateTime;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    campaign_form::Tick,
    component::{Badge, Pager, Tone, When},
    device_list::{Nonsense, optional},
    i18n::Words,
    shell::Shell,
};
use crate::{
    domain::{
        exam::{ExamState, InvalidExam, NewExam},
        paris::{self, NoMoment},
    },
    store::{
        exam::ExamRow,
        page::{Cursor, CursorKey, Page},
        site::SiteRow,
    },
};

/// Sites whose boxes are shown at once; of more, the list folds.
const MOST_IN_SIGHT: usize = 12;

/// The page's address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExamsAsked {
    pub(super) after: String,
}

impl ExamsAsked {
    /// Where the page before ended, if it makes sense.
    pub(super) fn after(&self) -> Result<Option<Cursor>, Nonsense> {
        let after: Option<Cursor> = optional(&self.after)?;
        if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Number(_))) {
            return Err(Nonsense);
        }
        Ok(after)
    }
}

/// An exam, as typed: a day and two times in Paris. Every site has a box of its own (`site-<id>`); without any ticked all
/// of them are meant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExamForm {
    pub(super) label: String,
    pub(super) day: String,
    pub(super) begins: String,
    pub(super) ends: String,
    #[serde(flatten)]
    pub(super) ticked: BTreeMap<String, String>,
}

impl ExamForm {
    /// The exam that was typed, or the word for what is wrong with it.
    pub(super) fn read(&self, now: UtcMillis) -> Result<NewExam, &'static str> {
        let moment = |time: &str| {
            let typed = format!("{}T{}", self.day.trim(), time.trim()).parse::<DateTime>().ok();
            typed.ok_or("exam-problem-time").and_then(|at| paris::moment(at).map_err(no_time))
        };
        NewExam::new(&self.label, moment(&self.begins)?, moment(&self.ends)?, now).map_err(problem)
    }

    /// The sites that are ticked.
    pub(super) fn sites(&self) -> Result<Vec<Uuid>, &'static str> {
        let ticked = self.ticked.keys().filter_map(|name| name.strip_prefix("site-"));
        ticked.map(|id| id.parse().map_err(|_| "exam-problem-site")).collect()
    }
}

const fn no_time(why: NoMoment) -> &'static str {
    match why {
        NoMoment::LeftOut => "exam-problem-left-out",
        NoMoment::Form | NoMoment::Outside => "exam-problem-time",
    }
}

const fn problem(invalid: InvalidExam) -> &'static str {
    match invalid {
        InvalidExam::Label => "exam-problem-label",
        InvalidExam::Backwards => "exam-problem-backwards",
        InvalidExam::TooLong => "exam-problem-too-long",
        InvalidExam::Past => "exam-problem-past",
    }
}

#[derive(Debug)]
struct Row {
    label: String,
    by: String,
    site: String,
    uai: Option<String>,
    begins: When,
    ends: When,
    state: Badge,
    /// Where it is called off, and the word for it.
    call_off: Option<(String, String)>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "exams.html")]
pub(super) struct ExamsPage {
    shell: Shell,
    csrf: String,
    rows: Vec<Row>,
    pager: Pager,
    /// Whether something under way can be ended.
    ends_any: bool,
    orders: bool,
    sites: Vec<Tick>,
    sites_hint: String,
    folds: bool,
    form: ExamForm,
    problem: Option<String>,
}

/// What the person may do with exams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Orders {
    /// Read.
    Nothing,
    /// Order those of their own sites.
    OwnSites,
    /// Order those of all sites too.
    Everywhere,
}

impl ExamsPage {
    /// The page for these exams after that place, each with whether the person may call it off, and these sites to choose
    /// from.
    pub(super) fn new(
        shell: Shell,
        (exams, after): (Page<(ExamRow, bool)>, Option<&Cursor>),
        (orders, sites): (Orders, &[SiteRow]),
        (form, problem): (ExamForm, Option<&'static str>),
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        let site = |site: &SiteRow| {
            let name = format!("site-{}", site.id);
            let label = words.with_two("site-named", &site.name, &site.uai);
            Tick { ticked: form.ticked.contains_key(&name), name, label }
        };
        let sites: Vec<Tick> = sites.iter().map(site).collect();
        let pager = Pager::new(&exams, "exams-found", "/exams?", after, words);
        let rows: Vec<Row> = exams.rows.into_iter().map(|one| row(one, now, words)).collect();
        Self {
            csrf: shell.csrf(),
            ends_any: rows.iter().any(|row| row.call_off.is_some()),
            rows,
            pager,
            orders: orders != Orders::Nothing,
            folds: sites.len() > MOST_IN_SIGHT,
            sites_hint: words.say(if orders == Orders::Everywhere { "exam-sites-hint" } else { "exam-sites-needed" }),
            problem: problem.map(|key| words.say(key)),
            sites,
            form,
            shell,
        }
    }
}

fn row((exam, may_call_off): (ExamRow, bool), now: UtcMillis, words: Words) -> Row {
    let state = exam.exam.state(now);
    let (tone, act) = match state {
        ExamState::Coming => (Tone::Info, Some("exam-remove")),
        ExamState::Current => (Tone::Good, Some("exam-end-now")),
        ExamState::Past => (Tone::Plain, None),
    };
    let (site, uai) = exam.site.unzip();
    Row {
        call_off: act.filter(|_| may_call_off).map(|act| (format!("/exams/{}/end", exam.id), words.say(act))),
        by: words.with("exam-by", &exam.created_by),
        label: exam.label,
        site: site.unwrap_or_else(|| words.say("exam-everywhere")),
        uai,
        begins: When::exact(exam.exam.begins_at, words),
        ends: When::exact(exam.exam.ends_at, words),
        state: Badge::new(tone, words.word("exam-state", state.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_two_times_are_those_of_paris() {
        let form = |begins: &str, ends: &str| ExamForm {
            label: "Brevet blanc".into(),
            day: "2027-06-14".into(),
            begins: begins.into(),
            ends: ends.into(),
            ticked: BTreeMap::from([("site-x".to_owned(), "on".to_owned())]),
        };
        let now = UtcMillis::default().plus_days(20_000);
        let read = form("08:00", "12:00").read(now).unwrap();
        let eight = "2027-06-14T06:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
        assert_eq!((read.begins_at().get(), read.ends_at().get()), (eight, eight + 4 * 3_600_000));
        assert_eq!(form("8", "12:00").read(now), Err("exam-problem-time"));
        let at_night = ExamForm { day: "2027-03-28".into(), ..form("02:30", "12:00") };
        assert_eq!(at_night.read(now), Err("exam-problem-left-out"));
        assert_eq!(form("12:00", "08:00").read(now), Err("exam-problem-backwards"));
        assert_eq!(form("08:00", "20:30").read(now), Err("exam-problem-too-long"));
        assert_eq!(form("08:00", "12:00").read(now.plus_days(9_999)), Err("exam-problem-past"));
        assert_eq!(form("08:00", "12:00").sites(), Err("exam-problem-site"));
    }
}
