//! The refusals of cancellations.

use crate::{
    refusal::{Kind, Rule},
    text::Bilingual,
};

/// What is paid and not delivered can be cancelled.
pub static ORDER_NOT_CANCELLABLE: Rule = Rule {
    code: "order_not_cancellable",
    kind: Kind::Conflict,
    title: Bilingual { en: "The sale cannot be cancelled", zh: "订单不可解约" },
    detail: Bilingual {
        en: "The order is {order_status}; it can be cancelled while it is paid and not delivered.",
        zh: "订单状态为 {order_status}；只有已付款且未交付的订单可以解约。",
    },
    advice: Bilingual {
        en: "Cancel a quote at the order; after the delivery take the goods back (`/v1/rmas`) or refund the order.",
        zh: "报价请直接在订单中取消；交付后请办理退换货（`/v1/rmas`）或订单退款。",
    },
};

/// An order is cancelled once.
pub static CANCELLATION_OPEN: Rule = Rule {
    code: "cancellation_open",
    kind: Kind::Conflict,
    title: Bilingual { en: "There is such a case already", zh: "已有解约申请" },
    detail: Bilingual {
        en: "The case {cancellation_id} is about this order already.",
        zh: "解约申请 {cancellation_id} 已针对该订单。",
    },
    advice: Bilingual {
        en: "Go on with that one, or withdraw it if the customer stays.",
        zh: "请继续处理该申请；如客户愿意保留订单，请先撤回申请。",
    },
};

/// No more is given back than was to be paid.
pub static DEPOSIT_ABOVE_ORDER: Rule = Rule {
    code: "deposit_above_order",
    kind: Kind::Unfit,
    title: Bilingual { en: "More than the order", zh: "金额超过订单" },
    detail: Bilingual {
        en: "The deposit is {deposit_minor} and the order {total_minor}, in minor units.",
        zh: "定金为 {deposit_minor}，订单总额为 {total_minor}（最小货币单位）。",
    },
    advice: Bilingual {
        en: "Send what the customer has paid.", zh: "请填写客户实际支付的金额。"
    },
};

/// A customer who wants to go is asked to stay once.
pub static RETENTION_OFFERED_ONCE: Rule = Rule {
    code: "retention_offered_once",
    kind: Kind::Conflict,
    title: Bilingual { en: "They were asked once", zh: "只能挽留一次" },
    detail: Bilingual {
        en: "The customer was asked to stay {retention_attempts} times; at most {most} is possible.",
        zh: "已挽留客户 {retention_attempts} 次，最多 {most} 次。",
    },
    advice: Bilingual {
        en: "Go on with the cancellation, or withdraw it if they want to stay.",
        zh: "请继续办理解约；如客户愿意保留订单，请撤回申请。",
    },
};

/// A penalty is waived by a gesture for it.
pub static WAIVER_UNFIT: Rule = Rule {
    code: "waiver_unfit",
    kind: Kind::Unfit,
    title: Bilingual {
        en: "The gesture does not waive the penalty", zh: "该心意不能减免违约金"
    },
    detail: Bilingual {
        en: "These do not fit: {unfit}. The penalty is {penalty_minor} in minor units of {currency}.",
        zh: "以下项目不符：{unfit}。违约金为 {penalty_minor}（{currency} 最小货币单位）。",
    },
    advice: Bilingual {
        en: "Ask for a gesture of the kind `penalty_waiver` for this customer over the whole penalty (`POST /v1/gestures`).",
        zh: "请为该客户申请覆盖全部违约金的 `penalty_waiver` 类心意（`POST /v1/gestures`）。",
    },
};

/// The deposit is given back in full.
pub static PENALTY_NOT_WAIVED: Rule = Rule {
    code: "penalty_not_waived",
    kind: Kind::Conflict,
    title: Bilingual { en: "The penalty is not waived yet", zh: "违约金尚未减免" },
    detail: Bilingual {
        en: "The penalty is {penalty_minor} in minor units of {currency}; the gesture that waives it is: {gesture_state}.",
        zh: "违约金为 {penalty_minor}（{currency} 最小货币单位）；减免该违约金的心意状态为：{gesture_state}。",
    },
    advice: Bilingual {
        en: "Seek a waiver (`seek-waiver`), and fulfil the gesture over the whole penalty.",
        zh: "请申请减免（`seek-waiver`），并以全部违约金金额执行该心意。",
    },
};

/// A manager answers for money that is given back.
pub static REFUND_NEEDS_MANAGER: Rule = Rule {
    code: "refund_needs_manager",
    kind: Kind::NotYours,
    title: Bilingual { en: "A manager decides", zh: "需要经理决定" },
    detail: Bilingual {
        en: "It takes the rank {required_rank}, and yours is {rank}.",
        zh: "此操作需要级别 {required_rank}，您的级别为 {rank}。",
    },
    advice: Bilingual {
        en: "Ask a manager, the owner or the brand.",
        zh: "请交由经理、店主或品牌方处理。",
    },
};

/// What a penalty was waived by stands, once the deposit is given back because of it.
pub static GESTURE_WAIVED_A_PENALTY: Rule = Rule {
    code: "gesture_waived_a_penalty",
    kind: Kind::Conflict,
    title: Bilingual { en: "A penalty was waived by it", zh: "该心意已用于减免违约金" },
    detail: Bilingual {
        en: "The refund of the cancellation {cancellation_id} has begun, because this gesture waives its penalty.",
        zh: "解约 {cancellation_id} 已因该心意减免违约金而开始退款。",
    },
    advice: Bilingual {
        en: "Leave it as it is: the deposit is given back in full.",
        zh: "请保留该心意：定金将全额退还。",
    },
};

/// All of them.
pub static RULES: &[&Rule] = &[
    &ORDER_NOT_CANCELLABLE,
    &CANCELLATION_OPEN,
    &DEPOSIT_ABOVE_ORDER,
    &RETENTION_OFFERED_ONCE,
    &WAIVER_UNFIT,
    &PENALTY_NOT_WAIVED,
    &REFUND_NEEDS_MANAGER,
    &GESTURE_WAIVED_A_PENALTY,
];
