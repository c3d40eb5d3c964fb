//! Numbers: what is made of rates, and chance that can be repeated.

use std::fmt;

/// A figure over several rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// Half of the rounds are below.
    pub(crate) median: f64,
    /// The lowest round.
    pub(crate) low: f64,
    /// The highest round.
    pub(crate) high: f64,
}

impl Spread {
    /// The spread of `values`; all zero when there are none.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share| quantile(&sorted, share);
        Self { median: at(0.5), low: at(0.0), high: at(1.0) }
    }

    /// The quotients of two sides, round by round.
    pub(crate) fn of_quotients(ours: &[f64], theirs: &[f64]) -> Self {
        let pairs = ours.iter().zip(theirs).filter(|(_, theirs)| **theirs > 0.0);
        Self::of(&pairs.map(|(ours, theirs)| ours / theirs).collect::<Vec<_>>())
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, low, high } = self;
        write!(f, "{median:.2} ({low:.2}–{high:.2})")
    }
}

/// The value below which a `share` of the `sorted` values lies, between 0 and 1; 0 when there are none.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = float(last) * share.clamp(0.0, 1.0);
    let below = whole(place.floor());
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    let rest = place - place.floor();
    at(below) + (at(below.saturating_add(1).min(last)) - at(below)) * rest
}

/// A count as a number to divide by. Counts here are far below the 53 bits at which this becomes inexact.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "there is no other way from a count to a float"
)]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// The same for counts of rows.
pub(crate) fn float_of(count: u64) -> f64 {
    float(usize::try_from(count).unwrap_or(usize::MAX))
}

/// The whole part of a number that is not negative.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "there is no other way from a float to an index"
)]
fn whole(number: f64) -> usize {
    number as usize
}

/// Chance that is the same in each run (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// Chance that follows from `seed`.
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_are_paired_and_their_middle_counts() {
        let spread = Spread::of_quotients(&[2.0, 9.0, 4.0], &[1.0, 3.0, 4.0]);
        assert_eq!(spread, Spread { median: 2.0, low: 1.0, high: 3.0 });
        assert_eq!(Spread::of(&[1.0, 2.0]), Spread { median: 1.5, low: 1.0, high: 2.0 });
        assert_eq!(Spread::of(&[]), Spread { median: 0.0, low: 0.0, high: 0.0 });
    }

    #[test]
    fn a_share_of_the_values_lies_below_a_quantile() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        let found = format!("{} {}", quantile(&values, 0.99), quantile(&[5.0], 0.99));
        assert_eq!(found, "99 5");
    }

    #[test]
    fn chance_follows_from_its_seed() {
        let mut chance = Chance::of(1);
        assert_eq!(
            (chance.next(), Chance::of(1).next()),
            (0x910a_2dec_8902_5cc1, 0x910a_2dec_8902_5cc1)
        );
        assert!((0..100).all(|_| chance.below(7) < 7));
    }
}
