//! Policies, clocks and their deadlines, told as sentences and as properties.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::integer_division,
    clippy::needless_pass_by_value,
    reason = "a few small numbers are counted, and JSON is written where it is needed"
)]

use super::{deadline::*, *};
use crate::{
    complaints::{
        Complaint, ComplaintClosing, ComplaintDetails, ComplaintKind, ComplaintReopening,
        ComplaintSource, ComplaintWaiting, Deciding, DecisionDetails, Responsibility, Severity,
        WaitingFor,
    },
    identity::{Actor, Rank},
    ids::{DealerId, RemedyId, SlaEventId},
    refusal::Refusal,
    tenancy::Weekday,
    text::{Line, Prose},
    time::{CivilDate, Timestamp, WallTime, Zone},
    working_time::{DayOpening, DaySource, SaidDay, WorkingCalendar, WorkingInterval},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

const DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

/// Monday to Friday, 09:00 to 18:00 in Shanghai.
fn office() -> WorkingCalendar {
    let day = WorkingInterval { opens: WallTime::NINE, closes: WallTime::EIGHTEEN };
    WorkingCalendar::new(zone("Asia/Shanghai"), DAYS[..5].iter().map(|one| (*one, day)))
}

fn hours() -> SlaHours {
    SlaHours::of(Some(office()))
}

/// Friday, half past five in the afternoon.
fn friday() -> Timestamp {
    at("2026-11-20T09:30:00Z")
}

fn target(more: Value) -> SlaTarget {
    let mut target =
        json!({ "metric": "first_resolution", "within_minutes": 60, "working_time": true });
    target.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(target).unwrap()
}

fn details(targets: Value) -> SlaVersionDetails {
    serde_json::from_value(json!({ "targets": targets })).unwrap()
}

fn candidate(policy: u128, rank: u32, applies_to: Value) -> SlaCandidate {
    let details = json!({ "applies_to": applies_to,
        "targets": [{ "metric": "acknowledge", "within_minutes": 60 }] });
    SlaCandidate {
        sla_policy_id: Uuid::from_u128(policy).into(),
        sla_version_id: Uuid::from_u128(policy).into(),
        rank,
        details: serde_json::from_value(details).unwrap(),
    }
}

fn matter() -> SlaMatter {
    SlaMatter {
        kind: ComplaintKind::Quality,
        source: ComplaintSource::Phone,
        severity: Severity::new(3).unwrap(),
        tier: "gold".parse().ok(),
        dealer_id: Some(DealerId::from(Uuid::from_u128(4))),
    }
}

fn complaint(now: Timestamp) -> crate::change::Change<Complaint> {
    let details = ComplaintDetails {
        customer_id: Uuid::from_u128(1).into(),
        dealer_id: Some(DealerId::from(Uuid::from_u128(4))),
        order_id: None,
        asset_id: None,
        work_order_id: None,
        source: ComplaintSource::Phone,
        kind: ComplaintKind::Quality,
        severity: Severity::new(3).unwrap(),
        description: Prose::new("It leaks.").unwrap(),
        remedy_sought: None,
    };
    let id = Uuid::from_u128(2).into();
    Complaint::receive(id, "C-000001".to_owned(), details, zone("Asia/Shanghai"), now)
}

/// A complaint with one clock, and time that passes.
struct Story {
    complaint: Complaint,
    talk: SlaTalk,
    reading: SlaReading,
    now: Timestamp,
    ids: u128,
}

impl Story {
    fn begins(target: SlaTarget) -> Self {
        let picked = SlaCandidate {
            details: SlaVersionDetails {
                applies_to: SlaAppliesTo::default(),
                targets: vec![target],
            },
            ..candidate(1, 0, json!({}))
        };
        let mut ids = (100_u128..).map(Uuid::from_u128);
        let opening =
            SlaOpening::of(complaint(friday()), Some(&picked), &hours(), || ids.next().unwrap());
        let SlaMove { clock, added, .. } = opening.clocks.into_iter().next().unwrap();
        let reading = SlaReading { clock, events: added };
        let (complaint, talk) = (opening.complaint.record, SlaTalk::default());
        Self { complaint, talk, reading, now: friday(), ids: 1_000 }
    }

    fn later(&mut self, hours: i64) {
        self.now = self.now.plus_hours(hours);
    }

    fn takes(&mut self, moved: Option<SlaMove>) {
        if let Some(SlaMove { clock, added, .. }) = moved {
            self.reading.clock = clock;
            self.reading.events.extend(added);
        }
    }

    fn fires(&mut self) -> Vec<SlaEventKind> {
        let mut ids = (self.ids..).map(|id| SlaEventId::from(Uuid::from_u128(id)));
        self.ids += 50;
        let moved = self.reading.clone().fire(&hours(), || ids.next().unwrap(), self.now);
        let kinds = moved.iter().flat_map(|one| one.added.iter().map(|event| event.kind)).collect();
        self.takes(moved);
        kinds
    }

    fn follows(&mut self) {
        let mut ids = (self.ids..).map(|id| SlaEventId::from(Uuid::from_u128(id)));
        self.ids += 50;
        let reading = self.reading.clone();
        let next_id = || ids.next().unwrap();
        let moved =
            reading.follow((&self.complaint, self.talk), &hours(), next_id, self.now).unwrap();
        self.takes(moved);
    }

    fn acknowledges(&mut self) {
        self.complaint =
            self.complaint.clone().acknowledge(Actor::Worker, self.now).unwrap().record;
        self.follows();
    }

    fn waits(&mut self, waiting_for: WaitingFor) {
        let waiting = ComplaintWaiting { waiting_for, reason: Line::new("Which?").unwrap() };
        self.complaint = self.complaint.clone().wait(waiting, self.now).unwrap().record;
        self.follows();
    }

    fn resumes(&mut self) {
        self.complaint = self.complaint.clone().resume().unwrap().record;
        self.follows();
    }

    fn resolves(&mut self) {
        let decision = DecisionDetails {
            responsibility: Responsibility::None,
            apology: None,
            text: Prose::new("Nothing was wrong.").unwrap(),
            recourse: Prose::new("Call us.").unwrap(),
            confirmed_defect: false,
            upheld: true,
            remedies: Vec::new(),
        };
        let none = || RemedyId::from(Uuid::nil());
        let deciding = Deciding { rank: Rank::CLERK, promised: Vec::new() };
        let decided = self.complaint.clone().decide(decision, deciding, none, self.now).unwrap();
        let decided = decided.complaint.record;
        self.complaint = decided.resolve(&[], Actor::Worker, self.now).unwrap().record;
        self.follows();
    }

    fn reopens(&mut self) {
        let again = ComplaintReopening { reason: Prose::new("Again.").unwrap() };
        self.complaint = self.complaint.clone().reopen(again, self.now).unwrap().record;
        self.follows();
    }

    /// The customer says something.
    fn hears(&mut self) {
        if self.complaint.waiting_for == Some(WaitingFor::Customer) {
            self.complaint = self.complaint.clone().resume().unwrap().record;
        }
        self.talk.unanswered_at = Some(self.now);
        self.follows();
    }

    /// A message goes to the customer.
    fn writes(&mut self) {
        self.talk = SlaTalk { unanswered_at: None, written_at: Some(self.now) };
        self.follows();
    }

    fn clock(&self) -> &SlaClock {
        &self.reading.clock
    }

    fn kinds(&self) -> Vec<(u32, SlaEventKind)> {
        self.reading.events.iter().map(|event| (event.round, event.kind)).collect()
    }

    /// Counts the clock anew by other hours.
    fn recounts(&mut self, hours: &SlaHours) -> Option<SlaMove> {
        let mut ids = (self.ids..).map(|id| SlaEventId::from(Uuid::from_u128(id)));
        self.ids += 50;
        let moved = self.reading.clone().fire(hours, || ids.next().unwrap(), self.now);
        self.takes(moved.clone());
        moved
    }

    /// Applies a version with these targets.
    fn applies(&mut self, version: u128, targets: Vec<SlaTarget>) -> Result<SlaApplied, Refusal> {
        let picked = SlaCandidate {
            sla_version_id: Uuid::from_u128(version).into(),
            details: SlaVersionDetails { applies_to: SlaAppliesTo::default(), targets },
            ..candidate(1, 0, json!({}))
        };
        let mut ids = (self.ids..).map(Uuid::from_u128);
        self.ids += 50;
        let (complaint, hours) = (&self.complaint, hours());
        let (talk, now) = (self.talk, self.now);
        let applying = SlaApplying { picked: &picked, complaint, talk, hours: &hours, now };
        let applied = applying.to(vec![self.reading.clone()], || ids.next().unwrap())?;
        self.takes(applied.moved.first().cloned());
        Ok(applied)
    }
}

/// The office, but Monday the 23rd is free.
fn without_monday() -> SlaHours {
    let free = SaidDay { opening: DayOpening::Closed, label: None, source: DaySource::Own };
    SlaHours::of(Some(office().with_days([("2026-11-23".parse().unwrap(), free)])))
}

#[test]
fn a_free_day_that_becomes_known_moves_what_is_due_and_does_so_once() {
    let mut story = Story::begins(target(json!({ "warn_before_minutes": [15] })));
    let moved = story.recounts(&without_monday()).unwrap();
    assert_eq!(moved.timer, Some(at("2026-11-24T01:15:00Z")));
    assert_eq!((story.clock().due_at, moved.added), (Some(at("2026-11-24T01:30:00Z")), vec![]));
    assert_eq!(story.recounts(&without_monday()), None, "once more changes nothing");
    // And back.
    assert!(story.recounts(&hours()).is_some());
    assert_eq!(story.clock().due_at, Some(at("2026-11-23T01:30:00Z")));
}

#[test]
fn what_was_missed_stays_missed_when_people_work_at_other_hours() {
    let mut story = Story::begins(target(json!({ "metric": "acknowledge" })));
    story.now = at("2026-11-23T01:30:00Z");
    assert_eq!(story.fires(), [SlaEventKind::Breached]);
    assert_eq!(story.recounts(&without_monday()), None);
    story.acknowledges();
    assert_eq!(story.clock().state, SlaClockState::MetLate);
    assert_eq!(story.clock().breached_at, Some(at("2026-11-23T01:30:00Z")));
}

#[test]
fn other_hours_leave_what_stands_still_without_a_deadline() {
    let mut story =
        Story::begins(target(json!({ "pause_while_waiting": true, "within_minutes": 600 })));
    story.acknowledges();
    story.now = at("2026-11-23T02:00:00Z");
    story.waits(WaitingFor::Customer);
    assert_eq!(story.clock().remaining_seconds, Some(600 * 60 - 5_400));
    let moved = story.recounts(&without_monday()).unwrap();
    assert_eq!((moved.clock.due_at, moved.timer), (None, None));
    assert_eq!(story.clock().remaining_seconds, Some(600 * 60 - 1_800));
}

#[test]
fn the_first_answer_is_due_with_its_clock_as_long_as_it_is_due() {
    let mut story = Story::begins(target(json!({ "metric": "acknowledge" })));
    let moved = story.recounts(&without_monday()).unwrap();
    let change = story.complaint.clone().answer_with(&moved.clock).unwrap();
    assert_eq!(change.record.first_answer_due_at, at("2026-11-24T01:30:00Z"));
    assert_eq!(change.record.local_first_answer_due, "2026-11-24 09:30");
    assert_eq!(change.events[0].1, Some(at("2026-11-24T01:30:00Z")));
    assert_eq!(change.record.answer_with(&moved.clock), None);
    story.now = at("2026-11-23T01:00:00Z");
    let mut other = Story::begins(target(json!({ "metric": "decision" })));
    let moved = other.recounts(&without_monday()).unwrap();
    assert_eq!(story.complaint.clone().answer_with(&moved.clock), None, "it is another promise");
    story.acknowledges();
    let mut late = story.clock().clone();
    late.due_at = Some(at("2026-11-25T01:30:00Z"));
    assert_eq!(story.complaint.clone().answer_with(&late), None, "it was given");
}

#[test]
fn another_policy_counts_from_the_beginning_and_keeps_the_pauses() {
    let paused = || target(json!({ "pause_while_waiting": true }));
    let mut story = Story::begins(paused());
    story.acknowledges();
    story.now = at("2026-11-20T09:40:00Z");
    story.waits(WaitingFor::Customer);
    story.now = at("2026-11-23T02:00:00Z");
    story.resumes();
    let longer = target(json!({ "pause_while_waiting": true, "within_minutes": 90 }));
    let applied = story.applies(9, vec![longer.clone()]).unwrap();
    assert!(applied.begun.is_empty());
    // Ten minutes on Friday, and eighty from Monday at ten on.
    assert_eq!(story.clock().due_at, Some(at("2026-11-23T03:20:00Z")));
    assert_eq!(story.clock().sla_version_id, Uuid::from_u128(9).into());
    assert_eq!(applied.moved[0].added[0].kind, SlaEventKind::Applied);
    let again = story.applies(9, vec![longer]).unwrap();
    assert_eq!(again, SlaApplied::default(), "it counts already");
    let told = story.reading.clone().trace(&hours(), story.now).events;
    assert_eq!(
        told[0].en,
        "2026-11-20 17:30: the time for the first resolution began; it is due by 2026-11-23 09:30."
    );
    assert_eq!(
        told[3].zh,
        "2026-11-23 10:00：改用另一策略，首次解决自起始时刻重新计时，时限为 90 分钟（工作时间）；应于 2026-11-23 11:20 前完成。"
    );
}

#[test]
fn a_shorter_policy_is_missed_where_it_passed_and_a_longer_one_mends_nothing() {
    let mut story = Story::begins(target(json!({ "within_minutes": 600 })));
    story.now = at("2026-11-23T02:00:00Z");
    let shorter = target(json!({ "within_minutes": 60 }));
    let applied = story.applies(2, vec![shorter]).unwrap();
    let kinds: Vec<_> = applied.moved[0].added.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [SlaEventKind::Applied, SlaEventKind::Breached]);
    // Never before it was applied.
    assert_eq!(story.clock().breached_at, Some(story.now));
    let longer = target(json!({ "within_minutes": 6_000 }));
    drop(story.applies(3, vec![longer]).unwrap());
    assert_eq!(story.clock().state, SlaClockState::Breached);
    story.acknowledges();
    story.resolves();
    assert_eq!(story.clock().state, SlaClockState::MetLate);
}

