//! What allowances have come to: each report is one question, of one instant.

use crate::{Fault, Tenant, table::Col};
use domain::{
    allowances::{
        accrual::{PaidLine, PaidOrder},
        gestures::GestureKind,
        reports::{BreakageRow, FundedGesture, LiabilityRow, OrderFunding, SpendBy, SpendRow},
        simulation::MOST_SIMULATED_LINES,
    },
    ids::{DealerId, GestureId, OrderId},
    money::{Currency, Minor},
    orders::Sale,
    time::{CivilDate, Timestamp, WallTime},
};
use sea_orm::{ConnectionTrait as _, QueryResult, Value};
use std::ops::Range;
use uuid::Uuid;

const LIABILITY: &str = "
    SELECT dealer_id, currency, count(*) AS accounts, sum(balance_minor)::bigint AS balance_minor,
           sum(held_minor)::bigint AS held_minor, sum(pending_minor)::bigint AS pending_minor
    FROM allowance_account
    WHERE tenant_id = ac.tenant() AND ($1::uuid IS NULL OR dealer_id = $1)
    GROUP BY dealer_id, currency ORDER BY dealer_id NULLS FIRST, currency";

const BREAKAGE: &str = "
    SELECT account.dealer_id, account.currency, count(DISTINCT entry.lot_id) AS lots,
           -sum(entry.balance_change_minor)::bigint AS expired_minor
    FROM allowance_entry entry
    JOIN allowance_account account ON account.tenant_id = entry.tenant_id AND account.id = entry.account_id
    WHERE entry.tenant_id = ac.tenant() AND entry.kind = 'expire' AND entry.at >= $2 AND entry.at < $3
      AND ($1::uuid IS NULL OR account.dealer_id = $1)
    GROUP BY account.dealer_id, account.currency ORDER BY account.dealer_id NULLS FIRST, account.currency";

const FUNDING: &str = "
    SELECT count(*) AS lots, coalesce(sum(amount_minor), 0)::bigint AS accrued_minor,
           coalesce(sum(spent_minor), 0)::bigint AS spent_minor,
           coalesce(sum(held_minor), 0)::bigint AS held_minor,
           coalesce(sum(remaining_minor) FILTER (WHERE state = 'pending'), 0)::bigint AS pending_minor,
           coalesce(sum(remaining_minor) FILTER (WHERE state <> 'pending'), 0)::bigint AS remaining_minor
    FROM allowance_lot WHERE tenant_id = ac.tenant() AND order_line_id = ANY ($1)";

const FUNDED: &str = "
    SELECT gesture.id, gesture.kind, sum((split.value ->> 'amount_minor')::bigint)::bigint AS paid_minor
    FROM allowance_lot lot
    JOIN allowance_account account ON account.tenant_id = lot.tenant_id AND account.id = lot.account_id
    JOIN gesture ON gesture.tenant_id = account.tenant_id AND gesture.customer_id = account.customer_id
      AND gesture.state = 'fulfilled'
    CROSS JOIN LATERAL jsonb_array_elements(gesture.splits) split
    WHERE lot.tenant_id = ac.tenant() AND lot.order_line_id = ANY ($1) AND lot.spent_minor > 0
      AND split.value ->> 'lot_id' = ac.type_id('lot', lot.id)
    GROUP BY gesture.id, gesture.kind ORDER BY gesture.id LIMIT 200";

const SALES: &str = "
    SELECT sale.id, sale.paid_on, line.price_minor, line.margin_minor
    FROM sales_order sale
    JOIN order_line line ON line.tenant_id = sale.tenant_id AND line.order_id = sale.id
    WHERE sale.tenant_id = ac.tenant() AND sale.currency = $1 AND sale.status IN ('paid', 'delivered')
      AND sale.paid_on >= $2 AND sale.paid_on <= $3
    ORDER BY sale.id, line.id LIMIT $4";

