//! The doors of the service: where it listens, and what one connection may take of it.

use crate::{Trouble, settings::Settings};
use axum::{Router, extract::Request};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
    task::JoinSet,
    time::timeout,
};
use tower::ServiceExt as _;

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long the headers of the first request may take.
    pub(crate) headers: Duration,
    /// How long a connection may rest between two requests, and how long the headers of a later one may take.
    pub(crate) rest: Duration,
    /// How long requests that have begun may take when the service stops.
    pub(crate) grace: Duration,
    /// How many connections are open at once.
    pub(crate) connections: usize,
}

/// The limits in force.
pub(crate) const LIMITS: Limits = Limits {
    // As long as a body may take: whoever sends slower than this over a real line has lost it.
    headers: Duration::from_secs(10),
    // Longer than the 60 seconds for which proxies keep a connection. Were it shorter, we would close one just
    // as a proxy sends a request on it.
    rest: Duration::from_secs(75),
    // As long as a worker's jobs, and below the 30 seconds within which a process ends.
    grace: Duration::from_secs(25),
    // A proxy needs a few hundred. At 64 KiB each they stay below 300 MB whatever strangers send.
    connections: 4_096,
};

/// Largest head of a request, and most that is read ahead of a body.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long nothing is accepted after the system had no file descriptor to give.
const PAUSE: Duration = Duration::from_secs(1);

/// Both doors, open to the world and to the operator. They are taken before anything else is begun, so that a
/// process that cannot have them ends at once and has touched nothing.
#[derive(Debug)]
pub(crate) struct Doors {
    /// Where the API listens.
    pub(crate) public: TcpListener,
    /// Where the operator asks.
    pub(crate) admin: TcpListener,
}

impl Doors {
    /// Opens both.
    ///
    /// # Errors
    ///
    /// [`Trouble::Service`] names the address that cannot be listened on.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Trouble> {
        let public = listen(settings.bind).await?;
        Ok(Self { public, admin: listen(settings.admin_bind).await? })
    }
}

/// Opens one door.
///
/// # Errors
///
/// [`Trouble::Service`] names the address.
pub(crate) async fn listen(place: SocketAddr) -> Result<TcpListener, Trouble> {
    let taken = |error: std::io::Error| {
        Trouble::during(format!("{place} cannot be listened on"))(error.into())
    };
    TcpListener::bind(place).await.map_err(taken)
}