#[test]
fn what_no_policy_asks_for_any_more_is_given_up_unless_it_was_missed() {
    let mut story = Story::begins(target(json!({})));
    story.later(1);
    let decision = || vec![target(json!({ "metric": "decision", "within_minutes": 120 }))];
    let applied = story.applies(2, decision()).unwrap();
    assert_eq!(story.clock().state, SlaClockState::Cancelled);
    let begun = &applied.begun[0].clock;
    assert_eq!((begun.metric, begun.started_at), (SlaMetric::Decision, friday()));
    assert_eq!(begun.due_at, Some(at("2026-11-23T02:30:00Z")));
    let mut story = Story::begins(target(json!({})));
    story.later(200);
    drop(story.applies(2, decision()).unwrap());
    assert_eq!(story.clock().state, SlaClockState::Breached, "it had come due before");
    // What is done gets no clock.
    let mut story = Story::begins(target(json!({})));
    story.acknowledges();
    let acknowledge = target(json!({ "metric": "acknowledge" }));
    let applied = story.applies(2, vec![target(json!({})), acknowledge]).unwrap();
    assert_eq!((applied.moved.len(), applied.begun.len()), (1, 0));
}

#[test]
fn a_policy_is_applied_to_who_waits_and_where_one_is_for_them() {
    let some = candidate(1, 0, json!({}));
    let mut story = Story::begins(target(json!({})));
    assert_eq!(SlaApplying::check(&story.complaint, Some(&some)), Ok(&some));
    let refusal = SlaApplying::check(&story.complaint, None).unwrap_err();
    assert_eq!(refusal.rule, &NO_SLA_POLICY_APPLIES);
    story.acknowledges();
    story.resolves();
    let refusal = SlaApplying::check(&story.complaint, Some(&some)).unwrap_err();
    assert_eq!(refusal.rule.code, "illegal_transition");
    let mut story = Story::begins(target(json!({})));
    story.reading.clock.event_count = MOST_SLA_EVENTS;
    let refusal = story.applies(2, vec![target(json!({}))]).unwrap_err();
    assert_eq!(refusal.rule, &SLA_LOG_FULL);
}

