//! A fan: how a number that is not known spreads with time.

use askama::{Template, filters::HtmlSafe};

use super::chart::Legend;

const WIDTH: i64 = 960;
const HEIGHT: i64 = 240;
/// Room above the highest value, so that no line lies on the edge.
const ROOM: i64 = 8;

/// A fan through quantiles, with a line for what is wanted.
#[derive(Clone, Debug, Template)]
#[template(path = "chart_fan.html")]
pub(super) struct Fan {
    width: i64,
    height: i64,
    outer: String,
    inner: String,
    middle: String,
    target: i64,
    title: String,
    describes: String,
    legend: Legend,
    keys: [String; 4],
}

impl HtmlSafe for Fan {}

impl Fan {
    /// A fan through `(day, quantiles)`, days in order, quantiles from the lowest; `target` is drawn across. `keys` say what
    /// the outer and the inner band, the line and the target are.
    pub(super) fn new(
        points: &[(i64, [i64; 5])],
        target: i64,
        (title, describes): (String, String),
        legend: Legend,
        keys: [String; 4],
    ) -> Self {
        let highest = points.iter().map(|(_, [.., high])| *high).max().unwrap_or(0).max(target).max(1);
        let first = points.first().map_or(0, |(day, _)| *day);
        let span = points.last().map_or(1, |(day, _)| day - first).max(1);
        let x = |day: i64| (day - first) * WIDTH / span;
        let y = |value: i64| HEIGHT - 1 - value.clamp(0, highest) * (HEIGHT - ROOM) / highest;
        let line = |place: usize| points.iter().map(move |(day, values)| format!("{},{}", x(*day), y(values[place])));
        let band = |low: usize, high: usize| {
            let mut all: Vec<String> = line(high).collect();
            let below: Vec<String> = line(low).collect();
            all.extend(below.into_iter().rev());
            all.join(" ")
        };
        Self {
            width: WIDTH,
            height: HEIGHT,
            outer: band(0, 4),
            inner: band(1, 3),
            middle: line(2).collect::<Vec<_>>().join(" "),
            target: y(target),
            title,
            describes,
            legend,
            keys,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fan_stays_inside_its_field() {
        let points = [(0, [5, 5, 5, 5, 5]), (7, [10, 20, 30, 40, 80])];
        let keys = [const { String::new() }; 4];
        let fan = Fan::new(&points, 90, (String::new(), String::new()), Legend::default(), keys.clone());
        assert_eq!(fan.middle, "0,227 960,162");
        assert_eq!(fan.target, ROOM - 1);
        assert_eq!(fan.outer.split(' ').count(), 4);
        let empty = Fan::new(&[], 0, (String::new(), String::new()), Legend::default(), keys);
        assert!(empty.render().is_ok() && empty.outer.is_empty());
    }
}
