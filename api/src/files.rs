//! Files over HTTP: their bytes in the description of the API, and the answer that hands one out.

use crate::problem::{self, Problem};
use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// The bytes of a file.
pub(crate) struct FileBytes;

impl PartialSchema for FileBytes {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The bytes of the file, at most 10 MiB."))
            .into()
    }
}

impl ToSchema for FileBytes {}

/// Hands a file out under a name, to be kept and not to be opened in the browser, which believes its type.
pub(crate) fn hand_out(
    name: &str,
    media_type: &'static str,
    bytes: Vec<u8>,
) -> Result<Response, Problem> {
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let disposition = disposition.map_err(|_| Problem::new(&problem::FAULT))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow")),
    ];
    Ok((headers, bytes).into_response())
}
