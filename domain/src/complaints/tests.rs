//! The course of a complaint, told as sentences.

use super::*;
use crate::{
    change::Change,
    clocks::{SlaAscent, SlaMetric},
    event::Event,
    identity::{Actor, Rank},
    ids::RemedyId,
    money::{Currency, Minor, Money},
    refusal::Refusal,
    surveys::{AnswerDetails, Score, SurveyResponse, SurveySubject},
};
use proptest::prelude::*;
use uuid::Uuid;

pub(super) fn now() -> Timestamp {
    "2026-11-22T09:30:00Z".parse().unwrap()
}

pub(super) fn clerk() -> Actor {
    Actor::Staff { id: Uuid::from_u128(9).into(), rank: Rank::CLERK }
}

pub(super) fn prose(text: &str) -> Prose {
    Prose::new(text).unwrap()
}

pub(super) fn received() -> Change<Complaint> {
    let details = ComplaintDetails {
        customer_id: Uuid::from_u128(1).into(),
        dealer_id: None,
        order_id: None,
        asset_id: None,
        work_order_id: None,
        source: ComplaintSource::Phone,
        kind: ComplaintKind::Quality,
        severity: Severity::new(3).unwrap(),
        description: prose("It leaks."),
        remedy_sought: None,
    };
    Complaint::receive(Uuid::from_u128(2).into(), number(123), details, Zone::UTC, now())
}

fn acknowledged() -> Complaint {
    received().record.acknowledge(clerk(), now()).unwrap().record
}

fn yuan(amount: i64) -> Money {
    Money { amount: Minor::new(amount).unwrap(), currency: Currency::CNY }
}

fn remedy(kind: RemedyKind, amount: Option<Money>) -> RemedyDetails {
    RemedyDetails { kind, amount, note: None }
}

pub(super) fn our_fault(remedies: Vec<RemedyDetails>) -> DecisionDetails {
    DecisionDetails {
        responsibility: Responsibility::Ours,
        apology: Some(prose("We are sorry.")),
        text: prose("The seal was not tightened."),
        recourse: prose("Our customer council decides within a week."),
        confirmed_defect: false,
        upheld: true,
        remedies,
    }
}

fn decide(complaint: Complaint, details: DecisionDetails) -> Result<Decided, Refusal> {
    let mut ids = (100..).map(|id| RemedyId::from(Uuid::from_u128(id)));
    let deciding = Deciding { rank: Rank::CLERK, promised: Vec::new() };
    complaint.decide(details, deciding, || ids.next().unwrap(), now())
}

fn records(changes: Vec<Change<Remedy>>) -> Vec<Remedy> {
    changes.into_iter().map(|change| change.record).collect()
}

/// A complaint that was decided with `remedies`, all of them carried out.
fn remedied(remedies: Vec<RemedyDetails>) -> (Complaint, Vec<Remedy>) {
    let decided = decide(acknowledged(), our_fault(remedies)).unwrap();
    let done = |remedy: Remedy| remedy.complete(now()).unwrap().record;
    (decided.complaint.record, records(decided.remedies).into_iter().map(done).collect())
}

fn resolved() -> Complaint {
    untold().tell(now()).unwrap().record
}

/// A complaint that was resolved before its customer could be told.
fn untold() -> Complaint {
    let (complaint, remedies) = remedied(Vec::new());
    complaint.resolve(&remedies, clerk(), now()).unwrap().record
}

fn closing(customer_satisfied: Option<bool>) -> ComplaintClosing {
    ComplaintClosing { customer_satisfied }
}

pub(super) fn reopening() -> ComplaintReopening {
    ComplaintReopening { reason: prose("It leaks again.") }
}

fn answer(subject: SurveySubject, score: u32) -> SurveyResponse {
    let score = Score::new(score).unwrap();
    SurveyResponse {
        id: Uuid::from_u128(3).into(),
        invitation_id: Uuid::from_u128(4).into(),
        survey_id: Uuid::from_u128(5).into(),
        subject,
        customer_id: Uuid::from_u128(1).into(),
        dealer_id: None,
        staff_id: None,
        details: AnswerDetails { score, comment: None, chosen: Vec::new() },
        low: score.get() <= 2,
        created_at: now(),
    }
}

fn about(complaint: &Complaint) -> SurveySubject {
    SurveySubject::Complaint { complaint_id: complaint.id, resolution_no: complaint.resolution_no }
}

fn waiting(waiting_for: WaitingFor) -> ComplaintWaiting {
    ComplaintWaiting { waiting_for, reason: Line::new("Which lot is it?").unwrap() }
}

