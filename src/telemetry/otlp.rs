//! Traces by OTLP over HTTP: the only file that knows OpenTelemetry.
//!
//! A request and a job are one span each. What a span may say is listed here ([`ATTRIBUTES`]): nothing that
//! is not named, and nothing that was logged on the way, leaves the house.

use super::SpanLayer;
use crate::settings::Settings;
use axum::{
    Router,
    body::Bytes,
    extract::Request,
    http::{self, HeaderMap},
    middleware::{self, Next},
    response::Response,
};
use opentelemetry::{
    Context, KeyValue, Value,
    propagation::{Extractor, TextMapPropagator as _},
    trace::{FutureExt as _, SpanKind, Status, TracerProvider as _},
};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, RetryPolicy, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{SdkTracerProvider, SpanData, SpanEvents, SpanExporter, SpanLinks},
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer as _, filter::FilterFn};

/// How long one batch may take to be handed over. A collector stands nearby.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the last batch may take when the program stops: with the worker's 25 seconds it stays below the
/// 35 after which a process may be killed.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// The spans that are sent: where they are opened, and what they are called there.
const SPANS: [(&str, &str); 2] = [("api::request", REQUEST), ("worker::run", JOB)];
const REQUEST: &str = "request";
const JOB: &str = "job";

/// What a span may say: our name of it, and the one that collectors know.
const ATTRIBUTES: [(&str, &str); 9] = [
    ("request.id", "request.id"),
    ("method", "http.request.method"),
    ("route", "http.route"),
    ("status", "http.response.status_code"),
    ("tenant.id", "tenant.id"),
    ("job.id", "job.id"),
    ("job.kind", "job.kind"),
    ("attempts", "job.attempts"),
    ("outcome", "job.outcome"),
];

/// The traces of this process, on their way to a collector.
#[derive(Debug)]
pub(crate) struct Traces(SdkTracerProvider);

/// Begins to send traces, where the settings name a collector. One that cannot be reached stops nothing.
pub(crate) fn begin(settings: &Settings) -> Option<Traces> {
    let begun = Traces::to(settings.otlp_endpoint.as_ref()?);
    begun.map_err(|error| tracing::warn!(%error, "no traces are sent")).ok()
}

/// Takes the caller's `traceparent` over: the spans of their request belong to their trace.
pub(crate) fn adopt(router: Router) -> Router {
    router.layer(middleware::from_fn(take_over))
}

async fn take_over(request: Request, next: Next) -> Response {
    let named = Parent(request.headers());
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &named);
    next.run(request).with_context(parent).await
}

/// The one header of a request that traces are concerned with. `tracestate` is the caller's own business.
struct Parent<'a>(&'a HeaderMap);

impl Extractor for Parent<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).filter(|_| name == "traceparent");
        value.and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

/// Why no traces are sent.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error("the client cannot be made")]
    Client(#[from] reqwest::Error),
    #[error(transparent)]
    Exporter(#[from] ExporterBuildError),
}

impl Traces {
    /// Traces on their way to the collector at `endpoint`. Batches are sent by a thread of their own, which
    /// drops what nobody takes: 2 048 spans wait at most.
    fn to(endpoint: &str) -> Result<Self, Untold> {
        let resource = Resource::builder_empty()
            .with_service_name("aftercare")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(Gate::to(endpoint)?)
            .build();
        Ok(Self(provider))
    }

    /// What sees the spans of requests and jobs, and no others.
    pub(crate) fn layer(&self) -> SpanLayer {
        let ours =
            FilterFn::new(|span| span.is_span() && SPANS.contains(&(span.target(), span.name())));
        tracing_opentelemetry::layer()
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_tracer(self.0.tracer("aftercare"))
            .with_filter(ours.with_max_level_hint(LevelFilter::ERROR))
            .boxed()
    }

    /// Hands over what is left, within bounds. The warning about a collector that is away was given by
    /// whoever tried to reach it.
    pub(crate) async fn end(self) {
        let last = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(LAST_PATIENCE));
        drop(last.await);
    }
}

