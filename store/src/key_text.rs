//! The secret of an API key, as its owner holds it: `ak_live_` or `ak_test_`, 43 characters of 256
//! random bits, and six that tell a mistyped key from a wrong one without asking the database.

use crate::secrets::fingerprint;
use domain::tenancy::TenantMode;
use std::fmt;

/// Letters and digits only: a double click selects the whole key.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 256 bits in base 62.
const SECRET_CHARS: usize = 43;

/// 32 bits in base 62.
const CHECK_CHARS: usize = 6;

/// How much of a key is shown to recognise it by: the word in front and eight characters, which leaves
/// more than 200 bits unknown.
const PREFIX_CHARS: usize = 16;

/// The secret of an API key. It is shown once; what is stored is its [`KeyText::fingerprint`].
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText {
    mode: TenantMode,
    text: String,
}

impl KeyText {
    /// The secret made of these random bits.
    pub fn of(mode: TenantMode, bits: &[u8; 32]) -> Self {
        let body = format!("ak_{}_{}", mode.as_str(), base_62(bits, SECRET_CHARS));
        let text = format!("{body}{}", check(&body));
        Self { mode, text }
    }

    /// Reads a secret that somebody sent; `None` when it cannot be one of ours.
    pub fn read(text: &str) -> Option<Self> {
        let modes = [("ak_live_", TenantMode::Live), ("ak_test_", TenantMode::Test)];
        let (rest, mode) =
            modes.into_iter().find_map(|(word, mode)| Some((text.strip_prefix(word)?, mode)))?;
        let is_shaped = rest.len() == SECRET_CHARS.saturating_add(CHECK_CHARS)
            && rest.bytes().all(|byte| ALPHABET.contains(&byte));
        let (body, checked) = text.split_at_checked(text.len().checked_sub(CHECK_CHARS)?)?;
        (is_shaped && check(body) == checked).then(|| Self { mode, text: text.to_owned() })
    }

    /// Whether it opens the brand or its sandbox.
    pub fn mode(&self) -> TenantMode {
        self.mode
    }

    /// How it begins, to recognise it by.
    pub fn prefix(&self) -> String {
        self.text.chars().take(PREFIX_CHARS).collect()
    }

    /// By which it is found again.
    pub fn fingerprint(&self) -> [u8; 32] {
        fingerprint(&self.text)
    }

    /// The secret itself, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyText({}…)", self.prefix())
    }
}

/// The first 32 bits of the SHA-256 of what stands before.
fn check(body: &str) -> String {
    let hash = fingerprint(body);
    let (bits, _) = hash.split_at(4);
    base_62(bits, CHECK_CHARS)
}

/// A number in base 62, with leading zeros up to `chars`.
fn base_62(number: &[u8], chars: usize) -> String {
    let mut rest = number.to_vec();
    let digits: Vec<u8> = (0..chars).map(|_| last_digit(&mut rest)).collect();
    digits.into_iter().rev().map(char::from).collect()
}

/// Divides the number by 62 in place, and gives the remainder as a character.
#[expect(clippy::integer_division, reason = "long division, byte by byte")]
fn last_digit(number: &mut [u8]) -> u8 {
    let mut remainder = 0_u16;
    for byte in number {
        let value = (remainder << 8) | u16::from(*byte);
        *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
        remainder = value % 62;
    }
    ALPHABET.get(usize::from(remainder)).copied().unwrap_or(b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_it_opens_and_reads_back() {
        for (mode, word) in [(TenantMode::Live, "ak_live_"), (TenantMode::Test, "ak_test_")] {
            let key = KeyText::of(mode, &[42; 32]);
            assert!(key.reveal().starts_with(word));
            assert_eq!(key.reveal().len(), 57);
            assert_eq!(key.prefix().len(), 16);
            assert_eq!(KeyText::read(key.reveal()), Some(key.clone()));
            assert_eq!(format!("{key:?}"), format!("KeyText({}…)", key.prefix()));
        }
    }

    #[test]
    fn all_bits_are_in_the_key() {
        let lowest = KeyText::of(TenantMode::Live, &[0; 32]);
        assert!(lowest.reveal().starts_with(&format!("ak_live_{}", "0".repeat(43))));
        let highest = KeyText::of(TenantMode::Live, &[255; 32]);
        let all_ones = "ak_live_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";
        assert!(highest.reveal().starts_with(all_ones), "{}", highest.reveal());
    }

    #[test]
    fn a_mistyped_key_is_not_looked_for() {
        let key = KeyText::of(TenantMode::Test, &[7; 32]);
        let text = key.reveal();
        for at in 0..text.len() {
            let mut typed = text.as_bytes().to_vec();
            typed[at] = if typed[at] == b'x' { b'y' } else { b'x' };
            let typed = String::from_utf8(typed).unwrap();
            assert_eq!(KeyText::read(&typed), None, "{typed}");
        }
        for typed in ["", "ak_live_", &text[..56], &format!("{text}0"), &format!("{text}é")] {
            assert_eq!(KeyText::read(typed), None, "{typed}");
        }
    }
}
