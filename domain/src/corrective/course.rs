//! The course of a corrective action: opened, worked on, verified by somebody else, closed or reopened.

use super::{
    CORRECTIVE_ACTION_DAYS, CORRECTIVE_ACTION_NOT_FOR_THEM, CORRECTIVE_ACTION_OPEN,
    CORRECTIVE_SOURCE_OF_ANOTHER_DEALER, CORRECTIVE_SOURCES_TOO_MANY, CorrectiveAction,
    CorrectiveActionDetails, CorrectiveActionState, CorrectiveAttempt, CorrectiveOrigin,
    CorrectiveSteps, D_STEPS_MISSING, MOST_CORRECTIVE_SOURCES, VERIFICATION_BY_ANOTHER,
    VERIFICATION_NOT_DUE,
};
use crate::{
    change::Change,
    complaints::Complaint,
    findings::{FindingDetails, FindingEvidence, FindingKind, FindingPeriod},
    identity::{Actor, Staff},
    ids::{AnyId, CorrectiveActionId, DealerId, StaffId},
    record::Version,
    refusal::{Refusal, illegal},
    text::Prose,
    time::{Timestamp, Zone},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Who answers for a corrective action from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"owner_id": "stf_01m80t7jx3e9vbq2f4c6d8g0hk"})))]
pub struct CorrectiveAssignment {
    /// Who answers for it.
    pub owner_id: StaffId,
}

/// Whether a correction has worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"effective": true, "note": "No leak since the first week."})))]
pub struct CorrectiveVerification {
    /// Whether it has worked.
    pub effective: bool,
    /// What was seen.
    pub note: Prose,
}

impl CorrectiveActionDetails {
    /// Checks that it names no more complaints than can be looked into.
    ///
    /// # Errors
    ///
    /// `too_many_corrective_sources`.
    pub fn check_length(&self) -> Result<(), Refusal> {
        if self.complaint_ids.len() > MOST_CORRECTIVE_SOURCES {
            return Err(Refusal::new(&CORRECTIVE_SOURCES_TOO_MANY)
                .with("sources", self.complaint_ids.len())
                .with("most", MOST_CORRECTIVE_SOURCES)
                .at("/complaint_ids"));
        }
        Ok(())
    }

    /// Names the dealer whose people work on it, where the details do not: that of the first complaint, which all of
    /// them must share. `owner` is who is to answer for it, where somebody is named.
    ///
    /// # Errors
    ///
    /// `too_many_corrective_sources`, `corrective_source_of_another_dealer`, `corrective_action_not_for_them`.
    pub fn connect(self, complaints: &[Complaint], owner: Option<&Staff>) -> Result<Self, Refusal> {
        self.check_length()?;
        let first = complaints.first().and_then(|complaint| complaint.details.dealer_id);
        let dealer_id = self.dealer_id.or(first);
        let foreign = complaints.iter().find(|one| one.details.dealer_id != dealer_id);
        if let Some(foreign) = foreign {
            return Err(Refusal::new(&CORRECTIVE_SOURCE_OF_ANOTHER_DEALER)
                .with("complaint_id", foreign.id)
                .at("/complaint_ids"));
        }
        if let Some(owner) = owner {
            must_be_for(owner, dealer_id)?;
        }
        Ok(Self { dealer_id, ..self })
    }
}

impl CorrectiveAction {
    /// Opens one by hand; whoever does answers for it unless somebody is named. `open` is the one that works on the same
    /// cause of the same dealer already.
    ///
    /// # Errors
    ///
    /// `corrective_action_open`.
    pub fn open(
        id: CorrectiveActionId,
        details: CorrectiveActionDetails,
        actor: Actor,
        open: Option<&Self>,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        if let Some(open) = open {
            return Err(Refusal::new(&CORRECTIVE_ACTION_OPEN)
                .with("corrective_action_id", open.id)
                .with("cause_code", &open.cause_code)
                .at("/cause_code"));
        }
        let owner_id = details.owner_id.or(actor.staff());
        let details = CorrectiveActionDetails { owner_id, ..details };
        Ok(Self::begin(id, details, CorrectiveOrigin::Manual, now))
    }

    /// Begins one, for whatever reason.
    pub(super) fn begin(
        id: CorrectiveActionId,
        details: CorrectiveActionDetails,
        origin: CorrectiveOrigin,
        now: Timestamp,
    ) -> Change<Self> {
        let mut complaint_ids = details.complaint_ids;
        complaint_ids.sort_unstable();
        complaint_ids.dedup();
        let action = Self {
            id,
            origin,
            dealer_id: details.dealer_id,
            cause_code: details.cause_code,
            complaint_ids,
            owner_id: details.owner_id,
            due_at: details.due_at.unwrap_or_else(|| now.plus_days(CORRECTIVE_ACTION_DAYS)),
            state: CorrectiveActionState::Open,
            steps: CorrectiveSteps::default(),
            team_ids: Vec::new(),
            worker_ids: Vec::new(),
            implemented_on: None,
            verification_due_at: None,
            effective: None,
            verified_at: None,
            verified_by: None,
            verification_note: None,
            earlier_attempts: Vec::new(),
            created_at: now,
            version: Version::FIRST,
        };
        Change::created(action).with("origin", origin)
    }

    /// Lets somebody answer for it, whoever did before. Not once its verification is waited for: whoever is named then
    /// could not judge it, and would have had no part in it.
    ///
    /// # Errors
    ///
    /// `corrective_action_not_for_them` when they do not work for its dealer or the brand, or are an auditor;
    /// `illegal_transition` while its verification is waited for, and when it is closed.
    pub fn assign(self, to: &Staff) -> Result<Change<Self>, Refusal> {
        self.must("assign")?;
        must_be_for(to, self.dealer_id)?;
        Ok(Change::edit("assign", &self, |it| {
            let before = it.owner_id.replace(to.id);
            it.have_worked(before);
        }))
    }

