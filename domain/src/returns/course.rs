//! The course of a return: opened, authorised, received, inspected, settled, or rejected by two people.

use super::{
    DEFECT_NOT_DISPROVED, GOODS_RECEIVED, InspectionResult, NOTHING_RECEIVED, ONLY_FOR_REPLACEMENT,
    REJECTION_NEEDS_SECOND_PERSON, REMEDY_NEEDS_NO_RETURN, REMEDY_SETTLED, RETURN_DAYS,
    RMA_NEEDS_MANAGER, RMA_OPEN_ALREADY, Rma, RmaDetails, RmaInspection, RmaLineReceived, RmaMode,
    RmaState, lines,
};
use crate::{
    change::Change,
    complaints::{Remedy, RemedyKind, RemedyState},
    event::{Awaited, Event},
    findings::{FindingDetails, FindingEvidence, FindingKind, FindingPeriod},
    identity::{Actor, Rank},
    ids::{AnyId, CustomerId, RmaId, StaffId},
    record::Version,
    refusal::{Refusal, illegal},
    text::Line,
    time::{Timestamp, Zone},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What has come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"lines": [{"number": 1, "quantity": 1}], "nothing_more": false})))]
pub struct RmaReceipt {
    /// The lines of which something has come now, at most 20.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub lines: Vec<RmaLineReceived>,
    /// Whether no more is waited for: what has not come stays with the customer.
    #[serde(default)]
    pub nothing_more: bool,
}

/// Why a return is rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"reason": "The sole is worn, and not broken."})))]
pub struct RmaRejection {
    /// What the inspection has shown, in words the customer can be told.
    pub reason: Line,
}

/// What is known when a return is asked for.
#[derive(Debug, Clone, Copy)]
pub struct RmaKnown<'a> {
    /// What it carries out.
    pub remedy: &'a Remedy,
    /// The return that the remedy has already.
    pub open: Option<&'a Rma>,
    /// Whether an inspection has shown once that there is nothing to put right.
    pub was_rejected: bool,
}

/// What follows when goods have not come in time.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "what is not recorded has not happened"]
pub enum RmaOverdue {
    /// Nothing has changed hands, so it is over.
    Expired(Box<Change<Rma>>),
    /// Somebody has to look after it.
    Noticed(FindingDetails),
}

impl Rma {
    /// Asks for it. What follows from a confirmed defect is authorised by that, unless a return for it was rejected.
    /// `owners` says whose the sold things of the lines are, in their order.
    ///
    /// # Errors
    ///
    /// `remedy_settled`, `remedy_needs_no_return`, `rma_open_already`, `only_for_replacement`, `rma_without_lines`,
    /// `too_many_rma_lines`, `rma_line_unnamed`, `rma_asset_of_another`, `rma_quantity_exceeded`.
    pub fn open(
        id: RmaId,
        details: RmaDetails,
        known: RmaKnown<'_>,
        owners: &[Option<CustomerId>],
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        let remedy = known.remedy;
        details.must_fit(remedy)?;
        Self::must_be_over(known.open).map_err(|refusal| refusal.at("/remedy_id"))?;
        let lines = lines::expect(details.lines, owners, remedy.customer_id)?;
        let rma = Self {
            id,
            complaint_id: remedy.complaint_id,
            remedy_id: remedy.id,
            customer_id: remedy.customer_id,
            dealer_id: remedy.dealer_id,
            remedy_kind: remedy.details.kind,
            mandatory: remedy.mandatory,
            mode: details.mode,
            replacement_item: details.replacement_item,
            lines,
            state: RmaState::Opened,
            authorised_at: None,
            authorised_by: None,
            return_due_at: None,
            replacement_sent_at: None,
            received_at: None,
            inspected_at: None,
            inspected_by: None,
            rejected_by: None,
            rejection_reason: None,
            settled_at: None,
            closed_at: None,
            created_at: now,
            version: Version::FIRST,
        };
        let (mode, mandatory) = (rma.mode, rma.mandatory);
        let opened = if mandatory && !known.was_rejected {
            Change { action: "create", is_new: true, ..rma.authorised(None, now) }
        } else {
            Change::created(rma)
        };
        Ok(opened.with("mode", mode).with("mandatory", mandatory))
    }

    /// Makes sure that the `open` return of a remedy, if there is one, is over before the remedy is settled by hand.
    ///
    /// # Errors
    ///
    /// `rma_open_already`.
    pub fn must_be_over(open: Option<&Self>) -> Result<(), Refusal> {
        match open {
            Some(open) => Err(Refusal::new(&RMA_OPEN_ALREADY).with("rma_id", open.id)),
            None => Ok(()),
        }
    }

