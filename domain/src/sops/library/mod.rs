//! The library: all procedures of a brand as one document, which it keeps among its other sources, changes
//! there, and hands in again.

mod intake;
pub mod yaml;

pub use intake::{
    KnownSop, SopIntake, SopIntakeReport, SopTaken, SopTakenAction, SopsOfOneCode, TakenSop,
};

use super::{Sop, SopDetails, SopQuestion, SopStep, SopVersion, SopVersionDetails};
use crate::{
    lists::list_of,
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, Code, Line, Name},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The most procedures in one document: more than a brand has, and what is taken over in one go.
pub const MOST_SOPS: usize = 500;

/// Two procedures of a document have the same code.
pub(super) static REPEATED_SOP_CODE: Rule = Rule {
    code: "repeated_sop_code",
    kind: Kind::Unfit,
    title: Bilingual { en: "Two procedures have the same code", zh: "两份规程的编码相同" },
    detail: Bilingual {
        en: "The document names procedure {code} twice.",
        zh: "文档中规程 {code} 出现了两次。",
    },
    advice: Bilingual {
        en: "Leave one of them out, or give it a code of its own.",
        zh: "请删除其中一份，或为其使用不同的编码。",
    },
};

/// There are more procedures than one document holds.
pub static LIBRARY_TOO_LARGE: Rule = Rule {
    code: "library_too_large",
    kind: Kind::Conflict,
    title: Bilingual {
        en: "Too many procedures for one document",
        zh: "规程数量超出单个文档的上限",
    },
    detail: Bilingual {
        en: "There are more than {most} procedures.",
        zh: "规程数量超过 {most} 份。",
    },
    advice: Bilingual {
        en: "Export them department by department with `department`.",
        zh: "请使用 `department` 按部门分别导出。",
    },
};

/// Procedures as one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "sops": [{
    "code": "filter-change", "name": "换滤芯 Filter change", "department": "after_sales",
    "touchpoint": "annual_visit", "change_note": "First version.",
    "steps": [{ "title": "Shut off the water", "standard": "No drop at the tap.",
                "measure": { "type": "bool" }, "stop": true }],
}] })))]
pub struct SopLibrary {
    /// The procedures, at most 500.
    #[serde(deserialize_with = "list_of::<0, MOST_SOPS, _, _>")]
    #[schema(max_items = 500)]
    pub sops: Vec<SopDocument>,
}

/// One procedure with one version of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "code": "filter-change", "name": "换滤芯 Filter change", "department": "after_sales",
    "touchpoint": "annual_visit", "change_note": "First version.",
    "steps": [{ "title": "Shut off the water", "standard": "No drop at the tap.",
                "measure": { "type": "bool" }, "stop": true }],
})))]
pub struct SopDocument {
    /// The brand's name for it in programs, by which it is known again.
    pub code: Code,
    /// What people call it.
    pub name: Name,
    /// Whose work it describes.
    pub department: super::Department,
    /// When the customer meets it.
    pub touchpoint: Code,
    /// What is different from the version before.
    #[serde(default)]
    pub change_note: Option<Line>,
    /// The questions that show whether somebody has read it.
    #[serde(default, deserialize_with = "list_of::<0, 10, _, _>")]
    #[schema(max_items = 10)]
    pub quiz: Vec<SopQuestion>,
    /// The steps; none when the procedure has no version yet.
    #[serde(default, deserialize_with = "list_of::<0, 100, _, _>")]
    #[schema(max_items = 100)]
    pub steps: Vec<SopStep>,
}

impl SopLibrary {
    /// These procedures, each with a version of it, in the order of their codes.
    pub fn of(sops: impl IntoIterator<Item = (Sop, Option<SopVersion>)>) -> Self {
        let mut sops: Vec<_> =
            sops.into_iter().map(|(sop, version)| SopDocument::of(sop, version)).collect();
        sops.sort_by(|one, other| one.code.cmp(&other.code));
        Self { sops }
    }

    /// The document as it is kept: the same procedures are always the same text.
    pub fn to_yaml(&self) -> String {
        yaml::write(&serde_json::to_value(self).unwrap_or_default())
    }

    /// Makes sure that no procedure stands in it twice, and that each of them holds together.
    ///
    /// # Errors
    ///
    /// `repeated_sop_code`, and those of [`SopVersionDetails::check`], with the place in the document.
    pub fn check(&self) -> Result<(), Refusal> {
        let mut known = BTreeMap::new();
        for (place, sop) in self.sops.iter().enumerate() {
            if known.insert(&sop.code, place).is_some() {
                let refusal = Refusal::new(&REPEATED_SOP_CODE).with("code", &sop.code);
                return Err(refusal.at(format!("/sops/{place}/code")));
            }
            super::references::check(&sop.steps).map_err(|refusal| within(refusal, place))?;
        }
        Ok(())
    }
}

