//! What a gesture gives: as money and limits look at it, and as the brand's inventory describes it.

use super::{
    GESTURE_ITEM_RETIRED, GIFT_IN_OTHER_CURRENCY, GIFT_OUTSIDE_MARGIN, GIFT_SOLD_OUT, GestureKind,
    GestureRequest,
};
use crate::{
    inventory::{GiftItem, GiftStatus, ServiceCategory, ServiceItem, ServiceItemStatus},
    money::Minor,
    refusal::Refusal,
};

/// What is given, as lots, limits and the guard against heavy gifts look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// What it is.
    pub kind: GestureKind,
    /// Whether the customer keeps something of it in their hands.
    pub tangible: bool,
    /// What the service is about that it names; `None` when it names none.
    pub category: Option<ServiceCategory>,
}

impl Given {
    /// Something of this kind that is not in the inventory.
    pub fn of(kind: GestureKind) -> Self {
        Self { kind, tangible: kind.is_tangible(), category: None }
    }
}

/// The service and the gift that a gesture names, as the inventory has them now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NamedItems {
    /// The service.
    pub service: Option<ServiceItem>,
    /// The gift.
    pub gift: Option<GiftItem>,
}

impl NamedItems {
    /// What a gesture of `kind` gives that names them. A thing stays one, whatever the gesture is called: or a gift that is
    /// called a service would pass by the guard.
    pub(super) fn given(&self, kind: GestureKind) -> Given {
        let is_thing = self.gift.as_ref().is_some_and(|gift| gift.details.tangible)
            || self.service.as_ref().is_some_and(|service| service.details.tangible);
        Given {
            tangible: kind.is_tangible() || is_thing,
            category: self.service.as_ref().map(|service| service.details.category),
            ..Given::of(kind)
        }
    }

    /// What they are worth to the customer; `None` when nothing is named.
    pub(super) fn perceived_value(&self) -> Option<Minor> {
        let service = self.service.as_ref().map(|service| service.details.perceived_value_minor);
        let gift = self.gift.as_ref().map(|gift| gift.details.perceived_value_minor);
        service.into_iter().chain(gift).reduce(Minor::plus)
    }

    /// Expects that they can be given, to a customer whose purchases have earned `margin`.
    pub(super) fn check(&self, request: &GestureRequest, margin: Minor) -> Result<(), Refusal> {
        if let Some(service) = &self.service
            && service.status == ServiceItemStatus::Retired
        {
            let refusal = Refusal::new(&GESTURE_ITEM_RETIRED).with("code", &service.details.code);
            return Err(refusal.at("/service_item_id"));
        }
        match &self.gift {
            Some(gift) => check_gift(gift, request, margin).map_err(|it| it.at("/gift_id")),
            None => Ok(()),
        }
    }
}

