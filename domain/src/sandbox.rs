//! The sandbox: a clock of its own, which stands still until somebody moves it.
//!
//! When the clock moves, everything that becomes due on the way is done, in order and at its own
//! instant, before the clock arrives.

use crate::{
    change::Change,
    event::Event,
    ids::{ClockId, OperationId},
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule},
    text::Bilingual,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Farthest that a clock moves at once, in days: two years show every yearly rhythm twice.
pub const FARTHEST_DAYS: u32 = 731;

/// The clock of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({"id": "clk_01m80t7jx3e9vbq2f4c6d8g0hk", "now_at": "2026-11-22T09:30:00Z",
    "target_at": "2026-11-22T09:30:00Z", "version": 1, "created_at": "2026-11-22T09:30:00Z"})))]
pub struct TestClock {
    /// Its identifier.
    pub id: ClockId,
    /// What time it is in the sandbox.
    pub now_at: Timestamp,
    /// Where the clock was sent; the same as `now_at` once it has arrived.
    pub target_at: Timestamp,
    /// How often it was moved.
    pub version: Version,
    /// When the sandbox was created.
    pub created_at: Timestamp,
}

/// How far to move a clock: by `days`, or `to` an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"days": 90})))]
pub struct AdvanceClock {
    /// By so many times 24 hours, 1 to 731.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 731, examples(90))]
    pub days: Option<u32>,
    /// To this instant, which lies ahead.
    #[serde(default)]
    pub to: Option<Timestamp>,
}

/// What is for trying out is there in the sandbox only: a live brand has no clock to move, and what was written
/// to real customers is for them alone.
pub static ONLY_IN_SANDBOX: Rule = Rule {
    code: "only_in_sandbox",
    kind: Kind::Conflict,
    title: Bilingual { en: "Only in the sandbox", zh: "仅限沙盒" },
    detail: Bilingual {
        en: "This is there for trying things out, and your credentials open the brand itself.",
        zh: "此功能仅供试用，而当前凭证打开的是正式环境。",
    },
    advice: Bilingual {
        en: "Use a test key (`ak_test_..`).",
        zh: "请使用测试密钥（`ak_test_..`）。",
    },
};

/// The clock is still on its way.
pub static CLOCK_MOVING: Rule = Rule {
    code: "clock_moving",
    kind: Kind::Conflict,
    title: Bilingual { en: "The clock is on its way", zh: "测试时钟仍在推进" },
    detail: Bilingual {
        en: "The clock shows {now_at} and is on its way to {target_at}.",
        zh: "测试时钟当前为 {now_at}，正在推进到 {target_at}。",
    },
    advice: Bilingual {
        en: "Wait until its operation has succeeded.",
        zh: "请等待对应的操作完成。",
    },
};

/// The clock cannot go there.
pub static CLOCK_OUT_OF_REACH: Rule = Rule {
    code: "clock_out_of_reach",
    kind: Kind::Unfit,
    title: Bilingual { en: "The clock cannot go there", zh: "测试时钟无法到达该时间" },
    detail: Bilingual {
        en: "The clock shows {now_at}; it moves ahead, and at most {farthest_days} days at once.",
        zh: "测试时钟当前为 {now_at}，只能向前推进，且一次最多 {farthest_days} 天。",
    },
    advice: Bilingual {
        en: "Name an instant ahead of now and within reach.",
        zh: "请指定晚于当前时间并在范围内的时刻。",
    },
};

/// It is not clear how far the clock is to move.
pub static NAME_ONE_OF_THE_TWO: Rule = Rule {
    code: "clock_days_or_to",
    kind: Kind::Unfit,
    title: Bilingual { en: "Name one of the two", zh: "请二选一" },
    detail: Bilingual {
        en: "The clock moves by `days` or to the instant `to`: name one of the two.",
        zh: "测试时钟按 `days` 推进，或推进到 `to` 所示时刻：请二选一。",
    },
    advice: Bilingual {
        en: "Send `days` alone or `to` alone.",
        zh: "请只提交 `days` 或只提交 `to`。",
    },
};

/// What this capability refuses.
pub static RULES: &[&Rule] =
    &[&ONLY_IN_SANDBOX, &CLOCK_MOVING, &CLOCK_OUT_OF_REACH, &NAME_ONE_OF_THE_TWO];