/// The same refusal, with its place in the document.
fn within(refusal: Refusal, place: usize) -> Refusal {
    let inner = refusal.place.clone().unwrap_or_default();
    refusal.at(format!("/sops/{place}{inner}"))
}

impl SopDocument {
    fn of(sop: Sop, version: Option<SopVersion>) -> Self {
        let SopDetails { code, name, department, touchpoint } = sop.details;
        let said = version.map(|version| version.details);
        let (change_note, quiz, steps) = match said {
            Some(SopVersionDetails { change_note, quiz, steps }) => {
                (Some(change_note), quiz, steps)
            }
            None => (None, Vec::new(), Vec::new()),
        };
        Self { code, name, department, touchpoint, change_note, quiz, steps }
    }

    /// What it says about the procedure.
    fn details(&self) -> SopDetails {
        SopDetails {
            code: self.code.clone(),
            name: self.name.clone(),
            department: self.department,
            touchpoint: self.touchpoint.clone(),
        }
    }

    /// What a version of it says; `None` when it has none. Where no note says what is different, `otherwise`
    /// does.
    fn version(self, otherwise: &Line) -> Option<SopVersionDetails> {
        let change_note = self.change_note.unwrap_or_else(|| otherwise.clone());
        let (quiz, steps) = (self.quiz, self.steps);
        (!steps.is_empty()).then_some(SopVersionDetails { change_note, quiz, steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sops::{
        Department,
        samples::{details, quizzes, steps, version},
    };
    use proptest::prelude::*;

    fn document(code: &str, steps: Vec<SopStep>) -> SopDocument {
        SopDocument {
            code: code.parse().unwrap(),
            name: "换滤芯".parse().unwrap(),
            department: Department::AfterSales,
            touchpoint: "annual_visit".parse().unwrap(),
            change_note: None,
            quiz: Vec::new(),
            steps,
        }
    }

    fn read(text: &str) -> SopLibrary {
        serde_json::from_value(yaml::read(text).unwrap()).unwrap()
    }

    #[test]
    fn a_library_is_written_as_one_writes_it_by_hand() {
        let sops = vec![document("filter-change", details(1).steps), document("idea", Vec::new())];
        let text = "\
sops:
- code: filter-change
  name: 换滤芯
  department: after_sales
  touchpoint: annual_visit
  steps:
  - title: Step 1
    standard: Done and clean.
    measure:
      type: bool
- code: idea
  name: 换滤芯
  department: after_sales
  touchpoint: annual_visit
";
        let library = SopLibrary { sops };
        assert_eq!(library.to_yaml(), text);
        assert_eq!(read(text), library);
        assert_eq!(SopLibrary { sops: Vec::new() }.to_yaml(), "sops: []\n");
    }

    #[test]
    fn procedures_come_in_the_order_of_their_codes() {
        let sop = |code: &str| {
            let mut sop = Sop::create(
                uuid::Uuid::from_u128(1).into(),
                document(code, Vec::new()).details(),
                "2026-11-22T09:30:00Z".parse().unwrap(),
            );
            sop.record.latest_number = 1;
            (sop.record, Some(version(1, details(1))))
        };
        let library = SopLibrary::of([sop("b"), sop("a")]);
        let codes: Vec<_> = library.sops.iter().map(|sop| sop.code.to_string()).collect();
        assert_eq!(codes, ["a", "b"]);
    }

    #[test]
    fn a_code_stands_once_and_steps_are_checked_where_they_stand() {
        let twice = SopLibrary { sops: vec![document("a", Vec::new()), document("a", Vec::new())] };
        let refusal = twice.check().unwrap_err();
        assert_eq!(
            (refusal.rule, refusal.place.as_deref()),
            (&REPEATED_SOP_CODE, Some("/sops/1/code"))
        );
        let mut steps = details(2).steps;
        steps[1].condition = Some("step.nobody == 1".parse().unwrap());
        let wrong = SopLibrary { sops: vec![document("a", Vec::new()), document("b", steps)] };
        let refusal = wrong.check().unwrap_err();
        assert_eq!(refusal.place.as_deref(), Some("/sops/1/steps/1/condition"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_and_written_the_same(
            steps in steps(), quiz in quizzes(), note in crate::sops::samples::line(),
        ) {
            let sop = SopDocument { quiz, change_note: Some(note), ..document("a", steps) };
            let library = SopLibrary { sops: vec![sop] };
            let text = library.to_yaml();
            let again = read(&text);
            prop_assert_eq!(&again, &library, "{}", text);
            prop_assert_eq!(again.to_yaml(), text);
        }
    }
}
