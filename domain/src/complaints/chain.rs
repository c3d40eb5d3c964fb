//! Verifying the resolution log: entry after entry is compared with its seal, and with the one before.

use super::{LogEntry, LogHash, LogSeal, SealedEntry};
use crate::{invalid::Invalid, time::Timestamp};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// How far an entry may claim to be older than one in front of it: entries are written by several machines at once,
/// whose clocks differ, and a transaction takes a moment.
const MOST_LATE_HOURS: i64 = 1;

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlawKind {
    /// Entries before it are missing.
    Missing {
        /// The first of them.
        from: u32,
    },
    /// It stands where another should: it was moved, or is there twice.
    OutOfPlace {
        /// The number that should stand here.
        expected: u32,
    },
    /// It was there, and is not any more.
    Removed,
    /// It does not say what was sealed.
    Changed,
    /// It cannot be read any more.
    Unreadable,
    /// It does not follow on the entry before: that one, or this one, was put in another's place.
    Unlinked,
    /// It claims to be older than entries that were there before it.
    Inserted,
    /// It has no seal, and is none of those that wait for theirs.
    Unlisted,
    /// The log ends before the head that was noted, or has come to another one.
    NotTheHead {
        /// What was noted.
        noted: NotedHead,
    },
}

/// The first thing that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The number of the entry; nothing when it has none.
    pub serial: Option<u32>,
    /// The number of its complaint, where it can be told.
    pub complaint_number: Option<String>,
    /// What is wrong with it.
    pub kind: FlawKind,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let FlawKind::NotTheHead { noted } = &self.kind {
            let serial = self.serial.unwrap_or_default();
            return write!(
                f,
                "the log ends with entry {serial}{}, and {noted} is not in it: entries were taken off \
                its end, or all that follow a change were sealed anew",
                Complaint(self)
            );
        }
        match self.serial {
            Some(serial) => write!(f, "entry {serial}{} ", Complaint(self))?,
            None => write!(f, "an entry that is not sealed{} ", Complaint(self))?,
        }
        match &self.kind {
            FlawKind::Missing { from } => {
                write!(f, "stands where entry {from} should: what was between is missing")
            }
            FlawKind::OutOfPlace { expected } => write!(f, "stands where entry {expected} should"),
            FlawKind::Removed => f.write_str("was removed"),
            FlawKind::Changed => f.write_str("is not what was sealed: it was changed"),
            FlawKind::Unreadable => f.write_str("cannot be read: it was changed"),
            FlawKind::Unlinked => {
                f.write_str("does not follow on the one before it: one of the two was put there")
            }
            FlawKind::Inserted => {
                f.write_str("claims to be older than those in front of it: it was put there later")
            }
            FlawKind::Unlisted => {
                f.write_str("was not written by the service: nothing is to seal it")
            }
            FlawKind::NotTheHead { .. } => Ok(()),
        }
    }
}

/// Words about the complaint of an entry.
struct Complaint<'a>(&'a Flaw);

impl fmt::Display for Complaint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.complaint_number.as_ref().map_or(Ok(()), |number| write!(f, " (complaint {number})"))
    }
}

/// A head of the log that somebody noted: its hash, perhaps with the number in front (`41:9f86…`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotedHead {
    /// The number of the entry.
    pub serial: Option<u32>,
    /// Its hash.
    pub hash: LogHash,
}

impl FromStr for NotedHead {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let Some((serial, hash)) = text.split_once(':') else {
            return Ok(Self { serial: None, hash: text.parse()? });
        };
        let serial = serial.parse().ok().filter(|serial| *serial > 0).ok_or_else(|| {
            Invalid::new(
                "malformed_head",
                "expected a hash, or a number and a hash such as 41:9f86…",
            )
            .in_chinese("应为哈希值，或形如 41:9f86… 的序号加哈希值")
        })?;
        Ok(Self { serial: Some(serial), hash: hash.parse()? })
    }
}

