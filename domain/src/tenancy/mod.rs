//! Tenancy: a brand, the dealers who act for it, and the sites where they work.

mod dealers;
mod sites;
mod tenants;

pub use dealers::{Dealer, DealerDetails, DealerStatus};
pub use sites::{Site, SiteDetails, SiteStatus, Weekday, WorkingHours};
pub use tenants::{MOST_ORIGINS, Tenant, TenantDetails, TenantFounding, TenantMode, TenantStatus};

use crate::refusal::Rule;

/// The rules of this capability that can say no.
pub static RULES: &[&Rule] = &[&tenants::TOO_MANY_ORIGINS, &sites::CLOSES_BEFORE_IT_OPENS];
