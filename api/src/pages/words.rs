//! What the survey page says by itself, in both languages.

use domain::text::Bilingual;
use serde::Serialize;

/// What the page says by itself.
#[derive(Debug, Serialize)]
pub(super) struct Words {
    pub(super) optional: &'static str,
    pub(super) send: &'static str,
    pub(super) privacy: &'static str,
    pub(super) mistake: &'static str,
    pub(super) other_language: &'static str,
    pub(super) other_language_name: &'static str,
}

pub(super) const CHINESE: Words = Words {
    optional: "（选填）",
    send: "提交",
    privacy: "您的回答会交给为您服务的品牌和门店。",
    mistake: "请检查",
    other_language: "en",
    other_language_name: "English",
};

pub(super) const ENGLISH: Words = Words {
    optional: "(optional)",
    send: "Send",
    privacy: "Your answer goes to the brand and the store that served you.",
    mistake: "Please check",
    other_language: "zh-CN",
    other_language_name: "中文",
};

pub(super) const SCORES: [Bilingual; 5] = [
    Bilingual { en: "1 – not satisfied at all", zh: "1 – 非常不满意" },
    Bilingual { en: "2 – not satisfied", zh: "2 – 不满意" },
    Bilingual { en: "3 – neither nor", zh: "3 – 一般" },
    Bilingual { en: "4 – satisfied", zh: "4 – 满意" },
    Bilingual { en: "5 – very satisfied", zh: "5 – 非常满意" },
];

pub(super) const CHOOSE_A_SCORE: Bilingual = Bilingual {
    en: "Please choose one of the five answers.",
    zh: "请在五个选项中选择一个。",
};
pub(super) const COMMENT_UNREADABLE: Bilingual = Bilingual {
    en: "Your comment is longer than 4000 characters, or has characters that cannot be shown.",
    zh: "留言超过 4000 字，或含有无法显示的字符。",
};
pub(super) const NOT_OFFERED: Bilingual = Bilingual {
    en: "Something was answered that was not asked. Please answer again.",
    zh: "提交的内容与问卷不符，请重新填写。",
};

/// The headline and the text of a page without questions.
pub(super) type NoteWords = (Bilingual, Bilingual);

pub(super) const THANKS: NoteWords = (
    Bilingual { en: "Thank you", zh: "感谢您的回答" },
    Bilingual {
        en: "Your answer has arrived. You can close this page.",
        zh: "您的回答已收到，现在可以关闭此页面。",
    },
);
pub(super) const THANKS_FOR_SAYING_SO: NoteWords = (
    Bilingual { en: "Thank you for telling us", zh: "感谢您的直言" },
    Bilingual {
        en: "We are sorry that you are not satisfied. We have noted it and will get back to you.",
        zh: "很抱歉没有让您满意。我们已经记下，会尽快与您联系。",
    },
);
pub(super) const ANSWERED_BEFORE: NoteWords = (
    Bilingual { en: "You have answered already", zh: "您已经回答过了" },
    Bilingual {
        en: "Your first answer counts; nothing more needs to be done.",
        zh: "以首次回答为准，无需再次提交。",
    },
);
pub(super) const OVER: NoteWords = (
    Bilingual { en: "This survey is over", zh: "问卷已结束" },
    Bilingual {
        en: "The link is no longer valid. If there is something you want to say, please tell your store.",
        zh: "此链接已失效。如果您有话想说，请直接联系您的门店。",
    },
);
pub(super) const UNKNOWN: NoteWords = (
    Bilingual { en: "This link leads nowhere", zh: "链接无效" },
    Bilingual {
        en: "Please check that it is complete, or ask your store.",
        zh: "请检查链接是否完整，或联系您的门店。",
    },
);
pub(super) const NOT_A_FORM: NoteWords = (
    Bilingual { en: "This answer cannot be read", zh: "无法读取您的回答" },
    Bilingual {
        en: "Please open the link again and answer on the page itself.",
        zh: "请重新打开链接，并直接在页面上作答。",
    },
);
pub(super) const UNAVAILABLE: NoteWords = (
    Bilingual { en: "Not available right now", zh: "暂时无法打开" },
    Bilingual { en: "Please try again in a minute.", zh: "请稍后再试。" },
);
