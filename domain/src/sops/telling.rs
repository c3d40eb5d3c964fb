//! Differences in sentences, for whoever reviews a version.

use super::{SopDifference, SopFieldDifference, SopStepChange, SopStepDifference};
use crate::text::{Bilingual, Locale};
use serde_json::Value;
use std::fmt::Write as _;

/// What fields are called, by their name on the wire.
const FIELDS: &[(&str, Bilingual)] = &[
    ("amount", Bilingual { en: "minor units", zh: "最小货币单位" }),
    ("answer", Bilingual { en: "answer", zh: "答案" }),
    ("approval_rank", Bilingual { en: "rank that may waive it", zh: "可免除的最低级别" }),
    ("assignee", Bilingual { en: "who does it", zh: "执行人" }),
    ("choices", Bilingual { en: "choices", zh: "选项" }),
    ("condition", Bilingual { en: "condition", zh: "条件" }),
    ("cost_cap", Bilingual { en: "most that it may cost", zh: "费用上限" }),
    ("currency", Bilingual { en: "currency", zh: "币种" }),
    ("due", Bilingual { en: "due", zh: "期限" }),
    ("evidence", Bilingual { en: "evidence", zh: "凭证" }),
    ("from", Bilingual { en: "from", zh: "起算点" }),
    ("key", Bilingual { en: "key", zh: "标识" }),
    ("measure", Bilingual { en: "measure", zh: "衡量" }),
    ("meets_standard", Bilingual { en: "meets the standard", zh: "达标" }),
    ("obligation", Bilingual { en: "obligation", zh: "必做" }),
    ("op", Bilingual { en: "comparison", zh: "比较" }),
    ("question", Bilingual { en: "question", zh: "题目" }),
    ("quiz", Bilingual { en: "quiz", zh: "测验" }),
    ("role", Bilingual { en: "role", zh: "角色" }),
    ("rule", Bilingual { en: "rule", zh: "规则" }),
    ("service_item_code", Bilingual { en: "service", zh: "服务项目" }),
    ("standard", Bilingual { en: "standard", zh: "标准" }),
    ("step", Bilingual { en: "step", zh: "步骤" }),
    ("stop", Bilingual { en: "stop step", zh: "停止步骤" }),
    ("target_degree", Bilingual { en: "target degree", zh: "目标程度" }),
    ("threshold", Bilingual { en: "threshold", zh: "阈值" }),
    ("title", Bilingual { en: "title", zh: "标题" }),
    ("type", Bilingual { en: "type", zh: "类型" }),
    ("unit", Bilingual { en: "unit", zh: "单位" }),
    ("within_minutes", Bilingual { en: "minutes", zh: "分钟数" }),
    ("working_time", Bilingual { en: "working time only", zh: "只计工作时间" }),
];

impl SopDifference {
    /// The same, with what it says in sentences.
    #[must_use]
    pub fn told(self, locale: Locale) -> Self {
        let mut text = heading(&self, locale);
        for field in &self.fields {
            tell_field(&mut text, field, locale);
        }
        for step in &self.steps {
            tell_step(&mut text, step, locale);
        }
        Self { text, ..self }
    }
}

fn heading(difference: &SopDifference, locale: Locale) -> String {
    let SopDifference { number, added, removed, moved, changed, unchanged, .. } = difference;
    match (locale, difference.against_number) {
        (Locale::English, Some(other)) => format!(
            "Steps of version {number} against version {other}: {added} added, {removed} removed, {moved} moved, {changed} changed, {unchanged} unchanged.\n"
        ),
        (Locale::English, None) => {
            format!("Steps of version {number}, with nothing before it: {added} added.\n")
        }
        (Locale::Chinese, Some(other)) => format!(
            "第 {number} 版与第 {other} 版相比：新增 {added} 步，删除 {removed} 步，移动 {moved} 步，修改 {changed} 步，未变 {unchanged} 步。\n"
        ),
        (Locale::Chinese, None) => {
            format!("第 {number} 版，此前没有版本：新增 {added} 步。\n")
        }
    }
}

fn tell_step(text: &mut String, step: &SopStepDifference, locale: Locale) {
    let sign = match step.change {
        SopStepChange::Added => '+',
        SopStepChange::Removed => '-',
        SopStepChange::Moved => '>',
        SopStepChange::Changed => '~',
    };
    let position = step.position_after.or(step.position_before).unwrap_or_default();
    line(text, &format!("{sign} {position}. {}{}", step.title, came_from(step, locale)));
    for field in &step.fields {
        tell_field(text, field, locale);
    }
}

