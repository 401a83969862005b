//! When loans come back: a daily chance that depends on how far the day is on which they were to, learnt from past loans,
//! those that are still out among them.
//!
//! In each span of days the chance is constant. Its gamma posterior counts returns against days at risk, so that a loan
//! that is still out says what it can, and one that is late is asked only about the days that are left. Losses have a
//! chance of their own (competing risks, each by its cause).

use super::{
    dice::Dice,
    input::{LoanEnd, PastLoan},
};
use crate::domain::policy::ForecastPolicy;

/// Where each span begins, in days from the day on which the loan was to come back; the last ends at [`UNTIL`].
const SPANS: [i32; 11] = [-365, -90, -30, -7, 1, 8, 15, 31, 61, 121, 241];
const UNTIL: i32 = 366;
/// Share of those that come in time who come in the last week.
const LAST_WEEK: f64 = 0.8;

fn width(span: usize) -> i32 {
    let end = SPANS.get(span + 1).copied().unwrap_or(UNTIL);
    SPANS.get(span).map_or(0, |start| end - start)
}

/// What was seen of one kind of loan, and what is assumed.
#[derive(Clone, Debug)]
pub(super) struct Returns {
    returned: [f64; SPANS.len()],
    lost: [f64; SPANS.len()],
    at_risk: [f64; SPANS.len()],
    prior_returned: [f64; SPANS.len()],
    prior_lost: [f64; SPANS.len()],
    prior_days: [f64; SPANS.len()],
    /// How many returns there were.
    pub(super) seen: u32,
}

impl Returns {
    /// What past loans of that kind say.
    pub(super) fn learn(loans: &[PastLoan], appointed: bool, policy: &ForecastPolicy) -> Self {
        let mut all = Self::assumed(policy);
        for loan in loans.iter().filter(|loan| loan.appointed == appointed) {
            for (span, start) in SPANS.iter().enumerate() {
                let end = start + width(span);
                // The day on which it came back was a day on which it could.
                let over = loan.until + i32::from(loan.end != LoanEnd::Open);
                all.at_risk[span] += f64::from((over.min(end) - loan.from.max(*start)).max(0));
                let ends_here = (*start..end).contains(&loan.until);
                match loan.end {
                    LoanEnd::Returned if ends_here => all.returned[span] += 1.0,
                    LoanEnd::Lost if ends_here => all.lost[span] += 1.0,
                    LoanEnd::Returned | LoanEnd::Lost | LoanEnd::Open => {}
                }
            }
            all.seen += u32::from(loan.end == LoanEnd::Returned);
        }
        // Ten thousand returns of one spring are not ten thousand springs.
        let most = f64::from(policy.history_units);
        let scale = if f64::from(all.seen) > most { most / f64::from(all.seen) } else { 1.0 };
        for span in 0..SPANS.len() {
            all.returned[span] *= scale;
            all.lost[span] *= scale;
            all.at_risk[span] *= scale;
        }
        all
    }

    fn assumed(policy: &ForecastPolicy) -> Self {
        let zero = [0.0; SPANS.len()];
        let mut all = Self {
            returned: zero,
            lost: zero,
            at_risk: zero,
            prior_returned: zero,
            prior_lost: zero,
            prior_days: zero,
            seen: 0,
        };
        let late = f64::from(100 - policy.on_time_percent) / 100.0;
        let in_time = -libm::log(late);
        let daily = 1.0 / f64::from(policy.late_days);
        let never = (f64::from(policy.never_percent) / 100.0 / late).min(0.9);
        let weight = f64::from(policy.prior_units);
        for span in 0..SPANS.len() {
            let days = f64::from(width(span));
            let start = SPANS.get(span).copied().unwrap_or_default();
            let returns = match start {
                -30 => in_time * (1.0 - LAST_WEEK) / days,
                -7 => in_time * LAST_WEEK / days,
                1..=31 => daily,
                61 => daily / 2.0,
                121.. => daily / 10.0,
                _ => 0.0,
            };
            let losses = if start > 0 { returns * never / (1.0 - never) } else { 0.0 };
            all.prior_days[span] = weight * days;
            all.prior_returned[span] = returns * weight * days;
            all.prior_lost[span] = losses * weight * days;
        }
        all
    }

    /// Chances for one run; `pace` is how quick a spring it is.
    pub(super) fn draw(&self, dice: &mut Dice, pace: f64) -> Chances {
        let zero = [0.0; SPANS.len()];
        let mut chances = Chances { before: zero, daily: zero, lost: zero };
        let mut sum = 0.0;
        for span in 0..SPANS.len() {
            let days = self.at_risk[span] + self.prior_days[span];
            let returns = pace * dice.gamma(self.returned[span] + self.prior_returned[span]) / days;
            let losses = dice.gamma(self.lost[span] + self.prior_lost[span]) / days;
            let daily = returns + losses;
            if daily > 0.0 {
                chances.lost[span] = losses / daily;
            }
            chances.before[span] = sum;
            chances.daily[span] = daily;
            sum += daily * f64::from(width(span));
        }
        chances
    }
}

/// The chances of one run, by span.
#[derive(Clone, Debug)]
pub(super) struct Chances {
    /// What has added up before it begins.
    before: [f64; SPANS.len()],
    /// The chance on each of its days.
    daily: [f64; SPANS.len()],
    /// The share of losses among what ends in it.
    lost: [f64; SPANS.len()],
}

impl Chances {
    /// What has added up before that day.
    fn until(&self, offset: i32) -> f64 {
        let offset = offset.clamp(SPANS[0], UNTIL);
        let span = SPANS.partition_point(|start| *start <= offset).saturating_sub(1);
        self.before[span] + self.daily[span] * f64::from(offset - SPANS[span])
    }

    /// The share of loans that are still out at the end of day `last`, of those that are out now and were to come back on
    /// day `wanted`.
    pub(super) fn stays(&self, wanted: i32, last: usize) -> f64 {
        let days = i32::try_from(last).unwrap_or(i32::MAX);
        // Today is over.
        libm::exp(self.until(1 - wanted) - self.until(days + 1 - wanted))
    }

    /// The day, from 1 to `last`, on which a loan ends of which `share` decides, more than [`Chances::stays`]; with the
    /// share of losses there.
    pub(super) fn end(&self, wanted: i32, share: f64, last: usize) -> (usize, f64) {
        let reached = self.until(1 - wanted) - libm::log(share);
        let span = self.before.iter().rposition(|before| *before < reached).unwrap_or_default();
        let (into, daily) = (reached - self.before[span], self.daily[span]);
        let days = if daily > 0.0 { into / daily } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, reason = "within a span")]
        let day = wanted + SPANS[span] + days.clamp(0.0, 366.0) as i32;
        (usize::try_from(day).unwrap_or_default().clamp(1, last), self.lost[span])
    }
}
