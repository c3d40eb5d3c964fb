//! What a run is carried out in: who could do its steps, when they work, and what was found before.

use crate::{
    Failure, Fault, Tenant,
    identity::{StaffSought, staff_like},
    table::Stored as _,
    tenancy::{site, sites},
};
use domain::{
    catalogue::{Asset, Product},
    conditions::{ConditionFacts, CustomerFacts, OrderFacts, PlaceFacts, ProductFacts},
    customers::Customer,
    identity::{Role, Staff, StaffStatus},
    ids::{AssetId, CustomerId, DealerId, OrderId, SopRunId, SopRunStepId, StaffId},
    money::Minor,
    sops::{
        Measurement, SopCause, SopChecklist, SopCircumstances, SopMeasure, SopNeeds, SopPerson,
        SopRun, SopRunDetails, SopRunStep, SopValue, SopVersion,
    },
    tenancy::{Site, SiteStatus, WorkingHours},
    text::Code,
    working_time::WorkingCalendar,
};
use sea_orm::{ConnectionTrait as _, QueryOrder as _};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What a run is about, as far as conditions ask for it.
struct Matter<'a> {
    about: (Option<CustomerId>, Option<DealerId>),
    cause: &'a str,
    event: &'a BTreeMap<Code, SopValue>,
}

impl Tenant {
    /// What a new run is carried out in, as far as its version asks for it.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or a record that it is about is not there.
    pub async fn circumstances_of(
        &self,
        version: Option<&SopVersion>,
        details: &SopRunDetails,
        cause: Option<&SopCause>,
    ) -> Result<SopCircumstances, Failure> {
        let Some(version) = version else { return Ok(SopCircumstances::default()) };
        let none = BTreeMap::new();
        let matter = Matter {
            about: (details.customer_id, details.dealer_id),
            cause: cause.map_or("", |cause| &cause.cause),
            event: cause.map_or(&none, |cause| &cause.facts),
        };
        let steps: Vec<_> = version.details.steps.iter().collect();
        let needs = SopNeeds::of(&steps, details.staff_id);
        self.known_about(&matter, needs).await
    }

    /// What a run is carried out in when its step `id` is at hand.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or a record that it is about is not there.
    pub async fn circumstances_at(
        &self,
        checklist: &SopChecklist,
        id: SopRunStepId,
    ) -> Result<SopCircumstances, Failure> {
        let run = &checklist.run;
        let around = self.known_about(&matter_of(run), checklist.needs()).await?;
        let Some(step) = checklist.steps.iter().find(|step| step.id == id) else {
            return Ok(around);
        };
        let asks = !step.step.required_evidence().is_empty();
        let attached = if asks { self.attached(id).await? } else { BTreeSet::new() };
        let last_reading = self.last_reading(run, step).await?;
        Ok(SopCircumstances { attached, last_reading, ..around })
    }

    /// What letting the next rank answer for a step of a run takes.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or a record that it is about is not there.
    pub async fn circumstances_of_escalation(
        &self,
        run: &SopRun,
    ) -> Result<SopCircumstances, Failure> {
        self.known_about(&matter_of(run), SopNeeds::ESCALATION).await
    }

    async fn known_about(
        &self,
        matter: &Matter<'_>,
        needs: SopNeeds,
    ) -> Result<SopCircumstances, Failure> {
        let (_, dealer) = matter.about;
        let mut around = SopCircumstances::default();
        if needs.people {
            around.people = self.people_of(dealer).await?;
        }
        if needs.calendar {
            around.calendar = Some(self.calendar_of(dealer).await?);
        }
        if needs.facts {
            around.facts = self.facts_about(matter.about, matter.cause, matter.event).await?;
        }
        Ok(around)
    }

    /// What conditions can ask for about what happened to a customer of a dealer, beside the steps of a run.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or a record that it is about is not there.
    pub async fn facts_about(
        &self,
        (customer, dealer): (Option<CustomerId>, Option<DealerId>),
        cause: &str,
        event: &BTreeMap<Code, SopValue>,
    ) -> Result<ConditionFacts, Failure> {
        let mut facts = ConditionFacts { event: event.clone(), ..ConditionFacts::default() };
        if let Some(customer) = customer {
            facts.customer = CustomerFacts::from(&self.get::<Customer>(customer).await?);
        }
        if let Some(site) = self.first_site(dealer).await? {
            facts.place = PlaceFacts { region: site.details.region, site: Some(site.details.code) };
        }
        if let Ok(order) = cause.parse::<OrderId>() {
            facts.order = self.order_facts(order).await?;
        }
        if let Ok(asset) = cause.parse::<AssetId>() {
            let asset: Asset = self.get(asset).await?;
            let product: Product = self.get(asset.details.product_id).await?;
            let (category, sku) = (Some(product.details.category), Some(product.details.sku));
            facts.product = ProductFacts { category, sku };
        }
        Ok(facts)
    }

    async fn order_facts(&self, order: OrderId) -> Result<OrderFacts, Failure> {
        let sale = self.sale(order).await?;
        let prices = sale.lines.iter().map(|line| line.price_minor.get());
        let total_minor = Minor::new(prices.fold(0_i64, i64::saturating_add)).ok();
        let line_count = u32::try_from(sale.lines.len()).ok();
        Ok(OrderFacts { total_minor, currency: Some(sale.order.currency), line_count })
    }

    async fn first_site(&self, dealer: Option<DealerId>) -> Result<Option<Site>, Fault> {
        if dealer.is_none() {
            return Ok(None);
        }
        let first = sites(dealer, Some(SiteStatus::Active)).order_by_asc(site::Column::Id);
        self.find(first).await
    }

