//! Repeatable randomness for tests: a failure comes back with its seed.
//! Must not be used for anything that has to be unpredictable.

pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`, by Knuth's linear congruential generator.
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }

    pub(crate) fn throw<'a>(&mut self, sides: &[&'a str]) -> &'a str {
        sides[self.below(sides.len())]
    }
}
