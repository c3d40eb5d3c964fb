//! References between the steps of a version: each goes to a step that is there, and none leads back to
//! where it began.

use super::SopStep;
use crate::{
    refusal::{Kind, Refusal, Rule},
    text::Bilingual,
};
use std::collections::BTreeMap;

/// Two steps of a version have the same key.
pub(super) static REPEATED_STEP_KEY: Rule = Rule {
    code: "repeated_step_key",
    kind: Kind::Unfit,
    title: Bilingual { en: "Two steps have the same key", zh: "两个步骤的标识相同" },
    detail: Bilingual {
        en: "Steps {first_position} and {position} are both called {key}.",
        zh: "第 {first_position} 步和第 {position} 步的标识都是 {key}。",
    },
    advice: Bilingual {
        en: "Give each step a key of its own, or leave it out where nothing refers to the step.",
        zh: "请为每个步骤使用不同的标识；没有被引用的步骤可以不填。",
    },
};

/// A step refers to one that the version does not have.
pub(super) static UNKNOWN_STEP_KEY: Rule = Rule {
    code: "unknown_step_key",
    kind: Kind::Unfit,
    title: Bilingual { en: "There is no such step", zh: "没有这个步骤" },
    detail: Bilingual {
        en: "Step {position} refers to the step {key}, and no step of this version has that key.",
        zh: "第 {position} 步引用了步骤 {key}，但该版本中没有步骤使用这个标识。",
    },
    advice: Bilingual {
        en: "Refer to one of `known_keys`, or give the step that is meant its `key`.",
        zh: "请引用 `known_keys` 中的一项，或为所指的步骤填写 `key`。",
    },
};

/// A step depends on itself, directly or by way of others.
pub(super) static STEP_DEPENDS_ON_ITSELF: Rule = Rule {
    code: "step_depends_on_itself",
    kind: Kind::Unfit,
    title: Bilingual { en: "A step depends on itself", zh: "步骤依赖于自身" },
    detail: Bilingual {
        en: "Step {position} waits for itself: {way}.",
        zh: "第 {position} 步在等待自身：{way}。",
    },
    advice: Bilingual {
        en: "Count the time of one of these steps from the beginning of the run or from another step, and let conditions ask for steps before them.",
        zh: "请让其中一个步骤改为从执行开始时或其他步骤起计时；条件只能引用前面的步骤。",
    },
};

/// A condition asks for what a later step finds.
pub(super) static STEP_DEPENDS_ON_LATER: Rule = Rule {
    code: "step_depends_on_later",
    kind: Kind::Unfit,
    title: Bilingual { en: "A step depends on a later one", zh: "步骤依赖于后面的步骤" },
    detail: Bilingual {
        en: "The condition of step {position} asks for step {key}, which is step {later_position} and not done yet by then.",
        zh: "第 {position} 步的条件引用了步骤 {key}，而它是第 {later_position} 步，届时尚未完成。",
    },
    advice: Bilingual {
        en: "Ask for steps before it only, or move one of the two.",
        zh: "条件只能引用前面的步骤；请修改条件或调整步骤顺序。",
    },
};

/// Makes sure that keys are unique, that what is counted from steps is counted from steps that are there and
/// do not wait for each other, and that conditions ask for steps before them.
///
/// # Errors
///
/// `repeated_step_key`, `unknown_step_key`, `step_depends_on_itself`, `step_depends_on_later`, each at the
/// first step that is wrong.
pub(super) fn check(steps: &[SopStep]) -> Result<(), Refusal> {
    let keys = keys(steps)?;
    for (index, step) in steps.iter().enumerate() {
        check_condition(index, step, &keys)?;
        let Some(named) = counted_from(step) else { continue };
        let place = || format!("/steps/{index}/due/step");
        if !keys.contains_key(named) {
            return Err(unknown(index, named, &keys).at(place()));
        }
        if let Some(way) = way_back(steps, &keys, index) {
            let refusal = Refusal::new(&STEP_DEPENDS_ON_ITSELF).with("position", position(index));
            return Err(refusal.with("way", way.join(" → ")).with("keys", way).at(place()));
        }
    }
    Ok(())
}

/// Makes sure that the condition of a step asks for steps before it.
fn check_condition(
    index: usize,
    step: &SopStep,
    keys: &BTreeMap<&str, usize>,
) -> Result<(), Refusal> {
    let Some(condition) = &step.condition else { return Ok(()) };
    let place = || format!("/steps/{index}/condition");
    for key in condition.steps() {
        let Some(at) = keys.get(key) else { return Err(unknown(index, key, keys).at(place())) };
        if *at == index {
            let refusal = Refusal::new(&STEP_DEPENDS_ON_ITSELF).with("position", position(index));
            return Err(refusal.with("way", key).with("keys", [key]).at(place()));
        }
        if *at > index {
            let refusal = Refusal::new(&STEP_DEPENDS_ON_LATER).with("position", position(index));
            let refusal = refusal.with("key", key).with("later_position", position(*at));
            return Err(refusal.at(place()));
        }
    }
    Ok(())
}

/// The place of each step that has a key.
fn keys(steps: &[SopStep]) -> Result<BTreeMap<&str, usize>, Refusal> {
    let mut keys = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let Some(key) = step.key.as_deref() else { continue };
        if let Some(first) = keys.insert(key, index) {
            let refusal = Refusal::new(&REPEATED_STEP_KEY).with("first_position", position(first));
            let refusal = refusal.with("position", position(index)).with("key", key);
            return Err(refusal.at(format!("/steps/{index}/key")));
        }
    }
    Ok(keys)
}