#[test]
fn a_complaint_waits_until_it_is_resumed_or_moves_on() {
    let later = now().plus_hours(1);
    let waits = acknowledged().wait(waiting(WaitingFor::Customer), later).unwrap().record;
    assert_eq!(
        (waits.waiting_for, waits.waiting_began_at),
        (Some(WaitingFor::Customer), Some(later))
    );
    let twice = waits.clone().wait(waiting(WaitingFor::ThirdParty), later).unwrap_err();
    assert_eq!(
        twice.facts["allowed_transitions"],
        serde_json::json!(["assess", "decide", "resume", "set-aside", "assign"])
    );
    let resumed = waits.clone().resume().unwrap().record;
    assert_eq!((resumed.waiting_for, resumed.waiting_reason.clone()), (None, None));
    assert!(resumed.resume().is_err());
    let decided = decide(waits, our_fault(Vec::new())).unwrap().complaint.record;
    assert_eq!((decided.waiting_for, decided.waiting_began_at), (None, None));
    assert!(decided.wait(waiting(WaitingFor::ThirdParty), later).is_ok());
    for over in [received().record, resolved()] {
        assert!(over.wait(waiting(WaitingFor::Customer), later).is_err());
    }
}

#[test]
fn a_complaint_goes_up_one_rank_at_a_time_and_not_beyond_the_brand() {
    let owner = Uuid::from_u128(40).into();
    let superiors = Superiors { owner_rank: Rank::CLERK, people: vec![(Rank::OWNER, owner)] };
    let up = acknowledged()
        .escalate(&superiors, (SlaAscent::Escalate, SlaMetric::Decision))
        .unwrap()
        .record;
    // Nobody is a manager.
    assert_eq!((up.escalated_rank, up.escalated_staff_id), (Some(Rank::OWNER), Some(owner)));
    let brand = up.escalate(&superiors, (SlaAscent::Escalate, SlaMetric::Decision)).unwrap().record;
    assert_eq!((brand.escalated_rank, brand.escalated_staff_id), (Some(Rank::BRAND), None));
    assert_eq!(brand.escalate(&superiors, (SlaAscent::Escalate, SlaMetric::Decision)), None);
}

#[test]
fn a_complaint_is_answered_within_a_day() {
    let change = received();
    let complaint = &change.record;
    assert_eq!(complaint.number, "C-000123");
    let due_at = now().plus_hours(24);
    assert_eq!(
        change.events,
        [
            (Event::ComplaintOpened { complaint: complaint.id }, None),
            (Event::FirstAnswerDue { complaint: complaint.id }, Some(due_at)),
        ]
    );
    let answered = |at| received().record.acknowledge(clerk(), at).unwrap().record.first_answer;
    assert_eq!(answered(due_at.plus_seconds(-1)), FirstAnswer::Kept);
    assert_eq!(answered(due_at), FirstAnswer::Missed);
}

#[test]
fn a_missed_first_answer_is_not_mended_by_a_late_one() {
    let complaint = received().record;
    let due_at = complaint.first_answer_due_at;
    assert_eq!(complaint.clone().miss_first_answer(due_at.plus_seconds(-1)), None);
    assert_eq!(acknowledged().miss_first_answer(due_at), None);
    let late = complaint.miss_first_answer(due_at).unwrap().record;
    assert_eq!(late.clone().miss_first_answer(due_at), None);
    let answered = late.acknowledge(clerk(), due_at).unwrap().record;
    assert_eq!(answered.first_answer, FirstAnswer::Missed);
}

#[test]
fn whoever_acknowledges_answers_for_it() {
    assert_eq!(acknowledged().owner_id, clerk().staff());
    let refusal = acknowledged().acknowledge(clerk(), now()).unwrap_err();
    assert_eq!(refusal.rule.code, "illegal_transition");
    assert_eq!(
        refusal.facts["allowed_transitions"],
        serde_json::json!(["assess", "decide", "wait", "set-aside", "assign"])
    );
}

#[test]
fn our_own_mistake_needs_an_apology() {
    for responsibility in [Responsibility::Ours, Responsibility::Partly] {
        let curt = DecisionDetails { responsibility, apology: None, ..our_fault(Vec::new()) };
        assert_eq!(decide(acknowledged(), curt).unwrap_err().rule, &APOLOGY_MISSING);
    }
    for responsibility in
        [Responsibility::Supplier, Responsibility::Misunderstanding, Responsibility::None]
    {
        let plain = DecisionDetails { responsibility, apology: None, ..our_fault(Vec::new()) };
        assert!(decide(acknowledged(), plain).is_ok());
    }
}

