//! The keys with which tokens are signed, and when each takes its turn.
//!
//! A key is published before it signs, so that whoever fetched the published keys knows it in time; and it
//! stays published after its last signature, until the last token it signed has ended.

use crate::{ids::SigningKeyId, time::Timestamp};
use serde::{Deserialize, Serialize};

/// How long a key signs.
pub const SIGNS_DAYS: i64 = 30;

/// How long a key is published before it signs: longer than anybody keeps the published keys.
pub const ANNOUNCED_HOURS: i64 = 24;

/// How long a key stays published after its last signature: longer than a token lasts, with room for
/// clocks that disagree.
pub const LINGERS_HOURS: i64 = 1;

/// The turn of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SigningKeyState {
    /// Published, and signs next.
    Next,
    /// Published, and signs.
    Active,
    /// Published, and signs no more.
    Retiring,
    /// Gone.
    Retired,
}

impl SigningKeyState {
    /// The word, as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }

    /// Whether tokens signed by it are accepted, and others can read it.
    pub fn is_published(self) -> bool {
        match self {
            Self::Next | Self::Active | Self::Retiring => true,
            Self::Retired => false,
        }
    }
}

/// A key's place in the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SigningTurn {
    /// Which key.
    pub id: SigningKeyId,
    /// Its turn.
    pub state: SigningKeyState,
    /// Since when it has this turn.
    pub since: Timestamp,
}

/// What to do now so that there is always one key that signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningStep {
    /// Make a key that signs at once: there is none.
    MakeActive,
    /// Make the key that signs next, and publish it.
    MakeNext,
    /// Let this key sign; the one that signed until now retires.
    Activate(SigningKeyId),
    /// Forget this key.
    Retire(SigningKeyId),
}

/// The next step, if one is due. Steps are taken one by one, until none is.
pub fn next_step(turns: &[SigningTurn], now: Timestamp) -> Option<SigningStep> {
    let in_state = |state| turns.iter().filter(move |turn| turn.state == state);
    let next = in_state(SigningKeyState::Next).min_by_key(|turn| (turn.since, turn.id));
    let active = in_state(SigningKeyState::Active).max_by_key(|turn| (turn.since, turn.id));
    let lingered = |turn: &&SigningTurn| now >= turn.since.plus_hours(LINGERS_HOURS);
    if let Some(turn) = in_state(SigningKeyState::Retiring).find(lingered) {
        return Some(SigningStep::Retire(turn.id));
    }
    match (active, next) {
        (None, None) => Some(SigningStep::MakeActive),
        (None, Some(next)) => Some(SigningStep::Activate(next.id)),
        (Some(active), None) => {
            let announce_at =
                active.since.plus_days(SIGNS_DAYS).plus_hours(ANNOUNCED_HOURS.saturating_neg());
            (now >= announce_at).then_some(SigningStep::MakeNext)
        }
        (Some(active), Some(next)) => {
            let is_over = now >= active.since.plus_days(SIGNS_DAYS);
            let is_known = now >= next.since.plus_hours(ANNOUNCED_HOURS);
            (is_over && is_known).then_some(SigningStep::Activate(next.id))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::TOKEN_LIFE_SECONDS;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn start() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    /// A store of keys that takes every step that is due, and knows when each was made.
    #[derive(Default)]
    struct Keys(Vec<(SigningTurn, Timestamp)>);

    impl Keys {
        fn turns(&self) -> Vec<SigningTurn> {
            self.0.iter().map(|(turn, _)| *turn).collect()
        }

        fn look(&mut self, now: Timestamp) {
            while let Some(step) = next_step(&self.turns(), now) {
                self.take(step, now);
            }
        }

        fn take(&mut self, step: SigningStep, now: Timestamp) {
            match step {
                SigningStep::MakeActive => self.make(SigningKeyState::Active, now),
                SigningStep::MakeNext => self.make(SigningKeyState::Next, now),
                SigningStep::Activate(id) => {
                    self.retire(now);
                    self.pass(id, SigningKeyState::Active, now);
                }
                SigningStep::Retire(id) => self.pass(id, SigningKeyState::Retired, now),
            }
        }

        fn make(&mut self, state: SigningKeyState, now: Timestamp) {
            let id = Uuid::from_u128(now.unix_seconds().unsigned_abs().into()).into();
            self.0.push((SigningTurn { id, state, since: now }, now));
        }

        fn retire(&mut self, now: Timestamp) {
            if let Some(old) = self.active() {
                self.pass(old, SigningKeyState::Retiring, now);
            }
        }

        fn pass(&mut self, id: SigningKeyId, state: SigningKeyState, now: Timestamp) {
            let (turn, _) = self.0.iter_mut().find(|(turn, _)| turn.id == id).unwrap();
            (turn.state, turn.since) = (state, now);
        }

        fn active(&self) -> Option<SigningKeyId> {
            let is_active = |turn: &SigningTurn| turn.state == SigningKeyState::Active;
            let active: Vec<_> = self.turns().into_iter().filter(is_active).collect();
            assert!(active.len() <= 1, "two keys sign");
            active.first().map(|turn| turn.id)
        }

        fn is_published(&self, id: SigningKeyId) -> bool {
            self.turns().iter().any(|turn| turn.id == id && turn.state.is_published())
        }

        fn announced_for_seconds(&self, id: SigningKeyId) -> i64 {
            let (turn, made_at) = self.0.iter().find(|(turn, _)| turn.id == id).unwrap();
            turn.since.seconds_since(*made_at)
        }
    }

    #[test]
    fn the_first_key_signs_at_once() {
        assert_eq!(next_step(&[], start()), Some(SigningStep::MakeActive));
    }

    #[test]
    fn a_key_is_announced_a_day_before_it_signs_for_thirty() {
        let mut keys = Keys::default();
        keys.look(start());
        let first = keys.active().unwrap();
        let announced = start().plus_days(29);
        assert_eq!(next_step(&keys.turns(), announced.plus_seconds(-1)), None);
        keys.look(announced);
        assert_eq!((keys.0.len(), keys.active()), (2, Some(first)));
        keys.look(start().plus_days(30).plus_seconds(-1));
        assert_eq!(keys.active(), Some(first));
        keys.look(start().plus_days(30));
        assert_ne!(keys.active(), Some(first));
        assert!(keys.is_published(first));
        keys.look(start().plus_days(30).plus_hours(1));
        assert!(!keys.is_published(first));
    }

    proptest! {
        /// However seldom anybody looks, a token's key is published for as long as the token lasts, and every
        /// key but the first was published for a day before it signed.
        #[test]
        fn a_token_can_be_verified_for_as_long_as_it_lasts(
            hours in prop::collection::vec(1_i64..400, 1..40),
        ) {
            let mut keys = Keys::default();
            let mut now = start();
            keys.look(now);
            let first = keys.active().unwrap();
            for wait in hours {
                let signer = keys.active().unwrap();
                keys.look(now.plus_seconds(TOKEN_LIFE_SECONDS));
                prop_assert!(keys.is_published(signer));
                now = now.plus_hours(wait);
                keys.look(now);
                let signs = keys.active().unwrap();
                prop_assert!(
                    signs == first || keys.announced_for_seconds(signs) >= ANNOUNCED_HOURS * 3_600
                );
            }
        }
    }
}
