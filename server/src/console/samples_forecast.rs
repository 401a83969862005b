//! Samples of the forecast; looked at by the tests of [`super::samples`].

use askama::Template as _;

use super::{
    forecast::{Asked, ForecastPage},
    samples::Samples,
    shell::Section,
};
use crate::domain::{
    forecast::{Bottleneck, Constraint, Forecast, PartOrder, QUANTILES, Question, RUNS, ReadyFor, Rests, SEED, Week},
    paris,
    part::PartKind,
    policy::Policy,
};

impl Samples<'_> {
    /// Every one of them.
    pub(super) fn forecasts(&self) -> Vec<(&'static str, askama::Result<String>)> {
        let asked = |target: &str, by: &str| Asked {
            ready: "donate".to_owned(),
            target: target.to_owned(),
            by: by.to_owned(),
            seed: String::new(),
        };
        let (found, nothing) = (self.forecast(true), self.forecast(false));
        let by = found.question.by.to_string();
        let page = |asked: &Asked, found| {
            let shell = self.shell(Section::Forecast, &self.words.say("forecast-title"));
            ForecastPage::new(shell, asked, found, &Policy::default(), self.now).render()
        };
        let problem = asked("900", "?").question(paris::date(self.now)).map(|_| None);
        vec![
            ("forecast", page(&asked("900", &by), Ok(Some(&found)))),
            ("forecast-nothing", page(&asked("900", &by), Ok(Some(&nothing)))),
            ("forecast-unasked", page(&asked("", ""), Ok(None))),
            ("forecast-problem", page(&asked("900", "?"), problem)),
        ]
    }

    fn forecast(&self, some: bool) -> Forecast {
        let week = |number: i64| {
            let day = paris::date(self.now.plus_days(7 * number));
            let middle = u32::try_from(212 + 42 * number).unwrap_or_default();
            let spread = u32::try_from(number).unwrap_or_default() * 12;
            let units = [middle - spread, middle - spread / 2, middle, middle + spread / 2, middle + spread];
            Week { day, units: if some { units } else { [0; QUANTILES.len()] } }
        };
        let weeks: Vec<Week> = (0..18).map(week).collect();
        let by = weeks.last().map(|week| week.day).unwrap_or_default();
        let relaxed =
            |constraint, percent, median| Bottleneck { constraint, percent, percent_now: 72, median, median_now: 926 };
        let limits = if some {
            vec![
                relaxed(Constraint::Parts, 93, 1_012),
                relaxed(Constraint::Part(PartKind::Battery, 0), 88, 984),
                relaxed(Constraint::Returns, 81, 951),
                relaxed(Constraint::Bench, 74, 930),
            ]
        } else {
            Vec::new()
        };
        let part = |kind, model, quantity| PartOrder {
            kind,
            model,
            quantity,
            on_shelf: 12,
            unit_cents: 4_990,
            estimated: model == 1,
        };
        Forecast {
            question: Question { ready: ReadyFor::Donate, target: 900, by, seed: SEED, runs: RUNS },
            ready_now: if some { 212 } else { 0 },
            weeks,
            met: if some { 720 } else { 0 },
            bottleneck: limits.get(1).copied(),
            relaxed: limits,
            parts: if some {
                vec![part(PartKind::Battery, 0, 60), part(PartKind::Charger, 1, 14), part(PartKind::Screen, 0, 3)]
            } else {
                Vec::new()
            },
            models: vec![self.told("ThinkPad L13"), String::new()],
            rests: Rests {
                returns: if some { 3_412 } else { 0 },
                orders: if some { 2_870 } else { 0 },
                pace_days: if some { 31 } else { 0 },
                bench_minutes: 1_104,
                units: if some { 20_418 } else { 0 },
                more: some,
            },
        }
    }
}
