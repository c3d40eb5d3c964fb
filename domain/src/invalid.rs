//! Input that is not what it claims to be.

use std::fmt;

/// Parts the code from the sentence when an [`Invalid`] travels through a parser as plain text.
const SEPARATOR: char = '\u{1f}';

/// Why a value cannot be what the caller says it is.
///
/// It crosses serde as text, so its display form carries the code; [`Invalid::from_message`] reads it
/// back on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// A stable name for the mistake, such as `too_long`.
    pub code: String,
    /// The mistake in a sentence.
    pub message: String,
}

impl Invalid {
    /// A mistake called `code`, explained by `message`.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }

    /// Reads back what a parser passed on; `None` when the text is the parser's own.
    pub fn from_message(text: &str) -> Option<Self> {
        let (code, message) = text.split_once(SEPARATOR)?;
        Some(Self::new(code, message))
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}{}", self.code, self.message)
    }
}

impl std::error::Error for Invalid {}

#[cfg(test)]
mod tests {
    use super::Invalid;

    #[test]
    fn a_mistake_survives_a_parser() {
        let mistake = Invalid::new("too_long", "at most 200 characters");
        assert_eq!(Invalid::from_message(&mistake.to_string()), Some(mistake));
        assert_eq!(Invalid::from_message("expected a string"), None);
    }
}
