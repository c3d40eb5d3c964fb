//! Tables `plan_template`, `enrolment` and `occurrence`.

use crate::{Fault, Tenant, documents, listed, table, words};
use domain::{
    ids::{AssetId, CustomerId, DealerId, EnrolmentId, PlanTemplateId, ProductId, WorkOrderId},
    maintenance::{
        enrolments::{Enrolment, EnrolmentState},
        occurrences::{Occurrence, OccurrenceState, SkipCause},
        plans::{PlanTemplate, PlanTemplateDetails, PlanTemplateState},
        tasks::PlanTask,
    },
    text::{Code, Line, Name},
    time::{CivilDate, Timestamp, Zone},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, Select,
    sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, Query},
};
use serde_json::json;
use uuid::Uuid;

/// The most versions of a plan that are looked at together: a hundred revisions, each published, are years of work.
const MOST_LATEST: u64 = 100;

words!(PlanTemplateState, EnrolmentState, OccurrenceState, SkipCause);
documents!(Vec<PlanTask>);

table! {
    /// Versions of plans.
    plan_template = "plan_template" of PlanTemplate {
        [details: PlanTemplateDetails {
            code: Code,
            name: Name,
            product_id: Option<ProductId>,
            tasks: Vec<PlanTask>,
        }],
        number: u32,
        state: PlanTemplateState,
        published_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Assets in plans.
    enrolment = "enrolment" of Enrolment {
        plan_template_id: PlanTemplateId,
        plan_code: Code,
        asset_id: AssetId,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        anchor_on: CivilDate,
        enrolled_on: CivilDate,
        state: EnrolmentState,
        next_due_on: Option<CivilDate>,
        created_at: Timestamp,
    } versioned
}

table! {
    /// Due dates.
    occurrence = "occurrence" of Occurrence {
        enrolment_id: EnrolmentId,
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        task: Code,
        seq: u32,
        nominal_on: CivilDate,
        window_from_on: CivilDate,
        window_to_on: CivilDate,
        tz: Zone,
        due_at: Timestamp,
        local_due: String,
        state: OccurrenceState,
        skipped_because: Option<SkipCause>,
        skip_note: Option<Line>,
        work_order_id: Option<WorkOrderId>,
        created_at: Timestamp,
    } versioned
}

listed! {
    PlanTemplate = plan_template [CreatedAt; Code, Number] usually newest;
    Enrolment = enrolment [CreatedAt; EnrolledOn] usually newest;
    Occurrence = occurrence [CreatedAt; NominalOn, DueAt] usually by NominalOn;
}

/// Which versions of plans are wanted; all when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct PlanFilter {
    /// Those of one plan.
    pub code: Option<Code>,
    /// Those in one state.
    pub state: Option<PlanTemplateState>,
    /// Those for one product.
    pub product_id: Option<ProductId>,
}

/// Which enrolments are wanted; all when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct EnrolmentFilter {
    /// Those of one asset.
    pub asset_id: Option<AssetId>,
    /// Those of one customer.
    pub customer_id: Option<CustomerId>,
    /// Those of one dealer.
    pub dealer_id: Option<DealerId>,
    /// Those in one plan.
    pub plan_code: Option<Code>,
    /// Those in one state.
    pub state: Option<EnrolmentState>,
    /// Those whose next date that is not written down yet is this day or later.
    pub due_after: Option<CivilDate>,
    /// Those for which it is before this day.
    pub due_before: Option<CivilDate>,
}

/// Which due dates are wanted; all when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct OccurrenceFilter {
    /// Those of one enrolment.
    pub enrolment_id: Option<EnrolmentId>,
    /// Those of one customer.
    pub customer_id: Option<CustomerId>,
    /// Those of one dealer.
    pub dealer_id: Option<DealerId>,
    /// Those in one state.
    pub state: Option<OccurrenceState>,
    /// Those due on this day or later.
    pub due_after: Option<CivilDate>,
    /// Those due before this day.
    pub due_before: Option<CivilDate>,
}

/// Versions of plans.
pub fn plans(filter: &PlanFilter) -> Select<plan_template::Entity> {
    use plan_template::Column as C;
    plan_template::Entity::find()
        .apply_if(filter.code.as_deref(), |all, code| all.filter(C::Code.eq(code)))
        .apply_if(filter.state, |all, state| all.filter(C::State.eq(table::word(&state))))
        .apply_if(filter.product_id, |all, id| all.filter(C::ProductId.eq(Uuid::from(id))))
}

/// The versions of a plan, the newest first.
pub fn versions_of(code: &Code) -> Select<plan_template::Entity> {
    let of_code = PlanFilter { code: Some(code.clone()), ..PlanFilter::default() };
    plans(&of_code).order_by_desc(plan_template::Column::Number)
}

/// The newest versions of a plan, as many as somebody may still have to be told about.
pub fn latest_versions_of(code: &Code) -> Select<plan_template::Entity> {
    versions_of(code).limit(MOST_LATEST)
}

/// The version of a plan that is being written.
pub fn draft_of(code: &Code) -> Select<plan_template::Entity> {
    in_state(code, PlanTemplateState::Draft)
}

/// The version of a plan that is in force.
pub fn in_force(code: &Code) -> Select<plan_template::Entity> {
    in_state(code, PlanTemplateState::Published)
}

fn in_state(code: &Code, state: PlanTemplateState) -> Select<plan_template::Entity> {
    plans(&PlanFilter { code: Some(code.clone()), state: Some(state), product_id: None })
}

