//! A small seeded source of chance, so that the same seed makes the same fleet on every computer.
//!
//! Decides nothing by itself and is no source of secrets: keys come from the agent library's own generator.

/// A stream of numbers that depends on its seed alone (SplitMix64, Steele, Lea and Flood 2014).
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of `seed`.
    pub const fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The stream of `seed` for one purpose and one index: changing how one device draws leaves the others alone.
    pub fn of(seed: u64, purpose: &str, index: u64) -> Self {
        let folded = purpose.bytes().fold(seed, |hash, byte| mixed(hash ^ u64::from(byte)));
        Self { state: mixed(folded ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15)) }
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.state)
    }

    /// A number below `bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let scaled = u128::from(self.draw()) * u128::from(bound);
        u64::try_from(scaled >> 64).unwrap_or_default()
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// Whether something that happens `per_mille` times in a thousand happens now.
    pub fn happens(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `choices`, which must not be empty.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let place = usize::try_from(self.below(choices.len() as u64)).unwrap_or_default();
        &choices[place]
    }

    /// One of `choices` by weight; the first where all weights are 0.
    pub fn pick_weighted<'a, T>(&mut self, choices: &'a [(T, u64)]) -> &'a T {
        let mut drawn = self.below(choices.iter().map(|(_, weight)| weight).sum());
        for (choice, weight) in choices {
            if drawn < *weight {
                return choice;
            }
            drawn -= weight;
        }
        &choices[0].0
    }

    /// A text in which `#` became a digit and `@` a capital letter or digit, without those that are misread (I, O).
    pub fn pattern(&mut self, pattern: &str) -> String {
        const DIGITS: &[u8] = b"0123456789";
        const SIGNS: &[u8] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
        pattern
            .chars()
            .map(|c| match c {
                '#' => char::from(*self.pick(DIGITS)),
                '@' => char::from(*self.pick(SIGNS)),
                other => other,
            })
            .collect()
    }

    /// A UUID with the form of version 4.
    pub fn uuid(&mut self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes((u128::from(self.draw()) << 64 | u128::from(self.draw())).to_be_bytes())
            .into_uuid()
    }
}

const fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // First outputs of the reference implementation (prng.di.unimi.it/splitmix64.c) for seed 1234567.
        let mut random = Random::seeded(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| random.draw()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn every_weight_is_drawn_about_as_often_as_it_says() {
        let mut random = Random::of(1, "weights", 0);
        let often = (0..10_000).filter(|_| *random.pick_weighted(&[("a", 9), ("b", 1)]) == "b").count();
        assert!((800..1200).contains(&often), "{often}");
    }
}