/// Sixty minutes, for something that is due again and again.
fn again(metric: &str) -> Story {
    Story::begins(target(json!({ "metric": metric, "working_time": false,
        "warn_before_minutes": [15], "pause_while_waiting": true, "at_breach": ["finding"] })))
}

#[test]
fn each_message_of_the_customer_is_answered_in_a_round_of_its_own() {
    use SlaEventKind::{Breached, Met, Started, Warned};
    let mut story = again("next_response");
    assert_eq!((story.clock().state, story.clock().round), (SlaClockState::Pending, 0));
    assert_eq!((story.clock().due_at, story.clock().next_fire_at), (None, None));
    story.acknowledges();
    assert_eq!(story.kinds(), []);
    story.later(1);
    story.hears();
    assert_eq!(story.clock().due_at, Some(story.now.plus_hours(1)));
    // Who says more before there is an answer does not get it later.
    story.now = story.now.plus_minutes(30);
    story.hears();
    assert_eq!(story.clock().due_at, Some(story.now.plus_minutes(30)));
    story.writes();
    assert_eq!(
        (story.clock().state, story.clock().elapsed_seconds),
        (SlaClockState::Met, Some(1_800))
    );
    story.later(5);
    story.fires();
    assert_eq!(story.kinds(), [(1, Started), (1, Met)]);

    story.hears();
    story.later(2);
    assert_eq!(story.fires(), [Warned, Breached]);
    assert_eq!(story.fires(), []);
    let missed = story.clock().finding().unwrap();
    assert_eq!(missed.topic.unwrap().to_string(), "next_response");
    story.writes();
    assert_eq!(story.clock().state, SlaClockState::MetLate);
    story.later(1);
    story.hears();
    story.writes();
    let clock = story.clock();
    assert_eq!((clock.state, clock.round, clock.missed_rounds), (SlaClockState::Met, 3, 1));
}

#[test]
fn a_decision_and_a_resolution_answer_and_the_end_asks_for_no_answer() {
    let mut story = again("next_response");
    story.acknowledges();
    story.later(1);
    story.hears();
    story.now = story.now.plus_minutes(5);
    story.resolves();
    assert_eq!(story.clock().state, SlaClockState::Met);
    // A customer who is still unhappy wants an answer, and one who closes with thanks does not.
    story.later(1);
    story.hears();
    assert_eq!((story.clock().state, story.clock().round), (SlaClockState::Running, 2));
    story.now = story.now.plus_minutes(5);
    let closing = ComplaintClosing { customer_satisfied: Some(true) };
    story.complaint = story.complaint.clone().close(closing, None, story.now).unwrap().record;
    story.follows();
    assert_eq!(story.clock().state, SlaClockState::Cancelled);
    assert!(story.clock().is_live());
    story.later(1);
    story.reopens();
    assert_eq!(story.clock().state, SlaClockState::Cancelled);
    story.hears();
    assert_eq!((story.clock().state, story.clock().round), (SlaClockState::Running, 3));
}