/// Serves whoever comes in until `stop`, then lets requests that have begun end. What has not ended after the
/// grace, such as half a request, is cut off.
pub(crate) async fn serve<S>(listener: TcpListener, router: Router, limits: Limits, stop: S)
where
    S: Future<Output = ()> + Clone + Send + 'static,
{
    let free = Arc::new(Semaphore::new(limits.connections));
    let mut open = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&free).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = stop.clone() => break,
            Some(_) = open.join_next() => {}
            (place, came) = next => match came {
                Ok((stream, _)) => {
                    let connection = attend(stream, router.clone(), limits, stop.clone());
                    open.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                // Whoever went away again while they came in.
                Err(error) if is_theirs(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "nobody can come in for a moment");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let ended = timeout(limits.grace, async { while open.join_next().await.is_some() {} });
    if ended.await.is_err() {
        tracing::warn!(connections = open.len(), "requests that did not end were cut off");
    }
}

fn is_theirs(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// One connection, from its first byte to its last.
async fn attend(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()> + Send,
) {
    // Answers are small and whole: waiting for more to send with them only makes them late.
    drop(stream.set_nodelay(true));
    let arrived = Arc::new(Notify::new());
    let tell = Arc::clone(&arrived);
    let service = router.map_request(move |request: Request<_>| {
        tell.notify_one();
        request
    });
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.rest)
        .max_buf_size(BUFFER_BYTES);
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let late = async {
        if timeout(limits.headers, arrived.notified()).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    tokio::pin!(connection, late, stop);
    // How a connection ends is the caller's business: they went away, or sent what is no request.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = late.as_mut() => return,
        () = stop => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = late => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use futures::FutureExt as _;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        sync::watch,
        task::JoinHandle,
    };

    /// Long enough for what must happen, however busy the machine is.
    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(50);
    const PATIENT: Limits = Limits { headers: LONG, rest: LONG, grace: LONG, connections: 8 };

    /// A service with these limits: where it listens, what stops it, and its end.
    struct Service {
        place: SocketAddr,
        stop: watch::Sender<bool>,
        end: JoinHandle<()>,
        began: Arc<Notify>,
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the service and its callers are one process here"
    )]
    async fn opens(limits: Limits) -> Service {
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let place = listener.local_addr().unwrap();
        let began = Arc::new(Notify::new());
        let tell = Arc::clone(&began);
        let forever = get(move || async move {
            tell.notify_one();
            std::future::pending::<()>().await;
        });
        let router = Router::new().route("/", get(|| async { "here" })).route("/slow", forever);
        let (stop, mut stopped) = watch::channel(false);
        let stopped = async move { drop(stopped.wait_for(|stop| *stop).await) }.boxed().shared();
        let end = tokio::spawn(serve(listener, router, limits, stopped));
        Service { place, stop, end, began }
    }

    async fn sends(service: &Service, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(service.place).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// What comes back until the connection is closed.
    async fn hears(mut stream: TcpStream) -> String {
        let mut text = String::new();
        timeout(LONG, stream.read_to_string(&mut text)).await.expect("it is not closed").ok();
        text
    }

    async fn ends(service: Service) {
        service.stop.send_replace(true);
        timeout(LONG, service.end).await.expect("it does not end").unwrap();
    }

    #[tokio::test]
    async fn half_a_request_does_not_keep_the_service_from_ending() {
        let service = opens(Limits { grace: SHORT, ..PATIENT }).await;
        let half = sends(&service, "GET / HTTP/1.1\r\nHost: x\r\n").await;
        ends(service).await;
        assert_eq!(hears(half).await, "");
    }

    #[tokio::test]
    async fn a_request_that_never_ends_does_not_either() {
        let service = opens(Limits { grace: SHORT, ..PATIENT }).await;
        let slow = sends(&service, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
        service.began.notified().await;
        ends(service).await;
        assert_eq!(hears(slow).await, "");
    }

    #[tokio::test]
    async fn headers_that_do_not_come_close_the_connection() {
        let service = opens(Limits { headers: SHORT, ..PATIENT }).await;
        let silent = sends(&service, "").await;
        let half = sends(&service, "GET / HTTP/1.1\r\nHost: x\r\n").await;
        assert_eq!((hears(silent).await, hears(half).await), (String::new(), String::new()));
        ends(service).await;
    }

    #[tokio::test]
    async fn a_connection_that_rests_for_too_long_is_closed() {
        let service = opens(Limits { rest: SHORT, ..PATIENT }).await;
        let resting = sends(&service, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let heard = hears(resting).await;
        assert!(heard.starts_with("HTTP/1.1 200 OK") && heard.ends_with("here"), "{heard}");
        ends(service).await;
    }

    #[tokio::test]
    async fn a_resting_connection_does_not_delay_the_end() {
        let service = opens(PATIENT).await;
        let mut resting = sends(&service, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let mut first = [0; 4];
        resting.read_exact(&mut first).await.unwrap();
        ends(service).await;
        assert!(hears(resting).await.ends_with("here"));
    }

    #[tokio::test]
    async fn who_comes_when_all_places_are_taken_waits_for_one() {
        let service = opens(Limits { connections: 1, ..PATIENT }).await;
        let mut first = sends(&service, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
        service.began.notified().await;
        let second = sends(&service, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n").await;
        let waits = hears(second);
        tokio::pin!(waits);
        assert!(timeout(SHORT, waits.as_mut()).await.is_err(), "there was no place for it");
        first.shutdown().await.unwrap();
        drop(first);
        assert!(waits.await.ends_with("here"));
        ends(service).await;
    }
}
