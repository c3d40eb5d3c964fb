//! Faults: what strikes an installation, and how it recovers.

use crate::{
    Trouble,
    chance::Chance,
    installation::{Installation, Kind, Program},
    orphans::Orphans,
    proxy::{Flow, Proxy},
    report::Report,
    servers::Redis,
};
use rustix::process::Signal;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, sleep};

/// How slow a worker's way to the database is made, so that it is struck with jobs in its hands.
const AT_WORK: Duration = Duration::from_millis(250);
/// Between two looks at what runs.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How long a job to strike is waited for.
const WORK_LIMIT: Duration = Duration::from_secs(8);
/// Longer than the lease of 20 seconds, counted from its last renewal, and than the sweep after it.
const PAST_LEASE: Duration = Duration::from_secs(24);
/// Faults in a cycle.
const FAULTS: usize = 3;

/// What may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    KillApi,
    KillWorker,
    PauseWorker,
    KillPostgres,
    PostgresAway,
    KillRedis,
    FlushRedis,
    HangRedis,
    FillRedis,
    SlowDatabase,
    HangDatabase,
    CutDatabase,
    SlowDoor,
    LoseAnswers,
    CutDoor,
    KillAll,
    KillCluster,
    KillAllAndCluster,
    PauseAll,
}

/// What strikes replicas, in equal parts.
const OF_REPLICAS: [Fault; 17] = [
    Fault::KillApi,
    Fault::KillApi,
    Fault::KillWorker,
    Fault::KillWorker,
    Fault::PauseWorker,
    Fault::KillPostgres,
    Fault::PostgresAway,
    Fault::KillRedis,
    Fault::FlushRedis,
    Fault::HangRedis,
    Fault::FillRedis,
    Fault::SlowDatabase,
    Fault::HangDatabase,
    Fault::CutDatabase,
    Fault::SlowDoor,
    Fault::LoseAnswers,
    Fault::CutDoor,
];

/// What strikes everything in one program.
const OF_ALL_IN_ONE: [Fault; 9] = [
    Fault::KillAll,
    Fault::KillAllAndCluster,
    Fault::KillCluster,
    Fault::PauseAll,
    Fault::HangRedis,
    Fault::KillRedis,
    Fault::LoseAnswers,
    Fault::CutDoor,
    Fault::KillAll,
];

impl Fault {
    /// Its name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KillApi => "API killed",
            Self::KillWorker => "worker killed",
            Self::PauseWorker => "worker paused past its lease",
            Self::KillPostgres => "PostgreSQL killed",
            Self::PostgresAway => "PostgreSQL away",
            Self::KillRedis => "Redis killed",
            Self::FlushRedis => "Redis flushed",
            Self::HangRedis => "Redis hung",
            Self::FillRedis => "Redis full",
            Self::SlowDatabase => "database slow",
            Self::HangDatabase => "database hung",
            Self::CutDatabase => "database cut off",
            Self::SlowDoor => "API slow",
            Self::LoseAnswers => "answers lost",
            Self::CutDoor => "API cut off",
            Self::KillAll => "all in one killed",
            Self::KillCluster => "private cluster killed",
            Self::KillAllAndCluster => "all in one and its cluster killed",
            Self::PauseAll => "all in one paused",
        }
    }
}

/// The faults of the `turn`th cycle of an installation. Every kind comes before one comes again.
pub(crate) fn of_cycle(kind: Kind, seed: u64, turn: u64) -> Vec<Fault> {
    let deck = |round: u64| {
        let mut chance = Chance::of(&[seed, u64::MAX, round]);
        match kind {
            Kind::Replicas => chance.shuffled(OF_REPLICAS.to_vec()),
            Kind::AllInOne => chance.shuffled(OF_ALL_IN_ONE.to_vec()),
        }
    };
    let drawn = usize::try_from(turn).unwrap_or_default().saturating_mul(FAULTS);
    (0_u64..).flat_map(deck).skip(drawn).take(FAULTS).collect()
}