#[test]
fn a_confirmed_defect_is_replaced_even_if_the_customer_would_let_it_pass() {
    let defect = |remedies| DecisionDetails { confirmed_defect: true, ..our_fault(remedies) };
    let goodwill = remedy(RemedyKind::Goodwill, Some(yuan(500)));
    let decided = decide(acknowledged(), defect(vec![goodwill])).unwrap();
    let complaint = decided.complaint.record;
    let remedies = records(decided.remedies);
    let kinds: Vec<_> = remedies.iter().map(|r| (r.details.kind, r.mandatory)).collect();
    assert_eq!(kinds, [(RemedyKind::Replacement, true), (RemedyKind::Goodwill, false)]);

    let [replacement, goodwill] = remedies.try_into().unwrap();
    assert_eq!(replacement.clone().waive(now()).unwrap_err().rule, &REMEDY_MANDATORY);
    let waived = goodwill.waive(now()).unwrap().record;
    let settled = [replacement.clone(), waived.clone()];
    let refusal = complaint.clone().resolve(&settled, clerk(), now()).unwrap_err();
    assert_eq!(refusal.rule, &REMEDIES_DUE);
    assert_eq!(refusal.facts["remedies"], serde_json::json!(["replacement"]));
    let replaced = replacement.complete(now()).unwrap().record;
    assert!(complaint.resolve(&[replaced.clone(), waived], clerk(), now()).is_ok());
    assert_eq!(replaced.clone().waive(now()).unwrap_err().rule.code, "illegal_transition");
    assert_eq!(replaced.complete(now()).unwrap_err().rule.code, "illegal_transition");

    let own = remedy(RemedyKind::Replacement, None);
    assert_eq!(decide(acknowledged(), defect(vec![own])).unwrap().remedies.len(), 1);
}

#[test]
fn a_decision_has_at_most_ten_remedies() {
    let with = |count| our_fault(vec![remedy(RemedyKind::Repair, None); count]);
    assert!(decide(acknowledged(), with(MOST_REMEDIES)).is_ok());
    let refusal = decide(acknowledged(), with(MOST_REMEDIES + 1)).unwrap_err();
    assert_eq!(refusal.rule, &TOO_MANY_REMEDIES);
}

#[test]
fn money_given_back_has_an_amount_and_one_currency() {
    for kind in [RemedyKind::Refund, RemedyKind::PriceReduction] {
        assert!(decide(acknowledged(), our_fault(vec![remedy(kind, Some(yuan(1)))])).is_ok());
        for amount in [None, Some(yuan(0))] {
            let refusal = decide(acknowledged(), our_fault(vec![remedy(kind, amount)]));
            assert_eq!(refusal.unwrap_err().rule, &REMEDY_AMOUNT_MISSING);
        }
    }
    let dollars = Money { currency: Currency::USD, ..yuan(100) };
    let mixed = [yuan(100), dollars].map(|money| remedy(RemedyKind::Goodwill, Some(money)));
    let refusal = decide(acknowledged(), our_fault(mixed.to_vec())).unwrap_err();
    assert_eq!(refusal.rule, &REMEDY_CURRENCIES_DIFFER);
}

#[test]
fn a_complaint_is_decided_after_it_was_acknowledged_and_resolved_after_that() {
    let refusal = decide(received().record, our_fault(Vec::new())).unwrap_err();
    assert_eq!(refusal.rule.code, "illegal_transition");
    let refusal = acknowledged().resolve(&[], clerk(), now()).unwrap_err();
    assert_eq!(refusal.rule.code, "illegal_transition");
    let refusal = acknowledged().close(closing(Some(true)), None, now()).unwrap_err();
    assert_eq!(refusal.rule.code, "illegal_transition");
    let refusal = acknowledged().reopen(reopening(), now()).unwrap_err();
    assert_eq!(refusal.rule.code, "illegal_transition");
}

#[test]
fn a_resolution_is_written_down_as_it_was() {
    let refund = remedy(RemedyKind::Refund, Some(yuan(12_000)));
    let goodwill = remedy(RemedyKind::Goodwill, Some(yuan(500)));
    let (complaint, remedies) = remedied(vec![refund, goodwill]);
    let id = Uuid::from_u128(6).into();
    assert_eq!(Resolution::log(id, &complaint, &remedies, &[], now()), None);
    let change = complaint.resolve(&remedies, clerk(), now()).unwrap();
    let resolved = Event::ComplaintResolved { complaint: change.record.id, resolution_no: 1 };
    assert_eq!(change.events, [(resolved, None)]);
    let line = Resolution::log(id, &change.record, &remedies, &[], now()).unwrap().record;
    assert_eq!(line.cost, Some(yuan(12_500)));
    assert_eq!(line.resolved_by, clerk().to_string());
    assert_eq!(line.remedies.len(), 2);
    let reopened = change.record.reopen(reopening(), now()).unwrap().record;
    assert_eq!(Resolution::log(id, &reopened, &remedies, &[], now()), None);
}

