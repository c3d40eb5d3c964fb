//! The roles that keep running: API, worker, both.

use crate::{Trouble, banner, ground::Ground, reception, settings::Settings, telemetry};
use axum::Router;
use std::{future::IntoFuture as _, net::SocketAddr, sync::Arc};
use store::Store;
use tokio::{net::TcpListener, signal::unix::SignalKind, sync::watch};
use worker::outside::{Mail, Surroundings};

/// API and worker in one process, with the demo in an empty database of its own.
pub(crate) async fn all(settings: Settings) -> Result<(), Trouble> {
    let ground = Ground::find(&settings).await?;
    let listener = listen(settings.bind).await?;
    let stop = on_signal();
    let api = serve_api(&ground.store, &settings, listener, stop.clone());
    let work = serve_worker(ground.store.clone(), &settings, stop.clone());
    let welcome = banner::welcome(&ground, &settings);
    let (api, work, (), said) = tokio::join!(api, work, tend(&ground.store, stop), welcome);
    ground.leave().await;
    api.and(work).and(said)
}

/// The REST API alone.
pub(crate) async fn api(settings: Settings) -> Result<(), Trouble> {
    let ground = Ground::find(&settings).await?;
    let listener = listen(settings.bind).await?;
    let stop = on_signal();
    let served = serve_api(&ground.store, &settings, listener, stop).await;
    ground.leave().await;
    served
}

/// The worker alone. Its health is answered at the admin address.
pub(crate) async fn worker(settings: Settings) -> Result<(), Trouble> {
    let ground = Ground::find(&settings).await?;
    let stop = on_signal();
    let admin = listen(settings.admin_bind).await?;
    let health = serve(admin, api::admin(ground.store.clone()), stop.clone());
    let work = serve_worker(ground.store.clone(), &settings, stop.clone());
    let (work, health, ()) = tokio::join!(work, health, tend(&ground.store, stop));
    ground.leave().await;
    work.and(health)
}

async fn serve_api(
    store: &Store,
    settings: &Settings,
    listener: TcpListener,
    stop: watch::Receiver<bool>,
) -> Result<(), Trouble> {
    let admin = listen(settings.admin_bind).await?;
    let admin = serve(admin, api::admin(store.clone()), stop.clone());
    let desk = reception::desk(store, settings)?;
    let service = telemetry::adopt(api::service(store.clone(), desk, stop.clone()));
    let public = serve(listener, service, stop);
    let (public, admin) = tokio::join!(public, admin);
    public.and(admin)
}

async fn serve(
    listener: TcpListener,
    router: Router,
    stop: watch::Receiver<bool>,
) -> Result<(), Trouble> {
    let service = axum::serve(listener, router).with_graceful_shutdown(stopped(stop));
    service
        .into_future()
        .await
        .map_err(|error| Trouble::during("the service went down")(error.into()))
}

async fn serve_worker(
    store: Store,
    settings: &Settings,
    stop: watch::Receiver<bool>,
) -> Result<(), Trouble> {
    let how = worker::Settings { slots: settings.worker_slots };
    worker::work(store, how, surroundings(settings)?, stopped(stop))
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
async fn tend(store: &Store, stop: watch::Receiver<bool>) {
    tokio::select! {
        () = store.waker().listen() => {}
        () = stopped(stop) => {}
    }
}

async fn listen(place: SocketAddr) -> Result<TcpListener, Trouble> {
    let taken = |error: std::io::Error| {
        Trouble::during(format!("{place} cannot be listened on"))(error.into())
    };
    TcpListener::bind(place).await.map_err(taken)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // The sender lives as long as the process; should it not, that is an end too.
    drop(stop.wait_for(|stop| *stop).await);
}

/// Turns true when somebody wants the program to end.
#[expect(clippy::disallowed_methods, reason = "it waits for the end of the program")]
fn on_signal() -> watch::Receiver<bool> {
    let (tell, told) = watch::channel(false);
    let watching = tokio::spawn(async move {
        match tokio::signal::unix::signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = tokio::signal::ctrl_c() => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be waited for");
                drop(tokio::signal::ctrl_c().await);
            }
        }
        tell.send_replace(true);
    });
    drop(watching);
    told
}