    /// Lets it take place.
    ///
    /// # Errors
    ///
    /// `rma_needs_manager`; `illegal_transition` unless it is opened.
    pub fn authorise(self, actor: Actor, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.must("authorise")?;
        must_be_manager(actor)?;
        Ok(self.authorised(Some(actor), now))
    }

    /// Goes on: asks for the goods, or begins to put it right when nothing has to come first.
    ///
    /// # Errors
    ///
    /// `illegal_transition` unless it is authorised or, without a replacement that was sent in advance, inspected.
    pub fn proceed(mut self) -> Result<Change<Self>, Refusal> {
        self.must("proceed")?;
        let awaits = self.state == RmaState::Authorised && self.mode == RmaMode::WithReturn;
        if self.mode == RmaMode::WithoutReturn {
            self.lines.iter_mut().for_each(super::RmaLine::comes_no_more);
        }
        let next = if awaits { RmaState::AwaitingReturn } else { self.remedying() };
        Ok(self.moved("proceed", next))
    }

    /// Says that the replacement was sent before the goods came back, which are waited for from now on.
    ///
    /// # Errors
    ///
    /// `illegal_transition` unless it replaces in advance.
    pub fn send(mut self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.must("send")?;
        let (rma, due_at) = (self.id, now.plus_days(RETURN_DAYS));
        self.replacement_sent_at = Some(now);
        self.return_due_at = Some(due_at);
        let change = self.moved("send", RmaState::AwaitingReturn);
        Ok(change.emits_at(Event::AwaitedDue { awaited: Awaited::Return(rma) }, due_at))
    }

    /// Takes in what has come: a part of it, or all. After a replacement in advance it can be said that nothing comes.
    ///
    /// # Errors
    ///
    /// `rma_line_unknown`, `rma_quantity_exceeded`; `nothing_received` when nothing has come so far and no replacement
    /// was sent; `illegal_transition` unless it is awaited.
    pub fn receive(
        mut self,
        receipt: &RmaReceipt,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        self.must("receive")?;
        lines::receive(&mut self.lines, &receipt.lines)?;
        let pieces = self.received_pieces();
        let may_be_nothing = receipt.nothing_more && self.replacement_sent_at.is_some();
        let is_empty = receipt.lines.is_empty() && !receipt.nothing_more;
        if is_empty || pieces == 0 && !may_be_nothing {
            return Err(Refusal::new(&NOTHING_RECEIVED).with("outstanding", self.outstanding()));
        }
        if receipt.nothing_more {
            let incomplete = self.lines.iter_mut().filter(|line| line.outstanding() > 0);
            incomplete.for_each(super::RmaLine::comes_no_more);
        }
        let outstanding = self.outstanding();
        let is_whole = outstanding == 0;
        if is_whole {
            self.received_at = Some(now);
        }
        let next = if is_whole { RmaState::Received } else { RmaState::AwaitingReturn };
        let change = self.moved("receive", next);
        Ok(change.with("received", pieces).with("outstanding", outstanding))
    }

