//! What is refused about service items, audits, gifts and bundles.

use crate::{
    refusal::{Kind, Rule},
    text::Bilingual,
};

/// Plans name an item by its code, so it stays.
pub(super) static SERVICE_CODE_FIXED: Rule = Rule {
    code: "service_code_fixed",
    kind: Kind::Unfit,
    title: Bilingual { en: "A service item keeps its code", zh: "服务项目代码不可更改" },
    detail: Bilingual {
        en: "This is service item {service_item_code}; plans name it so, and it cannot be called otherwise.",
        zh: "这是服务项目 {service_item_code}；服务计划以此代码引用，不可更改。",
    },
    advice: Bilingual {
        en: "Enter an item with the new code, and retire this one.",
        zh: "请用新代码新建服务项目，并停用此项目。",
    },
};

/// A change of class is recorded with its reason.
pub(super) static SERVICE_CLASS_FIXED: Rule = Rule {
    code: "service_class_fixed",
    kind: Kind::Unfit,
    title: Bilingual { en: "The class needs a reason", zh: "更改类别须说明原因" },
    detail: Bilingual {
        en: "The item is of class {class}; an edit does not change that.",
        zh: "该项目的类别为 {class}，不能通过编辑更改。",
    },
    advice: Bilingual {
        en: "Change it with the verb `reclassify`, and say why.",
        zh: "请使用动作 `reclassify` 更改并说明原因。",
    },
};

/// What is not done any more is not planned.
pub static SERVICE_ITEM_UNKNOWN: Rule = Rule {
    code: "service_item_unknown",
    kind: Kind::Conflict,
    title: Bilingual { en: "No such active service item", zh: "没有此有效服务项目" },
    detail: Bilingual {
        en: "Task {task} names the service item {service_item_code}, which is not there or is retired.",
        zh: "任务 {task} 引用的服务项目 {service_item_code} 不存在或已停用。",
    },
    advice: Bilingual {
        en: "Enter or reinstate the item, or let the task name another one.",
        zh: "请新建或恢复该项目，或让任务引用其他项目。",
    },
};

/// A change of class changes the class.
pub(super) static SAME_SERVICE_CLASS: Rule = Rule {
    code: "same_service_class",
    kind: Kind::Conflict,
    title: Bilingual { en: "It is of that class already", zh: "类别未变" },
    detail: Bilingual {
        en: "The service item is of class {class} already.",
        zh: "该服务项目的类别已是 {class}。",
    },
    advice: Bilingual { en: "There is nothing to do.", zh: "无需操作。" },
};

/// A period begins before it ends.
pub(super) static AUDIT_PERIOD_REVERSED: Rule = Rule {
    code: "audit_period_reversed",
    kind: Kind::Unfit,
    title: Bilingual { en: "The period ends before it begins", zh: "期间的结束早于开始" },
    detail: Bilingual {
        en: "The period begins on {from_on} and ends on {to_on}.",
        zh: "期间自 {from_on} 起，至 {to_on} 止。",
    },
    advice: Bilingual {
        en: "Give the earlier day first.", zh: "请将较早的日期放在前面。"
    },
};

/// An audit is read as a whole.
pub(super) static AUDIT_TOO_LONG: Rule = Rule {
    code: "audit_too_long",
    kind: Kind::Conflict,
    title: Bilingual { en: "The audit is too long", zh: "自查行数过多" },
    detail: Bilingual {
        en: "The audit would have {count} lines; at most {most} are possible.",
        zh: "该自查将有 {count} 行，最多 {most} 行。",
    },
    advice: Bilingual {
        en: "Make two audits of it, each for a part of the service.",
        zh: "请按服务范围拆分为两次自查。",
    },
};

/// What was found stays as it was when the audit was closed.
pub(super) static AUDIT_CLOSED: Rule = Rule {
    code: "audit_closed",
    kind: Kind::Conflict,
    title: Bilingual { en: "The audit is closed", zh: "自查已结束" },
    detail: Bilingual {
        en: "The audit is closed: no line is added to it or changed.",
        zh: "该自查已结束，不能新增或更改其中的行。",
    },
    advice: Bilingual {
        en: "Open another audit. What could be better is settled with `resolve`, also now.",
        zh: "请新开一次自查。待改进的行仍可用 `resolve` 处理。",
    },
};

/// A line is about one thing.
pub(super) static AUDIT_LINE_SUBJECT: Rule = Rule {
    code: "audit_line_subject",
    kind: Kind::Unfit,
    title: Bilingual { en: "What is the line about?", zh: "未说明该行的对象" },
    detail: Bilingual {
        en: "A line names either a service item or, in words, something that is none yet.",
        zh: "每行须引用一个服务项目，或用文字说明尚未登记的服务，两者只选其一。",
    },
    advice: Bilingual {
        en: "Give exactly one of `service_item_id` and `subject`.",
        zh: "请只填写 `service_item_id` 和 `subject` 之一。",
    },
};

/// Only what could be better is on the backlog.
pub(super) static NOTHING_TO_IMPROVE: Rule = Rule {
    code: "nothing_to_improve",
    kind: Kind::Conflict,
    title: Bilingual { en: "It is not on the backlog", zh: "不在改进清单中" },
    detail: Bilingual {
        en: "The line could not be better, or it is settled already.",
        zh: "该行无需改进，或已处理完毕。",
    },
    advice: Bilingual {
        en: "Read the backlog again; what is on it has `can_improve` and no `resolution`.",
        zh: "请重新读取改进清单；其中的行 `can_improve` 为真且没有 `resolution`。",
    },
};

