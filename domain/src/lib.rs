//! What after-sales service is: its records, its rules, its refusals.
//!
//! Nothing here reads a clock, draws a random number or performs I/O. Callers pass the instant and
//! the new identifiers in, and carry the answers out.
//!
//! The first modules are the words every capability uses; the others are the capabilities, one
//! file each.

// Examples of records with many members are long for the macro that reads them.
#![recursion_limit = "256"]

pub mod allowances;
pub mod audit;
pub mod calendars;
pub mod cancellations;
pub mod catalogue;
pub mod change;
pub mod clocks;
pub mod complaints;
pub mod conditions;
pub mod corrective;
pub mod customer_events;
pub mod customers;
pub mod event;
pub mod filing;
pub mod findings;
pub mod followups;
pub mod identity;
pub mod ids;
pub mod imports;
pub mod invalid;
pub mod inventory;
pub mod jobs;
pub mod lists;
pub mod maintenance;
pub mod money;
mod number;
pub mod operations;
pub mod orders;
pub mod pushes;
pub mod record;
pub mod refusal;
pub mod returns;
pub mod sandbox;
pub mod sops;
pub mod surveys;
pub mod tenancy;
pub mod text;
pub mod time;
pub mod web;
pub mod working_time;
