//! Notices: the words in which customers are told, in both languages.

use super::{MessagePurpose, Recipient};
use crate::{
    complaints::RemedyKind,
    text::{Bilingual, Line, Locale, Prose},
};
use std::fmt;

/// Something worth telling a customer. Times are read off the wall clock where the customer is.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A visit is agreed.
    VisitConfirmed {
        /// When, such as `2026-11-22 09:30`.
        wall_time: String,
        /// Where.
        address: Option<Line>,
    },
    /// A visit is near.
    VisitReminder {
        /// When.
        wall_time: String,
    },
    /// A visit does not take place, and there is no other time yet.
    VisitPostponed {
        /// When it was to be.
        wall_time: String,
    },
    /// We ask how it was.
    SurveyInvitation {
        /// The page with the questions.
        link: String,
        /// Until when it can be answered.
        open_until: String,
    },
    /// A complaint has arrived.
    ComplaintReceived {
        /// Its number.
        number: String,
        /// What the customer wishes for, said back to them.
        remedy_sought: Option<Line>,
        /// By when we give the first answer.
        answer_by: String,
        /// The page of the complaint.
        link: String,
    },
    /// A complaint is decided.
    ComplaintDecided {
        /// Its number.
        number: String,
        /// The apology; it stands first.
        apology: Option<Prose>,
        /// The decision.
        decision: Prose,
        /// What the customer can do who does not agree.
        recourse: Prose,
        /// What is promised.
        remedies: Vec<RemedyKind>,
        /// The page of the complaint.
        link: String,
    },
    /// Something is said about a complaint.
    ComplaintAnswered {
        /// Its number.
        number: String,
        /// What is said.
        words: Prose,
        /// The page of the complaint.
        link: String,
    },
    /// A complaint is put right.
    ComplaintResolved {
        /// Its number.
        number: String,
        /// What was done.
        remedies: Vec<RemedyKind>,
        /// The page of the complaint.
        link: String,
    },
}

/// The words of a notice, with `{fact}` where a fact belongs. A line whose fact is missing is left out.
struct Template {
    headline: Bilingual,
    body: Bilingual,
}

const VISIT_CONFIRMED: Template = Template {
    headline: Bilingual {
        en: "Your visit on {wall_time}", zh: "上门服务已约定：{wall_time}"
    },
    body: Bilingual {
        en: "We will visit you on {wall_time}.\n\
             Address: {address}\n\n\
             If the time does not suit you, please tell your store.",
        zh: "我们将于 {wall_time} 上门为您服务。\n\
             地址：{address}\n\n\
             如时间不便，请告知您的门店。",
    },
};

const VISIT_REMINDER: Template = Template {
    headline: Bilingual {
        en: "Reminder: we visit you on {wall_time}",
        zh: "上门服务提醒：{wall_time}",
    },
    body: Bilingual {
        en: "This is a reminder of our visit on {wall_time}.\n\
             If the time no longer suits you, please tell your store.",
        zh: "提醒您：我们将于 {wall_time} 上门服务。\n\
             如时间有变，请告知您的门店。",
    },
};

const VISIT_POSTPONED: Template = Template {
    headline: Bilingual {
        en: "We cannot visit you on {wall_time}",
        zh: "上门服务改期：{wall_time}",
    },
    body: Bilingual {
        en: "We are sorry: we cannot visit you on {wall_time} as agreed.\n\
             We are looking for another time and will write to you as soon as there is one.",
        zh: "非常抱歉，原定于 {wall_time} 的上门服务无法如期进行。\n\
             我们正在重新安排时间，确定后会立即通知您。",
    },
};

const SURVEY_INVITATION: Template = Template {
    headline: Bilingual { en: "How was it?", zh: "您对我们的服务满意吗？" },
    body: Bilingual {
        en: "Please tell us in one minute how satisfied you are:\n\
             {link}\n\n\
             The page is open until {open_until}.",
        zh: "请用一分钟告诉我们您是否满意：\n\
             {link}\n\n\
             链接有效期至 {open_until}。",
    },
};

