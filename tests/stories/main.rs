//! Stories about a brand and its customers, told over HTTP with a held clock.
//!
//! Each story has a database of its own. `AFTERCARE_TEST_DATABASE_URL` names a server on which
//! databases may be created; `./check` starts one.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::items_after_statements,
    clippy::needless_pass_by_value,
    clippy::type_complexity,
    reason = "a story that goes wrong should say where, and it runs its own service"
)]

mod house;

mod allowances;
mod alone;
mod audit;
mod calendars;
mod cancellations;
mod clocks;
mod complaint_pages;
mod complaints;
mod corrective;
mod course;
mod crowds;
mod customers;
mod degradation;
mod demo;
#[cfg(feature = "embedded")]
mod embedded;
mod errands;
mod faults;
mod findings;
mod hostile;
mod identity;
mod imports;
mod input;
mod installation;
mod inventory;
mod lines;
mod lists;
mod looks;
mod maintenance;
mod me;
mod operations;
mod patience;
mod pooled;
mod program;
mod queue;
mod redis;
mod released;
mod replicas;
mod resolution_log;
mod returns;
mod sandbox;
mod schema;
mod shell;
mod sops;
mod surveys;
mod talk;
mod tenancy;
mod trade;
mod voice;
mod walls;
