//! The engine, met through its door as the service meets it.

use super::*;
use crate::database::Address;
use sea_orm::sqlx::{self, Connection as _, Executor as _, PgConnection, Row as _};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// A folder that is gone when the test is over.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static PLACES: AtomicU32 = AtomicU32::new(0);
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let name = format!("aftercare-embedded-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn address(engine: &Embedded) -> Address {
    Address::socket(engine.socket_dir(), engine.superuser(), engine.database())
}

async fn visits(engine: &Embedded) -> PgConnection {
    PgConnection::connect_with(&address(engine).0).await.unwrap()
}

async fn number(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query(sql).fetch_one(connection).await.unwrap().get(0)
}

#[tokio::test]
async fn what_was_committed_is_there_again_and_the_rest_is_not() {
    let place = Place::new();
    assert!(!Embedded::was_here(&place.0));
    let engine = Embedded::start(&place.0).await.unwrap();
    assert!(Embedded::was_here(&place.0));
    let mut visitor = visits(&engine).await;
    visitor.execute("CREATE TABLE visit (n bigint)").await.unwrap();
    visitor.execute("INSERT INTO visit VALUES (1), (2)").await.unwrap();
    visitor.execute("BEGIN; INSERT INTO visit VALUES (3)").await.unwrap();
    visitor.close().await.unwrap();
    engine.stop().await;

    let engine = Embedded::start(&place.0).await.unwrap();
    let mut visitor = visits(&engine).await;
    assert_eq!(number(&mut visitor, "SELECT count(*) FROM visit").await, 2);
    visitor.close().await.unwrap();
    engine.stop().await;
}

#[tokio::test]
async fn a_second_program_is_turned_away_while_the_first_runs() {
    let place = Place::new();
    let engine = Embedded::start(&place.0).await.unwrap();
    let refusal = Embedded::start(&place.0).await.unwrap_err();
    assert!(matches!(refusal, EngineError::NotStarted { .. }), "{refusal}");
    let mut visitor = visits(&engine).await;
    assert_eq!(number(&mut visitor, "SELECT 7::bigint").await, 7);
    visitor.close().await.unwrap();
    engine.stop().await;
}

/// How often a client goes away; each at another instant of its conversation.
const DEPARTURES: u64 = 60;

#[tokio::test]
async fn clients_who_go_away_leave_nothing_behind_for_the_next() {
    let place = Place::new();
    let engine = Embedded::start(&place.0).await.unwrap();
    let mut visitor = visits(&engine).await;
    visitor.execute("CREATE ROLE clerk LOGIN; CREATE TABLE note (n bigint)").await.unwrap();
    visitor.execute("GRANT ALL ON note TO clerk").await.unwrap();
    visitor.close().await.unwrap();
    for departure in 0..DEPARTURES {
        let mut clerk =
            PgConnection::connect_with(&address(&engine).as_user("clerk").0).await.unwrap();
        let mut talks = Box::pin(async move {
            clerk.execute("BEGIN; SET LOCAL ac.tenant = 'x'").await.unwrap();
            sqlx::query("INSERT INTO note VALUES ($1)")
                .bind(1_i64)
                .execute(&mut clerk)
                .await
                .unwrap();
            // An error, after which the session hears nothing before the end of the row.
            drop(sqlx::query("SELECT 1 / $1").bind(0_i64).execute(&mut clerk).await);
        });
        let mut waited = 0;
        std::future::poll_fn(|context| {
            if waited == departure.div_euclid(4) {
                return std::task::Poll::Ready(());
            }
            waited += 1;
            talks.as_mut().poll(context)
        })
        .await;
        drop(talks);

        let mut next = visits(&engine).await;
        let scope = "SELECT length(coalesce(current_setting('ac.tenant', true), ''))::bigint";
        assert_eq!(number(&mut next, scope).await, 0, "departure {departure}");
        assert_eq!(
            number(&mut next, "SELECT count(*) FROM note").await,
            0,
            "departure {departure}"
        );
        let name = sqlx::query("SELECT session_user::text").fetch_one(&mut next).await.unwrap();
        assert_eq!(name.get::<String, _>(0), "postgres", "departure {departure}");
        next.close().await.unwrap();
    }
    engine.stop().await;
}

#[tokio::test]
async fn nobody_is_let_in_under_a_name_that_is_not_there() {
    let place = Place::new();
    let engine = Embedded::start(&place.0).await.unwrap();
    let refused =
        PgConnection::connect_with(&address(&engine).as_user("nobody").0).await.unwrap_err();
    assert!(refused.to_string().contains("role \"nobody\" does not exist"), "{refused}");
    engine.stop().await;
}
