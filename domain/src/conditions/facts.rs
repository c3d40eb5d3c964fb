//! What a condition can ask for.

use super::grammar::FactName;
use crate::{
    customers::{Customer, CustomerKind, CustomerLifecycle},
    money::{Currency, Minor},
    sops::SopValue,
    text::{Code, Locale, Sku},
};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, Ref, Schema, Type},
};

/// What is known when a condition is asked. Whatever is left out is not known, and null to the condition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({
    "customer": {"kind": "person", "lifecycle": "buyer", "locale": "zh-CN", "tier": "gold"},
    "place": {"region": "hangzhou", "site": "west-lake"}, "weather": {"temp_c10": 315},
    "order": {"total_minor": 299_900, "currency": "CNY", "line_count": 2},
    "product": {"category": "water-purifier", "sku": "RO-600G"},
    "event": {"reason": "first-visit"}, "step": {"tds": 35},
})))]
pub struct ConditionFacts {
    /// The customer.
    pub customer: CustomerFacts,
    /// Where it happens.
    pub place: PlaceFacts,
    /// The weather there.
    pub weather: WeatherFacts,
    /// The sale.
    pub order: OrderFacts,
    /// What was sold.
    pub product: ProductFacts,
    /// What has happened, by name.
    #[schema(schema_with = events)]
    pub event: BTreeMap<Code, SopValue>,
    /// What was found at the steps of a procedure, by the step's key.
    #[schema(schema_with = steps)]
    pub step: BTreeMap<Code, SopValue>,
}

fn events() -> Schema {
    by_name("What has happened, by name.")
}

fn steps() -> Schema {
    by_name("What was found at the steps of a procedure, by the step's key.")
}

/// Values by names that nobody has counted.
fn by_name(says: &str) -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(Ref::from_schema_name(SopValue::name())))
        .description(Some(says))
        .into()
}

/// What a condition can know about a customer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CustomerFacts {
    /// A person or a company.
    pub kind: Option<CustomerKind>,
    /// How far they have come with the brand.
    pub lifecycle: Option<CustomerLifecycle>,
    /// The language they are spoken to in.
    pub locale: Option<Locale>,
    /// The brand's own class of customer.
    pub tier: Option<Code>,
}

impl From<&Customer> for CustomerFacts {
    fn from(customer: &Customer) -> Self {
        Self {
            kind: Some(customer.details.kind),
            lifecycle: Some(customer.lifecycle),
            locale: customer.details.locale,
            tier: customer.details.tier.clone(),
        }
    }
}

/// What a condition can know about a place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlaceFacts {
    /// The region that the site serves.
    pub region: Option<Code>,
    /// The site, by its code.
    pub site: Option<Code>,
}

/// What a condition can know about the weather.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WeatherFacts {
    /// The temperature in tenths of a degree Celsius: 315 are 31.5 °C.
    pub temp_c10: Option<i32>,
}

/// What a condition can know about a sale.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OrderFacts {
    /// What was paid, in minor units.
    pub total_minor: Option<Minor>,
    /// The currency it was paid in.
    pub currency: Option<Currency>,
    /// How many lines it has.
    #[schema(maximum = 65_535)]
    pub line_count: Option<u16>,
}

/// What a condition can know about a product.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProductFacts {
    /// The brand's own class of product.
    pub category: Option<Code>,
    /// The stock-keeping unit.
    pub sku: Option<Sku>,
}

/// Facts as they are told, each to be found by its name.
pub(super) struct Told(Value);

impl From<&ConditionFacts> for Told {
    fn from(facts: &ConditionFacts) -> Self {
        Self(serde_json::to_value(facts).unwrap_or_default())
    }
}

impl Told {
    /// The fact called `name`, when it is known.
    pub(super) fn find(&self, name: &FactName) -> Option<&Value> {
        self.0.get(name.root)?.get(&name.member).filter(|fact| !fact.is_null())
    }

    /// The facts of `root` that are asked for by name; null where they are not known.
    pub(super) fn of_root<'a>(
        &'a self,
        root: &str,
        names: &'a BTreeSet<FactName>,
    ) -> BTreeMap<&'a str, Fact<'a>> {
        let asked = names.iter().filter(|name| name.root == root);
        asked.map(|name| (name.member.as_str(), Fact(self.find(name)))).collect()
    }
}

/// A fact as the language reads it: all numbers are doubles, whether they are whole or not.
pub(super) struct Fact<'a>(Option<&'a Value>);

impl Serialize for Fact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(Value::Number(number)) => number.as_f64().serialize(serializer),
            None | Some(Value::Null) => serializer.serialize_none(),
            Some(
                other @ (Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_)),
            ) => other.serialize(serializer),
        }
    }
}