/// The plans in force that assets of a product enter by themselves.
pub fn of_product(product_id: ProductId) -> Select<plan_template::Entity> {
    let in_force = Some(PlanTemplateState::Published);
    plans(&PlanFilter { code: None, state: in_force, product_id: Some(product_id) })
}

/// Enrolments.
pub fn enrolments(filter: &EnrolmentFilter) -> Select<enrolment::Entity> {
    use enrolment::Column as C;
    let day = chrono::NaiveDate::from;
    enrolment::Entity::find()
        .apply_if(filter.asset_id, |all, id| all.filter(C::AssetId.eq(Uuid::from(id))))
        .apply_if(filter.customer_id, |all, id| all.filter(C::CustomerId.eq(Uuid::from(id))))
        .apply_if(filter.dealer_id, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
        .apply_if(filter.plan_code.as_deref(), |all, code| all.filter(C::PlanCode.eq(code)))
        .apply_if(filter.state, |all, state| all.filter(C::State.eq(table::word(&state))))
        .apply_if(filter.due_after, |all, on| all.filter(C::NextDueOn.gte(day(on))))
        .apply_if(filter.due_before, |all, on| all.filter(C::NextDueOn.lt(day(on))))
}

/// The enrolment of an asset in a plan that goes on or rests.
pub fn in_plan(code: &Code, asset_id: AssetId) -> Select<enrolment::Entity> {
    let open = [EnrolmentState::Active, EnrolmentState::Suspended].map(|state| table::word(&state));
    was_in_plan(code, asset_id).filter(enrolment::Column::State.is_in(open))
}

/// Every enrolment of an asset in a plan, whatever has become of it.
pub fn was_in_plan(code: &Code, asset_id: AssetId) -> Select<enrolment::Entity> {
    enrolments(&EnrolmentFilter {
        asset_id: Some(asset_id),
        plan_code: Some(code.clone()),
        ..EnrolmentFilter::default()
    })
}

/// At most `most` enrolments with dates up to `horizon_on` that are not written down yet, held for
/// that. What somebody else holds is left to the next look.
pub fn behind(horizon_on: CivilDate, most: u64) -> Select<enrolment::Entity> {
    use enrolment::Column as C;
    active()
        .filter(C::NextDueOn.lte(chrono::NaiveDate::from(horizon_on)))
        .order_by_asc(C::NextDueOn)
        .order_by_asc(C::Id)
        .limit(most)
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
}

/// At most `most` enrolments that have no date left, neither to come nor open, held to be closed.
pub fn at_end(most: u64) -> Select<enrolment::Entity> {
    use enrolment::Column as C;
    use occurrence::Column as O;
    let open =
        [OccurrenceState::Planned, OccurrenceState::WorkCreated].map(|state| table::word(&state));
    let open_dates = Query::select()
        .expr(Expr::val(1))
        .from(occurrence::Entity)
        .and_where(
            Expr::col((occurrence::Entity, O::TenantId)).equals((enrolment::Entity, C::TenantId)),
        )
        .and_where(
            Expr::col((occurrence::Entity, O::EnrolmentId)).equals((enrolment::Entity, C::Id)),
        )
        .and_where(O::State.is_in(open))
        .to_owned();
    active()
        .filter(C::NextDueOn.is_null())
        .filter(Expr::exists(open_dates).not())
        .order_by_asc(C::Id)
        .limit(most)
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
}

fn active() -> Select<enrolment::Entity> {
    let active = Some(EnrolmentState::Active);
    enrolments(&EnrolmentFilter { state: active, ..EnrolmentFilter::default() })
}

/// Due dates.
pub fn occurrences(filter: &OccurrenceFilter) -> Select<occurrence::Entity> {
    use occurrence::Column as C;
    let day = chrono::NaiveDate::from;
    occurrence::Entity::find()
        .apply_if(filter.enrolment_id, |all, id| all.filter(C::EnrolmentId.eq(Uuid::from(id))))
        .apply_if(filter.customer_id, |all, id| all.filter(C::CustomerId.eq(Uuid::from(id))))
        .apply_if(filter.dealer_id, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
        .apply_if(filter.state, |all, state| all.filter(C::State.eq(table::word(&state))))
        .apply_if(filter.due_after, |all, on| all.filter(C::NominalOn.gte(day(on))))
        .apply_if(filter.due_before, |all, on| all.filter(C::NominalOn.lt(day(on))))
}

/// The dates of an enrolment that are to come.
pub fn planned_of(enrolment_id: EnrolmentId) -> Select<occurrence::Entity> {
    occurrences(&OccurrenceFilter {
        enrolment_id: Some(enrolment_id),
        state: Some(OccurrenceState::Planned),
        ..OccurrenceFilter::default()
    })
}

/// Only the place where looking ahead goes on; it is no decision, so no timeline tells of it.
const ADVANCE: &str = "
    UPDATE enrolment SET next_due_on = e.next_due_on, version = enrolment.version + 1
    FROM jsonb_to_recordset($1) AS e (id uuid, next_due_on date)
    WHERE enrolment.tenant_id = ac.tenant() AND enrolment.id = e.id";

impl Tenant {
    /// Notes up to where the dates of these enrolments, which are held, are written down.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn advance(&self, enrolments: &[Enrolment]) -> Result<(), Fault> {
        let places: Vec<_> = enrolments
            .iter()
            .map(|it| json!({ "id": Uuid::from(it.id), "next_due_on": it.next_due_on }))
            .collect();
        let statement = self.statement(ADVANCE, [serde_json::Value::Array(places).into()]);
        self.work().execute_raw(statement).await?;
        Ok(())
    }
}
