//! What people break, and boards that die: no agent can see any of it.

use super::{
    calendar::Week,
    chance,
    truth::{Cause, Need, Part},
};
use crate::simulator::{programme::Programme, random::Random};

/// Accidents a year among grown-ups' laptops: 10.6 % in three years (SquareTrade 2009, 30,000 laptops).
const GROWN_UP: f64 = 0.035;
/// Accidents a year among pupils' laptops: "more than 10 % of the computers broke" in a one-to-one school (SCHOOL-IT list
/// of the University of Vermont, 2013).
const PUPIL: f64 = 0.12;
/// Accidents a year among laptops that stay at school: assumed halfway between the two.
const POOL: f64 = 0.07;
/// Accidents a year among desktops: assumed; nobody drops one.
const DESKTOP: f64 = 0.02;
/// Boards, fans, radios and sockets that die a year: 5 % of laptops in the first year and 8 % in each later one fail
/// without an accident (SquareTrade 2009); drives and batteries, which are simulated apart, are about half of that.
const BOARD: f64 = 0.03;
/// Scatter of how careful people are: assumed.
const CARELESSNESS: f64 = 0.7;

/// Parts that break and how often: screens first, hinges from the second year on (SCHOOL-IT list, 2013); the numbers
/// are assumed.
const PARTS: [(Part, u64); 4] = [(Part::Screen, 45), (Part::Keyboard, 22), (Part::Charger, 18), (Part::Hinge, 5)];
/// How much a hinge's weight grows with each year of age: assumed.
const HINGE_AGE: u64 = 5;

/// How much one holder of a device breaks, as a factor.
pub fn carelessness(random: &mut Random) -> f64 {
    chance::around(random, 1.0, CARELESSNESS)
}

/// What a device's surroundings do to it.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    accidents: f64,
    portable: bool,
}

impl Surroundings {
    /// Of a device of `programme` that is carried about, or not.
    pub const fn of(programme: Programme, portable: bool) -> Self {
        if !portable {
            return Self { accidents: DESKTOP, portable };
        }
        let accidents = match programme {
            Programme::Teachers => GROWN_UP,
            Programme::SchoolPool | Programme::RecycledToAssociations => POOL,
            Programme::FirstPupilLaptops
            | Programme::PupilLaptops
            | Programme::PupilTablets
            | Programme::CareTablets
            | Programme::RecycledToPupils => PUPIL,
        };
        Self { accidents, portable }
    }

    /// What happened to a device of that age in one week, if anything. Draws the same number of times whatever happens.
    pub fn week(self, random: &mut Random, week: &Week, carelessness: f64, years: u64) -> Option<Need> {
        let (accident, board) = (chance::share(random), chance::share(random));
        let (when, part) = (chance::share(random), random.draw());
        let of_year = week.part_of_school_year();
        let need = |part| Some(Need { day: week.day_at(when), part, cause: Cause::Accident });
        if accident < self.accidents * carelessness * of_year {
            return need(if self.portable { broken(part, years) } else { Part::Board });
        }
        if board < BOARD * of_year {
            return Some(Need { day: week.day_at(when), part: Part::Board, cause: Cause::Sudden });
        }
        None
    }
}

fn broken(drawn: u64, years: u64) -> Part {
    let mut parts = PARTS;
    parts[3].1 += HINGE_AGE * years.min(6);
    *Random::seeded(drawn).pick_weighted(&parts)
}
