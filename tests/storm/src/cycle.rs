//! One cycle: a brand is set up, customers come, faults strike, all recover, and everything is compared.

use crate::{
    Trouble, audit,
    brand::Brand,
    chance::Chance,
    customers::Life,
    faults::{Fault, of_cycle, strike},
    installation::Installation,
    orphans::Orphans,
    report::Report,
    told::Told,
};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::time::{Instant, sleep};

/// How many customers come at once.
const CROWD: u64 = 5;

/// A cycle of an installation.
#[derive(Debug)]
pub(crate) struct Cycle {
    pub(crate) seed: u64,
    /// Its number in the run, from 1.
    pub(crate) number: u64,
    /// How many cycles of this installation came before it.
    pub(crate) turn: u64,
}

impl Cycle {
    /// Lets the storm pass; what was seen is in the report.
    pub(crate) async fn pass(
        &self,
        house: &mut Installation,
        report: &Report,
    ) -> Result<(), Trouble> {
        let slug = format!("storm-{}", self.number);
        let brand = Brand::found(house, slug, report.clone()).await?;
        let sql = house.sql.clone();
        let orphans = Orphans::new(sql.clone(), report.clone());
        let is_calm = AtomicBool::new(false);
        let weather = async {
            let struck = self.strikes(house, &orphans, report).await;
            is_calm.store(true, Ordering::Relaxed);
            struck.map(|()| Instant::now())
        };
        let settled = async {
            let (told, calm) = futures::join!(self.crowd(&brand, &is_calm), weather);
            audit::quiet(&brand, &sql, calm?).await;
            Ok::<_, Trouble>(told)
        };
        let told = tokio::select! {
            told = settled => told?,
            never = orphans.watch() => match never {},
        };
        orphans.judge().await?;
        let mut chance = Chance::of(&[self.seed, self.number, 1]);
        brand.caller.repeats_all(&mut chance).await;
        if let Err(wrong) = house.verify_log(&brand.slug).await {
            report.violation(format!("the resolution log of {}: {wrong}", brand.slug));
        }
        audit::all(&brand, &sql, &told, &mut chance).await
    }

    /// The faults of this cycle.
    pub(crate) fn faults(&self, house: &Installation) -> Vec<Fault> {
        of_cycle(house.kind, self.seed, self.turn)
    }

    async fn strikes(
        &self,
        house: &mut Installation,
        orphans: &Orphans,
        report: &Report,
    ) -> Result<(), Trouble> {
        let mut chance = Chance::of(&[self.seed, self.number, 2]);
        for fault in self.faults(house) {
            sleep(chance.millis(700, 1_500)).await;
            strike(house, fault, &mut chance, orphans, report).await?;
        }
        sleep(chance.millis(0, 500)).await;
        Ok(())
    }

    /// Customers come one after the other, several at once, until it is calm.
    async fn crowd(&self, brand: &Brand, is_calm: &AtomicBool) -> Vec<Told> {
        let came = AtomicU64::new(0);
        let queue = async || {
            let mut told = Vec::new();
            while !is_calm.load(Ordering::Relaxed) {
                let number = came.fetch_add(1, Ordering::Relaxed);
                let name = format!("{}-{}-{number}", brand.slug, self.seed);
                told.push(Life::lives(brand, name, &[self.seed, self.number, 3, number]).await);
            }
            told
        };
        let queues = futures::future::join_all((0..CROWD).map(|_| queue()));
        queues.await.into_iter().flatten().collect()
    }
}
