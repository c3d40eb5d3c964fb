//! Customers: whom the service is for.

use crate::{
    change::Change,
    event::Event,
    identity::Staff,
    ids::{CustomerId, DealerId, StaffId},
    orders::SalesOrder,
    pushes::Pushed,
    record::{Record, Version},
    refusal::{Kind, Refusal, Rule},
    text::{Bilingual, Code, Email, ExternalId, Locale, Name, Phone, Source},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A customer of the brand.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Customer {
    /// Their identifier.
    pub id: CustomerId,
    /// What the brand says about them.
    #[serde(flatten)]
    pub details: CustomerDetails,
    /// How far they have come with the brand.
    pub lifecycle: CustomerLifecycle,
    /// Who looks after them in person: steps of procedures that are the relationship owner's are theirs. Null when
    /// nobody was named, or the customer moved to another dealer since.
    pub relationship_owner_id: Option<StaffId>,
    /// When they became known here.
    pub created_at: Timestamp,
    /// How often the record was changed, from 1.
    pub version: Version,
}

/// What a brand or a dealer says about a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "source": "erp", "external_id": "C-100234", "dealer_id": "dlr_01m80t7jx3e9vbq2f4c6d8g0hk",
    "name": "李娜", "kind": "person", "locale": "zh-CN", "phone": "+8613800000000",
    "email": "li.na@example.com", "tier": "gold",
})))]
pub struct CustomerDetails {
    /// The system that `external_id` is from; `api` when left out.
    #[serde(default)]
    pub source: Source,
    /// What that system calls the customer, unique in it.
    #[serde(default)]
    pub external_id: Option<ExternalId>,
    /// The dealer who looks after them; only this dealer's people and the brand's see them.
    #[serde(default)]
    pub dealer_id: Option<DealerId>,
    /// What they are called.
    pub name: Name,
    /// A person or a company; `person` when left out.
    #[serde(default)]
    pub kind: CustomerKind,
    /// The language they are spoken to in; the brand's own when null.
    #[serde(default)]
    pub locale: Option<Locale>,
    /// Where they are called.
    #[serde(default)]
    pub phone: Option<Phone>,
    /// Where they are written to.
    #[serde(default)]
    pub email: Option<Email>,
    /// The brand's own class of customer, such as `gold`.
    #[serde(default)]
    pub tier: Option<Code>,
}

/// Who a customer is in law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerKind {
    /// A natural person.
    #[default]
    Person,
    /// A company or another organisation.
    Company,
}

/// How far a customer has come with the brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerLifecycle {
    /// Has bought nothing yet.
    Lead,
    /// Has bought something, or owns something of the brand's.
    Buyer,
    /// Had bought something, and called it off before it arrived. They are looked after as before.
    CancelledBuyer,
}

impl CustomerDetails {
    /// A customer of whom only the name in another system is known, as an order or an asset tells
    /// it. The external id stands in for the name until the brand pushes the customer.
    pub fn known_by(source: Source, external_id: ExternalId, dealer_id: Option<DealerId>) -> Self {
        Self {
            source,
            name: Name::from(&external_id),
            external_id: Some(external_id),
            dealer_id,
            kind: CustomerKind::default(),
            locale: None,
            phone: None,
            email: None,
            tier: None,
        }
    }
}

impl Customer {
    /// Welcomes a customer: a lead, until they buy.
    pub fn create(id: CustomerId, details: CustomerDetails, now: Timestamp) -> Change<Self> {
        Change::created(Self {
            id,
            details,
            lifecycle: CustomerLifecycle::Lead,
            relationship_owner_id: None,
            created_at: now,
            version: Version::FIRST,
        })
    }

    /// Replaces what is said about them. When another dealer looks after them now, nobody does in person until somebody
    /// is named, and what is set aside for them follows.
    pub fn update(self, details: CustomerDetails) -> Change<Self> {
        if details.dealer_id == self.details.dealer_id {
            return Change::edit("update", &self, |it| it.details = details);
        }
        let change = Change::edit("update", &self, |it| {
            it.details = details;
            it.relationship_owner_id = None;
        });
        change.emits(Event::CustomerMoved { customer: self.id })
    }

