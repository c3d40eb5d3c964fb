//! Money moving on accounts. Three things keep an account from being overdrawn: it is locked from
//! reading to committing, it is saved at the version it was read at, and its columns refuse it.

use super::{allowance_account, allowance_lot, allowance_shortfall, lots_of};
use crate::{Fault, Tenant};
use domain::{
    allowances::{
        accounts::{AllowanceAccount, AllowanceEntry},
        ledger::{Ledger, Posting, Purse},
        lots::{AllowanceLot, AllowanceShortfall, Overspent},
        reconciliation::AccountCount,
    },
    ids::{AllowanceAccountId, AllowanceLotId, CustomerId, DealerId, OrderLineId},
    money::{Currency, Minor},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryResult,
    QueryTrait as _, Select,
};
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

const COUNTS: &str = "
    WITH account AS (
        SELECT id, balance_minor, held_minor, pending_minor FROM allowance_account
        WHERE tenant_id = ac.tenant() AND id > $1 ORDER BY id LIMIT $2
    ), entries AS (
        SELECT account_id, sum(balance_change_minor)::bigint AS balance_minor,
               sum(held_change_minor)::bigint AS held_minor,
               sum(pending_change_minor)::bigint AS pending_minor
        FROM allowance_entry
        WHERE tenant_id = ac.tenant() AND account_id IN (SELECT id FROM account)
        GROUP BY account_id
    ), lots AS (
        SELECT account_id,
               coalesce(sum(remaining_minor) FILTER (WHERE state <> 'pending'), 0)::bigint AS remaining_minor,
               sum(held_minor)::bigint AS held_minor,
               coalesce(sum(remaining_minor) FILTER (WHERE state = 'pending'), 0)::bigint AS pending_minor
        FROM allowance_lot
        WHERE tenant_id = ac.tenant() AND remaining_minor > 0
          AND account_id IN (SELECT id FROM account)
        GROUP BY account_id
    )
    SELECT account.id, account.balance_minor, account.held_minor, account.pending_minor,
           coalesce(entries.balance_minor, 0) AS entries_balance_minor,
           coalesce(entries.held_minor, 0) AS entries_held_minor,
           coalesce(entries.pending_minor, 0) AS entries_pending_minor,
           coalesce(lots.remaining_minor, 0) AS lots_remaining_minor,
           coalesce(lots.held_minor, 0) AS lots_held_minor,
           coalesce(lots.pending_minor, 0) AS lots_pending_minor
    FROM account
    LEFT JOIN entries ON entries.account_id = account.id
    LEFT JOIN lots ON lots.account_id = account.id
    ORDER BY account.id";

/// Which shortfalls are wanted; all when nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct WantedShortfalls {
    /// Those that one dealer bears.
    pub dealer_id: Option<DealerId>,
    /// Those of one customer's account.
    pub customer_id: Option<CustomerId>,
}

