//! How long an order was at each stage, from its steps.

use cartable_common::UtcMillis;

use super::Stage;

/// Time at one stage, over all its visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The stage.
    pub stage: Stage,
    /// Milliseconds there.
    pub millis: i64,
    /// How often it came there.
    pub visits: u32,
}

/// The time at each stage that the order came to, in the order of stages. `arrivals` are its steps, first to last: when,
/// and the stage it then was at (none once closed). The last one runs on until `now`.
#[must_use]
pub fn spent(arrivals: &[(UtcMillis, Option<Stage>)], now: UtcMillis) -> Vec<Spent> {
    let mut spent: Vec<Spent> = Vec::new();
    let mut before = None;
    for (place, (at, stage)) in arrivals.iter().enumerate() {
        let until = arrivals.get(place + 1).map_or(now, |(next, _)| *next);
        if let Some(stage) = *stage {
            let millis = until.millis_since(*at).max(0);
            let came = u32::from(before != Some(stage));
            match spent.iter_mut().find(|one| one.stage == stage) {
                Some(known) => {
                    known.millis += millis;
                    known.visits += came;
                }
                None => spent.push(Spent { stage, millis, visits: 1 }),
            }
        }
        before = *stage;
    }
    spent.sort_by_key(|one| one.stage);
    spent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_add_up_and_closed_time_counts_for_nothing() {
        let at = |day: i64| UtcMillis::default().plus_days(day);
        let arrivals = [
            (at(0), Some(Stage::Intake)),
            (at(2), Some(Stage::Inspection)),
            (at(3), Some(Stage::Erasure)),
            // A waiver: a step that goes nowhere.
            (at(4), Some(Stage::Erasure)),
            (at(5), Some(Stage::Repair)),
            (at(9), None),
            (at(20), Some(Stage::Inspection)),
        ];
        let found = spent(&arrivals, at(21));
        let of =
            |stage| found.iter().find(|one| one.stage == stage).map(|one| (one.millis / UtcMillis::DAY, one.visits));
        assert_eq!(of(Stage::Intake), Some((2, 1)));
        assert_eq!(of(Stage::Inspection), Some((2, 2)));
        assert_eq!(of(Stage::Erasure), Some((2, 1)));
        assert_eq!(of(Stage::Repair), Some((4, 1)));
        assert_eq!(found.iter().map(|one| one.millis).sum::<i64>(), 10 * UtcMillis::DAY);
    }
}
