//! Chance from a seed: ChaCha with eight rounds, a named generator whose output is the same on every machine. Logarithms
//! and powers come from `libm`, for those of the standard library differ from one system to the next.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

/// 2^-53: what the 53 upper bits of a draw are counted in.
const STEP: f64 = 1.0 / 9_007_199_254_740_992.0;

/// A stream of draws.
#[derive(Clone, Debug)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream `stream` of `seed`; streams of a seed do not overlap.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn uniform(&mut self) -> f64 {
        uniform(self.bits())
    }

    /// A normal draw: Marsaglia's polar method.
    fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// A gamma draw of that shape and scale 1 (Marsaglia and Tsang 2000); 0 for a shape of 0.
    pub(super) fn gamma(&mut self, shape: f64) -> f64 {
        if shape <= 0.0 {
            return 0.0;
        }
        if shape < 1.0 {
            let lifted = self.gamma(shape + 1.0);
            return lifted * libm::pow(self.uniform(), 1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let root = 1.0 + c * x;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            if libm::log(self.uniform()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// A draw around 1 whose standard deviation is `spread`.
    pub(super) fn around_one(&mut self, spread: f64) -> f64 {
        if spread <= 0.0 {
            return 1.0;
        }
        let shape = 1.0 / (spread * spread);
        self.gamma(shape) / shape
    }

    /// A share, after `yes` of `yes + no` were seen.
    pub(super) fn beta(&mut self, yes: f64, no: f64) -> f64 {
        let (yes, no) = (self.gamma(yes), self.gamma(no));
        if yes + no > 0.0 { yes / (yes + no) } else { 0.0 }
    }

    /// Shares that add up to 1, with these weights.
    pub(super) fn shares<const N: usize>(&mut self, weights: [f64; N]) -> [f64; N] {
        let drawn = weights.map(|weight| self.gamma(weight));
        let sum: f64 = drawn.iter().sum();
        drawn.map(|one| if sum > 0.0 { one / sum } else { 0.0 })
    }
}

/// A draw between 0 and 1, never either.
pub(super) fn uniform(bits: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
    let upper = (bits >> 11) as f64;
    (upper + 0.5) * STEP
}

/// The draws of one unit: 64 bits of the stream, whatever happens to it, so that two runs of one seed that differ in
/// nothing but the bench or the shelf throw the same dice. What else it needs is mixed from them (SplitMix64: Steele, Lea
/// and Flood 2014), for most units are never asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lot(u64);

impl Lot {
    /// The next unit's.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        Self(dice.bits())
    }

    const fn word(self, number: u64) -> u64 {
        let mut mixed = self.0.wrapping_add((number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A share that decides when it comes back.
    pub(super) fn back(self) -> f64 {
        uniform(self.0)
    }

    /// A share that decides what becomes of it.
    pub(super) fn outcome(self) -> f64 {
        uniform(self.word(0))
    }

    /// How much longer or shorter than the mean it waits beside the bench: half of it for certain.
    pub(super) fn delay(self) -> f64 {
        0.5 - 0.5 * libm::log(uniform(self.word(1)))
    }

    /// Whether something of that share happens to it; each `number` is a matter of its own.
    pub(super) fn happens(self, number: u64, share: f64) -> bool {
        share > 0.0 && uniform(self.word(2 + number)) < share
    }
}
