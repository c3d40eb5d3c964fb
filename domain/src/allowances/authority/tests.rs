//! Authority, limit by limit.

use super::*;
use crate::{
    allowances::{
        examples::{at, authority, fen, id, limit, minor},
        gestures::Given,
    },
    inventory::ServiceCategory,
};
use serde_json::{Value, from_value, json};

fn ladder() -> Authority {
    let mut brand = limit(Role::BrandAdmin, 0, None);
    brand.details.unlimited = true;
    authority(vec![
        limit(Role::Clerk, 5_000, Some(12_000)),
        limit(Role::Manager, 20_000, Some(40_000)),
        limit(Role::Owner, 100_000, None),
        brand,
    ])
}

/// What stands between anybody in `role` and granting `amount`.
fn beyond(authority: &Authority, role: Role, amount: i64) -> Vec<GestureLimit> {
    let failures = authority.judge(Holder { role, staff_id: None, grants_now: false }, fen(amount));
    failures.iter().map(|failure| failure.limit).collect()
}

#[expect(clippy::unwrap_in_result, reason = "hands the rule's own answer on")]
fn set(more: &Value) -> Result<AuthorityLimit, Refusal> {
    let mut details = json!({"role": "clerk", "currency": "CNY", "per_request_minor": 5_000});
    let more = more.as_object().unwrap().clone();
    details.as_object_mut().unwrap().extend(more);
    let details = from_value(details).unwrap();
    Ok(AuthorityLimit::set(id(1), details, at("2026-01-01T00:00:00Z"))?.record)
}

#[test]
fn the_next_rank_is_the_lowest_above_that_covers_it() {
    let next = |amount, rank| ladder().next_rank(fen(amount), rank);
    assert_eq!(next(20_000, Rank::MANAGER), Some(Rank::OWNER));
    assert_eq!(next(100_001, Rank::MANAGER), Some(Rank::BRAND));
    assert_eq!(next(20_000, Rank::BRAND), None);
}

#[test]
fn a_clerk_gives_up_to_the_limit() {
    assert_eq!(beyond(&ladder(), Role::Clerk, 5_000), []);
    assert_eq!(beyond(&ladder(), Role::Clerk, 5_001), [GestureLimit::PerRequest]);
}

#[test]
fn a_customer_is_given_up_to_the_limit_of_the_month() {
    let granted = Granted { customer_month_minor: minor(8_000), ..Granted::default() };
    let authority = Authority { granted, ..ladder() };
    assert_eq!(beyond(&authority, Role::Clerk, 4_000), []);
    assert_eq!(beyond(&authority, Role::Clerk, 4_001), [GestureLimit::PerCustomerMonth]);
    assert_eq!(beyond(&authority, Role::Manager, 4_001), []);
}

#[test]
fn every_limit_that_is_in_the_way_is_told_with_its_numbers() {
    let strict = set(&json!({"staff_id": id::<StaffId>(7), "role": null, "per_day_minor": 6_000,
        "per_month_minor": 7_000, "per_customer_month_minor": 5_500, "per_customer_month_count": 2}));
    let granted = Granted {
        customer_month_minor: minor(1_000),
        customer_month_count: 2,
        own_day_minor: minor(2_000),
        own_month_minor: minor(3_000),
        gifts_this_year: 0,
    };
    let authority = Authority { granted, ..authority(vec![strict.unwrap()]) };
    let clerk = Holder { role: Role::Clerk, staff_id: Some(id(7)), grants_now: true };
    let failures = authority.judge(clerk, fen(5_001));
    assert_eq!(
        failures,
        [
            LimitFailure::amount(GestureLimit::PerRequest, minor(5_000), minor(0)),
            LimitFailure::amount(GestureLimit::PerDay, minor(6_000), minor(2_000)),
            LimitFailure::amount(GestureLimit::PerMonth, minor(7_000), minor(3_000)),
            LimitFailure::amount(GestureLimit::PerCustomerMonth, minor(5_500), minor(1_000)),
            LimitFailure::count(GestureLimit::PerCustomerMonthCount, 2, 2),
        ]
    );
    let fewer = Granted { customer_month_count: 1, ..granted };
    let authority = Authority { granted: fewer, ..authority };
    assert_eq!(authority.judge(clerk, fen(4_000)), [], "exactly what day and month allow");
    let failures = authority.judge(clerk, fen(4_001));
    let names: Vec<_> = failures.iter().map(|failure| failure.limit).collect();
    assert_eq!(names, [GestureLimit::PerDay, GestureLimit::PerMonth]);
}

