use super::*;
use crate::{
    catalogue::{ASSET_OF_ANOTHER_CUSTOMER, Asset, AssetDetails, Product, ProductDetails},
    customers::{Customer, CustomerDetails, CustomerLifecycle},
    pushes::{DAY_NOT_BEGUN, PushOutcome, Pushed, SITE_OF_ANOTHER_DEALER},
};
use serde_json::{Value, json};
use uuid::Uuid;

fn customer(number: u128) -> CustomerId {
    Uuid::from_u128(number).into()
}

fn dealer(number: u128) -> DealerId {
    Uuid::from_u128(number).into()
}

fn order_id() -> OrderId {
    Uuid::from_u128(100).into()
}

fn purifier_id() -> ProductId {
    Uuid::from_u128(200).into()
}

fn now() -> Timestamp {
    "2026-11-22T09:30:00Z".parse().unwrap()
}

fn on(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn paid(amount: i64) -> OrderLineDetails {
    serde_json::from_value(json!({ "quantity": 2, "price_minor": amount })).unwrap()
}

/// The sale of one thing, with `fields` said differently.
fn sale(fields: &Value) -> OrderDetails {
    let mut sale = json!({
        "source": "shop", "external_id": "S-1",
        "customer_id": customer(1), "dealer_id": dealer(1), "currency": "CNY",
        "lines": [{ "quantity": 2, "price_minor": 2_933 }],
    });
    for (name, value) in fields.as_object().unwrap() {
        sale[name] = value.clone();
    }
    serde_json::from_value(sale).unwrap()
}

fn ids(details: &OrderDetails) -> NewOrderIds {
    let mut numbers = 301..;
    NewOrderIds::new(order_id(), details, || Uuid::from_u128(numbers.next().unwrap()).into())
}

fn place(details: OrderDetails) -> Result<Change<Sale>, Refusal> {
    Sale::place(ids(&details), details, Mentioned::default(), now())
}

fn push(known: &Sale, fields: &Value) -> Result<Pushed<Sale>, Refusal> {
    let details = sale(fields);
    Sale::push(Some(known.clone()), ids(&details), details, Mentioned::default(), now())
}

fn quoted() -> Sale {
    place(sale(&json!({}))).unwrap().record
}

fn paid_on_monday() -> Sale {
    place(sale(&json!({ "paid_on": "2026-11-16" }))).unwrap().record
}

/// A purifier that costs the brand 1 000 fen.
fn purifier() -> Product {
    let details: ProductDetails = serde_json::from_value(json!({
        "sku": "RO-600G", "name": "Purifier", "category": "water-purifier",
        "after_sales_need": "rigid", "unit_cost_minor": 1_000,
        "price": { "amount": 2_000, "currency": "CNY" },
    }))
    .unwrap();
    Product::create(purifier_id(), details, now()).record
}

fn margin(currency: &str, line: &Value) -> Option<i64> {
    let details = sale(&json!({ "currency": currency, "lines": [line] }));
    let products = [purifier()];
    let mentioned = Mentioned { products: &products, ..Mentioned::default() };
    let order = Sale::place(ids(&details), details, mentioned, now()).unwrap().record;
    order.lines[0].margin_minor.map(Minor::get)
}

#[test]
fn a_payment_is_announced_once_however_it_is_told() {
    let announced = vec![(Event::OrderPaid { order: order_id() }, None)];
    let told_first = place(sale(&json!({ "paid_on": "2026-11-16" }))).unwrap();
    assert_eq!(told_first.events, announced);
    let by_verb = quoted().order.pay(on("2026-11-16"), now()).unwrap();
    assert_eq!(by_verb.events, announced);
    let by_push = push(&quoted(), &json!({ "paid_on": "2026-11-16" })).unwrap();
    assert_eq!(by_push.change().unwrap().events, announced);
    let again = push(&paid_on_monday(), &json!({ "paid_on": "2026-11-16" })).unwrap();
    assert_eq!(again.change(), None);
    let reassigned = push(&paid_on_monday(), &json!({ "asset_ids": [asset_id()] })).unwrap();
    assert_eq!(reassigned.change().unwrap().events, vec![]);
}

#[test]
fn an_identical_push_changes_nothing() {
    for order in [quoted(), paid_on_monday()] {
        let again = push(&order, &json!({})).unwrap();
        assert_eq!(again.outcome(), PushOutcome::Unchanged);
    }
}

#[test]
fn a_quote_may_change_and_keeps_its_lines_when_they_do_not() {
    let lines = json!([{ "quantity": 1, "price_minor": 9_900 }]);
    let changed = push(&quoted(), &json!({ "lines": lines, "currency": "USD" })).unwrap();
    let changed = changed.record();
    assert_eq!(changed.lines[0].price_minor.get(), 9_900);
    assert_eq!(changed.order.status, OrderStatus::Quoted);
    let moved = push(&quoted(), &json!({ "dealer_id": dealer(2) })).unwrap();
    assert_eq!(moved.record().lines, quoted().lines);
}

#[test]
fn whoever_paid_is_a_buyer() {
    let name = ExternalId::new("C-1").unwrap();
    let details = CustomerDetails::known_by(Source::default(), name, None);
    let lead = Customer::create(Uuid::from_u128(1).into(), details, now()).record;
    let quoted = quoted().order;
    assert_eq!(lead.clone().learn_of(&quoted), None);
    let paid = quoted.pay(on("2026-11-16"), now()).unwrap().record;
    let buyer = lead.learn_of(&paid).unwrap().record;
    assert_eq!(buyer.lifecycle, CustomerLifecycle::Buyer);
    assert_eq!(buyer.learn_of(&paid), None);
}

#[test]
fn what_was_sold_stands_once_it_is_paid() {
    let order = paid_on_monday();
    let more = json!({ "lines": [{ "quantity": 3, "price_minor": 2_933 }], "currency": "USD" });
    let refusal = push(&order, &more).unwrap_err();
    assert_eq!(refusal.rule, &ORDER_SETTLED);
    assert_eq!(refusal.facts["changed"], json!(["currency", "lines"]));
    let another_day = push(&order, &json!({ "paid_on": "2026-11-17" })).unwrap_err();
    assert_eq!(another_day.facts["changed"], json!(["paid_on"]));
    let cancelled = Sale { order: quoted().order.cancel().unwrap().record, ..quoted() };
    let site = SiteId::from(Uuid::from_u128(500));
    let too_late = push(&cancelled, &json!({ "site_id": site })).unwrap_err();
    assert_eq!(too_late.facts["changed"], json!(["site_id"]));
    assert!(push(&cancelled, &json!({})).is_ok());
}

#[test]
fn a_sale_goes_from_quoted_to_paid_to_delivered() {
    let today = on("2026-11-22");
    let paid = quoted().order.pay(today, now()).unwrap().record;
    assert!(paid.is_paid());
    let delivered = paid.clone().deliver(today, now()).unwrap().record;
    assert_eq!((delivered.status, delivered.delivered_on), (OrderStatus::Delivered, Some(today)));
    let refused = [
        (paid.clone().pay(today, now()), json!(["deliver", "refund"])),
        (paid.clone().cancel(), json!(["deliver", "refund"])),
        (quoted().order.deliver(today, now()), json!(["pay", "cancel"])),
        (delivered.clone().deliver(today, now()), json!(["refund"])),
        (quoted().order.refund(today, now()), json!(["pay", "cancel"])),
    ];
    for (verb, allowed) in refused {
        assert_eq!(verb.unwrap_err().facts["allowed_transitions"], allowed);
    }
    for sold in [paid, delivered] {
        let refunded = sold.refund(today, now()).unwrap();
        assert_eq!(
            (refunded.record.status, refunded.record.is_paid()),
            (OrderStatus::Refunded, false)
        );
        assert_eq!(refunded.events, [(Event::OrderRefunded { order: refunded.record.id }, None)]);
        assert!(refunded.record.refund(today, now()).is_err());
    }
}

#[test]
fn nobody_has_paid_or_received_tomorrow() {
    let ahead = on("2026-11-24");
    let told = place(sale(&json!({ "paid_on": ahead })));
    assert_eq!(told.unwrap_err().rule, &DAY_NOT_BEGUN);
    let (quoted, paid) = (quoted().order, paid_on_monday().order);
    for refused in [quoted.pay(ahead, now()), paid.deliver(ahead, now())] {
        assert_eq!(refused.unwrap_err().rule, &DAY_NOT_BEGUN);
    }
}

#[test]
fn a_margin_is_price_less_the_nearest_known_cost() {
    let line = |product: bool, cost: Value| {
        let product_id = product.then(purifier_id);
        json!({ "product_id": product_id, "quantity": 2, "price_minor": 3_500, "cost_minor": cost })
    };
    assert_eq!(margin("CNY", &line(true, json!(500))), Some(3_000));
    assert_eq!(margin("CNY", &line(true, Value::Null)), Some(1_500));
    assert_eq!(margin("USD", &line(true, Value::Null)), None);
    assert_eq!(margin("CNY", &line(false, Value::Null)), None);
    assert_eq!(margin("CNY", &line(false, json!(4_000))), Some(0));
}

#[test]
fn a_sale_has_1_to_200_lines() {
    let of = |count: usize| OrderDetails { lines: vec![paid(1); count], ..sale(&json!({})) };
    assert_eq!(place(of(0)).unwrap_err().rule, &ORDER_WITHOUT_LINES);
    assert_eq!(place(of(MOST_LINES)).unwrap().record.lines.len(), MOST_LINES);
    let refusal = place(of(MOST_LINES + 1)).unwrap_err();
    assert_eq!(refusal.rule, &ORDER_TOO_LONG);
    assert_eq!(refusal.facts["found"], 201);
}

#[test]
fn a_sale_names_at_most_200_assets() {
    let of = |count| OrderDetails { asset_ids: vec![asset_id(); count], ..sale(&json!({})) };
    assert!(place(of(MOST_ASSETS)).is_ok());
    assert_eq!(place(of(MOST_ASSETS + 1)).unwrap_err().facts["field"], "asset_ids");
}

fn asset_id() -> AssetId {
    Uuid::from_u128(400).into()
}

#[test]
fn a_sale_speaks_of_its_own_dealer_and_customer() {
    let owned_by = |owner: CustomerId| {
        let details: AssetDetails =
            serde_json::from_value(json!({ "customer_id": owner, "product_id": purifier_id() }))
                .unwrap();
        [Asset::create(asset_id(), details, now()).unwrap().record]
    };
    let place = |site_dealer, assets: &[Asset]| {
        let details = sale(&json!({}));
        let mentioned = Mentioned { site_dealer, assets, products: &[] };
        Sale::place(ids(&details), details, mentioned, now())
    };
    assert!(place(Some(dealer(1)), &owned_by(customer(1))).is_ok());
    let elsewhere = place(Some(dealer(2)), &[]).unwrap_err();
    assert_eq!(elsewhere.rule, &SITE_OF_ANOTHER_DEALER);
    let not_theirs = place(None, &owned_by(customer(2))).unwrap_err();
    assert_eq!(not_theirs.rule, &ASSET_OF_ANOTHER_CUSTOMER);
}
