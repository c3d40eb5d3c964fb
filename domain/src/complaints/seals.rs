//! Seals: each entry of a brand's resolution log is chained to the one before, so that whoever changes one changes the
//! hashes of all that follow.

use super::{
    ComplaintDecision, CustomerWord, LoggedClock, MOST_LOGGED_CLOCKS, MOST_REMEDIES, Resolution,
    SettledRemedy, canonical,
};
use crate::{
    ids::{CustomerWordId, DealerId, LogEntryId, ResolutionId},
    invalid::Invalid,
    record::Record,
    time::Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, fmt, str::FromStr};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};
use uuid::Uuid;

/// Entries that are sealed in one go, at most: the brand's next entries wait meanwhile.
pub const MOST_SEALED: usize = 200;

/// Entries in one export, at most: a file that a spreadsheet opens at once, and that is written while a caller waits.
pub const MOST_EXPORTED: usize = 5_000;

/// How the document of an entry is made ([`LogEntry::document`]). What was sealed in a form is read in it for ever:
/// a document that is made otherwise has another number. The first form knows no clocks.
const FORM: u32 = 2;
/// The form of what was sealed before.
const FIRST_FORM: u32 = 1;

/// Remedies of a line in the first form: one more than a decision may name, which follows from a confirmed defect.
const MOST_IN_FIRST_FORM: usize = MOST_REMEDIES.saturating_add(1);

/// Bytes of a hash.
const HASH_BYTES: usize = 32;
/// Its digits.
const HASH_DIGITS: usize = 64;

/// A SHA-256 of the resolution log, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogHash([u8; HASH_BYTES]);

impl LogHash {
    /// What stands before the first entry: no hash at all.
    pub const NONE: Self = Self([0; HASH_BYTES]);

    fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

impl fmt::Display for LogHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LogHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for LogHash {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let malformed = || {
            Invalid::new(
                "malformed_hash",
                "expected a hash of 64 hexadecimal digits in small letters",
            )
            .in_chinese("应为 64 位小写十六进制哈希值")
        };
        let digits: Option<Vec<u8>> = text.chars().map(small_digit).collect();
        let digits = digits.filter(|digits| digits.len() == HASH_DIGITS).ok_or_else(malformed)?;
        let pairs = digits.chunks_exact(2);
        let byte =
            |pair: &[u8]| pair.iter().fold(0_u8, |byte, digit| byte.wrapping_shl(4) | *digit);
        let bytes: Vec<u8> = pairs.map(byte).collect();
        bytes.try_into().map(Self).map_err(|_| malformed())
    }
}

/// The value of a hexadecimal digit. Hashes are written in small letters, so that equal ones are equal texts.
fn small_digit(letter: char) -> Option<u8> {
    let digit = letter.to_digit(16).filter(|_| !letter.is_ascii_uppercase())?;
    u8::try_from(digit).ok()
}

impl Serialize for LogHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LogHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl PartialSchema for LogHash {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[0-9a-f]{64}$"))
            .description(Some("A SHA-256 in hexadecimal digits."))
            .examples(["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
            .into()
    }
}

impl ToSchema for LogHash {
    fn name() -> Cow<'static, str> {
        "LogHash".into()
    }
}

/// What an entry of the resolution log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogEntryKind {
    /// How a complaint was put right.
    Resolution,
    /// What the customer said of it, or that they said nothing.
    CustomerWord,
}

/// An entry of the resolution log.
#[derive(Debug, Clone, PartialEq)]
pub enum LogEntry {
    /// How a complaint was put right.
    Resolution(Box<Resolution>),
    /// What the customer said of it.
    CustomerWord(Box<CustomerWord>),
}

impl LogEntry {
    /// Which entry it is.
    pub fn id(&self) -> LogEntryId {
        match self {
            Self::Resolution(line) => Uuid::from(line.id).into(),
            Self::CustomerWord(word) => Uuid::from(word.id).into(),
        }
    }

    /// What it tells.
    pub fn kind(&self) -> LogEntryKind {
        match self {
            Self::Resolution(_) => LogEntryKind::Resolution,
            Self::CustomerWord(_) => LogEntryKind::CustomerWord,
        }
    }

    /// The number of the complaint that it is about.
    pub fn complaint_number(&self) -> &str {
        match self {
            Self::Resolution(line) => &line.complaint_number,
            Self::CustomerWord(word) => &word.complaint_number,
        }
    }

