//! The refusals of returns.

use crate::{
    refusal::{Kind, Rule},
    text::Bilingual,
};

/// A return carries out what is still due.
pub static REMEDY_SETTLED: Rule = Rule {
    code: "remedy_settled",
    kind: Kind::Conflict,
    title: Bilingual { en: "The remedy is settled", zh: "补救措施已结束" },
    detail: Bilingual {
        en: "The remedy is {remedy_state}, and a return carries out one that is due.",
        zh: "该补救措施状态为 {remedy_state}，退换货只能用于待执行的措施。",
    },
    advice: Bilingual {
        en: "Name a remedy that is `due` (`GET /v1/complaints/…/remedies`).",
        zh: "请选择状态为 `due` 的补救措施（`GET /v1/complaints/…/remedies`）。",
    },
};

/// Goods have to do with a replacement, a repair or a refund.
pub static REMEDY_NEEDS_NO_RETURN: Rule = Rule {
    code: "remedy_needs_no_return",
    kind: Kind::Unfit,
    title: Bilingual { en: "Nothing is returned for it", zh: "该措施无需退换货" },
    detail: Bilingual {
        en: "A remedy of the kind {remedy} has nothing to do with goods.",
        zh: "{remedy} 类补救措施与货品无关。",
    },
    advice: Bilingual {
        en: "Name a replacement, a repair or a refund; complete others at the complaint.",
        zh: "请选择更换、维修或退款类措施；其他措施请直接在投诉中完成。",
    },
};

/// A remedy has one return at a time.
pub static RMA_OPEN_ALREADY: Rule = Rule {
    code: "rma_open_already",
    kind: Kind::Conflict,
    title: Bilingual { en: "There is such a return already", zh: "该措施已有退换货单" },
    detail: Bilingual {
        en: "The return {rma_id} carries out this remedy already.",
        zh: "退换货单 {rma_id} 正在执行该补救措施。",
    },
    advice: Bilingual {
        en: "Go on with that one, or cancel it first.",
        zh: "请继续处理该单，或先将其取消。",
    },
};

/// What is sent in advance, or is another product, is a replacement.
pub static ONLY_FOR_REPLACEMENT: Rule = Rule {
    code: "only_for_replacement",
    kind: Kind::Unfit,
    title: Bilingual { en: "Only for a replacement", zh: "仅适用于更换" },
    detail: Bilingual {
        en: "The field {field} asks for a replacement, and the remedy is {remedy}.",
        zh: "{field} 仅适用于更换，而该补救措施为 {remedy}。",
    },
    advice: Bilingual {
        en: "Choose another `mode`, and leave `replacement_item` out.",
        zh: "请选择其他 `mode`，并且不要填写 `replacement_item`。",
    },
};

/// A return is about something.
pub static RMA_WITHOUT_LINES: Rule = Rule {
    code: "rma_without_lines",
    kind: Kind::Unfit,
    title: Bilingual { en: "What is it about?", zh: "缺少货品" },
    detail: Bilingual { en: "The return has no line.", zh: "退换货单没有任何货品行。" },
    advice: Bilingual {
        en: "Send at least one line, with `asset_id` or `item`.",
        zh: "请至少填写一行，并注明 `asset_id` 或 `item`。",
    },
};

/// A return has a limited number of lines.
pub static TOO_MANY_RMA_LINES: Rule = Rule {
    code: "too_many_rma_lines",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too many lines", zh: "货品行过多" },
    detail: Bilingual {
        en: "The return has {lines} lines; at most {most} are possible.",
        zh: "退换货单有 {lines} 行，最多 {most} 行。",
    },
    advice: Bilingual { en: "Join lines of the same kind.", zh: "请合并同类货品。" },
};

/// A line names a sold thing, or says what the goods are called.
pub static RMA_LINE_UNNAMED: Rule = Rule {
    code: "rma_line_unnamed",
    kind: Kind::Unfit,
    title: Bilingual { en: "Which goods?", zh: "货品不明确" },
    detail: Bilingual {
        en: "Line {line} needs either `asset_id` or `item`, and not both.",
        zh: "第 {line} 行需要填写 `asset_id` 或 `item` 之一，不能同时填写。",
    },
    advice: Bilingual {
        en: "Name the asset; for goods that were never ordered here, say in `item` what they are called.",
        zh: "请填写资产编号；从未在此订购的货品请在 `item` 中写明名称。",
    },
};

/// What comes back is the customer's own.
pub static RMA_ASSET_OF_ANOTHER: Rule = Rule {
    code: "rma_asset_of_another",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not this customer's", zh: "不属于该客户" },
    detail: Bilingual {
        en: "The asset of line {line} belongs to another customer than the one who complained.",
        zh: "第 {line} 行的资产属于另一位客户，而不是投诉人。",
    },
    advice: Bilingual {
        en: "Name an asset of the customer's own.",
        zh: "请填写该客户自己的资产。",
    },
};

/// No more comes back than there is.
pub static RMA_QUANTITY_EXCEEDED: Rule = Rule {
    code: "rma_quantity_exceeded",
    kind: Kind::Unfit,
    title: Bilingual { en: "More than there is", zh: "数量超出" },
    detail: Bilingual {
        en: "Line {line} says {quantity} pieces, and {possible_quantity} are possible.",
        zh: "第 {line} 行为 {quantity} 件，最多可为 {possible_quantity} 件。",
    },
    advice: Bilingual {
        en: "An asset is one piece and stands in one line; no more is received than is outstanding.",
        zh: "一项资产为一件且只能占一行；收货数量不能超过未收数量。",
    },
};

