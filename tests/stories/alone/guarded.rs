//! What the database refuses whoever asks, should a rule above it ever fail.

use super::Neighbours;
use crate::house::{House, LOGIN};
use domain::{
    identity::{Actor, Reach},
    ids::{DealerId, TenantId},
    tenancy::Dealer,
};
use sea_orm::{
    ConnectionTrait as _,
    sqlx::{AssertSqlSafe, Executor as _, PgPool},
};
use serde_json::json;
use store::{Fault, Scope};
use uuid::Uuid;

/// Tables of what has happened. Nobody changes it afterwards.
const HAPPENED: [&str; 10] = [
    "audit_entry",
    "allowance_entry",
    "approval",
    "corrective_cause",
    "customer_word",
    "import_file",
    "resolution",
    "resolution_seal",
    "row_error",
    "survey_response",
];

/// What must never be, how somebody might try it, and what the database calls it.
const NEVER: &[(&str, &str, &str)] = &[
    (
        "an account is overdrawn",
        "UPDATE allowance_account SET balance_minor = held_minor - 1, available_minor = -1",
        "allowance_account_available_minor_check",
    ),
    (
        "an account does not add up",
        "UPDATE allowance_account SET balance_minor = balance_minor + 1",
        "allowance_account__sum",
    ),
    (
        "what was promised is less than nothing",
        "UPDATE allowance_account SET held_minor = -1, available_minor = balance_minor + 1",
        "allowance_account_held_minor_check",
    ),
    (
        "a line of an order earns twice",
        "INSERT INTO allowance_lot SELECT (jsonb_populate_record(l, NEW_ID)).* FROM allowance_lot l LIMIT 1",
        "allowance_lot__order_line_id__instalment",
    ),
    (
        "a lot promises more than is left of it",
        "UPDATE allowance_lot SET held_minor = remaining_minor + 1",
        "allowance_lot__held",
    ),
    (
        "a budget is overdrawn",
        "UPDATE allowance_budget SET held_minor = balance_minor + 1, available_minor = -1",
        "allowance_budget_available_minor_check",
    ),
    (
        "money moves twice for one reason",
        "INSERT INTO allowance_entry SELECT (jsonb_populate_record(e, NEW_ID)).* FROM allowance_entry e LIMIT 1",
        "allowance_entry__idempotency_key",
    ),
    (
        "somebody approves what they have asked for",
        "INSERT INTO approval (tenant_id, id, gesture_id, step, asked_by, approver, rank, decision, at)
         SELECT tenant_id, id, id, 99, asked_by, asked_by, 1, 'approved', now() FROM gesture LIMIT 1",
        "approval__four_eyes",
    ),
    (
        "somebody approves under another's name for the asker",
        "INSERT INTO approval (tenant_id, id, gesture_id, step, asked_by, approver, rank, decision, at)
         SELECT tenant_id, id, id, 99, 'nobody', asked_by, 1, 'approved', now() FROM gesture LIMIT 1",
        "approval__asker",
    ),
    (
        "an invitation is answered twice",
        "INSERT INTO survey_response SELECT (jsonb_populate_record(r, NEW_ID)).* FROM survey_response r LIMIT 1",
        "survey_response__once",
    ),
    (
        "a complaint is closed although the customer was told nothing",
        "UPDATE complaint SET state = 'closed', closed_at = now(), resolved_at = now(), told_at = NULL,
                              customer_satisfied = NULL, decision = '{}'",
        "complaint__silence",
    ),
    (
        "a technician is at two customers' at once",
        "INSERT INTO appointment
         SELECT (jsonb_populate_record(a, jsonb_build_object(
             'id', gen_random_uuid(), 'work_order_id', gen_random_uuid(), 'state', 'confirmed'))).*
         FROM appointment a CROSS JOIN generate_series(1, 2)
         WHERE given_back_because IS NULL ORDER BY a.tenant_id, a.id LIMIT 2",
        "appointment__technician",
    ),
    (
        "who has inspected goods confirms that there is no defect",
        "UPDATE rma SET inspected_at = now(), inspected_by = 'one', rejected_by = 'one'",
        "rma__four_eyes",
    ),
    (
        "a remedy is carried out by two returns",
        "INSERT INTO rma SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(),
             'state', 'authorised', 'settled_at', NULL))).* FROM rma r CROSS JOIN generate_series(1, 2)
         ORDER BY r.tenant_id, r.id LIMIT 2",
        "rma__remedy_id",
    ),
    (
        "the owner of a correction says that it has worked",
        "UPDATE corrective_action SET state = 'closed', verified_by = owner_id",
        "corrective_action__verified_by_another",
    ),
    (
        "a cause is worked on twice at a time",
        "INSERT INTO corrective_action
         SELECT (jsonb_populate_record(c, NEW_ID)).* FROM corrective_action c LIMIT 1",
        "corrective_action__cause_code__dealer_id",
    ),
    (
        "a customer is asked to stay twice",
        "UPDATE cancellation_case SET retention_attempts = 2, retention_offer = 'stay'",
        "cancellation_case_retention_attempts_check",
    ),
    (
        "a deposit is given back while a penalty stands",
        "UPDATE cancellation_case SET refunding_at = now(), penalty_minor = 1",
        "cancellation_case__refund",
    ),
    (
        "a job runs in nobody's hands",
        "UPDATE job SET state = 'running', lease_token = NULL, lease_until = now()",
        "job_check",
    ),
];

