//! Versions of procedures for tests, plain ones and strange ones.

use super::{
    Measurement, SopAssignee, SopChoice, SopComparison, SopDue, SopEvidenceKind, SopMeasure,
    SopMinutes, SopQuestion, SopStep, SopVersion, SopVersionDetails, SopVersionState,
};
use crate::{
    conditions::Condition,
    identity::{Rank, Role},
    money::{Currency, Minor, Money},
    record::Version,
    text::{Code, Line, Name, Prose},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A version with so many plain steps.
pub(super) fn details(steps: usize) -> SopVersionDetails {
    let step = |number| {
        json!({
            "title": format!("Step {number}"), "standard": "Done and clean.",
            "measure": { "type": "bool" },
        })
    };
    let steps: Vec<_> = (1..=steps).map(step).collect();
    serde_json::from_value(json!({ "change_note": "First.", "steps": steps })).unwrap()
}

/// A draft that says this.
pub(super) fn version(number: u32, details: SopVersionDetails) -> SopVersion {
    SopVersion {
        id: Uuid::from_u128(number.into()).into(),
        sop_id: Uuid::from_u128(1).into(),
        number,
        state: SopVersionState::Draft,
        details,
        authors: Vec::new(),
        review_note: None,
        published_by: None,
        published_at: None,
        retired_at: None,
        version: Version::FIRST,
        created_at: "2026-11-22T09:30:00Z".parse().unwrap(),
    }
}

/// Texts that a careless reader or writer of YAML takes for something else.
const TRAPS: [&str; 48] = [
    "yes",
    "No",
    "on",
    "true",
    "False",
    "null",
    "~",
    "12",
    "-3",
    "1.5",
    "1e3",
    "0x1F",
    "0o7",
    "007",
    ".inf",
    ".nan",
    "2026-01-01",
    "12:30",
    "1_000",
    "- a",
    "-",
    "a: b",
    "a:",
    ": a",
    "? a",
    "#x",
    "a #b",
    "'q'",
    "\"d\"",
    "%TAG",
    "@x",
    "`x`",
    "&a",
    "*a",
    "!t",
    "|",
    ">-",
    "{a}",
    "[a]",
    "a, b",
    "---",
    "...",
    "<<",
    "李娜：已完成",
    "a\u{2028}b",
    "a\u{feff}b",
    "😀 \\ \u{e000}",
    "=",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(TRAPS.as_slice()).prop_map(str::to_owned),
        1 => "\\PC{1,30}",
        1 => "[ -~]{1,30}",
        1 => "[一-龥，。：]{1,20}",
    ]
}

pub(super) fn line() -> impl Strategy<Value = Line> {
    text().prop_filter_map("not one line", |text| Line::new(text).ok())
}

fn name() -> impl Strategy<Value = Name> {
    text().prop_filter_map("not one line", |text| Name::new(text).ok())
}

/// One line or several, with empty ones, indented ones, and ends of all sorts.
fn prose() -> impl Strategy<Value = Prose> {
    let piece = prop_oneof![
        4 => text(),
        1 => select(["\n", "\n\n", " ", "  ", "\t", "\n  ", " \n"].as_slice()).prop_map(str::to_owned),
    ];
    let lines = (vec(piece, 1..5), select(["\n", "", "\n\n"].as_slice()));
    lines.prop_filter_map("not a text", |(pieces, glue)| Prose::new(pieces.join(glue)).ok())
}

fn code() -> impl Strategy<Value = Code> {
    prop_oneof![
        3 => select(["a", "b", "c", "yes", "null", "12", "1e3", "0x1f"].as_slice()).prop_map(str::to_owned),
        1 => "[a-z0-9][a-z0-9_-]{0,8}",
    ]
    .prop_map(|text| Code::new(text).unwrap())
}

fn measurement() -> impl Strategy<Value = Measurement> {
    (-1_000_000_i64..1_000_000, 0_u32..1_000)
        .prop_map(|(whole, thousandths)| format!("{whole}.{thousandths:03}").parse().unwrap())
}

fn comparison() -> impl Strategy<Value = SopComparison> {
    let all = [
        SopComparison::AtLeast,
        SopComparison::AtMost,
        SopComparison::Above,
        SopComparison::Below,
        SopComparison::Equal,
    ];
    select(all.to_vec())
}

