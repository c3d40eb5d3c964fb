//! What is asked and answered, told as sentences.

use super::*;
use crate::{
    event::Event,
    refusal::Refusal,
    text::{Code, Line, Name, Prose},
};
use uuid::Uuid;

fn now() -> Timestamp {
    "2026-11-22T09:30:00Z".parse().unwrap()
}

fn code(text: &str) -> Code {
    Code::new(text).unwrap()
}

fn wording(en: &str) -> Wording {
    Wording { zh: Line::new("问题").unwrap(), en: Line::new(en).unwrap() }
}

fn choice(name: &str, options: usize) -> ChoiceQuestion {
    let option = |n| SurveyOption { code: code(&format!("option-{n}")), wording: wording("Yes") };
    ChoiceQuestion {
        code: code(name),
        wording: wording("Was it clean?"),
        options: (0..options).map(option).collect(),
    }
}

fn details(trigger: SurveyTrigger) -> SurveyDetails {
    SurveyDetails {
        code: code("after-visit"),
        name: Name::new("回访").unwrap(),
        trigger,
        question: wording("How was it?"),
        comment: Some(wording("Anything else?")),
        choices: vec![choice("clean", 2)],
        delay_hours: DelayHours::default(),
        expiry_days: ExpiryDays::default(),
        low_score: LowScore::default(),
    }
}

fn draft(details: SurveyDetails) -> Result<Survey, Refusal> {
    Survey::draft(Uuid::from_u128(1).into(), details, now()).map(|change| change.record)
}

fn survey(trigger: SurveyTrigger) -> Survey {
    draft(details(trigger)).unwrap().activate(now()).unwrap().record
}

fn after_visit() -> Survey {
    survey(SurveyTrigger::VisitCompleted)
}

fn scheduled(survey: &Survey) -> Invitation {
    let subject = SurveySubject::WorkOrder { work_order_id: Uuid::from_u128(2).into() };
    let who = Respondent {
        customer_id: Uuid::from_u128(3).into(),
        dealer_id: None,
        staff_id: Some(Uuid::from_u128(4).into()),
    };
    Invitation::schedule(Uuid::from_u128(5).into(), survey, subject, who, now()).record
}

const WELCOME: Circumstances =
    Circumstances { has_address: true, last_asked_at: None, has_open_complaint: false };

fn asked(survey: &Survey, around: Circumstances) -> Invitation {
    scheduled(survey).ask(survey, around, now()).unwrap().record
}

fn answer(score: u32) -> AnswerDetails {
    AnswerDetails { score: Score::new(score).unwrap(), comment: None, chosen: Vec::new() }
}

fn answered(
    invitation: Invitation,
    details: AnswerDetails,
    at: Timestamp,
) -> Result<(Invitation, SurveyResponse), Refusal> {
    let (invitation, response) =
        invitation.answer(Uuid::from_u128(6).into(), &after_visit(), details, at)?;
    Ok((invitation.record, response.record))
}

#[test]
fn an_active_survey_never_changes() {
    let active = after_visit();
    let refusal = active.clone().revise(details(SurveyTrigger::VisitCompleted)).unwrap_err();
    assert_eq!(refusal.rule.code, "illegal_transition");
    assert_eq!(active.clone().activate(now()).unwrap_err().rule.code, "illegal_transition");
    let retired = active.retire().unwrap().record;
    assert_eq!(retired.state, SurveyState::Retired);
    assert_eq!(retired.retire().unwrap_err().rule.code, "illegal_transition");
}

#[test]
fn a_survey_has_at_most_five_choice_questions() {
    let with = |count: usize| SurveyDetails {
        choices: (0..count).map(|n| choice(&format!("q{n}"), 2)).collect(),
        ..details(SurveyTrigger::VisitCompleted)
    };
    assert!(draft(with(MOST_CHOICES)).is_ok());
    assert_eq!(draft(with(MOST_CHOICES + 1)).unwrap_err().rule, &TOO_MANY_QUESTIONS);
}

#[test]
fn a_question_has_two_to_seven_options() {
    let with = |options| SurveyDetails {
        choices: vec![choice("clean", options)],
        ..details(SurveyTrigger::VisitCompleted)
    };
    for options in [LEAST_OPTIONS, MOST_OPTIONS] {
        assert!(draft(with(options)).is_ok(), "{options}");
    }
    for options in [LEAST_OPTIONS - 1, MOST_OPTIONS + 1] {
        assert_eq!(draft(with(options)).unwrap_err().rule, &OPTIONS_OUT_OF_RANGE, "{options}");
    }
}

#[test]
fn codes_differ() {
    let mut twice = details(SurveyTrigger::VisitCompleted);
    twice.choices.push(choice("clean", 2));
    assert_eq!(draft(twice).unwrap_err().rule, &SURVEY_CODES_REPEAT);
}

#[test]
fn a_customer_is_asked_a_day_later_and_has_a_week() {
    let survey = after_visit();
    let invitation = scheduled(&survey);
    assert_eq!(invitation.scheduled_at, now().plus_hours(24));
    let change = invitation.ask(&survey, WELCOME, now()).unwrap();
    let expiry = Event::InvitationExpiryDue { invitation: change.record.id };
    assert_eq!(change.events, [(expiry, Some(now().plus_days(7)))]);
    assert_eq!(change.record.state, InvitationState::Sent);
    assert_eq!(change.record.ask(&survey, WELCOME, now()), None);
}