    /// Whose people may see it.
    pub fn dealer(&self) -> Option<DealerId> {
        match self {
            Self::Resolution(line) => line.dealer_id,
            Self::CustomerWord(word) => word.dealer_id,
        }
    }

    /// The entry as it is sealed, exported and verified, in the form of this number; nothing when there is no such form.
    /// The members are named one by one: what is added to a record later must not change what was sealed before.
    /// A resolution that tells of clocks has no document in the first form: nobody has sealed what they say.
    pub fn document(&self, form: u32) -> Option<Value> {
        if !(FIRST_FORM..=FORM).contains(&form) {
            return None;
        }
        Some(match self {
            Self::Resolution(line) => resolution_document(line, form)?,
            Self::CustomerWord(word) => json!({
                "kind": LogEntryKind::CustomerWord,
                "id": word.id,
                "complaint_id": word.complaint_id,
                "complaint_number": word.complaint_number,
                "resolution_no": word.resolution_no,
                "customer_id": word.customer_id,
                "dealer_id": word.dealer_id,
                "verdict": word.verdict,
                "text": word.text,
                "response_id": word.response_id,
                "noted_by": word.noted_by,
                "created_at": word.created_at,
            }),
        })
    }
}

fn resolution_document(line: &Resolution, form: u32) -> Option<Value> {
    if form == FIRST_FORM {
        let is_sealed_whole = line.clocks.is_empty() && line.remedies.len() <= MOST_IN_FIRST_FORM;
        return Some(members_of_first_form(line)).filter(|_| is_sealed_whole);
    }
    let clocks: Vec<_> = line.clocks.iter().take(MOST_LOGGED_CLOCKS).map(clock_document).collect();
    // An attempt may have several decisions, and so more remedies than one of them names.
    let remedies: Vec<_> = line.remedies.iter().map(remedy_document).collect();
    let mut document = members_of_first_form(line);
    let members = document.as_object_mut()?;
    members.insert("remedies".to_owned(), remedies.into());
    members.insert("clocks".to_owned(), clocks.into());
    Some(document)
}

fn clock_document(clock: &LoggedClock) -> Value {
    json!({
        "metric": clock.metric,
        "due_at": clock.due_at,
        "met_at": clock.met_at,
        "outcome": clock.outcome,
    })
}

fn members_of_first_form(line: &Resolution) -> Value {
    let ComplaintDecision { responsibility, apology, text, recourse, confirmed_defect, decided_at } =
        &line.decision;
    let remedies: Vec<_> =
        line.remedies.iter().take(MOST_IN_FIRST_FORM).map(remedy_document).collect();
    json!({
        "kind": LogEntryKind::Resolution,
        "id": line.id,
        "complaint_id": line.complaint_id,
        "complaint_number": line.complaint_number,
        "resolution_no": line.resolution_no,
        "customer_id": line.customer_id,
        "dealer_id": line.dealer_id,
        "received_at": line.received_at,
        "first_answer_due_at": line.first_answer_due_at,
        "first_answer_at": line.first_answer_at,
        "first_answer": line.first_answer,
        "decision": {
            "responsibility": responsibility,
            "apology": apology,
            "text": text,
            "recourse": recourse,
            "confirmed_defect": confirmed_defect,
            "decided_at": decided_at,
        },
        "told_at": line.told_at,
        "remedies": remedies,
        "cost": line.cost.map(|cost| json!({"amount": cost.amount, "currency": cost.currency})),
        "resolved_by": line.resolved_by,
        "resolved_at": line.resolved_at,
        "created_at": line.created_at,
    })
}

fn remedy_document(remedy: &SettledRemedy) -> Value {
    let amount = remedy.details.amount;
    json!({
        "kind": remedy.details.kind,
        "amount": amount.map(|amount| json!({"amount": amount.amount, "currency": amount.currency})),
        "note": remedy.details.note,
        "mandatory": remedy.mandatory,
        "state": remedy.state,
        "promised_at": remedy.promised_at,
        "settled_at": remedy.settled_at,
    })
}

