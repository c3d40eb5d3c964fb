//! What the pages of complaints say by themselves, in both languages.

use super::words::{Both, NoteWords};
use domain::{
    clocks::SlaMetric,
    complaints::{ComplaintKind, RemedyState},
    text::{Bilingual, Locale},
};
use serde::Serialize;

/// A sentence with facts in it, by their names.
pub(super) fn say(sentence: Bilingual, locale: Locale, facts: &[(&str, &str)]) -> String {
    let sentence = sentence.get(locale);
    let mut said = String::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        said.push_str(before);
        said.push_str(facts.iter().find(|(fact, _)| *fact == name).map_or("", |(_, says)| says));
        rest = tail;
    }
    said.push_str(rest);
    said
}

/// What the page of a complaint says.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ComplaintWords {
    title: &'static str,
    stages: &'static str,
    now: &'static str,
    times: &'static str,
    said: &'static str,
    wish: &'static str,
    answer: &'static str,
    promised: &'static str,
    recourse: &'static str,
    we_wait: &'static str,
    accept_title: &'static str,
    accept: &'static str,
    refuse: &'static str,
    refuse_label: &'static str,
    satisfied_title: &'static str,
    satisfied: &'static str,
    unsatisfied_title: &'static str,
    unsatisfied: &'static str,
    unsatisfied_label: &'static str,
    messages: &'static str,
    message: &'static str,
    photos: &'static str,
    send: &'static str,
    you_wrote: &'static str,
    privacy: &'static str,
    mistake: &'static str,
}

pub(super) const COMPLAINT: Both<ComplaintWords> = Both {
    en: ComplaintWords {
        title: "Your complaint",
        stages: "How far it has come",
        now: "now",
        times: "What we promise",
        said: "What you told us",
        wish: "You wish for: ",
        answer: "Our answer",
        promised: "What we do",
        recourse: "If you do not agree",
        we_wait: "We wait for you: ",
        accept_title: "Do you accept this decision?",
        accept: "Yes, I accept it",
        refuse: "No, I do not accept it",
        refuse_label: "Why do you not accept it?",
        satisfied_title: "Are you satisfied with how it was put right?",
        satisfied: "Yes, I am satisfied",
        unsatisfied_title: "Is something still not right?",
        unsatisfied: "No, please take it up again",
        unsatisfied_label: "What is still not right?",
        messages: "What was said since",
        message: "Write to us",
        photos: "Photos (5 at most)",
        send: "Send",
        you_wrote: "What you wrote just now, for you to keep:",
        privacy: "Whoever has the link to this page can read it and answer for you. Please do not pass it on.",
        mistake: "Please check: ",
    },
    zh: ComplaintWords {
        title: "您的投诉",
        stages: "处理进度",
        now: "当前",
        times: "我们的承诺",
        said: "您反映的情况",
        wish: "您希望：",
        answer: "我们的答复",
        promised: "我们将为您做的",
        recourse: "如果您不认同",
        we_wait: "我们在等您回复：",
        accept_title: "您接受这个决定吗？",
        accept: "接受",
        refuse: "不接受",
        refuse_label: "您为什么不接受？",
        satisfied_title: "您对处理结果满意吗？",
        satisfied: "满意",
        unsatisfied_title: "问题还没有解决？",
        unsatisfied: "不满意，请重新处理",
        unsatisfied_label: "还有哪里没有解决？",
        messages: "沟通记录",
        message: "给我们留言",
        photos: "照片（最多 5 张）",
        send: "发送",
        you_wrote: "您刚才填写的内容如下，请自行保存：",
        privacy: "持有此页面链接的人可以查看内容并代您答复，请勿转发。",
        mistake: "请检查：",
    },
};

/// The stages, in their order.
pub(super) const STAGES: [Bilingual; 5] = [
    Bilingual { en: "We have received it", zh: "已收到" },
    Bilingual { en: "Somebody looks into it", zh: "正在处理" },
    Bilingual { en: "It is decided", zh: "已作出决定" },
    Bilingual { en: "It is put right", zh: "已处理完毕" },
    Bilingual { en: "It is closed", zh: "已结束" },
];

