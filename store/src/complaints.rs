//! Tables `complaint`, `remedy` and `resolution`: what went wrong, and how it was put right.

use crate::{
    Failure, Fault, Tenant,
    clocks::{CANDIDATES, candidates, clocks_of},
    complaint_attachments::complaint_attachment,
    complaint_messages::complaint_message,
    documents, listed, numbers, surveys, table,
    table::{Col, Table, word},
    words,
};
use domain::{
    allowances::gestures::Gesture,
    clocks::{SlaCandidate, SlaClock},
    complaints::{
        self, COOLING_DAYS, Complaint, ComplaintAssessment, ComplaintDecision, ComplaintDetails,
        ComplaintInvestigation, ComplaintKind, ComplaintMessageDirection, ComplaintSource,
        ComplaintState, Connections, FirstAnswer, LoggedClock, Remedy, RemedyDetails, RemedyKind,
        RemedyState, Resolution, SettledRemedy, Severity, WaitingFor,
    },
    identity::Rank,
    ids::{
        AssetId, ComplaintId, CustomerId, DealerId, GestureId, Identifier as _, OrderId, RemedyId,
        ResolutionId, ResponseId, StaffId, TenantId, WorkOrderId,
    },
    money::{Currency, Minor, Money},
    surveys::{Invitation, SurveySubject},
    text::{Code, Line, Prose},
    time::{Timestamp, Zone},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter,
    QueryOrder as _, QuerySelect as _, Select,
    sea_query::{Expr, Query, SelectStatement},
};
use uuid::Uuid;

/// Counts a complaint ..
const COUNT: &str = "INSERT INTO complaint_counter (tenant_id, last_serial)";
/// .. as one more than the brand has had.
const ONE_MORE: &str = "ON CONFLICT (tenant_id)
    DO UPDATE SET last_serial = complaint_counter.last_serial + 1
    RETURNING last_serial";

/// Complaints closed by silence in one go, at most; the next day goes on.
const MOST_CLOSED_AT_ONCE: u64 = 500;

numbers!(Severity);
words!(
    ComplaintSource,
    ComplaintKind,
    ComplaintState,
    FirstAnswer,
    WaitingFor,
    RemedyKind,
    RemedyState,
);
documents!(
    ComplaintAssessment,
    ComplaintDecision,
    ComplaintInvestigation,
    Vec<SettledRemedy>,
    Vec<LoggedClock>,
);

table! {
    /// Complaints.
    complaint = "complaint" of Complaint {
        [details: ComplaintDetails {
            customer_id: CustomerId,
            dealer_id: Option<DealerId>,
            order_id: Option<OrderId>,
            asset_id: Option<AssetId>,
            work_order_id: Option<WorkOrderId>,
            source: ComplaintSource,
            kind: ComplaintKind,
            severity: Severity,
            description: Prose,
            remedy_sought: Option<Line>,
        }],
        number: String,
        response_id: Option<ResponseId>,
        state: ComplaintState,
        owner_id: Option<StaffId>,
        cover_id: Option<StaffId>,
        safety: bool,
        assessment: Option<ComplaintAssessment>,
        investigation: Option<ComplaintInvestigation>,
        cause_code: Option<Code>,
        first_answer_due_at: Timestamp,
        tz: Zone,
        local_first_answer_due: String,
        first_answer_at: Option<Timestamp>,
        first_answer: FirstAnswer,
        waiting_for: Option<WaitingFor>,
        waiting_began_at: Option<Timestamp>,
        waiting_reason: Option<Line>,
        escalated_rank: Option<Rank>,
        escalated_staff_id: Option<StaffId>,
        resolution_no: u32,
        decision: Option<ComplaintDecision>,
        upheld: Option<bool>,
        decided_rank: Option<Rank>,
        deciding_rank: Option<Rank>,
        told_at: Option<Timestamp>,
        accepted_at: Option<Timestamp>,
        refusals: u32,
        refused_at: Option<Timestamp>,
        refusal_reason: Option<Prose>,
        opposing_messages: u32,
        external_body: Option<Line>,
        resolved_at: Option<Timestamp>,
        resolved_by: Option<String>,
        customer_satisfied: Option<bool>,
        closed_at: Option<Timestamp>,
        duplicate_of: Option<ComplaintId>,
        set_aside_at: Option<Timestamp>,
        aside_note: Option<Line>,
        reopen_reason: Option<Prose>,
        created_at: Timestamp,
    } versioned
}