/// Strikes with one fault and lets everything recover from it.
pub(crate) async fn strike(
    house: &mut Installation,
    fault: Fault,
    chance: &mut Chance,
    orphans: &Orphans,
    report: &Report,
) -> Result<(), Trouble> {
    report.note(|seen| {
        let times = seen.faults.entry(fault.name()).or_default();
        *times = times.saturating_add(1);
    });
    let (down, away) = (chance.millis(0, 1_000), chance.millis(2_000, 5_000));
    let while_ = chance.millis(1_000, 3_000);
    match fault {
        Fault::KillApi => kill_api(one(&mut house.apis, chance)?, down).await,
        Fault::KillWorker => {
            let begun = chance.millis(0, 600);
            kill_worker(one(&mut house.workers, chance)?, begun, down, orphans).await
        }
        Fault::PauseWorker => pause_worker(one(&mut house.workers, chance)?, orphans).await,
        Fault::KillPostgres => kill_postgres(house, down).await,
        Fault::PostgresAway => end_postgres(house, away).await,
        Fault::KillRedis => kill_redis(&mut house.redis, while_).await,
        Fault::FlushRedis => house.redis.tell("FLUSHALL").await,
        Fault::HangRedis => hang_redis(&house.redis, while_).await,
        Fault::FillRedis => fill_redis(&house.redis, while_).await,
        Fault::SlowDatabase => pass(to_database(house, chance)?, slow(chance), while_).await,
        Fault::HangDatabase => pass(to_database(house, chance)?, Flow::Still, while_).await,
        Fault::CutDatabase => cut(to_database(house, chance)?, chance).await,
        Fault::SlowDoor => pass(door(house, chance)?, slow(chance), while_).await,
        Fault::LoseAnswers => lose_answers(door(house, chance)?, chance).await,
        Fault::CutDoor => cut(door(house, chance)?, chance).await,
        Fault::KillAll => kill_all(house, false, down, orphans).await,
        Fault::KillAllAndCluster => kill_all(house, true, down, orphans).await,
        Fault::KillCluster => {
            at_work(orphans).await;
            house.kill_cluster()
        }
        Fault::PauseAll => pause_all(one(&mut house.apis, chance)?, away).await,
    }
}

async fn kill_api(api: &mut Program, down: Duration) -> Result<(), Trouble> {
    api.kill().await?;
    sleep(down).await;
    api.start().await
}

async fn kill_postgres(house: &mut Installation, down: Duration) -> Result<(), Trouble> {
    let postgres = house.postgres.as_mut().ok_or("there is no server")?;
    postgres.kill().await?;
    sleep(down).await;
    postgres.start().await
}

async fn end_postgres(house: &mut Installation, away: Duration) -> Result<(), Trouble> {
    let postgres = house.postgres.as_mut().ok_or("there is no server")?;
    postgres.end().await?;
    sleep(away).await;
    postgres.start().await
}

async fn kill_redis(redis: &mut Redis, down: Duration) -> Result<(), Trouble> {
    redis.kill().await?;
    sleep(down).await;
    redis.start().await
}

async fn hang_redis(redis: &Redis, while_: Duration) -> Result<(), Trouble> {
    redis.signal(Signal::STOP)?;
    sleep(while_).await;
    redis.signal(Signal::CONT)
}

async fn fill_redis(redis: &Redis, while_: Duration) -> Result<(), Trouble> {
    redis.tell("CONFIG SET maxmemory-policy noeviction").await?;
    redis.tell("CONFIG SET maxmemory 1").await?;
    sleep(while_).await;
    redis.tell("CONFIG SET maxmemory 0").await
}

/// Kills a worker that has jobs in its hands, `begun` after it took them.
async fn kill_worker(
    worker: &mut Program,
    begun: Duration,
    down: Duration,
    orphans: &Orphans,
) -> Result<(), Trouble> {
    catch_at_work(way(worker)?, begun, orphans).await;
    worker.kill().await?;
    way(worker)?.turn(Flow::Free);
    orphans.expects(orphans.running().await);
    sleep(down).await;
    worker.start().await
}

/// Stops a worker that has just taken jobs until they are others', and lets it go on. That they are its own, it learns
/// only then: its lease alone keeps it from doing again what others have done.
async fn pause_worker(worker: &mut Program, orphans: &Orphans) -> Result<(), Trouble> {
    catch_at_work(way(worker)?, Duration::ZERO, orphans).await;
    worker.signal(Signal::STOP)?;
    orphans.expects(orphans.running().await);
    sleep(PAST_LEASE).await;
    worker.signal(Signal::CONT)?;
    way(worker)?.turn(Flow::Free);
    Ok(())
}

/// Holds a worker's way to the database back, `begun` after it took jobs. The way is made slow, so that there is time for
/// that; what another worker has taken goes on, and so is told from what this one has.
async fn catch_at_work(way: &Proxy, begun: Duration, orphans: &Orphans) {
    way.turn(Flow::Slow(AT_WORK));
    let watch = Instant::now();
    let mut known = orphans.running().await;
    while watch.elapsed() < WORK_LIMIT {
        let mut running = orphans.running().await;
        let fresh = fresh_of(&running, &known);
        if !fresh.is_empty() {
            sleep(begun).await;
            way.turn(Flow::Still);
            sleep(AT_WORK.saturating_mul(2)).await;
            running = orphans.running().await;
            if fresh.iter().any(|(id, taken)| running.get(id) == Some(taken)) {
                return;
            }
            way.turn(Flow::Slow(AT_WORK));
        }
        known = running;
        sleep(LOOK_AGAIN).await;
    }
}

