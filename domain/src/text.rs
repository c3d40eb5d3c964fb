//! Texts with a length and an alphabet, so that whatever is stored was looked at once.

use crate::invalid::Invalid;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::{borrow::Cow, fmt, ops::Deref, str::FromStr};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// What a text may be made of.
#[derive(Debug, Clone, Copy)]
enum Alphabet {
    /// One line: everything but control characters.
    Line,
    /// Several lines: line feeds and tabs as well.
    Lines,
    /// Lower-case letters, digits, hyphen and underscore, beginning with a letter or digit.
    Code,
    /// Visible ASCII, as other systems' keys are.
    Key,
    /// What can be printed on one line, in any script, as other systems' names are.
    Printable,
    /// Digits with an optional plus in front (E.164).
    Phone,
    /// An address with one `@`.
    Email,
}

impl Alphabet {
    fn accepts(self, text: &str) -> bool {
        match self {
            Self::Line => !text.chars().any(char::is_control) && text.trim() == text,
            Self::Lines => !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'),
            Self::Code => {
                text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_'))
                    && !text.starts_with(['-', '_'])
            }
            Self::Key => text.chars().all(|c| c.is_ascii_graphic()),
            Self::Printable => text.trim() == text && !text.chars().any(is_invisible),
            Self::Phone => {
                let digits = text.strip_prefix('+').unwrap_or(text);
                digits.len() >= 5 && digits.chars().all(|c| c.is_ascii_digit())
            }
            Self::Email => text.split_once('@').is_some_and(|(local, host)| {
                !local.is_empty()
                    && host.contains('.')
                    && !host.contains('@')
                    && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
            }),
        }
    }

    /// The same as a regular expression.
    fn pattern(self) -> &'static str {
        match self {
            Self::Line => ONE_LINE,
            Self::Lines => SOME_LINES,
            Self::Printable => PRINTABLE,
            Self::Code => "^[a-z0-9][a-z0-9_-]*$",
            Self::Key => "^[!-~]+$",
            Self::Phone => r"^\+?[0-9]{5,}$",
            Self::Email => MAIL_ADDRESS,
        }
    }

    fn expected(self) -> Bilingual {
        let (en, zh) = match self {
            Self::Line => (
                "one line without control characters or outer spaces",
                "一行文字，不含控制字符，首尾没有空格",
            ),
            Self::Lines => ("text without control characters", "不含控制字符的文字"),
            Self::Code => (
                "lower-case letters, digits, hyphens and underscores",
                "小写字母、数字、连字符和下划线",
            ),
            Self::Key => ("visible ASCII characters without spaces", "可见的 ASCII 字符，不含空格"),
            Self::Printable => {
                ("printable characters without outer spaces", "可见字符，首尾没有空格")
            }
            Self::Phone => (
                "a telephone number of digits, with + and the country in front",
                "由数字组成的电话号码，最好以 + 和国家代码开头",
            ),
            Self::Email => ("a mail address", "电子邮箱地址"),
        };
        Bilingual { en, zh }
    }
}

/// No control characters, and at both ends something that shows.
const ONE_LINE: &str = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$";

/// No control characters but line feeds and tabs, and somewhere something that shows.
const SOME_LINES: &str =
    r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x08\x0b-\x1f\x7f-\x9f]*$";

/// One line without what [`is_invisible`] finds.
const PRINTABLE: &str = r"^[^\s\x00-\x1f\x7f-\x9f\xad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]([^\x00-\x1f\x7f-\x9f\xad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]*[^\s\x00-\x1f\x7f-\x9f\xad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb])?$";

/// One `@`, a dot somewhere behind it, and nothing that does not show.
const MAIL_ADDRESS: &str =
    r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]*\.[^@\s\x00-\x1f\x7f-\x9f]*$";

/// Characters that do not show: two names that differ in them look the same.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

fn check(text: &str, most: usize, alphabet: Alphabet) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new("blank", "expected some text").in_chinese("应填写文字"));
    }
    if text.chars().count() > most {
        let message = format!("expected at most {most} characters");
        return Err(Invalid::new("too_long", message).in_chinese(format!("最多 {most} 个字符")));
    }
    if matches!(alphabet, Alphabet::Printable) && text.len() > most {
        let message = format!("expected at most {most} bytes of UTF-8");
        return Err(
            Invalid::new("too_long", message).in_chinese(format!("按 UTF-8 计最多 {most} 字节"))
        );
    }
    if !alphabet.accepts(text) {
        let Bilingual { en, zh } = alphabet.expected();
        return Err(
            Invalid::new("malformed", format!("expected {en}")).in_chinese(format!("应为{zh}"))
        );
    }
    Ok(())
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $alphabet:ident, $most:literal, $says:literal, $example:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks a text.
            ///
            /// # Errors
            ///
            /// `blank`, `too_long` or `malformed`.
            pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
                let text = text.into();
                check(&text, $most, Alphabet::$alphabet).map(|()| Self(text))
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length(Some(1))
                    .max_length(Some($most))
                    .pattern(Some(Alphabet::$alphabet.pattern()))
                    .description(Some($says))
                    .examples([$example])
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

