//! Merge patches, as the OpenAPI document describes them.

/// Declares the schema of a merge patch (RFC 7396) over some details: their members, none of them required.
macro_rules! patches {
    ($($name:ident of $details:ident),* $(,)?) => {$(
        #[doc = concat!("What changes of [`", stringify!($details), "`].")]
        struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::patch::lenient(<$details as utoipa::PartialSchema>::schema())
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn schemas(
                schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>,
            ) {
                <$details as utoipa::ToSchema>::schemas(schemas);
            }
        }
    )*};
}

pub(crate) use patches;

use utoipa::openapi::{RefOr, Schema};

/// The same schema, with every member left to the caller.
pub(crate) fn lenient(mut schema: RefOr<Schema>) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        object.required.clear();
    }
    schema
}