    /// Notes what the inspection of the goods has shown. What a program has inspected can be inspected anew.
    ///
    /// # Errors
    ///
    /// `rma_line_unknown`, `inspection_incomplete`; `illegal_transition` unless the goods are here and no person has
    /// inspected them.
    pub fn inspect(
        mut self,
        inspection: RmaInspection,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Change<Self>, Refusal> {
        self.must("inspect")?;
        self.lines.iter_mut().for_each(super::RmaLine::is_looked_at_anew);
        lines::inspect(&mut self.lines, inspection.lines)?;
        self.inspected_at = Some(now);
        self.inspected_by = Some(actor.to_string());
        Ok(self.moved("inspect", RmaState::Inspected))
    }

    /// Confirms that there is no defect, so that the remedy is not carried out. It takes two people: one has inspected the
    /// goods, another confirms it.
    ///
    /// # Errors
    ///
    /// `rma_needs_manager`, `rejection_needs_second_person`, `defect_not_disproved`; `illegal_transition` unless it is
    /// inspected.
    pub fn reject(
        mut self,
        rejection: RmaRejection,
        actor: Actor,
    ) -> Result<Change<Self>, Refusal> {
        self.must("reject")?;
        must_be_manager(actor)?;
        let inspector = self.inspector();
        if actor.staff().is_none() || inspector.is_none() || inspector == actor.staff() {
            return Err(Refusal::new(&REJECTION_NEEDS_SECOND_PERSON)
                .with("inspected_by", &self.inspected_by));
        }
        let disproved = Some(InspectionResult::DefectDisproved);
        let standing = lines::numbers(&self.lines, |line| {
            line.inspection_result.is_some() && line.inspection_result != disproved
        });
        if !standing.is_empty() {
            return Err(Refusal::new(&DEFECT_NOT_DISPROVED).with("lines", standing));
        }
        self.rejected_by = Some(actor.to_string());
        self.rejection_reason = Some(rejection.reason);
        Ok(self.moved("reject", RmaState::Rejected))
    }

    /// Says that it is put right: its remedy is done by that, unless it was before.
    ///
    /// # Errors
    ///
    /// `remedy_settled` when the remedy was waived, or another one took its place; `illegal_transition` unless it is
    /// being put right, or, after a replacement was sent in advance, its goods were inspected or do not come.
    pub fn settle(
        mut self,
        remedy: Remedy,
        now: Timestamp,
    ) -> Result<(Change<Self>, Option<Change<Remedy>>), Refusal> {
        self.must("settle")?;
        let remedy = match remedy.state {
            RemedyState::Due => Some(remedy.complete(now)?),
            RemedyState::Done => None,
            state @ (RemedyState::Waived | RemedyState::Replaced) => {
                return Err(Refusal::new(&REMEDY_SETTLED).with("remedy_state", state));
            }
        };
        self.settled_at = Some(now);
        Ok((self.moved("settle", RmaState::Settled), remedy))
    }

    /// Says that nothing is left to do about the goods either.
    ///
    /// # Errors
    ///
    /// `illegal_transition` unless it is settled.
    pub fn close(mut self, now: Timestamp) -> Result<Change<Self>, Refusal> {
        self.must("close")?;
        self.closed_at = Some(now);
        Ok(self.moved("close", RmaState::Closed))
    }

    /// Calls it off. The remedy stays due.
    ///
    /// # Errors
    ///
    /// `goods_received` once something has come or was sent; `illegal_transition` when it has gone further.
    pub fn cancel(self) -> Result<Change<Self>, Refusal> {
        self.must("cancel")?;
        self.fall_away()
    }

    /// Calls it off, however far it has come, because another decision takes the place of its remedy.
    ///
    /// # Errors
    ///
    /// `goods_received` once something has come or was sent.
    pub fn fall_away(self) -> Result<Change<Self>, Refusal> {
        if !self.changed_hands().is_empty() {
            return Err(Refusal::new(&GOODS_RECEIVED)
                .with("received", self.received_pieces())
                .with("changed_hands", self.changed_hands()));
        }
        Ok(self.moved("cancel", RmaState::Cancelled))
    }

    /// What follows when the goods should be here by now and are not; nothing when they are, or it is over. It expires
    /// when nothing has changed hands. What a confirmed defect demands never does: then, and when something is here or
    /// was sent already, somebody has to look after it.
    pub fn come_due(self, zone: Zone, now: Timestamp) -> Option<RmaOverdue> {
        let is_waited_for = matches!(self.state, RmaState::Authorised | RmaState::AwaitingReturn);
        if !is_waited_for || self.return_due_at.is_none_or(|due_at| now < due_at) {
            return None;
        }
        if !self.mandatory && self.changed_hands().is_empty() {
            let expired = self.moved("expire", RmaState::Expired);
            return Some(RmaOverdue::Expired(Box::new(expired)));
        }
        let outstanding = i64::from(self.outstanding());
        Some(RmaOverdue::Noticed(FindingDetails {
            kind: FindingKind::ReturnOverdue,
            subject: AnyId::of(self.id),
            dealer_id: self.dealer_id,
            topic: None,
            period: FindingPeriod::day_of(now.date_in(zone)),
            evidence: FindingEvidence::from([
                ("outstanding".to_owned(), outstanding),
                ("waited_days".to_owned(), RETURN_DAYS),
            ]),
        }))
    }

    fn authorised(mut self, by: Option<Actor>, now: Timestamp) -> Change<Self> {
        self.authorised_at = Some(now);
        self.authorised_by = by.map(|actor| actor.to_string());
        let comes_back = self.mode != RmaMode::WithoutReturn;
        let due_at = now.plus_days(RETURN_DAYS);
        self.return_due_at = comes_back.then_some(due_at);
        let rma = self.id;
        let change = self.moved("authorise", RmaState::Authorised);
        if comes_back {
            change.emits_at(Event::AwaitedDue { awaited: Awaited::Return(rma) }, due_at)
        } else {
            change
        }
    }

    /// The state in which it is put right.
    fn remedying(&self) -> RmaState {
        match self.remedy_kind {
            RemedyKind::Repair => RmaState::Repairing,
            RemedyKind::Refund => RmaState::Refunding,
            // No others are accepted ([`RmaDetails::must_fit`]).
            RemedyKind::Replacement
            | RemedyKind::PriceReduction
            | RemedyKind::Goodwill
            | RemedyKind::Apology
            | RemedyKind::Education => RmaState::Replacing,
        }
    }

    fn received_pieces(&self) -> u32 {
        self.lines.iter().map(|line| line.received_quantity).fold(0, u32::saturating_add)
    }

    fn outstanding(&self) -> u32 {
        self.lines.iter().map(super::RmaLine::outstanding).fold(0, u32::saturating_add)
    }

    /// What of ours is there, and what of the customer's is here.
    fn changed_hands(&self) -> Vec<&'static str> {
        let goods = (self.received_pieces() > 0).then_some("goods");
        let replacement = self.replacement_sent_at.is_some().then_some("replacement");
        goods.into_iter().chain(replacement).collect()
    }

