//! Secrets: sealed when they must be read again, hashed when they only need to be recognised.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, RandomizedNonceKey},
    digest::{SHA256, digest},
    hkdf::{HKDF_SHA256, Prk, Salt},
};
use std::fmt;

/// The shortest text that may be the service's secret: 32 characters, because 256 bits are what the
/// cipher uses.
const LEAST_SECRET_CHARS: usize = 32;

/// The form of sealed bytes; a later one can be told from it.
const SEALED_FORM: u8 = 1;

/// The 96 bits that AES-GCM must never see twice under one key.
const NONCE_BYTES: usize = 12;

/// Why a secret cannot be kept or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// The service's secret can be guessed.
    #[error("the secret key must have at least {LEAST_SECRET_CHARS} characters")]
    Weak,
    /// What was sealed was changed, belongs elsewhere, or was sealed under another secret key.
    #[error("a sealed secret cannot be opened with this secret key")]
    Unreadable,
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Library,
}

impl From<SecretFault> for crate::Fault {
    fn from(fault: SecretFault) -> Self {
        Self::Secret(match fault {
            SecretFault::Weak => "the secret key is too short",
            SecretFault::Unreadable => "it was sealed under another AFTERCARE_SECRET_KEY",
            SecretFault::Library => "the cryptographic library failed",
        })
    }
}

impl From<aws_lc_rs::error::Unspecified> for SecretFault {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Library
    }
}

/// The secret of this service, from which a key is derived for each thing that is sealed.
///
/// Whoever has it and the database can sign tokens; it is never stored beside the data.
#[derive(Clone)]
pub struct SecretKey(Prk);

impl SecretKey {
    /// Takes the secret as the operator wrote it (`AFTERCARE_SECRET_KEY`).
    ///
    /// # Errors
    ///
    /// [`SecretFault::Weak`] below 32 characters.
    pub fn from_text(text: &str) -> Result<Self, SecretFault> {
        if text.trim().chars().count() < LEAST_SECRET_CHARS {
            return Err(SecretFault::Weak);
        }
        let salt = Salt::new(HKDF_SHA256, b"aftercare");
        Ok(Self(salt.extract(text.trim().as_bytes())))
    }

    /// Seals bytes for the place that `label` names, such as `signing-key/sgn_…`. They can be opened only
    /// under the same label, so a sealed secret cannot be moved to another place.
    ///
    /// # Errors
    ///
    /// [`SecretFault::Library`].
    pub fn seal(&self, label: &str, plain: &[u8]) -> Result<Vec<u8>, SecretFault> {
        let mut text = plain.to_vec();
        let aad = Aad::from(label.as_bytes());
        let nonce = self.cipher(label)?.seal_in_place_append_tag(aad, &mut text)?;
        Ok([[SEALED_FORM].as_slice(), nonce.as_ref().as_slice(), &text].concat())
    }

    /// Opens what was sealed under `label`.
    ///
    /// # Errors
    ///
    /// [`SecretFault::Unreadable`] when it was changed, moved, or sealed under another secret.
    pub fn open(&self, label: &str, sealed: &[u8]) -> Result<Vec<u8>, SecretFault> {
        let (&form, rest) = sealed.split_first().ok_or(SecretFault::Unreadable)?;
        let (nonce, text) =
            rest.split_first_chunk::<NONCE_BYTES>().ok_or(SecretFault::Unreadable)?;
        if form != SEALED_FORM {
            return Err(SecretFault::Unreadable);
        }
        let mut text = text.to_vec();
        let aad = Aad::from(label.as_bytes());
        let plain = self
            .cipher(label)?
            .open_in_place(nonce.into(), aad, &mut text)
            .map_err(|_| SecretFault::Unreadable)?;
        Ok(plain.to_vec())
    }

    fn cipher(&self, label: &str) -> Result<RandomizedNonceKey, SecretFault> {
        let mut key = [0; 32];
        self.0.expand(&[label.as_bytes()], HKDF_SHA256)?.fill(&mut key)?;
        Ok(RandomizedNonceKey::new(&AES_256_GCM, &key)?)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// The SHA-256 of a secret of many random bits, by which it is recognised. (Not for passwords, which
/// can be guessed.)
pub fn fingerprint(secret: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (byte, hashed) in bytes.iter_mut().zip(digest(&SHA256, secret.as_bytes()).as_ref()) {
        *byte = *hashed;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(last: char) -> SecretKey {
        SecretKey::from_text(&format!("{}{last}", "a".repeat(31))).unwrap()
    }

    #[test]
    fn what_is_sealed_is_opened_in_its_place_only() {
        let sealed = secret('a').seal("signing-key/1", b"private").unwrap();
        assert_eq!(secret('a').open("signing-key/1", &sealed).unwrap(), b"private");
        let elsewhere = secret('a').open("signing-key/2", &sealed);
        assert_eq!(elsewhere, Err(SecretFault::Unreadable));
        let by_another = secret('b').open("signing-key/1", &sealed);
        assert_eq!(by_another, Err(SecretFault::Unreadable));
    }

    #[test]
    fn one_changed_bit_or_a_missing_byte_is_noticed() {
        let sealed = secret('a').seal("place", b"private").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(secret('a').open("place", &changed), Err(SecretFault::Unreadable), "{at}");
            assert_eq!(
                secret('a').open("place", &sealed[..at]),
                Err(SecretFault::Unreadable),
                "{at}"
            );
        }
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        let sealed = || secret('a').seal("place", b"private").unwrap();
        assert_ne!(sealed(), sealed());
    }

    #[test]
    fn a_secret_has_at_least_32_characters() {
        assert!(SecretKey::from_text(&"a".repeat(32)).is_ok());
        let weak = SecretKey::from_text(&format!(" {} ", "a".repeat(31)));
        assert_eq!(weak.unwrap_err(), SecretFault::Weak);
        assert_eq!(format!("{:?}", secret('a')), "SecretKey(…)");
    }

    #[test]
    fn a_fingerprint_is_sha_256() {
        let of_nothing = fingerprint("");
        assert_eq!(&of_nothing[..4], &[0xe3, 0xb0, 0xc4, 0x42]);
    }
}
