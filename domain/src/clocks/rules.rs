//! The refusals of policies and clocks.

use crate::{
    refusal::{Kind, Rule},
    text::Bilingual,
};

/// A metric has one target.
pub static SLA_METRIC_REPEATED: Rule = Rule {
    code: "sla_metric_repeated",
    kind: Kind::Unfit,
    title: Bilingual { en: "A metric has one target", zh: "每个指标只能有一个时限" },
    detail: Bilingual {
        en: "The metric {metric} has more than one target.",
        zh: "指标 {metric} 有多个时限。",
    },
    advice: Bilingual {
        en: "Leave one of them out, or write another policy for other complaints.",
        zh: "请删除其中一个，或为其他投诉另建策略。",
    },
};

/// A warning comes before the deadline, and after the beginning.
pub static SLA_WARNING_BEYOND_TARGET: Rule = Rule {
    code: "sla_warning_beyond_target",
    kind: Kind::Unfit,
    title: Bilingual { en: "The warning would come too early", zh: "预警早于计时开始" },
    detail: Bilingual {
        en: "The target of {metric} is {within_minutes} minutes; a warning {warn_before_minutes} minutes before it would come before the time begins.",
        zh: "{metric} 的时限为 {within_minutes} 分钟，提前 {warn_before_minutes} 分钟预警会早于计时开始。",
    },
    advice: Bilingual {
        en: "Warn less than `within_minutes` before the deadline.",
        zh: "预警提前量应小于 `within_minutes`。",
    },
};

/// A policy is for somebody.
pub static SLA_POLICY_MATCHES_NOTHING: Rule = Rule {
    code: "sla_policy_matches_nothing",
    kind: Kind::Conflict,
    title: Bilingual { en: "It would match nothing", zh: "策略不匹配任何投诉" },
    detail: Bilingual {
        en: "The version applies to complaints of the dealers {dealer_ids} only, and all of them are closed.",
        zh: "该版本仅适用于经销商 {dealer_ids} 的投诉，而这些经销商均已停业。",
    },
    advice: Bilingual {
        en: "Name a dealer that works, or leave `dealer_ids` out.",
        zh: "请填写在营的经销商，或不填 `dealer_ids`。",
    },
};

/// A policy that is not used any more gets no version that counts.
pub static SLA_POLICY_RETIRED: Rule = Rule {
    code: "sla_policy_retired",
    kind: Kind::Conflict,
    title: Bilingual { en: "The policy is retired", zh: "策略已停用" },
    detail: Bilingual {
        en: "The policy {code} is retired; none of its versions counts.",
        zh: "策略 {code} 已停用，其任何版本均不生效。",
    },
    advice: Bilingual { en: "Reinstate the policy first.", zh: "请先恢复该策略。" },
};

/// All policies are looked through for each complaint.
pub static TOO_MANY_SLA_POLICIES: Rule = Rule {
    code: "too_many_sla_policies",
    kind: Kind::Conflict,
    title: Bilingual { en: "Too many policies", zh: "策略过多" },
    detail: Bilingual {
        en: "{most} policies have a published version; no more are possible.",
        zh: "已有 {most} 个策略发布了版本，无法再增加。",
    },
    advice: Bilingual {
        en: "Retire a version that is no longer needed.",
        zh: "请停用不再需要的版本。",
    },
};

/// A clock cannot be stopped and started for ever.
pub static TOO_MANY_WAITS: Rule = Rule {
    code: "too_many_waits",
    kind: Kind::Conflict,
    title: Bilingual { en: "It has waited too often", zh: "暂停次数过多" },
    detail: Bilingual {
        en: "The clock of {metric} has {events} events; it is not paused any more.",
        zh: "{metric} 的计时已有 {events} 条记录，不能再暂停。",
    },
    advice: Bilingual {
        en: "Decide with what is known, or ask the customer without a pause.",
        zh: "请根据已知信息作出决定，或在不暂停的情况下询问客户。",
    },
};

/// A policy is applied where one is for the complaint.
pub static NO_SLA_POLICY_APPLIES: Rule = Rule {
    code: "no_sla_policy_applies",
    kind: Kind::Conflict,
    title: Bilingual { en: "No policy applies", zh: "没有适用的策略" },
    detail: Bilingual {
        en: "None of the policies in force is for the complaint {number} as it is now.",
        zh: "现行策略均不适用于投诉 {number} 的当前情况。",
    },
    advice: Bilingual {
        en: "Publish a policy for such complaints, or leave its deadlines as they are.",
        zh: "请为此类投诉发布策略，或保留现有时限。",
    },
};

/// A log of a clock stays a page.
pub static SLA_LOG_FULL: Rule = Rule {
    code: "sla_log_full",
    kind: Kind::Conflict,
    title: Bilingual { en: "The log of the clock is full", zh: "计时记录已满" },
    detail: Bilingual {
        en: "The clock of {metric} has {events} events; no other policy is applied to it.",
        zh: "{metric} 的计时已有 {events} 条记录，不能再应用其他策略。",
    },
    advice: Bilingual {
        en: "Leave the policy that counts for it.", zh: "请保留目前适用的策略。"
    },
};

/// Every refusal of policies and clocks.
pub static RULES: &[&Rule] = &[
    &SLA_METRIC_REPEATED,
    &SLA_WARNING_BEYOND_TARGET,
    &SLA_POLICY_MATCHES_NOTHING,
    &SLA_POLICY_RETIRED,
    &TOO_MANY_SLA_POLICIES,
    &TOO_MANY_WAITS,
    &NO_SLA_POLICY_APPLIES,
    &SLA_LOG_FULL,
];