#[tokio::test]
async fn the_database_refuses_what_must_never_be() {
    let neighbours = Neighbours::settle().await;
    let owner = neighbours.house.owner().await;
    let mut wrong = Vec::new();
    for (what, sql, constraint) in NEVER {
        let sql = sql.replace("NEW_ID", "jsonb_build_object('id', gen_random_uuid())");
        match owner.execute_unprepared(&sql).await {
            Ok(done) => wrong.push(format!("{what}: {} rows of it", done.rows_affected())),
            Err(error) if error.to_string().contains(&format!("\"{constraint}\"")) => {}
            Err(error) => wrong.push(format!("{what}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the database says to the application's role in the scope of this tenant.
async fn says(pool: &PgPool, tenant: TenantId, sql: &str) -> Option<String> {
    let sql = format!(
        "BEGIN; SET LOCAL ROLE aftercare_app; SET LOCAL ac.tenant = '{}'; {sql}",
        Uuid::from(tenant)
    );
    let mut connection = pool.acquire().await.unwrap();
    let refused = connection.execute(AssertSqlSafe(sql)).await.err();
    connection.execute("ROLLBACK").await.unwrap();
    refused?.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}

#[tokio::test]
async fn what_has_happened_is_never_changed() {
    let house = House::opens().await;
    let (brand, pool) = (house.brand("clearwater").await.live, house.pool_of(LOGIN));
    for table in HAPPENED {
        assert_eq!(says(&pool, brand, &format!("SELECT FROM {table}")).await, None, "{table}");
        for sql in
            [format!("UPDATE {table} SET tenant_id = tenant_id"), format!("DELETE FROM {table}")]
        {
            let refused = says(&pool, brand, &sql).await;
            assert_eq!(refused.as_deref(), Some("42501"), "{sql}");
        }
    }
}

#[tokio::test]
async fn a_record_is_saved_at_the_version_it_was_read_at() {
    let house = House::opens().await;
    let tenant = house.brand("clearwater").await.live;
    let details = json!({"code": "hangzhou-01", "name": "杭州一店"});
    let made = house.brand_key(tenant).post("/v1/dealers", details).await.expect(201).id();
    let id: DealerId = made.parse().unwrap();
    let (actor, reach) = (Actor::Operator, Reach::default());
    let enter = async || {
        let scope = Scope { tenant, actor, reach, paced: false, request_id: None };
        house.store.enter(scope).await.unwrap()
    };
    let read: Dealer = enter().await.get(id).await.unwrap();

    let first = enter().await;
    let saved = first.save(read.clone()).await.unwrap();
    first.commit(()).await.unwrap();
    assert_eq!(saved.version.get(), read.version.get() + 1);

    // Whoever read it before would undo what was saved since.
    let late = enter().await.save(read).await;
    assert!(matches!(late, Err(Fault::Stale)), "{late:?}");
}
