//! Conditions are read, bounded and answered.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn condition(text: &str) -> Condition {
    Condition::new(text).unwrap_or_else(|mistake| panic!("{text}: {mistake:?}"))
}

fn mistake(text: &str) -> String {
    Condition::new(text).map_or_else(|mistake| mistake.code, |_| "none".to_owned())
}

fn gold() -> ConditionFacts {
    serde_json::from_value(json!({
        "customer": { "tier": "gold", "lifecycle": "buyer", "locale": "zh-CN" },
        "place": { "region": "hangzhou" },
        "order": { "total_minor": 299_900, "currency": "CNY", "line_count": 2 },
        "event": { "reason": "first visit", "amount": 7 },
        "step": { "tds": 35.5, "flush-time": 5, "clean": true },
    }))
    .unwrap()
}

#[test]
fn a_condition_asks_for_what_is_known() {
    for (text, answer) in [
        ("customer.tier == \"gold\"", true),
        ("customer.tier in ['silver', 'platinum']", false),
        ("order.total_minor >= 299900 && order.line_count < 3", true),
        ("place.region.startsWith('hang') || false", true),
        ("!(customer.lifecycle == 'lead')", true),
        ("order.total_minor / order.line_count > 149950", false),
        ("order.line_count == 2 ? place.region == 'hangzhou' : false", true),
        ("step.tds > 35.4 && step['flush-time'] == 5 && step.clean", true),
        ("event.amount == 7 && event.reason.contains('visit') && size(event.reason) == 11", true),
        ("true", true),
        ("customer.locale\n\t== 'zh-CN'", true),
    ] {
        assert_eq!(condition(text).holds(&gold()), Ok(answer), "{text}");
    }
}

#[test]
fn a_fact_that_is_not_known_is_null_and_named() {
    let facts = gold();
    for (text, missing) in [
        ("weather.temp_c10 == null", "weather.temp_c10"),
        ("customer.kind == null && event.nothing == null", "customer.kind,event.nothing"),
        ("step.photo == null || step['not-done'] == 1", "step[\"not-done\"],step.photo"),
        ("place.site != 'west-lake'", "place.site"),
        ("weather.temp_c10 == null || weather.temp_c10 > 300", "weather.temp_c10"),
    ] {
        assert_eq!(condition(text).holds(&facts), Ok(true), "{text}");
        assert_eq!(condition(text).missing(&facts).join(","), missing, "{text}");
    }
    assert_eq!(condition("customer.tier == 'gold'").missing(&facts), Vec::<String>::new());
    let refusal = condition("weather.temp_c10 > 300").holds(&facts).unwrap_err();
    assert_eq!(refusal.rule.code, "condition_undecided");
    assert_eq!(refusal.facts["missing"], json!(["weather.temp_c10"]));
    for text in ["order.total_minor > 'a'", "order.total_minor / 0 == 1", "!customer.tier"] {
        let refusal = condition(text).holds(&facts).unwrap_err();
        assert_eq!(refusal.rule.code, "condition_undecided", "{text}");
        assert_eq!(refusal.facts["missing"], json!([]), "{text}");
    }
}

#[test]
fn a_whole_number_computes_as_any_other() {
    for (text, whole, broken) in [
        ("step.tds * 2 > 70.5", false, true),
        ("step.tds + 1 == 36", true, false),
        ("step.tds - 0.5 == 34.5", true, false),
        ("step.tds / 2 > 17", true, true),
        ("-step.tds < -35", false, true),
        ("step.tds in [35, 36]", true, false),
        ("step.tds + size('abc') > 38", false, true),
        ("size([1, 2]) / 4 == 0.5 && 7 / 2 == 3.5", true, true),
    ] {
        for (tds, answer) in [(json!(35), whole), (json!(35.0), whole), (json!(35.5), broken)] {
            let facts: ConditionFacts =
                serde_json::from_value(json!({ "step": { "tds": tds } })).unwrap();
            assert_eq!(condition(text).holds(&facts), Ok(answer), "{text} with {tds}");
        }
    }
}

#[test]
fn amounts_are_told_apart_and_nothing_is_divided_by_nothing() {
    let facts = json!({ "order": { "total_minor": crate::money::MOST_MINOR, "line_count": 0 } });
    let facts: ConditionFacts = serde_json::from_value(facts).unwrap();
    for text in ["order.total_minor > 999999999999999", "order.total_minor * 1.5 > 1"] {
        assert_eq!(condition(text).holds(&facts), Ok(true), "{text}");
    }
    for text in ["order.total_minor / order.line_count > 1", "0 / order.line_count == 0"] {
        let refusal = condition(text).holds(&facts).unwrap_err();
        assert_eq!(refusal.rule.code, "condition_undecided", "{text}");
    }
}

