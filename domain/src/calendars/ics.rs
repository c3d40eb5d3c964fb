//! Days as a file of iCalendar (RFC 5545): read as other programs write it, and written so that they can read it.
//!
//! Read line by line and without recursion, because a file comes from anywhere; what is wrong is pointed at by its line.

use super::{
    CalendarException, DatedException, ExceptionKind, MOST_IMPORTED,
    rules::{ICS_NOT_ALL_DAY, ICS_RECURS, ICS_UNREADABLE, TOO_MANY_EXCEPTIONS},
};
use crate::{
    refusal::Refusal,
    text::Line,
    time::{CivilDate, Timestamp},
};
use chrono::{DateTime, NaiveDate, Utc};

/// How a summary ends where the day is worked, as calendars in China mark make-up workdays.
const WORKED: [&str; 4] = ["（班）", "(班)", "补班", "上班"];
/// The category that says the same, whatever the summary is.
const WORKDAY: &str = "WORKDAY";
/// The category that says the contrary.
const HOLIDAY: &str = "HOLIDAY";
/// What makes one event several.
const RECURRENCE: [&str; 5] = ["RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"];
/// How deep components stand in one another: an alarm in an event in a calendar, and some room.
const DEEPEST: usize = 8;
/// The longest line that is written, in bytes, before it is folded.
const MOST_LINE_BYTES: usize = 73;
/// The longest label.
const MOST_LABEL: usize = 500;

/// A line of the file, as it was before it was folded.
struct Property {
    line: usize,
    name: String,
    parameters: String,
    value: String,
}

/// An event, as far as it was read.
#[derive(Default)]
struct Event {
    line: usize,
    from: Option<CivilDate>,
    until: Option<CivilDate>,
    days: Option<i64>,
    summary: String,
    category: Option<ExceptionKind>,
    is_cancelled: bool,
}

/// Reads the days of a file: each event of whole days closes them, unless its summary or its category says that they are
/// worked. Cancelled events say nothing.
///
/// # Errors
///
/// `ics_unreadable`, `ics_not_all_day`, `ics_recurs`, each with its line; `too_many_exceptions`.
pub fn read(text: &str) -> Result<Vec<DatedException>, Refusal> {
    let mut days = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut event: Option<Event> = None;
    let mut last = 0;
    let mut is_over = false;
    for property in properties(text)? {
        last = property.line;
        if is_over || open.is_empty() && !property.is("BEGIN", "VCALENDAR") {
            return Err(unreadable(last, "BEGIN:VCALENDAR and END:VCALENDAR around everything"));
        }
        match property.name.as_str() {
            "BEGIN" => {
                if open.len() == DEEPEST {
                    return Err(unreadable(last, "components that are less deep"));
                }
                if open.len() == 1 && property.value == "VEVENT" {
                    event = Some(Event { line: last, ..Event::default() });
                }
                open.push(property.value);
            }
            "END" => {
                if open.pop().as_ref() != Some(&property.value) {
                    return Err(unreadable(last, "the END of what began last"));
                }
                is_over = open.is_empty();
                if open.len() == 1
                    && let Some(event) = event.take()
                {
                    event.tell(&mut days)?;
                }
            }
            _ => {
                if open.len() == 2
                    && let Some(event) = &mut event
                {
                    event.hear(&property)?;
                }
            }
        }
    }
    if is_over { Ok(days) } else { Err(unreadable(last.max(1), "END:VCALENDAR at the end")) }
}

/// The lines of the file; what was folded is one line.
fn properties(text: &str) -> Result<Vec<Property>, Refusal> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut unfolded: Vec<(usize, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix([' ', '\t']), unfolded.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            (Some(_), None) => return Err(unreadable(number, "BEGIN:VCALENDAR")),
            (None, _) if line.is_empty() => {}
            (None, _) => unfolded.push((number, line.to_owned())),
        }
    }
    unfolded.into_iter().map(|(number, line)| Property::read(number, &line)).collect()
}

impl Property {
    /// Reads `NAME;PARAMETER=VALUE:VALUE`; a colon between quotation marks ends nothing.
    fn read(line: usize, text: &str) -> Result<Self, Refusal> {
        let mut is_quoted = false;
        let colon = text.char_indices().find(|(_, c)| {
            is_quoted ^= *c == '"';
            *c == ':' && !is_quoted
        });
        let parts = colon.and_then(|(at, _)| text.split_at_checked(at));
        let (head, value) = parts.ok_or_else(|| unreadable(line, "a name, a colon and a value"))?;
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        Ok(Self {
            line,
            name: name.trim().to_ascii_uppercase(),
            parameters: parameters.to_ascii_uppercase(),
            value: value.strip_prefix(':').unwrap_or(value).trim().to_owned(),
        })
    }