pub(super) const FIRST_ANSWER: Bilingual = Bilingual { en: "First answer", zh: "首次答复" };

/// What is promised by a time, as far as a customer is told; the first answer is told by itself.
pub(super) fn promise(metric: SlaMetric) -> Option<Bilingual> {
    match metric {
        SlaMetric::Acknowledge => None,
        SlaMetric::Decision => Some(Bilingual { en: "Our decision", zh: "处理决定" }),
        SlaMetric::FirstResponse => {
            Some(Bilingual { en: "You hear our decision", zh: "告知您处理决定" })
        }
        SlaMetric::NextResponse => Some(Bilingual { en: "Our next answer", zh: "下一次答复" }),
        SlaMetric::PeriodicUpdate => {
            Some(Bilingual { en: "You hear from us again", zh: "进展通报" })
        }
        SlaMetric::FirstResolution => Some(Bilingual { en: "It is put right", zh: "处理完毕" }),
        SlaMetric::TotalResolution => {
            Some(Bilingual { en: "It is put right for good", zh: "彻底解决" })
        }
    }
}

pub(super) const BY: Bilingual = Bilingual { en: "by {due}", zh: "{due} 之前" };
pub(super) const KEPT: Bilingual =
    Bilingual { en: "done on {done}, in time", zh: "已于 {done} 按时完成" };
pub(super) const DONE_LATE: Bilingual = Bilingual {
    en: "done on {done}; we had promised {due}. We are sorry.",
    zh: "已于 {done} 完成，晚于承诺的 {due}，非常抱歉。",
};
pub(super) const LATE: Bilingual = Bilingual {
    en: "promised by {due}. We are late, and we are sorry.",
    zh: "承诺在 {due} 之前完成，我们超时了，非常抱歉。",
};
pub(super) const STANDS_STILL: Bilingual = Bilingual {
    en: "the time stands still while we wait for you",
    zh: "等待您回复期间暂停计时",
};

pub(super) const OPEN_NOW: Bilingual = Bilingual {
    en: "We are open now, until {closes}.",
    zh: "我们现在营业，至 {closes}。",
};
pub(super) const CLOSED_NOW: Bilingual = Bilingual {
    en: "We are closed now, and open again: {opens}.",
    zh: "我们现在休息，下次营业时间：{opens}。",
};
pub(super) const WALL_CLOCK: Bilingual =
    Bilingual { en: "All times are those of {zone}.", zh: "以上均为 {zone} 当地时间。" };

/// How far a remedy has come.
pub(super) fn remedy(state: RemedyState) -> Bilingual {
    match state {
        RemedyState::Due => Bilingual { en: "under way", zh: "进行中" },
        RemedyState::Done => Bilingual { en: "done", zh: "已完成" },
        RemedyState::Replaced => {
            Bilingual { en: "replaced by a new offer", zh: "已由新方案代替" }
        }
        RemedyState::Waived => Bilingual { en: "not wanted", zh: "您不需要" },
    }
}