#[test]
fn the_closest_limit_counts() {
    let own = set(&json!({"role": null, "staff_id": id::<StaffId>(7), "per_request_minor": 9_000}));
    let waiver = set(&json!({"kind": "penalty_waiver", "per_request_minor": 0}));
    let rich = set(&json!({"margin_from_minor": 300_000, "per_request_minor": 8_000}));
    let limits =
        vec![limit(Role::Clerk, 5_000, None), own.unwrap(), waiver.unwrap(), rich.unwrap()];
    let authority = authority(limits);
    let most = |authority: &Authority, staff_id: Option<u128>| {
        let clerk = Holder { role: Role::Clerk, staff_id: staff_id.map(id), grants_now: true };
        authority.judge(clerk, fen(90_000))[0].most_minor.unwrap().get()
    };
    assert_eq!(most(&authority, Some(8)), 5_000);
    assert_eq!(most(&authority, Some(7)), 9_000);
    let given = Given::of(GestureKind::PenaltyWaiver);
    let waives = Authority { given, ..authority.clone() };
    assert_eq!(most(&waives, None), 0);
    let thin = Authority { margin_minor: minor(299_999), ..authority.clone() };
    assert_eq!(most(&thin, None), 5_000);
    let rich = Authority { margin_minor: minor(300_000), ..authority };
    assert_eq!(most(&rich, None), 8_000);
}

#[test]
fn a_limit_for_a_category_counts_for_services_of_it() {
    let beside = set(&json!({"category": "value_added", "per_request_minor": 1_000}));
    let of_gifts = set(&json!({"kind": "gift", "per_request_minor": 3_000}));
    let limits = vec![limit(Role::Clerk, 5_000, None), beside.unwrap(), of_gifts.unwrap()];
    let most = |kind, category| {
        let given = Given { category, ..Given::of(kind) };
        let authority = Authority { given, ..authority(limits.clone()) };
        let clerk = Holder { role: Role::Clerk, staff_id: None, grants_now: true };
        authority.judge(clerk, fen(90_000))[0].most_minor.unwrap().get()
    };
    let service = GestureKind::PersonalisedService;
    assert_eq!(most(service, Some(ServiceCategory::ValueAdded)), 1_000);
    assert_eq!(most(service, Some(ServiceCategory::Product)), 5_000);
    assert_eq!(most(service, None), 5_000, "it names no service");
    let gift = most(GestureKind::Gift, Some(ServiceCategory::ValueAdded));
    assert_eq!(gift, 3_000, "one for the kind is closer than one for the category");
}

#[test]
fn whoever_has_a_larger_limit_of_their_own_is_found() {
    let own =
        set(&json!({"role": null, "staff_id": id::<StaffId>(7), "per_request_minor": 30_000}));
    let limits = [ladder().limits[..2].to_vec(), vec![own.unwrap()]].concat();
    let decider = Decider { staff_id: id(7), role: Role::Manager };
    let known = Authority { deciders: vec![decider], ..authority(limits.clone()) };
    assert_eq!(known.required_rank(fen(30_000)), Some(Rank::MANAGER));
    assert_eq!(known.required_rank(fen(30_001)), None);
    assert_eq!(authority(limits).required_rank(fen(30_000)), None, "on leave, or gone");
}

#[test]
fn who_stands_in_for_somebody_decides_as_either_of_them() {
    let own = set(&json!({"role": null, "staff_id": id::<StaffId>(7), "per_request_minor": 9_000}));
    let limits = [ladder().limits, vec![own.unwrap()]].concat();
    let both = [
        Capacity { rank: Rank::OWNER, staff_id: Some(id(8)) },
        Capacity { rank: Rank::MANAGER, staff_id: Some(id(7)) },
    ];
    let rank = |capacities: &[Capacity], amount| {
        authority(limits.clone()).expect_one_of(capacities, fen(amount))
    };
    assert_eq!(rank(&both, 9_000), Ok(Rank::MANAGER), "the absent person's own limit");
    assert_eq!(rank(&both, 9_001), Ok(Rank::OWNER));
    let refusal = rank(&both, 100_001).unwrap_err();
    assert_eq!(refusal.facts["failed_limits"][0]["most_minor"], 100_000);
    assert_eq!(rank(&[], 1).unwrap_err().rule.code, "beyond_all_authority");
}

#[test]
fn a_limit_counts_on_its_days() {
    let of_may = set(&json!({"valid_from_on": "2026-05-01", "valid_to_on": "2026-05-31"}));
    let authority = authority(vec![of_may.unwrap()]);
    for (on, counts) in
        [("2026-04-30", false), ("2026-05-01", true), ("2026-05-31", true), ("2026-06-01", false)]
    {
        let today = Authority { today: on.parse().unwrap(), ..authority.clone() };
        assert_eq!(beyond(&today, Role::Clerk, 5_000).is_empty(), counts, "{on}");
    }
}

#[test]
fn a_role_without_a_limit_gives_only_what_costs_nothing() {
    for role in [Role::Technician, Role::SupportAgent, Role::Auditor] {
        assert_eq!(beyond(&ladder(), role, 1), [GestureLimit::NoLimitSet], "{role:?}");
        assert_eq!(beyond(&ladder(), role, 0), [], "{role:?}");
    }
    let dollar = crate::money::Money { amount: minor(1), currency: Currency::USD };
    let clerk = Holder { role: Role::Clerk, staff_id: None, grants_now: false };
    assert_eq!(ladder().judge(clerk, dollar)[0].limit, GestureLimit::NoLimitSet);
}

