//! Starter packs: procedures of a trade to begin with, in both languages, which a brand adopts as drafts and
//! makes its own.

use super::{SopDocument, SopLibrary, library::yaml};
use crate::text::{Code, Line, Locale, Name};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::ToSchema;

/// The packs as they are written, with the texts of both languages side by side.
const WRITTEN: [&str; 7] = [
    include_str!("../../packs/apparel.yaml"),
    include_str!("../../packs/car_dealer.yaml"),
    include_str!("../../packs/e_bike.yaml"),
    include_str!("../../packs/furniture_mattress.yaml"),
    include_str!("../../packs/hotel.yaml"),
    include_str!("../../packs/renovation.yaml"),
    include_str!("../../packs/water_purifier.yaml"),
];

/// All packs in both languages, read when somebody first asks for one.
static PACKS: LazyLock<Vec<(Locale, StarterPack)>> = LazyLock::new(|| {
    let trees = WRITTEN.iter().filter_map(|text| yaml::read(text).ok());
    let in_both = trees.flat_map(|tree| {
        [Locale::English, Locale::Chinese]
            .map(|locale| Some((locale, serde_json::from_value(said_in(&tree, locale)).ok()?)))
    });
    in_both.flatten().collect()
});

/// Procedures of a trade to begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "code": "water_purifier", "name": "Water purifiers",
    "summary": "Installation, filter change and care of purifiers at home.",
    "sops": [{
        "code": "purifier-filter-change", "name": "Filter change", "department": "after_sales",
        "touchpoint": "annual_visit", "change_note": null, "quiz": [],
        "steps": [{
            "key": "shut-off", "title": "Shut off the water", "standard": "No drop at the tap.",
            "target_degree": null, "measure": { "type": "bool" }, "stop": true, "obligation": true,
            "approval_rank": null, "assignee": { "rule": "runner" }, "due": null, "condition": null,
            "evidence": [], "service_item_code": null, "cost_cap": null,
        }],
    }],
})))]
pub struct StarterPack {
    /// The trade, as a name for programs.
    pub code: Code,
    /// What the trade is called.
    pub name: Name,
    /// What is in it.
    pub summary: Line,
    /// The procedures.
    pub sops: Vec<SopDocument>,
}

/// What a starter pack is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StarterPackSummary {
    /// The trade, as a name for programs.
    #[schema(examples("water_purifier"))]
    pub code: Code,
    /// What the trade is called.
    #[schema(examples("Water purifiers"))]
    pub name: Name,
    /// What is in it.
    #[schema(examples("Installation, filter change and care of purifiers at home."))]
    pub summary: Line,
    /// How many procedures it has.
    #[schema(examples(5))]
    pub sop_count: usize,
}

/// What is chosen when a pack is adopted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "locale": "zh-CN" })))]
pub struct StarterPackAdoption {
    /// The language of the texts.
    pub locale: Locale,
}

impl StarterPack {
    /// All packs in one language, by their codes.
    pub fn all(locale: Locale) -> impl Iterator<Item = &'static Self> {
        let spoken = PACKS.iter().filter(move |(language, _)| *language == locale);
        spoken.map(|(_, pack)| pack)
    }

    /// The pack of a trade; `None` when there is none.
    pub fn find(code: &Code, locale: Locale) -> Option<&'static Self> {
        Self::all(locale).find(|pack| pack.code == *code)
    }

    /// What it is about.
    pub fn summary(&self) -> StarterPackSummary {
        StarterPackSummary {
            code: self.code.clone(),
            name: self.name.clone(),
            summary: self.summary.clone(),
            sop_count: self.sops.len(),
        }
    }

    /// Its procedures, to be taken over.
    pub fn library(&self) -> SopLibrary {
        SopLibrary { sops: self.sops.clone() }
    }

    /// What the drafts of an adopted pack say about themselves: the name of the pack.
    pub fn change_note(&self, locale: Locale) -> Option<Line> {
        let note = match locale {
            Locale::English => format!("From the starter pack \"{}\".", self.name),
            Locale::Chinese => format!("来自入门包“{}”。", self.name),
        };
        Line::new(note).ok()
    }
}