/// A band goes up.
pub(super) static MARGIN_BAND_REVERSED: Rule = Rule {
    code: "margin_band_reversed",
    kind: Kind::Unfit,
    title: Bilingual { en: "The band of margins is empty", zh: "毛利区间为空" },
    detail: Bilingual {
        en: "The band goes from {least_minor} to {most_minor}, so that no margin lies in it.",
        zh: "区间自 {least_minor} 至 {most_minor}，没有毛利落在其中。",
    },
    advice: Bilingual {
        en: "Give the smaller amount as `least_margin_minor`.",
        zh: "请将较小的金额填入 `least_margin_minor`。",
    },
};

/// What bundles and fallbacks add up stays in one currency.
pub(super) static GIFT_CURRENCY_FIXED: Rule = Rule {
    code: "gift_currency_fixed",
    kind: Kind::Unfit,
    title: Bilingual { en: "A gift keeps its currency", zh: "礼品币种不可更改" },
    detail: Bilingual {
        en: "It is counted in {currency}, and bundles are added up in that.",
        zh: "该记录以 {currency} 计价，礼包也按此币种合计。",
    },
    advice: Bilingual {
        en: "Enter another one in the other currency.",
        zh: "请以其他币种新建一条记录。",
    },
};

/// A fallback is for a smaller budget.
pub(super) static FALLBACK_NOT_CHEAPER: Rule = Rule {
    code: "fallback_not_cheaper",
    kind: Kind::Unfit,
    title: Bilingual { en: "A fallback costs less", zh: "备选礼品须更便宜" },
    detail: Bilingual {
        en: "The fallback {fallback_code} costs {fallback_cost}, and {code} costs {cost}; a fallback costs less, in the same currency.",
        zh: "备选礼品 {fallback_code} 的成本为 {fallback_cost}，而 {code} 为 {cost}；备选礼品须以相同币种计价且更便宜。",
    },
    advice: Bilingual {
        en: "Choose a gift that costs less, or take the fallback away first.",
        zh: "请选择更便宜的礼品，或先取消备选关系。",
    },
};

/// What a dearer gift breaks can be looked at as a whole.
pub(super) static GIFT_IN_TOO_MANY_BUNDLES: Rule = Rule {
    code: "gift_in_too_many_bundles",
    kind: Kind::Conflict,
    title: Bilingual { en: "The gift is in too many bundles", zh: "该礼品所在礼包过多" },
    detail: Bilingual {
        en: "{code} is in more than {most} active bundles, too many to look whether each of them keeps its cap.",
        zh: "{code} 属于超过 {most} 个有效礼包，无法逐一核对其成本上限。",
    },
    advice: Bilingual {
        en: "Retire bundles that are no longer given, or enter the dearer gift as another one.",
        zh: "请先停用不再赠送的礼包，或将涨价后的礼品新建为另一条记录。",
    },
};

/// The cap of a bundle holds whatever becomes of its parts.
pub(super) static BUNDLE_OVER_CAP: Rule = Rule {
    code: "bundle_over_cap",
    kind: Kind::Unfit,
    title: Bilingual { en: "The bundle costs more than its cap", zh: "礼包成本超过上限" },
    detail: Bilingual {
        en: "The parts of bundle {bundle_code} come to {parts_cost}; its cap is {cost_cap}.",
        zh: "礼包 {bundle_code} 的组成合计 {parts_cost}，上限为 {cost_cap}。",
    },
    advice: Bilingual {
        en: "Take a part out, raise the cap, or retire the bundle first.",
        zh: "请减少组成、提高上限，或先停用该礼包。",
    },
};

/// A bundle is a handful of small things.
pub(super) static BUNDLE_PART_COUNT: Rule = Rule {
    code: "bundle_part_count",
    kind: Kind::Unfit,
    title: Bilingual { en: "A bundle has 1 to 20 parts", zh: "礼包须包含 1 至 20 种礼品" },
    detail: Bilingual {
        en: "The bundle has {count} parts; at least 1 and at most {most} are possible.",
        zh: "该礼包有 {count} 种礼品；至少 1 种，至多 {most} 种。",
    },
    advice: Bilingual {
        en: "Add a part, or make two bundles of it.",
        zh: "请添加礼品，或拆分为两个礼包。",
    },
};

/// Each part once, with how many of it.
pub(super) static BUNDLE_PART_TWICE: Rule = Rule {
    code: "bundle_part_twice",
    kind: Kind::Unfit,
    title: Bilingual { en: "A part is there twice", zh: "礼包中礼品重复" },
    detail: Bilingual {
        en: "The bundle names {gift_id} more than once.",
        zh: "该礼包多次包含 {gift_id}。",
    },
    advice: Bilingual {
        en: "Name it once, with its `quantity`.",
        zh: "请只列一次并填写 `quantity`。",
    },
};

/// Amounts of two currencies are not added up.
pub(super) static BUNDLE_CURRENCIES_DIFFER: Rule = Rule {
    code: "bundle_currencies_differ",
    kind: Kind::Unfit,
    title: Bilingual { en: "Two currencies in one bundle", zh: "礼包币种不一致" },
    detail: Bilingual {
        en: "The cap is in {cap_currency}, and {gift_id} costs {part_currency}.",
        zh: "上限以 {cap_currency} 计，而 {gift_id} 以 {part_currency} 计价。",
    },
    advice: Bilingual {
        en: "Bundle gifts of the cap's currency only.",
        zh: "礼包只能包含与上限币种相同的礼品。",
    },
};
