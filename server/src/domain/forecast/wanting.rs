//! Parts that are missing today: what staff found wanting on the benches, less what lies on the shelf.

use std::collections::BTreeMap;

use super::{Kinds, Shelf};
use crate::domain::part::PartKind;

/// Pieces that are missing for units on the benches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanting {
    /// What.
    pub kind: PartKind,
    /// The place of the model.
    pub model: usize,
    /// How many.
    pub pieces: u32,
}

/// What is missing for units of these models that need these kinds: pieces for the model first, then those that fit any.
#[must_use]
pub fn wanting(units: impl IntoIterator<Item = (usize, Kinds)>, shelf: &[Shelf]) -> Vec<Wanting> {
    let mut left: BTreeMap<(PartKind, Option<usize>), u32> = BTreeMap::new();
    for one in shelf {
        *left.entry((one.kind, one.model)).or_default() += one.count;
    }
    let mut missing: BTreeMap<(PartKind, usize), u32> = BTreeMap::new();
    for (model, needs) in units {
        for kind in needs.each() {
            let place = [(kind, Some(model)), (kind, None)]
                .into_iter()
                .find(|place| left.get(place).is_some_and(|count| *count > 0));
            match place.and_then(|place| left.get_mut(&place)) {
                Some(count) => *count -= 1,
                None => *missing.entry((kind, model)).or_default() += 1,
            }
        }
    }
    missing.into_iter().map(|((kind, model), pieces)| Wanting { kind, model, pieces }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_the_model_goes_first_and_what_is_missing_is_counted() {
        let battery: Kinds = [PartKind::Battery].into_iter().collect();
        let both: Kinds = [PartKind::Battery, PartKind::Screen].into_iter().collect();
        let piece = |model, count| Shelf { kind: PartKind::Battery, model, count, unit_cents: 1 };
        let shelf = [piece(Some(0), 1), piece(None, 1), piece(Some(2), 9)];
        let found = wanting([(0, battery), (0, both), (1, battery)], &shelf);
        let of = |kind, model, pieces| Wanting { kind, model, pieces };
        assert_eq!(found, [of(PartKind::Battery, 1, 1), of(PartKind::Screen, 0, 1)]);
        assert!(wanting([], &shelf).is_empty());
    }
}
