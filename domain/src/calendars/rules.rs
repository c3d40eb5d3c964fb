//! What is refused about calendars.

use crate::{
    refusal::{Kind, Rule},
    text::Bilingual,
};

/// Somebody works at some time.
pub(super) static CALENDAR_WITHOUT_HOURS: Rule = Rule {
    code: "calendar_without_hours",
    kind: Kind::Unfit,
    title: Bilingual { en: "Nobody ever works", zh: "没有任何工作时段" },
    detail: Bilingual {
        en: "There is no interval in which work is done.",
        zh: "没有任何工作时段。",
    },
    advice: Bilingual {
        en: "Give at least one interval; close a single day with `closed`.",
        zh: "请至少填写一个时段；单独某天不营业请使用 `closed`。",
    },
};

/// An hour is worked once.
pub(super) static CALENDAR_HOURS_OVERLAP: Rule = Rule {
    code: "calendar_hours_overlap",
    kind: Kind::Unfit,
    title: Bilingual { en: "Two intervals overlap", zh: "工作时段重叠" },
    detail: Bilingual {
        en: "The interval from {opens} to {closes} begins before the one before it is over, at {until}.",
        zh: "时段 {opens}–{closes} 在前一时段结束（{until}）之前开始。",
    },
    advice: Bilingual {
        en: "Make one interval of the two; one that closes not later than it opens runs into the next day.",
        zh: "请合并这两个时段；结束时间不晚于开始时间的时段延续到次日。",
    },
};

/// Nobody works on a day that is closed.
pub(super) static CLOSED_DAY_WITH_HOURS: Rule = Rule {
    code: "closed_day_with_hours",
    kind: Kind::Unfit,
    title: Bilingual { en: "A closed day has no hours", zh: "休息日没有工作时段" },
    detail: Bilingual {
        en: "The day is `closed`, and has intervals.",
        zh: "该日为 `closed`，却填写了工作时段。",
    },
    advice: Bilingual {
        en: "Leave the intervals out, or make the day `open`.",
        zh: "请删除时段，或将该日改为 `open`。",
    },
};

/// There is a time of day at which somebody may be written to.
pub(super) static QUIET_ALL_DAY: Rule = Rule {
    code: "quiet_all_day",
    kind: Kind::Unfit,
    title: Bilingual { en: "Quiet all day", zh: "全天免打扰" },
    detail: Bilingual {
        en: "Quiet hours from {from} to {to} would never be over.",
        zh: "免打扰时段 {from}–{to} 将永远不会结束。",
    },
    advice: Bilingual {
        en: "Give two different times, or leave quiet hours out.",
        zh: "请填写两个不同的时刻，或不设置免打扰时段。",
    },
};

/// A calendar that is retired is not taken into use again.
pub(crate) static CALENDAR_RETIRED: Rule = Rule {
    code: "calendar_retired",
    kind: Kind::Conflict,
    title: Bilingual { en: "The calendar is retired", zh: "该日历已停用" },
    detail: Bilingual {
        en: "The calendar {calendar_code} is retired; no more sites name it.",
        zh: "日历 {calendar_code} 已停用，不能再用于网点。",
    },
    advice: Bilingual {
        en: "Reinstate it, or name another one.",
        zh: "请恢复该日历或选择其他日历。",
    },
};

/// A list says one thing about a day.
pub(super) static CALENDAR_DAY_TWICE: Rule = Rule {
    code: "calendar_day_twice",
    kind: Kind::Unfit,
    title: Bilingual { en: "One day, two meanings", zh: "同一天有两种含义" },
    detail: Bilingual {
        en: "The list says two different things about {on}.",
        zh: "列表对 {on} 有两种不同的说明。",
    },
    advice: Bilingual {
        en: "Leave one of them out. Nothing was written.",
        zh: "请删除其中一条。尚未写入任何数据。",
    },
};

