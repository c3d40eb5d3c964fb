//! The roles that keep running: API, worker, both.

use crate::{Trouble, banner, ground::Ground, reception, settings::Settings, telemetry};
use axum::Router;
use std::{future::IntoFuture as _, net::SocketAddr, sync::Arc, time::Duration};
use store::Store;
use tokio::{net::TcpListener, signal::unix::SignalKind, sync::watch};
use worker::outside::{Mail, Surroundings};

/// How long requests that have begun may take when the service stops; as long as a worker's jobs.
const GRACE: Duration = Duration::from_secs(25);

/// API and worker in one process, with the demo in an empty database of its own.
pub(crate) async fn all(settings: Settings) -> Result<(), Trouble> {
    let ground = Ground::find(&settings).await?;
    let listener = listen(settings.bind).await?;
    let stop = Stop::on_signal();
    let api = stop.after(serve_api(&ground.store, &settings, listener, &stop));
    let work = stop.after(serve_worker(ground.store.clone(), &settings, &stop));
    let welcome = banner::welcome(&ground, &settings);
    let (api, work, (), said) = tokio::join!(api, work, tend(&ground.store, &stop), welcome);
    ground.leave().await;
    api.and(work).and(said)
}

/// The REST API alone.
pub(crate) async fn api(settings: Settings) -> Result<(), Trouble> {
    let ground = Ground::find(&settings).await?;
    let listener = listen(settings.bind).await?;
    let stop = Stop::on_signal();
    let served = serve_api(&ground.store, &settings, listener, &stop).await;
    ground.leave().await;
    served
}

/// The worker alone. Its health is answered at the admin address.
pub(crate) async fn worker(settings: Settings) -> Result<(), Trouble> {
    let ground = Ground::find(&settings).await?;
    let stop = Stop::on_signal();
    let admin = listen(settings.admin_bind).await?;
    let health = stop.after(serve(admin, api::admin(ground.store.clone()), &stop));
    let work = stop.after(serve_worker(ground.store.clone(), &settings, &stop));
    let (work, health, ()) = tokio::join!(work, health, tend(&ground.store, &stop));
    ground.leave().await;
    work.and(health)
}

async fn serve_api(
    store: &Store,
    settings: &Settings,
    listener: TcpListener,
    stop: &Stop,
) -> Result<(), Trouble> {
    let admin = listen(settings.admin_bind).await?;
    let admin = stop.after(serve(admin, api::admin(store.clone()), stop));
    let desk = reception::desk(store, settings)?;
    let service = telemetry::adopt(api::service(store.clone(), desk, stop.0.subscribe()));
    let public = stop.after(serve(listener, service, stop));
    let (public, admin) = tokio::join!(public, admin);
    public.and(admin)
}

/// Serves until the end. Requests that have begun are finished; one that does not come to an end, such as half a
/// request, is given up.
async fn serve(listener: TcpListener, router: Router, stop: &Stop) -> Result<(), Trouble> {
    let service = axum::serve(listener, router).with_graceful_shutdown(stop.told());
    let overdue = async {
        stop.told().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = service.into_future() => {
            served.map_err(|error| Trouble::during("the service went down")(error.into()))
        }
        () = overdue => {
            tracing::warn!("requests that did not end were given up");
            Ok(())
        }
    }
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
    tokio::select! {
        () = store.waker().listen() => {}
        () = stop.told() => {}
    }
}

async fn listen(place: SocketAddr) -> Result<TcpListener, Trouble> {
    let taken = |error: std::io::Error| {
        Trouble::during(format!("{place} cannot be listened on"))(error.into())
    };
    TcpListener::bind(place).await.map_err(taken)
}

/// The end of the program: somebody wants it, or a part of it has ended and the rest must not go on without.
struct Stop(watch::Sender<bool>);

impl Stop {
    /// Comes with SIGTERM or Ctrl-C.
    #[expect(clippy::disallowed_methods, reason = "it waits for the end of the program")]
    fn on_signal() -> Self {
        let tell = watch::Sender::new(false);
        let stop = Self(tell.clone());
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
        stop
    }

    /// Waits for it.
    fn told(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut told = self.0.subscribe();
        async move {
            // The sender lives as long as the process; should it not, that is an end too.
            drop(told.wait_for(|stop| *stop).await);
        }
    }

    /// Comes when `part` has ended, too.
    async fn after<T>(&self, part: impl Future<Output = T>) -> T {
        let ended = part.await;
        self.0.send_replace(true);
        ended
    }
}
