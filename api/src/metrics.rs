//! Metrics for the operator: how many, how long. Labels are operations and kinds, never tenants or
//! people.

use crate::request::{method_name, operation};
use axum::{extract::Request, middleware::Next, response::Response};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use tokio::time::Instant;

/// Bounds of the buckets in which durations are counted, in seconds.
const SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Where metrics are collected, once for the process.
fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER.get_or_init(install).as_ref()
}

fn install() -> Option<PrometheusHandle> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .ok()?;
    match builder.install_recorder() {
        Ok(handle) => Some(handle),
        Err(error) => {
            tracing::warn!(%error, "metrics are not collected");
            None
        }
    }
}

/// Begins to collect metrics.
pub fn collect() {
    recorder();
}

/// What was collected, as Prometheus reads it.
pub(crate) async fn render() -> String {
    recorder().map(PrometheusHandle::render).unwrap_or_default()
}

/// Counts and times requests by operation.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let (method, operation) = (method_name(request.method()).to_owned(), operation(&request));
    let began = Instant::now();
    let response = next.run(request).await;
    let labels = [("method", method), ("operation", operation)];
    metrics::histogram!("aftercare_http_request_duration_seconds", &labels)
        .record(began.elapsed().as_secs_f64());
    let status = response.status().as_u16().to_string();
    let [method, operation] = labels;
    metrics::counter!("aftercare_http_requests_total", &[method, operation, ("status", status)])
        .increment(1);
    response
}
