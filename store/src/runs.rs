//! What a run is carried out in: who could do its steps, when they work, and what was found before.

use crate::{
    Failure, Fault, Missing, Tenant,
    table::{self, Stored as _},
    tenancy::{site, sites},
};
use domain::{
    catalogue::{Asset, Product},
    conditions::{ConditionFacts, CustomerFacts, OrderFacts, PlaceFacts, ProductFacts},
    customers::Customer,
    identity::Role,
    ids::{AssetId, CustomerId, DealerId, OrderId, SopRunId, SopRunStepId, StaffId},
    money::Minor,
    orders::SalesOrder,
    sops::{
        ChecklistChange, MOST_STEPS, Measurement, SopCause, SopChecklist, SopCircumstances,
        SopMeasure, SopNeeds, SopPerson, SopRun, SopRunDetails, SopRunStep, SopValue, SopVersion,
    },
    tenancy::{Site, SiteStatus, WorkingHours},
    text::Code,
    working_time::WorkingCalendar,
};
use sea_orm::{ConnectionTrait as _, DbErr, QueryOrder as _};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What a run is about, as far as conditions ask for it.
#[derive(Debug, Clone, Copy)]
pub struct RunMatter<'a> {
    /// Whom it is done for.
    pub customer_id: Option<CustomerId>,
    /// Which sold thing it is about.
    pub asset_id: Option<AssetId>,
    /// The dealer who does it.
    pub dealer_id: Option<DealerId>,
    /// The sale that it is about.
    pub order_id: Option<OrderId>,
    /// What was told about what happened.
    pub event: &'a BTreeMap<Code, SopValue>,
}

impl Tenant {
    /// What a new run is carried out in, as far as its version asks for it.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or the dealer is not there.
    pub async fn circumstances_of(
        &self,
        version: Option<&SopVersion>,
        details: &SopRunDetails,
        cause: Option<&SopCause>,
    ) -> Result<SopCircumstances, Failure> {
        let Some(version) = version else { return Ok(SopCircumstances::default()) };
        let steps: Vec<_> = version.details.steps.iter().collect();
        let needs = SopNeeds::of(&steps, details.staff_id);
        let around = self.known_about(details, needs).await?;
        if !needs.facts {
            return Ok(around);
        }
        let none = BTreeMap::new();
        let matter = RunMatter {
            customer_id: details.customer_id,
            asset_id: details.asset_id,
            dealer_id: details.dealer_id,
            order_id: cause.and_then(|cause| cause.cause.parse().ok()),
            event: cause.map_or(&none, |cause| &cause.facts),
        };
        Ok(SopCircumstances { facts: self.facts_about(matter).await?, ..around })
    }

    /// What a run is carried out in when its step `id` is at hand. What conditions ask for was found when it began,
    /// so that it does not depend on what this caller sees.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or the dealer is not there.
    pub async fn circumstances_at(
        &self,
        checklist: &SopChecklist,
        id: SopRunStepId,
    ) -> Result<SopCircumstances, Failure> {
        let run = &checklist.run;
        let around = self.known_about(&run.details, checklist.needs()).await?;
        let around = SopCircumstances { facts: run.facts(), ..around };
        let Some(step) = checklist.steps.iter().find(|step| step.id == id) else {
            return Ok(around);
        };
        let asks = !step.step.required_evidence().is_empty();
        let attached = if asks { self.attached(step).await? } else { BTreeSet::new() };
        let last_reading = self.last_reading(run, step).await?;
        Ok(SopCircumstances { attached, last_reading, ..around })
    }

    /// What letting the next rank answer for a step of a run takes.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or the dealer is not there.
    pub async fn circumstances_of_escalation(
        &self,
        run: &SopRun,
    ) -> Result<SopCircumstances, Failure> {
        self.known_about(&run.details, SopNeeds::ESCALATION).await
    }

    async fn known_about(
        &self,
        run: &SopRunDetails,
        needs: SopNeeds,
    ) -> Result<SopCircumstances, Failure> {
        let mut around = SopCircumstances::default();
        if needs.people {
            around.people = self.people_of(run).await?;
        }
        if needs.calendar {
            around.calendar = Some(self.calendar_of(run.dealer_id).await?);
        }
        Ok(around)
    }

