//! The parts to order as a file.

use super::i18n::Words;
use crate::{
    domain::{
        forecast::{Forecast, PartOrder},
        wording::plain_euros,
    },
    exchange::sheet::{Rows, Sheet},
    store::{StoreError, Tx, page::Cursor},
};

/// The parts of one forecast.
#[derive(Clone, Debug)]
pub(super) struct PartsToOrder {
    rows: Vec<Vec<String>>,
    words: Words,
}

impl PartsToOrder {
    /// Those of that forecast. Prices are written in euros with a point, for whoever reckons on.
    pub(super) fn new(found: &Forecast, words: Words) -> Self {
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
        Self { rows: found.parts.iter().map(row).collect(), words }
    }
}

impl Sheet for PartsToOrder {
    fn headings(&self) -> Vec<String> {
        let keys = [
            "part-kind",
            "part-model",
            "forecast-quantity",
            "forecast-on-shelf",
            "part-price",
            "forecast-price-all",
            "forecast-price-estimated",
        ];
        keys.map(|key| self.words.say(key)).to_vec()
    }

    /// All at once: there are at most fifteen for each of sixty models.
    async fn page(&self, _: &mut Tx, _: Option<Cursor>) -> Result<Rows, StoreError> {
        Ok((self.rows.clone(), None))
    }
}