#[test]
fn the_customers_yes_closes_and_their_no_does_not() {
    let closed = resolved().close(closing(Some(true)), None, now()).unwrap().record;
    assert_eq!(closed.state, ComplaintState::Closed);
    let refusal = resolved().close(closing(Some(false)), None, now()).unwrap_err();
    assert_eq!(refusal.rule, &CUSTOMER_NOT_SATISFIED);
}

#[test]
fn silence_closes_after_two_weeks() {
    let closable_at = now().plus_days(COOLING_DAYS);
    let refusal = resolved().close(closing(None), None, closable_at.plus_seconds(-1)).unwrap_err();
    assert_eq!(refusal.rule, &COOLING_PERIOD);
    assert_eq!(refusal.facts["closable_at"], closable_at.to_string());
    let closed = resolved().close(closing(None), None, closable_at).unwrap().record;
    assert_eq!((closed.state, closed.customer_satisfied), (ComplaintState::Closed, None));
}

#[test]
fn who_has_said_something_was_not_silent() {
    let heard_at = now().plus_days(COOLING_DAYS - 1);
    let closable_at = heard_at.plus_days(COOLING_DAYS);
    let early = resolved().close(closing(None), Some(heard_at), closable_at.plus_seconds(-1));
    let refusal = early.unwrap_err();
    assert_eq!(refusal.rule, &COOLING_PERIOD);
    assert_eq!(refusal.facts["closable_at"], closable_at.to_string());
    assert!(resolved().close(closing(None), Some(heard_at), closable_at).is_ok());
    assert!(resolved().close(closing(Some(true)), Some(heard_at), heard_at).is_ok());
    // What was said before the resolution is no objection to it.
    let before = Some(now().plus_days(-1));
    assert!(resolved().close(closing(None), before, now().plus_days(COOLING_DAYS)).is_ok());
}

#[test]
fn silence_counts_from_when_the_customer_knows_their_recourse() {
    let long_after = now().plus_days(100);
    let refusal = untold().close(closing(None), None, long_after).unwrap_err();
    assert_eq!(refusal.rule, &RECOURSE_UNTOLD);
    assert!(untold().close(closing(Some(true)), None, now()).is_ok());
    let told_late = untold().tell(long_after).unwrap().record;
    let closable_at = long_after.plus_days(COOLING_DAYS);
    let refusal = told_late.clone().close(closing(None), None, closable_at.plus_seconds(-1));
    assert_eq!(refusal.unwrap_err().facts["closable_at"], closable_at.to_string());
    assert!(told_late.close(closing(None), None, closable_at).is_ok());
}

#[test]
fn a_customer_is_told_once_in_each_attempt() {
    assert_eq!(acknowledged().tell(now()).unwrap_err().rule.code, "illegal_transition");
    let told = decide(acknowledged(), our_fault(Vec::new())).unwrap().complaint.record;
    let told = told.tell(now()).unwrap().record;
    assert_eq!(told.told_at, Some(now()));
    assert_eq!(told.tell(now()).unwrap_err().rule.code, "illegal_transition");
    let reopened = resolved().reopen(reopening(), now()).unwrap().record;
    assert_eq!(reopened.told_at, None);
}

#[test]
fn a_closed_complaint_is_taken_up_again_within_thirty_days() {
    let closed = resolved().close(closing(Some(true)), None, now()).unwrap().record;
    let last = now().plus_days(REOPENING_DAYS);
    let reopened = closed.clone().reopen(reopening(), last).unwrap().record;
    assert_eq!((reopened.state, reopened.resolution_no), (ComplaintState::Reopened, 2));
    assert_eq!((reopened.decision, reopened.closed_at), (None, None));
    let refusal = closed.reopen(reopening(), last.plus_seconds(1)).unwrap_err();
    assert_eq!(refusal.rule, &REOPENING_TOO_LATE);
}

#[test]
fn a_low_answer_about_a_visit_becomes_a_complaint() {
    let visit = SurveySubject::WorkOrder { work_order_id: Uuid::from_u128(8).into() };
    let open = |score| {
        let id = Uuid::from_u128(2).into();
        Complaint::receive_answer(id, number(1), &answer(visit, score), Zone::UTC, now())
    };
    let complaint = open(2).unwrap().record;
    assert_eq!(complaint.details.source, ComplaintSource::Survey);
    assert_eq!(complaint.details.work_order_id, Some(Uuid::from_u128(8).into()));
    assert_eq!(&*complaint.details.description, "2/5");
    assert_eq!(complaint.response_id, Some(Uuid::from_u128(3).into()));
    assert_eq!(open(3), None);
    let own = answer(about(&complaint), 1);
    assert_eq!(Complaint::receive_answer(complaint.id, number(2), &own, Zone::UTC, now()), None);
}