#[test]
fn a_report_is_due_again_after_each_until_it_is_resolved() {
    use SlaEventKind::{Met, Paused, Resumed, Started};
    let mut story = again("periodic_update");
    assert_eq!(story.clock().due_at, Some(friday().plus_hours(1)));
    story.now = friday().plus_minutes(30);
    story.acknowledges();
    assert_eq!(story.kinds(), [(1, Started), (1, Met), (2, Started)]);
    assert_eq!(story.clock().due_at, Some(friday().plus_minutes(90)));
    story.now = story.now.plus_minutes(10);
    story.writes();
    assert_eq!(story.clock().due_at, Some(story.now.plus_hours(1)));
    story.now = story.now.plus_minutes(10);
    story.waits(WaitingFor::Customer);
    assert_eq!(story.clock().remaining_seconds, Some(3_000));
    // A report while we wait begins the next round, which stands still from its beginning.
    story.writes();
    assert_eq!(story.kinds().split_off(6), [(3, Met), (4, Started), (4, Paused)]);
    assert_eq!(story.clock().remaining_seconds, Some(3_600));
    story.later(9);
    story.hears();
    assert_eq!(story.clock().due_at, Some(story.now.plus_hours(1)));
    assert_eq!(story.kinds().last(), Some(&(4, Resumed)));
    story.resolves();
    assert_eq!((story.clock().state, story.clock().round), (SlaClockState::Met, 4));
    story.later(48);
    assert_eq!(story.fires(), []);
    story.reopens();
    assert_eq!(story.clock().due_at, Some(story.now.plus_hours(1)));
}

#[test]
fn a_log_that_is_full_gets_no_further_round() {
    let mut story = again("periodic_update");
    for _ in 0..MOST_SLA_EVENTS {
        story.now = story.now.plus_minutes(1);
        story.writes();
    }
    assert_eq!(story.clock().event_count, MOST_SLA_EVENTS);
    assert_eq!(story.clock().state, SlaClockState::Met);
    story.later(5);
    assert_eq!(story.fires(), []);
}

#[test]
fn what_waits_for_a_message_has_no_deadline_before() {
    let details = details(json!([{ "metric": "next_response", "within_minutes": 60 }]));
    let candidate = SlaCandidate { details, ..candidate(1, 0, json!({})) };
    let forecast = candidate.forecast(&hours(), friday(), zone("Asia/Shanghai"));
    assert_eq!((forecast.targets[0].due_at, &forecast.targets[0].warnings_at), (None, &Vec::new()));
    let pending = again("next_response");
    let trace = pending.reading.clone().trace(&hours(), friday());
    assert_eq!((trace.events, trace.counted_seconds), (Vec::new(), 0));
}

#[test]
fn half_an_hour_before_the_weekend_an_hour_is_over_on_monday_at_half_past_nine() {
    let story = Story::begins(target(json!({})));
    assert_eq!(story.clock().due_at, Some(at("2026-11-23T01:30:00Z")));
    assert_eq!(story.clock().local_due.as_deref(), Some("2026-11-23 09:30"));
    let all_hours = Story::begins(target(json!({ "working_time": false })));
    assert_eq!(all_hours.clock().due_at, Some(at("2026-11-20T10:30:00Z")));
}

#[test]
fn where_nobody_ever_works_all_hours_count() {
    let never = SlaHours::of(Some(WorkingCalendar::new(zone("UTC"), [])));
    let counts = never.that_count(&target(json!({})), friday());
    assert_eq!(deadline(counts, friday(), 3_600, &[]), Some(friday().plus_hours(1)));
}

#[test]
fn the_highest_rank_is_picked_then_who_says_most_then_the_oldest() {
    let pick = |candidates: &[SlaCandidate]| {
        SlaCandidate::pick(candidates, &matter()).map(|one| Uuid::from(one.sla_policy_id).as_u128())
    };
    let all = candidate(3, 10, json!({}));
    let older = candidate(2, 10, json!({}));
    let severe = candidate(4, 10, json!({ "severity_at_least": 3 }));
    let high = candidate(5, 11, json!({}));
    assert_eq!(pick(&[]), None);
    assert_eq!(pick(&[all.clone(), older.clone()]), Some(2));
    assert_eq!(pick(&[all.clone(), older.clone(), severe.clone()]), Some(4));
    assert_eq!(pick(&[high, all, older, severe]), Some(5));
}

#[test]
fn everything_that_is_said_must_fit() {
    let fits =
        |applies_to: Value| SlaCandidate::pick(&[candidate(1, 0, applies_to)], &matter()).is_some();
    let dealer = DealerId::from(Uuid::from_u128(4));
    let other = DealerId::from(Uuid::from_u128(5));
    for (applies_to, is_fit) in [
        (json!({}), true),
        (json!({ "kinds": ["service", "quality"] }), true),
        (json!({ "kinds": ["service"] }), false),
        (json!({ "sources": ["phone"] }), true),
        (json!({ "sources": ["app"] }), false),
        (json!({ "severity_at_least": 3 }), true),
        (json!({ "severity_at_least": 4 }), false),
        (json!({ "tiers": ["gold"] }), true),
        (json!({ "tiers": ["silver"] }), false),
        (json!({ "dealer_ids": [dealer] }), true),
        (json!({ "dealer_ids": [other] }), false),
        (json!({ "kinds": ["quality"], "tiers": ["silver"] }), false),
    ] {
        assert_eq!(fits(applies_to.clone()), is_fit, "{applies_to}");
    }
}

#[test]
fn a_metric_has_one_target_and_a_warning_lies_within_it() {
    let twice = details(json!([{ "metric": "decision", "within_minutes": 60 },
        { "metric": "decision", "within_minutes": 90 }]));
    let refusal = twice.check().unwrap_err();
    assert_eq!(refusal.rule, &SLA_METRIC_REPEATED);
    assert_eq!(refusal.place.as_deref(), Some("/targets/1/metric"));
    let warned = |before: u32| {
        details(json!([{ "metric": "decision", "within_minutes": 60,
            "warn_before_minutes": [15, before] }]))
        .check()
    };
    assert_eq!(warned(59), Ok(()));
    let refusal = warned(60).unwrap_err();
    assert_eq!(refusal.rule, &SLA_WARNING_BEYOND_TARGET);
    assert_eq!(refusal.place.as_deref(), Some("/targets/0/warn_before_minutes/1"));
    let share = |share: u32| {
        serde_json::from_value::<SlaTarget>(json!({ "metric": "decision", "within_minutes": 1,
            "warn_at_bp": [share] }))
    };
    assert!(share(9_999).is_ok() && share(10_000).is_err() && share(0).is_err());
}

