//! Who gets which device: ranks needs by the policy, matches them with what is in stock, and explains each line.
//!
//! Needs are served in the order of their rank; a need is left out only if no choice of devices serves it together
//! with all those before it (`matching`). Everything is ordered before it is used: the same needs and devices, in
//! whatever order they come, give the same proposal.

mod fairness;
mod matching;
mod suitable;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use cartable_common::{DeviceId, UtcMillis};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::matching::{Matching, Refusal};
pub use self::{
    fairness::{SiteShare, fairness},
    suitable::{InStock, Unfit, unfit},
};
use super::{
    grade::Grade,
    need::{NeedReason, Reasons},
    policy::AllocationPolicy,
    verdict::{Verdict, text_enum},
};

/// An open need, as far as ranking asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The need.
    pub need: Uuid,
    /// The site that asks.
    pub site: Uuid,
    /// Under which programme.
    pub programme: Uuid,
    /// Why it may come before others.
    pub reasons: Reasons,
    /// When it was entered: the longest waiting first among equals.
    pub entered_at: UtcMillis,
}

text_enum! {
    /// Where a device comes from, for a need.
    pub enum Place {
        /// The stock of the site that asks.
        OwnSite = "own_site",
        /// The stock that belongs to no site.
        Depot = "depot",
        /// Another site's stock, where the policy allows it.
        OtherSite = "other_site",
    }
}

text_enum! {
    /// Why a need has no device.
    pub enum Cause {
        /// No suitable device in stock is for this programme and site.
        NoneSuitable = "none_suitable",
        /// Needs that come before have taken all that were suitable.
        Exhausted = "exhausted",
        /// What is left is kept in reserve.
        Reserve = "reserve",
    }
}

/// A reason with what it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The reason.
    pub reason: NeedReason,
    /// Its points.
    pub points: u32,
}

/// Why this device: everything the choice rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The device.
    pub device: DeviceId,
    /// Where it comes from.
    pub place: Place,
    /// Whether it is kept for the need's programme; otherwise it is for any.
    pub of_programme: bool,
    /// Its grade, if it was inspected.
    pub grade: Option<Grade>,
    /// Its battery's share of the design capacity, if known.
    pub battery: Option<u32>,
    /// The verdict on its drives, if there is a reading.
    pub drive: Option<Verdict>,
}

/// One need in a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The need.
    pub need: Uuid,
    /// Its site.
    pub site: Uuid,
    /// Its place among all, from 1.
    pub rank: u32,
    /// The sum of its parts.
    pub score: u32,
    /// What the score is made of.
    pub parts: Vec<Part>,
    /// Whether it comes early because each site is served a share of its needs first.
    pub by_floor: bool,
    /// The device, or why there is none.
    pub outcome: Result<Given, Cause>,
}

/// What the stock held, for the head of a proposal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// Devices in stock.
    pub in_stock: u32,
    /// Those that the policy lets be lent.
    pub suitable: u32,
    /// Of these, how many stay in reserve.
    pub reserve: u32,
    /// How many are left out, for each cause.
    pub unfit: BTreeMap<Unfit, u32>,
}

/// Who should get which device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Proposal {
    /// Every need, by rank.
    pub lines: Vec<Line>,
    /// What there was to give.
    pub stock: Stock,
}

/// Whether a device may serve a need of `site` under `programme`: its own stock or the depot's, of its programme or of
/// none.
#[must_use]
pub fn serves(device: &InStock, (site, programme): (Uuid, Uuid), policy: &AllocationPolicy) -> bool {
    matching::serves((device.site, device.programme), (site, programme), policy.between_sites)
}

/// What a line says of a device that somebody chose.
#[must_use]
pub fn given(device: &InStock, (site, programme): (Uuid, Uuid)) -> Given {
    matching::given(device, (site, programme))
}

/// Proposes who gets which device.
pub fn propose(needs: &[Asked], stock: &[InStock], policy: &AllocationPolicy) -> Proposal {
    let mut figures = Stock { in_stock: count(stock.len()), ..Stock::default() };
    let mut suitable = Vec::with_capacity(stock.len());
    for device in stock {
        match unfit(device, policy) {
            None => suitable.push(device),
            Some(why) => *figures.unfit.entry(why).or_default() += 1,
        }
    }
    figures.suitable = count(suitable.len());
    figures.reserve = share_rounded_up(figures.suitable, policy.reserve_percent);
    let mut lines = ranked(needs, policy);
    let wanted: Vec<(Uuid, Uuid)> = lines.iter().map(|(_, need)| (need.site, need.programme)).collect();
    let to_give = figures.suitable - figures.reserve;
    let outcomes = Matching::new(suitable, &wanted, policy.between_sites).serve(&wanted, to_give);
    for ((line, _), outcome) in lines.iter_mut().zip(outcomes) {
        line.outcome = outcome.map_err(|refusal| match refusal {
            Refusal::NoneSuitable => Cause::NoneSuitable,
            Refusal::Exhausted => Cause::Exhausted,
            Refusal::Reserve => Cause::Reserve,
        });
    }
    Proposal { lines: lines.into_iter().map(|(line, _)| line).collect(), stock: figures }
}

/// Every need in its order, without a device yet.
fn ranked<'a>(needs: &'a [Asked], policy: &AllocationPolicy) -> Vec<(Line, &'a Asked)> {
    let mut lines: Vec<(Line, &Asked)> = needs.iter().map(|need| (scored(need, policy), need)).collect();
    lines.sort_unstable_by_key(|(line, need)| (std::cmp::Reverse(line.score), need.entered_at, need.need));
    let mut floors: BTreeMap<Uuid, u32> = BTreeMap::new();
    for (line, _) in &lines {
        *floors.entry(line.site).or_default() += 1;
    }
    for floor in floors.values_mut() {
        *floor = share_rounded_up(*floor, policy.site_floor_percent);
    }
    for (line, _) in &mut lines {
        let left = floors.entry(line.site).or_default();
        line.by_floor = *left > 0;
        *left = left.saturating_sub(1);
    }
    // Stable: the order within both parts stays.
    lines.sort_by_key(|(line, _)| !line.by_floor);
    for (place, (line, _)) in lines.iter_mut().enumerate() {
        line.rank = count(place + 1);
    }
    lines
}

fn scored(need: &Asked, policy: &AllocationPolicy) -> Line {
    let parts: Vec<Part> = need.reasons.iter().map(|reason| Part { reason, points: weight(reason, policy) }).collect();
    Line {
        need: need.need,
        site: need.site,
        rank: 0,
        score: parts.iter().map(|part| part.points).sum(),
        parts,
        by_floor: false,
        outcome: Err(Cause::NoneSuitable),
    }
}

/// What a reason weighs.
#[must_use]
pub const fn weight(reason: NeedReason, policy: &AllocationPolicy) -> u32 {
    match reason {
        NeedReason::Ulis => policy.weight_ulis,
        NeedReason::NoComputer => policy.weight_no_computer,
        NeedReason::Shared => policy.weight_shared,
        NeedReason::Band1 => policy.weight_band_1,
        NeedReason::Band2 => policy.weight_band_2,
        NeedReason::Band3 => policy.weight_band_3,
        NeedReason::Replacement => policy.weight_replacement,
    }
}

fn share_rounded_up(whole: u32, percent: u32) -> u32 {
    let share = (u64::from(whole) * u64::from(percent)).div_ceil(100);
    u32::try_from(share).unwrap_or(whole).min(whole)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
