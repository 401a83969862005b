//! The return campaign of the simulated year: planned, started, followed and closed as a programme manager does it. Its
//! letters, its progress at each site and its list of what is missing are compared with each device's fate.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use cartable_server::{
    domain::{
        campaign::{CampaignState, Choice, Desks, Plan, ReturnState},
        loan::Condition,
        scope::Scope,
    },
    store::{
        campaign, campaign_count, campaign_excuse, campaign_letter,
        campaign_list::{self, ReturnQuery, ReturnRow},
        campaign_plan,
    },
};
use jiff::civil::{Date, date};
use uuid::Uuid;

use super::{
    Act, Fate, Year, expect,
    fate::{CAMPAIGN, DUE},
    morning,
    stock::Unit,
};
use crate::raw::Raw;

/// The day on which it is started and everybody is written to.
const START: Date = date(2027, 6, 21);
/// The day on which those still expected are written to again.
pub(super) const AGAIN: Date = date(2027, 6, 28);
/// The day on which it is closed: every place has passed.
const CLOSE: Date = date(2027, 7, 5);
/// Rows of the list that are read at a time: more than one page, at two hundred devices too.
const PAGE: usize = 7;

impl Fate {
    /// Whether the campaign chooses its loan: a pupil's that is still open in June.
    fn is_chosen(self) -> bool {
        self.returns_in_june() || self.is_kept_over_summer() || self == Self::Extended
    }

    /// Where its loan stands when the campaign is closed.
    fn comes_to(self) -> ReturnState {
        match self {
            Self::Extended => ReturnState::Excused,
            _ if self.returns_in_june() => ReturnState::Returned,
            _ => ReturnState::Expected,
        }
    }
}

/// Expected, returned, excused.
type Counts = [i64; 3];

