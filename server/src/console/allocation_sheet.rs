//! A proposal as files: its lines with their explanations in words, and how it treats each site.

use uuid::Uuid;

use super::{
    allocation_why::{cause, parts, why},
    i18n::Words,
};
use crate::{
    domain::{
        authority::Role,
        need::{shows_level, shows_person},
        policy::LivePolicy,
        programme::Programme,
        scope::Scope,
    },
    exchange::sheet::{ROWS_AT_A_TIME, Rows, Sheet},
    store::{
        StoreError, Tx, allocation,
        allocation_line::{self, LineQuery, LineRow},
        page::Cursor,
        programme, site,
    },
};

/// The lines of one proposal that a query leaves.
#[derive(Clone, Debug)]
pub(super) struct AllocationLines {
    pub(super) id: Uuid,
    pub(super) query: LineQuery,
    pub(super) policy: LivePolicy,
    /// Who takes the file.
    pub(super) role: Role,
    pub(super) words: Words,
}

impl Sheet for AllocationLines {
    fn headings(&self) -> Vec<String> {
        let keys = [
            "line-rank",
            "csv-uai",
            "devices-site",
            "need-level-label",
            "line-score",
            "line-parts",
            "need-state-label",
            "devices-serial",
            "csv-asset-tag",
            "devices-model",
            "line-why",
            "line-cause",
            "reason",
        ];
        keys.map(|key| self.words.say(key)).to_vec()
    }

    async fn page(&self, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
        let query = LineQuery { after, limit: ROWS_AT_A_TIME, ..self.query.clone() };
        let page = allocation_line::list(tx, self.id, &query, &self.policy.allocation).await?;
        let programmes = programme::list(tx).await?;
        let seen = page.rows.into_iter().map(|line| row(line, &programmes, self.role, self.words));
        Ok((seen.collect(), page.next))
    }
}

fn row(line: LineRow, programmes: &[Programme], role: Role, words: Words) -> Vec<String> {
    let person = shows_person(role, programmes.iter().find(|programme| programme.id == line.programme));
    let why = if person { why(&line, words).join(" ; ") } else { String::new() };
    let parts = parts(&line, words).join(" ; ");
    let cause = line.cause.as_deref().or(line.stale).map_or_else(String::new, |code| cause(code, words));
    let (serial, asset_tag, model) = line
        .device
        .filter(|_| person)
        .map_or((None, None, None), |device| (device.serial, device.asset_tag, device.model));
    vec![
        line.rank.to_string(),
        line.site_uai,
        line.site_name,
        line.level
            .filter(|_| shows_level(role))
            .map_or_else(String::new, |level| words.word("need-level", level.as_str())),
        line.score.to_string(),
        parts,
        words.word("line-state", line.state.as_str()),
        serial.unwrap_or_default(),
        asset_tag.unwrap_or_default(),
        model.unwrap_or_default(),
        why,
        cause,
        line.remark.unwrap_or_default(),
    ]
}

/// How one proposal treats each site.
#[derive(Clone, Debug)]
pub(super) struct AllocationFairness {
    pub(super) id: Uuid,
    pub(super) words: Words,
}

impl Sheet for AllocationFairness {
    fn headings(&self) -> Vec<String> {
        let keys =
            ["csv-uai", "devices-site", "needs-title", "allocation-met", "csv-share-percent", "allocation-score"];
        keys.map(|key| self.words.say(key)).to_vec()
    }

    /// All sites at once: there are hundreds, not millions.
    async fn page(&self, tx: &mut Tx, _: Option<Cursor>) -> Result<Rows, StoreError> {
        let shares = allocation::fairness(tx, self.id).await?;
        let sites = site::list(tx, &Scope::Everything).await?;
        let mut rows: Vec<Vec<String>> = Vec::with_capacity(shares.len());
        for site in sites {
            let Some(share) = shares.iter().find(|share| share.site == site.id) else { continue };
            rows.push(vec![
                site.uai,
                site.name,
                share.needs.to_string(),
                share.met.to_string(),
                share.percent.to_string(),
                format!("{}.{}", share.average_tenths / 10, share.average_tenths % 10),
            ]);
        }
        Ok((rows, None))
    }
}