    /// The person who inspected the goods; a program is nobody.
    fn inspector(&self) -> Option<StaffId> {
        self.inspected_by.as_ref().and_then(|by| by.parse().ok())
    }

    /// The verbs that lead on from here.
    fn verbs(&self) -> &'static [&'static str] {
        let in_advance = self.mode == RmaMode::AdvanceReplacement;
        let by_program = self.inspector().is_none();
        match self.state {
            RmaState::Opened => &["authorise", "cancel"],
            RmaState::Authorised => &["proceed", "cancel"],
            RmaState::AwaitingReturn => &["receive", "cancel"],
            // Nothing has come, and the replacement is there.
            RmaState::Received if self.received_pieces() == 0 => &["settle"],
            RmaState::Received => &["inspect"],
            // The replacement is there: what the inspection shows changes nothing about that.
            RmaState::Inspected if in_advance => &["settle"],
            RmaState::Inspected if by_program => &["inspect", "proceed", "reject"],
            RmaState::Inspected => &["proceed", "reject"],
            RmaState::Replacing if in_advance => &["send"],
            RmaState::Replacing | RmaState::Repairing | RmaState::Refunding => &["settle"],
            RmaState::Settled => &["close"],
            RmaState::Expired => &["cancel"],
            RmaState::Closed | RmaState::Rejected | RmaState::Cancelled => &[],
        }
    }

    fn must(&self, verb: &str) -> Result<(), Refusal> {
        if self.verbs().contains(&verb) {
            return Ok(());
        }
        Err(illegal(self.state, self.verbs()))
    }

    fn moved(mut self, action: &'static str, to: RmaState) -> Change<Self> {
        let from = self.state;
        self.state = to;
        Change::new(action, self).moved(from, to)
    }
}

impl RmaDetails {
    /// Checks that it has a line, and not more than can be looked after.
    ///
    /// # Errors
    ///
    /// `rma_without_lines`, `too_many_rma_lines`.
    pub fn check_length(&self) -> Result<(), Refusal> {
        lines::check_length(&self.lines)
    }

    /// Checks that the remedy is carried out by a return like this.
    fn must_fit(&self, remedy: &Remedy) -> Result<(), Refusal> {
        let kind = remedy.details.kind;
        if remedy.state != RemedyState::Due {
            return Err(Refusal::new(&REMEDY_SETTLED)
                .with("remedy_state", remedy.state)
                .at("/remedy_id"));
        }
        let is_replaced = match kind {
            RemedyKind::Replacement => true,
            RemedyKind::Repair | RemedyKind::Refund => false,
            RemedyKind::PriceReduction
            | RemedyKind::Goodwill
            | RemedyKind::Apology
            | RemedyKind::Education => {
                let refusal = Refusal::new(&REMEDY_NEEDS_NO_RETURN).with("remedy", kind);
                return Err(refusal.at("/remedy_id"));
            }
        };
        let field = match (self.mode, &self.replacement_item) {
            (RmaMode::AdvanceReplacement, _) => "mode",
            (RmaMode::WithReturn | RmaMode::WithoutReturn, Some(_)) => "replacement_item",
            (RmaMode::WithReturn | RmaMode::WithoutReturn, None) => return Ok(()),
        };
        if is_replaced {
            return Ok(());
        }
        Err(Refusal::new(&ONLY_FOR_REPLACEMENT)
            .with("field", field)
            .with("remedy", kind)
            .at(format!("/{field}")))
    }
}

fn must_be_manager(actor: Actor) -> Result<(), Refusal> {
    if actor.rank() >= Rank::MANAGER {
        return Ok(());
    }
    Err(Refusal::new(&RMA_NEEDS_MANAGER)
        .with("rank", actor.rank())
        .with("required_rank", Rank::MANAGER))
}