    /// What conditions can ask for about what happened to a customer of a dealer, beside the steps of a run. What the
    /// caller does not see is not known, and null to the condition.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn facts_about(&self, matter: RunMatter<'_>) -> Result<ConditionFacts, Failure> {
        let mut facts = ConditionFacts { event: matter.event.clone(), ..ConditionFacts::default() };
        if let Some(customer) = matter.customer_id {
            let customer = seen(self.get::<Customer>(customer).await)?;
            facts.customer = customer.as_ref().map(CustomerFacts::from).unwrap_or_default();
        }
        if let Some(site) = self.first_site(matter.dealer_id).await? {
            facts.place = PlaceFacts { region: site.details.region, site: Some(site.details.code) };
        }
        if let Some(order) = matter.order_id
            && let Some(order) = seen(self.get::<SalesOrder>(order).await)?
        {
            facts.order = self.order_facts(order).await?;
        }
        if let Some(asset) = matter.asset_id
            && let Some(asset) = seen(self.get::<Asset>(asset).await)?
            && let Some(product) = seen(self.get::<Product>(asset.details.product_id).await)?
        {
            let (category, sku) = (Some(product.details.category), Some(product.details.sku));
            facts.product = ProductFacts { category, sku };
        }
        Ok(facts)
    }

    async fn order_facts(&self, order: SalesOrder) -> Result<OrderFacts, Fault> {
        let sale = self.with_lines(order).await?;
        let prices = sale.lines.iter().map(|line| line.price_minor.get());
        let total_minor = Minor::new(prices.fold(0_i64, i64::saturating_add)).ok();
        let line_count = u16::try_from(sale.lines.len()).ok();
        Ok(OrderFacts { total_minor, currency: Some(sale.order.currency), line_count })
    }

    pub(crate) async fn first_site(&self, dealer: Option<DealerId>) -> Result<Option<Site>, Fault> {
        if dealer.is_none() {
            return Ok(None);
        }
        let first = sites(dealer, Some(SiteStatus::Active)).order_by_asc(site::Column::Id);
        self.find(first).await
    }

    /// When a dealer works: as its first site that is open, by the calendar that it names or else in its hours; where it
    /// has none, in the usual hours. The same for the brand, in its own zone.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn calendar_of(&self, dealer: Option<DealerId>) -> Result<WorkingCalendar, Failure> {
        if let Some(site) = self.first_site(dealer).await? {
            return self.hours_of(&site).await;
        }
        let zone = self.zone_of(dealer).await?;
        Ok(WorkingCalendar::of_hours(&WorkingHours::default(), zone))
    }

    /// When a site works: by the calendar that it names, or else in its hours.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub(crate) async fn hours_of(&self, site: &Site) -> Result<WorkingCalendar, Failure> {
        match site.details.calendar_id {
            Some(calendar) => self.named_calendar(calendar).await,
            None => Ok(WorkingCalendar::of_site(site)),
        }
    }

    /// The people who work for the dealer of a run, the brand's who answer for everything, and whoever looks after the
    /// customer, each with the steps they have to do; of each role those with the fewest, and those who are there before
    /// those on leave. A run has at most so many steps as are asked for, so nobody is missing who could be given one.
    async fn people_of(&self, run: &SopRunDetails) -> Result<Vec<SopPerson>, Failure> {
        let today = self.now().date_in(self.zone_of(run.dealer_id).await?);
        let sql = "SELECT id, role, is_owner, is_away, open FROM (
                       SELECT id, role, is_owner, is_away, open,
                              row_number() OVER (PARTITION BY role ORDER BY is_away, open, id) AS place
                       FROM (
                           SELECT p.id, p.role, coalesce(p.id = c.relationship_owner_id, false) AS is_owner,
                                  coalesce($2 BETWEEN p.on_leave ->> 'from_on' AND p.on_leave ->> 'to_on', false) AS is_away,
                                  (SELECT count(*) FROM sop_run_step s WHERE s.tenant_id = p.tenant_id
                                       AND s.staff_id = p.id AND s.is_open)
                                  + (SELECT count(*) FROM sop_run_step s WHERE s.tenant_id = p.tenant_id
                                       AND s.escalated_staff_id = p.id AND s.is_open) AS open
                           FROM staff p
                           LEFT JOIN customer c ON c.tenant_id = p.tenant_id AND c.id = $4
                           WHERE p.tenant_id = ac.tenant() AND p.status = 'active'
                             AND (p.dealer_id = $1 OR p.role = 'brand_admin'
                                  OR p.id = c.relationship_owner_id AND p.role <> 'auditor'
                                     -- Who has moved to another dealer since does no more for this one.
                                     AND coalesce(p.dealer_id = $1, true))
                       ) busy
                   ) ranked WHERE place <= $3 OR is_owner";
        let values = [
            run.dealer_id.map(Uuid::from).into(),
            today.to_string().into(),
            i64::from(MOST_STEPS).into(),
            run.customer_id.map(Uuid::from).into(),
        ];
        let rows = self.work().query_all_raw(self.statement(sql, values)).await?;
        let person = |row: &sea_orm::QueryResult| {
            let role: table::Col<Role> = row.try_get("", "role")?;
            let open: i64 = row.try_get("", "open")?;
            Ok(SopPerson {
                staff_id: row.try_get::<Uuid>("", "id")?.into(),
                role: role.0,
                is_relationship_owner: row.try_get("", "is_owner")?,
                is_away: row.try_get("", "is_away")?,
                open_steps: u32::try_from(open).unwrap_or(u32::MAX),
            })
        };
        Ok(rows.iter().map(person).collect::<Result<_, DbErr>>().map_err(Fault::from)?)
    }

    /// What the meter of a step showed the last time that the procedure was carried out for the same sold thing,
    /// whoever did it; where the run is about none, for the same customer.
    async fn last_reading(
        &self,
        run: &SopRun,
        step: &SopRunStep,
    ) -> Result<Option<Measurement>, Fault> {
        let (SopMeasure::Meter { .. }, Some(key)) = (&step.step.measure, &step.step.key) else {
            return Ok(None);
        };
        let SopRunDetails { sop_id, customer_id, asset_id, .. } = run.details;
        let values = [
            asset_id.map(Uuid::from).into(),
            customer_id.map(Uuid::from).into(),
            Uuid::from(sop_id).into(),
            key.to_string().into(),
            Uuid::from(step.id).into(),
        ];
        let sql = "SELECT ac.last_reading($1, $2, $3, $4, $5) AS value";
        let row = self.work().query_one_raw(self.statement(sql, values)).await?;
        let value: Option<serde_json::Value> = match row {
            Some(row) => row.try_get("", "value")?,
            None => None,
        };
        Ok(match value.map(SopValue::from_sql) {
            Some(Ok(SopValue::Number(reading))) => Some(reading),
            Some(Ok(SopValue::Bool(_) | SopValue::Text(_)) | Err(_)) | None => None,
        })
    }

    /// The next `most` runs behind `after`, in the order of their identifiers, in which something is still to be done by
    /// somebody who has left or works for another dealer, by one person where it is said by whom; each with those people.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn runs_left_behind(
        &self,
        staff: Option<StaffId>,
        after: Option<SopRunId>,
        most: u32,
    ) -> Result<Vec<(SopRunId, BTreeSet<StaffId>)>, Fault> {
        // What one person has is found by what is theirs; without a person every open run is looked at.
        let theirs = match staff {
            Some(_) => {
                "r.id IN (
                     SELECT sop_run_id FROM sop_run_step
                         WHERE tenant_id = ac.tenant() AND staff_id = $3 AND is_open
                     UNION SELECT sop_run_id FROM sop_run_step
                         WHERE tenant_id = ac.tenant() AND escalated_staff_id = $3 AND is_open
                     UNION SELECT id FROM sop_run
                         WHERE tenant_id = ac.tenant() AND staff_id = $3 AND state IN ('open', 'in_progress'))"
            }
            None => "$3::uuid IS NULL",
        };
        let sql = format!(
            "SELECT r.id, jsonb_agg(DISTINCT p.id) AS gone FROM sop_run r
                   CROSS JOIN LATERAL (
                       SELECT r.staff_id AS id
                       UNION SELECT s.staff_id FROM sop_run_step s
                           WHERE s.tenant_id = r.tenant_id AND s.sop_run_id = r.id AND s.is_open
                       UNION SELECT s.escalated_staff_id FROM sop_run_step s
                           WHERE s.tenant_id = r.tenant_id AND s.sop_run_id = r.id AND s.is_open
                   ) theirs
                   JOIN staff p ON p.tenant_id = r.tenant_id AND p.id = theirs.id
                   WHERE r.tenant_id = ac.tenant() AND r.state IN ('open', 'in_progress')
                     AND ($1::uuid IS NULL OR r.id > $1)
                     AND (p.status = 'left' OR p.dealer_id <> r.dealer_id) AND {theirs}
                   GROUP BY r.id ORDER BY r.id LIMIT $2"
        );
        let person = staff.map(Uuid::from).into();
        let values = [after.map(Uuid::from).into(), i64::from(most).into(), person];
        let rows = self.work().query_all_raw(self.statement(&sql, values)).await?;
        let one = |row: &sea_orm::QueryResult| {
            let gone: BTreeSet<Uuid> = serde_json::from_value(row.try_get("", "gone")?)?;
            let run: Uuid = row.try_get("", "id")?;
            Ok((run.into(), gone.into_iter().map(StaffId::from).collect()))
        };
        rows.iter().map(one).collect()
    }

    /// Records that steps changed hands, and lets those see the run who have one now, and nobody else.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn record_hands(&self, change: ChecklistChange) -> Result<SopChecklist, Fault> {
        let checklist = self.record_checklist(change).await?;
        self.let_helpers_in(checklist.run.id).await?;
        Ok(checklist)
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

/// A record, when this caller sees it.
fn seen<R>(found: Result<R, Missing>) -> Result<Option<R>, Fault> {
    match found {
        Ok(record) => Ok(Some(record)),
        Err(Missing::NotFound) => Ok(None),
        Err(Missing::Fault(fault)) => Err(fault),
    }
}
