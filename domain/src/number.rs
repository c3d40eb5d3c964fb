//! Whole numbers within limits, so that a grade or a span that is stored was looked at once.

/// Declares whole numbers that lie from a least to a most, both included.
macro_rules! whole_numbers {
    ($($(#[$doc:meta])* $name:ident = $least:literal to $most:literal, $says:literal, $example:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The smallest there is.
            pub const LEAST: Self = Self($least);
            /// The largest there is.
            pub const MOST: Self = Self($most);

            /// Checks a number.
            ///
            /// # Errors
            ///
            /// `out_of_range` below the least and above the most.
            pub fn new(number: u32) -> Result<Self, $crate::invalid::Invalid> {
                if ($least..=$most).contains(&number) {
                    return Ok(Self(number));
                }
                let message = concat!("expected ", $least, " to ", $most);
                let chinese = concat!("应为 ", $least, " 至 ", $most);
                Err($crate::invalid::Invalid::new("out_of_range", message).in_chinese(chinese))
            }

            /// The number.
            pub fn get(self) -> u32 {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(u32::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::Integer)
                    .minimum(Some($least))
                    .maximum(Some($most))
                    .description(Some($says))
                    .examples([$example])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

pub(crate) use whole_numbers;

#[cfg(test)]
mod tests {
    use crate::complaints::Severity;

    #[test]
    fn a_number_reaches_its_limits_and_not_beyond() {
        assert_eq!(Severity::new(1).map(Severity::get), Ok(1));
        assert_eq!(Severity::new(4).map(Severity::get), Ok(4));
        for number in [0, 5] {
            let mistake = Severity::new(number).unwrap_err();
            assert_eq!(
                (mistake.code.as_str(), mistake.message.as_str()),
                ("out_of_range", "expected 1 to 4")
            );
        }
        assert!(serde_json::from_str::<Severity>("-1").is_err());
        assert!(serde_json::from_str::<Severity>("2.5").is_err());
    }
}