#[test]
fn an_answer_is_yes_or_no() {
    for text in
        ["1 + 1", "'gold'", "null", "size('a')", "[true]", "true ? 1 : 2", "-order.line_count"]
    {
        assert_eq!(mistake(text), "condition_malformed", "{text}");
    }
    for text in ["customer.tier", "event.amount", "step['flush-time']", "event.nothing"] {
        let refusal = condition(text).holds(&gold()).unwrap_err();
        assert_eq!(refusal.rule.code, "condition_not_boolean", "{text}");
    }
}

#[test]
fn what_may_not_end_is_refused() {
    for text in [
        "[1, 2].all(x, x > 1)",
        "[1, 2].exists(x, x > 1)",
        "['a'].exists_one(x, x == 'a')",
        "size([1].map(x, x * 2)) == 1",
        "size([1].filter(x, x > 1)) == 0",
        "customer.tier.matches('(a+)+$')",
        "matches(customer.tier, '(a+)+$')",
    ] {
        assert_eq!(mistake(text), "condition_may_not_end", "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_the_place() {
    for text in [
        "customer.tier ==",
        "(true",
        "true)",
        "a b",
        "customer.tier == 'gold",
        "'a\nb' == 'c'",
        "{'a': 1}.a == 1",
        "customer.tier == \"go\\\"ld\"",
        "true // always",
        "1 == 1u",
        "b'a' == b'a'",
        "customer.tier = 'gold'",
        "customer.?tier == 'gold'",
        "event[0] == 1",
        "customer.tier[0] == 'g'",
        "\u{7}true",
        "truе ~ 1",
        "`a`",
        "r'a' == 'a'",
        "order.line_count == 9223372036854775808",
        "order.line_count % 2 == 0",
        "R'a' == 'a'",
        // A text in three quotation marks would hide what is behind it from a look for words and brackets.
        "'''a''' == 'a'",
        "\"\"\"a\"\"\" == 'a'",
        "''' ' ''' == 'a' || ((((((((((((true)))))))))))) || ''' ' ''' == 'a'",
    ] {
        assert_eq!(mistake(text), "condition_malformed", "{text}");
    }
    let said = Condition::new("customer.tier ==").unwrap_err();
    assert!(said.message.contains("line 1, character 17"), "{}", said.message);
    assert!(said.says(crate::text::Locale::Chinese).contains("第 1 行第 17 个字符"));
}

#[test]
fn a_function_is_called_as_it_is_written() {
    for text in [
        "contains(customer.tier, 'g')",
        "customer.tier.contains()",
        "customer.tier.contains('g', 'o')",
        "startsWith('g')",
        "customer.tier.endsWith('g', 'd')",
        "size() == 0",
        "size('a', 'b') == 2",
        "customer.tier.size('a') == 1",
    ] {
        assert_eq!(mistake(text), "condition_malformed", "{text}");
    }
    for text in ["customer.tier.contains('ol')", "customer.tier.size() == 4"] {
        assert_eq!(condition(text).holds(&gold()), Ok(true), "{text}");
    }
    let said = Condition::new("size() == 0").unwrap_err();
    assert!(said.message.contains("`size` is written as in `size(event.reason)`"));
    for (_, example) in grammar::FUNCTIONS {
        let asked = if example.starts_with("size") { " > 0" } else { "" };
        condition(&format!("{example}{asked}"));
    }
}

#[test]
fn what_nobody_knows_is_refused_and_what_is_known_is_listed() {
    for text in [
        "customer.name == '李娜'",
        "tier == 'gold'",
        "customer == null",
        "weather.wind > 3",
        "event == null",
        "customer.tier.upper() == 'GOLD'",
        "string(order.line_count) == '2'",
        "has(customer.tier)",
        ".customer.tier == 'a'",
        "event.total.amount == 1",
        "order.nothing.more == 1",
        "type(1) == int",
        "duration('1s') == duration('1s')",
        "order['name'] == 1",
        "event.Reason == 'a'",
    ] {
        assert_eq!(mistake(text), "condition_unknown_name", "{text}");
    }
    let said = Condition::new("weather.wind > 3").unwrap_err();
    assert!(
        said.message.starts_with("nobody knows `weather.wind`; known are: "),
        "{}",
        said.message
    );
    assert!(said.allowed.contains(&"weather.temp_c10".to_owned()));
}

#[test]
fn a_condition_is_short_flat_and_of_few_parts() {
    let long = |spaces: usize| format!("true{}", " ".repeat(spaces));
    assert_eq!(mistake(&long(496)), "none");
    assert_eq!(mistake(&long(497)), "too_long");
    assert_eq!(mistake("  "), "blank");
    let deep = |brackets: usize| format!("{}true{}", "(".repeat(brackets), ")".repeat(brackets));
    assert_eq!(mistake(&deep(10)), "none");
    assert_eq!(mistake(&deep(11)), "condition_too_complex");
    let chosen = |choices: usize| format!("{}true", "true?true:".repeat(choices));
    assert_eq!(mistake(&chosen(10)), "none");
    assert_eq!(mistake(&chosen(11)), "condition_too_complex");
    // A sum is as deep as it has parts, below the comparison it stands in.
    let sum = |parts: usize| format!("{} == 0", vec!["1"; parts].join("+"));
    assert_eq!(mistake(&sum(24)), "none");
    assert_eq!(mistake(&sum(25)), "condition_too_complex");
    // Whatever passes the look over a text is stopped by the parser, which says the same.
    let parser = LANGUAGE.parser().max_recursion_depth(grammar::PARSER_DEPTH);
    let unread = parser.parse(&deep(13)).unwrap_err();
    assert_eq!(grammar::cannot_read(&unread).code, "condition_too_complex", "{unread:?}");
    // 120 pieces: a list of 58 numbers, with the commas, the brackets, `in` and what is looked for.
    let list = |numbers: usize| format!("1 in [{}]", vec!["1"; numbers].join(","));
    assert_eq!(mistake(&list(58)), "none");
    assert_eq!(mistake(&list(59)), "condition_too_complex");
}

#[test]
fn the_known_names_are_those_of_the_facts() {
    let facts = serde_json::to_value(ConditionFacts::default()).unwrap();
    let groups: Vec<_> = facts.as_object().unwrap().keys().map(String::as_str).collect();
    let known: BTreeSet<_> = grammar::ROOTS.iter().map(|root| root.name).collect();
    assert_eq!(groups.iter().copied().collect::<BTreeSet<_>>(), known);
    for root in grammar::ROOTS {
        let Some(members) = root.members else { continue };
        let told: BTreeSet<_> =
            facts[root.name].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(told, members.iter().copied().collect(), "{}", root.name);
    }
}

#[test]
fn a_trial_says_what_comes_of_it() {
    for (text, outcome, missing) in [
        ("customer.tier == 'gold'", ConditionOutcome::Holds, 0),
        ("place.site == 'west-lake'", ConditionOutcome::DoesNotHold, 1),
        ("weather.temp_c10 > 300", ConditionOutcome::Undecided, 1),
        ("customer.tier", ConditionOutcome::NotBoolean, 0),
    ] {
        let trial = condition(text).try_out(&gold());
        assert_eq!((trial.outcome, trial.missing.len()), (outcome, missing), "{text}");
    }
}

#[test]
fn a_condition_reads_back_as_it_was_written() {
    let written = condition("customer.tier  ==  'gold'");
    let shown = serde_json::to_value(&written).unwrap();
    assert_eq!(shown, "customer.tier  ==  'gold'");
    assert_eq!(serde_json::from_value::<Condition>(shown).unwrap(), written);
}

/// Words and signs that conditions are made of, and some that they are not.
const PIECES: [&str; 48] = [
    "customer.tier",
    "order.total_minor",
    "weather.temp_c10",
    "event.a",
    "step[\"b\"]",
    "true",
    "false",
    "null",
    "'x'",
    "\"y\"",
    "1",
    "0",
    "9223372036854775807",
    "1.5",
    "'''",
    "size(event.a)",
    "==",
    "!=",
    "<",
    ">=",
    "&&",
    "||",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "in",
    "?",
    ":",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "size(",
    ".contains('x')",
    ".all(",
    "{",
    "}",
    "e",
    " ",
    "1u",
    "b'",
    "\\",
    "李",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn garbage_is_refused_and_never_panics(text in "\\PC{0,120}") {
        if let Ok(condition) = Condition::new(text) {
            drop(condition.holds(&gold()));
        }
    }

    #[test]
    fn pieces_in_any_order_are_refused_or_answered(
        picks in prop::collection::vec(0..PIECES.len(), 1..40), spaced in any::<bool>(),
    ) {
        let pieces: Vec<_> = picks.into_iter().map(|pick| PIECES[pick]).collect();
        if let Ok(condition) = Condition::new(pieces.join(if spaced { " " } else { "" })) {
            drop(condition.holds(&gold()));
            drop(condition.holds(&ConditionFacts::default()));
        }
    }

    #[test]
    fn whatever_is_read_reads_back_and_answers_the_same(
        numbers in prop::collection::vec(-1_000_i64..1_000, 1..20), looked_for in -1_000_i64..1_000,
    ) {
        let listed: Vec<_> = numbers.iter().map(ToString::to_string).collect();
        let condition = condition(&format!("event.n in [{}]", listed.join(", ")));
        let facts: ConditionFacts = serde_json::from_value(json!({ "event": { "n": looked_for } })).unwrap();
        prop_assert_eq!(condition.holds(&facts), Ok(numbers.contains(&looked_for)));
    }
}
