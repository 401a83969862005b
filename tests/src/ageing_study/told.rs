//! A study as tables of Markdown, as docs/EVIDENCE.md shows them.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    Decision, Study, Warned,
    method::NAMES,
    score::{Score, part, quartiles},
};
use crate::simulator::ageing::{Need, Part};

/// What is looked for, and among which devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Batteries and drives of devices that an agent was heard from.
    Read,
    /// Whatever breaks, of every device that is lent.
    Everything,
}

impl View {
    const fn includes(self, agent: bool) -> bool {
        agent || matches!(self, Self::Everything)
    }

    fn wants(self, need: &Need) -> bool {
        need.part.is_read() || self == Self::Everything
    }
}

impl Study {
    /// All decisions of a view, each with what it was about.
    fn decisions(&self, view: View) -> impl Iterator<Item = (&Decision, Option<&Need>)> {
        let all = self.followed.iter().flat_map(|one| &one.decisions);
        let seen = all.filter(move |decision| view.includes(decision.agent));
        seen.map(move |decision| (decision, decision.needs.iter().find(|need| view.wants(need))))
    }

    fn warned(&self, view: View) -> impl Iterator<Item = &Warned> {
        let all = self.followed.iter().flat_map(|one| &one.warned);
        all.filter(move |one| view.includes(one.agent) && view.wants(&one.need))
    }

    /// The counts of one method, by its place among [`NAMES`].
    pub fn score(&self, view: View, method: usize) -> Score {
        let mut score = Score::default();
        for (decision, need) in self.decisions(view) {
            score.add(decision.alarms[method], need.is_some());
        }
        score
    }

    /// All tables.
    pub fn told(&self) -> String {
        let mut out = String::new();
        let reports: u64 = self.followed.iter().map(|one| u64::from(one.reports)).sum();
        let decisions = self.decisions(View::Everything).count();
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{} devices, {} of them lent; {decisions} decisions; {reports} reports\n",
            self.devices,
            self.followed.len()
        );
        self.tell_needs(&mut out);
        for (view, title) in [
            (View::Read, "Battery or drive, devices with an agent"),
            (View::Everything, "Everything that breaks, all lent devices"),
        ] {
            let _ = writeln!(out, "\n**{title}**\n");
            self.tell_scores(&mut out, view);
            let _ = writeln!(out);
            self.tell_leads(&mut out, view);
        }
        self.tell_classes(&mut out);
        out
    }

    fn tell_needs(&self, out: &mut String) {
        let mut parts: BTreeMap<Part, u32> = BTreeMap::new();
        let mut total = 0;
        for (decision, _) in self.decisions(View::Everything) {
            total += 1;
            let mut own: Vec<Part> = decision.needs.iter().map(|need| need.part).collect();
            own.sort_unstable();
            own.dedup();
            for part in own {
                *parts.entry(part).or_default() += 1;
            }
        }
        let _ = writeln!(out, "| Needed before the next loan ended | Decisions | Share |\n| --- | --- | --- |");
        for (name, count) in parts {
            let _ = writeln!(out, "| {name:?} | {count} | {} |", percent(part(count, total)));
        }
    }

    fn tell_scores(&self, out: &mut String, view: View) {
        let _ = writeln!(
            out,
            "| Method | caught | false alarms | missed | left alone | precision | recall | F1 | false alarm rate |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        );
        for (method, name) in NAMES.iter().enumerate() {
            let score = self.score(view, method);
            let Score { caught, false_alarms, missed, left_alone } = score;
            let _ = writeln!(
                out,
                "| {name} | {caught} | {false_alarms} | {missed} | {left_alone} | {} | {} | {} | {} |",
                percent(score.precision()),
                percent(score.recall()),
                percent(score.f1()),
                percent(score.false_alarm_rate()),
            );
        }
    }

    fn tell_leads(&self, out: &mut String, view: View) {
        let _ = writeln!(
            out,
            "| Method | alarm stood before the need | days before: quartile | median | quartile |\n\
             | --- | --- | --- | --- | --- |"
        );
        let parts: &[(&str, Option<Part>)] = match view {
            View::Read => &[("battery", Some(Part::Battery)), ("drive", Some(Part::Drive))],
            View::Everything => &[("all", None)],
        };
        for (what, wanted) in parts {
            for (method, name) in NAMES.iter().enumerate() {
                let all: Vec<&Warned> =
                    self.warned(view).filter(|one| wanted.is_none_or(|part| part == one.need.part)).collect();
                let leads: Vec<i64> = all.iter().filter_map(|one| one.leads[method]).collect();
                let (warned, of) = (leads.len(), all.len());
                let days = quartiles(leads)
                    .map_or_else(|| "– | – | –".to_owned(), |[low, middle, high]| format!("{low} | {middle} | {high}"));
                let _ = writeln!(out, "| {what}: {name} | {warned} of {of} | {days} |");
            }
        }
    }

    fn tell_classes(&self, out: &mut String) {
        let (mut missed, mut false_alarms, mut advised): (Classes, Classes, Classes) = Default::default();
        for (decision, need) in self.decisions(View::Everything) {
            *advised.entry(decision.advised.as_str()).or_default() += 1;
            match (decision.alarms[0], need) {
                (false, Some(need)) => *missed.entry(decision.missed_because(need)).or_default() += 1,
                (true, None) => *false_alarms.entry(decision.against).or_default() += 1,
                (true, Some(_)) | (false, None) => {}
            }
        }
        let mut caught = Classes::new();
        for (decision, _) in self.decisions(View::Read).filter(|(one, need)| one.alarms[0] && need.is_some()) {
            *caught.entry(decision.against).or_default() += 1;
        }
        let mut worn = Classes::new();
        for (decision, _) in self.decisions(View::Read).filter(|(one, need)| one.alarms[0] && need.is_none()) {
            *worn.entry(decision.against).or_default() += 1;
        }
        for (title, classes) in [
            ("Advised", advised),
            ("Cartable missed (everything), by cause", missed),
            ("Cartable's false alarms (everything), by what spoke against lending", false_alarms),
            ("Cartable's false alarms (battery or drive)", worn),
            ("Cartable caught (battery or drive), by what spoke against lending", caught),
        ] {
            let _ = writeln!(out, "\n| {title} | Decisions |\n| --- | --- |");
            for (name, count) in classes {
                let _ = writeln!(out, "| {name} | {count} |");
            }
        }
    }
}

type Classes = BTreeMap<&'static str, u32>;

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}%", share * 100.0))
}
