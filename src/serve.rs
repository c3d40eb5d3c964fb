//! The roles that keep running: API, worker, both.

use crate::{
    Trouble, banner,
    doors::{self, Doors, LIMITS, listen},
    ground::Ground,
    reception,
    settings::Settings,
    stop::Stop,
    telemetry,
};
use std::{sync::Arc, time::Duration};
use store::Store;
use worker::outside::{Mail, Surroundings};

/// How long the database may take to close when the program was told twice to end.
const HURRY: Duration = Duration::from_secs(1);

/// API and worker in one process, with the demo in an empty database of its own.
pub(crate) async fn all(settings: Settings) -> Result<(), Trouble> {
    let stop = Stop::on_signal();
    let doors = Doors::open(&settings).await?;
    let Some(ground) = stop.before(Ground::find(&settings)).await.transpose()? else {
        return Ok(());
    };
    let ended = stop
        .at_once_or(async {
            let api = stop.after(serve_api(&ground.store, &settings, doors, &stop));
            let work = stop.after(serve_worker(ground.store.clone(), &settings, &stop));
            let welcome = stop.before(banner::welcome(&ground, &settings));
            let (api, work, (), said) =
                tokio::join!(api, work, tend(&ground.store, &stop), welcome);
            api.and(work).and(said.unwrap_or(Ok(())))
        })
        .await;
    leave(ground, ended).await
}

/// The REST API alone.
pub(crate) async fn api(settings: Settings) -> Result<(), Trouble> {
    let stop = Stop::on_signal();
    let doors = Doors::open(&settings).await?;
    let Some(ground) = stop.before(Ground::find(&settings)).await.transpose()? else {
        return Ok(());
    };
    let ended = stop.at_once_or(serve_api(&ground.store, &settings, doors, &stop)).await;
    leave(ground, ended).await
}

/// The worker alone. Its health is answered at the admin address.
pub(crate) async fn worker(settings: Settings) -> Result<(), Trouble> {
    let stop = Stop::on_signal();
    let admin = listen(settings.admin_bind).await?;
    let Some(ground) = stop.before(Ground::find(&settings)).await.transpose()? else {
        return Ok(());
    };
    let ended = stop
        .at_once_or(async {
            let health = doors::serve(admin, api::admin(ground.store.clone()), LIMITS, stop.told());
            let work = stop.after(serve_worker(ground.store.clone(), &settings, &stop));
            let (work, (), ()) = tokio::join!(work, health, tend(&ground.store, &stop));
            work
        })
        .await;
    leave(ground, ended).await
}

/// Leaves the database in good order; in a hurry when the program was told twice to end, for then a connection
/// may be in use for ever.
async fn leave(ground: Ground, ended: Option<Result<(), Trouble>>) -> Result<(), Trouble> {
    let Some(ended) = ended else {
        drop(tokio::time::timeout(HURRY, ground.leave()).await);
        return Err(Trouble::Refused("it was told twice to end, and did so at once".to_owned()));
    };
    ground.leave().await;
    ended
}

async fn serve_api(
    store: &Store,
    settings: &Settings,
    doors: Doors,
    stop: &Stop,
) -> Result<(), Trouble> {
    let desk = reception::desk(store, settings)?;
    let service = api::service(store.clone(), desk, stop.subscribe())
        .map_err(|error| Trouble::during("the published document cannot be read")(error.into()))?;
    let public = telemetry::adopt(service);
    let public = doors::serve(doors.public, public, LIMITS, stop.told());
    let admin = doors::serve(doors.admin, api::admin(store.clone()), LIMITS, stop.told());
    tokio::join!(public, admin);
    Ok(())
}

async fn serve_worker(store: Store, settings: &Settings, stop: &Stop) -> Result<(), Trouble> {
    let how = worker::Settings { slots: settings.worker_slots };
    worker::work(store, how, surroundings(settings)?, stop.told())
        .await
        .map_err(|error| Trouble::during("the worker went down")(error.into()))
}

/// The way out that the settings open; without a mail server nothing leaves.
fn surroundings(settings: &Settings) -> Result<Surroundings, Trouble> {
    let public_url = settings.public_url();
    let Some(server) = &settings.smtp_url else {
        return Ok(Surroundings::without_outside(&public_url));
    };
    let mail = Mail::new(server.reveal(), &settings.mail_from)
        .map_err(|mistake| Trouble::during("mail cannot be sent")(mistake.into()))?;
    Ok(Surroundings { public_url, outside: Arc::new(mail) })
}

/// Listens for wake-ups of other processes until the end.
async fn tend(store: &Store, stop: &Stop) {
    stop.before(store.waker().listen()).await.unwrap_or_default();
}
