//! What a complaint has to do with surveys: a low answer opens one, the answer about it ends or renews it.

use super::{
    Complaint, ComplaintDetails, ComplaintKind, ComplaintSource, ComplaintState, Severity,
};
use crate::{
    change::Change,
    ids::ComplaintId,
    surveys::{SurveyResponse, SurveySubject},
    time::{Timestamp, Zone},
};

impl Complaint {
    /// Takes a low survey answer about a visit in as a complaint; nothing when the answer is not low,
    /// or is about a complaint, which then [hears](Self::hear) it.
    pub fn receive_answer(
        id: ComplaintId,
        number: String,
        answer: &SurveyResponse,
        tz: Zone,
        now: Timestamp,
    ) -> Option<Change<Self>> {
        let work_order_id = match answer.subject {
            SurveySubject::WorkOrder { work_order_id } if answer.low => Some(work_order_id),
            SurveySubject::WorkOrder { .. } | SurveySubject::Complaint { .. } => return None,
        };
        let details = ComplaintDetails {
            customer_id: answer.customer_id,
            dealer_id: answer.dealer_id,
            order_id: None,
            asset_id: None,
            work_order_id,
            source: ComplaintSource::Survey,
            kind: ComplaintKind::Service,
            severity: Severity::new(2).unwrap_or(Severity::LEAST),
            description: answer.words()?,
            remedy_sought: None,
        };
        let mut change = Self::receive(id, number, details, tz, now);
        change.record.response_id = Some(answer.id);
        Some(change.with("response_id", answer.id).with("score", answer.details.score))
    }

    /// Hears the customer's answer to the survey about its resolution: a score among the best two
    /// closes it, a low one reopens it, whenever it comes, for we asked. Nothing follows when the
    /// score is between them, or the complaint has moved on.
    pub fn hear(mut self, answer: &SurveyResponse, now: Timestamp) -> Option<Change<Self>> {
        let own =
            SurveySubject::Complaint { complaint_id: self.id, resolution_no: self.resolution_no };
        if answer.subject != own || !self.state.is_settled() {
            return None;
        }
        if answer.low {
            return Some(self.take_up(answer.words()).with("score", answer.details.score));
        }
        if self.customer_satisfied.is_some() || !answer.details.score.is_satisfied() {
            return None;
        }
        self.customer_satisfied = Some(true);
        self.closed_at = self.closed_at.or(Some(now));
        Some(self.moved("close", ComplaintState::Closed).with("score", answer.details.score))
    }
}
