//! Tenancy: a brand, the dealers who act for it, and the sites where they work.

mod brand;
mod dealers;
mod sites;
mod teams;

pub use brand::{
    BRAND_SUSPENDED, Brand, BrandDetails, BrandFounding, BrandStatus, EscalationHours,
    MOST_ORIGINS, ObligationShare, TenantMode, usual_personalised_most,
};
pub use dealers::{Dealer, DealerDetails, DealerStatus};
pub use sites::{Site, SiteDetails, SiteStatus, Weekday, WorkingHours};
pub use teams::{Team, TeamDetails, TeamFormation};

use crate::refusal::Rule;

/// The rules of this capability that can say no.
pub static RULES: &[&Rule] = &[
    &BRAND_SUSPENDED,
    &brand::TOO_MANY_ORIGINS,
    &dealers::DEALERS_ARE_THE_BRANDS,
    &sites::CLOSES_BEFORE_IT_OPENS,
];
