//! Two school years of a lending workshop, played day by day: what the forecast is held against.
//!
//! It shares no code and no number with `domain::forecast`. Loans have families, sites and years, not hazards; the
//! workshop has hands that fall ill, five queues and a weekly meeting, not one queue; what a unit becomes follows from a
//! hidden state, of which verdict and advice are noisy views. [`World::known`] gives what the database would hold on a day.

mod known;
mod work;

use cartable_server::domain::{part::PartKind, work_order::Disposition};
use jiff::{
    Span,
    civil::{Date, Weekday, date},
};

pub use work::Order;

/// The first day: two school years begin.
pub const BEGIN: Date = date(2025, 9, 1);
/// The last one.
pub const END: Date = date(2027, 6, 30);

/// Small random numbers of its own: SplitMix64 (Steele, Lea, Flood 2014), not the generator of the forecast.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// From a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_F491_4F6C_DD1D).wrapping_add(0x9E37_79B9))
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Whether something of so many per mille happens.
    pub fn per_mille(&mut self, share: u64) -> bool {
        self.below(1_000) < share
    }

    /// A whole number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end.max(1)
    }

    /// A whole number from `low` to `high`, those in the middle more often: the mean of two.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low + 1).unwrap_or(1);
        let sum = self.below(span) + self.below(span);
        low + i64::try_from(sum / 2).unwrap_or(0)
    }
}

/// What is hidden about a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// As good as ever.
    Sound,
    /// It works, and shows its age.
    Aged,
    /// Something is broken.
    Broken,
    /// Nothing to be done.
    Hopeless,
}

/// A device with its loan.
#[derive(Clone, Debug)]
pub struct Device {
    pub(crate) model: usize,
    pub(crate) hidden: Hidden,
    /// Whether the machine claims a worn battery.
    pub(crate) claims_worn: bool,
    pub(crate) advised: cartable_server::domain::disposition::Disposition,
    pub(crate) out: Date,
    pub(crate) due: Date,
    /// The day on which the loan was extended, and its due day before.
    pub(crate) extended: Option<(Date, Date)>,
    /// When it comes back; none if it never does.
    pub(crate) back: Option<Date>,
    /// When it is declared lost.
    pub(crate) lost: Option<Date>,
    pub(crate) order: Option<Order>,
}

/// The models: whether Windows still runs, hence whether sound ones are lent again.
pub(crate) const MODELS: [(&str, bool); 3] =
    [("ThinkPad L13", true), ("ProBook 430 G5", false), ("Latitude 3310", true)];

/// What differs from one seed to the next.
#[derive(Clone, Debug)]
pub(crate) struct Temper {
    /// Per mille of loans that come back in time, by year.
    in_time: [u64; 2],
    /// Mean days of the others' delay.
    late: i64,
    never: u64,
    extended: u64,
    /// Hands in the workshop, and minutes that each really works in a day.
    pub(crate) hands: u64,
    pub(crate) minutes: i64,
    pub(crate) absent: u64,
    /// Per mille of aged units of a model that runs Windows that are given nevertheless.
    pub(crate) given: u64,
    pub(crate) battery: u64,
    pub(crate) stock: [i64; 3],
}

/// Kinds of parts that this workshop uses.
pub(crate) const KINDS: [PartKind; 3] = [PartKind::Battery, PartKind::Charger, PartKind::Keyboard];

/// Two years.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) devices: Vec<Device>,
    /// For each day, what lay on the shelf at its end.
    pub(crate) shelf: Vec<(Date, [i64; 3])>,
    pub(crate) today: Date,
}

/// `day` and so many days.
pub(crate) fn plus(day: Date, days: i64) -> Date {
    Span::new().try_days(days).and_then(|span| day.checked_add(span)).unwrap_or(day)
}

/// The next day that is neither Saturday nor Sunday.
pub(crate) fn weekday(mut day: Date) -> Date {
    while matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
        day = plus(day, 1);
    }
    day
}

