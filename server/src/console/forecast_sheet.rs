//! The parts to order as a file.

use super::i18n::Words;
use crate::{
    domain::{
        forecast::{Forecast, PartOrder},
        wording::plain_euros,
    },
    exchange::sheet::Whole,
};

/// What stands above the columns.
const HEADINGS: [&str; 7] = [
    "part-kind",
    "part-model",
    "forecast-quantity",
    "forecast-on-shelf",
    "part-price",
    "forecast-price-all",
    "forecast-price-estimated",
];

/// The parts of one forecast: at most fifteen for each of sixty models. Prices are written in euros with a point, for
/// whoever reckons on.
pub(super) fn parts_to_order(found: &Forecast, words: Words) -> Whole {
    let row = |one: &PartOrder| {
        vec![
            words.word("part-kind", one.kind.as_str()),
            found.models.get(one.model).cloned().unwrap_or_default(),
            one.quantity.to_string(),
            one.on_shelf.to_string(),
            plain_euros(u64::from(one.unit_cents)),
            plain_euros(one.cents()),
            words.word("yes-no", if one.estimated { "yes" } else { "no" }),
        ]
    };
    Whole { headings: HEADINGS.map(|key| words.say(key)).to_vec(), rows: found.parts.iter().map(row).collect() }
}
