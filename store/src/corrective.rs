//! Tables `corrective_action` and `corrective_cause`: why things went wrong, and what is done about it.

use crate::{
    Failure, Fault, Tenant, documents, listed, table,
    table::{holds, word},
    words,
};
use domain::{
    complaints::Complaint,
    corrective::{
        CORRECTIVE_CAUSE_DAYS, CorrectiveAction, CorrectiveActionState, CorrectiveAttempt,
        CorrectiveConsidered, CorrectiveMatter, CorrectiveOrigin, CorrectiveSteps,
        MOST_CORRECTIVE_SOURCES,
    },
    ids::{ComplaintId, DealerId, StaffId},
    text::{Code, Prose},
    time::{CivilDate, Timestamp},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, Select,
};
use serde_json::json;
use uuid::Uuid;

words!(CorrectiveOrigin, CorrectiveActionState);
documents!(Vec<ComplaintId>, Vec<StaffId>, Vec<CorrectiveAttempt>, CorrectiveSteps);

table! {
    /// Corrective actions.
    corrective_action = "corrective_action" of CorrectiveAction {
        origin: CorrectiveOrigin,
        dealer_id: Option<DealerId>,
        cause_code: Option<Code>,
        complaint_ids: Vec<ComplaintId>,
        owner_id: Option<StaffId>,
        due_at: Timestamp,
        state: CorrectiveActionState,
        steps: CorrectiveSteps,
        team_ids: Vec<StaffId>,
        worker_ids: Vec<StaffId>,
        implemented_on: Option<CivilDate>,
        verification_due_at: Option<Timestamp>,
        effective: Option<bool>,
        verified_at: Option<Timestamp>,
        verified_by: Option<StaffId>,
        verification_note: Option<Prose>,
        earlier_attempts: Vec<CorrectiveAttempt>,
        created_at: Timestamp,
    } versioned
}

listed! {
    CorrectiveAction = corrective_action [CreatedAt; DueAt] usually newest;
}

/// Which corrective actions are wanted; all when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct CorrectiveWanted {
    /// Those that stand here.
    pub state: Option<CorrectiveActionState>,
    /// Those this dealer's people work on.
    pub dealer_id: Option<DealerId>,
    /// Those this person answers for.
    pub owner_id: Option<StaffId>,
    /// Those about this cause.
    pub cause_code: Option<Code>,
    /// Those that name this complaint.
    pub complaint_id: Option<ComplaintId>,
    /// Those that should be done before this instant.
    pub due_before: Option<Timestamp>,
}

/// Corrective actions as `wanted`.
pub fn corrective_actions(wanted: CorrectiveWanted) -> Select<corrective_action::Entity> {
    use corrective_action::Column as Is;
    let instant = chrono::DateTime::<chrono::Utc>::from;
    corrective_action::Entity::find()
        .apply_if(wanted.state, |all, state| all.filter(Is::State.eq(word(&state))))
        .apply_if(wanted.dealer_id, |all, id| all.filter(Is::DealerId.eq(Uuid::from(id))))
        .apply_if(wanted.owner_id, |all, id| all.filter(Is::OwnerId.eq(Uuid::from(id))))
        .apply_if(wanted.cause_code, |all, code| all.filter(Is::CauseCode.eq(&*code)))
        .apply_if(wanted.due_before, |all, at| all.filter(Is::DueAt.lt(instant(at))))
        .apply_if(wanted.complaint_id, |all, id| all.filter(holds("complaint_ids", json!([id]))))
}

/// The corrective action that works on a cause of a dealer's, or of the brand's, and is not closed.
pub fn open_about(cause: &Code, dealer: Option<DealerId>) -> Select<corrective_action::Entity> {
    use corrective_action::Column as Is;
    let of_cause =
        CorrectiveWanted { cause_code: Some(cause.clone()), ..CorrectiveWanted::default() };
    let open =
        corrective_actions(of_cause).filter(Is::State.ne(word(&CorrectiveActionState::Closed)));
    match dealer {
        Some(dealer) => open.filter(Is::DealerId.eq(Uuid::from(dealer))),
        None => open.filter(Is::DealerId.is_null()),
    }
}

