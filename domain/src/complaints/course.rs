//! The course of a complaint: received, acknowledged, decided, resolved, closed, and perhaps reopened.

use super::{
    APOLOGY_MISSING, COOLING_DAYS, COOLING_PERIOD, CUSTOMER_NOT_SATISFIED, Complaint,
    ComplaintDecision, ComplaintDetails, ComplaintState, FIRST_ANSWER_HOURS, FirstAnswer,
    RECOURSE_UNTOLD, REMEDIES_DUE, REOPENING_DAYS, REOPENING_TOO_LATE, Remedy, RemedyDetails,
    RemedyState, Responsibility, SOMEBODY_ELSES, remedies,
};
use crate::{
    change::Change,
    event::Event,
    identity::Actor,
    ids::{ComplaintId, CustomerId, DealerId, RemedyId},
    record::Version,
    refusal::{Refusal, illegal},
    text::Prose,
    time::{Timestamp, Zone},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is decided about a complaint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"responsibility": "ours",
    "apology": "We are sorry: the seal was not tightened.",
    "text": "We replace the housing this week.",
    "recourse": "If you disagree, our customer council decides within a week: 400 820 0000.",
    "confirmed_defect": true,
    "remedies": [{"kind": "goodwill", "amount": {"amount": 5000, "currency": "CNY"}, "note": null}]})))]
pub struct DecisionDetails {
    /// Who answers for what went wrong.
    pub responsibility: Responsibility,
    /// The apology the customer reads first; required when the responsibility is `ours` or `partly`.
    #[serde(default)]
    pub apology: Option<Prose>,
    /// The decision, in the words the customer reads.
    pub text: Prose,
    /// What the customer can do who does not agree, and whom they can turn to, in the words they read.
    pub recourse: Prose,
    /// Whether the product was found defective. A mandatory replacement follows from it.
    #[serde(default)]
    pub confirmed_defect: bool,
    /// What is promised, at most 10 remedies.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub remedies: Vec<RemedyDetails>,
}

/// What the customer says of a resolution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"customer_satisfied": true})))]
pub struct ComplaintClosing {
    /// `true` closes at once; `null` (nothing was said) closes from 14 days after the resolution and
    /// after the customer was told their recourse; `false` does not close.
    #[serde(default)]
    pub customer_satisfied: Option<bool>,
}

/// Why a complaint is taken up again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"reason": "It leaks again."})))]
pub struct ComplaintReopening {
    /// What the customer is still unhappy with.
    pub reason: Prose,
}

/// A decision: the complaint with it, and what was promised.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a decision that is not recorded has not happened"]
pub struct Decided {
    /// The complaint.
    pub complaint: Change<Complaint>,
    /// What was promised.
    pub remedies: Vec<Change<Remedy>>,
}

/// What is known about the things a complaint names.
#[derive(Debug, Clone, PartialEq)]
pub struct Connections {
    /// The customer's dealer.
    pub dealer_id: Option<DealerId>,
    /// The time zone of whoever answers: the named dealer's, the customer's dealer's, or the brand's.
    pub tz: Zone,
    /// Whose the named things are, by the field that names them.
    pub owners: Vec<(&'static str, CustomerId)>,
}

impl ComplaintDetails {
    /// Lets the customer's dealer answer when none is named, and checks that what the complaint names
    /// is the complaining customer's own.
    ///
    /// # Errors
    ///
    /// `complaint_about_somebody_elses` when a named thing is another customer's.
    pub fn connect(self, known: &Connections) -> Result<Self, Refusal> {
        let foreign = known.owners.iter().find(|(_, owner)| *owner != self.customer_id);
        if let Some((field, _)) = foreign {
            return Err(Refusal::new(&SOMEBODY_ELSES).with("field", field));
        }
        Ok(Self { dealer_id: self.dealer_id.or(known.dealer_id), ..self })
    }
}

impl Complaint {
    /// Takes a complaint in that people in `tz` answer. Its first answer is due 24 hours later.
    pub fn receive(
        id: ComplaintId,
        number: String,
        details: ComplaintDetails,
        tz: Zone,
        now: Timestamp,
    ) -> Change<Self> {
        let first_answer_due_at = now.plus_hours(FIRST_ANSWER_HOURS);
        let complaint = Self {
            id,
            number,
            details,
            response_id: None,
            state: ComplaintState::Received,
            owner_id: None,
            first_answer_due_at,
            tz,
            local_first_answer_due: first_answer_due_at.wall_time_in(tz),
            first_answer_at: None,
            first_answer: FirstAnswer::Due,
            waiting_for: None,
            waiting_began_at: None,
            waiting_reason: None,
            escalated_rank: None,
            escalated_staff_id: None,
            resolution_no: 1,
            decision: None,
            told_at: None,
            resolved_at: None,
            resolved_by: None,
            customer_satisfied: None,
            closed_at: None,
            reopen_reason: None,
            created_at: now,
            version: Version::FIRST,
        };
        Change::created(complaint)
            .emits(Event::ComplaintOpened { complaint: id })
            .emits_at(Event::FirstAnswerDue { complaint: id }, first_answer_due_at)
    }