texts! {
    /// What something or somebody is called.
    Name = Line, 200, "What something or somebody is called.", "碧水 Clearwater";
    /// A short sentence.
    Line = Line, 500, "A sentence.", "The filter housing leaks.";
    /// Several sentences.
    Prose = Lines, 4_000, "A text of several lines.", "The water tastes of chlorine since Monday.";
    /// A name for programs, such as a dealer's or a procedure's.
    Code = Code, 64, "A name for programs: lower-case letters, digits, `-` and `_`.", "hangzhou-01";
    /// A brand's name in addresses and on the command line.
    Slug = Code, 40, "A name for addresses: lower-case letters, digits, `-` and `_`.", "clearwater";
    /// The name another system gave to a record.
    ExternalId = Printable, 128, "The name another system gave to the record: at most 128 bytes of UTF-8.", "erp-100234";
    /// The number by which people call a record on the telephone.
    SpokenNumber = Key, 40, "The number by which people call the record.", "C-000123";
    /// A stock-keeping unit.
    Sku = Key, 64, "A stock-keeping unit.", "RO-600G";
    /// A telephone number.
    Phone = Phone, 20, "A telephone number, best with + and the country in front (E.164).", "+8613800000000";
    /// A mail address.
    Email = Email, 254, "A mail address.", "li.na@example.com";
    /// The system a record was pushed from.
    Source = Code, 64, "The system the record was pushed from; its external id is unique there.", "erp";
}

impl Default for Source {
    /// What is pushed without naming its system comes from the API itself.
    fn default() -> Self {
        Self("api".to_owned())
    }
}

impl From<&ExternalId> for Name {
    /// Another system's name stands in until the real one is known.
    fn from(id: &ExternalId) -> Self {
        Self(id.0.clone())
    }
}

/// A language that customers and problems are spoken to in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, ToSchema,
)]
pub enum Locale {
    /// Simplified Chinese.
    #[default]
    #[serde(rename = "zh-CN")]
    Chinese,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Locale {
    /// The language tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }
}

/// The same text in both languages of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bilingual {
    /// English.
    pub en: &'static str,
    /// Simplified Chinese.
    pub zh: &'static str,
}

impl Bilingual {
    /// The text in `locale`.
    pub fn get(self, locale: Locale) -> &'static str {
        match locale {
            Locale::Chinese => self.zh,
            Locale::English => self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_of_at_most_200_characters() {
        assert!(Name::new("李娜").is_ok());
        assert!(Name::new("字".repeat(200)).is_ok());
        assert_eq!(Name::new("字".repeat(201)).unwrap_err().code, "too_long");
        assert_eq!(Name::new(" ").unwrap_err().code, "blank");
        assert_eq!(Name::new("two\nlines").unwrap_err().code, "malformed");
        assert_eq!(Name::new("nul\0").unwrap_err().code, "malformed");
    }

    #[test]
    fn a_code_is_made_for_programs() {
        assert!(Code::new("hangzhou-01").is_ok());
        for text in ["Hangzhou", "-a", "a b", "杭州"] {
            assert_eq!(Code::new(text).unwrap_err().code, "malformed", "{text}");
        }
    }

    #[test]
    fn another_systems_name_is_printable_in_any_script() {
        assert!(ExternalId::new("订单-1").is_ok());
        assert!(ExternalId::new("Auftrag 7/ä").is_ok());
        assert!(ExternalId::new("字".repeat(42)).is_ok());
        assert_eq!(ExternalId::new("字".repeat(43)).unwrap_err().code, "too_long");
        for text in ["a\u{200b}", "\u{202e}a", " a", "a\u{3000}", "a\nb", "a\0"] {
            assert_eq!(ExternalId::new(text).unwrap_err().code, "malformed", "{text:?}");
        }
    }

    #[test]
    fn phones_and_mail_addresses_look_like_it() {
        assert!(Phone::new("+8613800000000").is_ok());
        assert!(Phone::new("138-0000").is_err());
        assert!(Email::new("li.na@example.com").is_ok());
        assert!(Email::new("li.na@example").is_err());
        assert!(Email::new("a@b@c.d").is_err());
    }
}
