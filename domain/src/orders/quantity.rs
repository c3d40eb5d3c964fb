//! How many pieces of something.

use crate::invalid::Invalid;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::{borrow::Cow, str::FromStr};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// The most pieces of one line: it keeps a slip of the keyboard from looking like a sale.
pub const MOST_PIECES: u32 = 100_000;

/// A number of pieces, from 1 to [`MOST_PIECES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Quantity(u32);

impl Quantity {
    /// A number of pieces.
    ///
    /// # Errors
    ///
    /// `quantity_out_of_range` for none and for more than [`MOST_PIECES`].
    pub fn new(pieces: u32) -> Result<Self, Invalid> {
        if (1..=MOST_PIECES).contains(&pieces) {
            return Ok(Self(pieces));
        }
        let message = format!("expected 1 to {MOST_PIECES} pieces");
        Err(Invalid::new("quantity_out_of_range", message)
            .in_chinese(format!("数量应为 1 至 {MOST_PIECES} 件")))
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl FromStr for Quantity {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let pieces = text.parse().map_err(|_| {
            Invalid::new("not_a_whole_number", "expected a whole number of pieces, such as 2")
                .in_chinese("件数应为整数，例如 2")
        })?;
        Self::new(pieces)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl PartialSchema for Quantity {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MOST_PIECES))
            .description(Some("A number of pieces."))
            .examples([2])
            .into()
    }
}

impl ToSchema for Quantity {
    fn name() -> Cow<'static, str> {
        "Quantity".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_at_least_one_piece_and_at_most_a_hundred_thousand() {
        for text in ["1", "100000"] {
            assert!(text.parse::<Quantity>().is_ok(), "{text}");
        }
        for text in ["0", "100001"] {
            assert_eq!(text.parse::<Quantity>().unwrap_err().code, "quantity_out_of_range");
        }
        for text in ["two", "1.5", "-1", ""] {
            assert_eq!(text.parse::<Quantity>().unwrap_err().code, "not_a_whole_number");
        }
    }
}