const COMPLAINT_RECEIVED: Template = Template {
    headline: Bilingual {
        en: "We have received your complaint {number}",
        zh: "已收到您的投诉（编号 {number}）",
    },
    body: Bilingual {
        en: "Thank you for telling us. Your complaint has the number {number}.\n\
             You wish for: {remedy_sought}\n\
             We will answer you by {answer_by}.\n\n\
             How it stands:\n\
             {link}",
        zh: "感谢您告诉我们。您的投诉编号为 {number}。\n\
             您希望：{remedy_sought}\n\
             我们将在 {answer_by} 之前答复您。\n\n\
             查看处理进度：\n\
             {link}",
    },
};

const COMPLAINT_DECIDED: Template = Template {
    headline: Bilingual {
        en: "Our answer to your complaint {number}",
        zh: "关于您投诉的答复（编号 {number}）",
    },
    body: Bilingual {
        en: "{apology}\n\n\
             {decision}\n\n\
             What we will do: {remedies}.\n\n\
             If you do not agree: {recourse}\n\n\
             Tell us here whether you do:\n\
             {link}",
        zh: "{apology}\n\n\
             {decision}\n\n\
             我们将为您：{remedies}。\n\n\
             如您不认同以上决定：{recourse}\n\n\
             请在此告诉我们您是否认同：\n\
             {link}",
    },
};

const COMPLAINT_ANSWERED: Template = Template {
    headline: Bilingual {
        en: "About your complaint {number}",
        zh: "关于您的投诉（编号 {number}）",
    },
    body: Bilingual {
        en: "We write to you about your complaint {number}:\n\n{words}\n\n\
             Answer us here:\n\
             {link}",
        zh: "关于您的投诉（编号 {number}），我们想告诉您：\n\n{words}\n\n\
             请在此回复：\n\
             {link}",
    },
};

const COMPLAINT_RESOLVED: Template = Template {
    headline: Bilingual {
        en: "Your complaint {number} is settled",
        zh: "您的投诉已处理完毕（编号 {number}）",
    },
    body: Bilingual {
        en: "We have finished the work on your complaint {number}.\n\
             What was done: {remedies}.\n\
             If you are not satisfied, tell us, and we take it up again.\n\n\
             Tell us here how it is:\n\
             {link}",
        zh: "您的投诉（编号 {number}）已处理完毕。\n\
             处理措施：{remedies}。\n\
             如果您仍不满意，请告诉我们，我们会重新处理。\n\n\
             请在此告诉我们结果如何：\n\
             {link}",
    },
};

/// How every message begins and ends.
const FRAME: Template = Template {
    headline: Bilingual { en: "[{brand}] {headline}", zh: "【{brand}】{headline}" },
    body: Bilingual {
        en: "Dear {name},\n\n{body}\n\n{brand}",
        zh: "{name}，您好：\n\n{body}\n\n{brand}",
    },
};

impl Notice {
    /// What it is for.
    pub fn purpose(&self) -> MessagePurpose {
        match self {
            Self::VisitConfirmed { .. }
            | Self::VisitReminder { .. }
            | Self::VisitPostponed { .. } => MessagePurpose::Service,
            Self::SurveyInvitation { .. } => MessagePurpose::Survey,
            Self::ComplaintReceived { .. }
            | Self::ComplaintDecided { .. }
            | Self::ComplaintAnswered { .. }
            | Self::ComplaintResolved { .. } => MessagePurpose::Complaint,
        }
    }