impl World {
    /// Plays two years of `devices` loans a year.
    #[must_use]
    pub fn play(seed: u64, devices: usize) -> Self {
        let mut chance = Chance::new(seed);
        let temper = Temper {
            in_time: [chance.between(400, 700), chance.between(400, 700)].map(|share| share.unsigned_abs()),
            late: chance.between(14, 45),
            never: chance.between(20, 90).unsigned_abs(),
            extended: chance.between(0, 120).unsigned_abs(),
            hands: 2,
            minutes: chance.between(270, 400),
            absent: chance.between(60, 200).unsigned_abs(),
            given: chance.between(150, 500).unsigned_abs(),
            battery: chance.between(60, 300).unsigned_abs(),
            // In some years the shelf is short.
            stock: [chance.between(20, 260), chance.between(60, 300), chance.between(15, 90)],
        };
        let all = (0..2).flat_map(|year| std::iter::repeat_n(year, devices));
        let devices = all.map(|year| device(year, &temper, &mut chance)).collect();
        let mut world = Self { devices, shelf: Vec::new(), today: BEGIN };
        world.work(&temper, &mut chance);
        world
    }

    /// Units that were ready to be given at the end of `day`.
    #[must_use]
    pub fn given_by(&self, day: Date) -> u32 {
        let ready = |one: &&Device| {
            one.order.as_ref().is_some_and(|order| {
                order.closed.is_some_and(|(at, became)| at <= day && became == Disposition::Donate)
            })
        };
        u32::try_from(self.devices.iter().filter(ready).count()).unwrap_or(u32::MAX)
    }
}

fn device(year: i64, temper: &Temper, chance: &mut Chance) -> Device {
    use cartable_server::domain::disposition::Disposition::{Donate, Parts, Recycle, Relend, Repair};
    let model = usize::try_from(chance.below(3)).unwrap_or(0);
    let hidden = match chance.below(100) {
        0..45 => Hidden::Sound,
        45..75 => Hidden::Aged,
        75..92 => Hidden::Broken,
        _ => Hidden::Hopeless,
    };
    // The machine sees a worn battery more often where the device is worn.
    let claims_worn = chance.per_mille(match hidden {
        Hidden::Sound => 120,
        Hidden::Aged => 450,
        Hidden::Broken => 400,
        Hidden::Hopeless => 550,
    });
    let advised = match (MODELS[model].1, claims_worn) {
        (true, false) => Relend,
        (true, true) => Repair,
        (false, false) => Donate,
        (false, true) => {
            if chance.per_mille(500) {
                Donate
            } else if chance.per_mille(600) {
                Parts
            } else {
                Recycle
            }
        }
    };
    // Returns come in waves: before the holidays, and a steady trickle beside them.
    let begin = plus(BEGIN, 365 * year);
    let due = match chance.below(10) {
        0..2 => chance.between(95, 115),
        2..5 => chance.between(150, 175),
        5..8 => chance.between(205, 235),
        _ => chance.between(40, 300),
    };
    let out = plus(begin, -chance.between(60, 300));
    let mut due = weekday(plus(begin, due));
    let mut extended = None;
    if chance.per_mille(temper.extended) {
        extended = Some((plus(due, -chance.between(3, 25)), due));
        due = plus(due, 180);
    }
    let in_time = chance.per_mille(temper.in_time[usize::try_from(year).unwrap_or(0)]);
    let offset = if in_time { -chance.between(-8, 24).max(0) } else { 1 + delay(temper.late, chance) };
    let never = !in_time && chance.per_mille(temper.never * 2);
    let back = weekday(plus(due, offset));
    let lost = never.then(|| plus(due, chance.between(30, 120)));
    Device {
        model,
        hidden,
        claims_worn,
        advised,
        out,
        due,
        extended,
        back: (!never).then_some(back),
        lost,
        order: None,
    }
}

/// Days of delay with that mean: many short ones, some long.
fn delay(mean: i64, chance: &mut Chance) -> i64 {
    let mut days = 0;
    let stop = 1_000 / u64::try_from(mean).unwrap_or(1).max(1);
    while days < 200 && !chance.per_mille(stop) {
        days += 1;
    }
    days
}
