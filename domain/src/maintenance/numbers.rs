//! Numbers of a plan, with the ranges that make sense for them.

use crate::invalid::Invalid;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::borrow::Cow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident = $least:literal to $most:literal, $says:literal, $usual:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(u16);

        impl $name {
            /// Checks a number.
            ///
            /// # Errors
            ///
            /// `out_of_range` below the least and above the most that makes sense.
            pub fn new(number: i64) -> Result<Self, Invalid> {
                let message = || format!("expected {} to {}", $least, $most);
                u16::try_from(number)
                    .ok()
                    .filter(|number| ($least..=$most).contains(number))
                    .map(Self)
                    .ok_or_else(|| Invalid::new("out_of_range", message()))
            }

            /// The number.
            pub fn get(self) -> u16 {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($usual)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(i64::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .minimum(Some($least))
                    .maximum(Some($most))
                    .description(Some($says))
                    .examples([$usual])
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

numbers! {
    /// Whole months of a rhythm. At most ten years: longer than what is sold is maintained.
    MonthCount = 1 to 120, "Whole months, 1 to 120.", 6;
    /// Days by which a visit may be early or late. At most a quarter; usually a week.
    Leeway = 0 to 90, "Days by which a visit may be early or late, 0 to 90.", 7;
    /// Days before its window opens at which a visit is arranged. At least one, so that no customer
    /// hears of a visit on its day; at most two months, as far as calendars are filled; usually a week.
    LeadDays = 1 to 60, "Days before its window opens at which a visit is arranged, 1 to 60.", 7;
    /// How long a visit takes. From a quarter of an hour to a working day; usually an hour.
    VisitMinutes = 15 to 480, "Minutes that a visit takes, 15 to 480.", 60;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_to_its_range() {
        assert_eq!(MonthCount::new(120).map(MonthCount::get), Ok(120));
        assert_eq!(MonthCount::new(121).unwrap_err().message, "expected 1 to 120");
        assert_eq!(Leeway::new(0).map(Leeway::get), Ok(0));
        for beyond in [-1, 91, 70_000] {
            assert_eq!(Leeway::new(beyond).unwrap_err().code, "out_of_range", "{beyond}");
        }
        assert!(serde_json::from_str::<VisitMinutes>("14").is_err());
        assert!(serde_json::from_str::<VisitMinutes>("60.5").is_err());
    }
}
