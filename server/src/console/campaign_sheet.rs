//! A campaign as files: its loans (what is missing, unless another state is asked for), and its progress by site.

use uuid::Uuid;

use super::{
    campaign::{contact, flags},
    i18n::Words,
};
use crate::{
    domain::scope::Scope,
    exchange::sheet::{ROWS_AT_A_TIME, Rows, Sheet},
    store::{
        StoreError, Tx, campaign_count,
        campaign_list::{self, ReturnQuery, ReturnRow},
        page::Cursor,
    },
};

/// The loans of one campaign that a query leaves.
#[derive(Clone, Debug)]
pub(super) struct CampaignLoans {
    pub(super) id: Uuid,
    pub(super) scope: Scope,
    pub(super) query: ReturnQuery,
    /// Whether the reader may see whose loans they are.
    pub(super) borrowers: bool,
    /// Whether the reader may see class levels.
    pub(super) levels: bool,
    pub(super) words: Words,
}

impl Sheet for CampaignLoans {
    fn headings(&self) -> Vec<String> {
        let keys = [
            "csv-uai",
            "devices-site",
            "need-borrower",
            "need-level-label",
            "devices-serial",
            "csv-asset-tag",
            "campaign-due",
            "campaign-day",
            "csv-desk",
            "csv-slot",
            "devices-contact",
            "campaign-open-flags",
            "reason",
        ];
        keys.map(|key| self.words.say(key)).to_vec()
    }

    async fn page(&self, tx: &mut Tx, after: Option<Cursor>) -> Result<Rows, StoreError> {
        let query = ReturnQuery { after, limit: ROWS_AT_A_TIME, ..self.query.clone() };
        let page = campaign_list::list(tx, &self.scope, self.id, &query).await?;
        Ok((page.rows.into_iter().map(|loan| self.row(loan)).collect(), page.next))
    }
}

impl CampaignLoans {
    fn row(&self, loan: ReturnRow) -> Vec<String> {
        let (contact, flags) = (contact(&loan, self.words), flags(&loan, self.words, " ; "));
        vec![
            loan.site_uai,
            loan.site_name,
            if self.borrowers { loan.reference } else { String::new() },
            loan.level
                .filter(|_| self.levels)
                .map_or_else(String::new, |level| self.words.word("need-level", level.as_str())),
            loan.serial.unwrap_or_default(),
            loan.asset_tag.unwrap_or_default(),
            loan.due.map(|day| day.to_string()).unwrap_or_default(),
            loan.slot.day.to_string(),
            loan.slot.desk.to_string(),
            loan.slot.slot.to_string(),
            contact,
            flags,
            loan.excuse.unwrap_or_default(),
        ]
    }
}

/// How far one campaign has come at each site.
#[derive(Clone, Debug)]
pub(super) struct CampaignProgress {
    pub(super) id: Uuid,
    pub(super) scope: Scope,
    /// The day by which places are overdue.
    pub(super) today: i64,
    pub(super) words: Words,
}

impl Sheet for CampaignProgress {
    fn headings(&self) -> Vec<String> {
        let keys = [
            "csv-uai",
            "devices-site",
            "return-expected",
            "return-returned",
            "return-overdue",
            "return-excused",
            "return-ended",
        ];
        keys.map(|key| self.words.say(key)).to_vec()
    }

    /// All sites at once: there are hundreds, not millions.
    async fn page(&self, tx: &mut Tx, _: Option<Cursor>) -> Result<Rows, StoreError> {
        let sites = campaign_count::progress(tx, &self.scope, self.id, self.today).await?;
        let row = |site: campaign_count::SiteProgress| {
            let counts = [site.expected, site.returned, site.overdue, site.excused, site.ended];
            [site.uai, site.site_name].into_iter().chain(counts.map(|count| count.to_string())).collect()
        };
        Ok((sites.into_iter().map(row).collect(), None))
    }
}