#[test]
fn the_answer_about_a_resolution_closes_or_reopens_it() {
    let heard = |score| {
        let complaint = resolved();
        let answer = answer(about(&complaint), score);
        complaint.hear(&answer, now()).map(|change| change.record.state)
    };
    assert_eq!(heard(2), Some(ComplaintState::Reopened));
    assert_eq!(heard(3), None);
    assert_eq!(heard(4), Some(ComplaintState::Closed));
}

#[test]
fn an_answer_about_an_earlier_resolution_changes_nothing() {
    let first = resolved();
    let late = answer(about(&first), 1);
    let reopened = first.reopen(reopening(), now()).unwrap().record;
    assert_eq!(reopened.clone().hear(&late, now()), None);
    let second = decide(reopened, our_fault(Vec::new())).unwrap().complaint.record;
    let second = second.resolve(&[], clerk(), now()).unwrap().record;
    assert_eq!(second.hear(&late, now()), None);
}

#[test]
fn a_complaint_names_the_customers_own_things() {
    let details = received().record.details;
    let dealer = Some(Uuid::from_u128(10).into());
    let known =
        |owner| Connections { dealer_id: dealer, tz: Zone::UTC, owners: vec![("order_id", owner)] };
    let connected = details.clone().connect(&known(details.customer_id)).unwrap();
    assert_eq!(connected.dealer_id, dealer);
    let refusal = details.connect(&known(Uuid::from_u128(77).into())).unwrap_err();
    assert_eq!(refusal.rule, &SOMEBODY_ELSES);
    assert_eq!(refusal.facts["field"], "order_id");
}

proptest! {
    /// Whatever is tried in whatever order, nothing is resolved with a remedy due.
    #[test]
    fn a_mandatory_remedy_is_never_skipped(tries in prop::collection::vec(0_u8..6, 0..24)) {
        let mut complaint = received().record;
        let mut remedies: Vec<Remedy> = Vec::new();
        for attempt in tries {
            let current = complaint.clone();
            match attempt {
                0 => keep(&mut complaint, current.acknowledge(clerk(), now())),
                1 => {
                    let defect = DecisionDetails { confirmed_defect: true, ..our_fault(Vec::new()) };
                    if let Ok(decided) = decide(current, defect) {
                        complaint = decided.complaint.record;
                        remedies = records(decided.remedies);
                    }
                }
                2 => for remedy in &mut remedies {
                    let due = remedy.clone();
                    keep(remedy, due.waive(now()));
                },
                3 => for remedy in &mut remedies {
                    let due = remedy.clone();
                    keep(remedy, due.complete(now()));
                },
                4 => keep(&mut complaint, current.resolve(&remedies, clerk(), now())),
                _ => keep(&mut complaint, current.reopen(reopening(), now())),
            }
            if complaint.state == ComplaintState::Resolved {
                prop_assert!(remedies.iter().any(|r| r.mandatory && r.state == RemedyState::Done));
            }
        }
    }
}

fn keep<R>(record: &mut R, outcome: Result<Change<R>, Refusal>) {
    if let Ok(change) = outcome {
        *record = change.record;
    }
}

pub(super) fn superiors() -> Superiors {
    let people = vec![
        (Rank::MANAGER, Uuid::from_u128(21).into()),
        (Rank::OWNER, Uuid::from_u128(22).into()),
    ];
    Superiors { owner_rank: Rank::CLERK, people }
}

pub(super) fn assessment(severity: u32, safety: bool) -> AssessmentDetails {
    AssessmentDetails {
        severity: Severity::new(severity).unwrap(),
        safety,
        complexity: ComplaintComplexity::Simple,
        impact: None,
        immediate_action: None,
    }
}

pub(super) fn findings(confirmed_defect: bool) -> InvestigationDetails {
    let cause_code = Some(Code::new("seal_loose").unwrap());
    InvestigationDetails { findings: prose("The seal is torn."), cause_code, confirmed_defect }
}

fn refusing() -> ComplaintRefusing {
    ComplaintRefusing { reason: prose("That is not enough.") }
}

fn told() -> Complaint {
    let decided = decide(acknowledged(), our_fault(Vec::new())).unwrap();
    decided.complaint.record.tell(now()).unwrap().record
}

fn refuse(complaint: Complaint) -> Result<Change<Complaint>, Refusal> {
    let superiors = superiors();
    complaint.refuse(refusing(), &StandOff { superiors: &superiors, until: later() }, now())
}

fn later() -> Timestamp {
    now().plus_hours(16)
}

