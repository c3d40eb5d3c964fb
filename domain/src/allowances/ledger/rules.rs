//! What is refused about accounts.

use crate::{
    refusal::{Kind, Rule},
    text::Bilingual,
};

/// An account has less than was asked for.
pub static INSUFFICIENT_ALLOWANCE: Rule = Rule {
    code: "insufficient_allowance",
    kind: Kind::Conflict,
    title: Bilingual { en: "Not enough allowance", zh: "服务额度不足" },
    detail: Bilingual {
        en: "{asked} was asked for; {available} is available for this customer.",
        zh: "申请 {asked}，该客户可用额度为 {available}。",
    },
    advice: Bilingual {
        en: "Ask for less, or for something that costs nothing: a call and a greeting count too.",
        zh: "请减少金额，或选择无需花费的服务：一个电话、一句问候同样有价值。",
    },
};

/// The amount is in another currency than the account.
pub static MIXED_CURRENCY: Rule = Rule {
    code: "mixed_currency",
    kind: Kind::Unfit,
    title: Bilingual { en: "Another currency", zh: "币种不一致" },
    detail: Bilingual {
        en: "The amount is in {currency}; expected is {expected}.",
        zh: "金额币种为 {currency}，应为 {expected}。",
    },
    advice: Bilingual {
        en: "Give the amount in the currency in which it was set aside; nothing is converted.",
        zh: "请使用额度计提时的币种；系统不做换算。",
    },
};

/// What remains of the lots does not add up to the balance.
pub static UNBALANCED_ACCOUNT: Rule = Rule {
    code: "unbalanced_account",
    kind: Kind::Conflict,
    title: Bilingual { en: "The account does not balance", zh: "账户不平" },
    detail: Bilingual {
        en: "The lots of account {account_id} are {missing_minor} minor units short of {asked}.",
        zh: "账户 {account_id} 的批次余额比 {asked} 少 {missing_minor}（最小货币单位）。",
    },
    advice: Bilingual {
        en: "Nothing is paid from it until whoever runs the service has looked at it.",
        zh: "在运维人员核查之前，该账户暂停支付。",
    },
};

/// What a thin margin has earned buys service, and no things.
pub static THING_FROM_THIN_MARGIN: Rule = Rule {
    code: "thing_from_thin_margin",
    kind: Kind::Conflict,
    title: Bilingual { en: "No gifts from a thin margin", zh: "薄利订单不送实物" },
    detail: Bilingual {
        en: "{asked} was asked for a thing; {available} may buy things, and {of_thin_margins} is there with what thin margins have earned.",
        zh: "申请实物 {asked}；可用于实物的额度为 {available}，连同薄利订单计提共 {of_thin_margins}。",
    },
    advice: Bilingual {
        en: "Do something for the customer instead, or give what costs less: the policy says from which margin on there are gifts.",
        zh: "请改为提供服务，或选择更便宜的礼品；政策规定毛利达到多少才可赠送实物。",
    },
};
