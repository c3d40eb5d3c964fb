//! What a refused request leaves on its connection: the rest of a body that nobody read.

use crate::request::MOST_FILE_BYTES;
use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody as _},
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use futures::{Stream, StreamExt as _};
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::oneshot;

/// How long the rest of a body that nobody wanted is waited for.
const DRAIN_PATIENCE: Duration = Duration::from_secs(2);

/// Takes the rest of a body that nobody read off the connection, so that the next request on it is not
/// mistaken for that rest; gives the connection up when the rest is too long.
pub(crate) async fn settle(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let waits = request.headers().contains_key(header::EXPECT);
    let (parts, body) = request.into_parts();
    let (home, mut returned) = oneshot::channel();
    let loan = Loan { body: Some(body.into_data_stream()), home: Some(home) };
    let request = Request::from_parts(parts, Body::from_stream(loan));
    let mut response = next.run(request).await;
    let Ok(rest) = returned.try_recv() else { return response };
    // A caller who waits to be told to go on has sent nothing yet, and will not.
    if waits || !drained(rest).await {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// A body on loan: what was not read of it comes home.
struct Loan {
    body: Option<BodyDataStream>,
    home: Option<oneshot::Sender<BodyDataStream>>,
}

impl Stream for Loan {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        let next = body.poll_next_unpin(context);
        if matches!(next, Poll::Ready(None)) {
            self.body = None;
        }
        next
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let (Some(body), Some(home)) = (self.body.take(), self.home.take()) {
            // Nobody waits for it when the request itself was given up.
            drop(home.send(body));
        }
    }
}

/// Reads a body to its end and keeps nothing; answers whether the end was near enough.
async fn drained(mut body: BodyDataStream) -> bool {
    let reading = async {
        let mut left = MOST_FILE_BYTES;
        while let Some(Ok(bytes)) = body.next().await {
            match left.checked_sub(bytes.len()) {
                Some(less) => left = less,
                None => return false,
            }
        }
        true
    };
    tokio::time::timeout(DRAIN_PATIENCE, reading).await.unwrap_or(false)
}