fn decide_as(rank: Rank, complaint: Complaint, promised: Vec<Remedy>) -> Result<Decided, Refusal> {
    let mut ids = (200..).map(|id| RemedyId::from(Uuid::from_u128(id)));
    let details = our_fault(vec![remedy(RemedyKind::Refund, Some(yuan(100)))]);
    complaint.decide(details, Deciding { rank, promised }, || ids.next().unwrap(), now())
}

#[test]
fn where_somebody_may_be_hurt_a_manager_answers_at_once() {
    let hurt = acknowledged().assess(assessment(4, true), &superiors(), clerk(), now()).unwrap();
    assert_eq!(hurt.record.state, ComplaintState::Assessed);
    assert_eq!(hurt.record.escalated_rank, Some(Rank::MANAGER));
    assert_eq!(hurt.record.escalated_staff_id, Some(Uuid::from_u128(21).into()));
    let managed = Superiors { owner_rank: Rank::OWNER, ..superiors() };
    let safe = acknowledged().assess(assessment(4, true), &managed, clerk(), now()).unwrap();
    assert_eq!(safe.record.escalated_rank, None);
}

#[test]
fn what_is_grave_is_investigated_before_it_is_decided() {
    let grave = acknowledged().assess(assessment(4, false), &superiors(), clerk(), now()).unwrap();
    let refused = decide(grave.record.clone(), our_fault(Vec::new())).unwrap_err();
    assert_eq!(refused.rule.code, "investigation_missing");
    let found = grave.record.investigate(findings(false), clerk(), now()).unwrap().record;
    assert_eq!(found.cause_code.as_deref(), Some("seal_loose"));
    assert!(decide(found, our_fault(Vec::new())).is_ok());
}

#[test]
fn a_confirmed_defect_stays_confirmed() {
    let assessed = acknowledged().assess(assessment(2, false), &superiors(), clerk(), now());
    let found =
        assessed.unwrap().record.investigate(findings(true), clerk(), now()).unwrap().record;
    let denied = found.clone().investigate(findings(false), clerk(), now()).unwrap_err();
    assert_eq!(denied.rule.code, "defect_stays_confirmed");
    let denied = decide(found.clone(), our_fault(Vec::new())).unwrap_err();
    assert_eq!(denied.rule.code, "defect_stays_confirmed");
    let note = Line::new("They let it pass.").unwrap();
    let aside = ComplaintAside { reason: AsideReason::Withdrawn, duplicate_of: None, note };
    assert_eq!(
        found.set_aside(aside, None, now()).unwrap_err().rule.code,
        "defect_stays_confirmed"
    );
}

#[test]
fn a_second_refusal_goes_to_the_next_rank_and_the_brand_is_the_last() {
    let negotiated = refuse(told()).unwrap();
    assert_eq!(negotiated.record.state, ComplaintState::Negotiating);
    let due = Event::StandOffDue { complaint: negotiated.record.id, refusals: 1 };
    assert_eq!(negotiated.events, [(due, Some(later()))]);
    assert_eq!(negotiated.record.deciding_rank, None);
    let offered = decide_as(Rank::CLERK, negotiated.record, Vec::new()).unwrap().complaint.record;
    let again = refuse(offered.tell(now()).unwrap().record).unwrap().record;
    assert_eq!(again.deciding_rank, Some(Rank::MANAGER));
    let refused = decide_as(Rank::CLERK, again.clone(), Vec::new()).unwrap_err();
    assert_eq!(refused.rule.code, "decision_above_rank");
    let by_manager = decide_as(Rank::MANAGER, again, Vec::new()).unwrap().complaint.record;
    let third = refuse(by_manager.tell(now()).unwrap().record).unwrap().record;
    assert_eq!(third.deciding_rank, Some(Rank::OWNER));
    assert_eq!(
        third.clone().resolve(&[], clerk(), now()).unwrap_err().rule.code,
        "decision_refused"
    );
    let last = decide_as(Rank::BRAND, third, Vec::new()).unwrap().complaint.record;
    let final_word = refuse(last.tell(now()).unwrap().record).unwrap().record;
    assert!(final_word.resolve(&[], clerk(), now()).is_ok());
}

