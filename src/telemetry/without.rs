//! No traces: this program was built without them.

use super::SpanLayer;
use crate::settings::Settings;
use axum::Router;

/// There are none.
pub(crate) enum Traces {}

/// Settings that ask for traces were refused before.
pub(crate) fn begin(_: &Settings) -> Option<Traces> {
    None
}

/// Nobody looks at a request's parent.
pub(crate) fn adopt(router: Router) -> Router {
    router
}

impl Traces {
    /// Nobody sees spans.
    pub(crate) fn layer(&self) -> SpanLayer {
        match *self {}
    }

    /// There is nothing left to hand over.
    pub(crate) fn end(self) -> std::future::Ready<()> {
        match self {}
    }
}