    /// Remembers who has had a part in it, so that they do not judge it.
    pub(super) fn have_worked(&mut self, people: impl IntoIterator<Item = StaffId>) {
        for person in people {
            if !self.worker_ids.contains(&person) {
                self.worker_ids.push(person);
            }
        }
    }

    /// Whether they have had a part in it.
    fn is_work_of(&self, person: StaffId) -> bool {
        self.owner_id == Some(person)
            || self.team_ids.contains(&person)
            || self.worker_ids.contains(&person)
    }

    /// Says whether it has worked. If it has not, the root cause is looked for anew, and what was tried stays to be read.
    ///
    /// # Errors
    ///
    /// `verification_by_another`, `d_steps_missing`, `verification_not_due`; `illegal_transition` unless its
    /// verification is waited for.
    pub fn verify(
        mut self,
        verification: CorrectiveVerification,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        self.must("verify")?;
        let another = actor.staff().filter(|person| !self.is_work_of(*person));
        let Some(verifier) = another else {
            let workers: BTreeSet<_> = self.worker_ids.iter().chain(&self.team_ids).collect();
            return Err(Refusal::new(&VERIFICATION_BY_ANOTHER)
                .with("owner_id", self.owner_id)
                .with("worker_ids", workers));
        };
        let missing = self.steps.missing_before(None);
        if !missing.is_empty() {
            return Err(Refusal::new(&D_STEPS_MISSING).with("missing_steps", missing));
        }
        if let Some(due_at) = self.verification_due_at.filter(|due_at| now < *due_at) {
            return Err(Refusal::new(&VERIFICATION_NOT_DUE).with("verification_due_at", due_at));
        }
        let CorrectiveVerification { effective, note } = verification;
        self.effective = Some(effective);
        self.verified_at = Some(now);
        self.verified_by = Some(verifier);
        self.verification_note = Some(note.clone());
        if effective {
            return Ok(self.moved("verify", CorrectiveActionState::Closed).with("effective", true));
        }
        self.leave_attempt(verifier, note, now);
        Ok(self.moved("verify", CorrectiveActionState::Reopened).with("effective", false))
    }

    /// What is noticed when the effect can be verified by now; nothing when nobody waits for that.
    pub fn verification_due(&self, zone: Zone, now: Timestamp) -> Option<FindingDetails> {
        let is_waited_for = match self.state {
            CorrectiveActionState::Implementing | CorrectiveActionState::PendingVerification => {
                true
            }
            CorrectiveActionState::Open
            | CorrectiveActionState::InProgress
            | CorrectiveActionState::ContainmentDone
            | CorrectiveActionState::RootCauseFound
            | CorrectiveActionState::Closed
            | CorrectiveActionState::Reopened => false,
        };
        if !is_waited_for || self.verification_due_at.is_none_or(|due_at| now < due_at) {
            return None;
        }
        let complaints = i64::try_from(self.complaint_ids.len()).unwrap_or(i64::MAX);
        Some(FindingDetails {
            kind: FindingKind::VerificationDue,
            subject: AnyId::of(self.id),
            dealer_id: self.dealer_id,
            topic: None,
            period: FindingPeriod::day_of(now.date_in(zone)),
            evidence: FindingEvidence::from([("complaints".to_owned(), complaints)]),
        })
    }

    /// Keeps what was tried, and begins anew with the root cause.
    fn leave_attempt(&mut self, verified_by: StaffId, note: Prose, now: Timestamp) {
        let tried = CorrectiveSteps {
            d4: self.steps.d4.take(),
            d5: self.steps.d5.take(),
            d6: self.steps.d6.take(),
            d7: self.steps.d7.take(),
            d8: self.steps.d8.take(),
            ..CorrectiveSteps::default()
        };
        self.earlier_attempts.push(CorrectiveAttempt {
            steps: tried,
            implemented_on: self.implemented_on.take(),
            verified_at: now,
            verified_by,
            verification_note: note,
        });
        self.verification_due_at = None;
    }

    /// The verbs that lead on from here.
    fn verbs(&self) -> &'static [&'static str] {
        match self.state {
            CorrectiveActionState::Open
            | CorrectiveActionState::InProgress
            | CorrectiveActionState::ContainmentDone
            | CorrectiveActionState::RootCauseFound
            | CorrectiveActionState::Implementing
            | CorrectiveActionState::Reopened => &["fill", "assign"],
            CorrectiveActionState::PendingVerification => &["fill", "verify"],
            CorrectiveActionState::Closed => &[],
        }
    }

    pub(super) fn must(&self, verb: &str) -> Result<(), Refusal> {
        if self.verbs().contains(&verb) { Ok(()) } else { Err(self.refuse()) }
    }

    pub(super) fn refuse(&self) -> Refusal {
        illegal(self.state, self.verbs())
    }

    pub(super) fn moved(mut self, action: &'static str, to: CorrectiveActionState) -> Change<Self> {
        let from = self.state;
        self.state = to;
        Change::new(action, self).moved(from, to)
    }
}

/// Checks that somebody can answer for an action of a dealer's, or of the brand's.
fn must_be_for(owner: &Staff, dealer: Option<DealerId>) -> Result<(), Refusal> {
    if owner.may_be_given_work_of(dealer) {
        return Ok(());
    }
    Err(Refusal::new(&CORRECTIVE_ACTION_NOT_FOR_THEM).with("staff_id", owner.id).at("/owner_id"))
}