#[test]
fn a_stand_off_ends_once_and_only_while_nothing_new_was_offered() {
    let superiors = superiors();
    let stand_off = StandOff { superiors: &superiors, until: later() };
    let negotiated = refuse(told()).unwrap().record;
    assert_eq!(negotiated.clone().stand_off(2, &stand_off), None);
    let up = negotiated.clone().stand_off(1, &stand_off).unwrap().record;
    assert_eq!(
        (up.deciding_rank, up.escalated_staff_id),
        (Some(Rank::MANAGER), Some(Uuid::from_u128(21).into()))
    );
    let offered = decide_as(Rank::CLERK, negotiated.clone(), Vec::new()).unwrap().complaint.record;
    assert_eq!(offered.stand_off(1, &stand_off), None);
    let once = negotiated.oppose(&superiors).unwrap().record;
    assert_eq!((once.opposing_messages, once.deciding_rank), (1, None));
    let twice = once.oppose(&superiors).unwrap().record;
    assert_eq!((twice.opposing_messages, twice.deciding_rank), (0, Some(Rank::MANAGER)));
    assert_eq!(told().oppose(&superiors), None);
}

#[test]
fn a_new_decision_takes_the_place_of_what_is_not_done_and_not_mandatory() {
    let defect = DecisionDetails {
        confirmed_defect: true,
        ..our_fault(vec![remedy(RemedyKind::Refund, Some(yuan(50)))])
    };
    let decided = decide(acknowledged(), defect.clone()).unwrap();
    let promised = records(decided.remedies);
    let negotiated = refuse(decided.complaint.record.tell(now()).unwrap().record).unwrap().record;
    let denied = decide_as(Rank::CLERK, negotiated.clone(), promised.clone()).unwrap_err();
    assert_eq!(denied.rule.code, "defect_stays_confirmed");
    let mut ids = (300..).map(|id| RemedyId::from(Uuid::from_u128(id)));
    let deciding = Deciding { rank: Rank::CLERK, promised };
    let anew = negotiated.decide(defect, deciding, || ids.next().unwrap(), now()).unwrap();
    let states: Vec<_> =
        records(anew.remedies).iter().map(|it| (it.details.kind, it.state, it.mandatory)).collect();
    assert_eq!(
        states,
        [
            (RemedyKind::Refund, RemedyState::Replaced, false),
            (RemedyKind::Refund, RemedyState::Due, false),
        ]
    );
}

#[test]
fn who_is_not_right_is_owed_nothing_but_told_their_recourse() {
    let wrong = DecisionDetails {
        responsibility: Responsibility::None,
        apology: None,
        upheld: false,
        ..our_fault(vec![remedy(RemedyKind::Education, None)])
    };
    let decided = decide(acknowledged(), wrong.clone()).unwrap().complaint.record;
    assert_eq!(decided.upheld, Some(false));
    for contradiction in [
        DecisionDetails { confirmed_defect: true, ..wrong.clone() },
        DecisionDetails { remedies: vec![remedy(RemedyKind::Repair, None)], ..wrong.clone() },
        DecisionDetails { upheld: false, ..our_fault(Vec::new()) },
    ] {
        assert_eq!(
            decide(acknowledged(), contradiction).unwrap_err().rule.code,
            "not_upheld_but_owed"
        );
    }
}

#[test]
fn a_duplicate_repeats_another_complaint_of_the_same_customer() {
    let note = Line::new("Called again.").unwrap();
    let original = Complaint { id: Uuid::from_u128(77).into(), ..acknowledged() };
    let of = |original: &Complaint| ComplaintAside {
        reason: AsideReason::Duplicate,
        duplicate_of: Some(original.id),
        note: note.clone(),
    };
    let aside = received().record.set_aside(of(&original), Some(&original), now()).unwrap().record;
    assert_eq!((aside.state, aside.duplicate_of), (ComplaintState::Duplicate, Some(original.id)));
    assert_eq!(aside.clone().miss_first_answer(now().plus_days(2)), None);
    let same = received().record;
    let refused = same.clone().set_aside(of(&same), Some(&same), now()).unwrap_err();
    assert_eq!(refused.rule.code, "no_such_original");
    let refused = received().record.set_aside(of(&aside), Some(&aside), now()).unwrap_err();
    assert_eq!(refused.rule.code, "no_such_original");
    let of_nothing = ComplaintAside { duplicate_of: None, ..of(&original) };
    assert_eq!(
        received().record.set_aside(of_nothing, None, now()).unwrap_err().rule.code,
        "duplicate_of_what"
    );
}

#[test]
fn a_complaint_is_always_in_somebodys_hands() {
    let heir = Some(Uuid::from_u128(31).into());
    let owner: Option<StaffId> = Some(Uuid::from_u128(9).into());
    let there = ComplaintHands {
        owner_is_gone: false,
        owner_is_away: false,
        superior_is_gone: false,
        heir,
        next_superior: None,
    };
    assert_eq!(acknowledged().hand_over(&there), None);
    let away = ComplaintHands { owner_is_away: true, ..there };
    let covered = acknowledged().hand_over(&away).unwrap().record;
    assert_eq!((covered.owner_id, covered.cover_id), (owner, heir));
    assert_eq!(covered.clone().hand_over(&away), None);
    let back = covered.clone().hand_over(&there).unwrap().record;
    assert_eq!((back.owner_id, back.cover_id), (owner, None));
    let gone = ComplaintHands { owner_is_gone: true, ..there };
    let handed = covered.hand_over(&gone).unwrap().record;
    assert_eq!((handed.owner_id, handed.cover_id), (heir, None));
    let named = received().record.hand_over(&gone).unwrap().record;
    assert_eq!(named.owner_id, heir);
}

