//! The refusals of complaints.

use crate::{
    refusal::{Kind, Rule},
    text::Bilingual,
};

/// What a complaint names must be the same customer's.
pub static SOMEBODY_ELSES: Rule = Rule {
    code: "complaint_about_somebody_elses",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not this customer's", zh: "不属于该客户" },
    detail: Bilingual {
        en: "The {field} belongs to another customer than the one who complains.",
        zh: "{field} 属于另一位客户，而不是投诉人。",
    },
    advice: Bilingual {
        en: "Name something of the customer's own, or leave the field out.",
        zh: "请填写该客户自己的记录，或不填该字段。",
    },
};

/// Where we are responsible, we apologise.
pub static APOLOGY_MISSING: Rule = Rule {
    code: "apology_missing",
    kind: Kind::Unfit,
    title: Bilingual { en: "An apology is due", zh: "应当先道歉" },
    detail: Bilingual {
        en: "The responsibility is {responsibility}: an apology comes before the decision.",
        zh: "责任认定为 {responsibility}：先道歉，再说明处理决定。",
    },
    advice: Bilingual {
        en: "Send `apology`: the words the customer will read first.",
        zh: "请填写 `apology`，即客户最先读到的致歉内容。",
    },
};

/// A decision has a limited number of remedies.
pub static TOO_MANY_REMEDIES: Rule = Rule {
    code: "too_many_remedies",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too many remedies", zh: "补救措施过多" },
    detail: Bilingual {
        en: "The decision names {remedies} remedies; at most {most} are possible.",
        zh: "决定中有 {remedies} 项补救措施，最多 {most} 项。",
    },
    advice: Bilingual { en: "Join remedies of the same kind.", zh: "请合并同类措施。" },
};

/// Whoever gives money back says how much.
pub static REMEDY_AMOUNT_MISSING: Rule = Rule {
    code: "remedy_amount_missing",
    kind: Kind::Unfit,
    title: Bilingual { en: "How much?", zh: "缺少金额" },
    detail: Bilingual {
        en: "A remedy of the kind {remedy} needs an amount above 0.",
        zh: "{remedy} 类补救措施需要大于 0 的金额。",
    },
    advice: Bilingual {
        en: "Send `amount` with the remedy.", zh: "请在该措施中填写 `amount`。"
    },
};

/// One decision speaks of one currency.
pub static REMEDY_CURRENCIES_DIFFER: Rule = Rule {
    code: "remedy_currencies_differ",
    kind: Kind::Unfit,
    title: Bilingual { en: "More than one currency", zh: "币种不一致" },
    detail: Bilingual {
        en: "The remedies are in {currencies}; a decision has one currency.",
        zh: "补救措施涉及 {currencies}，同一决定只能使用一种币种。",
    },
    advice: Bilingual {
        en: "Give all amounts in the currency of the sale.",
        zh: "请统一使用订单币种。",
    },
};

/// A complaint is resolved when everything promised is done.
pub static REMEDIES_DUE: Rule = Rule {
    code: "remedies_due",
    kind: Kind::Conflict,
    title: Bilingual { en: "Something promised is not done", zh: "仍有承诺未兑现" },
    detail: Bilingual {
        en: "These remedies are still due: {remedies}.",
        zh: "以下补救措施尚未完成：{remedies}。",
    },
    advice: Bilingual {
        en: "Complete them, or waive those that are not mandatory when the customer wishes so.",
        zh: "请完成这些措施；客户放弃且非强制的措施可以标记为放弃。",
    },
};

/// A confirmed defect is put right even if the customer would let it pass.
pub static REMEDY_MANDATORY: Rule = Rule {
    code: "remedy_mandatory",
    kind: Kind::Conflict,
    title: Bilingual { en: "This remedy cannot be waived", zh: "此措施不可放弃" },
    detail: Bilingual {
        en: "The {remedy} follows from a confirmed defect and is carried out in any case.",
        zh: "{remedy} 源于已确认的缺陷，无论如何都必须执行。",
    },
    advice: Bilingual { en: "Carry it out and complete it.", zh: "请执行并完成该措施。" },
};