impl fmt::Display for NotedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.serial {
            Some(serial) => write!(f, "the head {serial}:{}", self.hash),
            None => write!(f, "the head {}", self.hash),
        }
    }
}

/// How the entries that are verified follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// From the first one on, without a gap.
    Whole,
    /// From whichever on, without a gap: an export of some months.
    Part,
    /// Some are left out: an export of one dealer's.
    WithGaps,
}

/// Verifies entries, one after the other.
#[derive(Debug, Clone)]
pub struct ChainCheck {
    manner: Manner,
    noted: Option<NotedHead>,
    met_noted: bool,
    first: Option<u32>,
    last: Option<Last>,
    newest: Option<Timestamp>,
    read: u32,
}

/// The entry before.
#[derive(Debug, Clone)]
struct Last {
    serial: u32,
    hash: LogHash,
    complaint_number: Option<String>,
}

impl ChainCheck {
    /// Of a whole log.
    pub fn of_all() -> Self {
        Self {
            manner: Manner::Whole,
            noted: None,
            met_noted: false,
            first: None,
            last: None,
            newest: None,
            read: 0,
        }
    }

    /// Of a part of a log without gaps; what its first entry follows on is believed.
    pub fn of_part() -> Self {
        Self { manner: Manner::Part, ..Self::of_all() }
    }

    /// Of some entries of a log.
    pub fn with_gaps() -> Self {
        Self { manner: Manner::WithGaps, ..Self::of_all() }
    }

    /// Insists that the log has come by the head that somebody noted.
    #[must_use]
    pub fn expecting(self, noted: Option<NotedHead>) -> Self {
        Self { noted, ..self }
    }

    /// How many sealed entries were verified.
    pub fn read(&self) -> u32 {
        self.read
    }

    /// The number of the first entry that was verified.
    pub fn first(&self) -> Option<u32> {
        self.first
    }

    /// The last entry that was verified: its number and hash.
    pub fn last(&self) -> Option<(u32, LogHash)> {
        self.last.as_ref().map(|last| (last.serial, last.hash))
    }

