//! Who looks after an asset, and whom a site can send.

use super::visits::bookings;
use crate::{
    Failure, Fault, Tenant,
    identity::{StaffSought, staff_like},
};
use domain::{
    catalogue::Asset,
    customers::Customer,
    identity::{Role, Staff, StaffStatus},
    ids::{DealerId, SiteId},
    maintenance::{
        appointments::Appointment,
        availability::{Span, Technician},
        enrolments::Enrollee,
        slots::Search,
        work_orders::WorkOrder,
    },
    tenancy::{Dealer, Site},
    time::{Timestamp, WallTime, Zone},
};

/// Who looks after an asset.
#[derive(Debug, Clone, PartialEq)]
pub struct Care {
    /// The dealer: the asset's own, else its site's, else its customer's.
    pub dealer_id: Option<DealerId>,
    /// The site whose technicians come, if the brand has said.
    pub site_id: Option<SiteId>,
    /// By whose clock the days of its plans are counted: the dealer's, or the brand's.
    pub zone: Zone,
}

impl Tenant {
    /// Who looks after `asset`.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn care_of(&self, asset: &Asset) -> Result<Care, Failure> {
        let site = match asset.details.site_id {
            Some(site_id) => Some(self.get::<Site>(site_id).await?),
            None => None,
        };
        let dealer_id = match asset.details.dealer_id.or(site.as_ref().map(|site| site.dealer_id)) {
            Some(dealer_id) => Some(dealer_id),
            None => self.get::<Customer>(asset.details.customer_id).await?.details.dealer_id,
        };
        let zone = self.zone_of(dealer_id).await?;
        Ok(Care { dealer_id, site_id: site.map(|site| site.id), zone })
    }

    /// The zone of a dealer, or of the brand where the dealer has none of its own.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails.
    pub async fn zone_of(&self, dealer_id: Option<DealerId>) -> Result<Zone, Failure> {
        if let Some(dealer_id) = dealer_id {
            let dealer: Dealer = self.get(dealer_id).await?;
            if let Some(zone) = dealer.details.tz {
                return Ok(zone);
            }
        }
        Ok(self.zone().await?)
    }

    /// What it takes to find a time for a visit that begins no earlier than `not_before`.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] when the work order names no site.
    pub async fn search(
        &self,
        work_order: &WorkOrder,
        not_before: Timestamp,
    ) -> Result<Search, Failure> {
        let site: Site = self.get(work_order.site()?).await?;
        let window = work_order.details.window();
        let within = Span {
            starts_at: window.from_on.at(WallTime::MIDNIGHT, site.details.tz),
            ends_at: window.to_on.plus_days(1).at(WallTime::MIDNIGHT, site.details.tz),
        };
        let dealer_status = self.get::<Dealer>(site.dealer_id).await?.status;
        let technicians = self.technicians(&site, within).await?;
        let hours = self.hours_of(&site).await?;
        let duration_minutes = work_order.details.duration_minutes;
        Ok(Search { window, duration_minutes, site, hours, dealer_status, technicians, not_before })
    }

    /// Whom a site can send, and what they are taken for within `span`.
    async fn technicians(&self, site: &Site, span: Span) -> Result<Vec<Technician>, Fault> {
        let sought = StaffSought {
            dealer: Some(site.dealer_id),
            role: Some(Role::Technician),
            status: Some(StaffStatus::Active),
            external_id: None,
            team: None,
        };
        let staff: Vec<Staff> = self.all(staff_like(&sought)).await?;
        let mut technicians: Vec<_> =
            staff.iter().filter(|person| person.works_at(site.id)).map(Technician::of).collect();
        let ids: Vec<_> = technicians.iter().map(|technician| technician.id).collect();
        for appointment in self.all::<Appointment>(bookings(&ids, span)).await? {
            let booked = appointment.slot.span();
            let who = technicians.iter_mut().find(|who| who.id == appointment.slot.staff_id);
            if let Some(technician) = who {
                technician.booked.push(booked);
            }
        }
        Ok(technicians)
    }
}

impl Care {
    /// The dealer and the site whose technicians come, if both are known.
    pub fn served_by(&self) -> Option<(DealerId, SiteId)> {
        self.dealer_id.zip(self.site_id)
    }

    /// What a plan must know of `asset`.
    pub fn enrollee(&self, asset: &Asset) -> Enrollee {
        Enrollee::of(asset, self.dealer_id)
    }
}