    /// The headline and the text, signed by `brand`.
    pub(super) fn words(&self, brand: &str, recipient: &Recipient) -> (String, String) {
        let locale = recipient.locale;
        let (template, facts) = (self.template(), self.facts(locale));
        let frame = [
            known("name", &recipient.name),
            known("brand", &brand),
            known("headline", &fill(template.headline.get(locale), &facts)),
            known("body", &fill(template.body.get(locale), &facts)),
        ];
        (fill(FRAME.headline.get(locale), &frame), fill(FRAME.body.get(locale), &frame))
    }

    fn template(&self) -> Template {
        match self {
            Self::VisitConfirmed { .. } => VISIT_CONFIRMED,
            Self::VisitReminder { .. } => VISIT_REMINDER,
            Self::VisitPostponed { .. } => VISIT_POSTPONED,
            Self::SurveyInvitation { .. } => SURVEY_INVITATION,
            Self::ComplaintReceived { .. } => COMPLAINT_RECEIVED,
            Self::ComplaintDecided { .. } => COMPLAINT_DECIDED,
            Self::ComplaintAnswered { .. } => COMPLAINT_ANSWERED,
            Self::ComplaintResolved { .. } => COMPLAINT_RESOLVED,
        }
    }

    fn facts(&self, locale: Locale) -> Vec<Fact> {
        match self {
            Self::VisitConfirmed { wall_time, address } => {
                vec![known("wall_time", wall_time), perhaps("address", address.as_ref())]
            }
            Self::VisitReminder { wall_time } | Self::VisitPostponed { wall_time } => {
                vec![known("wall_time", wall_time)]
            }
            Self::SurveyInvitation { link, open_until } => {
                vec![known("link", link), known("open_until", open_until)]
            }
            Self::ComplaintReceived { number, remedy_sought, answer_by, link } => vec![
                known("number", number),
                perhaps("remedy_sought", remedy_sought.as_ref()),
                known("answer_by", answer_by),
                known("link", link),
            ],
            Self::ComplaintDecided { number, apology, decision, recourse, remedies, link } => vec![
                known("number", number),
                perhaps("apology", apology.as_ref()),
                known("decision", decision),
                known("recourse", recourse),
                ("remedies", list(remedies, locale)),
                known("link", link),
            ],
            Self::ComplaintResolved { number, remedies, link } => vec![
                known("number", number),
                ("remedies", list(remedies, locale)),
                known("link", link),
            ],
            Self::ComplaintAnswered { number, words, link } => {
                vec![known("number", number), known("words", words), known("link", link)]
            }
        }
    }
}

