//! Traces: why a deadline is where it is, in words and in stretches of time.

use super::{
    SlaClock, SlaClockState, SlaEvent, SlaEventKind, SlaHours, SlaMetric, SlaReading, SlaStanding,
    deadline::{Stretch, counted, counted_seconds},
};
use crate::{text::Bilingual, time::Timestamp, working_time::CountedStretch};
use serde::Serialize;
use utoipa::ToSchema;

/// Stretches of a trace, at most: most of a year of working days.
pub const MOST_STRETCHES: usize = 200;

/// One event of a clock, told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"number": 1, "kind": "started", "at": "2026-11-20T09:30:00Z",
    "local_at": "2026-11-20 17:30", "due_at": "2026-11-23T01:30:00Z",
    "en": "2026-11-20 17:30: the time for the first answer began, 60 minutes of working time; it was due by 2026-11-23 09:30.",
    "zh": "2026-11-20 17:30：首次答复开始计时，时限为 60 分钟（工作时间）；应于 2026-11-23 09:30 前完成。"})))]
pub struct SlaTold {
    /// Which event, from 1.
    pub number: u32,
    /// What happened.
    pub kind: SlaEventKind,
    /// When it happened.
    pub at: Timestamp,
    /// The same on the wall clock in `tz`.
    #[schema(examples("2026-11-20 17:30"))]
    pub local_at: String,
    /// The deadline from then on, as it was counted then; null while there was none.
    pub due_at: Option<Timestamp>,
    /// What happened, in English.
    #[schema(examples("2026-11-20 17:30: the time for the first answer began."))]
    pub en: String,
    /// What happened, in Chinese.
    #[schema(examples("2026-11-20 17:30：首次答复开始计时。"))]
    pub zh: String,
}

/// A pause of a clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"from_at": "2026-11-20T09:30:00Z", "to_at": null, "seconds": 1800})))]
pub struct SlaPause {
    /// When it began.
    pub from_at: Timestamp,
    /// When it ended; null while it goes on.
    pub to_at: Option<Timestamp>,
    /// How many seconds would have counted meanwhile, up to now.
    pub seconds: i64,
}

/// Why a deadline is where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SlaTrace {
    /// The clock; its instants are UTC, and its `tz` says whose working time counts.
    pub clock: SlaClock,
    /// What happened to it, in its order, in all rounds.
    pub events: Vec<SlaTold>,
    /// The stretches of the last round that counted until it was done, or count until it must be done; while the time stands still,
    /// those before the pause. Counted by the working hours as they are today. At most 200.
    pub counted: Vec<CountedStretch>,
    /// How many seconds all of them have, also those that are not shown.
    pub counted_seconds: i64,
    /// Whether there are more stretches than are shown.
    pub is_cut: bool,
    /// When the time stood still in the last round.
    pub pauses: Vec<SlaPause>,
}

impl SlaReading {
    /// Tells the log, and shows what was counted in the last round. Before the first there is nothing to tell.
    pub fn trace(self, hours: &SlaHours, now: Timestamp) -> SlaTrace {
        let Self { clock, events } = self;
        let Some(standing) = SlaStanding::of(&events) else {
            let (events, counted, pauses) = (Vec::new(), Vec::new(), Vec::new());
            return SlaTrace { clock, events, counted, counted_seconds: 0, is_cut: false, pauses };
        };
        let until = until(&clock, &standing, now);
        let calendar = hours.that_count(&clock.target, clock.started_at);
        let mut counted: Vec<_> = counted(calendar, clock.started_at, &standing.pauses)
            .take_while(|stretch| stretch.from < until)
            .take(MOST_STRETCHES.saturating_add(1))
            .map(|stretch| Stretch { to: stretch.to.min(until), ..stretch }.into())
            .collect();
        let is_cut = counted.len() > MOST_STRETCHES;
        counted.truncate(MOST_STRETCHES);
        let counted_seconds = clock.counted_until(until, hours, &standing);
        let open = standing.paused_since.map(|from| (from, None));
        let pauses = standing.pauses.iter().map(|pause| (pause.from, Some(pause.to))).chain(open);
        let pauses = pauses
            .map(|(from, to)| {
                let between = Stretch { from, to: to.unwrap_or(now) };
                let seconds = self::counted_seconds(calendar, between, &[]);
                SlaPause { from_at: from, to_at: to, seconds }
            })
            .collect();
        let events = events.iter().map(|event| told(&clock, event)).collect();
        SlaTrace { clock, events, counted, counted_seconds, is_cut, pauses }
    }
}