#[test]
fn a_customer_who_was_asked_within_two_weeks_is_left_alone() {
    let asked_at =
        |days: i64| Circumstances { last_asked_at: Some(now().plus_days(-days)), ..WELCOME };
    let rested = asked(&after_visit(), asked_at(REST_DAYS));
    assert_eq!(rested.state, InvitationState::Sent);
    let tired = asked(&after_visit(), asked_at(REST_DAYS - 1));
    assert_eq!(tired.state, InvitationState::Suppressed);
    assert_eq!(tired.suppressed_reason, Some(SuppressionReason::Frequency));
}

#[test]
fn a_customer_who_waits_for_us_is_not_asked_how_we_do() {
    let waiting = Circumstances { has_open_complaint: true, ..WELCOME };
    let reason = asked(&after_visit(), waiting).suppressed_reason;
    assert_eq!(reason, Some(SuppressionReason::OpenComplaint));
    let resolved = survey(SurveyTrigger::ComplaintResolved);
    let weary = Circumstances { last_asked_at: Some(now()), ..waiting };
    assert_eq!(asked(&resolved, weary).state, InvitationState::Sent);
    let nowhere = Circumstances { has_address: false, ..WELCOME };
    let reason = asked(&resolved, nowhere).suppressed_reason;
    assert_eq!(reason, Some(SuppressionReason::NoAddress));
}

#[test]
fn an_answer_counts_once() {
    let (done, response) = answered(asked(&after_visit(), WELCOME), answer(5), now()).unwrap();
    assert_eq!(done.state, InvitationState::Completed);
    assert_eq!(response.staff_id, done.staff_id);
    assert!(!response.low);
    assert_eq!(answered(done, answer(1), now()).unwrap_err().rule, &ALREADY_ANSWERED);
}

#[test]
fn an_answer_comes_before_the_link_expires() {
    let sent = asked(&after_visit(), WELCOME);
    let expires_at = sent.expires_at.unwrap();
    assert!(answered(sent.clone(), answer(4), expires_at.plus_seconds(-1)).is_ok());
    let refusal = answered(sent.clone(), answer(4), expires_at).unwrap_err();
    assert_eq!(refusal.rule, &INVITATION_NOT_OPEN);
    assert_eq!(refusal.facts["state"], "expired");
    assert_eq!(sent.clone().expire(expires_at.plus_seconds(-1)), None);
    assert_eq!(sent.expire(expires_at).unwrap().record.state, InvitationState::Expired);
}

#[test]
fn what_was_not_sent_takes_no_answer() {
    let invitation = scheduled(&after_visit());
    assert_eq!(answered(invitation, answer(4), now()).unwrap_err().rule, &INVITATION_NOT_OPEN);
}

#[test]
fn a_survey_whose_subject_is_taken_up_again_is_cancelled_unless_answered() {
    let sent = asked(&after_visit(), WELCOME);
    let (done, _) = answered(sent.clone(), answer(4), now()).unwrap();
    assert_eq!(sent.cancel().unwrap().record.state, InvitationState::Cancelled);
    assert_eq!(done.cancel(), None);
}

#[test]
fn a_score_is_low_up_to_the_surveys_measure() {
    let low = |score| answered(asked(&after_visit(), WELCOME), answer(score), now()).unwrap().1.low;
    assert!(low(2));
    assert!(!low(3));
}

#[test]
fn only_what_was_asked_can_be_answered() {
    let chosen = |question, option| ChosenOption { question: code(question), option: code(option) };
    let with = |chosen| AnswerDetails { chosen, ..answer(4) };
    let sent = asked(&after_visit(), WELCOME);
    let good = with(vec![chosen("clean", "option-1")]);
    assert!(answered(sent.clone(), good, now()).is_ok());
    for bad in [
        vec![chosen("clean", "option-2")],
        vec![chosen("tidy", "option-1")],
        vec![chosen("clean", "option-1"), chosen("clean", "option-0")],
    ] {
        let refusal = answered(sent.clone(), with(bad), now()).unwrap_err();
        assert_eq!(refusal.rule, &ANSWER_NOT_OFFERED);
    }
}

#[test]
fn a_comment_needs_a_question() {
    let silent = SurveyDetails { comment: None, ..details(SurveyTrigger::VisitCompleted) };
    let survey = draft(silent).unwrap();
    let comment = AnswerDetails { comment: Prose::new("Fine.").ok(), ..answer(4) };
    let id = Uuid::from_u128(6).into();
    let refusal = asked(&survey, WELCOME).answer(id, &survey, comment, now()).unwrap_err();
    assert_eq!(refusal.facts["question"], "comment");
}

#[test]
fn the_words_of_an_answer_are_the_comment_or_the_bare_score() {
    let (_, bare) = answered(asked(&after_visit(), WELCOME), answer(2), now()).unwrap();
    assert_eq!(bare.words().as_deref(), Some("2/5"));
    let comment = AnswerDetails { comment: Prose::new("Late again.").ok(), ..answer(2) };
    let (_, told) = answered(asked(&after_visit(), WELCOME), comment, now()).unwrap();
    assert_eq!(told.words().as_deref(), Some("Late again."));
}

#[test]
fn a_subject_is_told_apart_by_what_it_is_and_which_time() {
    let id = Uuid::from_u128(7);
    for subject in [
        SurveySubject::WorkOrder { work_order_id: id.into() },
        SurveySubject::Complaint { complaint_id: id.into(), resolution_no: 2 },
    ] {
        assert_eq!(subject.to_string().parse(), Ok(subject));
    }
    assert!("ord_01h455vb4pex5vsknk084sn02q".parse::<SurveySubject>().is_err());
    assert!("cmp_01h455vb4pex5vsknk084sn02q/x".parse::<SurveySubject>().is_err());
}