/// The gate that spans leave by. It warns when the collector cannot be reached, and not again until it was.
#[derive(Debug)]
struct Gate {
    endpoint: String,
    outside: opentelemetry_otlp::SpanExporter,
    is_alone: AtomicBool,
}

impl Gate {
    fn to(endpoint: &str) -> Result<Self, Untold> {
        let endpoint = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let redirect = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(redirect).timeout(PATIENCE);
        let courier = Courier { client: client.build()?, runtime: Handle::current() };
        let outside = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(courier)
            .with_endpoint(&endpoint)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(PATIENCE)
            // The next batch is the next try.
            .with_retry_policy(RetryPolicy::disabled())
            .build()?;
        Ok(Self { endpoint, outside, is_alone: AtomicBool::new(false) })
    }
}

impl SpanExporter for Gate {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let batch = batch.into_iter().map(presentable).collect();
        let sent = self.outside.export(batch).await;
        let was_alone = self.is_alone.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Err(error) if !was_alone => {
                let endpoint = &self.endpoint;
                tracing::warn!(%error, endpoint, "traces cannot be handed over and are dropped");
            }
            Ok(()) if was_alone => tracing::warn!("traces are handed over again"),
            Ok(()) | Err(_) => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.outside.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.outside.set_resource(resource);
    }
}

/// A span as collectors expect it, with what it may say and nothing else.
fn presentable(span: SpanData) -> SpanData {
    let said = |ours: &str| span.attributes.iter().find(|said| said.key.as_str() == ours);
    let text = |ours: &str| said(ours).map(|said| said.value.to_string()).unwrap_or_default();
    let attributes = ATTRIBUTES.iter().filter_map(|(ours, theirs)| {
        said(ours).map(|said| KeyValue::new(*theirs, said.value.clone()))
    });
    let has_failed = said("status").is_some_and(|said| matches!(said.value, Value::I64(500..)));
    let (span_kind, name) = match span.name.as_ref() {
        REQUEST => (SpanKind::Server, format!("{} {}", text("method"), text("route"))),
        _ => (SpanKind::Consumer, format!("job {}", text("job.kind"))),
    };
    SpanData {
        span_kind,
        attributes: attributes.collect(),
        name: name.into(),
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: if has_failed { Status::error("") } else { Status::Unset },
        ..span
    }
}