    /// Lets the first answer be due at another instant, as the policy says that applies.
    pub fn answer_by(mut received: Change<Self>, due_at: Timestamp) -> Change<Self> {
        let complaint = &mut received.record;
        complaint.first_answer_due_at = due_at;
        complaint.local_first_answer_due = due_at.wall_time_in(complaint.tz);
        let is_deadline =
            |event: &Event| *event == Event::FirstAnswerDue { complaint: complaint.id };
        for (event, at) in &mut received.events {
            if is_deadline(event) {
                *at = Some(due_at);
            }
        }
        received
    }

    /// Answers the customer for the first time. Whoever does answers for the complaint from now on.
    /// From `first_answer_due_at` on the answer counts as missed.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when somebody has answered before.
    pub fn acknowledge(mut self, actor: Actor, now: Timestamp) -> Result<Change<Self>, Refusal> {
        if self.state != ComplaintState::Received {
            return Err(self.refuse());
        }
        let in_time = self.first_answer == FirstAnswer::Due && now < self.first_answer_due_at;
        self.first_answer = if in_time { FirstAnswer::Kept } else { FirstAnswer::Missed };
        self.first_answer_at = Some(now);
        self.owner_id = actor.staff();
        let first_answer = self.first_answer;
        let change = self.moved("acknowledge", ComplaintState::Acknowledged);
        Ok(change.with("first_answer", first_answer))
    }

    /// Notes that the deadline of the first answer has passed; nothing when there was an answer.
    pub fn miss_first_answer(mut self, now: Timestamp) -> Option<Change<Self>> {
        if self.first_answer != FirstAnswer::Due || now < self.first_answer_due_at {
            return None;
        }
        self.first_answer = FirstAnswer::Missed;
        let due_at = self.first_answer_due_at;
        Some(Change::new("miss_first_answer", self).with("first_answer_due_at", due_at))
    }

    /// Decides who answers for what went wrong and what is done about it. A confirmed defect adds a
    /// mandatory replacement. `next_id` makes the identifiers of the remedies.
    ///
    /// # Errors
    ///
    /// `apology_missing`, `too_many_remedies`, `remedy_amount_missing`, `remedy_currencies_differ`;
    /// `illegal_transition` unless it is acknowledged or reopened.
    pub fn decide(
        mut self,
        details: DecisionDetails,
        next_id: impl FnMut() -> RemedyId,
        now: Timestamp,
    ) -> Result<Decided, Refusal> {
        match self.state {
            ComplaintState::Acknowledged | ComplaintState::Reopened => {}
            ComplaintState::Received
            | ComplaintState::Decided
            | ComplaintState::Resolved
            | ComplaintState::Closed => return Err(self.refuse()),
        }
        let DecisionDetails { responsibility, apology, text, recourse, confirmed_defect, remedies } =
            details;
        if responsibility.owes_apology() && apology.is_none() {
            return Err(Refusal::new(&APOLOGY_MISSING)
                .with("responsibility", responsibility)
                .at("/apology"));
        }
        remedies::check(&remedies)?;
        let remedies = remedies::promise(&self, remedies, confirmed_defect, next_id, now);
        self.decision = Some(ComplaintDecision {
            responsibility,
            apology,
            text,
            recourse,
            confirmed_defect,
            decided_at: now,
        });
        let id = self.id;
        let complaint = self
            .moved("decide", ComplaintState::Decided)
            .with("responsibility", responsibility)
            .emits(Event::ComplaintDecided { complaint: id });
        Ok(Decided { complaint, remedies })
    }

    /// Notes that the customer was told the decision and their recourse: by the message about it, or by
    /// word of mouth. Silence counts from then on.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when there is no decision, or they were told before.
    pub fn tell(mut self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        if self.decision.is_none() || self.told_at.is_some() {
            return Err(self.refuse());
        }
        self.told_at = Some(now);
        let resolution_no = self.resolution_no;
        Ok(Change::new("tell", self).with("resolution_no", resolution_no))
    }

