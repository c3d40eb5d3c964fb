//! Who calls: keys and tokens, from the header to the caller.

mod jwt;
mod key_sets;
mod limits;

pub use limits::{Bucket, RateGate, RateLimits, RateQuota, RateVerdict};