fn measure() -> impl Strategy<Value = SopMeasure> {
    let choice = (line(), any::<bool>())
        .prop_map(|(answer, meets_standard)| SopChoice { answer, meets_standard });
    let choices = vec(choice, 2..5).prop_filter_map("a choice twice", |choices| {
        let answers: BTreeSet<_> = choices.iter().map(|choice| &choice.answer).collect();
        (answers.len() == choices.len()).then_some(choices)
    });
    let number = || (option::of(line()), comparison(), option::of(measurement()));
    prop_oneof![
        Just(SopMeasure::Bool {}),
        Just(SopMeasure::Text {}),
        Just(SopMeasure::Photo {}),
        Just(SopMeasure::Signature {}),
        number().prop_map(|(unit, op, threshold)| SopMeasure::Number { unit, op, threshold }),
        number().prop_map(|(unit, op, threshold)| SopMeasure::Meter { unit, op, threshold }),
        choices.prop_map(|choices| SopMeasure::Choice { choices }),
    ]
}

fn assignee() -> impl Strategy<Value = SopAssignee> {
    prop_oneof![
        Just(SopAssignee::Runner {}),
        Just(SopAssignee::RelationshipOwner {}),
        select(vec![Role::Clerk, Role::Manager]).prop_map(|role| SopAssignee::Role { role }),
    ]
}

fn due() -> impl Strategy<Value = SopDue> {
    (1_u32..=525_600, any::<bool>(), 0..3, code()).prop_map(
        |(minutes, working_time, from, step)| {
            let within_minutes = SopMinutes::new(minutes).unwrap();
            match from {
                0 => SopDue::RunStart { within_minutes, working_time },
                1 => SopDue::Anchor { within_minutes, working_time },
                _ => SopDue::Step { step, within_minutes, working_time },
            }
        },
    )
}

fn condition() -> impl Strategy<Value = Condition> {
    let all = [
        "step.a == \"yes\"",
        "customer.tier in [\"gold\", \"platinum\"]",
        "step[\"b-1\"] > 40 && order.total_minor >= 100000",
    ];
    select(all.to_vec()).prop_map(|text| text.parse().unwrap())
}

fn money() -> impl Strategy<Value = Money> {
    (0_i64..1_000_000)
        .prop_map(|amount| Money { amount: Minor::new(amount).unwrap(), currency: Currency::CNY })
}

fn evidence() -> impl Strategy<Value = BTreeSet<SopEvidenceKind>> {
    let all = [SopEvidenceKind::Photo, SopEvidenceKind::Signature, SopEvidenceKind::Reading];
    proptest::sample::subsequence(all.to_vec(), 0..=3).prop_map(|kinds| kinds.into_iter().collect())
}

fn step() -> impl Strategy<Value = SopStep> {
    let words = (option::of(code()), name(), prose(), option::of(line()), measure());
    let flags = (any::<bool>(), any::<bool>(), option::of(10_u8..=60));
    let demands = (
        assignee(),
        option::of(due()),
        option::of(condition()),
        evidence(),
        option::of(code()),
        option::of(money()),
    );
    (words, flags, demands).prop_map(|(words, flags, demands)| SopStep {
        key: words.0,
        title: words.1,
        standard: words.2,
        target_degree: words.3,
        measure: words.4,
        stop: flags.0,
        obligation: flags.1,
        approval_rank: flags.2.map(Rank::from_number),
        assignee: demands.0,
        due: demands.1,
        condition: demands.2,
        evidence: demands.3,
        service_item_code: demands.4,
        cost_cap: demands.5,
    })
}

/// Quizzes of all sorts.
pub(super) fn quizzes() -> impl Strategy<Value = Vec<SopQuestion>> {
    let question = (line(), proptest::collection::btree_set(line(), 2..=6), 0_u32..2);
    let question = question.prop_map(|(question, choices, answer)| SopQuestion {
        question,
        choices: choices.into_iter().collect(),
        answer: Some(answer),
    });
    vec(question, 0..4)
}

/// Steps of all sorts, which need not go together.
pub(super) fn steps() -> impl Strategy<Value = Vec<SopStep>> {
    vec(step(), 1..7)
}