fn unknown(index: usize, named: &str, keys: &BTreeMap<&str, usize>) -> Refusal {
    let known: Vec<_> = keys.keys().collect();
    let refusal = Refusal::new(&UNKNOWN_STEP_KEY).with("position", position(index));
    refusal.with("key", named).with("known_keys", known)
}

/// The keys on the way from the step at `from` back to it; `None` when the way ends elsewhere. A step counts
/// from one other at most, so there is one way, and it is no longer than the list.
fn way_back<'s>(
    steps: &'s [SopStep],
    keys: &BTreeMap<&'s str, usize>,
    from: usize,
) -> Option<Vec<&'s str>> {
    let mut way = Vec::new();
    let mut at = from;
    for _ in steps {
        let next = counted_from(steps.get(at)?)?;
        way.push(next);
        at = *keys.get(next)?;
        if at == from {
            return Some(way);
        }
    }
    None
}

/// The key of the step from whose end the time of a step is counted.
fn counted_from(step: &SopStep) -> Option<&str> {
    step.due.as_ref()?.step().map(|key| &**key)
}

/// Where a step stands, from 1.
fn position(index: usize) -> usize {
    index.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Locale;
    use serde_json::{Value, json};

    /// Steps with these keys, each counted from the step that is named beside it.
    fn steps(named: &[(&str, Option<&str>)]) -> Vec<SopStep> {
        let step = |(key, from): &(&str, Option<&str>)| {
            let due =
                from.map(|from| json!({ "from": "step", "step": from, "within_minutes": 30 }));
            let step = json!({
                "key": if key.is_empty() { Value::Null } else { json!(key) },
                "title": "Test the brake", "standard": "It holds.",
                "measure": { "type": "bool" }, "due": due,
            });
            serde_json::from_value(step).unwrap()
        };
        named.iter().map(step).collect()
    }

    fn refused(named: &[(&str, Option<&str>)]) -> Refusal {
        check(&steps(named)).unwrap_err()
    }

    #[test]
    fn steps_without_keys_refer_to_nothing() {
        assert_eq!(check(&steps(&[("", None), ("", None)])), Ok(()));
    }

    #[test]
    fn a_key_is_one_step_s() {
        assert_eq!(check(&steps(&[("a", None), ("b", None)])), Ok(()));
        let refusal = refused(&[("a", None), ("b", None), ("a", None)]);
        assert_eq!(refusal.rule, &REPEATED_STEP_KEY);
        assert_eq!(refusal.place.as_deref(), Some("/steps/2/key"));
        assert_eq!(refusal.detail(Locale::English), "Steps 1 and 3 are both called a.");
    }

    #[test]
    fn a_time_is_counted_from_a_step_that_is_there_before_or_after() {
        assert_eq!(check(&steps(&[("a", None), ("b", Some("a"))])), Ok(()));
        assert_eq!(check(&steps(&[("a", Some("b")), ("b", None)])), Ok(()));
        let refusal = refused(&[("a", None), ("b", Some("c"))]);
        assert_eq!(refusal.rule, &UNKNOWN_STEP_KEY);
        assert_eq!(refusal.place.as_deref(), Some("/steps/1/due/step"));
        assert_eq!(refusal.facts.get("known_keys"), Some(&json!(["a", "b"])));
    }

    #[test]
    fn a_step_does_not_depend_on_itself() {
        let refusal = refused(&[("a", None), ("b", Some("b"))]);
        assert_eq!(refusal.rule, &STEP_DEPENDS_ON_ITSELF);
        assert_eq!(refusal.place.as_deref(), Some("/steps/1/due/step"));
        assert_eq!(refusal.detail(Locale::English), "Step 2 waits for itself: b.");
    }

    #[test]
    fn a_condition_asks_for_steps_before_it() {
        let with = |condition: &str| {
            let mut steps = steps(&[("a", None), ("b-1", None), ("c", None)]);
            steps[1].condition = Some(condition.parse().unwrap());
            check(&steps)
        };
        assert_eq!(with("customer.tier == \"gold\""), Ok(()));
        assert_eq!(with("step.a == \"yes\" && step[\"a\"] != \"no\""), Ok(()));
        for (condition, rule) in [
            ("step.c > 1", &STEP_DEPENDS_ON_LATER),
            ("step.a > 1 || step.c > 1", &STEP_DEPENDS_ON_LATER),
            ("step[\"b-1\"] > 1", &STEP_DEPENDS_ON_ITSELF),
            ("step.d > 1", &UNKNOWN_STEP_KEY),
        ] {
            let refusal = with(condition).unwrap_err();
            assert_eq!(refusal.rule, rule, "{condition}");
            assert_eq!(refusal.place.as_deref(), Some("/steps/1/condition"));
        }
        assert_eq!(
            with("step.c > 1").unwrap_err().detail(Locale::English),
            "The condition of step 2 asks for step c, which is step 3 and not done yet by then."
        );
    }

    #[test]
    fn steps_do_not_wait_for_each_other() {
        let refusal = refused(&[("a", Some("c")), ("b", Some("a")), ("c", Some("b"))]);
        assert_eq!(refusal.rule, &STEP_DEPENDS_ON_ITSELF);
        assert_eq!(refusal.detail(Locale::English), "Step 1 waits for itself: c → b → a.");
        // A step that leads into a circle is not in it; those in it are refused.
        let refusal = refused(&[("x", Some("a")), ("a", Some("b")), ("b", Some("a"))]);
        assert_eq!(refusal.facts.get("position"), Some(&json!(2)));
        assert_eq!(check(&steps(&[("a", Some("b")), ("b", Some("c")), ("c", None)])), Ok(()));
    }
}