    fn is(&self, name: &str, value: &str) -> bool {
        (self.name.as_str(), self.value.as_str()) == (name, value)
    }

    /// The date that it holds.
    fn date(&self) -> Result<CivilDate, Refusal> {
        let is_instant = self.value.contains(['T', 't']);
        if is_instant || self.parameters.contains("VALUE=DATE-TIME") {
            let refusal = Refusal::new(&ICS_NOT_ALL_DAY).with("property", &self.name);
            return Err(refusal.with("line", self.line));
        }
        let part = |from, to| self.value.get(from..to).unwrap_or_default();
        let rest = self.value.len().max(6);
        let date = format!("{}-{}-{}", part(0, 4), part(4, 6), part(6, rest));
        date.parse().map_err(|_| unreadable(self.line, "a date such as 20271001"))
    }

    /// Whole days, such as `P1D` and `P2W`.
    fn days(&self) -> Result<i64, Refusal> {
        let span = self.value.strip_prefix('P').unwrap_or_default();
        let (number, length) = match (span.strip_suffix('D'), span.strip_suffix('W')) {
            (Some(days), _) => (days, 1),
            (None, Some(weeks)) => (weeks, 7),
            (None, None) => ("", 1),
        };
        let days = number.parse::<u16>().ok().filter(|number| *number > 0).map(i64::from);
        let days = days.map(|number| number.saturating_mul(length));
        days.ok_or_else(|| unreadable(self.line, "whole days such as P1D"))
    }
}

impl Event {
    /// Hears one of its properties; those that say nothing about the days are passed over.
    fn hear(&mut self, property: &Property) -> Result<(), Refusal> {
        let name = property.name.as_str();
        if RECURRENCE.contains(&name) {
            let refusal = Refusal::new(&ICS_RECURS).with("property", name);
            return Err(refusal.with("line", property.line));
        }
        match name {
            "DTSTART" => self.from = Some(property.date()?),
            "DTEND" => self.until = Some(property.date()?),
            "DURATION" => self.days = Some(property.days()?),
            "SUMMARY" => self.summary = unescaped(&property.value),
            "STATUS" => self.is_cancelled = property.value.eq_ignore_ascii_case("CANCELLED"),
            "CATEGORIES" => {
                self.category = property.value.split(',').find_map(category).or(self.category);
            }
            _ => {}
        }
        Ok(())
    }

    /// Adds its days. The end is the first day after them.
    fn tell(self, days: &mut Vec<DatedException>) -> Result<(), Refusal> {
        let from = self.from.ok_or_else(|| unreadable(self.line, "an event with DTSTART"))?;
        let length = match (self.until, self.days) {
            (Some(until), _) => until.days_since(from),
            (None, Some(days)) => days,
            (None, None) => 1,
        };
        if length < 1 {
            return Err(unreadable(
                self.line,
                "an event that ends after the day on which it begins",
            ));
        }
        if self.is_cancelled {
            return Ok(());
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if days.len().saturating_add(length) > MOST_IMPORTED {
            return Err(Refusal::new(&TOO_MANY_EXCEPTIONS).with("most", MOST_IMPORTED));
        }
        let summary = self.summary.trim();
        let is_worked = WORKED.iter().any(|end| summary.ends_with(end));
        let kind = self.category.unwrap_or(if is_worked {
            ExceptionKind::Open
        } else {
            ExceptionKind::Closed
        });
        let label = label(summary);
        days.extend((0..).take(length).map(|day| DatedException {
            applies_on: from.plus_days(day),
            kind,
            intervals: None,
            label: label.clone(),
        }));
        Ok(())
    }
}

/// What a category says about the day, where it says anything.
fn category(name: &str) -> Option<ExceptionKind> {
    let is = |known| name.trim().eq_ignore_ascii_case(known);
    if is(WORKDAY) {
        return Some(ExceptionKind::Open);
    }
    is(HOLIDAY).then_some(ExceptionKind::Closed)
}

/// A summary as one line; nothing when there is none.
fn label(summary: &str) -> Option<Line> {
    let plain: String =
        summary.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_LABEL).collect();
    Line::new(plain.trim()).ok()
}

/// A text without its escapes.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (c, if c == '\\' { characters.next() } else { None }) {
            ('\\', Some('n' | 'N')) => plain.push(' '),
            ('\\', Some(escaped)) => plain.push(escaped),
            (other, _) => plain.push(other),
        }
    }
    plain
}

