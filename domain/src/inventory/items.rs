//! Service items: one thing each that may be done for a customer.

use super::{
    benchmarks::{ClassChange, ItemClassChange},
    rules::{SAME_SERVICE_CLASS, SERVICE_CLASS_FIXED, SERVICE_CODE_FIXED},
};
use crate::{
    change::Change,
    conditions::Condition,
    ids::{ItemClassChangeId, ServiceItemId},
    money::Minor,
    number::whole_numbers,
    record::{Record, Version},
    refusal::{Refusal, illegal},
    text::{Code, Line, Name},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing that may be done for a customer.
///
/// What every competitor does too is an obligation: nobody is thanked for it, and leaving it out is a failure. Only
/// what others do not offer is a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "svc_01m80t7jx3e9vbq2f4c6d8g0hk", "code": "wall-check", "name": "墙面检查 Wall check",
    "class": "service", "mode": "standard", "category": "product", "phase": "after",
    "contact_mode": "in_person", "visit_mode": "on_site", "product_related": true, "tangible": false,
    "est_cost_minor": 3000, "est_minutes": 30, "perceived_value_minor": 12000, "relation_value": 3,
    "eligibility": "customer.tier == \"gold\"", "declared_monetisation": null,
    "status": "active", "created_at": "2026-11-22T09:30:00Z", "version": 1,
})))]
pub struct ServiceItem {
    /// Its identifier.
    pub id: ServiceItemId,
    /// What the brand says about it.
    #[serde(flatten)]
    pub details: ServiceItemDetails,
    /// Whether it is still done.
    pub status: ServiceItemStatus,
    /// When it was entered.
    pub created_at: Timestamp,
    /// How often the record was changed, from 1.
    pub version: Version,
}

/// What a brand says about a service item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "code": "wall-check", "name": "墙面检查 Wall check", "class": "service", "mode": "standard",
    "category": "product", "phase": "after", "contact_mode": "in_person", "visit_mode": "on_site",
    "product_related": true, "tangible": false, "est_cost_minor": 3000, "est_minutes": 30,
    "perceived_value_minor": 12000, "relation_value": 3,
    "eligibility": "customer.tier == \"gold\"", "declared_monetisation": null,
})))]
pub struct ServiceItemDetails {
    /// Its name for programs, unique in the brand. It stays: plans name the item by it.
    pub code: Code,
    /// Its name for people.
    pub name: Name,
    /// An obligation, which everybody offers, or a service. It changes by benchmarks, or by `reclassify`.
    pub class: ServiceClass,
    /// The same for every customer, or made for one; `standard` when left out.
    #[serde(default)]
    pub mode: ServiceMode,
    /// What it is about.
    pub category: ServiceCategory,
    /// When in the course of a sale it is done.
    pub phase: ServicePhase,
    /// How the customer meets somebody in it.
    pub contact_mode: ContactMode,
    /// Where it is done; null when it is nowhere in particular.
    #[serde(default)]
    pub visit_mode: Option<VisitMode>,
    /// Whether it has to do with what the customer bought; true when left out.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub product_related: bool,
    /// Whether the customer keeps something of it in their hands; false when left out.
    #[serde(default)]
    pub tangible: bool,
    /// What it costs, in minor units of the brand's currency.
    pub est_cost_minor: Minor,
    /// How long it takes.
    pub est_minutes: ServiceMinutes,
    /// What it is worth to the customer, in minor units of the brand's currency.
    pub perceived_value_minor: Minor,
    /// What it does for the relationship, from 0 (nothing) to 5.
    pub relation_value: RelationValue,
    /// For whom it is meant; null when it is for everybody.
    #[serde(default)]
    pub eligibility: Option<Condition>,
    /// What the brand openly earns by it; null when it earns nothing.
    #[serde(default)]
    pub declared_monetisation: Option<Line>,
}

/// `true`, for what is so unless somebody says otherwise.
fn yes() -> bool {
    true
}

/// Whether everybody offers something, or nobody else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceClass {
    /// Competitors do it too: leaving it out is a failure.
    Obligation,
    /// Others do not offer it.
    Service,
}

/// Whether a service is the same for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceMode {
    /// Every customer gets the same.
    #[default]
    Standard,
    /// It is made for one customer.
    Personalised,
}