    /// Says that everything promised is done. `remedies` are those of the present attempt.
    ///
    /// # Errors
    ///
    /// `remedies_due` while one is neither done nor waived; `illegal_transition` unless it is decided.
    pub fn resolve(
        mut self,
        remedies: &[Remedy],
        actor: Actor,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        if self.state != ComplaintState::Decided {
            return Err(self.refuse());
        }
        let is_due = |remedy: &&Remedy| remedy.state == RemedyState::Due;
        let due: Vec<_> =
            remedies.iter().filter(is_due).map(|remedy| remedy.details.kind).collect();
        if !due.is_empty() {
            return Err(Refusal::new(&REMEDIES_DUE).with("remedies", due));
        }
        self.resolved_at = Some(now);
        self.resolved_by = Some(actor.to_string());
        let (complaint, resolution_no) = (self.id, self.resolution_no);
        Ok(self
            .moved("resolve", ComplaintState::Resolved)
            .with("resolution_no", resolution_no)
            .emits(Event::ComplaintResolved { complaint, resolution_no }))
    }

    /// Closes with the customer's yes, or with their silence from 14 days after the resolution on. Who
    /// was told their recourse later may think about it as long from then.
    ///
    /// # Errors
    ///
    /// `customer_not_satisfied`, `recourse_untold`, `cooling_period_runs`; `illegal_transition` unless
    /// it is resolved.
    pub fn close(
        mut self,
        closing: ComplaintClosing,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        if self.state != ComplaintState::Resolved {
            return Err(self.refuse());
        }
        match closing.customer_satisfied {
            Some(true) => {}
            Some(false) => return Err(Refusal::new(&CUSTOMER_NOT_SATISFIED)),
            None => self.expect_silence(now)?,
        }
        self.customer_satisfied = closing.customer_satisfied;
        self.closed_at = Some(now);
        Ok(self
            .moved("close", ComplaintState::Closed)
            .with("customer_satisfied", closing.customer_satisfied))
    }

    /// Takes it up again, for the next attempt to put it right.
    ///
    /// # Errors
    ///
    /// `reopening_too_late` more than 30 days after it was closed; `illegal_transition` unless it is
    /// resolved or closed.
    pub fn reopen(
        self,
        reopening: ComplaintReopening,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        if !self.is_settled() {
            return Err(self.refuse());
        }
        if let Some(closed_at) = self.closed_at {
            let reopenable_until = closed_at.plus_days(REOPENING_DAYS);
            if now > reopenable_until {
                return Err(Refusal::new(&REOPENING_TOO_LATE)
                    .with("closed_at", closed_at)
                    .with("reopenable_until", reopenable_until));
            }
        }
        Ok(self.take_up(Some(reopening.reason)))
    }

    /// Expects that silence means consent by now.
    fn expect_silence(&self, now: Timestamp) -> Result<(), Refusal> {
        let Some(told_at) = self.told_at else { return Err(Refusal::new(&RECOURSE_UNTOLD)) };
        let quiet_since = self.resolved_at.map_or(told_at, |resolved_at| resolved_at.max(told_at));
        let closable_at = quiet_since.plus_days(COOLING_DAYS);
        if now >= closable_at {
            return Ok(());
        }
        Err(Refusal::new(&COOLING_PERIOD).with("closable_at", closable_at))
    }

    pub(super) fn is_settled(&self) -> bool {
        match self.state {
            ComplaintState::Resolved | ComplaintState::Closed => true,
            ComplaintState::Received
            | ComplaintState::Acknowledged
            | ComplaintState::Decided
            | ComplaintState::Reopened => false,
        }
    }

    pub(super) fn take_up(mut self, reason: Option<Prose>) -> Change<Self> {
        self.resolution_no = self.resolution_no.saturating_add(1);
        self.decision = None;
        self.told_at = None;
        self.resolved_at = None;
        self.resolved_by = None;
        self.customer_satisfied = None;
        self.closed_at = None;
        self.reopen_reason = reason;
        let resolution_no = self.resolution_no;
        self.moved("reopen", ComplaintState::Reopened).with("resolution_no", resolution_no)
    }

    pub(super) fn moved(mut self, action: &'static str, to: ComplaintState) -> Change<Self> {
        let from = self.state;
        self.state = to;
        self.wait_no_longer();
        Change::new(action, self).moved(from, to)
    }

    pub(super) fn refuse(&self) -> Refusal {
        let is_waiting = self.waiting_for.is_some();
        let possible = |verb: &&str| match *verb {
            "tell" => self.told_at.is_none(),
            "wait" => !is_waiting,
            "resume" => is_waiting,
            _ => true,
        };
        let allowed: Vec<_> = self.state.allowed().iter().copied().filter(possible).collect();
        illegal(self.state, &allowed)
    }
}
