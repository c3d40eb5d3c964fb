//! Acknowledgements: somebody has read a version, and shows that they have understood it.

use super::{SopVersion, SopVersionState};
use crate::{
    change::Change,
    identity::Actor,
    ids::{DealerId, SopAcknowledgementId, SopId, SopVersionId, StaffId},
    money::BasisPoints,
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule},
    text::Bilingual,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The share of right answers from which a quiz is passed: four of five.
pub const PASSED_FROM_BP: u32 = 8_000;

/// A program says that it has read something.
pub(super) static PEOPLE_ACKNOWLEDGE: Rule = Rule {
    code: "people_acknowledge",
    kind: Kind::NotYours,
    title: Bilingual {
        en: "Only people acknowledge a procedure",
        zh: "只有人员才能确认已阅读规程",
    },
    detail: Bilingual {
        en: "The call was made by a program, and programs read nothing.",
        zh: "此次调用来自程序，而程序无法代替人员阅读。",
    },
    advice: Bilingual {
        en: "Call with the token of the person who has read the version.",
        zh: "请使用已阅读该版本的人员的令牌调用。",
    },
};

/// A version that is not in force is acknowledged.
pub(super) static SOP_VERSION_NOT_IN_FORCE: Rule = Rule {
    code: "sop_version_not_in_force",
    kind: Kind::Conflict,
    title: Bilingual { en: "The version is not in force", zh: "该版本未生效" },
    detail: Bilingual {
        en: "Version {number} is {state}; only a published version is acknowledged.",
        zh: "第 {number} 版的状态为 {state}，只能确认已发布的版本。",
    },
    advice: Bilingual {
        en: "Acknowledge the version that is published.",
        zh: "请确认当前已发布的版本。",
    },
};

/// Somebody acknowledges what they have acknowledged.
pub(super) static ALREADY_ACKNOWLEDGED: Rule = Rule {
    code: "already_acknowledged",
    kind: Kind::Conflict,
    title: Bilingual { en: "Already acknowledged", zh: "已确认过" },
    detail: Bilingual {
        en: "The quiz of version {number} was passed with {score_bp} basis points on {acknowledged_at}.",
        zh: "第 {number} 版的测验已于 {acknowledged_at} 通过，得分 {score_bp} 基点。",
    },
    advice: Bilingual {
        en: "Nothing more needs to be done about this version.",
        zh: "该版本无需再次确认。",
    },
};

/// There are more or fewer answers than questions.
pub(super) static WRONG_NUMBER_OF_ANSWERS: Rule = Rule {
    code: "wrong_number_of_answers",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not one answer for each question", zh: "答案数与题目数不符" },
    detail: Bilingual {
        en: "The quiz has {questions} questions, and {answers} answers were given.",
        zh: "测验有 {questions} 道题，收到 {answers} 个答案。",
    },
    advice: Bilingual {
        en: "Give one answer for each question of `quiz`, in its order; none when there is no question.",
        zh: "请按 `quiz` 的顺序为每道题给出一个答案；没有题目时不填。",
    },
};

/// An answer is none of the choices.
pub(super) static QUIZ_ANSWER_NOT_OFFERED: Rule = Rule {
    code: "quiz_answer_not_offered",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not one of the choices", zh: "不在选项之中" },
    detail: Bilingual {
        en: "Question {question} has {choices} choices, from 0 on; {given} is none of them.",
        zh: "第 {question} 题有 {choices} 个选项，从 0 开始编号；{given} 不在其中。",
    },
    advice: Bilingual {
        en: "Give the place of the choice in `choices`, from 0.",
        zh: "请填写所选项在 `choices` 中的序号，从 0 开始。",
    },
};

/// What somebody answers to the quiz of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "answers": [0, 2] })))]
pub struct SopQuizAnswers {
    /// The place of the chosen answer among the choices, from 0, one for each question in their order. Empty
    /// when the version asks nothing.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub answers: Vec<u32>,
}

