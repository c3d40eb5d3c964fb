//! The service inventory: service items with their benchmarks, self-audits, gifts and bundles.

pub mod audits;
pub mod gifts;
pub mod items;