fn unreadable(line: usize, expected: &str) -> Refusal {
    Refusal::new(&ICS_UNREADABLE).with("line", line).with("expected", expected)
}

/// The days as a file. Hours of single days have no place in it: a day with hours of its own is a worked day there.
pub fn write(name: &str, exceptions: &[CalendarException]) -> String {
    let mut file = String::new();
    put(&mut file, "BEGIN:VCALENDAR");
    put(&mut file, "VERSION:2.0");
    put(&mut file, "PRODID:-//Aftercare//Business calendar//EN");
    put(&mut file, &format!("X-WR-CALNAME:{}", escaped(name)));
    for exception in exceptions {
        let CalendarException { id, applies_on, details, created_at, .. } = exception;
        let category = match details.kind {
            ExceptionKind::Closed => HOLIDAY,
            ExceptionKind::Open => WORKDAY,
        };
        put(&mut file, "BEGIN:VEVENT");
        put(&mut file, &format!("UID:{id}"));
        put(&mut file, &format!("DTSTAMP:{}", stamp(*created_at)));
        put(&mut file, &format!("DTSTART;VALUE=DATE:{}", date(*applies_on)));
        put(&mut file, &format!("DTEND;VALUE=DATE:{}", date(applies_on.plus_days(1))));
        if let Some(label) = &details.label {
            put(&mut file, &format!("SUMMARY:{}", escaped(label)));
        }
        put(&mut file, &format!("CATEGORIES:{category}"));
        put(&mut file, "END:VEVENT");
    }
    put(&mut file, "END:VCALENDAR");
    file
}

/// Adds a line, folded where it is long.
fn put(file: &mut String, line: &str) {
    let mut length = 0;
    for c in line.chars() {
        if length > MOST_LINE_BYTES.saturating_sub(c.len_utf8()) {
            file.push_str("\r\n ");
            length = 1;
        }
        file.push(c);
        length = length.saturating_add(c.len_utf8());
    }
    file.push_str("\r\n");
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | ';' | ',') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

fn date(day: CivilDate) -> String {
    NaiveDate::from(day).format("%Y%m%d").to_string()
}