// A remedy's amount and a resolution's cost are two columns each, so that reports can add them up.
table! { @entity
    /// Remedies.
    remedy = "remedy" {
        complaint_id: ComplaintId,
        resolution_no: u32,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        kind: RemedyKind,
        amount_minor: Option<Minor>,
        currency: Option<Currency>,
        note: Option<Line>,
        mandatory: bool,
        state: RemedyState,
        gesture_id: Option<GestureId>,
        settled_at: Option<Timestamp>,
        created_at: Timestamp,
        version: domain::record::Version,
    }
}

impl Table for Remedy {
    type Entity = remedy::Entity;
    const TENANT: remedy::Column = remedy::Column::TenantId;
    const ID: remedy::Column = remedy::Column::Id;
    const VERSION: Option<remedy::Column> = Some(remedy::Column::Version);

    fn row(&self, tenant: TenantId) -> remedy::Model {
        remedy::Model {
            tenant_id: tenant.into(),
            id: self.id.into(),
            complaint_id: Col(self.complaint_id),
            resolution_no: Col(self.resolution_no),
            customer_id: Col(self.customer_id),
            dealer_id: Col(self.dealer_id),
            kind: Col(self.details.kind),
            amount_minor: Col(self.details.amount.map(|money| money.amount)),
            currency: Col(self.details.amount.map(|money| money.currency)),
            note: Col(self.details.note.clone()),
            mandatory: Col(self.mandatory),
            state: Col(self.state),
            gesture_id: Col(self.gesture_id),
            settled_at: Col(self.settled_at),
            created_at: Col(self.created_at),
            version: Col(self.version),
        }
    }

    fn record(row: remedy::Model) -> Self {
        Self {
            id: row.id.into(),
            complaint_id: row.complaint_id.0,
            resolution_no: row.resolution_no.0,
            customer_id: row.customer_id.0,
            dealer_id: row.dealer_id.0,
            details: RemedyDetails {
                kind: row.kind.0,
                amount: money(row.amount_minor.0, row.currency.0),
                note: row.note.0,
            },
            mandatory: row.mandatory.0,
            state: row.state.0,
            gesture_id: row.gesture_id.0,
            settled_at: row.settled_at.0,
            created_at: row.created_at.0,
            version: row.version.0,
        }
    }
}

table! { @entity
    /// The resolution log.
    resolution = "resolution" {
        complaint_id: ComplaintId,
        complaint_number: String,
        resolution_no: u32,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        received_at: Timestamp,
        first_answer_due_at: Timestamp,
        first_answer_at: Option<Timestamp>,
        first_answer: FirstAnswer,
        decision: ComplaintDecision,
        told_at: Option<Timestamp>,
        remedies: Vec<SettledRemedy>,
        clocks: Vec<LoggedClock>,
        cost_minor: Option<Minor>,
        currency: Option<Currency>,
        resolved_by: String,
        resolved_at: Timestamp,
        created_at: Timestamp,
    }
}

impl Table for Resolution {
    type Entity = resolution::Entity;
    const TENANT: resolution::Column = resolution::Column::TenantId;
    const ID: resolution::Column = resolution::Column::Id;
    const VERSION: Option<resolution::Column> = None;

