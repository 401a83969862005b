//! Small charts, drawn here as SVG in whole numbers. Each stands beside a table with the same figures.

use askama::{Template, filters::HtmlSafe};

use super::component::Tone;

const WIDTH: i64 = 960;
const HEIGHT: i64 = 120;

#[derive(Clone, Debug)]
struct Bar {
    class: &'static str,
    x: i64,
    y: i64,
    width: i64,
    height: i64,
}

/// The words around a chart.
#[derive(Clone, Debug, Default)]
pub(super) struct Legend {
    /// What it shows, for those who don't see it.
    pub(super) label: String,
    /// Where the horizontal axis begins.
    pub(super) from: String,
    /// The meaning of the topmost line.
    pub(super) peak: String,
    /// Where the horizontal axis ends.
    pub(super) to: String,
}

/// Columns, one for each figure.
#[derive(Clone, Debug, Template)]
#[template(path = "chart_bars.html")]
pub(super) struct Bars {
    width: i64,
    height: i64,
    columns: Vec<Bar>,
    legend: Legend,
}

impl HtmlSafe for Bars {}

impl Bars {
    /// Columns for `values`, the largest as high as the chart.
    pub(super) fn new(values: &[i64], legend: Legend) -> Self {
        let count = i64::try_from(values.len()).unwrap_or(i64::MAX).max(1);
        let largest = values.iter().copied().max().unwrap_or(0).max(1);
        let step = WIDTH / count;
        let bar = |(index, value): (usize, &i64)| {
            let height = (value * (HEIGHT - 4) / largest).max(2);
            let class = if *value > 0 { "mark" } else { "empty-mark" };
            let x = i64::try_from(index).unwrap_or(0) * step;
            Bar { class, x, y: HEIGHT - height, width: (step - 4).max(1), height }
        };
        Self { width: step * count, height: HEIGHT, columns: values.iter().enumerate().map(bar).collect(), legend }
    }
}

/// A line through figures over time.
#[derive(Clone, Debug, Template)]
#[template(path = "chart_line.html")]
pub(super) struct Line {
    width: i64,
    height: i64,
    points: String,
    legend: Legend,
}

impl HtmlSafe for Line {}

impl Line {
    /// A line through `(place, value)`, places in the order of time; the top of the chart is `top`.
    pub(super) fn new(values: &[(i64, i64)], top: i64, legend: Legend) -> Self {
        let first = values.first().map_or(0, |(place, _)| *place);
        let span = values.last().map_or(1, |(place, _)| place - first).max(1);
        let mut points: Vec<String> = values
            .iter()
            .map(|(place, value)| {
                let x = (place - first) * WIDTH / span;
                let y = HEIGHT - 2 - value.clamp(&0, &top) * (HEIGHT - 4) / top.max(1);
                format!("{x},{y}")
            })
            .collect();
        // A single figure would be a point that nobody sees.
        if let [only] = points.as_slice()
            && let Some((_, y)) = only.split_once(',')
        {
            points.push(format!("{WIDTH},{y}"));
        }
        Self { width: WIDTH, height: HEIGHT, points: points.join(" "), legend }
    }
}

/// A share as a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<svg class="meter {{ tone.as_str() }}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="track" width="100" height="6"/><rect class="mark" width="{{ percent }}" height="6"/></svg>"#
)]
pub(super) struct Meter {
    tone: Tone,
    percent: i64,
}

impl HtmlSafe for Meter {}

impl Meter {
    /// `percent` of the whole.
    pub(super) fn new(percent: i64, tone: Tone) -> Self {
        Self { tone, percent: percent.clamp(0, 100) }
    }

    /// `part` of `whole`; a part that is there is never drawn as nothing.
    pub(super) fn of(part: i64, whole: i64, tone: Tone) -> Self {
        let percent = if whole > 0 { part.saturating_mul(100) / whole } else { 0 };
        Self::new(if part > 0 { percent.max(1) } else { 0 }, tone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_stay_inside_their_field() {
        let bars = Bars::new(&[0, 5, 1_000_000], Legend::default());
        assert!(bars.columns.iter().all(|bar| bar.y >= 0 && bar.y + bar.height == HEIGHT));
        let line = Line::new(&[(20_000, 3), (20_010, 400)], 100, Legend::default());
        assert_eq!(line.points, "0,115 960,2");
        assert_eq!(Line::new(&[(1, 50)], 100, Legend::default()).points, "0,60 960,60");
        assert_eq!(Meter::of(1, 21_000, Tone::Plain).percent, 1);
        assert!(Bars::new(&[], Legend::default()).render().is_ok());
    }
}