#[test]
fn two_warnings_at_one_time_are_one() {
    let warned = target(json!({ "warn_at_bp": [5_000, 7_500], "warn_before_minutes": [30, 10] }));
    assert_eq!(warned.warnings().into_iter().collect::<Vec<_>>(), [1_800, 2_700, 3_000]);
}

#[test]
fn a_published_version_is_never_changed() {
    let policy = json!({ "code": "all", "name": "All", "rank": 1 });
    let policy = serde_json::from_value(policy).unwrap();
    let policy = SlaPolicy::create(Uuid::from_u128(1).into(), policy, friday()).record;
    let said = details(json!([{ "metric": "decision", "within_minutes": 60 }]));
    let draft = |policy: SlaPolicy, id: u128| {
        policy.draft(Uuid::from_u128(id).into(), said.clone(), friday()).unwrap()
    };
    let (policy, first) = draft(policy, 2);
    let (policy, second) = draft(policy.record, 3);
    assert_eq!((first.record.number, second.record.number), (1, 2));
    let first = first.record.publish(None, 49, friday()).unwrap().published.record;
    assert!(first.clone().change(said.clone()).is_err());
    assert!(first.clone().publish(None, 0, friday()).is_err());
    let refusal = second.record.clone().publish(None, 50, friday()).unwrap_err();
    assert_eq!(refusal.rule, &TOO_MANY_SLA_POLICIES);
    let publication = second.record.publish(Some(first), 0, friday()).unwrap();
    assert_eq!(publication.retired.unwrap().record.state, SlaVersionState::Retired);
    let retired = policy.record.retire().unwrap().record;
    assert_eq!(retired.require_active().unwrap_err().rule, &SLA_POLICY_RETIRED);
    assert!(retired.clone().retire().is_err());
    assert_eq!(retired.reinstate().unwrap().record.require_active(), Ok(()));
}

#[test]
fn a_warning_and_a_missed_deadline_are_noted_once_however_often_somebody_looks() {
    let mut story = Story::begins(target(json!({ "warn_before_minutes": [15] })));
    assert_eq!(story.clock().next_fire_at, Some(at("2026-11-23T01:15:00Z")));
    assert!(story.fires().is_empty());
    story.now = at("2026-11-23T01:15:00Z");
    assert_eq!(story.fires(), [SlaEventKind::Warned]);
    assert!(story.fires().is_empty());
    assert_eq!(story.clock().next_fire_at, Some(at("2026-11-23T01:30:00Z")));
    story.now = at("2026-11-23T01:29:59Z");
    assert!(story.fires().is_empty());
    story.now = at("2026-11-23T01:30:00Z");
    assert_eq!(story.fires(), [SlaEventKind::Breached]);
    assert!(story.fires().is_empty());
    let clock = story.clock();
    assert_eq!((clock.state, clock.next_fire_at), (SlaClockState::Breached, None));
    assert_eq!(clock.breached_at, Some(at("2026-11-23T01:30:00Z")));
}

#[test]
fn who_looks_late_notes_both_at_their_own_instants() {
    let mut story = Story::begins(target(json!({ "warn_before_minutes": [15] })));
    story.later(200);
    assert_eq!(story.fires(), [SlaEventKind::Warned, SlaEventKind::Breached]);
    assert_eq!(story.clock().breached_at, Some(at("2026-11-23T01:30:00Z")));
}

#[test]
fn what_is_done_after_the_deadline_is_late_also_when_nobody_has_looked() {
    let mut story = Story::begins(target(json!({ "metric": "acknowledge" })));
    story.now = at("2026-11-23T01:30:00Z");
    story.acknowledges();
    let clock = story.clock();
    assert_eq!((clock.state, clock.elapsed_seconds), (SlaClockState::MetLate, Some(3_600)));
    let mut story = Story::begins(target(json!({ "metric": "acknowledge" })));
    story.now = at("2026-11-23T01:29:59Z");
    story.acknowledges();
    let clock = story.clock();
    assert_eq!((clock.state, clock.elapsed_seconds), (SlaClockState::Met, Some(3_599)));
    assert_eq!((clock.due_at, clock.next_fire_at), (Some(at("2026-11-23T01:30:00Z")), None));
}

#[test]
fn a_complaint_on_hold_from_february_to_august_counts_nothing_of_it() {
    let mut story = Story::begins(target(json!({ "pause_while_waiting": true })));
    story.acknowledges();
    // Ten minutes have counted when the wait begins.
    story.now = at("2026-11-20T09:40:00Z");
    story.waits(WaitingFor::Customer);
    let clock = story.clock();
    assert_eq!((clock.state, clock.due_at), (SlaClockState::Paused, None));
    assert_eq!((clock.remaining_seconds, clock.next_fire_at), (Some(3_000), None));
    story.now = at("2027-05-20T09:40:00Z");
    assert!(story.fires().is_empty());
    story.resolves();
    let clock = story.clock();
    assert_eq!((clock.state, clock.elapsed_seconds), (SlaClockState::Met, Some(600)));
}

#[test]
fn after_a_pause_the_deadline_is_counted_anew() {
    let mut story = Story::begins(target(json!({ "pause_while_waiting": true })));
    story.acknowledges();
    story.now = at("2026-11-20T09:40:00Z");
    story.waits(WaitingFor::Customer);
    // Monday at ten: fifty minutes are left.
    story.now = at("2026-11-23T02:00:00Z");
    story.resumes();
    assert_eq!(story.clock().due_at, Some(at("2026-11-23T02:50:00Z")));
    let mut story = Story::begins(target(json!({ "pause_while_waiting": true })));
    story.acknowledges();
    // Over the weekend nobody works, so it changes nothing.
    story.now = at("2026-11-20T10:00:00Z");
    story.waits(WaitingFor::Customer);
    story.now = at("2026-11-23T01:00:00Z");
    story.resumes();
    assert_eq!(story.clock().due_at, Some(at("2026-11-23T01:30:00Z")));
}

#[test]
fn who_waits_for_somebody_else_keeps_the_customer_waiting() {
    let mut story = Story::begins(target(json!({ "pause_while_waiting": true })));
    story.acknowledges();
    story.waits(WaitingFor::ThirdParty);
    assert_eq!(story.clock().state, SlaClockState::Running);
    let mut story = Story::begins(target(json!({})));
    story.acknowledges();
    story.waits(WaitingFor::Customer);
    assert_eq!(story.clock().state, SlaClockState::Running);
}

