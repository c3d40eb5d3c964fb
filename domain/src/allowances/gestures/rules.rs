//! What is refused about gestures.

use crate::{
    refusal::{Kind, Rule},
    text::Bilingual,
};

/// A program must say for whom it asks.
pub static REQUESTER_NOT_NAMED: Rule = Rule {
    code: "requester_not_named",
    kind: Kind::Unfit,
    title: Bilingual { en: "Who asks?", zh: "未说明申请人" },
    detail: Bilingual {
        en: "A program asks for a gesture in a person's name, and `requester_id` is missing.",
        zh: "程序须以某位员工的名义申请，但缺少 `requester_id`。",
    },
    advice: Bilingual {
        en: "Give the staff member who wants to do something for the customer as `requester_id`.",
        zh: "请在 `requester_id` 中填写想为客户做这件事的员工。",
    },
};

/// A person asks in their own name.
pub static ASKS_FOR_ANOTHER: Rule = Rule {
    code: "asks_for_another",
    kind: Kind::NotYours,
    title: Bilingual { en: "In somebody else's name", zh: "不能以他人名义申请" },
    detail: Bilingual {
        en: "The token is {caller_id}'s, but the gesture would be asked for by {requester_id}.",
        zh: "令牌属于 {caller_id}，申请人却是 {requester_id}。",
    },
    advice: Bilingual {
        en: "Leave `requester_id` out: a person asks in their own name.",
        zh: "请省略 `requester_id`：员工只能以本人名义申请。",
    },
};

/// Who has left gives nothing any more.
pub static REQUESTER_LEFT: Rule = Rule {
    code: "requester_left",
    kind: Kind::Unfit,
    title: Bilingual { en: "They have left", zh: "申请人已离职" },
    detail: Bilingual {
        en: "{requester_id} does not work here any more.",
        zh: "{requester_id} 已离职。",
    },
    advice: Bilingual {
        en: "Name the person who looks after the customer now.",
        zh: "请填写目前负责该客户的员工。",
    },
};

/// Four eyes: neither who asks nor in whose name it is asked decides.
pub static OWN_GESTURE: Rule = Rule {
    code: "own_gesture",
    kind: Kind::NotYours,
    title: Bilingual { en: "Your own gesture", zh: "不能审批自己的申请" },
    detail: Bilingual {
        en: "{asked_by} asked for this gesture in the name of {requester_id}; somebody else must decide on it.",
        zh: "该申请由 {asked_by} 以 {requester_id} 的名义提出，须由他人决定。",
    },
    advice: Bilingual {
        en: "Somebody else of rank `required_rank` or higher can do it; you may cancel it.",
        zh: "请由级别不低于 `required_rank` 的其他人处理；您可以撤销申请。",
    },
};

/// What one rank did not decide in time, the next one decides.
pub static GESTURE_ESCALATED: Rule = Rule {
    code: "gesture_escalated",
    kind: Kind::NotYours,
    title: Bilingual { en: "It lies with a higher rank now", zh: "已升级至更高级别" },
    detail: Bilingual {
        en: "Nobody of rank {rank} decided in time; it lies with rank {required_rank} now.",
        zh: "级别 {rank} 未在规定时间内处理，现已升级至级别 {required_rank}。",
    },
    advice: Bilingual {
        en: "Somebody of rank `required_rank` or higher decides.",
        zh: "请由级别不低于 `required_rank` 的人员处理。",
    },
};

/// What nobody decided on or carried out in time has given its money back.
pub static GESTURE_EXPIRED: Rule = Rule {
    code: "gesture_expired",
    kind: Kind::Conflict,
    title: Bilingual { en: "Its time is over", zh: "申请已过期" },
    detail: Bilingual {
        en: "The gesture waited as {state} until {expired_at}; its money is free for others.",
        zh: "该申请处于 {state} 状态，有效期至 {expired_at}，额度已可另作他用。",
    },
    advice: Bilingual {
        en: "Ask for it again if the customer still needs it.",
        zh: "如客户仍有需要，请重新申请。",
    },
};

/// Who asked may call it off, or a manager.
pub static ANOTHERS_GESTURE: Rule = Rule {
    code: "anothers_gesture",
    kind: Kind::NotYours,
    title: Bilingual { en: "Somebody else's gesture", zh: "他人的申请" },
    detail: Bilingual {
        en: "{requester_id} asked for this gesture; others need rank {required_rank} to cancel it.",
        zh: "该申请由 {requester_id} 提出；他人撤销须达到级别 {required_rank}。",
    },
    advice: Bilingual {
        en: "Let the requester or a manager cancel it.",
        zh: "请由申请人或经理撤销。",
    },
};

/// People give to customers of their own dealer.
pub static OTHER_DEALERS_CUSTOMER: Rule = Rule {
    code: "other_dealers_customer",
    kind: Kind::Unfit,
    title: Bilingual { en: "Another dealer's customer", zh: "其他经销商的客户" },
    detail: Bilingual {
        en: "The customer is looked after by {customer_dealer_id}; the requester works for {requester_dealer_id}.",
        zh: "该客户由 {customer_dealer_id} 负责，申请人属于 {requester_dealer_id}。",
    },
    advice: Bilingual {
        en: "Name somebody who works for the customer's dealer, or for the brand.",
        zh: "请选择该客户所属经销商或品牌方的员工。",
    },
};