    fn row(&self, tenant: TenantId) -> resolution::Model {
        resolution::Model {
            tenant_id: tenant.into(),
            id: self.id.into(),
            complaint_id: Col(self.complaint_id),
            complaint_number: Col(self.complaint_number.clone()),
            resolution_no: Col(self.resolution_no),
            customer_id: Col(self.customer_id),
            dealer_id: Col(self.dealer_id),
            received_at: Col(self.received_at),
            first_answer_due_at: Col(self.first_answer_due_at),
            first_answer_at: Col(self.first_answer_at),
            first_answer: Col(self.first_answer),
            decision: Col(self.decision.clone()),
            told_at: Col(self.told_at),
            remedies: Col(self.remedies.clone()),
            clocks: Col(self.clocks.clone()),
            cost_minor: Col(self.cost.map(|money| money.amount)),
            currency: Col(self.cost.map(|money| money.currency)),
            resolved_by: Col(self.resolved_by.clone()),
            resolved_at: Col(self.resolved_at),
            created_at: Col(self.created_at),
        }
    }

    fn record(row: resolution::Model) -> Self {
        Self {
            id: row.id.into(),
            complaint_id: row.complaint_id.0,
            complaint_number: row.complaint_number.0,
            resolution_no: row.resolution_no.0,
            customer_id: row.customer_id.0,
            dealer_id: row.dealer_id.0,
            received_at: row.received_at.0,
            first_answer_due_at: row.first_answer_due_at.0,
            first_answer_at: row.first_answer_at.0,
            first_answer: row.first_answer.0,
            decision: row.decision.0,
            told_at: row.told_at.0,
            remedies: row.remedies.0,
            clocks: row.clocks.0,
            cost: money(row.cost_minor.0, row.currency.0),
            resolved_by: row.resolved_by.0,
            resolved_at: row.resolved_at.0,
            created_at: row.created_at.0,
        }
    }
}

fn money(amount: Option<Minor>, currency: Option<Currency>) -> Option<Money> {
    let (amount, currency) = amount.zip(currency)?;
    Some(Money { amount, currency })
}

listed! {
    Complaint = complaint [CreatedAt; FirstAnswerDueAt, Severity] usually newest;
    Remedy = remedy [CreatedAt;] usually oldest;
    Resolution = resolution [CreatedAt;] usually oldest;
}

/// What has to be known before a complaint is opened.
#[derive(Debug)]
pub struct Prepared {
    /// What is known about the things it names.
    pub known: Connections,
    /// The number it gets.
    pub number: String,
    /// The tier of the customer.
    pub tier: Option<Code>,
    /// The policies that are in force.
    pub candidates: Vec<SlaCandidate>,
}

/// Which complaints are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Those that stand here.
    pub state: Option<ComplaintState>,
    /// Those of this customer.
    pub customer_id: Option<CustomerId>,
    /// Those this dealer's people answer.
    pub dealer_id: Option<DealerId>,
    /// Those this person answers for, in their own name or for somebody on leave.
    pub owner_id: Option<StaffId>,
    /// Those with this cause.
    pub cause_code: Option<Code>,
    /// Those in which somebody may be hurt, or none of them.
    pub safety: Option<bool>,
    /// The one with this number.
    pub number: Option<String>,
    /// Those that have gone up to this person.
    pub escalated_staff_id: Option<StaffId>,
    /// Those whose first answer is due at this instant or later.
    pub due_after: Option<Timestamp>,
    /// Those whose first answer is due before this instant.
    pub due_before: Option<Timestamp>,
}

impl Wanted {
    /// The complaints.
    pub fn select(self) -> Select<complaint::Entity> {
        use complaint::Column;
        let Self { state, customer_id, dealer_id, owner_id, .. } = self;
        let Self { escalated_staff_id, number, due_after, due_before, .. } = self;
        let Self { cause_code, safety, .. } = self;
        let instant = chrono::DateTime::<chrono::Utc>::from;
        let conditions = [
            state.map(|state| Column::State.eq(word(&state))),
            customer_id.map(|id| Column::CustomerId.eq(Uuid::from(id))),
            dealer_id.map(|id| Column::DealerId.eq(Uuid::from(id))),
            owner_id.map(Uuid::from).map(|id| Column::OwnerId.eq(id).or(Column::CoverId.eq(id))),
            cause_code.map(|code| Column::CauseCode.eq(&*code)),
            safety.map(|safety| Column::Safety.eq(safety)),
            escalated_staff_id.map(|id| Column::EscalatedStaffId.eq(Uuid::from(id))),
            number.map(|number| Column::Number.eq(number)),
            due_after.map(|at| Column::FirstAnswerDueAt.gte(instant(at))),
            due_before.map(|at| Column::FirstAnswerDueAt.lt(instant(at))),
        ];
        conditions.into_iter().flatten().fold(complaint::Entity::find(), QueryFilter::filter)
    }
}