impl Year<'_> {
    /// From the start to the first returns.
    pub(super) async fn begin_campaign(&mut self) -> anyhow::Result<Uuid> {
        let began = std::time::Instant::now();
        let pupils = self.units.iter().find(|unit| unit.fate == Fate::Pupil).context("no pupil")?.programme;
        let choice = Choice { programmes: vec![pupils], ..Choice::default() };
        let plan = Plan::new("Juin", (CAMPAIGN, date(2027, 6, 29)), Desks::new(1, 1)?, choice.clone())?;
        let mut tx = self.store.write().await?;
        let id = campaign_plan::plan(&mut tx, plan, "school", morning(date(2027, 6, 1))).await?.id;
        // Too narrow: it is planned otherwise before anybody is told.
        let plan = Plan::new("Juin", (CAMPAIGN, DUE), Desks::new(2, 40)?, choice)?;
        ensure!(campaign_plan::change(&mut tx, id, plan).await?.is_some(), "it was planned still");
        let started = campaign::start(&mut tx, id, &self.policy, morning(START)).await?;
        for unit in self.units.iter().filter(|unit| unit.fate == Fate::Extended) {
            let why = ("garde l’appareil", "school");
            let excused = (id, unit.loan);
            ensure!(campaign_excuse::excuse(&mut tx, &Scope::Everything, excused, why, morning(START)).await?);
        }
        tx.commit().await?;
        ensure!(started == self.count(Fate::is_chosen), "{started} loans are chosen");
        self.letters(self.count(Fate::is_chosen)).await?;
        self.progress(id, START, |fate| match fate {
            Fate::Extended => ReturnState::Excused,
            _ => ReturnState::Expected,
        })
        .await?;
        self.took("campaign", began);
        Ok(id)
    }

    /// From the returns to the second letter.
    pub(super) async fn follow_campaign(&mut self, id: Uuid) -> anyhow::Result<()> {
        self.act(CAMPAIGN, Act::TakeBack(Condition::Good), Fate::returns_in_june).await?;
        self.progress(id, CAMPAIGN, Fate::comes_to).await?;
        self.reminders(CAMPAIGN, AGAIN).await?;
        let began = std::time::Instant::now();
        // Nobody sends e-mail in this year: those of the start wait still, and nobody is written to beside them.
        let mut tx = self.store.write().await?;
        let written = campaign_letter::write_again(&mut tx, id, morning(AGAIN)).await?;
        ensure!(written == 0, "{written} letters beside those that wait");
        drop(tx);
        let mut raw = Raw::connect(self.url).await?;
        let left = "UPDATE notice SET state = 'dropped', dropped_why = 'expired' WHERE kind = 'campaign' AND state = 'waiting'";
        raw.execute(left).await?;
        let mut tx = self.store.write().await?;
        let written = campaign_letter::write_again(&mut tx, id, morning(AGAIN)).await?;
        let twice = campaign_letter::write_again(&mut tx, id, morning(AGAIN)).await;
        ensure!(twice.is_err(), "twice on one day");
        tx.commit().await?;
        let missing = self.count(Fate::is_kept_over_summer);
        ensure!(usize::try_from(written)? == missing, "{written} are written to again, instead of {missing}");
        self.letters(self.count(Fate::is_chosen) + missing).await?;
        self.took("campaign", began);
        Ok(())
    }

    /// The end: progress, the list of what is missing with each device's last word, and no device left out.
    pub(super) async fn close_campaign(&mut self, id: Uuid) -> anyhow::Result<()> {
        let began = std::time::Instant::now();
        self.progress(id, CLOSE, Fate::comes_to).await?;
        let missing = self.listed(id, ReturnState::Expected).await?;
        let by_loan: BTreeMap<Uuid, &Unit> = self.units.iter().map(|unit| (unit.loan, unit)).collect();
        for row in &missing {
            let unit = by_loan.get(&row.loan).context("a loan of nobody")?;
            let mut flags = unit.fate.flags_on(CLOSE);
            let mut found = row.flags.clone();
            flags.sort_unstable();
            found.sort_unstable();
            ensure!(flags == found, "{}: flags {found:?} instead of {flags:?}", unit.name);
            let last = last_word(unit.fate).map(|day| morning(day).day_number());
            ensure!(row.last_contact_day == last, "{}: last word {:?}", unit.name, row.last_contact_day);
            ensure!(row.asset_tag.as_deref() == Some(&unit.name), "{row:?}");
        }
        let mut all: BTreeSet<Uuid> = BTreeSet::new();
        for (state, listed) in [
            (ReturnState::Expected, missing),
            (ReturnState::Returned, self.listed(id, ReturnState::Returned).await?),
            (ReturnState::Excused, self.listed(id, ReturnState::Excused).await?),
        ] {
            for row in listed {
                let unit = by_loan.get(&row.loan).context("a loan of nobody")?;
                ensure!(unit.fate.comes_to() == state, "{} is {state}", unit.name);
                ensure!(all.insert(row.loan), "{} is listed twice", unit.name);
            }
        }
        ensure!(all.len() == self.count(Fate::is_chosen), "{} loans are accounted for", all.len());
        let mut tx = self.store.write().await?;
        ensure!(campaign::close(&mut tx, id, morning(CLOSE)).await?);
        let closed = campaign::find(&mut tx, id).await?.context("no campaign")?;
        ensure!(closed.state == CampaignState::Closed);
        tx.commit().await?;
        self.took("campaign", began);
        Ok(())
    }

    fn count(&self, to: fn(Fate) -> bool) -> usize {
        self.units.iter().filter(|unit| to(unit.fate)).count()
    }

    /// Exactly so many letters were written, each to a borrower.
    async fn letters(&self, wanted: usize) -> anyhow::Result<()> {
        let mut raw = Raw::connect(self.url).await?;
        let sql = "SELECT COUNT(*) FROM notice WHERE kind = 'campaign' AND recipient_kind = 'borrower'";
        expect(&mut raw, sql, wanted).await?;
        expect(&mut raw, "SELECT COUNT(*) FROM notice WHERE kind = 'campaign'", wanted).await
    }

    /// Each site's figures on `day` are those of its devices; overdue is what is expected once all places have passed.
    async fn progress(&self, id: Uuid, day: Date, stands: fn(Fate) -> ReturnState) -> anyhow::Result<()> {
        let mut wanted: BTreeMap<Uuid, Counts> = BTreeMap::new();
        for unit in self.units.iter().filter(|unit| unit.fate.is_chosen()) {
            let counts = wanted.entry(unit.site).or_default();
            match stands(unit.fate) {
                ReturnState::Expected => counts[0] += 1,
                ReturnState::Returned => counts[1] += 1,
                ReturnState::Excused | ReturnState::Ended => counts[2] += 1,
            }
        }
        let mut tx = self.store.read().await?;
        let found = campaign_count::progress(&mut tx, &Scope::Everything, id, campaign_count::day_of(day)).await?;
        let all_passed = day > DUE;
        for site in &found {
            let overdue = if all_passed { site.expected } else { 0 };
            ensure!(site.overdue == overdue && site.ended == 0, "{day}: {site:?}");
        }
        let counts: BTreeMap<Uuid, Counts> =
            found.iter().map(|site| (site.site_id, [site.expected, site.returned, site.excused])).collect();
        ensure!(wanted == counts, "{day}: progress {counts:?} instead of {wanted:?}");
        Ok(())
    }

    async fn listed(&self, id: Uuid, state: ReturnState) -> anyhow::Result<Vec<ReturnRow>> {
        let limit = if self.units.len() > 1_000 { 500 } else { PAGE };
        let mut query = ReturnQuery { state, site: None, after: None, limit };
        let mut rows = Vec::new();
        loop {
            let mut tx = self.store.read().await?;
            let page = campaign_list::list(&mut tx, &Scope::Everything, id, &query).await?;
            rows.extend(page.rows);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(rows),
            }
        }
    }
}

/// The day on which a device that is missing in July last spoke.
fn last_word(fate: Fate) -> Option<Date> {
    match fate {
        Fate::Silent => Some(date(2027, 3, 25)),
        Fate::Late => Some(date(2027, 7, 1)),
        _ => None,
    }
}
