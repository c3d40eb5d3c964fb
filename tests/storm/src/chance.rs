//! Chance that can be repeated: the same seed, the same storm.

use std::time::Duration;

/// A stream of numbers that follows from a seed (`SplitMix64`).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The stream of one part of a run, such as a seed, a cycle and a customer. Parts that differ have streams that
    /// have nothing to do with each other.
    pub(crate) fn of(parts: &[u64]) -> Self {
        let mixed = parts.iter().fold(0, |sum: u64, part| mix(sum.wrapping_add(mix(*part))));
        Self(mixed)
    }

    /// A number below `limit`; 0 when that is 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0).checked_rem(limit).unwrap_or_default()
    }

    /// A number from `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least.saturating_add(self.below(most.saturating_sub(least).saturating_add(1)))
    }

    /// A time from `least` to `most` milliseconds.
    pub(crate) fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.between(least, most))
    }

    /// True once in `times` times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these, unless there is none.
    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.index(all.len()))
    }

    /// A place among so many.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        let below = self.below(u64::try_from(count).unwrap_or(u64::MAX));
        usize::try_from(below).unwrap_or_default()
    }

    /// The same in another order.
    pub(crate) fn shuffled<T>(&mut self, mut all: Vec<T>) -> Vec<T> {
        let mut order = Vec::with_capacity(all.len());
        while !all.is_empty() {
            order.push(all.swap_remove(self.index(all.len())));
        }
        order
    }
}

fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_same_seed_tells_the_same_and_another_something_else() {
        let told = |parts: &[u64]| {
            let mut chance = Chance::of(parts);
            [(); 8].map(|()| chance.below(1_000_000))
        };
        assert_eq!(told(&[7, 1, 2]), told(&[7, 1, 2]));
        assert_ne!(told(&[7, 1, 2]), told(&[7, 2, 1]));
        assert_ne!(told(&[7, 1]), told(&[7, 1, 0]));
    }

    #[test]
    fn what_is_shuffled_is_all_there() {
        let mut chance = Chance::of(&[1]);
        let mut order = chance.shuffled((0..50).collect::<Vec<_>>());
        assert_ne!(order, (0..50).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
        assert!((0..100).map(|_| chance.between(3, 5)).all(|number| (3..=5).contains(&number)));
    }
}
