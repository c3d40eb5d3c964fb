//! The course of a complaint: received, acknowledged, decided, resolved, closed, and perhaps reopened.

use super::{
    APOLOGY_MISSING, COOLING_DAYS, COOLING_PERIOD, CUSTOMER_NOT_SATISFIED, Complaint,
    ComplaintDecision, ComplaintDetails, ComplaintState, DECISION_REFUSED, FIRST_ANSWER_HOURS,
    FirstAnswer, NOT_UPHELD_BUT_OWED, RECOURSE_UNTOLD, REMEDIES_DUE, REOPENING_DAYS,
    REOPENING_TOO_LATE, Remedy, RemedyDetails, RemedyState, Responsibility, SOMEBODY_ELSES,
    remedies,
};
use crate::{
    change::Change,
    event::Event,
    identity::{Actor, Rank},
    ids::{ComplaintId, CustomerId, DealerId, RemedyId},
    money::Money,
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
    "confirmed_defect": true, "upheld": true,
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
    /// Whether the product was found defective. A mandatory replacement follows from it. What an investigation has
    /// confirmed cannot be denied here.
    #[serde(default)]
    pub confirmed_defect: bool,
    /// Whether the customer is right. Who is not may be given goodwill, an apology or an explanation, and nothing
    /// else; their recourse they are told in any case.
    #[serde(default = "is_upheld")]
    #[schema(default = true)]
    pub upheld: bool,
    /// What is promised, at most 10 remedies. It takes the place of what an earlier decision of this attempt promised
    /// and nobody has done, save what a defect made mandatory.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub remedies: Vec<RemedyDetails>,
}

/// What the customer says of a resolution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"customer_satisfied": true})))]
pub struct ComplaintClosing {
    /// `true` closes at once; `null` (nothing was said) closes from 14 days after the resolution,
    /// after the customer was told their recourse, and after they were last heard; `false` does not close.
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
    /// What was promised, and what is not any more.
    pub remedies: Vec<Change<Remedy>>,
}

/// What is known when somebody decides.
#[derive(Debug, Clone)]
pub struct Deciding {
    /// The rank in which they do.
    pub rank: Rank,
    /// What was promised in this attempt before.
    pub promised: Vec<Remedy>,
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

impl DecisionDetails {
    /// Expects that the decision fits together.
    fn check(&self) -> Result<(), Refusal> {
        let responsibility = self.responsibility;
        if responsibility.owes_apology() && self.apology.is_none() {
            return Err(Refusal::new(&APOLOGY_MISSING)
                .with("responsibility", responsibility)
                .at("/apology"));
        }
        remedies::check(&self.remedies)?;
        let owed = self.remedies.iter().find(|remedy| !remedy.kind.is_a_kindness());
        let is_owed = responsibility.owes_apology() || self.confirmed_defect || owed.is_some();
        if self.upheld || !is_owed {
            return Ok(());
        }
        Err(Refusal::new(&NOT_UPHELD_BUT_OWED)
            .with("responsibility", responsibility)
            .with("confirmed_defect", self.confirmed_defect)
            .with("remedy", owed.map(|remedy| remedy.kind))
            .at("/upheld"))
    }