/// What was charged to dealers because a sale was given back.
pub fn shortfalls(wanted: WantedShortfalls) -> Select<allowance_shortfall::Entity> {
    use allowance_shortfall::Column as C;
    allowance_shortfall::Entity::find()
        .apply_if(wanted.dealer_id, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
        .apply_if(wanted.customer_id, |all, id| all.filter(C::CustomerId.eq(Uuid::from(id))))
}

impl Tenant {
    /// Locks a customer's accounts until this work is done. Whoever decides about a customer's money
    /// comes through here first, so such decisions are made one after the other.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn lock_purse(&self, customer: CustomerId) -> Result<Vec<AllowanceAccount>, Fault> {
        self.hold_all(super::accounts(Some(customer), None)).await
    }

    /// What a customer has, locked until this work is done.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn purse(&self, customer: CustomerId) -> Result<Purse, Fault> {
        let accounts = self.lock_purse(customer).await?;
        let mut lots = Vec::new();
        for account in &accounts {
            lots.extend(self.all::<AllowanceLot>(open_lots(account.id)).await?);
        }
        Ok(Purse { accounts, lots })
    }

    /// The books of a customer in one currency, locked until this work is done; opened empty for whom
    /// nothing was ever set aside, at the `dealer` who looks after them.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn books(
        &self,
        customer: CustomerId,
        dealer: Option<DealerId>,
        currency: Currency,
    ) -> Result<Ledger, Fault> {
        let now = self.now();
        let empty = AllowanceAccount::open(self.new_id(), customer, dealer, currency, now);
        self.open_account(&empty).await?;
        let account = super::accounts(Some(customer), None)
            .filter(allowance_account::Column::Currency.eq(currency.to_string()));
        let account = self.hold_found::<AllowanceAccount>(account).await?.unwrap_or(empty);
        let lots = self.all(open_lots(account.id)).await?;
        Ok(Ledger::open(account, lots, now))
    }

    /// The lots with these identifiers.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn lots(&self, ids: &[AllowanceLotId]) -> Result<Vec<AllowanceLot>, Fault> {
        let ids = ids.iter().copied().map(Uuid::from);
        self.all(allowance_lot::Entity::find().filter(allowance_lot::Column::Id.is_in(ids))).await
    }

    /// The books of `account` for taking back what `lines` of a sale have earned, with the lots of these lines
    /// that are empty already.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`](crate::Missing::NotFound) when there is no such account.
    pub async fn books_with(
        &self,
        account: AllowanceAccountId,
        lines: &[OrderLineId],
    ) -> Result<Ledger, crate::Missing> {
        let account: AllowanceAccount = self.hold(account).await?;
        let mut lots: Vec<AllowanceLot> = self.all(open_lots(account.id)).await?;
        let emptied = lots_of_lines(lines).filter(allowance_lot::Column::RemainingMinor.eq(0));
        lots.extend(self.all::<AllowanceLot>(emptied).await?);
        Ok(Ledger::open(account, lots, self.now()))
    }

    /// What each of `lines` has earned already, and on which account.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn earned(
        &self,
        lines: &[OrderLineId],
    ) -> Result<BTreeMap<OrderLineId, (AllowanceAccountId, Minor)>, Fault> {
        let mut earned = BTreeMap::new();
        for lot in self.all::<AllowanceLot>(lots_of_lines(lines)).await? {
            let (_, sum) = earned.entry(lot.order_line_id).or_insert((lot.account_id, Minor::ZERO));
            *sum = sum.plus(lot.amount_minor);
        }
        Ok(earned)
    }

    /// Records what moved on an account, with its one line in the account's timeline.
    ///
    /// # Errors
    ///
    /// [`Fault::Taken`] when one of the movements was recorded before; [`Fault::Stale`] when the account
    /// was changed since it was read.
    pub async fn post(&self, posting: Posting) -> Result<AllowanceAccount, Fault> {
        let Some(change) = posting.change() else { return Ok(posting.account) };
        let Posting { earned, drawn, movements, overspent, .. } = posting;
        let account = self.record(change).await?;
        self.add_all(&earned).await?;
        for lot in drawn {
            self.save(lot).await?;
        }
        let (actor, at) = (self.actor().to_string(), self.now());
        let entries: Vec<_> = movements
            .into_iter()
            .map(|movement| AllowanceEntry {
                id: self.new_id(),
                account_id: account.id,
                movement,
                actor: actor.clone(),
                at,
            })
            .collect();
        self.add_all(&entries).await?;
        self.charge(&account, overspent).await?;
        Ok(account)
    }

    /// Charges to dealers what was spent on the word of sales that were given back.
    async fn charge(
        &self,
        account: &AllowanceAccount,
        overspent: Vec<Overspent>,
    ) -> Result<(), Fault> {
        let shortfalls: Vec<_> = overspent
            .into_iter()
            .map(|overspent| AllowanceShortfall {
                id: self.new_id(),
                account_id: account.id,
                customer_id: account.customer_id,
                dealer_id: overspent.borne_by.or(account.dealer_id),
                order_line_id: overspent.order_line_id,
                lot_id: overspent.lot_id,
                currency: account.currency,
                amount_minor: overspent.amount_minor,
                idempotency_key: overspent.idempotency_key,
                at: self.now(),
            })
            .collect();
        self.add_all(&shortfalls).await
    }

    /// Up to `most` accounts, after `last`, on which a lot has reached its date, or the day of an instalment has
    /// come.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn accounts_with_due_lots(
        &self,
        last: Option<AllowanceAccountId>,
        most: u64,
    ) -> Result<Vec<AllowanceAccountId>, Fault> {
        let sql = "SELECT account_id FROM allowance_lot
                   WHERE tenant_id = ac.tenant() AND remaining_minor > held_minor AND expires_at <= $1
                     AND account_id > $2
                   UNION
                   SELECT account_id FROM allowance_lot
                   WHERE tenant_id = ac.tenant() AND state = 'pending' AND active_from <= $1
                     AND account_id > $2
                   ORDER BY account_id LIMIT $3";
        let values = [
            chrono::DateTime::from(self.now()).into(),
            last.map_or(Uuid::nil(), Uuid::from).into(),
            most.into(),
        ];
        let rows = self.work().query_all_raw(self.statement(sql, values)).await?;
        let ids = rows.into_iter().map(|row| row.try_get::<Uuid>("", "account_id"));
        Ok(ids.map(|id| id.map(Into::into)).collect::<Result<_, _>>()?)
    }

    /// The books of an account, locked until this work is done.
    ///
    /// # Errors
    ///
    /// [`Missing::NotFound`](crate::Missing::NotFound) when there is no such account.
    pub async fn books_of(&self, account: AllowanceAccountId) -> Result<Ledger, crate::Missing> {
        let account: AllowanceAccount = self.hold(account).await?;
        let lots = self.all(open_lots(account.id)).await?;
        Ok(Ledger::open(account, lots, self.now()))
    }

    /// Up to `most` accounts behind `last`, each beside what its entries and its active lots add up to, in
    /// one statement and so of one instant.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn counts(
        &self,
        last: Option<AllowanceAccountId>,
        most: u64,
    ) -> Result<Vec<AccountCount>, Fault> {
        let values = [last.map_or(Uuid::nil(), Uuid::from).into(), most.into()];
        let rows = self.work().query_all_raw(self.statement(COUNTS, values)).await?;
        rows.iter().map(counted).collect()
    }

    async fn open_account(&self, account: &AllowanceAccount) -> Result<(), Fault> {
        let sql = "INSERT INTO allowance_account (tenant_id, id, customer_id, dealer_id, currency,
                       balance_minor, held_minor, available_minor, created_at, version)
                   VALUES (ac.tenant(), $1, $2, $3, $4, 0, 0, 0, $5, $6)
                   ON CONFLICT (tenant_id, customer_id, currency) DO NOTHING";
        let values = [
            Uuid::from(account.id).into(),
            Uuid::from(account.customer_id).into(),
            account.dealer_id.map(Uuid::from).into(),
            account.currency.to_string().into(),
            chrono::DateTime::from(account.created_at).into(),
            account.version.get().into(),
        ];
        let opened = self.work().execute_raw(self.statement(sql, values)).await?;
        if opened.rows_affected() == 1 {
            self.note(account, "create", json!({ "currency": account.currency })).await?;
        }
        Ok(())
    }
}

