//! What the pages say by themselves, in both languages.

use domain::{
    complaints::{ComplaintState, FirstAnswer},
    text::{Bilingual, Locale},
};
use serde::Serialize;

/// What each language calls itself.
pub(super) const NAME: Bilingual = Bilingual { en: "English", zh: "中文" };

/// A page's words in both languages.
pub(super) struct Both<W> {
    pub(super) en: W,
    pub(super) zh: W,
}

impl<W: Clone> Both<W> {
    /// The words in `locale`.
    pub(super) fn get(&self, locale: Locale) -> W {
        match locale {
            Locale::Chinese => self.zh.clone(),
            Locale::English => self.en.clone(),
        }
    }
}

/// What the survey says by itself.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SurveyWords {
    optional: &'static str,
    send: &'static str,
    privacy: &'static str,
    mistake: &'static str,
}

pub(super) const SURVEY: Both<SurveyWords> = Both {
    en: SurveyWords {
        optional: " (optional)",
        send: "Send answer",
        privacy: "Your answer goes to the brand and the store that served you.",
        mistake: "Please check: ",
    },
    zh: SurveyWords {
        optional: "（选填）",
        send: "提交",
        privacy: "您的回答会转达给品牌方和为您服务的门店。",
        mistake: "请检查：",
    },
};

/// The five answers, the worst first; their numbers stand before them.
pub(super) const SCORES: [Bilingual; 5] = [
    Bilingual { en: "Very dissatisfied", zh: "非常不满意" },
    Bilingual { en: "Dissatisfied", zh: "不满意" },
    Bilingual { en: "Neither satisfied nor dissatisfied", zh: "一般" },
    Bilingual { en: "Satisfied", zh: "满意" },
    Bilingual { en: "Very satisfied", zh: "非常满意" },
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
    en: "Your answer does not fit the questions. Please answer again.",
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
    Bilingual { en: "Thank you for telling us", zh: "感谢您的坦诚反馈" },
    Bilingual {
        en: "We are sorry that you are not satisfied. We have noted it and will get back to you.",
        zh: "很抱歉没能让您满意。您的意见我们已经记下，会尽快与您联系。",
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
    Bilingual { en: "This link does not work", zh: "链接无效" },
    Bilingual {
        en: "Please check that the address is complete, or ask your store for a new one.",
        zh: "请检查链接是否完整，或向您的门店索取新的链接。",
    },
);
pub(super) const NOT_A_FORM: NoteWords = (
    Bilingual { en: "This answer cannot be read", zh: "无法读取您的回答" },
    Bilingual {
        en: "Please open the link again and answer on the page itself.",
        zh: "请重新打开链接，并直接在页面上作答。",
    },
);
pub(super) const UNRECEIVED: NoteWords = (
    Bilingual { en: "Your form has not arrived", zh: "提交未成功" },
    Bilingual {
        en: "It was too large or took too long. Please go back, choose fewer or smaller photos, and send it again.",
        zh: "内容过大或上传时间过长。请返回上一页，减少照片数量或压缩后重新提交。",
    },
);
pub(super) const UNAVAILABLE: NoteWords = (
    Bilingual { en: "Not available right now", zh: "暂时无法打开" },
    Bilingual { en: "Please try again in a minute.", zh: "请稍后再试。" },
);

/// What the list of problems says by itself.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ProblemsWords {
    title: &'static str,
    introduction: &'static str,
}

pub(super) const PROBLEMS: Both<ProblemsWords> = Both {
    en: ProblemsWords {
        title: "Problems",
        introduction: "Every answer of the API that is not the one hoped for carries one of these codes, with its HTTP status.",
    },
    zh: ProblemsWords {
        title: "问题代码",
        introduction: "API 未能按预期完成请求时，响应中会包含以下代码之一及其 HTTP 状态码。",
    },
};

/// What the page of a problem says by itself.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ProblemWords {
    detail: &'static str,
    advice: &'static str,
    all: &'static str,
}

pub(super) const PROBLEM: Both<ProblemWords> = Both {
    en: ProblemWords { detail: "What happened", advice: "What you can do", all: "All problems" },
    zh: ProblemWords { detail: "含义", advice: "如何处理", all: "全部问题代码" },
};

/// What a dealer's board says by itself.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BoardWords {
    title: &'static str,
    figure_before: &'static str,
    figure_days: &'static str,
    none: &'static str,
    customer: &'static str,
    answer: &'static str,
    newer: &'static str,
    older: &'static str,
    privacy: &'static str,
}

pub(super) const BOARD: Both<BoardWords> = Both {
    en: BoardWords {
        title: "Complaints and answers",
        figure_before: "First answers in time in the last ",
        figure_days: " days: ",
        none: "No complaints are public.",
        customer: "Customer",
        answer: "Answer",
        newer: "Newer complaints",
        older: "Older complaints",
        privacy: "Names, numbers and addresses of persons are masked (***).",
    },
    zh: BoardWords {
        title: "投诉与答复",
        figure_before: "近 ",
        figure_days: " 天首次答复及时：",
        none: "暂无公开的投诉。",
        customer: "客户",
        answer: "答复",
        newer: "较新的投诉",
        older: "较早的投诉",
        privacy: "涉及个人的姓名、号码和地址已隐去（***）。",
    },
};

/// Where a complaint stands, for others.
pub(super) fn standing(state: ComplaintState) -> Bilingual {
    match state {
        ComplaintState::Received => Bilingual { en: "received", zh: "已收到" },
        ComplaintState::Acknowledged | ComplaintState::Assessed | ComplaintState::Investigating => {
            Bilingual { en: "being looked into", zh: "处理中" }
        }
        ComplaintState::Decided => Bilingual { en: "decided", zh: "已作出决定" },
        ComplaintState::Negotiating => Bilingual { en: "being negotiated", zh: "协商中" },
        ComplaintState::ExternalRecourse => {
            Bilingual { en: "with somebody outside", zh: "第三方处理中" }
        }
        ComplaintState::Resolved => Bilingual { en: "put right", zh: "已解决" },
        ComplaintState::Closed => Bilingual { en: "closed", zh: "已结案" },
        ComplaintState::Reopened => Bilingual { en: "taken up again", zh: "重新处理中" },
        ComplaintState::Duplicate => Bilingual { en: "joined with another one", zh: "已归并" },
        ComplaintState::Withdrawn => Bilingual { en: "withdrawn", zh: "已撤回" },
        ComplaintState::NotAComplaint => {
            Bilingual { en: "answered as a request", zh: "已按咨询处理" }
        }
    }
}

/// Whether the first public answer came in time, for others.
pub(super) fn first_answer(first_answer: FirstAnswer) -> Bilingual {
    match first_answer {
        FirstAnswer::Due => Bilingual { en: "not answered yet", zh: "待答复" },
        FirstAnswer::Kept => Bilingual { en: "answered in time", zh: "及时答复" },
        FirstAnswer::Missed => Bilingual { en: "not answered in time", zh: "未及时答复" },
    }
}
