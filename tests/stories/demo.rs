//! The demo brand, and what becomes of one that failed once.

use crate::house::House;
use aftercare::demo::seed;
use sea_orm::ConnectionTrait as _;
use std::{fs, path::PathBuf};
use uuid::Uuid;

/// A data folder that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("aftercare-{}", Uuid::new_v4().simple()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[tokio::test]
async fn a_demo_that_failed_is_completed_at_the_next_start_and_made_once() {
    let (house, folder) = (House::opens().await, Folder::new());
    let (at, owner) = (&folder.0, house.owner().await);
    // Nobody listens: the brand is there and nothing in it.
    seed(&house.store, at, "http://127.0.0.1:1").await.unwrap_err();
    // A step in the middle fails, a day later.
    for sql in [
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'no'; END $$",
        "CREATE TRIGGER fail BEFORE INSERT ON asset FOR EACH ROW EXECUTE FUNCTION fail()",
    ] {
        owner.execute_unprepared(sql).await.unwrap();
    }
    house.clock.set(house.now().plus_days(1));
    let failed = seed(&house.store, at, &house.url).await.unwrap_err();
    assert!(failed.to_string().contains("/v1/assets answers 500"), "{failed}");
    owner.execute_unprepared("DROP TRIGGER fail ON asset").await.unwrap();

    let file = seed(&house.store, at, &house.url).await.unwrap().unwrap();
    let key = house.bearer(fs::read_to_string(&file).unwrap().trim());
    assert_eq!(key.get("/v1/customers").await.expect(200).data().len(), 2);
    assert_eq!(key.get("/v1/assets").await.expect(200).data().len(), 2);
    assert_eq!(key.get("/v1/dealers").await.expect(200).data().len(), 1);
    // It is done: nobody is asked again.
    assert_eq!(seed(&house.store, at, "http://127.0.0.1:1").await.unwrap(), Some(file));
}

#[tokio::test]
async fn a_database_with_a_brand_of_somebody_else_gets_no_demo() {
    let (house, folder) = (House::opens().await, Folder::new());
    let founded = house.founds("clearwater").await;
    assert_eq!(seed(&house.store, &folder.0, &house.url).await.unwrap(), None);
    let key = house.bearer(founded.test_key.reveal());
    assert_eq!(key.get("/v1/customers").await.expect(200).data().len(), 0);
    assert_eq!(house.store.brands().await.unwrap().len(), 1);
}