fn counted(row: &QueryResult) -> Result<AccountCount, Fault> {
    Ok(AccountCount {
        account_id: row.try_get::<Uuid>("", "id")?.into(),
        balance_minor: row.try_get("", "balance_minor")?,
        held_minor: row.try_get("", "held_minor")?,
        entries_balance_minor: row.try_get("", "entries_balance_minor")?,
        entries_held_minor: row.try_get("", "entries_held_minor")?,
        pending_minor: row.try_get("", "pending_minor")?,
        entries_pending_minor: row.try_get("", "entries_pending_minor")?,
        lots_remaining_minor: row.try_get("", "lots_remaining_minor")?,
        lots_held_minor: row.try_get("", "lots_held_minor")?,
        lots_pending_minor: row.try_get("", "lots_pending_minor")?,
    })
}

/// The lots of an account of which something is left.
fn open_lots(account: AllowanceAccountId) -> Select<allowance_lot::Entity> {
    lots_of(account).filter(allowance_lot::Column::RemainingMinor.gt(0))
}

fn lots_of_lines(lines: &[OrderLineId]) -> Select<allowance_lot::Entity> {
    let ids = lines.iter().copied().map(Uuid::from);
    allowance_lot::Entity::find().filter(allowance_lot::Column::OrderLineId.is_in(ids))
}
