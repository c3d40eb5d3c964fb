//! The customers that the rows of a chunk speak of.

use super::without_place;
use domain::{
    change::Change,
    customers::{Customer, CustomerDetails},
    ids::CustomerId,
    imports::{Import, already_there},
    invalid::Invalid,
    pushes::PushOutcome,
    text::ExternalId,
};
use std::collections::{BTreeMap, BTreeSet};
use store::{Failure, Fault, Tenant};

/// Customers by their external ids; those who are not known yet are created when a row is taken over.
#[derive(Debug)]
pub(super) struct People {
    known: BTreeMap<ExternalId, Customer>,
    new: BTreeMap<ExternalId, Change<Customer>>,
    /// Names that a customer has whom this import does not see.
    taken: BTreeSet<ExternalId>,
    met: BTreeSet<ExternalId>,
    buyers: BTreeSet<ExternalId>,
}

impl People {
    /// Finds the customers with these names.
    pub(super) async fn find(
        tenant: &Tenant,
        import: &Import,
        names: impl Iterator<Item = &ExternalId>,
    ) -> Result<Self, Failure> {
        let names: BTreeSet<_> = names.collect();
        let names: Vec<_> = names.into_iter().collect();
        let select = store::customers::named(&import.options.source, &names);
        let mut known = BTreeMap::new();
        for customer in tenant.hold_all::<Customer>(select).await? {
            if let Some(name) = customer.details.external_id.clone() {
                known.insert(name, customer);
            }
        }
        let stranger = |name: &ExternalId| {
            let options = &import.options;
            let details =
                CustomerDetails::known_by(options.source.clone(), name.clone(), options.dealer_id);
            (name.clone(), Customer::create(tenant.new_id(), details, tenant.now()))
        };
        let strangers = names.into_iter().filter(|name| !known.contains_key(*name));
        let new: BTreeMap<_, _> = strangers.map(stranger).collect();
        let records = new.values().map(|change| (PushOutcome::Created, change.record.clone()));
        let ids = without_place(tenant, &[], records).await?;
        let is_taken = |change: &Change<Customer>| ids.contains(&change.record.id.into());
        let (taken, new): (BTreeMap<_, _>, _) =
            new.into_iter().partition(|(_, change)| is_taken(change));
        let taken = taken.into_keys().collect();
        Ok(Self { known, new, taken, met: BTreeSet::new(), buyers: BTreeSet::new() })
    }

    /// Who is called so.
    ///
    /// # Errors
    ///
    /// `already_exists` when it is somebody whom this import does not see; `unknown_reference` for a name
    /// that was not looked for.
    pub(super) fn id(&self, name: &ExternalId) -> Result<CustomerId, Invalid> {
        if self.taken.contains(name) {
            return Err(already_there());
        }
        let known = self.known.get(name).map(|customer| customer.id);
        let id = known.or_else(|| self.new.get(name).map(|change| change.record.id));
        id.ok_or_else(|| Invalid::new("unknown_reference", "there is no such record"))
    }

    /// Those who are not known yet.
    pub(super) fn newcomers(&self) -> Vec<Customer> {
        self.new.values().map(|change| change.record.clone()).collect()
    }

    /// Notes that a row about them was taken over, and whether it shows that they bought.
    pub(super) fn meet(&mut self, name: ExternalId, has_bought: bool) {
        if has_bought {
            self.buyers.insert(name.clone());
        }
        self.met.insert(name);
    }

    /// Notes that a row about a thing of theirs was taken over; see [`Customer::learn_of_asset`].
    pub(super) fn meet_with(&mut self, name: ExternalId, is_delivered: bool) {
        let known = self.known.get(&name).cloned();
        let has_bought = known.is_none_or(|known| known.learn_of_asset(is_delivered).is_some());
        self.meet(name, has_bought);
    }

    /// Records those who became known, and those who became buyers.
    pub(super) async fn record(self, tenant: &Tenant) -> Result<(), Fault> {
        let Self { known, new, met, buyers, .. } = self;
        let begin = |(name, change): (ExternalId, Change<Customer>)| {
            let is_buyer = buyers.contains(&name);
            met.contains(&name).then(|| if is_buyer { change.as_buyer() } else { change })
        };
        let buy = |(name, customer): (ExternalId, Customer)| {
            buyers.contains(&name).then(|| customer.buy()).flatten()
        };
        let changes =
            new.into_iter().filter_map(begin).chain(known.into_iter().filter_map(buy)).collect();
        tenant.record_all(changes).await
    }
}