impl Tenant {
    /// Keeps others waiting who would open a corrective action about the same cause of the same dealer, until this tenant
    /// is done.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn correct_alone(&self, dealer: Option<DealerId>, about: &str) -> Result<(), Fault> {
        let dealer = dealer.map(|dealer| dealer.to_string()).unwrap_or_default();
        self.push_alone("corrective_action", &dealer, about).await
    }

    /// Notes the cause of a complaint, and opens a corrective action when it is a matter of safety, or the third complaint
    /// of the same cause and dealer in 30 days; where one works on that cause, the complaint joins it. May be called as
    /// often as one likes: what is known already changes nothing.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails, or this caller has no such complaint.
    pub async fn consider_corrective_action(
        &self,
        complaint: ComplaintId,
        cause_code: Option<&Code>,
        safety: bool,
    ) -> Result<(), Failure> {
        let complaint: Complaint = self.get(complaint).await?;
        let matter = CorrectiveMatter {
            complaint_id: complaint.id,
            dealer_id: complaint.details.dealer_id,
            cause_code: cause_code.cloned(),
            safety,
        };
        let about = cause_code.map_or_else(|| complaint.id.to_string(), ToString::to_string);
        self.correct_alone(matter.dealer_id, &about).await?;
        let considered = self.considered(&matter).await?;
        if let Some(change) = considered.decide(self.new_id(), &matter, self.now()) {
            self.record(change).await?;
        }
        Ok(())
    }

    async fn considered(&self, matter: &CorrectiveMatter) -> Result<CorrectiveConsidered, Fault> {
        let (mut of_cause, mut same_cause) = (None, Vec::new());
        if let Some(cause) = &matter.cause_code {
            same_cause = self.note_cause(matter, cause).await?;
            of_cause = self.hold_found(open_about(cause, matter.dealer_id)).await?;
        }
        let of_complaint = CorrectiveWanted {
            complaint_id: Some(matter.complaint_id),
            ..CorrectiveWanted::default()
        };
        let of_complaint =
            corrective_actions(of_complaint).order_by_desc(corrective_action::Column::Id).limit(1);
        let of_complaint = self.find(of_complaint).await?;
        Ok(CorrectiveConsidered { of_cause, of_complaint, same_cause })
    }

    /// Writes the cause of a complaint down, once; answers of which complaints of the dealer it was found in the last 30 days
    /// and still is what went wrong.
    async fn note_cause(
        &self,
        matter: &CorrectiveMatter,
        cause: &Code,
    ) -> Result<Vec<ComplaintId>, Fault> {
        let note =
            "INSERT INTO corrective_cause (tenant_id, id, complaint_id, cause_code, dealer_id, at)
                    VALUES (ac.tenant(), $5, $1, $2, $3, $4)
                    ON CONFLICT (tenant_id, complaint_id, cause_code) DO NOTHING";
        let instant = chrono::DateTime::<chrono::Utc>::from;
        let dealer: Option<Uuid> = matter.dealer_id.map(Uuid::from);
        let values = [
            Uuid::from(matter.complaint_id).into(),
            cause.to_string().into(),
            dealer.into(),
            instant(self.now()).into(),
            self.new_id::<Uuid>().into(),
        ];
        self.work().execute_raw(self.statement(note, values)).await?;
        let same = "SELECT noted.complaint_id FROM corrective_cause noted
                    JOIN complaint ON complaint.tenant_id = noted.tenant_id AND complaint.id = noted.complaint_id
                    WHERE noted.tenant_id = ac.tenant() AND noted.cause_code = $1
                      AND noted.dealer_id IS NOT DISTINCT FROM $2 AND noted.at > $3
                      AND complaint.cause_code = noted.cause_code
                      AND complaint.state NOT IN ('duplicate', 'withdrawn', 'not_a_complaint')
                    ORDER BY noted.at, noted.complaint_id LIMIT $4";
        let most = i64::try_from(MOST_CORRECTIVE_SOURCES).unwrap_or(i64::MAX);
        let since = self.now().plus_days(0_i64.saturating_sub(CORRECTIVE_CAUSE_DAYS));
        let values = [cause.to_string().into(), dealer.into(), instant(since).into(), most.into()];
        let rows = self.work().query_all_raw(self.statement(same, values)).await?;
        let complaint = |row: &sea_orm::QueryResult| row.try_get::<Uuid>("", "complaint_id");
        let found: Vec<Uuid> = rows.iter().map(complaint).collect::<Result<_, _>>()?;
        Ok(found.into_iter().map(ComplaintId::from).collect())
    }
}
