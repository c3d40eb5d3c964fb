//! The refusals of corrective actions.

use crate::{
    refusal::{Kind, Rule},
    text::Bilingual,
};

/// A cause is worked on once at a time.
pub static CORRECTIVE_ACTION_OPEN: Rule = Rule {
    code: "corrective_action_open",
    kind: Kind::Conflict,
    title: Bilingual { en: "The cause is worked on already", zh: "该原因已在处理" },
    detail: Bilingual {
        en: "The corrective action {corrective_action_id} works on {cause_code} already.",
        zh: "纠正措施 {corrective_action_id} 正在处理原因 {cause_code}。",
    },
    advice: Bilingual { en: "Go on with that one.", zh: "请在该纠正措施中继续。" },
};

/// A corrective action begins with a limited number of complaints.
pub static CORRECTIVE_SOURCES_TOO_MANY: Rule = Rule {
    code: "too_many_corrective_sources",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too many complaints", zh: "投诉过多" },
    detail: Bilingual {
        en: "It names {sources} complaints; at most {most} are possible.",
        zh: "其中有 {sources} 个投诉，最多 {most} 个。",
    },
    advice: Bilingual {
        en: "Name the most telling ones.", zh: "请选择最有代表性的投诉。"
    },
};

/// A dealer's action is about that dealer's complaints.
pub static CORRECTIVE_SOURCE_OF_ANOTHER_DEALER: Rule = Rule {
    code: "corrective_source_of_another_dealer",
    kind: Kind::Unfit,
    title: Bilingual { en: "Another dealer's complaint", zh: "属于其他经销商的投诉" },
    detail: Bilingual {
        en: "The complaint {complaint_id} is not answered by the dealer of the action.",
        zh: "投诉 {complaint_id} 不由该纠正措施的经销商处理。",
    },
    advice: Bilingual {
        en: "Name complaints of one dealer, or open an action for each.",
        zh: "请只填写同一经销商的投诉，或分别建立纠正措施。",
    },
};

/// Somebody answers for every step.
pub static CORRECTIVE_ACTION_UNOWNED: Rule = Rule {
    code: "corrective_action_unowned",
    kind: Kind::Conflict,
    title: Bilingual { en: "Nobody answers for it", zh: "尚无负责人" },
    detail: Bilingual {
        en: "The corrective action has no owner.", zh: "该纠正措施没有负责人。"
    },
    advice: Bilingual { en: "Assign it to somebody first.", zh: "请先指定负责人。" },
};

/// Steps are filled in order.
pub static D_STEP_TOO_EARLY: Rule = Rule {
    code: "d_step_too_early",
    kind: Kind::Conflict,
    title: Bilingual { en: "Another step comes first", zh: "步骤顺序不符" },
    detail: Bilingual {
        en: "Before {step} these steps have to be filled: {missing_steps}.",
        zh: "在 {step} 之前须先完成：{missing_steps}。",
    },
    advice: Bilingual { en: "Fill them in order.", zh: "请按顺序填写。" },
};

/// A step says what belongs to it.
pub static D_STEP_MISFILLED: Rule = Rule {
    code: "d_step_misfilled",
    kind: Kind::Unfit,
    title: Bilingual { en: "The step says too much or too little", zh: "步骤内容不符" },
    detail: Bilingual {
        en: "Step {step} lacks: {missing_fields}. It does not take: {unexpected_fields}.",
        zh: "步骤 {step} 缺少：{missing_fields}；不应填写：{unexpected_fields}。",
    },
    advice: Bilingual {
        en: "Send `team_ids` with d1, and `implemented_on` with d6, alone.",
        zh: "`team_ids` 只用于 d1，`implemented_on` 只用于 d6。",
    },
};

/// Nothing is closed before all steps are filled.
pub static D_STEPS_MISSING: Rule = Rule {
    code: "d_steps_missing",
    kind: Kind::Conflict,
    title: Bilingual { en: "Steps are missing", zh: "步骤未完成" },
    detail: Bilingual {
        en: "These steps are not filled: {missing_steps}.",
        zh: "以下步骤尚未填写：{missing_steps}。",
    },
    advice: Bilingual { en: "Fill them in order.", zh: "请按顺序填写。" },
};

/// An effect needs time to show.
pub static VERIFICATION_TOO_SOON: Rule = Rule {
    code: "verification_too_soon",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too soon to tell", zh: "验证日期过早" },
    detail: Bilingual {
        en: "It was implemented on {implemented_on}; it can be verified on {earliest_on} or later, and not on {verification_due_on}.",
        zh: "实施日期为 {implemented_on}，最早可于 {earliest_on} 验证，不能为 {verification_due_on}。",
    },
    advice: Bilingual {
        en: "Name a later day, or leave it out.",
        zh: "请填写更晚的日期，或不填写。",
    },
};

/// It is verified when the effect can be seen.
pub static VERIFICATION_NOT_DUE: Rule = Rule {
    code: "verification_not_due",
    kind: Kind::Conflict,
    title: Bilingual { en: "Not yet", zh: "尚未到验证时间" },
    detail: Bilingual {
        en: "The effect is verified from {verification_due_at} on.",
        zh: "自 {verification_due_at} 起方可验证效果。",
    },
    advice: Bilingual {
        en: "Wait until then; a finding `verification_due` reminds of it.",
        zh: "请届时再验证；系统会以发现 `verification_due` 提醒。",
    },
};

/// Nobody judges their own work.
pub static VERIFICATION_BY_ANOTHER: Rule = Rule {
    code: "verification_by_another",
    kind: Kind::NotYours,
    title: Bilingual { en: "Somebody else verifies", zh: "须由他人验证" },
    detail: Bilingual {
        en: "The owner is {owner_id}, and these have worked on it: {worker_ids}; the effect is verified by another person.",
        zh: "负责人为 {owner_id}，参与人员为 {worker_ids}；效果须由另一人验证。",
    },
    advice: Bilingual {
        en: "Ask a colleague who had no part in it; a program is nobody.",
        zh: "请由未参与的同事验证；程序不能代替人。",
    },
};

/// Who answers for an action can do something about it.
pub static CORRECTIVE_ACTION_NOT_FOR_THEM: Rule = Rule {
    code: "corrective_action_not_for_them",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not their action", zh: "不可由此人负责" },
    detail: Bilingual {
        en: "{staff_id} does not work for the action's dealer or the brand, has left, or only looks on.",
        zh: "{staff_id} 不属于该经销商或品牌方、已离职，或仅有查看权限。",
    },
    advice: Bilingual {
        en: "Name somebody of the action's dealer or of the brand.",
        zh: "请指定该经销商或品牌方的人员。",
    },
};

/// All of them.
pub static RULES: &[&Rule] = &[
    &CORRECTIVE_ACTION_OPEN,
    &CORRECTIVE_SOURCES_TOO_MANY,
    &CORRECTIVE_SOURCE_OF_ANOTHER_DEALER,
    &CORRECTIVE_ACTION_UNOWNED,
    &D_STEP_TOO_EARLY,
    &D_STEP_MISFILLED,
    &D_STEPS_MISSING,
    &VERIFICATION_TOO_SOON,
    &VERIFICATION_NOT_DUE,
    &VERIFICATION_BY_ANOTHER,
    &CORRECTIVE_ACTION_NOT_FOR_THEM,
];