/// The same tree with the text of one language wherever both stand side by side.
fn said_in(tree: &Value, locale: Locale) -> Value {
    match tree {
        Value::Object(members) => {
            let both = (members.get("zh"), members.get("en"));
            if let ((Some(zh), Some(en)), 2) = (both, members.len()) {
                return match locale {
                    Locale::Chinese => zh.clone(),
                    Locale::English => en.clone(),
                };
            }
            let said = members.iter().map(|(name, value)| (name.clone(), said_in(value, locale)));
            Value::Object(said.collect())
        }
        Value::Array(items) => items.iter().map(|item| said_in(item, locale)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => tree.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sops::{Department, SopStep};
    use std::collections::BTreeSet;

    const TRADES: [&str; 7] = [
        "apparel",
        "car_dealer",
        "e_bike",
        "furniture_mattress",
        "hotel",
        "renovation",
        "water_purifier",
    ];

    fn read(text: &str, locale: Locale) -> StarterPack {
        let tree = yaml::read(text).unwrap_or_else(|mistake| panic!("{mistake:?} in {text}"));
        let said = said_in(&tree, locale);
        let code = said["code"].clone();
        serde_json::from_value(said).unwrap_or_else(|error| panic!("{code}: {error}"))
    }

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    #[test]
    fn every_pack_is_read_in_both_languages() {
        for locale in [Locale::English, Locale::Chinese] {
            let read: Vec<_> = WRITTEN.iter().map(|text| read(text, locale)).collect();
            let codes: Vec<_> = read.iter().map(|pack| pack.code.to_string()).collect();
            assert_eq!(codes, TRADES);
            assert_eq!(StarterPack::all(locale).cloned().collect::<Vec<_>>(), read);
        }
    }

    #[test]
    fn every_procedure_of_a_pack_holds_together() {
        let mut codes = BTreeSet::new();
        for pack in StarterPack::all(Locale::English) {
            pack.library().check().unwrap_or_else(|refusal| panic!("{}: {refusal}", pack.code));
            assert!((4..=6).contains(&pack.sops.len()), "{}", pack.code);
            let departments: BTreeSet<_> = pack.sops.iter().map(|sop| sop.department).collect();
            assert!(departments.len() >= 3, "{}: {departments:?}", pack.code);
            for sop in &pack.sops {
                assert!((4..=8).contains(&sop.steps.len()), "{}", sop.code);
                assert!(codes.insert(sop.code.clone()), "{} stands in two packs", sop.code);
                assert!(sop.steps.iter().all(|step| step.key.is_some()), "{}", sop.code);
            }
        }
    }

    #[test]
    fn a_pack_makes_use_of_what_a_step_can_say() {
        for pack in StarterPack::all(Locale::English) {
            let steps: Vec<&SopStep> = pack.sops.iter().flat_map(|sop| &sop.steps).collect();
            let some = |says: fn(&SopStep) -> bool| steps.iter().any(|step| says(step));
            assert!(some(|step| step.stop), "{}: no stop step", pack.code);
            assert!(some(|step| step.obligation), "{}: no obligation", pack.code);
            assert!(some(|step| step.due.is_some()), "{}: nothing is due", pack.code);
            assert!(some(|step| step.condition.is_some()), "{}: no condition", pack.code);
            assert!(some(|step| !step.evidence.is_empty()), "{}: no evidence", pack.code);
            assert!(pack.sops.iter().any(|sop| !sop.quiz.is_empty()), "{}: no quiz", pack.code);
        }
    }

    /// What a document says in words, and what is left when the words are taken out.
    fn parted(value: &Value, name: &str, words: &mut Vec<String>) -> Value {
        const WORDS: [&str; 9] = [
            "name",
            "summary",
            "title",
            "standard",
            "target_degree",
            "answer",
            "question",
            "choices",
            "change_note",
        ];
        match value {
            Value::String(text) if WORDS.contains(&name) => {
                words.push(text.clone());
                Value::Null
            }
            Value::Array(items) => items.iter().map(|item| parted(item, name, words)).collect(),
            Value::Object(members) => {
                let rest =
                    members.iter().map(|(name, value)| (name.clone(), parted(value, name, words)));
                Value::Object(rest.collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    #[test]
    fn both_languages_say_the_same_in_other_words() {
        let packs = StarterPack::all(Locale::English).zip(StarterPack::all(Locale::Chinese));
        for (english, chinese) in packs {
            let (mut in_english, mut in_chinese) = (Vec::new(), Vec::new());
            let english = parted(&serde_json::to_value(english).unwrap(), "", &mut in_english);
            let chinese = parted(&serde_json::to_value(chinese).unwrap(), "", &mut in_chinese);
            assert_eq!(english, chinese);
            assert_eq!(in_english.len(), in_chinese.len());
            for (english, chinese) in in_english.iter().zip(&in_chinese) {
                assert!(!is_chinese(english), "{english}");
                assert!(is_chinese(chinese), "{chinese}");
            }
        }
    }

    #[test]
    fn the_departments_of_all_packs_together_are_all() {
        let all = StarterPack::all(Locale::Chinese).flat_map(|pack| &pack.sops);
        let departments: BTreeSet<_> = all.map(|sop| sop.department).collect();
        let expected = [
            Department::Sales,
            Department::Delivery,
            Department::CustomerService,
            Department::AfterSales,
        ];
        assert_eq!(departments, expected.into());
    }
}