#[test]
fn reopening_lets_the_whole_run_on_and_does_not_begin_the_first_anew() {
    for (metric, state) in
        [("first_resolution", SlaClockState::Met), ("total_resolution", SlaClockState::Running)]
    {
        let mut story = Story::begins(target(json!({ "metric": metric, "working_time": false })));
        story.acknowledges();
        story.now = story.now.plus_minutes(20);
        story.resolves();
        assert_eq!(story.clock().state, SlaClockState::Met);
        story.later(100);
        story.reopens();
        assert_eq!(story.clock().state, state, "{metric}");
        if state == SlaClockState::Running {
            // Twenty minutes were used, and what lay between does not count.
            assert_eq!(story.clock().due_at, Some(story.now.plus_minutes(40)));
            story.now = story.now.plus_minutes(50);
            story.resolves();
            assert_eq!(story.clock().state, SlaClockState::MetLate);
            assert_eq!(story.clock().elapsed_seconds, Some(70 * 60));
        }
    }
}

#[test]
fn a_breach_stays_whatever_is_done_later() {
    let mut story = Story::begins(target(json!({ "metric": "total_resolution" })));
    story.acknowledges();
    story.later(200);
    assert_eq!(story.fires(), [SlaEventKind::Breached]);
    story.resolves();
    assert_eq!(story.clock().state, SlaClockState::MetLate);
    story.later(1);
    story.reopens();
    assert_eq!(story.clock().state, SlaClockState::Breached);
    assert!(story.fires().is_empty());
    story.resolves();
    assert_eq!(story.clock().state, SlaClockState::MetLate);
    assert_eq!(story.clock().breached_at, Some(at("2026-11-23T01:30:00Z")));
}

#[test]
fn telling_is_not_due_any_more_once_a_content_customer_has_closed() {
    let mut story = Story::begins(target(json!({ "metric": "first_response" })));
    story.acknowledges();
    story.resolves();
    assert_eq!(story.clock().state, SlaClockState::Running);
    let yes = ComplaintClosing { customer_satisfied: Some(true) };
    story.complaint = story.complaint.clone().close(yes, None, story.now).unwrap().record;
    story.follows();
    assert_eq!(story.clock().state, SlaClockState::Cancelled);
    story.later(500);
    assert!(story.fires().is_empty());
}

#[test]
fn a_clock_does_not_stand_still_for_ever_and_again() {
    let mut story =
        Story::begins(target(json!({ "pause_while_waiting": true, "working_time": false })));
    story.acknowledges();
    let waiting =
        || ComplaintWaiting { waiting_for: WaitingFor::Customer, reason: Line::new("?").unwrap() };
    for _ in 0..200 {
        story.now = story.now.plus_seconds(1);
        if story.clock().event_count + 1 < MOST_SLA_EVENTS {
            story.waits(WaitingFor::Customer);
            story.resumes();
        }
    }
    story.waits(WaitingFor::Customer);
    story.resumes();
    story.complaint = story.complaint.clone().wait(waiting(), story.now).unwrap().record;
    let next_id = || SlaEventId::from(Uuid::nil());
    let reading = story.reading.clone();
    let refusal =
        reading.follow((&story.complaint, story.talk), &hours(), next_id, story.now).unwrap_err();
    assert_eq!(refusal.rule, &TOO_MANY_WAITS);
}

#[test]
fn the_first_answer_is_due_when_the_policy_says() {
    let story = Story::begins(target(json!({ "metric": "acknowledge" })));
    assert_eq!(story.complaint.first_answer_due_at, at("2026-11-23T01:30:00Z"));
    assert_eq!(story.complaint.local_first_answer_due, "2026-11-23 09:30");
    let other = Story::begins(target(json!({ "metric": "decision" })));
    assert_eq!(other.complaint.first_answer_due_at, friday().plus_hours(24));
    let none = SlaOpening::of(complaint(friday()), None, &hours(), Uuid::nil);
    assert_eq!((none.complaint, none.clocks.len()), (complaint(friday()), 0));
}

#[test]
fn a_trace_tells_what_counted_and_what_did_not() {
    let mut story = Story::begins(target(json!({ "pause_while_waiting": true })));
    story.acknowledges();
    story.now = at("2026-11-20T09:40:00Z");
    story.waits(WaitingFor::Customer);
    story.now = at("2026-11-23T02:00:00Z");
    story.resumes();
    let trace = story.reading.clone().trace(&hours(), story.now);
    let stretches: Vec<_> =
        trace.counted.iter().map(|one| (one.from_at, one.to_at, one.seconds)).collect();
    let expected = [
        (friday(), at("2026-11-20T09:40:00Z"), 600),
        (at("2026-11-23T02:00:00Z"), at("2026-11-23T02:50:00Z"), 3_000),
    ];
    assert_eq!(
        (stretches.as_slice(), trace.counted_seconds, trace.is_cut),
        (&expected[..], 3_600, false)
    );
    let pauses: Vec<_> = trace.pauses.iter().map(|one| one.seconds).collect();
    assert_eq!(pauses, [4_800], "twenty minutes on Friday and an hour on Monday");
    let told: Vec<_> = trace.events.iter().map(|one| one.en.as_str()).collect();
    assert_eq!(
        told,
        [
            "2026-11-20 17:30: the time for the first resolution began, 60 minutes of working time; it is due by 2026-11-23 09:30.",
            "2026-11-20 17:40: the time stands still, because we wait for the customer; there is no deadline.",
            "2026-11-23 10:00: the time runs on; it is due by 2026-11-23 10:50.",
        ]
    );
    assert_eq!(trace.events[2].zh, "2026-11-23 10:00：恢复计时；应于 2026-11-23 10:50 前完成。");
}

#[test]
fn a_trace_of_a_year_is_cut() {
    let mut story = Story::begins(target(json!({ "within_minutes": 500_000 })));
    story.later(1);
    let trace = story.reading.clone().trace(&hours(), story.now);
    assert_eq!((trace.counted.len(), trace.is_cut), (MOST_STRETCHES, true));
    assert_eq!(trace.counted_seconds, 500_000 * 60);
}