    /// Verifies the next entry of a database: the seal, and the entry that it is about.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn follow(&mut self, seal: &LogSeal, entry: Option<&LogEntry>) -> Result<(), Flaw> {
        let document = entry.and_then(|entry| entry.document(seal.form));
        let number = entry.map(|entry| entry.complaint_number().to_owned());
        let wrong =
            |kind| Flaw { serial: Some(seal.serial), complaint_number: number.clone(), kind };
        self.in_place(seal.serial).map_err(&wrong)?;
        let Some(entry) = entry else { return Err(wrong(FlawKind::Removed)) };
        let document = document.ok_or_else(|| wrong(FlawKind::Changed))?;
        let is_its_own = (entry.id(), entry.dealer()) == (seal.id, seal.dealer_id);
        if !is_its_own {
            return Err(wrong(FlawKind::Changed));
        }
        self.follow_line(&seal.with(document))
    }

    /// Verifies the next entry of an export.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn follow_line(&mut self, line: &SealedEntry) -> Result<(), Flaw> {
        let number = complaint_number(&line.entry);
        let wrong =
            |kind| Flaw { serial: Some(line.serial), complaint_number: number.clone(), kind };
        self.in_place(line.serial).map_err(wrong)?;
        if line.expected_hash() != Some(line.hash) {
            return Err(wrong(FlawKind::Changed));
        }
        if !self.is_linked(line) {
            return Err(wrong(FlawKind::Unlinked));
        }
        self.in_time(&line.entry).map_err(wrong)?;
        let is_noted = |noted: &NotedHead| {
            noted.hash == line.hash && noted.serial.is_none_or(|serial| serial == line.serial)
        };
        self.first = self.first.or(Some(line.serial));
        self.met_noted |= self.noted.as_ref().is_some_and(is_noted);
        self.last =
            Some(Last { serial: line.serial, hash: line.hash, complaint_number: number.clone() });
        self.read = self.read.saturating_add(1);
        Ok(())
    }

    /// Says after the last entry whether the head that was noted was among them.
    ///
    /// # Errors
    ///
    /// `NotTheHead` when it was not.
    pub fn end(&self) -> Result<(), Flaw> {
        let Some(noted) = self.noted.filter(|_| !self.met_noted) else { return Ok(()) };
        Err(Flaw {
            serial: Some(self.last.as_ref().map_or(0, |last| last.serial)),
            complaint_number: self.last.as_ref().and_then(|last| last.complaint_number.clone()),
            kind: FlawKind::NotTheHead { noted },
        })
    }

    fn in_place(&self, serial: u32) -> Result<(), FlawKind> {
        let expected = match (&self.last, self.manner) {
            (Some(last), _) => last.serial.saturating_add(1),
            (None, Manner::Whole) => 1,
            (None, Manner::Part | Manner::WithGaps) => serial.max(1),
        };
        match serial.cmp(&expected) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater if self.manner == Manner::WithGaps => Ok(()),
            std::cmp::Ordering::Greater => Err(FlawKind::Missing { from: expected }),
            std::cmp::Ordering::Less => Err(FlawKind::OutOfPlace { expected }),
        }
    }

    fn is_linked(&self, line: &SealedEntry) -> bool {
        match &self.last {
            Some(last) if last.serial.saturating_add(1) == line.serial => {
                last.hash == line.previous_hash
            }
            // What stands before is not here, and is believed.
            Some(_) => true,
            None => (line.serial == 1) == (line.previous_hash == LogHash::NONE),
        }
    }

    /// Expects that an entry is not much older than one that stands in front of it.
    fn in_time(&mut self, document: &Value) -> Result<(), FlawKind> {
        let created_at = document.get("created_at").and_then(Value::as_str);
        let created_at = created_at.and_then(|at| at.parse::<Timestamp>().ok());
        let Some(created_at) = created_at else { return Err(FlawKind::Unreadable) };
        if self.newest.is_some_and(|newest| created_at < newest.plus_hours(-MOST_LATE_HOURS)) {
            return Err(FlawKind::Inserted);
        }
        self.newest = self.newest.max(Some(created_at));
        Ok(())
    }
}

/// Reads a line of an export. It must be written as it was exported, to the byte, so that nothing in it is left over
/// that no hash has seen.
pub fn read_line(line: &str) -> Option<SealedEntry> {
    let sealed: SealedEntry = serde_json::from_str(line).ok()?;
    (sealed.line()? == line).then_some(sealed)
}