#[test]
fn who_is_content_need_not_be_told_any_more() {
    let closed = untold().close(closing(Some(true)), None, now()).unwrap().record;
    assert!(!closed.is_untold());
    assert_eq!(closed.tell(now()).unwrap_err().rule.code, "illegal_transition");
}

#[test]
fn who_has_let_a_deadline_pass_answers_no_longer_where_it_is_reassigned() {
    let because = (SlaAscent::Reassign, SlaMetric::Decision);
    let taken_over = acknowledged().escalate(&superiors(), because).unwrap();
    assert_eq!(taken_over.action, "reassign");
    let manager = Some(Uuid::from_u128(21).into());
    let record = taken_over.record;
    assert_eq!((record.owner_id, record.escalated_staff_id), (manager, manager));
    let nobody = Superiors { owner_rank: Rank::CLERK, people: Vec::new() };
    let kept = acknowledged().escalate(&nobody, because).unwrap().record;
    assert_eq!((kept.owner_id, kept.escalated_rank), (clerk().staff(), Some(Rank::BRAND)));
}

#[test]
fn a_defect_is_set_aside_only_with_a_complaint_that_replaces_the_product() {
    let note = Line::new("Called again.").unwrap();
    let found = |id: u128, defect: bool| {
        let assessed = acknowledged().assess(assessment(2, false), &superiors(), clerk(), now());
        let assessed = Complaint { id: Uuid::from_u128(id).into(), ..assessed.unwrap().record };
        assessed.investigate(findings(defect), clerk(), now()).unwrap().record
    };
    let of = |original: &Complaint| {
        let aside = ComplaintAside {
            reason: AsideReason::Duplicate,
            duplicate_of: Some(original.id),
            note: note.clone(),
        };
        found(1, true).set_aside(aside, Some(original), now())
    };
    assert_eq!(of(&found(2, false)).unwrap_err().rule.code, "defect_stays_confirmed");
    assert!(of(&found(2, true)).is_ok());
    let closed = resolved().close(closing(Some(true)), None, now()).unwrap().record;
    let closed = Complaint { id: Uuid::from_u128(3).into(), ..closed };
    assert_eq!(of(&closed).unwrap_err().rule.code, "no_such_original");
}

#[test]
fn what_is_reopened_is_looked_into_anew() {
    let assessed = acknowledged().assess(assessment(4, false), &superiors(), clerk(), now());
    let found =
        assessed.unwrap().record.investigate(findings(true), clerk(), now()).unwrap().record;
    let defect = DecisionDetails { confirmed_defect: true, ..our_fault(Vec::new()) };
    let decided = decide(found, defect).unwrap();
    let done: Vec<_> = records(decided.remedies)
        .into_iter()
        .map(|remedy| remedy.complete(now()).unwrap().record)
        .collect();
    let resolved = decided.complaint.record.resolve(&done, clerk(), now()).unwrap().record;
    let reopened = resolved.reopen(reopening(), now()).unwrap().record;
    assert_eq!((reopened.investigation.as_ref(), reopened.cause_code.is_some()), (None, true));
    let early = decide(reopened.clone(), our_fault(Vec::new())).unwrap_err();
    assert_eq!(early.rule.code, "investigation_missing");
    let looked_into = reopened.investigate(findings(false), clerk(), now()).unwrap().record;
    assert!(decide(looked_into, our_fault(Vec::new())).is_ok());
}

#[test]
fn what_an_attempt_costs_has_one_currency() {
    let dollars = Money { amount: Minor::new(50).unwrap(), currency: "USD".parse().unwrap() };
    let refund = remedy(RemedyKind::Refund, Some(yuan(100)));
    let (complaint, done) = remedied(vec![refund]);
    let negotiated = refuse(complaint.tell(now()).unwrap().record).unwrap().record;
    let mut ids = (400..).map(|id| RemedyId::from(Uuid::from_u128(id)));
    let deciding = Deciding { rank: Rank::CLERK, promised: done };
    let details = our_fault(vec![remedy(RemedyKind::Refund, Some(dollars))]);
    let refused = negotiated.decide(details, deciding, || ids.next().unwrap(), now()).unwrap_err();
    assert_eq!(refused.rule.code, "remedy_currencies_differ");
}