/// The complaint that a gesture helps with is the customer's own.
pub static OTHER_CUSTOMERS_COMPLAINT: Rule = Rule {
    code: "other_customers_complaint",
    kind: Kind::Unfit,
    title: Bilingual { en: "Another customer's complaint", zh: "其他客户的投诉" },
    detail: Bilingual {
        en: "Complaint {complaint_id} is not of customer {customer_id}.",
        zh: "投诉 {complaint_id} 不属于客户 {customer_id}。",
    },
    advice: Bilingual {
        en: "Give a complaint of the same customer, or none.",
        zh: "请填写同一客户的投诉，或留空。",
    },
};

/// A gesture would cost more than a budget has.
pub static GESTURE_OVER_BUDGET: Rule = Rule {
    code: "gesture_over_budget",
    kind: Kind::Conflict,
    title: Bilingual { en: "A budget is short", zh: "预算不足" },
    detail: Bilingual {
        en: "It has cost {asked} more than is held for it, and a budget does not have that ({beyond}).",
        zh: "实际费用比预留多 {asked}，而预算不足（{beyond}）。",
    },
    advice: Bilingual {
        en: "Put money into the budgets that `failed_limits` names, or say what was within the estimate.",
        zh: "请为 `failed_limits` 中列出的预算追加资金，或按预估范围内的金额登记。",
    },
};

/// A payment is taken back by somebody above the one for whom it was made.
pub static REVERSAL_NEEDS_HIGHER_RANK: Rule = Rule {
    code: "reversal_needs_higher_rank",
    kind: Kind::NotYours,
    title: Bilingual { en: "A higher rank reverses it", zh: "须由更高级别冲正" },
    detail: Bilingual {
        en: "Reversing what {granted_by} granted takes rank {required_rank}; yours is {rank}.",
        zh: "冲正由 {granted_by} 批准的支出需要级别 {required_rank}，您的级别为 {rank}。",
    },
    advice: Bilingual {
        en: "Ask somebody of rank `required_rank` or higher who neither asked for it nor granted it.",
        zh: "请由级别不低于 `required_rank` 且未参与申请与批准的人员处理。",
    },
};

/// What is not done or given any more is not asked for.
pub static GESTURE_ITEM_RETIRED: Rule = Rule {
    code: "gesture_item_retired",
    kind: Kind::Conflict,
    title: Bilingual { en: "It is not given any more", zh: "该项目已停用" },
    detail: Bilingual {
        en: "{code} was retired from the inventory.",
        zh: "{code} 已从服务清单中停用。",
    },
    advice: Bilingual {
        en: "Name something else, or nothing: the problem it solves counts.",
        zh: "请改选其他项目，或不指定项目：重要的是解决客户的问题。",
    },
};

/// A gift is paid from an account in its own currency.
pub static GIFT_IN_OTHER_CURRENCY: Rule = Rule {
    code: "gift_in_other_currency",
    kind: Kind::Unfit,
    title: Bilingual { en: "The gift is in another currency", zh: "礼物币种不同" },
    detail: Bilingual {
        en: "{code} is priced in {currency}; the gesture is asked for in {asked}.",
        zh: "{code} 以 {currency} 计价，申请币种为 {asked}。",
    },
    advice: Bilingual {
        en: "Ask in the gift's currency, or choose a gift in this one.",
        zh: "请按礼物的币种申请，或选择该币种的礼物。",
    },
};

/// What there is none of cannot be given.
pub static GIFT_SOLD_OUT: Rule = Rule {
    code: "gift_sold_out",
    kind: Kind::Conflict,
    title: Bilingual { en: "There is none left", zh: "礼物已无库存" },
    detail: Bilingual { en: "{code} has a stock of 0.", zh: "{code} 的库存为 0。" },
    advice: Bilingual {
        en: "Choose another: the gift's `fallback_gift_id`, or what `/v1/gift-suggestions` answers.",
        zh: "请另选礼物：可参考其 `fallback_gift_id`，或 `/v1/gift-suggestions` 的建议。",
    },
};

/// A gift goes with sales of a certain margin.
pub static GIFT_OUTSIDE_MARGIN: Rule = Rule {
    code: "gift_outside_margin",
    kind: Kind::Conflict,
    title: Bilingual {
        en: "The gift does not go with this margin", zh: "礼物与毛利区间不符"
    },
    detail: Bilingual {
        en: "The customer's purchases have earned a margin of {margin_minor}; {code} is for margins from {least_margin_minor} to {most_margin_minor}.",
        zh: "该客户购买产生的毛利为 {margin_minor}；{code} 适用的毛利区间为 {least_margin_minor} 至 {most_margin_minor}。",
    },
    advice: Bilingual {
        en: "Choose another: `/v1/gift-suggestions` with this margin answers what fits.",
        zh: "请另选礼物：可用该毛利查询 `/v1/gift-suggestions`。",
    },
};