pub(super) const YOU_ACCEPTED: Bilingual = Bilingual {
    en: "You have accepted this decision. Thank you.",
    zh: "您已接受这个决定，谢谢。",
};
pub(super) const YOU_REFUSED: Bilingual = Bilingual {
    en: "You have not accepted our decision, and we look for another one with you. You wrote:",
    zh: "您没有接受我们的决定，我们正在与您协商新的方案。您写道：",
};
pub(super) const TURNED_OUTSIDE: Bilingual = Bilingual {
    en: "You have turned to somebody outside, and we wait for what they say:",
    zh: "您已向外部机构申诉，我们在等待其意见：",
};
pub(super) const SET_ASIDE_AS_DUPLICATE: Bilingual = Bilingual {
    en: "You have told us about this before, and we answer you there.",
    zh: "您此前已反映过同一问题，我们将在那件投诉中答复您。",
};
pub(super) const YOU_WITHDREW: Bilingual = Bilingual {
    en: "You have told us that it need not be looked into any more.",
    zh: "您已告诉我们无需继续处理。",
};
pub(super) const NOT_TAKEN_AS_COMPLAINT: Bilingual = Bilingual {
    en: "We have taken it as a question or a wish, and not as a complaint.",
    zh: "我们已将其作为咨询或建议处理，不作为投诉。",
};
pub(super) const YOU_WERE_SATISFIED: Bilingual = Bilingual {
    en: "You told us that you are satisfied. Thank you.",
    zh: "您已告诉我们您对结果满意，谢谢。",
};
pub(super) const CLOSED_IN_SILENCE: Bilingual = Bilingual {
    en: "We have not heard from you since, and have closed it.",
    zh: "此后未收到您的回复，投诉已结束。",
};
pub(super) const TAKEN_UP_AGAIN: Bilingual = Bilingual {
    en: "You told us that something is still not right. We have taken it up again:",
    zh: "您告诉我们问题还没有解决，我们已重新处理：",
};
pub(super) const MOVED_ON: Bilingual = Bilingual {
    en: "Your complaint has moved on since you opened this page, and what you sent has not been taken. Please look at how it stands now.",
    zh: "您打开页面后，投诉的进展有了变化，您刚才提交的内容未被处理。请查看最新情况。",
};
pub(super) const TOO_MUCH_SAID: Bilingual = Bilingual {
    en: "There are as many messages as there can be. Please call us.",
    zh: "留言数量已达上限，请致电我们。",
};
pub(super) const YOU: Bilingual = Bilingual { en: "You", zh: "您" };
pub(super) const WE: Bilingual = Bilingual { en: "We", zh: "我们" };
pub(super) const ATTACHED: Bilingual = Bilingual {
    en: "Photos that you have sent: {count}.",
    zh: "您已发送的照片：{count} 张。",
};
pub(super) const SAY_SOMETHING: Bilingual = Bilingual {
    en: "Please write something, or choose a photo.",
    zh: "请填写内容或选择照片。",
};
pub(super) const TOO_MANY_PHOTOS_SENT: Bilingual = Bilingual {
    en: "Please choose five photos at most; more can follow later.",
    zh: "一次最多选择 5 张照片，其余可稍后补充。",
};
pub(super) const TOO_MANY_FILES: Bilingual = Bilingual {
    en: "There are as many photos as there can be. Please write without one.",
    zh: "照片数量已达上限，请不带照片发送。",
};
pub(super) const PHOTO_TOO_LARGE: Bilingual = Bilingual {
    en: "A photo is larger than 10 MB. Please choose a smaller one.",
    zh: "有照片超过 10 MB，请选择较小的照片。",
};
pub(super) const NOT_A_PHOTO: Bilingual = Bilingual {
    en: "One of the files is not a photo (JPEG, PNG, WebP or HEIC).",
    zh: "有文件不是照片（支持 JPEG、PNG、WebP、HEIC）。",
};
pub(super) const SAY_WHY: Bilingual = Bilingual {
    en: "Please tell us in a few words, so that we can do better.",
    zh: "请简单说明，以便我们改进。",
};
pub(super) const TEXT_UNREADABLE: Bilingual = Bilingual {
    en: "The text is longer than 4000 characters, or has characters that cannot be shown.",
    zh: "内容超过 4000 字，或含有无法显示的字符。",
};

/// What the page on which complaints are filed says.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FilingWords {
    title: &'static str,
    introduction: &'static str,
    kind: &'static str,
    description: &'static str,
    wish: &'static str,
    asset: &'static str,
    about: &'static str,
    photos: &'static str,
    photos_again: &'static str,
    optional: &'static str,
    send: &'static str,
    privacy: &'static str,
    mistake: &'static str,
}

