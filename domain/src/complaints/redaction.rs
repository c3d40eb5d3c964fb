//! Redaction: what others read of a complaint says nothing of a person.
//!
//! Whatever looks like a number, an address or a name of somebody's is masked, rather too much than too little: the
//! text as it was written stays with those who answer.

use crate::text::{Line, Name};
use regex::{Captures, Regex};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use utoipa::ToSchema;

/// What stands where something was masked.
pub const MASK: &str = "***";

/// The most addresses of a customer that are looked for: more than anybody has things that we serve.
pub const MOST_ADDRESSES: usize = 50;

/// The shortest part of an address that is looked for by itself, in characters: shorter ones are in many sentences.
const LEAST_PART_CHARS: usize = 4;

/// What was masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RedactionKind {
    /// A mail address.
    Email,
    /// An address of the customer's.
    Address,
    /// The name of a WeChat account.
    Wechat,
    /// The number of an identity card.
    IdNumber,
    /// The number of a bank card.
    BankCard,
    /// A telephone number: Chinese mobile or landline, a service line, or one with its country.
    Phone,
    /// The number plate of a car.
    Plate,
    /// The customer's name.
    Name,
}

/// How often something was masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"kind": "phone", "count": 1})))]
pub struct Redaction {
    /// What was masked.
    pub kind: RedactionKind,
    /// How often.
    #[schema(minimum = 1)]
    pub count: u32,
}

/// A text that others may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// What others read.
    pub text: String,
    /// What was masked in it, each kind once.
    pub redactions: Vec<Redaction>,
}

/// What is known of a customer that nobody else should read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonalWords {
    names: Vec<String>,
    addresses: Vec<String>,
}

impl PersonalWords {
    /// The name and the addresses of a customer, as they are written down here.
    pub fn of(name: &Name, addresses: &[Line]) -> Self {
        let mut names = vec![name.to_string()];
        names.extend(titles(name));
        let whole = addresses.iter().take(MOST_ADDRESSES).map(ToString::to_string);
        let addresses = whole.flat_map(|address| {
            let part = part_of(&address);
            [Some(address), part]
        });
        Self { names, addresses: addresses.flatten().collect() }
    }

    /// Masks what says who the customer is, or how to reach anybody.
    pub fn redact(&self, text: &str) -> Redacted {
        let mut work = Masking { text: narrowed(text), redactions: Vec::new() };
        // Without the patterns nothing is known to be safe.
        let Some(patterns) = &*PATTERNS else {
            return Redacted { text: MASK.to_owned(), redactions: Vec::new() };
        };
        work.mask(RedactionKind::Email, &patterns.email, |_| true);
        for address in &self.addresses {
            work.mask_words(RedactionKind::Address, address);
        }
        work.mask(RedactionKind::Wechat, &patterns.wechat, is_account);
        work.mask(RedactionKind::IdNumber, &patterns.id_number, |_| true);
        work.mask(RedactionKind::BankCard, &patterns.bank_card, |_| true);
        work.mask(RedactionKind::Phone, &patterns.phone, |_| true);
        work.mask(RedactionKind::Plate, &patterns.plate, |_| true);
        for name in &self.names {
            work.mask_words(RedactionKind::Name, name);
        }
        Redacted { text: work.text, redactions: work.redactions }
    }
}

/// What is looked for whoever wrote it. What is masked is the group `it`.
struct Patterns {
    email: Regex,
    wechat: Regex,
    id_number: Regex,
    bank_card: Regex,
    phone: Regex,
    plate: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    Some(Patterns {
        email: Regex::new(r"(?P<it>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)").ok()?,
        wechat: Regex::new(
            r"(?i)(?:微信|薇信|威信|wechat|weixin|(?:^|[^a-z])(?:vx|wx))(?P<says>\s*(?:id|号|帐号|账号|是|为|[:：])*)\s*(?P<it>[a-z][-_a-z0-9]{5,19})",
        )
        .ok()?,
        id_number: Regex::new(
            r"(?P<it>[1-9][0-9]{5}[ -]?(?:(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[ -]?[0-9]{3}[0-9Xx]|[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[ -]?[0-9]{3}))",
        )
        .ok()?,
        bank_card: Regex::new(r"(?P<it>[0-9]{4}(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{1,3})?)").ok()?,
        phone: Regex::new(
            r"(?P<it>(?:(?:\+|00)?86[ -]?)?1[3-9][0-9](?:[ .-]?[0-9]){8}|\(?0[1-9][0-9]{1,2}\)?[ -]?[2-9][0-9]{2,3}[ -]?[0-9]{4}(?:(?:-|转| 转 ?|分机)[0-9]{1,6})?|[48]00[ -]?[0-9]{3}[ -]?[0-9]{4}|[48]00[ -]?[0-9]{4}[ -]?[0-9]{3}|(?:\+|00)[1-9](?:[ .()-]{0,2}[0-9]){6,14}|(?:电话|座机|手机|tel|phone)[:： ]*[2-9][0-9]{2,3}[ -]?[0-9]{4})",
        )
        .ok()?,
        plate: Regex::new(
            r"(?i)(?P<it>[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-HJ-NP-Z][ ·•.-]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳])",
        )
        .ok()?,
    })
});

