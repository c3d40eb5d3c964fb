//! The refusals of surveys.

use crate::{
    refusal::{Kind, Rule},
    text::Bilingual,
};

/// A survey is answered in a minute.
pub static TOO_MANY_QUESTIONS: Rule = Rule {
    code: "too_many_questions",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too many questions", zh: "问题过多" },
    detail: Bilingual {
        en: "The survey has {questions} choice questions; at most {most} are possible.",
        zh: "问卷有 {questions} 道选择题，最多 {most} 道。",
    },
    advice: Bilingual { en: "Ask less.", zh: "请减少问题。" },
};

/// A choice has a few options.
pub static OPTIONS_OUT_OF_RANGE: Rule = Rule {
    code: "options_out_of_range",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too few or too many options", zh: "选项数量不合适" },
    detail: Bilingual {
        en: "The question {question} has {options} options; from {least} to {most} are possible.",
        zh: "问题 {question} 有 {options} 个选项，应为 {least} 至 {most} 个。",
    },
    advice: Bilingual { en: "Add or join options.", zh: "请增加或合并选项。" },
};

/// Answers find their question by its code.
pub static SURVEY_CODES_REPEAT: Rule = Rule {
    code: "survey_codes_repeat",
    kind: Kind::Unfit,
    title: Bilingual { en: "A code stands twice", zh: "代码重复" },
    detail: Bilingual {
        en: "The code {repeated_code} stands twice; questions of a survey, and options of a question, differ.",
        zh: "代码 {repeated_code} 重复；同一问卷的问题、同一问题的选项不得重复。",
    },
    advice: Bilingual { en: "Give each its own code.", zh: "请使用不同的代码。" },
};

/// An invitation is answered once.
pub static ALREADY_ANSWERED: Rule = Rule {
    code: "already_answered",
    kind: Kind::Conflict,
    title: Bilingual { en: "Already answered", zh: "已经回答过" },
    detail: Bilingual {
        en: "This survey was answered at {answered_at}.",
        zh: "该问卷已于 {answered_at} 提交。",
    },
    advice: Bilingual {
        en: "Nothing more needs to be done; the first answer counts.",
        zh: "无需再次提交，以首次回答为准。",
    },
};

/// An invitation is answered while it is open.
pub static INVITATION_NOT_OPEN: Rule = Rule {
    code: "invitation_not_open",
    kind: Kind::Conflict,
    title: Bilingual { en: "This survey is over", zh: "问卷已结束" },
    detail: Bilingual {
        en: "The invitation is {state} and takes no answer.",
        zh: "该邀请状态为 {state}，不再接受回答。",
    },
    advice: Bilingual { en: "Tell the dealer directly.", zh: "请直接联系您的门店。" },
};

/// Only what was asked can be answered.
pub static ANSWER_NOT_OFFERED: Rule = Rule {
    code: "answer_not_offered",
    kind: Kind::Unfit,
    title: Bilingual { en: "This was not asked", zh: "问卷中没有此项" },
    detail: Bilingual {
        en: "The survey has no such question, or no such answer to it: {question}.",
        zh: "问卷中没有该问题或该选项：{question}。",
    },
    advice: Bilingual {
        en: "Answer each question of the survey once, with one of its options.",
        zh: "请对问卷中的每个问题选择其中一个选项，且只答一次。",
    },
};

/// Every refusal of surveys.
pub static RULES: &[&Rule] = &[
    &TOO_MANY_QUESTIONS,
    &OPTIONS_OUT_OF_RANGE,
    &SURVEY_CODES_REPEAT,
    &ALREADY_ANSWERED,
    &INVITATION_NOT_OPEN,
    &ANSWER_NOT_OFFERED,
];