/// One speaks of lines that something can happen to.
pub static RMA_LINE_UNKNOWN: Rule = Rule {
    code: "rma_line_unknown",
    kind: Kind::Unfit,
    title: Bilingual { en: "No such line", zh: "没有此行" },
    detail: Bilingual {
        en: "Line {line} is not there, or nothing more happens to it; possible are: {possible_lines}.",
        zh: "没有第 {line} 行，或该行已处理完毕；可选的行：{possible_lines}。",
    },
    advice: Bilingual {
        en: "Read the return again and use the `number` of a line, once.",
        zh: "请重新读取该单，并使用行的 `number`，每行仅一次。",
    },
};

/// A manager answers for what is sent or refused.
pub static RMA_NEEDS_MANAGER: Rule = Rule {
    code: "rma_needs_manager",
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

/// A receipt says what has come.
pub static NOTHING_RECEIVED: Rule = Rule {
    code: "nothing_received",
    kind: Kind::Conflict,
    title: Bilingual { en: "Nothing has come", zh: "尚未收到货品" },
    detail: Bilingual {
        en: "Nothing has come so far; {outstanding} pieces are outstanding.",
        zh: "尚未收到任何货品，还有 {outstanding} 件未到。",
    },
    advice: Bilingual {
        en: "Send the lines that have come; cancel the return when none will, or say so (`nothing_more`) once a replacement was sent.",
        zh: "请填写已到货的行；如不会有货品退回，请取消该单；若换货已先行寄出，请说明不再有货品退回（`nothing_more`）。",
    },
};

/// An inspection looks at everything that has come.
pub static INSPECTION_INCOMPLETE: Rule = Rule {
    code: "inspection_incomplete",
    kind: Kind::Unfit,
    title: Bilingual { en: "Not everything was inspected", zh: "检验不完整" },
    detail: Bilingual {
        en: "These lines have come and were not inspected: {missing_lines}.",
        zh: "以下行已到货但未检验：{missing_lines}。",
    },
    advice: Bilingual {
        en: "Send a result and a disposition for each of them.",
        zh: "请为每一行填写检验结果和处置方式。",
    },
};

/// Only what was disproved is rejected.
pub static DEFECT_NOT_DISPROVED: Rule = Rule {
    code: "defect_not_disproved",
    kind: Kind::Conflict,
    title: Bilingual { en: "The defect stands", zh: "缺陷未被排除" },
    detail: Bilingual {
        en: "The inspection did not disprove the defect of these lines: {lines}.",
        zh: "检验未排除以下行的缺陷：{lines}。",
    },
    advice: Bilingual { en: "Go on with the remedy.", zh: "请继续执行补救措施。" },
};

/// Two people have to see that there is no defect.
pub static REJECTION_NEEDS_SECOND_PERSON: Rule = Rule {
    code: "rejection_needs_second_person",
    kind: Kind::NotYours,
    title: Bilingual { en: "A second person confirms", zh: "需要另一人确认" },
    detail: Bilingual {
        en: "{inspected_by} has inspected the goods; a rejection takes a person who inspects and another one who confirms.",
        zh: "{inspected_by} 检验了货品；拒绝须由一人检验、另一人确认。",
    },
    advice: Bilingual {
        en: "Ask another manager, the owner or somebody of the brand; a program is nobody, and what it has inspected a person inspects anew.",
        zh: "请由另一位经理、店主或品牌方人员确认；程序不能代替人，由程序检验的货品须由人重新检验。",
    },
};

/// What has changed hands is not called off.
pub static GOODS_RECEIVED: Rule = Rule {
    code: "goods_received",
    kind: Kind::Conflict,
    title: Bilingual { en: "Goods have changed hands", zh: "货品已交接" },
    detail: Bilingual {
        en: "These have changed hands: {changed_hands}; {received} pieces came back.",
        zh: "以下已交接：{changed_hands}；已退回 {received} 件。",
    },
    advice: Bilingual {
        en: "Receive the rest, or say that nothing more comes (`nothing_more`).",
        zh: "请继续收货，或说明不再有货品退回（`nothing_more`）。",
    },
};

/// All of them.
pub static RULES: &[&Rule] = &[
    &REMEDY_SETTLED,
    &REMEDY_NEEDS_NO_RETURN,
    &RMA_OPEN_ALREADY,
    &ONLY_FOR_REPLACEMENT,
    &RMA_WITHOUT_LINES,
    &TOO_MANY_RMA_LINES,
    &RMA_LINE_UNNAMED,
    &RMA_ASSET_OF_ANOTHER,
    &RMA_QUANTITY_EXCEEDED,
    &RMA_LINE_UNKNOWN,
    &RMA_NEEDS_MANAGER,
    &NOTHING_RECEIVED,
    &INSPECTION_INCOMPLETE,
    &DEFECT_NOT_DISPROVED,
    &REJECTION_NEEDS_SECOND_PERSON,
    &GOODS_RECEIVED,
];