/// A list has a length that can be taken over in one go.
pub(super) static TOO_MANY_EXCEPTIONS: Rule = Rule {
    code: "too_many_exceptions",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too many days", zh: "日期过多" },
    detail: Bilingual {
        en: "The file names more than {most} days.",
        zh: "文件中的日期超过 {most} 天。",
    },
    advice: Bilingual {
        en: "Hand in the years that matter. Nothing was written.",
        zh: "请只提交需要的年份。尚未写入任何数据。",
    },
};

/// A file is in the form that it claims.
pub(super) static ICS_UNREADABLE: Rule = Rule {
    code: "ics_unreadable",
    kind: Kind::Unfit,
    title: Bilingual { en: "The file cannot be read", zh: "无法读取该文件" },
    detail: Bilingual {
        en: "Line {line} of the file is not what iCalendar (RFC 5545) has there: {expected}.",
        zh: "文件第 {line} 行不符合 iCalendar（RFC 5545）：应有 {expected}。",
    },
    advice: Bilingual {
        en: "Export the calendar again. Nothing was written.",
        zh: "请重新导出日历。尚未写入任何数据。",
    },
};

/// What recurs is not guessed at.
pub(super) static ICS_RECURS: Rule = Rule {
    code: "ics_recurs",
    kind: Kind::Unfit,
    title: Bilingual { en: "Recurring events are not read", zh: "不支持重复事件" },
    detail: Bilingual {
        en: "The event at line {line} recurs ({property}).",
        zh: "第 {line} 行的事件是重复事件（{property}）。",
    },
    advice: Bilingual {
        en: "Export each day as an event of its own. Nothing was written.",
        zh: "请将每一天导出为单独的事件。尚未写入任何数据。",
    },
};

/// What is said about a day is about the whole of it.
pub(super) static ICS_NOT_ALL_DAY: Rule = Rule {
    code: "ics_not_all_day",
    kind: Kind::Unfit,
    title: Bilingual { en: "The event has a time of day", zh: "该事件不是全天事件" },
    detail: Bilingual {
        en: "{property} at line {line} is not a date: only events of whole days are read.",
        zh: "第 {line} 行的 {property} 不是日期：只读取全天事件。",
    },
    advice: Bilingual {
        en: "Take it out, or enter that day's hours by `PUT /v1/calendars/cal_…/exceptions/2026-10-10`. Nothing was written.",
        zh: "请删除该事件，或通过 `PUT /v1/calendars/cal_…/exceptions/2026-10-10` 填写当天时段。尚未写入任何数据。",
    },
};

/// Days are asked for in order.
pub(super) static CALENDAR_DAYS_REVERSED: Rule = Rule {
    code: "calendar_days_reversed",
    kind: Kind::Unfit,
    title: Bilingual { en: "The last day lies before the first", zh: "结束日早于开始日" },
    detail: Bilingual {
        en: "The days begin on {from_on} and end on {to_on}.",
        zh: "日期自 {from_on} 起，至 {to_on} 止。",
    },
    advice: Bilingual {
        en: "Give the earlier day first.", zh: "请将较早的日期放在前面。"
    },
};

/// An answer has a length.
pub(super) static TOO_MANY_CALENDAR_DAYS: Rule = Rule {
    code: "too_many_calendar_days",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too many days at once", zh: "一次查询的日期过多" },
    detail: Bilingual {
        en: "From {from_on} to {to_on} there are {days} days; at most {most} are shown at once.",
        zh: "{from_on} 至 {to_on} 共 {days} 天，一次最多 {most} 天。",
    },
    advice: Bilingual { en: "Ask for them in parts.", zh: "请分段查询。" },
};

/// Working time ends within a human span.
pub(super) static DEADLINE_OUT_OF_REACH: Rule = Rule {
    code: "deadline_out_of_reach",
    kind: Kind::Unfit,
    title: Bilingual { en: "Too far ahead", zh: "截止时间过远" },
    detail: Bilingual {
        en: "{minutes} minutes of working time are not over within ten years.",
        zh: "{minutes} 分钟的工作时间在十年内无法完成。",
    },
    advice: Bilingual {
        en: "Ask for less, or give the calendar more hours.",
        zh: "请减少时间，或增加日历的工作时段。",
    },
};