pub(super) const FILING: Both<FilingWords> = Both {
    en: FilingWords {
        title: "Tell us what went wrong",
        introduction: "You get a number at once, and see when the first answer comes.",
        kind: "What is it about?",
        description: "What happened?",
        wish: "What do you wish for?",
        asset: "Which of your things is it about?",
        about: "It is about: ",
        photos: "Photos (5 at most)",
        photos_again: "Please choose your photos again.",
        optional: " (optional)",
        send: "Send complaint",
        privacy: "Your complaint goes to the brand and the store that serves you.",
        mistake: "Please check: ",
    },
    zh: FilingWords {
        title: "请告诉我们哪里出了问题",
        introduction: "提交后立即获得编号，并可看到首次答复的时间。",
        kind: "是哪方面的问题？",
        description: "发生了什么？",
        wish: "您希望如何解决？",
        asset: "涉及您的哪件产品？",
        about: "涉及的产品：",
        photos: "照片（最多 5 张）",
        photos_again: "请重新选择照片。",
        optional: "（选填）",
        send: "提交投诉",
        privacy: "您的投诉会转达给品牌方和为您服务的门店。",
        mistake: "请检查：",
    },
};

/// What complaints are about, in plain words and in the order in which they are offered.
pub(super) const KINDS: [(ComplaintKind, Bilingual); 6] = [
    (
        ComplaintKind::Quality,
        Bilingual { en: "The product does not work as it should", zh: "产品有问题" },
    ),
    (
        ComplaintKind::Service,
        Bilingual { en: "Something was done badly, or not at all", zh: "服务没做好或没做" },
    ),
    (
        ComplaintKind::Delivery,
        Bilingual {
            en: "It came late, damaged, or not at all", zh: "送货迟到、破损或未送达"
        },
    ),
    (
        ComplaintKind::Billing,
        Bilingual { en: "The price or the bill is wrong", zh: "价格或账单有误" },
    ),
    (ComplaintKind::Conduct, Bilingual { en: "Somebody behaved badly", zh: "人员态度或行为不当" }),
    (
        ComplaintKind::Misunderstanding,
        Bilingual { en: "It is not what I was promised", zh: "与当初的承诺不一致" },
    ),
];

pub(super) const CHOOSE_A_KIND: Bilingual =
    Bilingual { en: "Please choose what it is about.", zh: "请选择是哪方面的问题。" };
pub(super) const SAY_WHAT_HAPPENED: Bilingual =
    Bilingual { en: "Please tell us what happened.", zh: "请填写发生了什么。" };
pub(super) const WISH_UNREADABLE: Bilingual = Bilingual {
    en: "Your wish is longer than 500 characters, or has characters that cannot be shown.",
    zh: "内容超过 500 字，或含有无法显示的字符。",
};
pub(super) const ASSET_NOT_OFFERED: Bilingual =
    Bilingual { en: "Please choose one of these.", zh: "请从列表中选择。" };
pub(super) const TOO_MANY_OPEN: Bilingual = Bilingual {
    en: "Five complaints that you have sent from here are still open. Please wait until one of them is settled, or tell your store.",
    zh: "您从这里提交的投诉中已有五件尚未处理完毕。请等其中一件处理完毕，或直接联系您的门店。",
};
pub(super) const SENT_BEFORE: Bilingual = Bilingual {
    en: "You have sent this form already, with another text. If this is something new, please send it again.",
    zh: "您已提交过这份表单，但内容不同。如果这是另一件事，请再次提交。",
};

pub(super) const NOT_POSSIBLE: NoteWords = (
    Bilingual { en: "This cannot be sent from here", zh: "无法从这里提交" },
    Bilingual {
        en: "Please tell your store what happened.", zh: "请直接联系您的门店说明情况。"
    },
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_never_read_as_a_sentence() {
        let facts = [("due", "{done}"), ("done", "today")];
        assert_eq!(say(KEPT, Locale::English, &facts), "done on today, in time");
        assert_eq!(say(BY, Locale::Chinese, &facts), "{done} 之前");
    }
}