    /// What the remedies cost together; nothing when none has a price.
    pub fn cost(&self) -> Option<Money> {
        self.remedies
            .iter()
            .filter_map(|remedy| remedy.amount)
            .reduce(|sum, money| Money { amount: sum.amount.plus(money.amount), ..sum })
    }
}

/// A customer is right unless somebody says otherwise.
fn is_upheld() -> bool {
    true
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
            cover_id: None,
            safety: false,
            assessment: None,
            investigation: None,
            cause_code: None,
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
            upheld: None,
            decided_rank: None,
            deciding_rank: None,
            told_at: None,
            accepted_at: None,
            refusals: 0,
            refused_at: None,
            refusal_reason: None,
            opposing_messages: 0,
            external_body: None,
            resolved_at: None,
            resolved_by: None,
            customer_satisfied: None,
            closed_at: None,
            duplicate_of: None,
            set_aside_at: None,
            aside_note: None,
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
            return Err(self.refuse_verb());
        }
        let in_time = self.first_answer == FirstAnswer::Due && now < self.first_answer_due_at;
        self.first_answer = if in_time { FirstAnswer::Kept } else { FirstAnswer::Missed };
        self.first_answer_at = Some(now);
        self.owner_id = actor.staff().or(self.owner_id);
        let first_answer = self.first_answer;
        let change = self.moved("acknowledge", ComplaintState::Acknowledged);
        Ok(change.with("first_answer", first_answer))
    }

    /// Notes that the deadline of the first answer has passed; nothing when there was an answer, or none is owed.
    pub fn miss_first_answer(mut self, now: Timestamp) -> Option<Change<Self>> {
        let is_due = self.first_answer == FirstAnswer::Due && !self.state.is_set_aside();
        if !is_due || now < self.first_answer_due_at {
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
    /// `investigation_missing` when it is grave and nobody has looked into it; `decision_above_rank` after the two sides
    /// have stood against each other; `apology_missing`, `defect_stays_confirmed`, `not_upheld_but_owed`,
    /// `too_many_remedies`, `remedy_amount_missing`, `remedy_currencies_differ`; `illegal_transition` while it cannot be
    /// decided.
    pub fn decide(
        mut self,
        details: DecisionDetails,
        deciding: Deciding,
        next_id: impl FnMut() -> RemedyId,
        now: Timestamp,
    ) -> Result<Decided, Refusal> {
        if !self.state.allowed().contains(&"decide") {
            return Err(self.refuse_verb());
        }
        let Deciding { rank, promised } = deciding;
        self.expect_rank(rank)?;
        self.expect_investigation()?;
        details.check()?;
        self.expect_defect_to_stay(details.confirmed_defect, "/confirmed_defect")?;
        let remedies = remedies::promise(&self, &details, promised, next_id, now)?;
        let DecisionDetails { responsibility, apology, text, recourse, confirmed_defect, .. } =
            details;
        self.upheld = Some(details.upheld);
        self.decided_rank = Some(rank);
        self.told_at = None;
        self.accepted_at = None;
        self.opposing_messages = 0;
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
            .with("upheld", details.upheld)
            .emits(Event::ComplaintDecided { complaint: id });
        Ok(Decided { complaint, remedies })
    }

    /// Notes that the customer was told the decision and their recourse: by the message about it, or by
    /// word of mouth. Silence counts from then on.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when there is no decision, they were told before, or are content without.
    pub fn tell(mut self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        if !self.is_untold() {
            return Err(self.refuse_verb());
        }
        self.told_at = Some(now);
        let resolution_no = self.resolution_no;
        Ok(Change::new("tell", self).with("resolution_no", resolution_no))
    }

    /// Whether the customer has still to be told what was decided.
    pub fn is_untold(&self) -> bool {
        let is_decided = matches!(self.state, ComplaintState::Decided | ComplaintState::Resolved);
        is_decided && self.told_at.is_none()
    }

    /// Says that everything promised is done. `remedies` are those of the present attempt.
    ///
    /// # Errors
    ///
    /// `remedies_due` while one is neither done nor waived; `decision_refused` when the customer has refused the
    /// decision, unless the brand itself has made it; `illegal_transition` unless it is decided.
    pub fn resolve(
        mut self,
        remedies: &[Remedy],
        actor: Actor,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        match self.state {
            ComplaintState::Decided => {}
            ComplaintState::Negotiating | ComplaintState::ExternalRecourse => {
                self.expect_final_decision()?;
            }
            ComplaintState::Received
            | ComplaintState::Acknowledged
            | ComplaintState::Assessed
            | ComplaintState::Investigating
            | ComplaintState::Resolved
            | ComplaintState::Closed
            | ComplaintState::Reopened
            | ComplaintState::Duplicate
            | ComplaintState::Withdrawn
            | ComplaintState::NotAComplaint => return Err(self.refuse_verb()),
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
    /// was told their recourse later may think about it as long from then, and who has said something at
    /// `last_heard_at` was not silent before.
    ///
    /// # Errors
    ///
    /// `customer_not_satisfied`, `recourse_untold`, `cooling_period_runs`; `illegal_transition` unless
    /// it is resolved.
    pub fn close(
        mut self,
        closing: ComplaintClosing,
        last_heard_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        if self.state != ComplaintState::Resolved {
            return Err(self.refuse_verb());
        }
        match closing.customer_satisfied {
            Some(true) => {}
            Some(false) => return Err(Refusal::new(&CUSTOMER_NOT_SATISFIED)),
            None => self.expect_silence(last_heard_at, now)?,
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
        if !self.state.is_settled() {
            return Err(self.refuse_verb());
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

    /// Expects that nobody stands above whoever made the decision that the customer refuses.
    fn expect_final_decision(&self) -> Result<(), Refusal> {
        if self.decided_rank == Some(Rank::BRAND) {
            return Ok(());
        }
        Err(Refusal::new(&DECISION_REFUSED)
            .with("refused_at", self.refused_at)
            .with("decided_rank", self.decided_rank))
    }

    /// Expects that silence means consent by now.
    fn expect_silence(
        &self,
        last_heard_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(told_at) = self.told_at else { return Err(Refusal::new(&RECOURSE_UNTOLD)) };
        let since = [self.resolved_at, last_heard_at];
        let quiet_since = since.into_iter().flatten().fold(told_at, Timestamp::max);
        let closable_at = quiet_since.plus_days(COOLING_DAYS);
        if now >= closable_at {
            return Ok(());
        }
        Err(Refusal::new(&COOLING_PERIOD).with("closable_at", closable_at))
    }

    pub(super) fn take_up(mut self, reason: Option<Prose>) -> Change<Self> {
        self.resolution_no = self.resolution_no.saturating_add(1);
        // What is wrong now is looked into anew; what was found before stays in the log, with its cause.
        self.investigation = None;
        self.decision = None;
        self.upheld = None;
        self.decided_rank = None;
        self.told_at = None;
        self.accepted_at = None;
        self.refused_at = None;
        self.refusal_reason = None;
        self.external_body = None;
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

    pub(super) fn refuse_verb(&self) -> Refusal {
        let is_waiting = self.waiting_for.is_some();
        let possible = |verb: &&str| match *verb {
            "tell" => self.told_at.is_none(),
            "accept" | "refuse" if self.state == ComplaintState::Decided => {
                self.told_at.is_some() && self.accepted_at.is_none()
            }
            "wait" => !is_waiting,
            "resume" => is_waiting,
            _ => true,
        };
        let allowed: Vec<_> = self.state.allowed().iter().copied().filter(possible).collect();
        illegal(self.state, &allowed)
    }
}