fn complaint_number(document: &Value) -> Option<String> {
    document.get("complaint_number").and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::{
        ClockOutcome, ComplaintDecision, CustomerVerdict, CustomerWord, FirstAnswer, LogPlace,
        LoggedClock, RemedyDetails, RemedyKind, RemedyState, Resolution, Responsibility,
        SettledRemedy, canonical,
    };
    use super::*;
    use crate::{
        clocks::SlaMetric,
        money::{Currency, Minor, Money},
        text::Prose,
    };
    use uuid::Uuid;

    /// The vectors that are printed for those who verify in another language.
    const SAMPLE: &str = include_str!("../../../docs/resolution-log-sample.jsonl");

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn prose(text: &str) -> Prose {
        Prose::new(text).unwrap()
    }

    fn yuan(amount: i64) -> Money {
        Money { amount: Minor::new(amount).unwrap(), currency: Currency::CNY }
    }

    fn resolution() -> Resolution {
        let replacement = SettledRemedy {
            details: RemedyDetails { kind: RemedyKind::Replacement, amount: None, note: None },
            mandatory: true,
            state: RemedyState::Done,
            promised_at: Some(at("2026-11-22T10:00:00Z")),
            settled_at: Some(at("2026-11-24T07:30:00Z")),
        };
        let note = Some("=1+1".parse().unwrap());
        let refund = SettledRemedy {
            details: RemedyDetails { kind: RemedyKind::Refund, amount: Some(yuan(12_000)), note },
            mandatory: false,
            state: RemedyState::Waived,
            promised_at: None,
            settled_at: None,
        };
        Resolution {
            id: Uuid::from_u128(1).into(),
            complaint_id: Uuid::from_u128(2).into(),
            complaint_number: "C-000123".to_owned(),
            resolution_no: 1,
            customer_id: Uuid::from_u128(1).into(),
            dealer_id: Some(Uuid::from_u128(3).into()),
            received_at: at("2026-11-22T09:30:00Z"),
            first_answer_due_at: at("2026-11-23T09:30:00Z"),
            first_answer_at: Some(at("2026-11-22T09:45:00.123456Z")),
            first_answer: FirstAnswer::Kept,
            decision: ComplaintDecision {
                responsibility: Responsibility::Ours,
                apology: Some(prose("非常抱歉。")),
                text: prose("The seal was \"not\" tightened.\nWe replace the housing."),
                recourse: prose("请致电 12315。"),
                confirmed_defect: true,
                decided_at: at("2026-11-22T10:00:00Z"),
            },
            told_at: Some(at("2026-11-22T10:00:01Z")),
            remedies: vec![replacement, refund],
            clocks: Vec::new(),
            cost: Some(yuan(5_000)),
            resolved_by: "stf_00000000000000000000000009".to_owned(),
            resolved_at: at("2026-11-24T08:00:00Z"),
            created_at: at("2026-11-24T08:00:01Z"),
        }
    }

    /// A later resolution of another complaint, with clocks that have ended in each way.
    fn timed() -> Resolution {
        let clock = |metric, due_at: Option<&str>, met_at: Option<&str>, outcome| LoggedClock {
            metric,
            due_at: due_at.map(at),
            met_at: met_at.map(at),
            outcome,
        };
        let first = Some("2026-11-23T09:30:00Z");
        let decided = (Some("2026-11-22T09:59:59Z"), Some("2026-11-22T10:00:00Z"));
        let clocks = vec![
            clock(
                SlaMetric::Acknowledge,
                first,
                Some("2026-11-22T09:45:00.123456Z"),
                ClockOutcome::Kept,
            ),
            clock(SlaMetric::FirstResponse, None, None, ClockOutcome::Cancelled),
            clock(SlaMetric::Decision, decided.0, decided.1, ClockOutcome::Missed),
            clock(
                SlaMetric::TotalResolution,
                Some("2026-12-11T09:30:00Z"),
                None,
                ClockOutcome::Running,
            ),
        ];
        Resolution {
            id: Uuid::from_u128(8).into(),
            complaint_id: Uuid::from_u128(7).into(),
            complaint_number: "C-000124".to_owned(),
            resolution_no: 3,
            dealer_id: None,
            remedies: Vec::new(),
            clocks,
            cost: None,
            resolved_at: at("2026-12-10T08:00:00Z"),
            created_at: at("2026-12-10T08:00:01Z"),
            ..resolution()
        }
    }

    fn words() -> [CustomerWord; 3] {
        let dissatisfied = CustomerWord {
            id: Uuid::from_u128(4).into(),
            complaint_id: Uuid::from_u128(2).into(),
            complaint_number: "C-000123".to_owned(),
            resolution_no: 1,
            customer_id: Uuid::from_u128(1).into(),
            dealer_id: Some(Uuid::from_u128(3).into()),
            verdict: CustomerVerdict::Dissatisfied,
            text: Some(prose("还是漏水。")),
            response_id: Some(Uuid::from_u128(5).into()),
            noted_by: "worker".to_owned(),
            created_at: at("2026-11-26T08:00:00Z"),
        };
        let silent = CustomerWord {
            id: Uuid::from_u128(6).into(),
            complaint_id: Uuid::from_u128(7).into(),
            complaint_number: "C-000124".to_owned(),
            resolution_no: 2,
            dealer_id: None,
            verdict: CustomerVerdict::Silent,
            text: None,
            response_id: None,
            created_at: at("2026-12-08T16:00:00Z"),
            ..dissatisfied.clone()
        };
        let satisfied = CustomerWord {
            id: Uuid::from_u128(9).into(),
            resolution_no: 3,
            verdict: CustomerVerdict::Satisfied,
            created_at: at("2026-12-11T08:00:00Z"),
            ..silent.clone()
        };
        [dissatisfied, silent, satisfied]
    }

    /// A log that was begun when there was one form, and is written on in the next.
    fn entries() -> Vec<LogEntry> {
        let [dissatisfied, silent, satisfied] = words();
        vec![
            LogEntry::Resolution(Box::new(resolution())),
            LogEntry::CustomerWord(Box::new(dissatisfied)),
            LogEntry::CustomerWord(Box::new(silent)),
            LogEntry::Resolution(Box::new(timed())),
            LogEntry::CustomerWord(Box::new(satisfied)),
        ]
    }

    /// The log of the vectors, sealed one entry at a time.
    fn sealed() -> Vec<(LogSeal, LogEntry)> {
        let sealed_at = [
            (1, "2026-11-24T08:00:02Z"),
            (1, "2026-11-26T08:00:00.5Z"),
            (1, "2026-12-08T16:00:01Z"),
            (2, "2026-12-10T08:00:02Z"),
            (2, "2026-12-11T08:00:01Z"),
        ];
        let mut head = None;
        let seal = |(entry, (form, now)): (LogEntry, (u32, &str))| {
            let seal = LogSeal::close_in(form, head, &entry, at(now)).unwrap();
            head = Some(seal.head());
            (seal, entry)
        };
        entries().into_iter().zip(sealed_at).map(seal).collect()
    }

    fn lines() -> Vec<SealedEntry> {
        SAMPLE.lines().map(|line| read_line(line).unwrap()).collect()
    }

    fn found(check: ChainCheck, lines: &[SealedEntry]) -> Result<u32, (Option<u32>, FlawKind)> {
        let mut check = check;
        for line in lines {
            check.follow_line(line).map_err(|flaw| (flaw.serial, flaw.kind))?;
        }
        check.end().map_err(|flaw| (flaw.serial, flaw.kind))?;
        Ok(check.read())
    }

    #[test]
    fn the_log_is_sealed_as_the_vectors_say() {
        let written: Vec<_> = sealed()
            .iter()
            .map(|(seal, entry)| seal.with(entry.document(seal.form).unwrap()).line().unwrap())
            .collect();
        assert_eq!(written, SAMPLE.lines().collect::<Vec<_>>());
        let mut check = ChainCheck::of_all();
        for (seal, entry) in sealed() {
            check.follow(&seal, Some(&entry)).unwrap();
        }
        let last = "c499081f0b9da11a7dc390943e5a2ebe660d6aaafb12a35bea8177eb4beae430";
        assert_eq!(check.last(), Some((5, last.parse().unwrap())));
    }

    #[test]
    fn what_was_sealed_in_the_first_form_stays_as_it_was_and_new_entries_have_the_second() {
        let old: Vec<_> = SAMPLE.lines().take(3).collect();
        let head = old.last().map(|line| read_line(line).unwrap().hash.to_string());
        let noted = "78761a196f1dce3cb1f562d496c1b2cc5e0a2f554ee229aaeacf0fbe458f0a49";
        assert_eq!(head.as_deref(), Some(noted), "as it was before there was a second form");
        let forms: Vec<_> = lines().iter().map(|line| line.form).collect();
        assert_eq!(forms, [1, 1, 1, 2, 2]);
        let new = LogSeal::close_all(None, &entries(), at("2026-12-12T00:00:00Z"));
        assert!(new.iter().all(|seal| seal.form == 2));
        // A line that has no clocks says so in the second form, and says nothing of them in the first.
        let line = LogEntry::Resolution(Box::new(resolution()));
        assert_eq!(line.document(2).unwrap()["clocks"], serde_json::json!([]));
        assert_eq!(line.document(1).unwrap().get("clocks"), None);
        assert_eq!((line.document(0), line.document(3)), (None, None));
    }

    #[test]
    fn clocks_that_are_changed_or_put_into_an_older_line_are_found() {
        let follows = |place: usize, change: &dyn Fn(&mut Resolution)| {
            let mut check = ChainCheck::of_all();
            for (at, (seal, mut entry)) in sealed().into_iter().enumerate() {
                if let (true, LogEntry::Resolution(line)) = (at == place, &mut entry) {
                    change(line);
                }
                check.follow(&seal, Some(&entry)).map_err(|flaw| (flaw.serial, flaw.kind))?;
            }
            Ok(())
        };
        assert_eq!(follows(3, &|_| ()), Ok(()));
        let changed = |serial| Err((Some(serial), FlawKind::Changed));
        assert_eq!(follows(3, &|line| line.clocks[2].outcome = ClockOutcome::Kept), changed(4));
        assert_eq!(follows(3, &|line| line.clocks[0].due_at = None), changed(4));
        assert_eq!(follows(3, &|line| line.clocks[0].met_at = None), changed(4));
        assert_eq!(follows(3, &|line| line.clocks.truncate(3)), changed(4));
        assert_eq!(follows(3, &|line| line.clocks.clear()), changed(4));
        // Nobody sealed what an older line says of clocks, so it says nothing.
        assert_eq!(follows(0, &|line| line.clocks = timed().clocks), changed(1));
        // A line cannot be taken back into the form that did not see its clocks.
        let (seal, entry) = sealed().remove(3);
        let mut back = seal.with(entry.document(1).unwrap_or_default());
        back.form = 1;
        back.hash = back.expected_hash().unwrap();
        let back = LogSeal { form: 1, hash: back.hash, ..seal };
        let wrong = ChainCheck::of_part().follow(&back, Some(&entry)).unwrap_err();
        assert_eq!(wrong.kind, FlawKind::Changed);
        assert_eq!(LogSeal::close_in(1, None, &entry, at("2026-12-12T00:00:00Z")), None);
    }

    #[test]
    fn many_are_sealed_as_one_after_the_other() {
        let now = at("2026-12-12T00:00:00Z");
        let together = LogSeal::close_all(None, &entries(), now);
        let mut head: Option<LogPlace> = None;
        for (entry, seal) in entries().iter().zip(&together) {
            let alone = LogSeal::close_all(head, std::slice::from_ref(entry), now);
            assert_eq!(alone.as_slice(), std::slice::from_ref(seal));
            head = Some(seal.head());
        }
        // A machine whose clock is behind seals when the one before it did.
        let late = LogSeal::close_all(head, &entries(), at("2026-12-01T00:00:00Z"));
        assert_eq!(late[0].sealed_at, now);
    }

    #[test]
    fn a_line_is_read_as_it_was_written_and_not_otherwise() {
        let line = SAMPLE.lines().next().unwrap();
        assert!(read_line(line).is_some());
        let twice = line.replace(r#""form":1"#, r#""form":1,"form":1"#);
        let inner = line.replace(r#"{"complaint_id""#, r#"{"cost":null,"complaint_id""#);
        let other_time = line.replace("08:00:02Z", "08:00:02.000Z");
        let more = line.replace(r#""form":1"#, r#""form":1,"note":"x""#);
        let spaced = line.replace(r#""form":1"#, r#""form": 1"#);
        let fraction = line.replace(r#""amount":5000"#, r#""amount":5000.0"#);
        for other in [twice, inner, other_time, more, spaced, fraction, String::new()] {
            assert_ne!(other, line);
            assert_eq!(read_line(&other), None, "{other}");
        }
    }

    #[test]
    fn each_member_that_is_changed_is_found() {
        let lines = lines();
        let whole = serde_json::to_value(&lines[0].entry).unwrap();
        for name in whole.as_object().unwrap().keys() {
            let mut changed = lines.clone();
            changed[0].entry[name] = "other".into();
            let wrong = found(ChainCheck::of_all(), &changed);
            assert_eq!(wrong, Err((Some(1), FlawKind::Changed)), "{name}");
        }
        let mut removed = lines.clone();
        removed[1].entry.as_object_mut().unwrap().remove("text");
        assert_eq!(found(ChainCheck::of_all(), &removed), Err((Some(2), FlawKind::Changed)));
        let mut later = lines.clone();
        later[1].sealed_at = at("2026-11-26T08:00:01Z");
        assert_eq!(found(ChainCheck::of_all(), &later), Err((Some(2), FlawKind::Changed)));
    }

    #[test]
    fn what_is_missing_moved_or_put_in_is_found() {
        let lines = lines();
        let all = ChainCheck::of_all;
        assert_eq!(found(all(), &lines), Ok(5));
        let lines = &lines[..3];
        let without = [lines[0].clone(), lines[2].clone()];
        let missing = FlawKind::Missing { from: 2 };
        assert_eq!(found(all(), &without), Err((Some(3), missing)));
        assert_eq!(found(all(), &lines[1..]), Err((Some(2), FlawKind::Missing { from: 1 })));
        let swapped = [lines[0].clone(), lines[2].clone(), lines[1].clone()];
        assert_eq!(found(all(), &swapped), Err((Some(3), FlawKind::Missing { from: 2 })));
        let twice = [lines[0].clone(), lines[1].clone(), lines[1].clone()];
        let place = FlawKind::OutOfPlace { expected: 3 };
        assert_eq!(found(all(), &twice), Err((Some(2), place)));
        // Who knows how makes the hash of one line anew; the next one does not follow on it.
        let mut forged = lines.to_vec();
        forged[1].entry["verdict"] = "satisfied".into();
        forged[1].hash = forged[1].expected_hash().unwrap();
        assert_eq!(found(all(), &forged), Err((Some(3), FlawKind::Unlinked)));
    }

    #[test]
    fn an_entry_may_be_an_hour_older_than_those_in_front_and_no_more() {
        let seal_behind = |created_at: &str| {
            let lines = lines();
            let mut late = words()[1].clone();
            late.created_at = at(created_at);
            let head = LogPlace { serial: 2, hash: lines[1].hash, sealed_at: lines[1].sealed_at };
            let late = [LogEntry::CustomerWord(Box::new(late))];
            let seal = LogSeal::close_all(Some(head), &late, at("2026-12-09T00:00:00Z"));
            let late = seal[0].with(late[0].document(seal[0].form).unwrap());
            found(ChainCheck::of_all(), &[lines[0].clone(), lines[1].clone(), late])
        };
        assert_eq!(seal_behind("2026-11-26T07:00:00Z"), Ok(3));
        let wrong = Err((Some(3), FlawKind::Inserted));
        assert_eq!(seal_behind("2026-11-26T06:59:59Z"), wrong);
    }

    #[test]
    fn an_end_that_was_cut_off_is_found_by_the_head_that_was_noted() {
        let lines = lines()[..3].to_vec();
        let noted: NotedHead = format!("3:{}", lines[2].hash).parse().unwrap();
        let whole = ChainCheck::of_all().expecting(Some(noted));
        assert_eq!(found(whole.clone(), &lines), Ok(3));
        assert_eq!(found(whole, &lines[..2]), Err((Some(2), FlawKind::NotTheHead { noted })));
        let bare: NotedHead = lines[1].hash.to_string().parse().unwrap();
        assert_eq!(found(ChainCheck::of_all().expecting(Some(bare)), &lines), Ok(3));
        assert_eq!(found(ChainCheck::of_all(), &lines[..2]), Ok(2), "nobody noted where it ended");
        for wrong in ["", "3:", "0:00", "x:9f", "9f", "3 9f"] {
            assert!(wrong.parse::<NotedHead>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_part_begins_anywhere_and_a_dealer_s_entries_have_gaps() {
        let lines = lines();
        assert_eq!(found(ChainCheck::of_part(), &lines[1..]), Ok(4));
        let ours = [lines[0].clone(), lines[2].clone()];
        assert_eq!(found(ChainCheck::with_gaps(), &ours), Ok(2));
        let missing = FlawKind::Missing { from: 2 };
        assert_eq!(found(ChainCheck::of_part(), &ours), Err((Some(3), missing)));
        let mut changed = ours.clone();
        changed[1].entry["verdict"] = "satisfied".into();
        let wrong = Err((Some(3), FlawKind::Changed));
        assert_eq!(found(ChainCheck::with_gaps(), &changed), wrong);
        let mut first = lines[0].clone();
        first.previous_hash = lines[1].hash;
        first.hash = first.expected_hash().unwrap();
        let wrong = Err((Some(1), FlawKind::Unlinked));
        assert_eq!(found(ChainCheck::of_part(), &[first]), wrong);
    }

    #[test]
    fn an_entry_that_is_gone_or_another_s_is_found_in_the_database() {
        let sealed = sealed();
        let mut check = ChainCheck::of_all();
        let (seal, entry) = &sealed[0];
        assert_eq!(check.clone().follow(seal, None).unwrap_err().kind, FlawKind::Removed);
        let elsewhere = LogSeal { dealer_id: None, ..seal.clone() };
        let wrong = check.clone().follow(&elsewhere, Some(entry)).unwrap_err();
        assert_eq!(wrong.kind, FlawKind::Changed);
        let other = check.clone().follow(seal, Some(&sealed[1].1)).unwrap_err();
        assert_eq!(other.kind, FlawKind::Changed);
        let unknown = LogSeal { form: 3, ..seal.clone() };
        assert_eq!(check.follow(&unknown, Some(entry)).unwrap_err().kind, FlawKind::Changed);
        let wrong = check.follow(seal, None).unwrap_err();
        assert_eq!(wrong.to_string(), "entry 1 was removed");
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        let mut lines = lines();
        lines[1].entry["text"] = "Thank you.".into();
        let mut check = ChainCheck::of_all();
        check.follow_line(&lines[0]).unwrap();
        let wrong = check.follow_line(&lines[1]).unwrap_err();
        let says = "entry 2 (complaint C-000123) is not what was sealed: it was changed";
        assert_eq!(wrong.to_string(), says);
        let noted = "3:78761a196f1dce3cb1f562d496c1b2cc5e0a2f554ee229aaeacf0fbe458f0a49";
        let check = check.expecting(Some(noted.parse().unwrap()));
        assert_eq!(
            check.end().unwrap_err().to_string(),
            format!(
                "the log ends with entry 1 (complaint C-000123), and the head {noted} is not in it: entries were taken \
                 off its end, or all that follow a change were sealed anew"
            )
        );
    }

    #[test]
    fn no_hash_is_written_in_two_ways() {
        let hash = LogHash::NONE.to_string();
        assert_eq!(hash.parse(), Ok(LogHash::NONE));
        let large = "A".repeat(64);
        for wrong in ["", "0", &hash[1..], &large, &format!("{hash}0"), &format!("{hash}00")] {
            assert!(wrong.parse::<LogHash>().is_err(), "{wrong}");
        }
        assert_eq!(canonical(&serde_json::json!(LogHash::NONE)), Some(format!("\"{hash}\"")));
    }
}
