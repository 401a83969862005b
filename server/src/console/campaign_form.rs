//! The form of a campaign, empty or with what is planned already: how it is read, and what it offers.

use std::{collections::BTreeMap, str::FromStr};

use jiff::civil::Date;
use serde::Deserialize;

use super::i18n::Words;
use crate::{
    domain::{
        borrower::Level,
        campaign::{Choice, Desks, InvalidPlan, Plan},
        programme::Programme,
    },
    store::{campaign::Campaign, site::SiteRow},
};

/// What the form of a new campaign holds. Every programme, level and site has a box of its own (`site-<id>`): without
/// any of a kind ticked, all of it is meant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CampaignForm {
    pub(super) name: String,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) desks: String,
    pub(super) slots: String,
    pub(super) leaving: Option<String>,
    #[serde(flatten)]
    pub(super) ticked: BTreeMap<String, String>,
}

/// Desks as typed.
pub(super) fn desks(desks: &str, slots: &str) -> Result<Desks, InvalidPlan> {
    let number = |text: &str| text.trim().parse().map_err(|_| InvalidPlan::Desks);
    Desks::new(number(desks)?, number(slots)?)
}

impl CampaignForm {
    /// What it asks.
    pub(super) fn read(&self) -> Result<Plan, InvalidPlan> {
        let day = |text: &str| text.parse::<Date>().map_err(|_| InvalidPlan::Window);
        let choice = Choice {
            programmes: self.chosen("programme-")?,
            levels: self.chosen("level-")?,
            sites: self.chosen("site-")?,
            leaving: self.leaving.is_some(),
        };
        let desks = desks(&self.desks, &self.slots)?;
        Plan::new(&self.name, (day(&self.first)?, day(&self.last)?), desks, choice)
    }

    /// What the form shows of a campaign that is planned already.
    pub(super) fn of(campaign: &Campaign) -> Self {
        let choice = &campaign.choice;
        let programmes = choice.programmes.iter().map(|id| format!("programme-{id}"));
        let levels = choice.levels.iter().map(|level| format!("level-{level}"));
        let sites = choice.sites.iter().map(|id| format!("site-{id}"));
        Self {
            name: campaign.name.clone(),
            first: campaign.first.to_string(),
            last: campaign.last.to_string(),
            desks: campaign.desks.desks.to_string(),
            slots: campaign.desks.slots.to_string(),
            leaving: choice.leaving.then(|| "yes".to_owned()),
            ticked: programmes.chain(levels).chain(sites).map(|name| (name, "on".to_owned())).collect(),
        }
    }

    fn chosen<T: FromStr>(&self, prefix: &str) -> Result<Vec<T>, InvalidPlan> {
        let ticked = self.ticked.keys().filter_map(|name| name.strip_prefix(prefix));
        ticked.map(|value| value.parse().map_err(|_| InvalidPlan::Choice)).collect()
    }
}

/// What a page says of a plan that was refused.
pub(super) const fn problem(invalid: InvalidPlan) -> &'static str {
    match invalid {
        InvalidPlan::Name => "campaign-problem-name",
        InvalidPlan::Window => "campaign-problem-window",
        InvalidPlan::TooLong => "campaign-problem-too-long",
        InvalidPlan::Desks => "campaign-problem-desks",
        InvalidPlan::Choice => "campaign-problem-choice",
    }
}

/// One box of a list of boxes.
#[derive(Debug)]
pub(super) struct Tick {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) ticked: bool,
}

/// A list of boxes.
#[derive(Debug)]
pub(super) struct Ticks {
    pub(super) label: String,
    /// Shut until something in it is ticked: a département has hundreds of collèges.
    pub(super) folds: bool,
    pub(super) open: bool,
    pub(super) boxes: Vec<Tick>,
}

fn ticks(form: &CampaignForm, label: &str, boxes: Vec<(String, String)>, words: Words) -> Ticks {
    let tick = |(name, label): (String, String)| Tick { ticked: form.ticked.contains_key(&name), name, label };
    let boxes: Vec<Tick> = boxes.into_iter().map(tick).collect();
    Ticks {
        label: words.say(label),
        folds: boxes.len() > MOST_IN_SIGHT,
        open: boxes.iter().any(|one| one.ticked),
        boxes,
    }
}

/// Boxes that are shown at once; of more, the list folds.
const MOST_IN_SIGHT: usize = 12;

/// The boxes of what can be chosen.
pub(super) fn choices(
    form: &CampaignForm,
    (sites, programmes): (&[SiteRow], &[Programme]),
    words: Words,
) -> Vec<Ticks> {
    let programme = |one: &Programme| (format!("programme-{}", one.id), one.name.clone());
    let level = |one: &Level| (format!("level-{one}"), words.word("need-level", one.as_str()));
    let site = |one: &SiteRow| (format!("site-{}", one.id), words.with_two("site-named", &one.name, &one.uai));
    vec![
        ticks(form, "campaign-programmes", programmes.iter().map(programme).collect(), words),
        ticks(form, "campaign-levels", Level::ALL.iter().map(level).collect(), words),
        ticks(form, "campaign-sites", sites.iter().map(site).collect(), words),
    ]
}
