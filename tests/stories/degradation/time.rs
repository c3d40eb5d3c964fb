//! A clock that jumps: nothing is lost, nothing comes twice, and leases follow the database's clock alone.

use crate::house::House;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use store::jobs::Queue;

#[tokio::test]
async fn a_clock_that_jumps_makes_nothing_happen_twice() {
    let house = House::opens().await;
    house.brand("clearwater").await;
    house.settle().await;
    let beginning = house.now();
    // Forward by days at once, and back, and within the thirty days for which a job is remembered.
    for days in [3, 1, 4, 2, 20, 19, 21] {
        house.clock.set(beginning.plus_days(days));
        house.settle().await;
    }
    let owner = house.owner().await;
    let sql = "SELECT count(*), count(DISTINCT due_at), min(due_at)::text, max(due_at)::text
               FROM job WHERE kind = 'day_began' AND state = 'done'
               AND tenant_id = (SELECT id FROM tenant WHERE mode = 'live')";
    let asked = Statement::from_string(DbBackend::Postgres, sql);
    let row = owner.query_one_raw(asked).await.unwrap().unwrap();
    let (days, different): (i64, i64) =
        (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
    assert_eq!((days, different), (22, 22), "each day began once");
}

#[tokio::test]
async fn a_lease_lasts_by_the_database_s_clock() {
    let house = House::opens().await;
    house.brand("clearwater").await;
    let queue = Queue::new(house.store.clone());
    let taken = queue.fetch(8).await.unwrap();
    assert!(!taken.is_empty());
    for days in [400, -400] {
        house.clock.set(house.now().plus_days(days));
        assert_eq!(queue.sweep().await.unwrap(), [], "after {days} days");
    }
}