fn stamp(instant: Timestamp) -> String {
    DateTime::<Utc>::from(instant).format("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::NOW,
        super::{CalendarExceptionDetails, ExceptionSource},
        *,
    };
    use proptest::prelude::*;
    use uuid::Uuid;

    /// A calendar of one event with these lines.
    fn event(lines: &str) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }

    fn told(text: &str) -> Result<Vec<String>, (&'static str, Option<u64>)> {
        let days = read(text).map_err(|refusal| {
            (refusal.rule.code, refusal.facts.get("line").and_then(serde_json::Value::as_u64))
        })?;
        let tell = |day: &DatedException| {
            let label = day.label.as_deref().unwrap_or("-");
            format!("{} {:?} {label}", day.applies_on, day.kind)
        };
        Ok(days.iter().map(tell).collect())
    }

    #[test]
    fn whole_days_are_closed_unless_they_are_named_as_worked() {
        let from = "DTSTART;VALUE=DATE:20270501";
        for (lines, days) in [
            (
                format!("{from}\r\nDTEND;VALUE=DATE:20270503\r\nSUMMARY:劳动节"),
                vec!["2027-05-01 Closed 劳动节", "2027-05-02 Closed 劳动节"],
            ),
            (format!("{from}\r\nSUMMARY:劳动节（班）"), vec!["2027-05-01 Open 劳动节（班）"]),
            (format!("{from}\r\nSUMMARY:劳动节 补班"), vec!["2027-05-01 Open 劳动节 补班"]),
            (format!("{from}\r\nSUMMARY:上班"), vec!["2027-05-01 Open 上班"]),
            (format!("{from}\r\nSUMMARY:劳动节(班)"), vec!["2027-05-01 Open 劳动节(班)"]),
            (format!("{from}\r\nCATEGORIES:X,workday"), vec!["2027-05-01 Open -"]),
            (
                format!("{from}\r\nCATEGORIES:HOLIDAY\r\nSUMMARY:上班"),
                vec!["2027-05-01 Closed 上班"],
            ),
            (format!("{from}\r\nDURATION:P2D"), vec!["2027-05-01 Closed -", "2027-05-02 Closed -"]),
            ("DTSTART:20270501\r\nSTATUS:CANCELLED".to_owned(), vec![]),
            (
                format!("{from}\r\nSUMMARY;LANGUAGE=\"a:b\":Of \\, and\r\n  folded"),
                vec!["2027-05-01 Closed Of , and folded"],
            ),
            (
                format!("{from}\r\nBEGIN:VALARM\r\nDTSTART:x\r\nEND:VALARM"),
                vec!["2027-05-01 Closed -"],
            ),
        ] {
            assert_eq!(
                told(&event(&lines)),
                Ok(days.into_iter().map(str::to_owned).collect()),
                "{lines}"
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        for (lines, code, line) in [
            ("DTSTART:20270501\r\nRRULE:FREQ=YEARLY", "ics_recurs", 5),
            ("DTSTART:20270501T090000", "ics_not_all_day", 4),
            ("DTSTART;VALUE=DATE-TIME:20270501", "ics_not_all_day", 4),
            ("DTSTART:20270229", "ics_unreadable", 4),
            ("DTSTART:2027", "ics_unreadable", 4),
            ("SUMMARY:Whenever", "ics_unreadable", 3),
            ("DTSTART:20270501\r\nDTEND:20270501", "ics_unreadable", 3),
            ("DTSTART:20270501\r\nDURATION:PT1H", "ics_unreadable", 5),
            ("DTSTART 20270501", "ics_unreadable", 4),
            ("END:VCALENDAR", "ics_unreadable", 4),
        ] {
            assert_eq!(told(&event(lines)), Err((code, Some(line))), "{lines}");
        }
        for text in [
            "",
            " ",
            "hello",
            "BEGIN:VCALENDAR",
            "BEGIN:VEVENT\nEND:VEVENT",
            "BEGIN:VCALENDAR\nEND:VCALENDAR\nX:Y",
        ] {
            assert_eq!(told(text).unwrap_err().0, "ics_unreadable", "{text:?}");
        }
        assert_eq!(told("BEGIN:VCALENDAR\nEND:VCALENDAR"), Ok(Vec::new()));
        let deep = "BEGIN:VCALENDAR\n".repeat(100_000);
        assert_eq!(told(&deep), Err(("ics_unreadable", Some(9))));
    }

    #[test]
    fn a_zone_may_recur_and_says_nothing_about_days() {
        let zone = "BEGIN:VTIMEZONE\nBEGIN:STANDARD\nDTSTART:19701025T030000\nRRULE:FREQ=YEARLY\nEND:STANDARD\nEND:VTIMEZONE";
        assert_eq!(told(&format!("BEGIN:VCALENDAR\n{zone}\nEND:VCALENDAR")), Ok(Vec::new()));
    }

    #[test]
    fn a_file_names_a_thousand_days_and_not_one_more() {
        let days = |duration: &str| event(&format!("DTSTART:20270101\r\nDURATION:{duration}"));
        assert_eq!(told(&days("P1000D")).map(|days| days.len()), Ok(1_000));
        assert_eq!(told(&days("P1001D")), Err(("too_many_exceptions", None)));
        assert_eq!(told(&days("P60000W")), Err(("too_many_exceptions", None)));
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(said in prop::collection::vec(("[^\\x00-\\x1f\\x7f-\\x9f]{0,90}", prop::bool::ANY), 0..8)) {
            let exceptions: Vec<_> = said.iter().zip(0_i64..).map(|((label, is_open), day)| CalendarException {
                id: Uuid::from_u128(9).into(),
                calendar_id: Uuid::from_u128(1).into(),
                applies_on: "2027-05-01".parse::<CivilDate>().unwrap().plus_days(day),
                details: CalendarExceptionDetails {
                    kind: if *is_open { ExceptionKind::Open } else { ExceptionKind::Closed },
                    intervals: None,
                    label: Line::new(label.trim()).ok(),
                },
                source: ExceptionSource::Own,
                created_at: NOW.parse().unwrap(),
            }).collect();
            let file = write("Office; one", &exceptions);
            prop_assert!(file.split("\r\n").all(|line| line.len() <= 75));
            let read: Vec<_> = read(&file).unwrap().into_iter().map(|day| (day.applies_on, day.kind, day.label)).collect();
            let written: Vec<_> = exceptions.into_iter().map(|one| (one.applies_on, one.details.kind, one.details.label)).collect();
            prop_assert_eq!(read, written);
        }

        #[test]
        fn whatever_comes_is_answered(text in "(BEGIN|END|DTSTART|:|VEVENT|VCALENDAR|;|\"|\r\n| |2027|[^x]){0,60}") {
            let _answered = read(&text);
        }
    }
}