/// What a service is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceCategory {
    /// The product itself.
    Product,
    /// Buying and owning it.
    Market,
    /// Something beside it.
    ValueAdded,
}

/// When in the course of a sale something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServicePhase {
    /// Before the sale.
    Pre,
    /// During the sale.
    In,
    /// After the sale.
    After,
}

/// How a customer meets somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactMode {
    /// Face to face.
    InPerson,
    /// On the telephone.
    Phone,
    /// In writing, back and forth.
    Chat,
    /// On a screen.
    Video,
    /// Not at all.
    None,
}

/// Where something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VisitMode {
    /// The customer comes to a site.
    Store,
    /// Somebody comes to the customer.
    OnSite,
    /// From afar.
    Remote,
    /// The thing is fetched and brought back.
    PickupReturn,
}

/// Whether a service item is still done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceItemStatus {
    /// It is.
    Active,
    /// It is no longer: no new plan names it.
    Retired,
}

whole_numbers! {
    /// How long a service takes: at most the minutes of a day.
    ServiceMinutes = 0 to 1440, "Minutes from 0 to 1440.", 30;
    /// What a service does for the relationship with a customer.
    RelationValue = 0 to 5, "From 0, nothing, to 5.", 3;
}

impl ServiceItem {
    /// Enters an item.
    pub fn enter(id: ServiceItemId, details: ServiceItemDetails, now: Timestamp) -> Change<Self> {
        let status = ServiceItemStatus::Active;
        Change::created(Self { id, details, status, created_at: now, version: Version::FIRST })
    }

    /// Replaces what is said about it.
    ///
    /// # Errors
    ///
    /// `service_code_fixed` and `service_class_fixed` for what does not change this way.
    pub fn update(self, details: ServiceItemDetails) -> Result<Change<Self>, Refusal> {
        if details.code != self.details.code {
            return Err(Refusal::new(&SERVICE_CODE_FIXED)
                .with("service_item_code", &self.details.code)
                .at("/code"));
        }
        if details.class != self.details.class {
            return Err(Refusal::new(&SERVICE_CLASS_FIXED)
                .with("class", self.details.class)
                .at("/class"));
        }
        Ok(Change::edit("update", &self, |it| it.details = details))
    }

    /// Ends it: no new plan names it.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is retired already.
    pub fn retire(self) -> Result<Change<Self>, Refusal> {
        self.turn("retire", ServiceItemStatus::Active, ServiceItemStatus::Retired)
    }

    /// Takes it up again.
    ///
    /// # Errors
    ///
    /// `illegal_transition` when it is active.
    pub fn reinstate(self) -> Result<Change<Self>, Refusal> {
        self.turn("reinstate", ServiceItemStatus::Retired, ServiceItemStatus::Active)
    }

    /// Puts it into the other class, because somebody says so.
    ///
    /// # Errors
    ///
    /// `same_service_class` when it is of that class.
    pub fn reclassify(
        self,
        id: ItemClassChangeId,
        to: ServiceClass,
        reason: Line,
        now: Timestamp,
    ) -> Result<ClassChange, Refusal> {
        if self.details.class == to {
            return Err(Refusal::new(&SAME_SERVICE_CLASS).with("class", to).at("/class"));
        }
        let line = ItemClassChange {
            id,
            service_item_id: self.id,
            from_class: self.details.class,
            to_class: to,
            reason: Some(reason),
            benchmark_id: None,
            changed_at: now,
        };
        Ok(self.moved_to(line, "reclassify"))
    }

    /// The item in the class that `line` tells of.
    pub(super) fn moved_to(mut self, line: ItemClassChange, action: &'static str) -> ClassChange {
        self.details.class = line.to_class;
        let item = Change::new(action, self).moved(line.from_class, line.to_class);
        let item = match line.benchmark_id {
            Some(benchmark) => item.with("benchmark_id", benchmark),
            None => item,
        };
        ClassChange { item, line }
    }

    fn turn(
        self,
        action: &'static str,
        from: ServiceItemStatus,
        to: ServiceItemStatus,
    ) -> Result<Change<Self>, Refusal> {
        if self.status != from {
            return Err(illegal(self.status, self.status.allowed()));
        }
        Ok(Change::new(action, Self { status: to, ..self }).moved(from, to))
    }
}