/// A week of intervals that begin and end on the full or half hour, and the zone.
type Week = (&'static str, Vec<(usize, u32, u32)>);

fn weeks() -> impl Strategy<Value = Week> {
    let zones = prop::sample::select(vec![
        "Asia/Shanghai",
        "Europe/Berlin",
        "America/Sao_Paulo",
        "Australia/Lord_Howe",
    ]);
    (zones, prop::collection::vec((0_usize..7, 0_u32..48, 0_u32..48), 1..8))
}

fn wall(half_hours: u32) -> WallTime {
    WallTime::new(half_hours / 2, half_hours % 2 * 30).unwrap()
}

fn calendar((name, week): &Week) -> WorkingCalendar {
    let intervals = week.iter().map(|(day, opens, closes)| {
        (DAYS[*day], WorkingInterval { opens: wall(*opens), closes: wall(*closes) })
    });
    WorkingCalendar::new(zone(name), intervals)
}

/// An instant around the two changes of the clocks in Berlin and those on Lord Howe Island, or anywhere in the year.
fn starts() -> impl Strategy<Value = Timestamp> {
    let around = |text: &'static str| {
        (0_i64..10_000).prop_map(move |minute| at(text).plus_minutes(minute - 7_000))
    };
    prop_oneof![
        around("2026-03-29T01:00:00Z"),
        around("2026-10-25T01:00:00Z"),
        around("2026-04-04T15:00:00Z"),
        around("2026-10-03T15:30:00Z"),
        around("2026-11-22T12:00:00Z"),
    ]
}

/// Breaks after a start, in order: how many minutes between them, and how long each is.
fn breaks() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((1_i64..3_000, 1_i64..3_000), 0..4)
}

fn pauses(start: Timestamp, breaks: &[(i64, i64)]) -> Vec<Stretch> {
    let mut from = start;
    let mut pauses = Vec::new();
    for (gap, length) in breaks {
        from = from.plus_minutes(*gap);
        pauses.push(Stretch { from, to: from.plus_minutes(*length) });
        from = from.plus_minutes(*length);
    }
    pauses
}

/// Which minutes count, told by looking at the wall clock minute by minute: an interval is open from the first minute
/// at which the clock has come to its beginning until the first at which it has come to its end.
fn minutes_that_count((name, week): &Week, start: Timestamp, pauses: &[Stretch]) -> Vec<bool> {
    const BEFORE: usize = 3 * 1_440;
    const AFTER: usize = 16 * 1_440;
    let zone = zone(name);
    let first = start.plus_minutes(-i64::try_from(BEFORE).unwrap());
    let instants: Vec<_> = (0..BEFORE + AFTER)
        .map(|minute| first.plus_minutes(i64::try_from(minute).unwrap()))
        .collect();
    let clock: Vec<_> = instants.iter().map(|instant| instant.wall_time_in(zone)).collect();
    // The clock may go back, so "has come to" is the most that it has shown.
    let mut shown = clock.clone();
    for minute in 1..shown.len() {
        if shown[minute] < shown[minute - 1] {
            shown[minute] = shown[minute - 1].clone();
        }
    }
    let come_to = |date: CivilDate, time: WallTime| {
        let text = format!("{date} {time}");
        shown.partition_point(|shown| *shown < text)
    };
    let mut open = vec![false; instants.len()];
    let day = instants[0].date_in(zone);
    for offset in -1..22 {
        let date = day.plus_days(offset);
        for (weekday, opens, closes) in week {
            if DAYS[*weekday] != Weekday::of(date) {
                continue;
            }
            let last = if closes > opens { date } else { date.plus_days(1) };
            let (from, to) = (come_to(date, wall(*opens)), come_to(last, wall(*closes)));
            for minute in open.iter_mut().take(to).skip(from) {
                *minute = true;
            }
        }
    }
    let is_paused = |instant: &Timestamp| {
        pauses.iter().any(|pause| pause.from <= *instant && *instant < pause.to)
    };
    let counts = open.into_iter().zip(&instants).map(|(open, at)| open && !is_paused(at));
    counts.skip(BEFORE).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_deadline_is_where_counting_minute_by_minute_finds_it(
        week in weeks(), start in starts(), breaks in breaks(), target in 1_i64..4_000,
    ) {
        let pauses = pauses(start, &breaks);
        let counts = minutes_that_count(&week, start, &pauses);
        let calendar = calendar(&week);
        let mut left = target;
        let mut due = None;
        for (minute, counts) in (1_i64..).zip(&counts) {
            left -= i64::from(*counts);
            if left == 0 {
                due = Some(start.plus_minutes(minute));
                break;
            }
        }
        if let Some(due) = due {
            prop_assert_eq!(deadline(&calendar, start, target * 60, &pauses), Some(due));
        }
        let end = start.plus_minutes(i64::try_from(counts.len()).unwrap());
        let counted = i64::try_from(counts.iter().filter(|counts| **counts).count()).unwrap();
        prop_assert_eq!(counted_seconds(&calendar, Stretch { from: start, to: end }, &pauses), counted * 60);
    }
}