/// Carries batches to the collector, with the client and the TLS that the rest of the house uses.
#[derive(Debug)]
struct Courier {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for Courier {
    async fn send_bytes(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        // The thread of the batches has no runtime of its own, and even to begin a request needs one.
        let client = self.client.clone();
        let answer = self.runtime.spawn(async move { client.execute(request).await }).await??;
        // What a collector says beside its status is of no use to us.
        let mut told = http::Response::new(Bytes::new());
        *told.status_mut() = answer.status();
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cli, reception};
    use axum::{extract::State, routing::post};
    use clap::Parser as _;
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex, PoisonError},
    };
    use store::{Chance, Clock, Store, database::Address, wake::Waker};
    use tokio::{
        net::TcpListener,
        sync::{mpsc, watch},
    };
    use tracing_subscriber::layer::SubscriberExt as _;

    type Batches = mpsc::UnboundedSender<Bytes>;

    #[expect(clippy::disallowed_methods, reason = "a test runs its own servers")]
    async fn serves(router: Router) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = format!("http://{}", listener.local_addr().unwrap());
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        place
    }

    /// A collector, and the batches it is given.
    async fn collector() -> (String, mpsc::UnboundedReceiver<Bytes>) {
        let (give, given) = mpsc::unbounded_channel();
        let take = async |State(give): State<Batches>, batch: Bytes| give.send(batch).unwrap();
        let router = Router::new().route("/v1/traces", post(take)).with_state(give);
        (serves(router).await, given)
    }

    /// The API without a database, which is enough to say that it lives.
    fn api() -> Router {
        let secret = "k3jH9-xQ2vB7nM4pL8sD1fG6hJ0kZ5cX";
        let settings = Cli::parse_from(["aftercare", "--secret-key", secret]).settings;
        let nowhere = Address::parse("postgres://nobody@127.0.0.1:1/nothing").unwrap();
        let store = Store::new(
            nowhere.pool(1),
            store::database::Statements::default(),
            Clock::Machine,
            Chance::System,
            Waker::default(),
        );
        let desk = reception::desk(&store, &settings).unwrap();
        adopt(api::service(store, desk, watch::channel(false).1).unwrap())
    }

    fn says(batch: &[u8], part: &[u8]) -> bool {
        batch.windows(part.len()).any(|window| window == part)
    }

    #[tokio::test]
    async fn a_request_reaches_the_collector_with_its_id_and_its_caller_s_trace() {
        let (endpoint, mut batches) = collector().await;
        let traces = Traces::to(&endpoint).unwrap();
        let subscriber = tracing_subscriber::registry().with(traces.layer());
        let watching = tracing::subscriber::set_default(subscriber);
        let request = reqwest::Client::new()
            .get(format!("{}/healthz?phone=13800000000", serves(api()).await))
            .header("x-request-id", "req_of_a_story")
            .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            .header("tracestate", "somebody=13911111111");
        // A parameter that nobody knows; what it says is refused, and traced by its route alone.
        assert_eq!(request.send().await.unwrap().status(), 400);
        drop(watching);
        traces.end().await;

        let batch = batches.try_recv().unwrap();
        let version = env!("CARGO_PKG_VERSION");
        let expected = [
            "service.name",
            "aftercare",
            "service.version",
            version,
            "request.id",
            "req_of_a_story",
            "GET /healthz",
            "http.route",
        ];
        for text in expected {
            assert!(says(&batch, text.as_bytes()), "{text}");
        }
        let trace = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes();
        assert!(says(&batch, &trace), "the caller's trace goes on");
        let parent = 0xb7ad_6b71_6920_3331_u64.to_be_bytes();
        assert!(says(&batch, &parent), "the caller's span is the parent");
        for text in ["13800000000", "13911111111"] {
            assert!(!says(&batch, text.as_bytes()), "{text} is nobody's business");
        }
    }

    #[test]
    fn a_span_says_what_is_listed_and_nothing_else() {
        let exporter = Kept::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let subscriber = tracing_subscriber::registry().with(Traces(provider).layer());
        tracing::subscriber::with_default(subscriber, || {
            let job = tracing::error_span!(
                target: "worker::run", "job", job.kind = "visit_completed", tenant.id = "brd_1",
                attempts = 2_i32, name = "李娜", outcome = "done"
            );
            job.in_scope(|| tracing::error!(phone = "13800000000", "a line"));
            drop(tracing::error_span!("request", request.id = "of another's"));
        });
        let spans = exporter.0.lock().unwrap().clone();
        let [job] = spans.as_slice() else { panic!("{spans:?}") };
        let job = presentable(job.clone());
        assert_eq!((job.name.as_ref(), job.span_kind), ("job visit_completed", SpanKind::Consumer));
        assert!(job.events.is_empty());
        let said: Vec<_> = job.attributes.iter().map(|said| said.key.as_str()).collect();
        assert_eq!(said, ["tenant.id", "job.kind", "job.attempts", "job.outcome"]);
    }

    /// Keeps spans as they come.
    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Kept {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(batch);
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_collector_that_is_away_is_warned_about_once() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let gate = Gate::to(&format!("http://{closed}")).unwrap();
        let lines = Lines::default();
        let writer = lines.clone();
        let fmt = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
        let filter = LevelFilter::WARN;
        let watching = tracing::subscriber::set_default(
            tracing_subscriber::registry().with(fmt.with_filter(filter)),
        );
        for _ in 0..3 {
            gate.export(Vec::new()).await.unwrap_err();
        }
        drop(watching);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches("WARN").count(), 1, "{text}");
        assert!(text.contains("traces cannot be handed over and are dropped"), "{text}");
    }

    /// What was logged.
    #[derive(Debug, Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