/// After the bare word a name of an account has something else than letters: `WeChat payment` is none.
fn is_account(found: &Captures<'_>) -> bool {
    let says = found.name("says").is_some_and(|says| !says.as_str().trim().is_empty());
    let is_word = |it: regex::Match<'_>| it.as_str().chars().all(char::is_alphabetic);
    says || !found.name("it").is_some_and(is_word)
}

/// The text with the wide forms of digits, letters and of what stands between them made narrow.
fn narrowed(text: &str) -> String {
    let narrow = |wide: char| match wide {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '＠' | '＋' | '－' | '．' => {
            u32::from(wide).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(wide)
        }
        other => other,
    };
    text.chars().map(narrow).collect()
}

/// How people call somebody by the family name: the first character of a Chinese name, with a title.
fn titles(name: &str) -> Vec<String> {
    let mut chars = name.chars();
    let (Some(first), Some(_)) = (chars.next(), chars.next()) else { return Vec::new() };
    if first.is_ascii() {
        return Vec::new();
    }
    ["先生", "女士", "小姐", "太太", "阿姨", "师傅", "总"]
        .iter()
        .map(|title| format!("{first}{title}"))
        .collect()
}

/// The street and the number of an address, as people write it who say nothing of the city.
fn part_of(address: &str) -> Option<String> {
    let behind = |(at, one): (usize, char)| address.get(at.saturating_add(one.len_utf8())..);
    let chinese = address.char_indices().filter(|(_, one)| "省市区县镇".contains(*one)).last();
    let part = match chinese {
        Some(last) => behind(last)?,
        None => address.split(',').next()?,
    };
    let part = part.trim();
    (part != address && part.chars().count() >= LEAST_PART_CHARS).then(|| part.to_owned())
}

/// A text from which something is taken.
struct Masking {
    text: String,
    redactions: Vec<Redaction>,
}

