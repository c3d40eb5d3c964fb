//! Tables `survey`, `survey_invitation` and `survey_response`: what is asked, and what is answered.

use crate::{Fault, Tenant, complaints, documents, listed, numbers, table, table::word, words};
use domain::{
    complaints::Complaint,
    ids::{CustomerId, DealerId, InvitationId, StaffId, SurveyId, WorkOrderId},
    surveys::{
        AnswerDetails, ChoiceQuestion, ChosenOption, Circumstances, DelayHours, ExpiryDays,
        Invitation, InvitationState, LowScore, Respondent, Score, SuppressionReason, Survey,
        SurveyDetails, SurveyResponse, SurveyState, SurveySubject, SurveyTrigger, Wording,
    },
    text::{Code, Name, Prose},
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter, QueryOrder as _,
    QuerySelect as _, Select,
};
use uuid::Uuid;

numbers!(Score, LowScore, DelayHours, ExpiryDays);
words!(SurveyTrigger, SurveyState, InvitationState, SuppressionReason);
documents!(Wording, Vec<ChoiceQuestion>, Vec<ChosenOption>);

impl table::Stored for SurveySubject {
    type Sql = String;

    fn to_sql(&self) -> String {
        self.to_string()
    }

    fn from_sql(sql: String) -> Result<Self, String> {
        sql.parse().map_err(|mistake: domain::invalid::Invalid| mistake.message)
    }
}

table! {
    /// Surveys.
    survey = "survey" of Survey {
        [details: SurveyDetails {
            code: Code,
            name: Name,
            trigger: SurveyTrigger,
            question: Wording,
            comment: Option<Wording>,
            choices: Vec<ChoiceQuestion>,
            delay_hours: DelayHours,
            expiry_days: ExpiryDays,
            low_score: LowScore,
        }],
        state: SurveyState,
        activated_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Askings.
    survey_invitation = "survey_invitation" of Invitation {
        survey_id: SurveyId,
        subject: SurveySubject,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        staff_id: Option<StaffId>,
        state: InvitationState,
        suppressed_reason: Option<SuppressionReason>,
        scheduled_at: Timestamp,
        sent_at: Option<Timestamp>,
        expires_at: Option<Timestamp>,
        completed_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Answers.
    survey_response = "survey_response" of SurveyResponse {
        [details: AnswerDetails {
            score: Score,
            comment: Option<Prose>,
            chosen: Vec<ChosenOption>,
        }],
        invitation_id: InvitationId,
        survey_id: SurveyId,
        subject: SurveySubject,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        staff_id: Option<StaffId>,
        low: bool,
        created_at: Timestamp,
    } append_only
}

listed! {
    Survey = survey [CreatedAt; Code] usually newest;
    Invitation = survey_invitation [CreatedAt; ScheduledAt] usually newest;
    SurveyResponse = survey_response [CreatedAt; Score] usually newest;
}

/// Surveys, of one state or of all.
pub fn surveys(state: Option<SurveyState>) -> Select<survey::Entity> {
    let select = survey::Entity::find();
    match state {
        Some(state) => select.filter(survey::Column::State.eq(word(&state))),
        None => select,
    }
}

/// The survey that is issued after `trigger`.
pub fn active(trigger: SurveyTrigger) -> Select<survey::Entity> {
    surveys(Some(SurveyState::Active)).filter(survey::Column::Trigger.eq(word(&trigger)))
}

/// Which askings are wanted.
#[derive(Debug, Clone, Default)]
pub struct WantedInvitations {
    /// Those that have come this far.
    pub state: Option<InvitationState>,
    /// Those of this survey.
    pub survey_id: Option<SurveyId>,
    /// Those of this customer.
    pub customer_id: Option<CustomerId>,
    /// Those about this dealer's people.
    pub dealer_id: Option<DealerId>,
}

impl WantedInvitations {
    /// The askings.
    pub fn select(self) -> Select<survey_invitation::Entity> {
        use survey_invitation::Column;
        let Self { state, survey_id, customer_id, dealer_id } = self;
        let conditions = [
            state.map(|state| Column::State.eq(word(&state))),
            survey_id.map(|id| Column::SurveyId.eq(Uuid::from(id))),
            customer_id.map(|id| Column::CustomerId.eq(Uuid::from(id))),
            dealer_id.map(|id| Column::DealerId.eq(Uuid::from(id))),
        ];
        let all = survey_invitation::Entity::find();
        conditions.into_iter().flatten().fold(all, QueryFilter::filter)
    }
}

/// Askings about `subject`.
pub fn about(subject: SurveySubject) -> Select<survey_invitation::Entity> {
    survey_invitation::Entity::find()
        .filter(survey_invitation::Column::Subject.eq(subject.to_string()))
}

/// Which answers are wanted.
#[derive(Debug, Clone, Default)]
pub struct WantedResponses {
    /// Those to this survey.
    pub survey_id: Option<SurveyId>,
    /// Those of this customer.
    pub customer_id: Option<CustomerId>,
    /// Those about this dealer's people.
    pub dealer_id: Option<DealerId>,
    /// Those to this asking.
    pub invitation_id: Option<InvitationId>,
    /// The low ones, or the others.
    pub low: Option<bool>,
}

impl WantedResponses {
    /// The answers.
    pub fn select(self) -> Select<survey_response::Entity> {
        use survey_response::Column;
        let Self { survey_id, customer_id, dealer_id, invitation_id, low } = self;
        let conditions = [
            survey_id.map(|id| Column::SurveyId.eq(Uuid::from(id))),
            customer_id.map(|id| Column::CustomerId.eq(Uuid::from(id))),
            dealer_id.map(|id| Column::DealerId.eq(Uuid::from(id))),
            invitation_id.map(|id| Column::InvitationId.eq(Uuid::from(id))),
            low.map(|low| Column::Low.eq(low)),
        ];
        let all = survey_response::Entity::find();
        conditions.into_iter().flatten().fold(all, QueryFilter::filter)
    }
}

impl Tenant {
    /// What has to be known about a customer before asking them.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn circumstances(
        &self,
        customer: CustomerId,
        has_address: bool,
    ) -> Result<Circumstances, Fault> {
        let last =
            WantedInvitations { customer_id: Some(customer), ..WantedInvitations::default() }
                .select()
                .filter(survey_invitation::Column::SentAt.is_not_null())
                .order_by_desc(survey_invitation::Column::SentAt)
                .limit(1);
        let last_asked_at = self.find::<Invitation>(last).await?.and_then(|last| last.sent_at);
        let open = self.find::<Complaint>(complaints::open_of(customer)).await?;
        Ok(Circumstances { has_address, last_asked_at, has_open_complaint: open.is_some() })
    }

    /// Who was visited, whose people visited them, and who did; nothing when there was no such visit.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn visited(&self, work_order: WorkOrderId) -> Result<Option<Respondent>, Fault> {
        let sql = "SELECT customer_id, dealer_id, staff_id FROM work_order
                   WHERE tenant_id = ac.tenant() AND id = $1";
        let statement = self.statement(sql, [Uuid::from(work_order).into()]);
        let Some(row) = self.work().query_one_raw(statement).await? else { return Ok(None) };
        Ok(Some(Respondent {
            customer_id: row.try_get::<Uuid>("", "customer_id")?.into(),
            dealer_id: row.try_get::<Option<Uuid>>("", "dealer_id")?.map(Into::into),
            staff_id: row.try_get::<Option<Uuid>>("", "staff_id")?.map(Into::into),
        }))
    }
}