proptest! {
    #[test]
    fn more_is_due_later(
        week in weeks(), start in starts(), breaks in breaks(), target in 0_i64..500_000, more in 0_i64..50_000,
    ) {
        let (calendar, pauses) = (calendar(&week), pauses(start, &breaks));
        let due = |seconds| deadline(&calendar, start, seconds, &pauses);
        if let (Some(due), Some(later)) = (due(target), due(target + more)) {
            prop_assert!(due <= later);
        }
    }

    #[test]
    fn a_pause_moves_the_deadline_by_exactly_what_would_have_counted_in_it(
        week in weeks(), start in starts(), breaks in breaks(), target in 1_i64..500_000,
        after in 0_i64..5_000, length in 1_i64..20_000,
    ) {
        let (calendar, before) = (calendar(&week), pauses(start, &breaks));
        let from = before.last().map_or(start, |last| last.to).plus_minutes(after);
        let pause = Stretch { from, to: from.plus_minutes(length) };
        let with = [before.clone(), vec![pause]].concat();
        let due = deadline(&calendar, start, target, &before);
        let moved = deadline(&calendar, start, target, &with);
        if let (Some(due), Some(moved)) = (due, moved) {
            if due <= pause.from {
                prop_assert_eq!(moved, due, "the pause begins when all is over");
            } else {
                let paused = counted_seconds(&calendar, pause, &before);
                let by = counted_seconds(&calendar, Stretch { from: due, to: moved }, &before);
                // What lies in the pause and is not needed before it is made up for behind it.
                prop_assert_eq!(by, paused);
                prop_assert_eq!(counted_seconds(&calendar, Stretch { from: start, to: moved }, &with), target);
            }
        }
    }

    #[test]
    fn a_pause_while_nobody_works_moves_nothing(
        week in weeks(), start in starts(), target in 1_i64..500_000, which in 0_usize..20,
    ) {
        let calendar = calendar(&week);
        let open: Vec<_> = counted(&calendar, start, &[]).take(which + 2).collect();
        let closed = Stretch { from: open[which].to, to: open[which + 1].from };
        if closed.from < closed.to {
            prop_assert_eq!(
                deadline(&calendar, start, target, &[closed]),
                deadline(&calendar, start, target, &[])
            );
        }
    }

    #[test]
    fn a_log_is_folded_the_same_whatever_is_written_first_at_one_instant(
        kinds in prop::collection::vec((0_i64..6, 1_usize..7), 1..12), turns in prop::collection::vec(any::<prop::sample::Index>(), 12),
    ) {
        let events = log(&kinds);
        let mut turned = events.clone();
        for (place, turn) in turns.iter().enumerate().take(turned.len()) {
            let other = turn.index(turned.len());
            // The first event is the beginning.
            if place > 0 && other > 0 && turned[place].at == turned[other].at {
                turned.swap(place, other);
            }
        }
        prop_assert_eq!(SlaStanding::of(&events), SlaStanding::of(&turned));
    }

    #[test]
    fn every_beginning_of_a_log_is_a_log(steps in prop::collection::vec((0_u8..7, 1_i64..60), 1..25)) {
        let mut story = Story::begins(target(json!({
            "metric": "total_resolution", "within_minutes": 300, "pause_while_waiting": true,
            "warn_at_bp": [5_000], "warn_before_minutes": [30],
        })));
        let mut known = vec![(story.reading.events.len(), story.clock().clone())];
        for (step, hours) in steps {
            story.later(hours);
            goes_on(&mut story, step);
            known.push((story.reading.events.len(), story.clock().clone()));
        }
        let mut was_breached = false;
        for (length, clock) in known {
            let standing = SlaStanding::of(&story.reading.events[..length]).unwrap();
            prop_assert_eq!(standing.state(), clock.state);
            prop_assert_eq!(standing.breached_at, clock.breached_at);
            prop_assert_eq!(standing.met_at, clock.met_at);
            prop_assert!(!was_breached || standing.breached_at.is_some(), "a breach was forgotten");
            prop_assert_eq!(clock.due_at.is_none(), clock.state == SlaClockState::Paused);
            prop_assert_eq!(clock.remaining_seconds.is_some(), clock.state == SlaClockState::Paused);
            prop_assert_eq!(clock.elapsed_seconds.is_some(), clock.met_at.is_some());
            was_breached = standing.breached_at.is_some();
        }
        let mut levels = std::collections::BTreeSet::new();
        for event in &story.reading.events {
            if let Some(level) = event.level_seconds {
                prop_assert!(levels.insert((event.kind, level)), "noted twice");
            }
        }
        let numbers: Vec<_> = story.reading.events.iter().map(|event| event.number).collect();
        prop_assert_eq!(numbers, (1..=story.clock().event_count).collect::<Vec<_>>());
        prop_assert!(story.reading.events.is_sorted_by_key(|event| event.at));
    }
}

proptest! {
    #[test]
    fn a_clock_in_rounds_is_the_fold_of_its_log(
        answers in any::<bool>(), steps in prop::collection::vec((0_u8..10, 1_i64..30), 1..40),
    ) {
        let mut story = again(if answers { "next_response" } else { "periodic_update" });
        for (step, minutes) in steps {
            story.now = story.now.plus_minutes(minutes);
            match step {
                7 => story.hears(),
                8 => story.writes(),
                _ => goes_on(&mut story, step),
            }
            let clock = story.clock().clone();
            let Some(standing) = SlaStanding::of(&story.reading.events) else {
                prop_assert_eq!(clock.state, SlaClockState::Pending);
                continue;
            };
            prop_assert_eq!(standing.state(), clock.state);
            prop_assert_eq!(standing.started_at, clock.started_at);
            let due = deadline(&always(), standing.started_at, clock.target.seconds(), &standing.pauses);
            if clock.state == SlaClockState::Running {
                prop_assert_eq!(clock.due_at, due, "the deadline is another than the log says");
            }
            // What is owed is what the complaint owes: the next report, or an answer to what was said.
            if answers {
                prop_assert!(!clock.is_owed() || story.talk.unanswered_at.is_some());
            } else {
                prop_assert_eq!(clock.is_owed(), story.complaint.state.is_open());
            }
        }
        let mut noted = std::collections::BTreeSet::new();
        for event in &story.reading.events {
            if let Some(level) = event.level_seconds {
                prop_assert!(noted.insert((event.round, event.kind, level)), "noted twice in a round");
            }
        }
        let begun = story.reading.events.iter().filter(|event| event.kind == SlaEventKind::Started);
        prop_assert!(begun.map(|event| event.round).eq(1..=story.clock().round));
        prop_assert!(story.reading.events.is_sorted_by_key(|event| (event.round, event.at)));
        prop_assert!(story.clock().missed_rounds <= story.clock().round);
    }
}

/// Lets something happen to the complaint of a story, if it can.
fn goes_on(story: &mut Story, step: u8) {
    let can = |verb: &str| story.complaint.state.allowed().contains(&verb);
    match step {
        0 if can("acknowledge") => story.acknowledges(),
        1 if can("wait") && story.complaint.waiting_for.is_none() => {
            story.waits(WaitingFor::Customer);
        }
        2 if story.complaint.waiting_for.is_some() => story.resumes(),
        3 if can("decide") => story.resolves(),
        4 if can("reopen") => story.reopens(),
        _ => {
            story.fires();
        }
    }
}

/// A log of these kinds of events, each so many hours after the one before; several may be at once.
fn log(kinds: &[(i64, usize)]) -> Vec<SlaEvent> {
    const KINDS: [SlaEventKind; 7] = [
        SlaEventKind::Started,
        SlaEventKind::Paused,
        SlaEventKind::Resumed,
        SlaEventKind::Warned,
        SlaEventKind::Breached,
        SlaEventKind::Met,
        SlaEventKind::Cancelled,
    ];
    let mut at = friday();
    let begin = std::iter::once((0_i64, 0_usize));
    let all = (1_u32..).zip(begin.chain(kinds.iter().copied()));
    all.map(|(number, (hours, kind))| {
        at = at.plus_hours(hours.saturating_sub(3).max(0));
        SlaEvent {
            id: Uuid::from_u128(number.into()).into(),
            sla_clock_id: Uuid::from_u128(1).into(),
            dealer_id: None,
            number,
            round: 1,
            kind: KINDS[kind],
            at,
            level_seconds: Some(i64::from(number)),
            due_at: None,
            created_at: at,
        }
    })
    .collect()
}