/// Until when is counted.
fn until(clock: &SlaClock, standing: &SlaStanding, now: Timestamp) -> Timestamp {
    let until = match clock.state {
        SlaClockState::Met | SlaClockState::MetLate => clock.met_at,
        SlaClockState::Paused => standing.paused_since,
        SlaClockState::Running | SlaClockState::Breached => clock.due_at,
        SlaClockState::Cancelled => standing.cancelled_at,
        SlaClockState::Pending => None,
    };
    until.unwrap_or(now)
}

fn told(clock: &SlaClock, event: &SlaEvent) -> SlaTold {
    let local_at = event.at.wall_time_in(clock.tz);
    let due = event.due_at.map(|at| at.wall_time_in(clock.tz));
    let name = name(clock.metric);
    let (en, zh) = (
        format!("{local_at}: {}", english(clock, event, name.en, due.as_deref())),
        format!("{local_at}：{}", chinese(clock, event, name.zh, due.as_deref())),
    );
    let SlaEvent { number, kind, at, due_at, .. } = event;
    SlaTold { number: *number, kind: *kind, at: *at, local_at, due_at: *due_at, en, zh }
}

fn english(clock: &SlaClock, event: &SlaEvent, name: &str, due: Option<&str>) -> String {
    let minutes = clock.target.within_minutes;
    let counting = if clock.target.working_time { " of working time" } else { "" };
    let by = due.map(|due| format!("; it is due by {due}")).unwrap_or_default();
    let after = event.level_seconds.unwrap_or_default().div_euclid(60);
    match event.kind {
        SlaEventKind::Started => {
            format!("the time for {name} began, {minutes} minutes{counting}{by}.")
        }
        SlaEventKind::Paused => {
            "the time stands still, because we wait for the customer; there is no deadline."
                .to_owned()
        }
        SlaEventKind::Resumed => format!("the time runs on{by}."),
        SlaEventKind::Warned => format!("a warning, after {after} minutes{counting}{by}."),
        SlaEventKind::Breached => format!("the deadline of {name} passed."),
        SlaEventKind::Met => format!("{name} was done."),
        SlaEventKind::Cancelled => format!("{name} is not due any more."),
    }
}

fn chinese(clock: &SlaClock, event: &SlaEvent, name: &str, due: Option<&str>) -> String {
    let minutes = clock.target.within_minutes;
    let counting = if clock.target.working_time { "（工作时间）" } else { "" };
    let by = due.map(|due| format!("；应于 {due} 前完成")).unwrap_or_default();
    let after = event.level_seconds.unwrap_or_default().div_euclid(60);
    match event.kind {
        SlaEventKind::Started => format!("{name}开始计时，时限为 {minutes} 分钟{counting}{by}。"),
        SlaEventKind::Paused => "等待客户，暂停计时；暂无截止时间。".to_owned(),
        SlaEventKind::Resumed => format!("恢复计时{by}。"),
        SlaEventKind::Warned => format!("预警，已计 {after} 分钟{counting}{by}。"),
        SlaEventKind::Breached => format!("{name}已超时。"),
        SlaEventKind::Met => format!("{name}已完成。"),
        SlaEventKind::Cancelled => format!("{name}无需再完成。"),
    }
}

/// What is to be done, as people call it.
fn name(metric: SlaMetric) -> Bilingual {
    match metric {
        SlaMetric::Acknowledge => Bilingual { en: "the first answer", zh: "首次答复" },
        SlaMetric::FirstResponse => {
            Bilingual { en: "telling the decision", zh: "告知处理决定" }
        }
        SlaMetric::Decision => Bilingual { en: "the decision", zh: "作出决定" },
        SlaMetric::FirstResolution => Bilingual { en: "the first resolution", zh: "首次解决" },
        SlaMetric::TotalResolution => Bilingual { en: "the resolution", zh: "最终解决" },
        SlaMetric::NextResponse => Bilingual { en: "the next answer", zh: "后续答复" },
        SlaMetric::PeriodicUpdate => Bilingual { en: "the next report", zh: "进展通报" },
    }
}
