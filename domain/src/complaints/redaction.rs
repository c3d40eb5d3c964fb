//! Redaction: what others read of a complaint says nothing of a person.
//!
//! Whatever looks like a number, an address or a name of somebody's is masked, rather too much than too little: the
//! text as it was written stays with those who answer.

use crate::text::{Line, Name, Phone};
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

/// The shortest end of the customer's telephone number that is looked for, and the one before: as people say it without
/// what stands in front of all numbers of a town.
const ENDS_OF_PHONES: [usize; 2] = [8, 7];

/// The shortest word of a Latin name that is looked for by itself, in letters: shorter ones are in many sentences.
const LEAST_WORD_CHARS: usize = 3;

/// Family names of two characters that people have; all others have one.
const COMPOUND_SURNAMES: [&str; 20] = [
    "欧阳", "司马", "上官", "诸葛", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒", "司空",
    "东方", "独孤", "南宫", "长孙", "宇文", "端木", "轩辕", "百里",
];

/// What people write between the digits of a number.
const BETWEEN: &str = r"[ .\-\u{2010}-\u{2015}\u{2212}]{0,3}";

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
    /// The number of a QQ account.
    Qq,
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
    phones: Vec<String>,
    addresses: Vec<String>,
}

impl PersonalWords {
    /// The name, the telephone number and the addresses of a customer, as they are written down here.
    pub fn of(name: &Name, phone: Option<&Phone>, addresses: &[Line]) -> Self {
        let mut names = vec![name.to_string()];
        names.extend(titles(name));
        names.extend(latin_words(name));
        let phones = phone.map(|phone| ends_of(phone)).unwrap_or_default();
        let known = addresses.iter().take(MOST_ADDRESSES);
        let mut addresses: Vec<_> = known.flat_map(|address| parts_of(address)).collect();
        // What is longer is looked for first: behind a part of it the rest would stay.
        addresses.sort_by_key(|part| std::cmp::Reverse(part.chars().count()));
        addresses.dedup();
        Self { names, phones, addresses }
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
        work.mask(RedactionKind::Qq, &patterns.qq, |_| true);
        work.mask(RedactionKind::IdNumber, &patterns.id_number, |_| true);
        work.mask(RedactionKind::BankCard, &patterns.bank_card, |_| true);
        work.mask(RedactionKind::Phone, &patterns.phone, |_| true);
        for phone in &self.phones {
            work.mask_words(RedactionKind::Phone, phone);
        }
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
    qq: Regex,
    id_number: Regex,
    bank_card: Regex,
    phone: Regex,
    plate: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let with_between = |pattern: &str| Regex::new(&pattern.replace('~', BETWEEN)).ok();
    Some(Patterns {
        email: Regex::new(r"(?P<it>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)").ok()?,
        wechat: Regex::new(
            r"(?i)(?:微信|薇信|威信|v信|加v|wechat|weixin|(?:^|[^a-z])(?:vx|wx))(?P<says>\s*(?:id|号|帐号|账号|是|为|[:：])*)\s*(?P<it>[a-z][-_a-z0-9]{5,19})",
        )
        .ok()?,
        qq: Regex::new(r"(?i)(?:^|[^a-z])qq(?:号码|号|群|是|为|[:： ])*(?P<it>[1-9][0-9]{4,10})")
            .ok()?,
        id_number: with_between(
            r"(?P<it>[1-9][0-9]{5}~(?:(?:18|19|20)[0-9]{2}~(?:0[1-9]|1[0-2])~(?:0[1-9]|[12][0-9]|3[01])~[0-9]{3}~[0-9Xx]|[0-9]{2}~(?:0[1-9]|1[0-2])~(?:0[1-9]|[12][0-9]|3[01])~[0-9]{3}))",
        )?,
        bank_card: with_between(r"(?P<it>[0-9]{4}(?:~[0-9]{4}){3}(?:~[0-9]{1,3})?)")?,
        phone: with_between(
            r"(?P<it>[(（]?(?:(?:\+|00)?86[)）]?~)?1[3-9][0-9](?:~[0-9]){8}|[(（]?0[1-9][0-9]{1,2}[)）]?~[2-9][0-9]{2,3}~[0-9]{4}(?:(?:-|转| 转 ?|分机)[0-9]{1,6})?|[48]00~[0-9]{3}~[0-9]{4}|[48]00~[0-9]{4}~[0-9]{3}|(?:\+|00)[1-9](?:[ .()（）-]{0,3}[0-9]){6,14}|(?:电话|座机|手机|tel|phone)[:： ]*[2-9][0-9]{2,3}~[0-9]{4})",
        )?,
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

/// The text with the wide forms of digits, letters and of what stands between them made narrow, every space the usual
/// one, and without what nobody sees.
fn narrowed(text: &str) -> String {
    let narrow = |wide: char| match wide {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '＠' | '＋' | '－' | '．' => {
            u32::from(wide).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(wide)
        }
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        other => other,
    };
    let is_seen =
        |one: &char| !matches!(one, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    text.chars().filter(is_seen).map(narrow).collect()
}

/// How people call somebody by the family name, with a title: the first character of a Chinese name, or the first two.
fn titles(name: &str) -> Vec<String> {
    let is_compound = COMPOUND_SURNAMES.iter().any(|surname| name.starts_with(surname));
    let length = if is_compound { 2 } else { 1 };
    let surname: String = name.chars().take(length).collect();
    if surname.is_ascii() || name.chars().count() < 2 {
        return Vec::new();
    }
    ["先生", "女士", "小姐", "太太", "阿姨", "师傅", "总"]
        .iter()
        .map(|title| format!("{surname}{title}"))
        .collect()
}

/// The words of a name in Latin letters, by each of which somebody is called.
fn latin_words(name: &str) -> Vec<String> {
    let words = name.split(|one: char| !one.is_ascii_alphabetic());
    words.filter(|word| word.len() >= LEAST_WORD_CHARS).map(str::to_owned).collect()
}

/// A telephone number as people write it who say nothing of the country, and its ends.
fn ends_of(phone: &str) -> Vec<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let end = |length: usize| {
        let from = digits.len().checked_sub(length)?;
        digits.get(from..).map(str::to_owned)
    };
    let ends = ENDS_OF_PHONES.into_iter().filter_map(end).collect::<Vec<_>>();
    std::iter::once(digits.clone()).chain(ends).collect()
}

/// An address, and what of it people write who say nothing of the city or of the flat.
fn parts_of(address: &str) -> Vec<String> {
    let mut parts = vec![address.to_owned()];
    // A housing estate or a campus is no district, but sometimes the name of one.
    for estates in ["小社园校", ""] {
        let street = street_of(address, estates).trim();
        parts.push(street.to_owned());
        for (at, one) in street.char_indices() {
            let until = at.saturating_add(one.len_utf8());
            let part = street.get(..until).unwrap_or_default();
            if part.ends_with("小区") || "号弄幢栋".contains(one) {
                parts.push(part.to_owned());
            }
        }
    }
    let is_telling = |part: &String| {
        let length = part.chars().filter(|one| !one.is_whitespace()).count();
        length >= LEAST_PART_CHARS || part == address
    };
    parts.into_iter().filter(is_telling).collect()
}

/// The street of an address with all that follows, behind the city and the district; no district is what one of
/// `estates` stands in front of.
fn street_of<'a>(address: &'a str, estates: &str) -> &'a str {
    let (mut before, mut behind) = (None, None);
    for (at, one) in address.char_indices() {
        let is_estate = one == '区' && before.is_some_and(|before| estates.contains(before));
        if "省市区县镇".contains(one) && !is_estate {
            behind = address.get(at.saturating_add(one.len_utf8())..);
        }
        before = Some(one);
    }
    behind.or_else(|| address.split(',').next()).unwrap_or(address)
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
            let whole = if self.stands_alone(it.start(), it.end()) {
                is_meant(&found).then_some(it.end())
            } else {
                self.end_of_shorter(pattern, &found, &is_meant)
            };
            if let Some(end) = whole {
                masked.push_str(self.text.get(done..it.start()).unwrap_or_default());
                masked.push_str(MASK);
                (done, from) = (end, end);
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

    /// Where the longest beginning of what was found ends that stands alone and is found by itself: what follows a number
    /// behind a space may be another one, of which the pattern has taken the first digits.
    fn end_of_shorter(
        &self,
        pattern: &Regex,
        found: &Captures<'_>,
        is_meant: &impl Fn(&Captures<'_>) -> bool,
    ) -> Option<usize> {
        let it = found.name("it")?;
        let from = found.get(0)?.start();
        let ends = it.as_str().char_indices().rev().map(|(at, _)| it.start().saturating_add(at));
        ends.filter(|end| *end > it.start() && self.stands_alone(it.start(), *end)).find(|end| {
            let shorter = self.text.get(..*end).and_then(|text| pattern.captures_at(text, from));
            shorter.is_some_and(|shorter| {
                let is_same =
                    |one: regex::Match<'_>| one.start() == it.start() && one.end() == *end;
                shorter.name("it").is_some_and(is_same) && is_meant(&shorter)
            })
        })
    }

    /// Masks words that are known, however they are spaced and whether in capital letters or not.
    fn mask_words(&mut self, kind: RedactionKind, words: &str) {
        let chars: Vec<_> = narrowed(words).chars().filter(|one| !one.is_whitespace()).collect();
        if chars.len() < 2 {
            return;
        }
        let spaced: Vec<_> = chars.iter().map(|one| regex::escape(&one.to_string())).collect();
        let is_number = chars.iter().all(char::is_ascii_digit);
        let between = if is_number { BETWEEN } else { r"\s*" };
        let pattern = format!("(?i)(?P<it>{})", spaced.join(between));
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
        let phone = Phone::new("+8613800138000").unwrap();
        PersonalWords::of(&Name::new("李娜").unwrap(), Some(&phone), &[address])
    }

    fn masked(text: &str) -> String {
        li_na().redact(text).text
    }

    fn kinds(text: &str) -> Vec<(RedactionKind, u32)> {
        li_na().redact(text).redactions.iter().map(|one| (one.kind, one.count)).collect()
    }

    #[test]
    fn whatever_reaches_somebody_is_masked() {
        use RedactionKind::{Address, BankCard, Email, IdNumber, Name, Phone, Plate, Qq, Wechat};
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
            ("（0571）8888　6666", Phone),
            ("138—0013—8000", Phone),
            ("138\u{a0}0013\u{a0}8000", Phone),
            ("138 - 0013 - 8000", Phone),
            ("138\u{200b}00138000", Phone),
            ("400 - 820 - 0000", Phone),
            ("0013 8000", Phone),
            ("0138000", Phone),
            ("+1 (415) 555-2671", Phone),
            ("li.na+filter@example.com.cn", Email),
            ("lina＠example．com", Email),
            ("11010519491231002X", IdNumber),
            ("110105 19491231 0021", IdNumber),
            ("110105491231002", IdNumber),
            ("6222 0212 3456 7890", BankCard),
            ("6222021234567890123", BankCard),
            ("6222 - 0212 - 3456 - 7890", BankCard),
            ("110105 - 1949 1231 - 002X", IdNumber),
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
        for text in [
            "微信号 lina2020",
            "微信：li-na_1",
            "wechat: lisisi",
            "加vx lina2020",
            "V信lina2020",
            "加V：lisisi",
        ] {
            assert_eq!(kinds(text), [(Wechat, 1)], "{text}");
            assert!(masked(text).ends_with(MASK), "{text}");
        }
        for text in ["QQ 12345678", "qq号：1234567890", "扣扣QQ:12345", "QQ号码是 12345678901"]
        {
            assert_eq!(kinds(text), [(Qq, 1)], "{text}");
            assert!(masked(text).ends_with(MASK), "{text}");
        }
    }

    #[test]
    fn a_number_is_whole_though_another_one_follows() {
        for (text, shown) in [
            ("6222021234567890 20261122", "*** 20261122"),
            ("6222 0212 3456 7890 20261122", "*** 20261122"),
            ("+1 415 555 2671 20261122", "*** 20261122"),
            ("057188886666转1234567", "***转1234567"),
        ] {
            assert_eq!(masked(text), shown, "{text}");
        }
    }

    #[test]
    fn what_people_write_of_an_address_is_masked() {
        for (address, text) in [
            ("杭州市西湖区翠苑小区3幢501", "翠苑小区3幢501"),
            ("杭州市西湖区翠苑小区3幢501", "翠苑小区3幢"),
            ("杭州市西湖区翠苑小区3幢501", "翠苑小区"),
            ("上海市浦东新区张江社区 12 弄 3 号", "张江社区12弄"),
            ("苏州市工业园区星湖街 328 号 5 栋", "星湖街328号"),
            ("文三路 1 号 2 幢", "文三路1号"),
        ] {
            let address = Line::new(address).unwrap();
            let words = PersonalWords::of(&Name::new("李娜").unwrap(), None, &[address]);
            let told = words.redact(&format!("我住{text}，漏水。"));
            assert_eq!(told.text, "我住***，漏水。", "{text}");
        }
    }

    #[test]
    fn people_are_called_by_the_whole_family_name_or_by_one_word() {
        let ouyang = PersonalWords::of(&Name::new("欧阳娜娜").unwrap(), None, &[]);
        assert_eq!(ouyang.redact("欧阳女士说漏水").text, "***说漏水");
        let ann = PersonalWords::of(&Name::new("Mary-Ann Li").unwrap(), None, &[]);
        assert_eq!(ann.redact("Dear Mary, Ann and Annie").text, "Dear ***, *** and Annie");
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
        let ann = PersonalWords::of(&Name::new("Ann Li").unwrap(), None, &[]);
        assert_eq!(
            ann.redact("ANN LI wrote; Joann Lime did not.").text,
            "*** wrote; Joann Lime did not."
        );
        let one = PersonalWords::of(&Name::new("李").unwrap(), None, &[]);
        assert_eq!(one.redact("李子熟了").text, "李子熟了");
    }

    #[test]
    fn the_patterns_can_be_read() {
        assert!(PATTERNS.is_some());
    }
}