/// Where a brand's resolution log has come to. Whoever notes it can tell later whether the log that led there is still
/// the same: `aftercare audit verify --head`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"serial": 41,
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "sealed_at": "2026-11-24T08:00:02Z"})))]
pub struct LogPlace {
    /// The number of the last entry, from 1 and without a gap.
    pub serial: u32,
    /// Its hash, in which those of all entries before are.
    pub hash: LogHash,
    /// When it was sealed.
    pub sealed_at: Timestamp,
}

/// The seal of an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct LogSeal {
    /// Which entry.
    pub id: LogEntryId,
    /// The resolution, when the entry tells one.
    pub resolution_id: Option<ResolutionId>,
    /// The customer's word, when the entry tells one.
    pub customer_word_id: Option<CustomerWordId>,
    /// Whose people may see the entry.
    pub dealer_id: Option<DealerId>,
    /// The number of the entry, from 1 and without a gap.
    pub serial: u32,
    /// How the document of the entry is made.
    pub form: u32,
    /// The hash of the entry before.
    pub previous_hash: LogHash,
    /// The hash of this one.
    pub hash: LogHash,
    /// When it was sealed, never before the one in front of it.
    pub sealed_at: Timestamp,
}

impl LogSeal {
    /// Seals `entries`, in their order, behind `head`.
    pub fn close_all(head: Option<LogPlace>, entries: &[LogEntry], now: Timestamp) -> Vec<Self> {
        let mut head = head;
        let mut seals = Vec::with_capacity(entries.len());
        for entry in entries {
            let Some(seal) = Self::close(head, entry, now) else { break };
            head = Some(seal.head());
            seals.push(seal);
        }
        seals
    }

    fn close(head: Option<LogPlace>, entry: &LogEntry, now: Timestamp) -> Option<Self> {
        Self::close_in(FORM, head, entry, now)
    }

    /// Seals an entry in this form.
    pub(super) fn close_in(
        form: u32,
        head: Option<LogPlace>,
        entry: &LogEntry,
        now: Timestamp,
    ) -> Option<Self> {
        let (resolution_id, customer_word_id) = match entry {
            LogEntry::Resolution(line) => (Some(line.id), None),
            LogEntry::CustomerWord(word) => (None, Some(word.id)),
        };
        let mut seal = Self {
            id: entry.id(),
            resolution_id,
            customer_word_id,
            dealer_id: entry.dealer(),
            serial: head.map_or(1, |head| head.serial.saturating_add(1)),
            form,
            previous_hash: head.map_or(LogHash::NONE, |head| head.hash),
            hash: LogHash::NONE,
            sealed_at: head.map_or(now, |head| head.sealed_at.max(now)),
        };
        seal.hash = seal.hash_over(&entry.document(form)?)?;
        Some(seal)
    }

    /// Where the log had come to by this entry.
    pub fn head(&self) -> LogPlace {
        LogPlace { serial: self.serial, hash: self.hash, sealed_at: self.sealed_at }
    }

    /// The entry with its seal, as it is exported.
    pub fn with(&self, entry: Value) -> SealedEntry {
        SealedEntry {
            entry,
            form: self.form,
            hash: self.hash,
            previous_hash: self.previous_hash,
            sealed_at: self.sealed_at,
            serial: self.serial,
        }
    }

    fn hash_over(&self, document: &Value) -> Option<LogHash> {
        self.with(document.clone()).expected_hash()
    }
}

impl Record for LogSeal {
    type Id = LogEntryId;

    fn id(&self) -> LogEntryId {
        self.id
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

/// An entry with its seal: one line of an export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedEntry {
    /// What the entry tells.
    pub entry: Value,
    /// How the entry was made.
    pub form: u32,
    /// The hash of the rest of the line.
    pub hash: LogHash,
    /// The hash of the entry before; of zeros before the first.
    pub previous_hash: LogHash,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// The number of the entry, from 1 and without a gap.
    pub serial: u32,
}

impl SealedEntry {
    /// The hash that the entry has when nothing of it was changed: the SHA-256 of the line without its `hash`, as
    /// canonical JSON. Nothing when it cannot be written so.
    pub fn expected_hash(&self) -> Option<LogHash> {
        let mut line = serde_json::to_value(self).ok()?;
        line.as_object_mut()?.remove("hash");
        canonical(&line).as_deref().map(LogHash::of)
    }

    /// The line, as canonical JSON; nothing when it cannot be written so.
    pub fn line(&self) -> Option<String> {
        canonical(&serde_json::to_value(self).ok()?)
    }
}