/// That somebody has read a version of a procedure, and how they did in its quiz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "ack_01m80t7jx3e9vbq2f4c6d8g0hk", "sop_id": "sop_01m80t7jx3e9vbq2f4c6d8g0hk",
    "sop_version_id": "sov_01m80t7jx3e9vbq2f4c6d8g0hk", "staff_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk",
    "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk", "score_bp": 10_000, "passed": true, "attempts": 2,
    "acknowledged_at": "2026-11-22T09:40:00Z", "version": 2, "created_at": "2026-11-22T09:30:00Z",
})))]
pub struct SopAcknowledgement {
    /// Its identifier.
    pub id: SopAcknowledgementId,
    /// The procedure.
    pub sop_id: SopId,
    /// The version that was read.
    pub sop_version_id: SopVersionId,
    /// Who has read it.
    pub staff_id: StaffId,
    /// The dealer they work for; null for the brand's own people.
    pub dealer_id: Option<DealerId>,
    /// The share of right answers in the last attempt, rounded down; 10 000 when nothing is asked.
    pub score_bp: BasisPoints,
    /// Whether that is 8000 or more; then it stays.
    pub passed: bool,
    /// How often they tried.
    pub attempts: u32,
    /// When they tried last.
    pub acknowledged_at: Timestamp,
    /// How often the record was changed.
    pub version: Version,
    /// When they tried first.
    pub created_at: Timestamp,
}

impl Record for SopAcknowledgement {
    type Id = SopAcknowledgementId;

    fn id(&self) -> SopAcknowledgementId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn dealer(&self) -> Option<DealerId> {
        self.dealer_id
    }
}

/// Who acknowledges a version, and what they did about it before.
#[derive(Debug, Clone, PartialEq)]
pub struct SopReader {
    /// Who calls.
    pub by: Actor,
    /// The dealer they act for.
    pub dealer_id: Option<DealerId>,
    /// Their acknowledgement of the version, if they tried before.
    pub before: Option<SopAcknowledgement>,
}

impl SopVersion {
    /// Takes down that somebody has read the version, with what they answered to its quiz. Who does not pass
    /// tries again.
    ///
    /// # Errors
    ///
    /// `people_acknowledge` for a program; `sop_version_not_in_force` unless the version is published;
    /// `already_acknowledged` for who has passed; `wrong_number_of_answers` and `quiz_answer_not_offered` for
    /// answers to what was not asked.
    pub fn acknowledge(
        &self,
        id: SopAcknowledgementId,
        reader: SopReader,
        given: &SopQuizAnswers,
        now: Timestamp,
    ) -> Result<Change<SopAcknowledgement>, Refusal> {
        let SopReader { by, dealer_id, before } = reader;
        let staff_id = by.staff().ok_or_else(|| Refusal::new(&PEOPLE_ACKNOWLEDGE))?;
        if self.state != SopVersionState::Published {
            let refusal = Refusal::new(&SOP_VERSION_NOT_IN_FORCE).with("number", self.number);
            return Err(refusal.with("state", self.state));
        }
        if let Some(passed) = before.as_ref().filter(|before| before.passed) {
            let refusal = Refusal::new(&ALREADY_ACKNOWLEDGED).with("number", self.number);
            let refusal = refusal.with("score_bp", passed.score_bp);
            return Err(refusal.with("acknowledged_at", passed.acknowledged_at));
        }
        let score_bp = self.score(&given.answers)?;
        let fresh = SopAcknowledgement {
            id,
            sop_id: self.sop_id,
            sop_version_id: self.id,
            staff_id,
            dealer_id,
            score_bp,
            passed: score_bp.get() >= PASSED_FROM_BP,
            attempts: 1,
            acknowledged_at: now,
            version: Version::FIRST,
            created_at: now,
        };
        let change = match before {
            None => Change::created(fresh),
            Some(before) => Change::new("acknowledge", fresh.after(&before)),
        };
        let (score_bp, attempts) = (change.record.score_bp, change.record.attempts);
        Ok(change.with("score_bp", score_bp).with("attempts", attempts))
    }

    /// The share of right answers, rounded down.
    fn score(&self, answers: &[u32]) -> Result<BasisPoints, Refusal> {
        let quiz = &self.details.quiz;
        if quiz.len() != answers.len() {
            let refusal = Refusal::new(&WRONG_NUMBER_OF_ANSWERS).with("questions", quiz.len());
            return Err(refusal.with("answers", answers.len()).at("/answers"));
        }
        let mut right = 0_u32;
        for (place, (question, answer)) in quiz.iter().zip(answers).enumerate() {
            if !question.offers(*answer) {
                let refusal = Refusal::new(&QUIZ_ANSWER_NOT_OFFERED).with("given", answer);
                let refusal = refusal.with("question", place.saturating_add(1));
                let refusal = refusal.with("choices", question.choices.len());
                return Err(refusal.at(format!("/answers/{place}")));
            }
            right = right.saturating_add(u32::from(question.answer == Some(*answer)));
        }
        let all = u32::try_from(quiz.len()).unwrap_or(u32::MAX);
        let score = right.saturating_mul(10_000).checked_div(all).unwrap_or(10_000);
        Ok(BasisPoints::new(score).unwrap_or_default())
    }
}