/// A complaint does not close against the customer's word.
pub static CUSTOMER_NOT_SATISFIED: Rule = Rule {
    code: "customer_not_satisfied",
    kind: Kind::Conflict,
    title: Bilingual { en: "The customer is not satisfied", zh: "客户尚不满意" },
    detail: Bilingual {
        en: "A complaint closes when the customer is satisfied; this customer is not.",
        zh: "客户满意才能结案，而该客户表示不满意。",
    },
    advice: Bilingual {
        en: "Reopen it and decide anew.", zh: "请重新打开投诉并再次处理。"
    },
};

/// Silence is consent only after the cooling period.
pub static COOLING_PERIOD: Rule = Rule {
    code: "cooling_period_runs",
    kind: Kind::Conflict,
    title: Bilingual { en: "The customer may still answer", zh: "客户仍可答复" },
    detail: Bilingual {
        en: "The customer has said nothing yet; without their word it can close from {closable_at}.",
        zh: "客户尚未答复；未经客户确认，最早可于 {closable_at} 结案。",
    },
    advice: Bilingual {
        en: "Ask the customer, or wait until `closable_at`.",
        zh: "请询问客户，或等到 `closable_at`。",
    },
};

/// Silence of somebody who does not know what they could say is no consent.
pub static RECOURSE_UNTOLD: Rule = Rule {
    code: "recourse_untold",
    kind: Kind::Conflict,
    title: Bilingual { en: "The customer does not know yet", zh: "客户尚未被告知" },
    detail: Bilingual {
        en: "The customer has not been told the decision and what they can do against it; their silence does not close it.",
        zh: "尚未告知客户处理决定及其申诉途径，客户未答复不能视为同意。",
    },
    advice: Bilingual {
        en: "Tell them, by telephone or in person when no message reaches them, and note it with `tell`.",
        zh: "如无法发送消息，请电话或当面告知客户，并用 `tell` 记录。",
    },
};

/// What was closed long ago is not taken up again.
pub static REOPENING_TOO_LATE: Rule = Rule {
    code: "reopening_too_late",
    kind: Kind::Conflict,
    title: Bilingual { en: "Too late to reopen", zh: "已超过重新打开期限" },
    detail: Bilingual {
        en: "It was closed at {closed_at} and could be reopened until {reopenable_until}.",
        zh: "该投诉已于 {closed_at} 结案，可重新打开的期限为 {reopenable_until}。",
    },
    advice: Bilingual { en: "Open a new complaint.", zh: "请新建投诉。" },
};

/// A file of the resolution log has a limited number of entries.
pub static EXPORT_TOO_LARGE: Rule = Rule {
    code: "export_too_large",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too many entries for one file", zh: "导出条目过多" },
    detail: Bilingual {
        en: "There are more than {most} entries; one file has at most {most}.",
        zh: "条目超过 {most} 条，单个文件最多 {most} 条。",
    },
    advice: Bilingual {
        en: "Narrow them by `from` and `to`, such as to a month, and export one file after the other.",
        zh: "请用 `from` 和 `to` 缩小范围（例如按月），分批导出。",
    },
};

/// Every refusal of complaints.
pub static RULES: &[&Rule] = &[
    &SOMEBODY_ELSES,
    &APOLOGY_MISSING,
    &TOO_MANY_REMEDIES,
    &REMEDY_AMOUNT_MISSING,
    &REMEDY_CURRENCIES_DIFFER,
    &REMEDIES_DUE,
    &REMEDY_MANDATORY,
    &CUSTOMER_NOT_SATISFIED,
    &COOLING_PERIOD,
    &RECOURSE_UNTOLD,
    &REOPENING_TOO_LATE,
    &EXPORT_TOO_LARGE,
    &super::messages::TALK_OVER,
    &super::messages::TOO_MANY_MESSAGES,
    &super::messages::PUBLIC_NOTE,
    &super::messages::NOT_PUBLISHED,
    &super::attachments::ATTACHMENT_WRONG_TYPE,
    &super::attachments::ATTACHMENT_MISNAMED,
    &super::attachments::ATTACHMENT_TOO_LARGE,
    &super::attachments::TOO_MANY_ATTACHMENTS,
    &super::attachments::TOO_MANY_PHOTOS,
    &super::publications::PUBLISHED_IN_FUTURE,
    &super::publications::VIRALITY_NOT_RAISED,
];