impl Masking {
    /// Masks what `pattern` finds and `is_meant` agrees to, where it is not a part of a longer word or number.
    fn mask(
        &mut self,
        kind: RedactionKind,
        pattern: &Regex,
        is_meant: impl Fn(&Captures<'_>) -> bool,
    ) {
        let (mut masked, mut done, mut from, mut count) = (String::new(), 0, 0, 0_u32);
        // Each pass goes at least one character on.
        while let Some(found) = pattern.captures_at(&self.text, from) {
            let Some(it) = found.name("it") else { break };
            if is_meant(&found) && self.stands_alone(it.start(), it.end()) {
                masked.push_str(self.text.get(done..it.start()).unwrap_or_default());
                masked.push_str(MASK);
                (done, from) = (it.end(), it.end());
                count = count.saturating_add(1);
            } else {
                let next = self.text.get(it.start()..).and_then(|rest| rest.chars().next());
                from = it.start().saturating_add(next.map_or(1, char::len_utf8));
            }
        }
        masked.push_str(self.text.get(done..).unwrap_or_default());
        self.text = masked;
        self.note(kind, count);
    }

    /// Masks words that are known, however they are spaced and whether in capital letters or not.
    fn mask_words(&mut self, kind: RedactionKind, words: &str) {
        let chars: Vec<_> = narrowed(words).chars().filter(|one| !one.is_whitespace()).collect();
        if chars.len() < 2 {
            return;
        }
        let spaced: Vec<_> = chars.iter().map(|one| regex::escape(&one.to_string())).collect();
        let pattern = format!("(?i)(?P<it>{})", spaced.join(r"\s*"));
        if let Ok(pattern) = Regex::new(&pattern) {
            self.mask(kind, &pattern, |_| true);
        }
    }

    /// Whether what stands there is whole: `Li` is no name within `Lime`, and four digits no card within forty.
    fn stands_alone(&self, start: usize, end: usize) -> bool {
        let (before, it, after) =
            (self.text.get(..start), self.text.get(start..end), self.text.get(end..));
        let last = |text: Option<&str>| text.and_then(|text| text.chars().next_back());
        let first = |text: Option<&str>| text.and_then(|text| text.chars().next());
        let goes_on = |one: Option<char>, next: Option<char>| {
            one.zip(next).is_some_and(|(one, next)| {
                one.is_ascii_digit() && next.is_ascii_digit()
                    || one.is_ascii_alphabetic() && next.is_ascii_alphabetic()
            })
        };
        !goes_on(last(before), first(it)) && !goes_on(last(it), first(after))
    }

    fn note(&mut self, kind: RedactionKind, count: u32) {
        if count == 0 {
            return;
        }
        match self.redactions.iter_mut().find(|one| one.kind == kind) {
            Some(noted) => noted.count = noted.count.saturating_add(count),
            None => self.redactions.push(Redaction { kind, count }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn li_na() -> PersonalWords {
        let address = Line::new("杭州市西湖区文三路 1 号 2 幢").unwrap();
        PersonalWords::of(&Name::new("李娜").unwrap(), &[address])
    }

    fn masked(text: &str) -> String {
        li_na().redact(text).text
    }

    fn kinds(text: &str) -> Vec<(RedactionKind, u32)> {
        li_na().redact(text).redactions.iter().map(|one| (one.kind, one.count)).collect()
    }

    #[test]
    fn whatever_reaches_somebody_is_masked() {
        use RedactionKind::{Address, BankCard, Email, IdNumber, Name, Phone, Plate, Wechat};
        for (text, kind) in [
            ("13800138000", Phone),
            ("138 0013 8000", Phone),
            ("138-0013-8000", Phone),
            ("+86 13800138000", Phone),
            ("008613800138000", Phone),
            ("１３８００１３８０００", Phone),
            ("0571-88886666", Phone),
            ("(010) 8888 6666", Phone),
            ("057188886666转123", Phone),
            ("400 820 0000", Phone),
            ("400-8200-000", Phone),
            ("+44 20 7946 0958", Phone),
            ("+1 (415) 555-2671", Phone),
            ("li.na+filter@example.com.cn", Email),
            ("lina＠example．com", Email),
            ("11010519491231002X", IdNumber),
            ("110105 19491231 0021", IdNumber),
            ("110105491231002", IdNumber),
            ("6222 0212 3456 7890", BankCard),
            ("6222021234567890123", BankCard),
            ("浙A12345", Plate),
            ("沪A·D12345", Plate),
            ("粤B1234学", Plate),
            ("李娜", Name),
            ("李 娜", Name),
            ("李女士", Name),
            ("文三路1号2幢", Address),
            ("杭州市西湖区文三路 1 号 2 幢", Address),
        ] {
            assert_eq!(masked(&format!("联系我：{text}，谢谢")), "联系我：***，谢谢", "{text}");
            assert_eq!(kinds(text), [(kind, 1)], "{text}");
        }
        for text in ["微信号 lina2020", "微信：li-na_1", "wechat: lisisi", "加vx lina2020"] {
            assert_eq!(kinds(text), [(Wechat, 1)], "{text}");
            assert!(masked(text).ends_with(MASK), "{text}");
        }
    }

    #[test]
    fn what_reaches_nobody_is_left() {
        for text in [
            "投诉编号 C-000123，2026-11-22 09:30 上门",
            "退款 299.00 元，已等待 15 天",
            "型号 RO-1000，共 12345678 台",
            "订单 20261122000123",
            "wechat payment failed",
            "The filter leaks since 2026.",
            "12345678901234567890123",
        ] {
            assert_eq!(masked(text), text);
            assert_eq!(kinds(text), []);
        }
    }

    #[test]
    fn two_numbers_side_by_side_are_two() {
        let text = "13800138000 13900139000、li@x.cn";
        assert_eq!(masked(text), "*** ***、***");
        assert_eq!(kinds(text), [(RedactionKind::Email, 1), (RedactionKind::Phone, 2)]);
    }

    #[test]
    fn a_name_is_a_word_and_no_part_of_one() {
        let ann = PersonalWords::of(&Name::new("Ann Li").unwrap(), &[]);
        assert_eq!(
            ann.redact("ANN LI wrote; Joann Lime did not.").text,
            "*** wrote; Joann Lime did not."
        );
        let one = PersonalWords::of(&Name::new("李").unwrap(), &[]);
        assert_eq!(one.redact("李子熟了").text, "李子熟了");
    }

    #[test]
    fn the_patterns_can_be_read() {
        assert!(PATTERNS.is_some());
    }
}