impl Tenant {
    /// What is set aside and not spent, by dealer and currency.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn liability(&self, dealer: Option<DealerId>) -> Result<Vec<LiabilityRow>, Fault> {
        let rows = self.ask(LIABILITY, vec![dealer.map(Uuid::from).into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(LiabilityRow {
                    dealer_id: dealer_in(row)?,
                    currency: currency_in(row)?,
                    accounts: row.try_get("", "accounts")?,
                    balance_minor: row.try_get("", "balance_minor")?,
                    held_minor: row.try_get("", "held_minor")?,
                    pending_minor: row.try_get("", "pending_minor")?,
                })
            })
            .collect()
    }

    /// What has expired within `period`, by dealer and currency.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn breakage(
        &self,
        dealer: Option<DealerId>,
        period: &Range<Timestamp>,
    ) -> Result<Vec<BreakageRow>, Fault> {
        let rows = self.ask(BREAKAGE, within(dealer, period)).await?;
        rows.iter()
            .map(|row| {
                Ok(BreakageRow {
                    dealer_id: dealer_in(row)?,
                    currency: currency_in(row)?,
                    lots: row.try_get("", "lots")?,
                    expired_minor: row.try_get("", "expired_minor")?,
                })
            })
            .collect()
    }

    /// What gestures that were carried out within `period` have cost.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn spend(
        &self,
        by: SpendBy,
        dealer: Option<DealerId>,
        period: &Range<Timestamp>,
    ) -> Result<Vec<SpendRow>, Fault> {
        let key = match by {
            SpendBy::Rank => "staff.role",
            SpendBy::Dealer => {
                "CASE WHEN gesture.dealer_id IS NULL THEN NULL
                                ELSE ac.type_id('dlr', gesture.dealer_id) END"
            }
            SpendBy::Kind => "gesture.kind",
            SpendBy::Interest => "gesture.interest",
        };
        let sql = format!(
            "SELECT {key} AS key, gesture.currency, count(*) AS gestures,
                    count(*) FILTER (WHERE actual_minor = 0) AS free_gestures,
                    sum(actual_minor)::bigint AS spent_minor,
                    coalesce(sum(perceived_value_minor), 0)::bigint AS perceived_value_minor
             FROM gesture LEFT JOIN staff ON staff.tenant_id = gesture.tenant_id AND staff.id = gesture.requester_id
             WHERE gesture.tenant_id = ac.tenant() AND gesture.state = 'fulfilled'
               AND gesture.settled_at >= $2 AND gesture.settled_at < $3
               AND ($1::uuid IS NULL OR gesture.dealer_id = $1)
             GROUP BY 1, gesture.currency ORDER BY 1 NULLS FIRST, gesture.currency"
        );
        let rows = self.ask(&sql, within(dealer, period)).await?;
        rows.iter()
            .map(|row| {
                Ok(SpendRow {
                    key: row.try_get("", "key")?,
                    currency: currency_in(row)?,
                    gestures: row.try_get("", "gestures")?,
                    free_gestures: row.try_get("", "free_gestures")?,
                    spent_minor: row.try_get("", "spent_minor")?,
                    perceived_value_minor: row.try_get("", "perceived_value_minor")?,
                })
            })
            .collect()
    }

    /// What a sale has earned for service, and what that has paid for.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn funding(&self, sale: &Sale) -> Result<OrderFunding, Fault> {
        let lines: Vec<Uuid> = sale.lines.iter().map(|line| line.id.into()).collect();
        let rows = self.ask(FUNDING, vec![lines.clone().into()]).await?;
        let of = |name: &str| -> Result<i64, Fault> {
            Ok(rows.first().map_or(Ok(0), |row| row.try_get("", name))?)
        };
        let funded = self.ask(FUNDED, vec![lines.into()]).await?;
        let gestures = funded.iter().map(funded_gesture).collect::<Result<Vec<_>, Fault>>()?;
        let margins = sale.lines.iter().filter_map(|line| line.margin_minor);
        let (accrued, spent) = (of("accrued_minor")?, of("spent_minor")?);
        let (pending, remaining) = (of("pending_minor")?, of("remaining_minor")?);
        let gone = accrued.saturating_sub(spent).saturating_sub(pending).saturating_sub(remaining);
        Ok(OrderFunding {
            order_id: sale.order.id,
            currency: sale.order.currency,
            price_minor: sale
                .lines
                .iter()
                .map(|line| line.price_minor)
                .fold(Minor::ZERO, Minor::plus),
            margin_minor: margins.fold(Minor::ZERO, Minor::plus),
            lines_without_cost: sale
                .lines
                .iter()
                .filter(|line| line.margin_minor.is_none())
                .count(),
            lots: of("lots")?,
            accrued_minor: accrued,
            pending_minor: pending,
            remaining_minor: remaining,
            held_minor: of("held_minor")?,
            spent_minor: spent,
            expired_or_revoked_minor: gone,
            gestures,
        })
    }

    /// The brand's paid sales of a period in `currency`, as a policy sees them; nothing when there are more lines than
    /// one simulation looks at.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn paid_sales(
        &self,
        currency: Currency,
        from_on: CivilDate,
        to_on: CivilDate,
    ) -> Result<Option<Vec<PaidOrder>>, Fault> {
        let most = MOST_SIMULATED_LINES.saturating_add(1);
        let values = vec![
            currency.to_string().into(),
            chrono::NaiveDate::from(from_on).into(),
            chrono::NaiveDate::from(to_on).into(),
            i64::try_from(most).unwrap_or(i64::MAX).into(),
        ];
        let rows = self.ask(SALES, values).await?;
        if rows.len() > MOST_SIMULATED_LINES {
            return Ok(None);
        }
        let zone = self.zone().await?;
        let mut orders: Vec<(OrderId, PaidOrder)> = Vec::new();
        for row in &rows {
            let id: OrderId = row.try_get::<Uuid>("", "id")?.into();
            let line = PaidLine {
                order_line_id: Uuid::nil().into(),
                price: row.try_get::<Col<Minor>>("", "price_minor")?.0,
                margin: row.try_get::<Option<Col<Minor>>>("", "margin_minor")?.map(|col| col.0),
            };
            match orders.last_mut() {
                Some((last, order)) if *last == id => order.lines.push(line),
                Some(_) | None => {
                    let paid_on = CivilDate::from(row.try_get::<chrono::NaiveDate>("", "paid_on")?);
                    let paid_at = paid_on.at(WallTime::MIDNIGHT, zone);
                    let order = PaidOrder {
                        lines: vec![line],
                        seller_id: None,
                        paid_at,
                        earned_before: Minor::ZERO,
                    };
                    orders.push((id, order));
                }
            }
        }
        Ok(Some(orders.into_iter().map(|(_, order)| order).collect()))
    }

    async fn ask(&self, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, Fault> {
        Ok(self.work().query_all_raw(self.statement(sql, values)).await?)
    }
}

fn within(dealer: Option<DealerId>, period: &Range<Timestamp>) -> Vec<Value> {
    vec![
        dealer.map(Uuid::from).into(),
        chrono::DateTime::from(period.start).into(),
        chrono::DateTime::from(period.end).into(),
    ]
}

fn dealer_in(row: &QueryResult) -> Result<Option<DealerId>, Fault> {
    Ok(row.try_get::<Option<Uuid>>("", "dealer_id")?.map(Into::into))
}

fn currency_in(row: &QueryResult) -> Result<Currency, Fault> {
    Ok(row.try_get::<Col<Currency>>("", "currency")?.0)
}

fn funded_gesture(row: &QueryResult) -> Result<FundedGesture, Fault> {
    let gesture_id: GestureId = row.try_get::<Uuid>("", "id")?.into();
    let kind: GestureKind = row.try_get::<Col<GestureKind>>("", "kind")?.0;
    Ok(FundedGesture { gesture_id, kind, paid_minor: row.try_get("", "paid_minor")? })
}
