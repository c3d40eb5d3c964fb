//! Refusals: a rule says no, under a stable name, in words, with the numbers the caller needs.

use crate::text::{Bilingual, Locale};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;

/// How a refusal is meant; it decides the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be understood: 400.
    Malformed,
    /// The state of things does not allow it now: 409.
    Conflict,
    /// The request contradicts itself or the brand's settings: 422.
    Unfit,
    /// Somebody else may do it, this caller may not: 403.
    NotYours,
    /// A matter of the protocol, with this HTTP status.
    Protocol(u16),
}

/// A rule that can say no. Each is declared beside the rule that uses it, and listed in
/// [`rules`], from which the page of every problem is made.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The stable name on the wire, such as `insufficient_allowance`.
    pub code: &'static str,
    /// How it is meant.
    pub kind: Kind,
    /// The rule in a few words.
    pub title: Bilingual,
    /// What happened, with `{fact}` where a fact belongs.
    pub detail: Bilingual,
    /// What the caller can do now.
    pub advice: Bilingual,
}

/// A rule said no.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Which rule.
    pub rule: &'static Rule,
    /// The numbers and names behind it, by name.
    pub facts: Map<String, Value>,
    /// The part of the request at fault, when it is one: a JSON pointer into the body, the name of a
    /// parameter, or a place in a file.
    pub place: Option<String>,
}

impl Refusal {
    /// A refusal by `rule`.
    pub fn new(rule: &'static Rule) -> Self {
        Self { rule, facts: Map::new(), place: None }
    }

    /// Points at the part of the request that is at fault.
    #[must_use]
    pub fn at(self, place: impl Into<String>) -> Self {
        Self { place: Some(place.into()), ..self }
    }

    /// Adds a fact the caller needs.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Serialize) -> Self {
        let value = serde_json::to_value(fact).unwrap_or_default();
        self.facts.insert(name.to_owned(), value);
        self
    }

    /// What happened, in words, with the facts in their places.
    pub fn detail(&self, locale: Locale) -> String {
        let mut text = self.rule.detail.get(locale).to_owned();
        for (name, fact) in &self.facts {
            text = text.replace(&format!("{{{name}}}"), &spoken(fact));
        }
        text
    }
}

/// A fact as a person reads it: money as `299.00 CNY`, lists with commas.
fn spoken(fact: &Value) -> String {
    match fact {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(spoken).collect::<Vec<_>>().join(", "),
        Value::Object(members) => match (members.get("amount"), members.get("currency")) {
            (Some(Value::Number(amount)), Some(Value::String(currency))) => {
                spoken_money(amount.as_i64().unwrap_or_default(), currency)
            }
            _ => fact.to_string(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => fact.to_string(),
    }
}

#[expect(clippy::integer_division, reason = "whole and fraction are printed apart")]
fn spoken_money(minor: i64, currency: &str) -> String {
    let digits =
        iso_currency::Currency::from_code(currency).and_then(iso_currency::Currency::exponent);
    match digits {
        Some(2) => format!("{}.{:02} {currency}", minor / 100, minor % 100),
        _ => format!("{minor} {currency}"),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule.code, self.detail(Locale::English))
    }
}

impl std::error::Error for Refusal {}

/// The state a record is in does not lead where the caller wants to go.
pub static ILLEGAL_TRANSITION: Rule = Rule {
    code: "illegal_transition",
    kind: Kind::Conflict,
    title: Bilingual { en: "Not possible in this state", zh: "当前状态不允许此操作" },
    detail: Bilingual {
        en: "It is {state}; from there it can only go on with: {allowed_transitions}.",
        zh: "当前状态为 {state}，只能进行：{allowed_transitions}。",
    },
    advice: Bilingual {
        en: "Read the record again and choose one of `allowed_transitions`.",
        zh: "请重新读取该记录，并从 `allowed_transitions` 中选择。",
    },
};

/// Says that `state` does not allow what was asked, and what it does allow.
pub fn illegal(state: impl Serialize, allowed: &[&str]) -> Refusal {
    Refusal::new(&ILLEGAL_TRANSITION).with("state", state).with("allowed_transitions", allowed)
}

/// Every rule of the house that can say no.
pub fn rules() -> Vec<&'static Rule> {
    let capabilities = [
        crate::tenancy::RULES,
        crate::calendars::RULES,
        crate::sandbox::RULES,
        crate::identity::RULES,
        crate::pushes::RULES,
        crate::customers::RULES,
        crate::customer_events::RULES,
        crate::catalogue::RULES,
        crate::orders::RULES,
        crate::imports::RULES,
        crate::conditions::RULES,
        crate::inventory::RULES,
        crate::sops::RULES,
        crate::complaints::RULES,
        crate::filing::RULES,
        crate::clocks::RULES,
        crate::returns::RULES,
        crate::corrective::RULES,
        crate::cancellations::RULES,
        crate::surveys::RULES,
        crate::allowances::RULES,
        crate::maintenance::RULES,
    ];
    let own: &[&Rule] = &[&ILLEGAL_TRANSITION];
    std::iter::once(own).chain(capabilities).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Currency, Minor, Money};
    use std::collections::BTreeSet;

    #[test]
    fn facts_stand_in_the_sentence() {
        let refusal = illegal("resolved", &["close", "reopen"]);
        assert_eq!(
            refusal.detail(Locale::English),
            "It is resolved; from there it can only go on with: close, reopen."
        );
        let money = Money { amount: Minor::new(29_900).unwrap(), currency: Currency::CNY };
        assert_eq!(spoken(&serde_json::to_value(money).unwrap()), "299.00 CNY");
    }

    #[test]
    fn every_rule_has_a_name_of_its_own_and_speaks_both_languages() {
        let all = rules();
        let codes: BTreeSet<_> = all.iter().map(|rule| rule.code).collect();
        assert_eq!(codes.len(), all.len());
        for rule in all {
            for text in [rule.title, rule.detail, rule.advice] {
                assert!(!text.en.is_empty() && !text.zh.is_empty(), "{}", rule.code);
            }
        }
    }
}