/// What runs and was not known to.
fn fresh_of(
    running: &BTreeMap<String, i32>,
    known: &BTreeMap<String, i32>,
) -> BTreeMap<String, i32> {
    let mut fresh = running.clone();
    fresh.retain(|id, taken| known.get(id) != Some(taken));
    fresh
}

/// Waits until somebody has a job in hand; answers what it is.
async fn at_work(orphans: &Orphans) -> BTreeMap<String, i32> {
    let began = Instant::now();
    loop {
        let running = orphans.running().await;
        if !running.is_empty() || began.elapsed() > WORK_LIMIT {
            return running;
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// Kills everything in one program, and its cluster with it or after it.
async fn kill_all(
    house: &mut Installation,
    with_cluster: bool,
    down: Duration,
    orphans: &Orphans,
) -> Result<(), Trouble> {
    // Nobody can look any more once its database has gone with it.
    let running = at_work(orphans).await;
    let all = house.apis.first_mut().ok_or("there is no program")?;
    all.kill().await?;
    orphans.expects(running);
    if with_cluster {
        // It may have noticed before us that its program is gone.
        drop(house.kill_cluster());
    }
    sleep(down).await;
    house.apis.first_mut().ok_or("there is no program")?.start().await
}

async fn pause_all(all: &Program, while_: Duration) -> Result<(), Trouble> {
    all.signal(Signal::STOP)?;
    sleep(while_).await;
    all.signal(Signal::CONT)
}

/// Lets bytes pass otherwise for a while.
async fn pass(proxy: &Proxy, flow: Flow, while_: Duration) -> Result<(), Trouble> {
    proxy.turn(flow);
    sleep(while_).await;
    proxy.turn(Flow::Free);
    Ok(())
}

/// Cuts everything off, a few times.
async fn cut(proxy: &Proxy, chance: &mut Chance) -> Result<(), Trouble> {
    for _ in 0..chance.between(2, 6) {
        proxy.cut();
        sleep(chance.millis(50, 500)).await;
    }
    Ok(())
}

/// What is asked is done, and nobody hears of it: a few times.
async fn lose_answers(proxy: &Proxy, chance: &mut Chance) -> Result<(), Trouble> {
    for _ in 0..chance.between(2, 4) {
        proxy.turn(Flow::Mute);
        sleep(chance.millis(300, 900)).await;
        proxy.cut();
        proxy.turn(Flow::Free);
        sleep(chance.millis(100, 400)).await;
    }
    Ok(())
}

fn slow(chance: &mut Chance) -> Flow {
    Flow::Slow(chance.millis(50, 300))
}

fn one<'a>(programs: &'a mut [Program], chance: &mut Chance) -> Result<&'a mut Program, Trouble> {
    let index = chance.index(programs.len());
    programs.get_mut(index).ok_or_else(|| "there is no such program".into())
}

/// A worker's way to the database.
fn way(worker: &Program) -> Result<&Proxy, Trouble> {
    worker.to_database.as_ref().ok_or_else(|| "the worker has no way to the database".into())
}

/// The way of one program to the database.
fn to_database<'a>(house: &'a Installation, chance: &mut Chance) -> Result<&'a Proxy, Trouble> {
    let programs = house.apis.iter().chain(&house.workers);
    let ways: Vec<_> = programs.filter_map(|program| program.to_database.as_ref()).collect();
    chance.pick(&ways).copied().ok_or_else(|| "there is no way to the database".into())
}

/// The door of one API.
fn door<'a>(house: &'a Installation, chance: &mut Chance) -> Result<&'a Proxy, Trouble> {
    let doors: Vec<_> = house.apis.iter().filter_map(|api| api.door.as_ref()).collect();
    chance.pick(&doors).copied().ok_or_else(|| "there is no door".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_strikes_before_one_strikes_again() {
        for (kind, deck) in
            [(Kind::Replicas, &OF_REPLICAS[..]), (Kind::AllInOne, &OF_ALL_IN_ONE[..])]
        {
            let cycles = u64::try_from(deck.len()).unwrap();
            let drawn: Vec<_> = (0..cycles).flat_map(|turn| of_cycle(kind, 7, turn)).collect();
            for fault in deck {
                let wanted = deck.iter().filter(|other| *other == fault).count() * FAULTS;
                assert_eq!(drawn.iter().filter(|other| *other == fault).count(), wanted);
            }
            assert_eq!(of_cycle(kind, 7, 3), of_cycle(kind, 7, 3));
        }
    }
}