#[test]
fn the_lowest_rank_that_covers_it_decides() {
    let rank = |amount| ladder().required_rank(fen(amount));
    assert_eq!(rank(20_000), Some(Rank::MANAGER));
    assert_eq!(rank(20_001), Some(Rank::OWNER));
    assert_eq!(rank(100_001), Some(Rank::BRAND));
    let few = Authority { limits: ladder().limits[..2].to_vec(), ..ladder() };
    assert_eq!(few.required_rank(fen(20_000)), Some(Rank::MANAGER));
    assert_eq!(few.required_rank(fen(20_001)), None);
}

#[test]
fn who_is_away_is_passed_over_unless_nobody_else_may() {
    let away = Authority { absent: [Rank::MANAGER].into(), ..ladder() };
    assert_eq!(away.required_rank(fen(20_000)), Some(Rank::OWNER));
    let few = Authority { limits: ladder().limits[..2].to_vec(), ..away };
    assert_eq!(few.required_rank(fen(20_000)), Some(Rank::MANAGER), "they will be back");
}

#[test]
fn an_approver_decides_as_far_as_their_own_limit() {
    let expect = |rank, amount| {
        ladder().expect_one_of(&[Capacity { rank, staff_id: None }], fen(amount)).map(drop)
    };
    assert_eq!(expect(Rank::MANAGER, 20_000), Ok(()));
    let refusal = expect(Rank::MANAGER, 20_001).unwrap_err();
    assert_eq!(refusal.rule.code, "beyond_authority");
    assert_eq!(refusal.facts["required_rank"], 40);
    assert_eq!(refusal.facts["beyond"], json!(["per_request"]));
    assert_eq!(refusal.facts["failed_limits"][0]["most_minor"], 20_000);
    assert_eq!(expect(Rank::BRAND, 1_000_000), Ok(()));
    assert!(expect(Rank::CLERK, 1).is_err());
}

#[test]
fn a_limit_is_a_role_s_or_a_person_s() {
    let code = |more: &Value| set(more).unwrap_err().rule.code;
    assert_eq!(code(&json!({"staff_id": id::<StaffId>(7)})), "limit_without_holder");
    assert_eq!(code(&json!({"role": null})), "limit_without_holder");
}

#[test]
fn a_cap_is_not_below_its_parts() {
    for (cap, part) in
        [("per_day_minor", 5_000), ("per_month_minor", 5_000), ("per_customer_month_minor", 5_000)]
    {
        assert!(set(&json!({ cap: part })).is_ok(), "{cap}");
        let refusal = set(&json!({ cap: part - 1 })).unwrap_err();
        assert_eq!(refusal.rule.code, "cap_below_its_parts", "{cap}");
        assert_eq!(refusal.facts["cap"], cap);
        assert_eq!(refusal.place, Some(format!("/{cap}")));
    }
    let month = |month: i64| json!({"per_day_minor": 8_000, "per_month_minor": month});
    assert!(set(&month(8_000)).is_ok());
    assert_eq!(set(&month(7_999)).unwrap_err().facts["part"], "per_day_minor");
    assert!(set(&json!({"unlimited": true, "per_day_minor": 0})).is_ok());
}

#[test]
fn a_range_does_not_end_before_it_begins() {
    let band = |to: i64| set(&json!({"margin_from_minor": 100, "margin_to_minor": to}));
    assert!(band(101).is_ok());
    assert_eq!(band(100).unwrap_err().rule.code, "range_ends_before_it_begins");
    let days = |to: &str| set(&json!({"valid_from_on": "2026-05-01", "valid_to_on": to}));
    assert!(days("2026-05-01").is_ok());
    assert_eq!(days("2026-04-30").unwrap_err().rule.code, "range_ends_before_it_begins");
}

#[test]
fn a_program_decides_as_the_brand_and_a_dealers_program_as_the_owner() {
    let key = Actor::Key(id(1));
    let dealers = Reach { dealer: Some(id(3)), technician: None };
    assert_eq!(rank_of(key, Reach::default()), Rank::BRAND);
    assert_eq!(rank_of(key, dealers), Rank::OWNER);
    let manager = Actor::Staff { id: id(1), rank: Rank::MANAGER };
    assert_eq!(rank_of(manager, dealers), Rank::MANAGER);
}

#[test]
fn a_month_and_a_day_begin_and_end_at_midnight_in_the_brands_zone() {
    let shanghai = "Asia/Shanghai".parse().unwrap();
    let month = month_of(at("2026-11-30T16:00:00Z"), shanghai);
    assert_eq!(month, at("2026-11-30T16:00:00Z")..at("2026-12-31T16:00:00Z"));
    let month = month_of(at("2026-11-30T15:59:59Z"), shanghai);
    assert_eq!(month, at("2026-10-31T16:00:00Z")..at("2026-11-30T16:00:00Z"));
    let day = day_of(at("2026-11-30T15:59:59Z"), shanghai);
    assert_eq!(day, at("2026-11-29T16:00:00Z")..at("2026-11-30T16:00:00Z"));
}
