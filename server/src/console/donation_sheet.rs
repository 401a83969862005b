//! The packing list of a lot as a file.

use cartable_common::UtcMillis;

use super::{donation::unmet, i18n::Words};
use crate::{
    domain::policy::LivePolicy,
    exchange::sheet::{Rows, Sheet},
    store::{
        StoreError, Tx,
        donation_line::{self, LineRow},
        donation_lot::LotRow,
        page::Cursor,
    },
};

/// The units of one lot.
#[derive(Clone, Debug)]
pub(super) struct Packing {
    pub(super) lot: LotRow,
    pub(super) policy: LivePolicy,
    pub(super) words: Words,
    pub(super) now: UtcMillis,
}

impl Sheet for Packing {
    fn headings(&self) -> Vec<String> {
        let keys = [
            "devices-serial",
            "csv-asset-tag",
            "lot-maker",
            "devices-model",
            "fact-chassis",
            "lot-grade",
            "lot-value-euros",
            "lot-estimation",
            "lot-note",
            "lot-ceiling-euros",
            "lot-drives",
            "lot-missing",
        ];
        keys.map(|key| self.words.say(key)).to_vec()
    }

    /// All units at once: there are at most 300.
    async fn page(&self, tx: &mut Tx, _: Option<Cursor>) -> Result<Rows, StoreError> {
        let lines = donation_line::of_lot(tx, &self.lot, &self.policy, self.now).await?;
        Ok((lines.into_iter().map(|line| row(line, self.words)).collect(), None))
    }
}

fn row(line: LineRow, words: Words) -> Vec<String> {
    let (facts, missing) = (line.facts, line.unmet);
    let valuation = facts.valuation;
    vec![
        line.serial.unwrap_or_default(),
        line.asset_tag.unwrap_or_default(),
        line.manufacturer.unwrap_or_default(),
        line.model.unwrap_or_default(),
        facts.kind.map_or_else(String::new, |kind| words.word("chassis", kind.as_str())),
        line.grade.map_or_else(String::new, |grade| grade.as_str().to_owned()),
        valuation.as_ref().map_or_else(String::new, |one| one.value.to_string()),
        valuation.as_ref().map_or_else(String::new, |one| words.word("estimation", one.estimation.as_str())),
        valuation.map_or_else(String::new, |one| one.note),
        line.ceiling.map_or_else(String::new, |cents| cents.to_string()),
        line.proven.join(" ; "),
        missing.iter().map(|one| unmet(one, words)).collect::<Vec<_>>().join(" ; "),
    ]
}