impl SopAcknowledgement {
    /// The attempt as one more of those `before`.
    fn after(self, before: &Self) -> Self {
        Self {
            id: before.id,
            attempts: before.attempts.saturating_add(1),
            version: before.version,
            created_at: before.created_at,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::Rank,
        ids::ApiKeyId,
        sops::samples::{details, version},
    };
    use serde_json::json;
    use uuid::Uuid;

    /// A published version with so many questions, to all of which the second choice is right.
    fn asks(questions: usize) -> SopVersion {
        let question = json!({ "question": "Which?", "choices": ["a", "b", "c"], "answer": 1 });
        let quiz = serde_json::from_value(json!(vec![question; questions])).unwrap();
        let details = super::super::SopVersionDetails { quiz, ..details(1) };
        SopVersion { state: SopVersionState::Published, ..version(1, details) }
    }

    fn person() -> SopReader {
        let by = Actor::Staff { id: Uuid::from_u128(7).into(), rank: Rank::CLERK };
        SopReader { by, dealer_id: Some(Uuid::from_u128(8).into()), before: None }
    }

    fn now() -> Timestamp {
        "2026-11-22T09:30:00Z".parse().unwrap()
    }

    fn answers(
        version: &SopVersion,
        reader: SopReader,
        answers: &[u32],
    ) -> Result<SopAcknowledgement, Refusal> {
        let given = SopQuizAnswers { answers: answers.to_vec() };
        let change = version.acknowledge(Uuid::from_u128(9).into(), reader, &given, now());
        change.map(|change| change.record)
    }

    #[test]
    fn four_of_five_are_enough_and_three_are_not() {
        let four = answers(&asks(5), person(), &[1, 1, 1, 1, 0]).unwrap();
        assert_eq!((four.score_bp.get(), four.passed), (8_000, true));
        let three = answers(&asks(5), person(), &[1, 1, 1, 0, 0]).unwrap();
        assert_eq!((three.score_bp.get(), three.passed), (6_000, false));
        let seven_of_nine = answers(&asks(9), person(), &[1, 1, 1, 1, 1, 1, 1, 0, 0]).unwrap();
        assert_eq!((seven_of_nine.score_bp.get(), seven_of_nine.passed), (7_777, false));
    }

    #[test]
    fn a_version_that_asks_nothing_is_read_and_that_is_enough() {
        let read = answers(&asks(0), person(), &[]).unwrap();
        assert_eq!((read.score_bp.get(), read.passed), (10_000, true));
        assert_eq!(read.dealer_id, person().dealer_id);
    }

    #[test]
    fn it_is_tried_again_until_it_is_passed() {
        let version = asks(2);
        let missed = answers(&version, person(), &[1, 0]).unwrap();
        assert!(!missed.passed);
        let again = SopReader { before: Some(missed.clone()), ..person() };
        let passed = answers(&version, again, &[1, 1]).unwrap();
        assert_eq!((passed.passed, passed.attempts, passed.id), (true, 2, missed.id));
        let once_more = SopReader { before: Some(passed), ..person() };
        let refusal = answers(&version, once_more, &[1, 1]).unwrap_err();
        assert_eq!(refusal.rule, &ALREADY_ACKNOWLEDGED);
    }

    #[test]
    fn each_question_has_one_answer_that_is_offered() {
        for wrong in [&[1][..], &[1, 1, 1]] {
            let refusal = answers(&asks(2), person(), wrong).unwrap_err();
            assert_eq!(refusal.rule, &WRONG_NUMBER_OF_ANSWERS);
        }
        assert!(answers(&asks(2), person(), &[1, 2]).is_ok());
        let refusal = answers(&asks(2), person(), &[1, 3]).unwrap_err();
        assert_eq!(refusal.rule, &QUIZ_ANSWER_NOT_OFFERED);
        assert_eq!(refusal.place.as_deref(), Some("/answers/1"));
    }

    #[test]
    fn a_person_acknowledges_what_is_in_force() {
        let program = SopReader { by: Actor::Key(ApiKeyId::from(Uuid::from_u128(1))), ..person() };
        assert_eq!(answers(&asks(0), program, &[]).unwrap_err().rule, &PEOPLE_ACKNOWLEDGE);
        let states = [SopVersionState::Draft, SopVersionState::InReview, SopVersionState::Retired];
        for state in states {
            let version = SopVersion { state, ..asks(0) };
            let refusal = answers(&version, person(), &[]).unwrap_err();
            assert_eq!(refusal.rule, &SOP_VERSION_NOT_IN_FORCE, "{state:?}");
        }
    }
}