    /// When a dealer works: as its first site that is open; where it has none, in the usual hours. The same for the
    /// brand, in its own zone.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn calendar_of(&self, dealer: Option<DealerId>) -> Result<WorkingCalendar, Failure> {
        if let Some(site) = self.first_site(dealer).await? {
            return Ok(WorkingCalendar::of_site(&site));
        }
        let zone = self.zone_of(dealer).await?;
        Ok(WorkingCalendar::of_hours(&WorkingHours::default(), zone))
    }

    /// The people of a dealer who are there today, and the brand's who answer for everything.
    async fn people_of(&self, dealer: Option<DealerId>) -> Result<Vec<SopPerson>, Failure> {
        let active = Some(StaffStatus::Active);
        let brands =
            StaffSought { role: Some(Role::BrandAdmin), status: active, ..StaffSought::default() };
        let mut staff: Vec<Staff> = self.all(staff_like(&brands)).await?;
        if dealer.is_some() {
            let dealers = StaffSought { dealer, status: active, ..StaffSought::default() };
            staff.extend(self.all::<Staff>(staff_like(&dealers)).await?);
        }
        let today = self.now().date_in(self.zone_of(dealer).await?);
        staff.retain(|one| !one.details.on_leave.is_some_and(|leave| leave.covers(today)));
        let open = self.open_steps().await?;
        let person = |one: Staff| SopPerson {
            staff_id: one.id,
            role: one.details.role,
            open_steps: open.get(&one.id).copied().unwrap_or_default(),
        };
        Ok(staff.into_iter().map(person).collect())
    }

    /// How many steps that can be done now each person has, those that went up to them among them.
    async fn open_steps(&self) -> Result<BTreeMap<StaffId, u32>, Fault> {
        let sql = "SELECT staff, count(*)::integer AS open FROM (
                       SELECT staff_id AS staff FROM sop_run_step
                       WHERE tenant_id = ac.tenant() AND staff_id IS NOT NULL AND state IN ('ready', 'failed')
                       UNION ALL
                       SELECT escalated_staff_id FROM sop_run_step
                       WHERE tenant_id = ac.tenant() AND escalated_staff_id IS NOT NULL
                         AND state IN ('ready', 'failed')
                   ) had GROUP BY staff";
        let rows = self.work().query_all_raw(self.statement(sql, [])).await?;
        let one = |row: &sea_orm::QueryResult| {
            let (staff, open): (Uuid, i32) = (row.try_get("", "staff")?, row.try_get("", "open")?);
            Ok((StaffId::from(staff), u32::try_from(open).unwrap_or_default()))
        };
        rows.iter().map(one).collect()
    }

    /// What the meter of a step showed the last time that the procedure was carried out for the same customer.
    async fn last_reading(
        &self,
        run: &SopRun,
        step: &SopRunStep,
    ) -> Result<Option<Measurement>, Fault> {
        let (SopMeasure::Meter { .. }, Some(key), Some(customer)) =
            (&step.step.measure, &step.step.key, run.details.customer_id)
        else {
            return Ok(None);
        };
        let sql = "SELECT s.value FROM sop_run_step s
                   JOIN sop_run r ON r.tenant_id = s.tenant_id AND r.id = s.sop_run_id
                   WHERE s.tenant_id = ac.tenant() AND r.customer_id = $1 AND r.sop_id = $2 AND s.key = $3
                     AND s.id <> $4 AND s.state IN ('done', 'failed') AND s.value IS NOT NULL
                   ORDER BY s.done_at DESC LIMIT 1";
        let values = [
            Uuid::from(customer).into(),
            Uuid::from(run.details.sop_id).into(),
            key.to_string().into(),
            Uuid::from(step.id).into(),
        ];
        let row = self.work().query_one_raw(self.statement(sql, values)).await?;
        let Some(row) = row else { return Ok(None) };
        let value: serde_json::Value = row.try_get("", "value")?;
        Ok(match SopValue::from_sql(value) {
            Ok(SopValue::Number(reading)) => Some(reading),
            Ok(SopValue::Bool(_) | SopValue::Text(_)) | Err(_) => None,
        })
    }

    /// Lets everybody who has a step of a run see it. Whoever carries out the run does so anyway.
    pub(crate) async fn let_helpers_in(&self, run: SopRunId) -> Result<(), Fault> {
        let sql = "UPDATE sop_run r SET helper_ids = (
                       SELECT coalesce(array_agg(DISTINCT helper), '{}') FROM sop_run_step s,
                           LATERAL unnest(ARRAY[s.staff_id, s.escalated_staff_id]) AS helper
                       WHERE s.tenant_id = ac.tenant() AND s.sop_run_id = $1
                         AND helper IS NOT NULL AND helper IS DISTINCT FROM r.staff_id)
                   WHERE r.tenant_id = ac.tenant() AND r.id = $1";
        self.work().execute_raw(self.statement(sql, [Uuid::from(run).into()])).await?;
        Ok(())
    }

    /// Takes the steps of a run that was broken off from those who had them.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn free_steps(&self, run: SopRunId) -> Result<(), Fault> {
        let sql = "UPDATE sop_run_step SET staff_id = NULL, escalated_staff_id = NULL, version = version + 1
                   WHERE tenant_id = ac.tenant() AND sop_run_id = $1 AND state IN ('pending', 'ready', 'failed')
                     AND coalesce(staff_id, escalated_staff_id) IS NOT NULL";
        self.work().execute_raw(self.statement(sql, [Uuid::from(run).into()])).await?;
        Ok(())
    }
}

fn matter_of(run: &SopRun) -> Matter<'_> {
    let about = (run.details.customer_id, run.details.dealer_id);
    Matter { about, cause: run.cause.as_deref().unwrap_or_default(), event: &run.event_facts }
}