    /// Lets somebody look after them in person, whoever did before. What is to be done already stays with whom it is.
    ///
    /// # Errors
    ///
    /// `customer_not_for_them` when they do not work at the customer's dealer or for the brand, or are an auditor.
    pub fn assign(self, to: &Staff) -> Result<Change<Self>, Refusal> {
        if !to.may_be_given_work_of(self.details.dealer_id) {
            let refusal = Refusal::new(&CUSTOMER_NOT_FOR_THEM).with("staff_id", to.id);
            return Err(refusal.at("/staff_id"));
        }
        let before = self.relationship_owner_id;
        let change = Change::edit("assign", &self, |it| it.relationship_owner_id = Some(to.id));
        Ok(change.with("from_staff_id", before).with("staff_id", to.id))
    }

    /// Takes over what another system says; a customer that is not known yet is created as `id`.
    pub fn push(
        known: Option<Self>,
        id: CustomerId,
        details: CustomerDetails,
        now: Timestamp,
    ) -> Pushed<Self> {
        match known {
            None => Pushed::Created(Self::create(id, details, now)),
            Some(customer) if customer.details == details => Pushed::Unchanged(customer),
            Some(customer) => Pushed::Changed(customer.update(details)),
        }
    }

    /// Learns of a sale to them: whoever paid is a buyer. Nothing when it is not paid, or they are one
    /// already.
    pub fn learn_of(self, sale: &SalesOrder) -> Option<Change<Self>> {
        if sale.is_paid() { self.buy() } else { None }
    }

    /// Learns of a thing at their place: who has it is a buyer. Who had called everything off is one again once it is
    /// delivered, since until then it may be what they called off.
    pub fn learn_of_asset(self, is_delivered: bool) -> Option<Change<Self>> {
        match self.lifecycle {
            CustomerLifecycle::CancelledBuyer if !is_delivered => None,
            CustomerLifecycle::Lead
            | CustomerLifecycle::CancelledBuyer
            | CustomerLifecycle::Buyer => self.buy(),
        }
    }

    /// Makes a lead, or who had called everything off, a buyer; `None` when they are one already.
    pub fn buy(self) -> Option<Change<Self>> {
        match self.lifecycle {
            from @ (CustomerLifecycle::Lead | CustomerLifecycle::CancelledBuyer) => {
                let to = CustomerLifecycle::Buyer;
                Some(Change::new("buy", Self { lifecycle: to, ..self }).moved(from, to))
            }
            CustomerLifecycle::Buyer => None,
        }
    }

    /// Notes that a buyer has called off what they had bought; `None` when they have something else.
    pub fn call_off(self, has_something_else: bool) -> Option<Change<Self>> {
        match self.lifecycle {
            from @ CustomerLifecycle::Buyer if !has_something_else => {
                let to = CustomerLifecycle::CancelledBuyer;
                Some(Change::new("call_off", Self { lifecycle: to, ..self }).moved(from, to))
            }
            CustomerLifecycle::Lead
            | CustomerLifecycle::Buyer
            | CustomerLifecycle::CancelledBuyer => None,
        }
    }
}

impl Change<Customer> {
    /// Lets a customer who becomes known by what they bought be a buyer from the beginning.
    pub fn as_buyer(mut self) -> Self {
        self.record.lifecycle = CustomerLifecycle::Buyer;
        self
    }
}

impl Record for Customer {
    type Id = CustomerId;

    fn id(&self) -> CustomerId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.id)
    }

    fn dealer(&self) -> Option<DealerId> {
        self.details.dealer_id
    }
}