/// A fact and its name in templates; without a value, the lines that need it are left out.
type Fact = (&'static str, Option<String>);

fn known(name: &'static str, fact: &dyn fmt::Display) -> Fact {
    (name, Some(fact.to_string()))
}

fn perhaps(name: &'static str, fact: Option<&impl ToString>) -> Fact {
    (name, fact.map(ToString::to_string))
}

fn list(remedies: &[RemedyKind], locale: Locale) -> Option<String> {
    let separator = Bilingual { en: ", ", zh: "、" }.get(locale);
    let names: Vec<_> = remedies.iter().map(|kind| kind.says().get(locale)).collect();
    (!names.is_empty()).then(|| names.join(separator))
}

/// Puts the facts in their places, line by line, and closes the gaps that left-out lines leave.
fn fill(template: &str, facts: &[Fact]) -> String {
    let paragraph = |paragraph: &str| {
        let lines: Vec<_> = paragraph.lines().filter_map(|line| fill_line(line, facts)).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    };
    template.split("\n\n").filter_map(paragraph).collect::<Vec<_>>().join("\n\n")
}

/// One line with its facts; nothing when one of them is missing. What a fact says is never read as
/// a template again.
fn fill_line(line: &str, facts: &[Fact]) -> Option<String> {
    let mut filled = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}')?;
        let (_, value) = facts.iter().find(|(fact, _)| *fact == name)?;
        filled.push_str(before);
        filled.push_str(value.as_ref()?);
        rest = tail;
    }
    filled.push_str(rest);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Name;
    use uuid::Uuid;

    fn words(notice: &Notice, locale: Locale) -> (String, String) {
        let recipient = Recipient {
            customer_id: Uuid::from_u128(1).into(),
            dealer_id: None,
            name: Name::new("李娜").unwrap(),
            locale,
            email: None,
            phone: None,
        };
        notice.words("碧水", &recipient)
    }

    fn time() -> String {
        "2026-11-23 09:30".to_owned()
    }

    fn link() -> String {
        "http://x/c/t".to_owned()
    }

    fn number() -> String {
        "C-000123".to_owned()
    }

    fn every_notice() -> [Notice; 8] {
        let remedies = vec![RemedyKind::Replacement, RemedyKind::Goodwill];
        [
            Notice::VisitConfirmed {
                wall_time: time(), address: Line::new("文一路 1 号").ok()
            },
            Notice::VisitReminder { wall_time: time() },
            Notice::SurveyInvitation { link: "http://x/s/t".to_owned(), open_until: time() },
            Notice::ComplaintReceived {
                number: number(),
                remedy_sought: Line::new("换一台新的").ok(),
                answer_by: time(),
                link: link(),
            },
            Notice::ComplaintDecided {
                number: number(),
                apology: Prose::new("We are sorry.").ok(),
                decision: Prose::new("The pump leaks. {apology}").unwrap(),
                recourse: Prose::new("call our council.").unwrap(),
                remedies: remedies.clone(),
                link: link(),
            },
            Notice::ComplaintResolved { number: number(), remedies, link: link() },
            Notice::VisitPostponed { wall_time: time() },
            Notice::ComplaintAnswered {
                number: number(),
                words: Prose::new("The housing is here.\nWhen may we come?").unwrap(),
                link: link(),
            },
        ]
    }

    #[test]
    fn every_template_finds_its_facts_in_both_languages() {
        for notice in every_notice() {
            let Template { headline, body } = notice.template();
            for (locale, text) in [
                (Locale::Chinese, [headline.zh, body.zh].join("\n")),
                (Locale::English, [headline.en, body.en].join("\n")),
            ] {
                let facts = notice.facts(locale);
                assert!(text.lines().all(|line| fill_line(line, &facts).is_some()), "{text}");
            }
        }
    }

    #[test]
    fn a_message_reads_like_a_letter() {
        let [confirmed, ..] = every_notice();
        assert_eq!(
            words(&confirmed, Locale::Chinese),
            (
                "【碧水】上门服务已约定：2026-11-23 09:30".to_owned(),
                "李娜，您好：\n\n我们将于 2026-11-23 09:30 上门为您服务。\n地址：文一路 1 号\n\n\
                 如时间不便，请告知您的门店。\n\n碧水"
                    .to_owned()
            )
        );
    }

    #[test]
    fn the_apology_stands_first_and_a_fact_is_never_read_as_a_template() {
        let [_, _, _, _, decided, ..] = every_notice();
        let (_, body) = words(&decided, Locale::English);
        assert_eq!(
            body,
            "Dear 李娜,\n\nWe are sorry.\n\nThe pump leaks. {apology}\n\n\
             What we will do: a replacement, a token of goodwill.\n\n\
             If you do not agree: call our council.\n\n\
             Tell us here whether you do:\nhttp://x/c/t\n\n碧水"
        );
    }

    #[test]
    fn a_line_without_its_fact_is_left_out() {
        let resolved =
            Notice::ComplaintResolved { number: number(), remedies: Vec::new(), link: link() };
        let (_, body) = words(&resolved, Locale::Chinese);
        assert_eq!(
            body,
            "李娜，您好：\n\n您的投诉（编号 C-000123）已处理完毕。\n\
             如果您仍不满意，请告诉我们，我们会重新处理。\n\n\
             请在此告诉我们结果如何：\nhttp://x/c/t\n\n碧水"
        );
    }
}
