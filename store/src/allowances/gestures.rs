//! What decisions about gestures are made on, and how they are recorded.

use super::{gesture, gesture_rules as rules_table, limits_in};
use crate::{Fault, Tenant, table::Col};
use domain::{
    allowances::{
        authority::{
            Authority, AuthorityLimit, Capacity, Decider, Granted, absent_ranks, capacities,
            day_of, month_of, year_began,
        },
        gestures::{Gesture, GestureDecision, Given, Means},
        guard::{GestureRules, GestureRulesDetails},
        ledger::Purse,
    },
    identity::{Actor, Rank, Reach, Staff},
    ids::{CustomerId, DealerId, GestureId},
    money::{Currency, MOST_MINOR, Minor},
    time::CivilDate,
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QueryResult, QuerySelect as _, Select,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What this customer was given and what this person has granted, each by its own index. A gesture counts with its cost
/// once it is carried out, and with its estimate before.
const GRANTED: &str = "
    SELECT least($7, given.month_minor)::bigint AS customer_month_minor, given.month_count::integer,
           given.gifts::integer, least($7, own.day_minor)::bigint AS own_day_minor,
           least($7, own.month_minor)::bigint AS own_month_minor
    FROM (SELECT coalesce(sum(coalesce(actual_minor, estimate_minor)) FILTER (WHERE approved_at >= $4), 0)
                     AS month_minor,
                 count(*) FILTER (WHERE approved_at >= $4 AND coalesce(actual_minor, estimate_minor) > 0)
                     AS month_count,
                 count(*) FILTER (WHERE tangible AND coalesce(actual_minor, estimate_minor) > 0) AS gifts
          FROM gesture
          WHERE tenant_id = ac.tenant() AND customer_id = $1 AND currency = $2 AND id <> $3
            AND approved_at >= $5 AND state IN ('approved', 'fulfilled')) given,
         (SELECT coalesce(sum(coalesce(actual_minor, estimate_minor)) FILTER (WHERE approved_at >= $6), 0)
                     AS day_minor,
                 coalesce(sum(coalesce(actual_minor, estimate_minor)), 0) AS month_minor
          FROM gesture
          WHERE tenant_id = ac.tenant() AND granted_by = $8 AND currency = $2 AND id <> $3
            AND approved_at >= $4 AND state IN ('approved', 'fulfilled')) own";

/// What is to be granted, and by whom.
#[derive(Debug, Clone)]
pub struct Granting {
    /// To whom.
    pub customer: CustomerId,
    /// In which currency.
    pub currency: Currency,
    /// What.
    pub given: Given,
    /// Which gesture, so that it does not count against itself.
    pub gesture: GestureId,
    /// Whose people decide about it.
    pub dealer: Option<DealerId>,
    /// Who grants it, when somebody does now: a person or a key.
    pub grantor: Option<String>,
    /// The largest margin that was earned on what it is paid from.
    pub margin_minor: Minor,
}

impl Granting {
    /// That `gesture` is granted by `grantor`, or by nobody yet.
    pub fn of(gesture: &Gesture, grantor: Option<String>, purse: &Purse) -> Self {
        Self {
            customer: gesture.customer_id,
            currency: gesture.currency,
            given: gesture.given(),
            gesture: gesture.id,
            dealer: gesture.dealer_id,
            grantor,
            margin_minor: purse.margin(gesture.currency),
        }
    }
}

/// The brand's rules for gestures, in one currency where it is given.
pub fn gesture_rules(currency: Option<Currency>) -> Select<rules_table::Entity> {
    let select = rules_table::Entity::find();
    match currency {
        Some(currency) => select.filter(rules_table::Column::Currency.eq(currency.to_string())),
        None => select,
    }
}

impl Tenant {
    /// Makes decisions of the same person come one after the other, so that what they grant on one day or in one month
    /// is counted before they grant more. Comes before the [purse](Tenant::purse).
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn lock_grantor(&self, grantor: &str) -> Result<(), Fault> {
        let sql = "SELECT pg_advisory_xact_lock(hashtextextended('grants:' || ac.tenant()::text || $1, 0))";
        self.work().execute_raw(self.statement(sql, [grantor.into()])).await?;
        Ok(())
    }

    /// What is known about authority when something is to be granted to a customer. Their
    /// [purse](Tenant::purse) and whoever grants must be held, so that nobody else grants something at the
    /// same time.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn authority(&self, granting: &Granting) -> Result<Authority, Fault> {
        let brand = self.brand_settings().await?;
        let now = self.now();
        let instant = |at| chrono::DateTime::from(at).into();
        let values = [
            Uuid::from(granting.customer).into(),
            granting.currency.to_string().into(),
            Uuid::from(granting.gesture).into(),
            instant(month_of(now, brand.tz).start),
            instant(year_began(now, brand.tz)),
            instant(day_of(now, brand.tz).start),
            MOST_MINOR.into(),
            granting.grantor.clone().into(),
        ];
        let row = self.work().query_one_raw(self.statement(GRANTED, values)).await?;
        let today = now.date_in(brand.tz);
        let limits: Vec<AuthorityLimit> = self.all(limits_in(granting.currency)).await?;
        Ok(Authority {
            deciders: self.deciders(&limits, granting.dealer, today).await?,
            limits,
            given: granting.given,
            margin_minor: granting.margin_minor,
            granted: row.as_ref().map(granted).transpose()?.unwrap_or_default(),
            today,
            absent: self.absent(granting.dealer, today).await?,
            escalation_hours: brand.escalation_hours,
        })
    }

    /// What a gesture is held in and paid from, locked until this work is done, and what the brand says about gestures.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn means(&self, gesture: &Gesture) -> Result<Means, Fault> {
        let mut purse = self.purse(gesture.customer_id).await?;
        let known: BTreeSet<_> = purse.lots.iter().map(|lot| lot.id).collect();
        let emptied = gesture.splits.iter().map(|split| split.lot_id);
        let emptied: Vec<_> = emptied.filter(|lot| !known.contains(lot)).collect();
        if !emptied.is_empty() {
            purse.lots.extend(self.lots(&emptied).await?);
        }
        let budgets = self.budgets_of(&gesture.budget_ids).await?;
        let rules = self.rules_for(gesture.currency).await?;
        Ok(Means { purse, budgets, rules })
    }

    /// What the brand says about gestures in `currency`.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn rules_for(&self, currency: Currency) -> Result<GestureRulesDetails, Fault> {
        let rules: Option<GestureRules> = self.find(gesture_rules(Some(currency))).await?;
        Ok(rules.map_or_else(|| GestureRulesDetails::none(currency), |rules| rules.details))
    }

    /// In what `actor` may decide today: as themselves, and in the place of whoever is on leave and named them.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn capacities(&self, actor: Actor, reach: Reach) -> Result<Vec<Capacity>, Fault> {
        let deputised: Vec<Staff> = match actor.staff() {
            Some(staff) => self.all(crate::identity::deputised_by(staff)).await?,
            None => Vec::new(),
        };
        let today = self.now().date_in(self.zone().await?);
        Ok(capacities(actor, reach, &deputised, today))
    }

    /// A gesture for a customer that is not settled and is not `dealer`'s, locked until this work is done; none when all
    /// are.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn hold_gesture_elsewhere(
        &self,
        customer: CustomerId,
        dealer: Option<DealerId>,
    ) -> Result<Option<Gesture>, Fault> {
        use gesture::Column as C;
        let elsewhere = match dealer {
            Some(dealer) => {
                Condition::any().add(C::DealerId.ne(Uuid::from(dealer))).add(C::DealerId.is_null())
            }
            None => Condition::all().add(C::DealerId.is_not_null()),
        };
        let open = gesture::Entity::find()
            .filter(C::CustomerId.eq(Uuid::from(customer)))
            .filter(C::ExpiresAt.is_not_null())
            .filter(elsewhere)
            .order_by_asc(C::Id)
            .limit(1);
        self.hold_found(open).await
    }

    /// Records what was decided about a gesture; answers it as it is now.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails, or the same was decided before.
    pub async fn record_gesture(&self, decision: GestureDecision) -> Result<Gesture, Fault> {
        let GestureDecision { change, approval, posting, budgets } = decision;
        let gesture = self.record(change).await?;
        if let Some(approval) = approval {
            self.add(&approval).await?;
        }
        if let Some(posting) = posting {
            self.post(posting).await?;
        }
        for posting in budgets {
            self.post_budget(posting).await?;
        }
        Ok(gesture)
    }

    /// Who of a dealer or the brand may decide today and has one of `limits` for themselves.
    async fn deciders(
        &self,
        limits: &[AuthorityLimit],
        dealer: Option<DealerId>,
        today: CivilDate,
    ) -> Result<Vec<Decider>, Fault> {
        let people: Vec<_> = limits.iter().filter_map(|limit| limit.details.staff_id).collect();
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let people: Vec<Staff> = self.all(crate::identity::deciding_of(&people, dealer)).await?;
        let present = people.iter().filter(|staff| staff.works_on(today));
        let decider = |staff: &Staff| Decider { staff_id: staff.id, role: staff.details.role };
        Ok(present.map(decider).collect())
    }

    /// The ranks of a dealer in which nobody can decide today; none for what is the brand's.
    async fn absent(
        &self,
        dealer: Option<DealerId>,
        today: CivilDate,
    ) -> Result<BTreeSet<Rank>, Fault> {
        let Some(dealer) = dealer else { return Ok(BTreeSet::new()) };
        let deciding: Vec<Staff> = self.all(crate::identity::deciding(Some(dealer))).await?;
        Ok(absent_ranks(&deciding, today))
    }
}

fn granted(row: &QueryResult) -> Result<Granted, Fault> {
    let count = |name: &str| -> Result<u32, Fault> { Ok(row.try_get::<Col<u32>>("", name)?.0) };
    let amount =
        |name: &str| -> Result<Minor, Fault> { Ok(row.try_get::<Col<Minor>>("", name)?.0) };
    Ok(Granted {
        customer_month_minor: amount("customer_month_minor")?,
        customer_month_count: count("month_count")?,
        own_day_minor: amount("own_day_minor")?,
        own_month_minor: amount("own_month_minor")?,
        gifts_this_year: count("gifts")?,
    })
}