static CUSTOMER_NOT_FOR_THEM: Rule = Rule {
    code: "customer_not_for_them",
    kind: Kind::Unfit,
    title: Bilingual {
        en: "They cannot look after this customer", zh: "该人员不能负责此客户"
    },
    detail: Bilingual {
        en: "Whoever looks after a customer works at the customer's dealer or for the brand, and is no auditor; {staff_id} is not.",
        zh: "客户负责人须为客户所属经销商或品牌方的在职人员（审计员除外），{staff_id} 不符合。",
    },
    advice: Bilingual {
        en: "Choose somebody of `GET /v1/staff?status=active&dealer_id=…`.",
        zh: "请从 `GET /v1/staff?status=active&dealer_id=…` 中选择人员。",
    },
};

/// The rules of this file.
pub static RULES: &[&Rule] = &[&CUSTOMER_NOT_FOR_THEM];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::PushOutcome;
    use serde_json::json;
    use uuid::Uuid;

    fn li_na() -> CustomerDetails {
        serde_json::from_value(json!({ "external_id": "erp-1", "name": "李娜" })).unwrap()
    }

    fn id(number: u128) -> CustomerId {
        Uuid::from_u128(number).into()
    }

    fn now() -> Timestamp {
        "2026-11-22T09:30:00Z".parse().unwrap()
    }

    #[test]
    fn a_customer_begins_as_a_lead_and_buys_once() {
        let lead = Customer::create(id(1), li_na(), now()).record;
        assert_eq!(lead.lifecycle, CustomerLifecycle::Lead);
        let change = lead.buy().unwrap();
        assert_eq!(change.facts["to"], "buyer");
        assert_eq!(change.record.buy(), None);
    }

    #[test]
    fn who_calls_off_everything_is_a_customer_still_and_a_buyer_when_they_buy_again() {
        let lead = Customer::create(id(1), li_na(), now()).record;
        assert_eq!(lead.clone().call_off(false), None);
        assert!(lead.clone().learn_of_asset(false).is_some());
        let buyer = lead.buy().unwrap().record;
        assert_eq!(buyer.clone().call_off(true), None);
        let called_off = buyer.call_off(false).unwrap();
        assert_eq!(called_off.facts["to"], "cancelled_buyer");
        assert_eq!(called_off.record.clone().call_off(false), None);
        assert_eq!(called_off.record.clone().learn_of_asset(false), None);
        for again in [called_off.record.clone().learn_of_asset(true), called_off.record.buy()] {
            assert_eq!(again.unwrap().record.lifecycle, CustomerLifecycle::Buyer);
        }
    }

    #[test]
    fn who_moves_to_another_dealer_is_followed() {
        let customer = Customer::create(id(1), li_na(), now()).record;
        let west = CustomerDetails { dealer_id: Some(Uuid::from_u128(3).into()), ..li_na() };
        let moved = customer.clone().update(west);
        assert_eq!(moved.events, [(Event::CustomerMoved { customer: id(1) }, None)]);
        let renamed = CustomerDetails { name: Name::new("李 娜").unwrap(), ..li_na() };
        assert_eq!(customer.update(renamed).events, []);
    }

    #[test]
    fn the_same_push_twice_changes_nothing() {
        let first = Customer::push(None, id(1), li_na(), now());
        assert_eq!(first.outcome(), PushOutcome::Created);
        let known = first.record().clone();
        let again = Customer::push(Some(known.clone()), id(2), li_na(), now());
        assert_eq!(again, Pushed::Unchanged(known.clone()));
        let renamed = CustomerDetails { name: Name::new("李 娜").unwrap(), ..li_na() };
        let changed = Customer::push(Some(known), id(2), renamed, now());
        assert_eq!(changed.outcome(), PushOutcome::Changed);
        assert_eq!(changed.record().id, id(1));
    }

    #[test]
    fn what_is_left_out_has_a_default_and_what_is_unknown_is_refused() {
        let shown = serde_json::to_value(li_na()).unwrap();
        let expected = json!({
            "source": "api", "external_id": "erp-1", "dealer_id": null, "name": "李娜",
            "kind": "person", "locale": null, "phone": null, "email": null, "tier": null,
        });
        assert_eq!(shown, expected);
        let misspelt = json!({ "name": "李娜", "mail": "li.na@example.com" });
        assert!(serde_json::from_value::<CustomerDetails>(misspelt).is_err());
    }
}