impl ServiceItemStatus {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Active => &["retire"],
            Self::Retired => &["reinstate"],
        }
    }
}

impl Record for ServiceItem {
    type Id = ServiceItemId;

    fn id(&self) -> ServiceItemId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }

    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    pub(in super::super) const NOW: &str = "2026-11-22T09:30:00Z";

    pub(in super::super) fn details(more: &Value) -> ServiceItemDetails {
        let mut details = json!({
            "code": "wall-check", "name": "Wall check", "class": "service", "category": "product",
            "phase": "after", "contact_mode": "in_person", "est_cost_minor": 3_000, "est_minutes": 30,
            "perceived_value_minor": 12_000, "relation_value": 3,
        });
        details.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(details).unwrap()
    }

    pub(in super::super) fn item(more: &Value) -> ServiceItem {
        let id = Uuid::from_u128(1).into();
        ServiceItem::enter(id, details(more), NOW.parse().unwrap()).record
    }
}

#[cfg(test)]
mod tests {
    use super::{
        samples::{NOW, details, item},
        *,
    };
    use serde_json::{from_value, json};
    use uuid::Uuid;

    #[test]
    fn what_is_left_out_has_a_default_and_what_is_unknown_is_refused() {
        let shown = serde_json::to_value(details(&json!({}))).unwrap();
        assert_eq!(shown["mode"], "standard");
        assert_eq!(shown["product_related"], true);
        assert_eq!((&shown["tangible"], &shown["eligibility"]), (&json!(false), &json!(null)));
        let misspelt = json!({ "code": "a", "klass": "service" });
        assert!(from_value::<ServiceItemDetails>(misspelt).is_err());
    }

    #[test]
    fn the_value_for_a_relationship_goes_from_0_to_5_and_a_service_takes_a_day_at_most() {
        for (number, fits) in [(0, true), (5, true), (6, false)] {
            assert_eq!(RelationValue::new(number).is_ok(), fits, "{number}");
        }
        for (minutes, fits) in [(0, true), (1_440, true), (1_441, false)] {
            assert_eq!(ServiceMinutes::new(minutes).is_ok(), fits, "{minutes}");
        }
    }

    #[test]
    fn an_item_keeps_its_code_and_its_class_in_an_edit() {
        let renamed = details(&json!({ "name": "Look at the wall" }));
        let change = item(&json!({})).update(renamed).unwrap();
        assert_eq!(change.facts["fields"], json!(["name"]));
        let refusal = item(&json!({})).update(details(&json!({ "code": "other" }))).unwrap_err();
        assert_eq!(refusal.rule.code, "service_code_fixed");
        let class = details(&json!({ "class": "obligation" }));
        let refusal = item(&json!({})).update(class).unwrap_err();
        assert_eq!(refusal.rule.code, "service_class_fixed");
    }

    #[test]
    fn an_item_is_retired_and_reinstated_once_each() {
        let retired = item(&json!({})).retire().unwrap().record;
        let refusal = retired.clone().retire().unwrap_err();
        assert_eq!(refusal.facts["allowed_transitions"], json!(["reinstate"]));
        let active = retired.reinstate().unwrap().record;
        assert_eq!(active.status, ServiceItemStatus::Active);
        assert!(active.reinstate().is_err());
    }

    #[test]
    fn somebody_puts_an_item_into_the_other_class_and_says_why() {
        let id = Uuid::from_u128(9).into();
        let reason: Line = "Two shops next door do it.".parse().unwrap();
        let now = NOW.parse().unwrap();
        let changed =
            item(&json!({})).reclassify(id, ServiceClass::Obligation, reason.clone(), now).unwrap();
        assert_eq!(changed.item.record.details.class, ServiceClass::Obligation);
        assert_eq!(changed.item.facts["to"], "obligation");
        assert_eq!(changed.line.reason.as_ref(), Some(&reason));
        let again = changed.item.record.reclassify(id, ServiceClass::Obligation, reason, now);
        assert_eq!(again.unwrap_err().rule.code, "same_service_class");
    }
}
