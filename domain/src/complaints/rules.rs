//! The refusals of complaints.

use super::reports::REPORT_TOO_LARGE;
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
        en: "The customer has not said that they are satisfied; without their word it can close from {closable_at}.",
        zh: "客户尚未表示满意；未经客户确认，最早可于 {closable_at} 结案。",
    },
    advice: Bilingual {
        en: "Ask the customer, or wait until `closable_at`. Reopen it (`reopen`) if they have objected.",
        zh: "请询问客户，或等到 `closable_at`；若客户提出异议，请重新打开（`reopen`）。",
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

/// What was found defective is not said to be in order later.
pub static DEFECT_STAYS_CONFIRMED: Rule = Rule {
    code: "defect_stays_confirmed",
    kind: Kind::Conflict,
    title: Bilingual { en: "The defect was confirmed", zh: "缺陷已确认" },
    detail: Bilingual {
        en: "The product was found defective ({investigated_at}); what follows from that does not go away.",
        zh: "产品缺陷已确认（{investigated_at}），由此产生的义务不会取消。",
    },
    advice: Bilingual {
        en: "Confirm the defect in the decision and replace the product. A complaint that repeats another is set aside as its duplicate.",
        zh: "请在决定中确认缺陷并更换产品；若重复投诉，请按重复投诉归并。",
    },
};

/// A grave complaint is looked into before it is decided.
pub static INVESTIGATION_MISSING: Rule = Rule {
    code: "investigation_missing",
    kind: Kind::Conflict,
    title: Bilingual { en: "Look into it first", zh: "请先调查" },
    detail: Bilingual {
        en: "Its severity is {severity} and its risk to people {safety}: it is decided only after somebody has looked into it.",
        zh: "严重程度为 {severity}，人身安全风险为 {safety}：必须先调查再作决定。",
    },
    advice: Bilingual {
        en: "Assess and investigate it, then decide.",
        zh: "请先评估并调查，再作决定。",
    },
};

/// Who only repeats themselves does not decide again.
pub static DECISION_ABOVE_RANK: Rule = Rule {
    code: "decision_above_rank",
    kind: Kind::NotYours,
    title: Bilingual { en: "A higher rank decides", zh: "须由上一级决定" },
    detail: Bilingual {
        en: "The customer has refused {refusals} time(s), and nothing new came: rank {required_rank} or higher decides now, and yours is {rank}.",
        zh: "客户已拒绝 {refusals} 次且双方僵持：现须由级别不低于 {required_rank} 的人员决定，您的级别为 {rank}。",
    },
    advice: Bilingual {
        en: "Let the person decide to whom it went up (`escalated_staff_id`).",
        zh: "请由升级后的负责人（`escalated_staff_id`）作出决定。",
    },
};

/// A refused decision puts nothing right.
pub static DECISION_REFUSED: Rule = Rule {
    code: "decision_refused",
    kind: Kind::Conflict,
    title: Bilingual { en: "The customer does not accept it", zh: "客户不接受该决定" },
    detail: Bilingual {
        en: "The customer has refused the decision of rank {decided_rank} at {refused_at}; only one of the brand itself stands against their will.",
        zh: "客户已于 {refused_at} 拒绝级别 {decided_rank} 的决定；只有品牌方的最终决定可在客户不同意时生效。",
    },
    advice: Bilingual {
        en: "Decide anew, or let the next rank do so.",
        zh: "请重新决定，或交由上一级决定。",
    },
};

/// Who is not right is owed nothing.
pub static NOT_UPHELD_BUT_OWED: Rule = Rule {
    code: "not_upheld_but_owed",
    kind: Kind::Unfit,
    title: Bilingual { en: "The decision contradicts itself", zh: "决定自相矛盾" },
    detail: Bilingual {
        en: "The complaint is not upheld, but the responsibility is {responsibility}, a confirmed defect {confirmed_defect}, a remedy {remedy}.",
        zh: "投诉不成立，但责任为 {responsibility}、缺陷确认为 {confirmed_defect}、补救为 {remedy}。",
    },
    advice: Bilingual {
        en: "Uphold it, or promise nothing but goodwill, an apology or an explanation.",
        zh: "请认定投诉成立，或仅提供心意补偿、致歉或说明。",
    },
};

/// A duplicate repeats something.
pub static DUPLICATE_OF_WHAT: Rule = Rule {
    code: "duplicate_of_what",
    kind: Kind::Unfit,
    title: Bilingual { en: "Of what is it a duplicate?", zh: "与哪一投诉重复" },
    detail: Bilingual {
        en: "The reason is {reason}: `duplicate_of` names the original with the reason `duplicate`, and is left out with any other.",
        zh: "原因为 {reason}：仅原因为 `duplicate` 时须填写 `duplicate_of`，其他情况不填。",
    },
    advice: Bilingual {
        en: "Name the complaint that goes on, exactly when the reason is `duplicate`.",
        zh: "仅当原因为 `duplicate` 时，请填写继续处理的那份投诉。",
    },
};

/// A duplicate repeats a complaint of the same customer that goes on.
pub static NO_SUCH_ORIGINAL: Rule = Rule {
    code: "no_such_original",
    kind: Kind::Unfit,
    title: Bilingual { en: "It repeats another one", zh: "原投诉不符" },
    detail: Bilingual {
        en: "{duplicate_of} ({state}) cannot be the original: it must be another complaint of the same customer that is not at an end.",
        zh: "{duplicate_of}（{state}）不能作为原投诉：须为同一客户的另一份尚未结束的投诉。",
    },
    advice: Bilingual {
        en: "Name the customer's first complaint about it.",
        zh: "请填写该客户最初的投诉。",
    },
};

/// Whoever answers for a complaint works for those who answer it.
pub static COMPLAINT_NOT_FOR_THEM: Rule = Rule {
    code: "complaint_not_for_them",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not their complaint", zh: "不可由此人负责" },
    detail: Bilingual {
        en: "{staff_id} does not work for the complaint's dealer or the brand, has left, or only looks on.",
        zh: "{staff_id} 不属于该经销商或品牌方、已离职，或仅有查看权限。",
    },
    advice: Bilingual {
        en: "Name somebody of the complaint's dealer or of the brand.",
        zh: "请指定该经销商或品牌方的人员。",
    },
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
    &DEFECT_STAYS_CONFIRMED,
    &INVESTIGATION_MISSING,
    &DECISION_ABOVE_RANK,
    &DECISION_REFUSED,
    &NOT_UPHELD_BUT_OWED,
    &DUPLICATE_OF_WHAT,
    &NO_SUCH_ORIGINAL,
    &COMPLAINT_NOT_FOR_THEM,
    &EXPORT_TOO_LARGE,
    &REPORT_TOO_LARGE,
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
