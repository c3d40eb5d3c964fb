//! What is refused about authority.

use crate::{
    refusal::{Kind, Rule},
    text::Bilingual,
};

/// The caller's own authority does not reach that far.
pub static BEYOND_AUTHORITY: Rule = Rule {
    code: "beyond_authority",
    kind: Kind::NotYours,
    title: Bilingual { en: "Beyond your authority", zh: "超出您的权限" },
    detail: Bilingual {
        en: "{asked} is beyond what rank {rank} may grant ({beyond}); the customer was given {granted} this month.",
        zh: "{asked} 超出级别 {rank} 的授权（{beyond}）；该客户本月已获 {granted}。",
    },
    advice: Bilingual {
        en: "Somebody of rank `required_rank` or higher can do it; `failed_limits` has the numbers.",
        zh: "请由级别不低于 `required_rank` 的人员处理；具体数字见 `failed_limits`。",
    },
};

/// Nobody's authority reaches that far.
pub static BEYOND_ALL_AUTHORITY: Rule = Rule {
    code: "beyond_all_authority",
    kind: Kind::Conflict,
    title: Bilingual { en: "Beyond everybody's authority", zh: "超出所有人的权限" },
    detail: Bilingual {
        en: "{asked} is beyond what anybody may grant; the customer was given {granted} this month.",
        zh: "{asked} 超出任何人的授权；该客户本月已获 {granted}。",
    },
    advice: Bilingual {
        en: "Ask for less, or let the brand set a limit of authority that reaches so far.",
        zh: "请减少金额，或由品牌方调整权限额度。",
    },
};

/// A limit must be somebody's.
pub static LIMIT_WITHOUT_HOLDER: Rule = Rule {
    code: "limit_without_holder",
    kind: Kind::Unfit,
    title: Bilingual { en: "Whose limit is it?", zh: "未说明权限归属" },
    detail: Bilingual {
        en: "A limit is either a role's or one person's: give `role` or `staff_id`, not both and not neither.",
        zh: "权限额度属于某个角色或某位员工：`role` 与 `staff_id` 须且只能填写一个。",
    },
    advice: Bilingual {
        en: "Give `role` for everybody in it, or `staff_id` for one person.",
        zh: "适用于整个角色请填写 `role`，仅适用于一人请填写 `staff_id`。",
    },
};

/// A range of margins or days is empty.
pub static RANGE_ENDS_BEFORE_IT_BEGINS: Rule = Rule {
    code: "range_ends_before_it_begins",
    kind: Kind::Unfit,
    title: Bilingual { en: "The range ends before it begins", zh: "区间的终点早于起点" },
    detail: Bilingual {
        en: "It would begin with {from} and end with {to}.",
        zh: "起点为 {from}，终点为 {to}。",
    },
    advice: Bilingual {
        en: "Give an end that lies behind the beginning, or leave it open.",
        zh: "请填写晚于起点的终点，或留空表示不限。",
    },
};

/// A cap that is smaller than what it caps would forbid it.
pub static CAP_BELOW_ITS_PARTS: Rule = Rule {
    code: "cap_below_its_parts",
    kind: Kind::Unfit,
    title: Bilingual { en: "A cap below its parts", zh: "上限低于其组成部分" },
    detail: Bilingual {
        en: "`{cap}` is {cap_minor}, but `{part}` alone allows {part_minor} minor units.",
        zh: "`{cap}` 为 {cap_minor}，而仅 `{part}` 就允许 {part_minor}（最小货币单位）。",
    },
    advice: Bilingual {
        en: "Raise `{cap}` or lower `{part}`: a longer period allows at least as much as a single gesture.",
        zh: "请提高 `{cap}` 或降低 `{part}`：较长期间的上限不得低于单次上限。",
    },
};
