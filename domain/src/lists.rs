//! Lists of a bounded length.

use crate::invalid::Invalid;
use serde::{Deserialize, Deserializer, de::Error as _};

/// Reads a list of at least `LEAST` and at most `MOST` items.
///
/// # Errors
///
/// `wrong_number_of_items`.
pub fn list_of<'de, const LEAST: usize, const MOST: usize, T, D>(
    input: D,
) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let items = Vec::<T>::deserialize(input)?;
    if (LEAST..=MOST).contains(&items.len()) {
        return Ok(items);
    }
    let message = format!("expected {LEAST} to {MOST} items, not {}", items.len());
    let chinese = format!("应有 {LEAST} 至 {MOST} 项，而不是 {} 项", items.len());
    Err(D::Error::custom(Invalid::new("wrong_number_of_items", message).in_chinese(chinese)))
}

/// Reads a list of at most `MOST` items, or null.
///
/// # Errors
///
/// `wrong_number_of_items`.
pub fn list_or_null<'de, const MOST: usize, T, D>(input: D) -> Result<Option<Vec<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    /// A list that may be missing.
    #[derive(Deserialize)]
    #[serde(bound = "T: Deserialize<'de>")]
    struct Bounded<T, const MOST: usize>(
        #[serde(deserialize_with = "list_of::<0, MOST, _, _>")] Vec<T>,
    );
    Ok(Option::<Bounded<T, MOST>>::deserialize(input)?.map(|Bounded(items)| items))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[derive(Debug, Deserialize, PartialEq)]
    struct Two {
        #[serde(deserialize_with = "list_of::<1, 2, _, _>")]
        all: Vec<u8>,
        #[serde(default, deserialize_with = "list_or_null::<2, _, _>")]
        some: Option<Vec<u8>>,
    }

    fn read(value: Value) -> Result<Two, serde_json::Error> {
        serde_json::from_value(value)
    }

    #[test]
    fn a_list_is_as_long_as_is_said() {
        for (all, fits) in [(json!([]), false), (json!([1, 2]), true), (json!([1, 2, 3]), false)] {
            assert_eq!(read(json!({ "all": all })).is_ok(), fits, "{all}");
        }
    }

    #[test]
    fn a_list_may_be_missing_and_not_be_too_long() {
        let some = |some: Value| read(json!({ "all": [1], "some": some })).map(|two| two.some);
        assert_eq!(read(json!({ "all": [1] })).unwrap().some, None);
        assert_eq!(some(Value::Null).unwrap(), None);
        assert_eq!(some(json!([])).unwrap(), Some(Vec::new()));
        assert_eq!(some(json!([1, 2])).unwrap(), Some(vec![1, 2]));
        assert!(some(json!([1, 2, 3])).is_err());
    }
}
