//! Input that is not what it claims to be.

use crate::text::Locale;
use std::fmt;

/// Parts the code from the sentence when an [`Invalid`] travels through a parser as plain text.
const SEPARATOR: char = '\u{1f}';

/// Why a value cannot be what the caller says it is.
///
/// It crosses serde as text, so its display form carries all of it; [`Invalid::from_message`] reads it
/// back on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// A stable name for the mistake, such as `too_long`.
    pub code: String,
    /// The mistake in a sentence.
    pub message: String,
    /// The same in Chinese; empty where nobody has said it yet.
    chinese: String,
    /// The values that would do, when they can be counted.
    pub allowed: Vec<String>,
}

impl Invalid {
    /// A mistake called `code`, explained by `message`.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        let (code, message) = (code.to_owned(), message.into());
        Self { code, message, chinese: String::new(), allowed: Vec::new() }
    }

    /// Says it in Chinese as well.
    #[must_use]
    pub fn in_chinese(self, message: impl Into<String>) -> Self {
        Self { chinese: message.into(), ..self }
    }

    /// Names the values that would do.
    #[must_use]
    pub fn allowing(self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { allowed: values.into_iter().map(Into::into).collect(), ..self }
    }

    /// Another word than those that are `known`.
    pub fn unknown_value(known: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let known: Vec<String> = known.into_iter().map(Into::into).collect();
        let listed = known.join(", ");
        Self::new("unknown_value", format!("expected one of: {listed}"))
            .in_chinese(format!("应为以下之一：{listed}"))
            .allowing(known)
    }

    /// The mistake in a sentence of the reader's language.
    pub fn says(&self, locale: Locale) -> &str {
        match locale {
            Locale::Chinese if !self.chinese.is_empty() => &self.chinese,
            Locale::Chinese | Locale::English => &self.message,
        }
    }

    /// Reads back what a parser passed on; `None` when the text is the parser's own.
    pub fn from_message(text: &str) -> Option<Self> {
        let mut parts = text.split(SEPARATOR);
        let (code, message) = (parts.next()?, parts.next()?);
        let chinese = parts.next().unwrap_or_default();
        Some(Self::new(code, message).in_chinese(chinese).allowing(parts))
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}{}{SEPARATOR}{}", self.code, self.message, self.chinese)?;
        self.allowed.iter().try_for_each(|value| write!(f, "{SEPARATOR}{value}"))
    }
}

impl std::error::Error for Invalid {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_survives_a_parser() {
        let mistake = Invalid::new("too_long", "at most 200 characters");
        assert_eq!(Invalid::from_message(&mistake.to_string()), Some(mistake.clone()));
        let counted = mistake.in_chinese("最多 200 个字符").allowing(["a", "b"]);
        assert_eq!(Invalid::from_message(&counted.to_string()), Some(counted));
        assert_eq!(Invalid::from_message("expected a string"), None);
    }

    #[test]
    fn a_mistake_is_said_in_the_readers_language_as_far_as_we_can() {
        let mistake = Invalid::new("blank", "expected some text");
        assert_eq!(mistake.says(Locale::Chinese), "expected some text");
        let mistake = mistake.in_chinese("此处应填写文字");
        assert_eq!(mistake.says(Locale::Chinese), "此处应填写文字");
        assert_eq!(mistake.says(Locale::English), "expected some text");
    }
}