/// Complaints of a customer who waits for us.
pub fn open_of(customer: CustomerId) -> Select<complaint::Entity> {
    complaint::Entity::find()
        .filter(complaint::Column::CustomerId.eq(Uuid::from(customer)))
        .filter(complaint::Column::State.is_in(open_states()))
        .limit(1)
}

/// The states in which a customer waits for us.
pub(crate) fn open_states() -> Vec<String> {
    ComplaintState::ALL
        .into_iter()
        .filter(|state| state.is_open())
        .map(|state| word(&state))
        .collect()
}

/// The complaint that a survey answer has opened.
pub fn opened_by(answer: ResponseId) -> Select<complaint::Entity> {
    complaint::Entity::find().filter(complaint::Column::ResponseId.eq(Uuid::from(answer)))
}

/// Complaints whose resolution the customer, who knows their recourse, has met with silence for the
/// cooling period. Who has said something meanwhile, or has sent a photo, was not silent.
pub fn cooled(now: Timestamp) -> Select<complaint::Entity> {
    let cooled_since: chrono::DateTime<chrono::Utc> = now.plus_days(-COOLING_DAYS).into();
    complaint::Entity::find()
        .filter(Expr::exists(heard_since(cooled_since)).not())
        .filter(Expr::exists(shown_since(cooled_since)).not())
        .filter(complaint::Column::State.eq(word(&ComplaintState::Resolved)))
        .filter(complaint::Column::ResolvedAt.lte(cooled_since))
        .filter(complaint::Column::ToldAt.lte(cooled_since))
        // The order in which everybody holds complaints.
        .order_by_asc(complaint::Column::Id)
        .limit(MOST_CLOSED_AT_ONCE)
}

/// What the customer of a complaint has said since.
fn heard_since(since: chrono::DateTime<chrono::Utc>) -> SelectStatement {
    use {complaint::Column as C, complaint_message::Column as M};
    let of = |column| Expr::col((complaint_message::Entity, column));
    Query::select()
        .expr(Expr::val(1))
        .from(complaint_message::Entity)
        .and_where(of(M::TenantId).equals((complaint::Entity, C::TenantId)))
        .and_where(of(M::ComplaintId).equals((complaint::Entity, C::Id)))
        .and_where(M::Direction.eq(word(&ComplaintMessageDirection::FromCustomer)))
        .and_where(M::CreatedAt.gt(since))
        .to_owned()
}

/// What the customer of a complaint has sent without words since.
fn shown_since(since: chrono::DateTime<chrono::Utc>) -> SelectStatement {
    use {complaint::Column as C, complaint_attachment::Column as A};
    let of = |column| Expr::col((complaint_attachment::Entity, column));
    Query::select()
        .expr(Expr::val(1))
        .from(complaint_attachment::Entity)
        .and_where(of(A::TenantId).equals((complaint::Entity, C::TenantId)))
        .and_where(of(A::ComplaintId).equals((complaint::Entity, C::Id)))
        .and_where(A::AttachedBy.starts_with(CustomerId::PREFIX))
        .and_where(A::CreatedAt.gt(since))
        .to_owned()
}

/// What was promised about a complaint, over all attempts.
pub fn remedies_of(complaint: ComplaintId) -> Select<remedy::Entity> {
    remedy::Entity::find().filter(remedy::Column::ComplaintId.eq(Uuid::from(complaint)))
}

/// What was promised in the present attempt, in the order of the promise.
pub fn current_remedies(complaint: &Complaint) -> Select<remedy::Entity> {
    remedies_of(complaint.id)
        .filter(remedy::Column::ResolutionNo.eq(complaint.resolution_no))
        .order_by_asc(remedy::Column::Id)
}

