//! Table `message`: what customers were told, and whether it has reached them.

use crate::{Failure, Fault, Tenant, listed, table, table::Stored, words};
use domain::{
    followups::{
        Message, MessageChannel, MessagePurpose, MessageReason, MessageState, Notice, Outlet,
        Recipient, Sender,
    },
    ids::{CustomerId, DealerId},
    text::{Email, Locale, Name, Phone},
    time::{Timestamp, Zone},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryResult,
    QueryTrait as _, Select, TryGetable,
};
use uuid::Uuid;

words!(MessageChannel, MessagePurpose, MessageReason, MessageState);

table! {
    /// Messages.
    message = "message" of Message {
        customer_id: CustomerId,
        dealer_id: Option<DealerId>,
        purpose: MessagePurpose,
        channel: MessageChannel,
        address: Option<String>,
        locale: Locale,
        headline: String,
        body: String,
        state: MessageState,
        reason: Option<MessageReason>,
        sent_at: Option<Timestamp>,
        created_at: Timestamp,
    } versioned
}

listed! {
    Message = message [CreatedAt;] usually newest;
}

/// Messages, to one customer or to all, of one dealer's or of all.
pub fn messages(customer: Option<CustomerId>, dealer: Option<DealerId>) -> Select<message::Entity> {
    use message::Column as C;
    message::Entity::find()
        .apply_if(customer, |all, id| all.filter(C::CustomerId.eq(Uuid::from(id))))
        .apply_if(dealer, |all, id| all.filter(C::DealerId.eq(Uuid::from(id))))
}

/// A customer as somebody who writes to them knows them.
#[derive(Debug, Clone)]
pub struct Correspondent {
    /// How to reach them.
    pub recipient: Recipient,
    /// The brand that signs.
    pub brand: Name,
    /// The zone on whose wall clock times are told: the dealer's, or the brand's.
    pub tz: Zone,
}

impl Tenant {
    /// What has to be known in order to write to a customer.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFound`] when this caller has no such customer.
    pub async fn correspondent(&self, customer: CustomerId) -> Result<Correspondent, Failure> {
        let sql = "SELECT c.dealer_id, c.name, coalesce(c.locale, t.locale) AS locale, c.email,
                          c.phone, t.name AS brand, coalesce(d.tz, t.tz) AS tz
                   FROM customer c
                   JOIN tenant t ON t.id = c.tenant_id
                   LEFT JOIN dealer d ON d.tenant_id = c.tenant_id AND d.id = c.dealer_id
                   WHERE c.tenant_id = ac.tenant() AND c.id = $1";
        let statement = self.statement(sql, [Uuid::from(customer).into()]);
        let row = self.work().query_one_raw(statement).await?.ok_or(Failure::NotFound)?;
        Ok(Correspondent {
            recipient: Recipient {
                customer_id: customer,
                dealer_id: column::<Option<DealerId>>(&row, "dealer_id")?,
                name: column::<Name>(&row, "name")?,
                locale: column::<Locale>(&row, "locale")?,
                email: column::<Option<Email>>(&row, "email")?,
                phone: column::<Option<Phone>>(&row, "phone")?,
            },
            brand: column::<Name>(&row, "brand")?,
            tz: column::<Zone>(&row, "tz")?,
        })
    }

    /// Writes to a customer, and lets the worker send it. In a sandbox it stays, to be looked at.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn tell(&self, to: &Correspondent, notice: &Notice) -> Result<Message, Fault> {
        let sender = Sender { brand: &to.brand, outlet: Outlet::of(self.is_sandbox()) };
        let letter = Message::write(self.new_id(), sender, &to.recipient, notice, self.now());
        self.record(letter).await
    }
}

fn column<T: Stored<Sql: TryGetable>>(row: &QueryResult, name: &str) -> Result<T, DbErr> {
    T::from_sql(row.try_get::<T::Sql>("", name)?).map_err(DbErr::Type)
}