/// Where a step that was moved stood before.
fn came_from(step: &SopStepDifference, locale: Locale) -> String {
    let Some(from) = step.position_before.filter(|_| step.is_moved) else { return String::new() };
    match locale {
        Locale::English => format!(" (was {from}.)"),
        Locale::Chinese => format!("（原第 {from} 步）"),
    }
}

fn tell_field(text: &mut String, field: &SopFieldDifference, locale: Locale) {
    let name = called(&field.field, locale);
    let [before, after] = [&field.before, &field.after].map(|value| spoken(value, locale));
    let colon = match locale {
        Locale::English => ": ",
        Locale::Chinese => "：",
    };
    line(text, &format!("    {name}{colon}{before} → {after}"));
}

/// Writing to a text does not fail.
fn line(text: &mut String, line: &str) {
    let _written = writeln!(text, "{line}");
}

fn called(field: &str, locale: Locale) -> &str {
    let known = FIELDS.iter().find(|(name, _)| *name == field);
    known.map_or(field, |(_, name)| name.get(locale))
}

/// A value as a person reads it. Texts stand in quotation marks, so that a space at their end is seen, and on
/// one line.
fn spoken(value: &Value, locale: Locale) -> String {
    let yes_no = |yes: bool| match (locale, yes) {
        (Locale::English, true) => "yes",
        (Locale::English, false) => "no",
        (Locale::Chinese, true) => "是",
        (Locale::Chinese, false) => "否",
    };
    let parted = |parts: Vec<String>| match locale {
        Locale::English => parts.join(", "),
        Locale::Chinese => parts.join("，"),
    };
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(yes) => yes_no(*yes).to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => value.to_string(),
        Value::Array(items) => {
            format!("[{}]", parted(items.iter().map(|item| spoken(item, locale)).collect()))
        }
        Value::Object(members) => {
            let said = members.iter().filter(|(_, value)| !value.is_null());
            parted(
                said.map(|(name, value)| {
                    format!("{} {}", called(name, locale), spoken(value, locale))
                })
                .collect(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sops::{
        SopVersionDetails,
        samples::{details, version},
    };
    use serde_json::json;

    fn difference() -> SopDifference {
        let step = |key: &str, more: Value| {
            let mut step = json!({
                "key": key, "title": format!("Step {key}"), "standard": "Done.",
                "measure": { "type": "bool" },
            });
            step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            step
        };
        let of = |steps: Vec<Value>| -> SopVersionDetails {
            serde_json::from_value(json!({ "change_note": "Another.", "steps": steps })).unwrap()
        };
        let none = || json!({});
        let older = of(vec![step("a", none()), step("b", none()), step("c", none())]);
        let measure =
            json!({ "type": "number", "unit": "ppm", "op": "at_most", "threshold": 40.5 });
        let reworded = json!({ "measure": measure, "stop": true, "standard": "Done.\nAnd clean." });
        let newer = of(vec![step("c", none()), step("a", reworded), step("d", none())]);
        version(2, newer).differs_from(Some(&version(1, older))).unwrap()
    }

    #[test]
    fn a_reviewer_reads_what_is_different() {
        let english = "\
Steps of version 2 against version 1: 1 added, 1 removed, 1 moved, 1 changed, 0 unchanged.
> 1. Step c (was 3.)
~ 2. Step a
    measure: type \"bool\" → comparison \"at_most\", threshold 40.5, type \"number\", unit \"ppm\"
    standard: \"Done.\" → \"Done.\\nAnd clean.\"
    stop step: no → yes
+ 3. Step d
- 2. Step b
";
        assert_eq!(difference().told(Locale::English).text, english);
        let chinese = "\
第 2 版与第 1 版相比：新增 1 步，删除 1 步，移动 1 步，修改 1 步，未变 0 步。
> 1. Step c（原第 3 步）
~ 2. Step a
    衡量：类型 \"bool\" → 比较 \"at_most\"，阈值 40.5，类型 \"number\"，单位 \"ppm\"
    标准：\"Done.\" → \"Done.\\nAnd clean.\"
    停止步骤：否 → 是
+ 3. Step d
- 2. Step b
";
        assert_eq!(difference().told(Locale::Chinese).text, chinese);
    }

    #[test]
    fn a_first_version_stands_alone() {
        let first = version(1, details(1)).differs_from(None).unwrap();
        let text = first.told(Locale::English).text;
        assert_eq!(text, "Steps of version 1, with nothing before it: 1 added.\n+ 1. Step 1\n");
    }

    #[test]
    fn every_field_of_a_step_has_a_name_in_both_languages() {
        let step = serde_json::to_value(&details(1).steps[0]).unwrap();
        for name in step.as_object().unwrap().keys() {
            assert!(FIELDS.iter().any(|(known, _)| known == name), "{name}");
        }
    }
}