impl TestClock {
    /// Sends the clock ahead; `operation` tells how far it has come.
    ///
    /// # Errors
    ///
    /// [`CLOCK_MOVING`] while it is on its way, [`CLOCK_OUT_OF_REACH`] for the past, for more than
    /// [`FARTHEST_DAYS`], [`NAME_ONE_OF_THE_TWO`] when not exactly one of `days` and `to` is named.
    pub fn advance(
        self,
        wish: AdvanceClock,
        operation: OperationId,
    ) -> Result<Change<Self>, Refusal> {
        if self.target_at > self.now_at {
            return Err(Refusal::new(&CLOCK_MOVING)
                .with("now_at", self.now_at)
                .with("target_at", self.target_at));
        }
        let farthest = self.now_at.plus_days(i64::from(FARTHEST_DAYS));
        let target = match (wish.days, wish.to) {
            (Some(days), None) => self.now_at.plus_days(i64::from(days)),
            (None, Some(to)) => to,
            (None, None) => return Err(Refusal::new(&NAME_ONE_OF_THE_TWO).at("")),
            (Some(_), Some(_)) => return Err(Refusal::new(&NAME_ONE_OF_THE_TWO).at("/to")),
        };
        let target = Some(target).filter(|target| *target > self.now_at && *target <= farthest);
        let Some(target_at) = target else {
            return Err(Refusal::new(&CLOCK_OUT_OF_REACH)
                .with("now_at", self.now_at)
                .with("farthest_days", FARTHEST_DAYS)
                .at(if wish.days.is_some() { "/days" } else { "/to" }));
        };
        let arrival = Event::ClockArrived { clock: self.id, at: target_at, operation };
        Ok(Change::new("advance", Self { target_at, ..self })
            .moved(self.now_at, target_at)
            .emits_at(arrival, target_at))
    }

    /// Sets a new clock to `now`.
    pub fn start(id: ClockId, now: Timestamp) -> Change<Self> {
        let version = Version::FIRST;
        Change::created(Self { id, now_at: now, target_at: now, version, created_at: now })
    }

    /// Lets the clock arrive: it shows what it was sent to.
    pub fn arrive(self) -> Change<Self> {
        let at = self.target_at;
        Change::new("arrive", Self { now_at: at, ..self }).with("at", at)
    }
}

impl Record for TestClock {
    type Id = ClockId;

    fn id(&self) -> ClockId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn clock() -> TestClock {
        let now_at = "2026-11-22T09:30:00Z".parse().unwrap();
        TestClock {
            id: Uuid::from_u128(1).into(),
            now_at,
            target_at: now_at,
            version: Version::FIRST,
            created_at: now_at,
        }
    }

    fn advance(days: Option<u32>, to: Option<&str>) -> Result<Timestamp, &'static str> {
        let wish = AdvanceClock { days, to: to.map(|to| to.parse().unwrap()) };
        let moved = clock().advance(wish, Uuid::from_u128(2).into());
        moved.map(|change| change.record.target_at).map_err(|refusal| refusal.rule.code)
    }

    #[test]
    fn a_clock_arrives_where_it_was_sent_and_says_so() {
        let wish = AdvanceClock { days: Some(90), to: None };
        let sent = clock().advance(wish, Uuid::from_u128(2).into()).unwrap().record;
        let target_at = sent.target_at;
        let change = sent.arrive();
        assert_eq!((change.action, change.record.now_at), ("arrive", target_at));
        assert_eq!(change.facts["at"], target_at.to_string());
    }

    #[test]
    fn a_clock_goes_as_far_as_two_years_and_not_a_day_more() {
        assert_eq!(advance(Some(731), None), Ok(clock().now_at.plus_days(731)));
        assert_eq!(advance(Some(732), None), Err("clock_out_of_reach"));
        assert_eq!(advance(Some(u32::MAX), None), Err("clock_out_of_reach"));
    }

    #[test]
    fn a_clock_never_goes_back_or_stands() {
        assert_eq!(advance(Some(0), None), Err("clock_out_of_reach"));
        assert_eq!(advance(None, Some("2026-11-22T09:30:00Z")), Err("clock_out_of_reach"));
        let next = "2026-11-22T09:30:01Z";
        assert_eq!(advance(None, Some(next)), Ok(next.parse().unwrap()));
    }

    #[test]
    fn exactly_one_wish_is_granted() {
        assert_eq!(advance(None, None), Err("clock_days_or_to"));
        assert_eq!(advance(Some(1), Some("2026-12-01T00:00:00Z")), Err("clock_days_or_to"));
    }

    #[test]
    fn a_clock_on_its_way_is_left_alone() {
        let moving = TestClock { target_at: clock().now_at.plus_days(1), ..clock() };
        let wish = AdvanceClock { days: Some(1), to: None };
        let refusal = moving.advance(wish, Uuid::from_u128(2).into()).unwrap_err();
        assert_eq!(refusal.rule, &CLOCK_MOVING);
    }
}