/// How a complaint was resolved, each time.
pub fn resolutions_of(complaint: ComplaintId) -> Select<resolution::Entity> {
    resolution::Entity::find().filter(resolution::Column::ComplaintId.eq(Uuid::from(complaint)))
}

impl Tenant {
    /// The number of the brand's next complaint. Whoever opens another one waits until this
    /// transaction ends, so that no number is left out.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn next_complaint_number(&self) -> Result<String, Fault> {
        let sql = format!("{COUNT} VALUES (ac.tenant(), 1) {ONE_MORE}");
        let row = self.work().query_one_raw(self.statement(&sql, [])).await?;
        let serial = row.map(|row| row.try_get::<i64>("", "last_serial")).transpose()?;
        Ok(complaints::number(serial.unwrap_or_default()))
    }

    /// When the customer of `complaint` has said something about it, or sent a photo, for the last time. The complaint
    /// must be held, so that they say nothing meanwhile.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn last_heard_at(&self, complaint: &Complaint) -> Result<Option<Timestamp>, Fault> {
        let sql = "SELECT greatest(
                       (SELECT max(m.created_at) FROM complaint_message m
                        WHERE m.tenant_id = ac.tenant() AND m.complaint_id = $1 AND m.direction = 'from_customer'),
                       (SELECT max(a.created_at) FROM complaint_attachment a
                        WHERE a.tenant_id = ac.tenant() AND a.complaint_id = $1 AND a.attached_by = $2)
                   ) AS heard_at";
        let customer = complaint.details.customer_id.to_string();
        let values = [Uuid::from(complaint.id).into(), customer.into()];
        let row = self.work().query_one_raw(self.statement(sql, values)).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(row.try_get::<Col<Option<Timestamp>>>("", "heard_at")?.0)
    }

    /// Writes the line of the resolution log that `complaint` has reached, unless it is there, or
    /// there is nothing to write.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn log_resolution(&self, complaint: &Complaint) -> Result<(), Failure> {
        let written = resolutions_of(complaint.id)
            .filter(resolution::Column::ResolutionNo.eq(complaint.resolution_no));
        if self.find::<Resolution>(written).await?.is_some() {
            return Ok(());
        }
        let remedies = self.all::<Remedy>(current_remedies(complaint)).await?;
        let clocks = self.all::<SlaClock>(clocks_of(complaint.id)).await?;
        let id: ResolutionId = self.new_id();
        if let Some(line) = Resolution::log(id, complaint, &remedies, &clocks, self.now()) {
            self.record_entry(line).await?;
        }
        Ok(())
    }

    /// Leaves the present attempt of `complaint` behind, because it is taken up again: its resolution is
    /// written down before its fields begin anew, and nobody is asked about it any more.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails, or the customer answers at this moment.
    pub async fn leave_attempt(&self, complaint: &Complaint) -> Result<(), Failure> {
        self.log_resolution(complaint).await?;
        let subject = SurveySubject::Complaint {
            complaint_id: complaint.id,
            resolution_no: complaint.resolution_no,
        };
        for question in self.hold_all::<Invitation>(surveys::about(subject)).await? {
            if let Some(change) = question.cancel() {
                self.record(change).await?;
            }
        }
        Ok(())
    }

    /// What is known about the things a complaint names, the policies it could follow, and the number it gets, in one
    /// flight. Its customer is held: nobody asks them anything while it is being opened. Then the numbers are, see
    /// [`Tenant::next_complaint_number`].
    ///
    /// # Errors
    ///
    /// [`Fault::Dangling`] when this caller has no such customer, order, asset, visit or dealer.
    pub async fn prepare_complaint(&self, details: &ComplaintDetails) -> Result<Prepared, Fault> {
        let sql = format!(
            "WITH known AS (
                 SELECT c.dealer_id, c.tier, d.id AS answering_id, coalesce(d.tz, t.tz) AS tz,
                        o.customer_id AS order_id, a.customer_id AS asset_id,
                        w.customer_id AS work_order_id
                 FROM customer c
                 JOIN tenant t ON t.id = c.tenant_id
                 LEFT JOIN dealer d
                        ON d.tenant_id = c.tenant_id AND d.id = coalesce($5, c.dealer_id)
                 LEFT JOIN sales_order o ON o.tenant_id = c.tenant_id AND o.id = $2
                 LEFT JOIN asset a ON a.tenant_id = c.tenant_id AND a.id = $3
                 LEFT JOIN work_order w ON w.tenant_id = c.tenant_id AND w.id = $4
                 WHERE c.tenant_id = ac.tenant() AND c.id = $1
                 FOR NO KEY UPDATE OF c
             ), counted AS ({COUNT} SELECT ac.tenant(), 1 FROM known {ONE_MORE})
             SELECT known.*, counted.*, ({CANDIDATES}) AS candidates FROM known, counted"
        );
        let values = [
            Uuid::from(details.customer_id).into(),
            details.order_id.map(Uuid::from).into(),
            details.asset_id.map(Uuid::from).into(),
            details.work_order_id.map(Uuid::from).into(),
            details.dealer_id.map(Uuid::from).into(),
        ];
        let dangling = |column| Fault::Dangling { constraint: format!("complaint__{column}") };
        let own = self.reach().dealer;
        if own.is_some() && details.dealer_id.is_some() && own != details.dealer_id {
            return Err(dangling("dealer_id"));
        }
        let found = self.work().query_one_raw(self.statement(&sql, values)).await?;
        let row = found.ok_or_else(|| dangling("customer_id"))?;
        let mut owners = Vec::new();
        for (column, is_named) in [
            ("order_id", details.order_id.is_some()),
            ("asset_id", details.asset_id.is_some()),
            ("work_order_id", details.work_order_id.is_some()),
        ] {
            let owner: Option<Uuid> = row.try_get("", column)?;
            match owner {
                Some(owner) => owners.push((column, owner.into())),
                None if is_named => return Err(dangling(column)),
                None => {}
            }
        }
        let answering: Option<Uuid> = row.try_get("", "answering_id")?;
        if details.dealer_id.is_some() && answering.is_none() {
            return Err(dangling("dealer_id"));
        }
        let dealer: Option<Uuid> = row.try_get("", "dealer_id")?;
        let tz = row.try_get::<Col<Zone>>("", "tz")?.0;
        let number = complaints::number(row.try_get("", "last_serial")?);
        let known = Connections { dealer_id: dealer.map(Into::into), tz, owners };
        let tier = row.try_get::<Col<Option<Code>>>("", "tier")?.0;
        let candidates = candidates(row.try_get("", "candidates")?)?;
        Ok(Prepared { known, number, tier, candidates })
    }

    /// Lets a gesture that was fulfilled for a complaint carry out the goodwill that was promised first in its currency
    /// and is still due, if any is.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn settle_goodwill(&self, gesture: &Gesture) -> Result<(), Failure> {
        let Some(complaint) = gesture.complaint_id else { return Ok(()) };
        let promised = remedies_of(complaint)
            .filter(remedy::Column::State.eq(word(&RemedyState::Due)))
            .filter(remedy::Column::Kind.eq(word(&RemedyKind::Goodwill)))
            .filter(
                remedy::Column::Currency
                    .is_null()
                    .or(remedy::Column::Currency.eq(gesture.currency.to_string())),
            )
            .order_by_asc(remedy::Column::Id)
            .limit(1);
        for goodwill in self.hold_all::<Remedy>(promised).await? {
            self.record(goodwill.give(gesture.id, self.now())?).await?;
        }
        Ok(())
    }

    /// Finds a remedy of `complaint` in order to change it.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFound`] when the complaint has no such remedy.
    pub async fn hold_remedy(
        &self,
        complaint: ComplaintId,
        id: RemedyId,
    ) -> Result<Remedy, Failure> {
        let remedy = self.hold::<Remedy>(id).await?;
        if remedy.complaint_id == complaint { Ok(remedy) } else { Err(Failure::NotFound) }
    }
}