fn check_gift(gift: &GiftItem, request: &GestureRequest, margin: Minor) -> Result<(), Refusal> {
    let details = &gift.details;
    if gift.status == GiftStatus::Retired {
        return Err(Refusal::new(&GESTURE_ITEM_RETIRED).with("code", &details.code));
    }
    if details.currency != request.currency {
        return Err(Refusal::new(&GIFT_IN_OTHER_CURRENCY)
            .with("code", &details.code)
            .with("currency", details.currency)
            .with("asked", request.currency));
    }
    if !details.is_left(1) {
        return Err(Refusal::new(&GIFT_SOLD_OUT).with("code", &details.code));
    }
    if !details.goes_with(Some(margin)) {
        return Err(Refusal::new(&GIFT_OUTSIDE_MARGIN)
            .with("code", &details.code)
            .with("margin_minor", margin)
            .with("least_margin_minor", details.least_margin_minor)
            .with("most_margin_minor", details.most_margin_minor));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{allowances::examples::minor, ids::CustomerId, record::Version, time::Timestamp};
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn now() -> Timestamp {
        "2026-06-01T00:00:00Z".parse().unwrap()
    }

    fn told(mut details: Value, more: &Value) -> Value {
        details.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        details
    }

    fn gift(more: &Value) -> GiftItem {
        let details = json!({"code": "moon-cake", "name": "Moon cake", "currency": "CNY", "cost_minor": 2_800,
            "perceived_value_minor": 6_800});
        let details = serde_json::from_value(told(details, more)).unwrap();
        let (id, status) = (Uuid::from_u128(5).into(), GiftStatus::Active);
        GiftItem { id, details, status, created_at: now(), version: Version::FIRST }
    }

    fn service(more: &Value) -> ServiceItem {
        let details = json!({"code": "wall-check", "name": "Wall check", "class": "service", "category": "product",
            "phase": "after", "contact_mode": "in_person", "est_cost_minor": 3_000, "est_minutes": 30,
            "perceived_value_minor": 12_000, "relation_value": 3});
        let details = serde_json::from_value(told(details, more)).unwrap();
        let (id, status) = (Uuid::from_u128(6).into(), ServiceItemStatus::Active);
        ServiceItem { id, details, status, created_at: now(), version: Version::FIRST }
    }

    fn request() -> GestureRequest {
        let customer: CustomerId = Uuid::from_u128(7).into();
        serde_json::from_value(json!({"customer_id": customer, "kind": "gift", "currency": "CNY",
            "problem_solved": "The filter was late.", "estimate_minor": 2_800}))
        .unwrap()
    }

    fn refused(items: &NamedItems, margin: i64) -> Option<(&'static str, Option<String>)> {
        let refusal = items.check(&request(), minor(margin)).err()?;
        Some((refusal.rule.code, refusal.place))
    }

    #[test]
    fn what_is_named_must_be_there_to_give() {
        let items = |more: &Value| NamedItems { gift: Some(gift(more)), service: None };
        let at = |code| Some((code, Some("/gift_id".to_owned())));
        assert_eq!(refused(&items(&json!({"stock": 1})), 0), None);
        assert_eq!(refused(&items(&json!({"stock": 0})), 0), at("gift_sold_out"));
        assert_eq!(refused(&items(&json!({"currency": "EUR"})), 0), at("gift_in_other_currency"));
        let gone = GiftItem { status: GiftStatus::Retired, ..gift(&json!({})) };
        let gone = NamedItems { gift: Some(gone), service: None };
        assert_eq!(refused(&gone, 0), at("gesture_item_retired"));
        let gone = ServiceItem { status: ServiceItemStatus::Retired, ..service(&json!({})) };
        let gone = NamedItems { service: Some(gone), gift: None };
        let place = Some("/service_item_id".to_owned());
        assert_eq!(refused(&gone, 0), Some(("gesture_item_retired", place)));
    }

    #[test]
    fn a_gift_goes_with_the_margins_in_its_band() {
        let band = json!({"least_margin_minor": 1_000, "most_margin_minor": 2_000});
        let items = NamedItems { gift: Some(gift(&band)), service: None };
        let goes = [999, 1_000, 2_000, 2_001].map(|margin| refused(&items, margin).is_none());
        assert_eq!(goes, [false, true, true, false]);
    }

    #[test]
    fn a_thing_is_one_whatever_it_is_called() {
        let kind = GestureKind::PersonalisedService;
        let with = |service, gift| NamedItems { service, gift }.given(kind);
        assert!(!with(None, None).tangible);
        assert!(!with(Some(service(&json!({}))), None).tangible);
        assert!(with(Some(service(&json!({"tangible": true}))), None).tangible);
        assert!(with(None, Some(gift(&json!({})))).tangible);
        let film = Some(gift(&json!({"tangible": false})));
        assert!(!with(None, film.clone()).tangible);
        assert!(NamedItems { service: None, gift: film }.given(GestureKind::Gift).tangible);
        let named = with(Some(service(&json!({}))), None);
        assert_eq!(named.category, Some(ServiceCategory::Product));
    }

    #[test]
    fn what_it_is_worth_is_what_the_inventory_says() {
        let (service, gift) = (Some(service(&json!({}))), Some(gift(&json!({}))));
        let both = NamedItems { service, gift };
        assert_eq!(both.perceived_value(), Some(minor(18_800)));
        assert_eq!(NamedItems::default().perceived_value(), None);
    }
}
