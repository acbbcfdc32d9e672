//! A JSON value read into memory that is wiped.
//! Must not know what the value means.

use std::fmt;

use indexmap::IndexMap;
use sealing::SecretValue;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use zeroize::Zeroizing;

use super::go_text::quote_char;

/// A value as it stands in JSON, keys in their order, of equal keys the last.
pub(super) struct Json(pub(super) SecretValue);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

/// What is wrong with `text`, in the words of Go's decoder.
pub(super) fn problem(text: &str, error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let line = text.split('\n').nth(error.line().saturating_sub(1));
    let found = line.and_then(|line| line.as_bytes().get(error.column().saturating_sub(1)));
    let found = quote_char(found.map_or('\n', |byte| char::from(*byte)));
    let said = error.to_string();
    let expected = match said.split(" at line ").next().unwrap_or_default() {
        "key must be a string" | "trailing comma" => "looking for beginning of object key string",
        "expected `:`" => "after object key",
        "expected `,` or `}`" => "after object key:value pair",
        "expected `,` or `]`" => "after array element",
        "invalid escape" => "in string escape code",
        said if said.starts_with("control character") => "in string literal",
        _ => "looking for beginning of value",
    };
    format!("invalid character {found} {expected}")
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = SecretValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<SecretValue, E> {
        Ok(SecretValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<SecretValue, E> {
        Ok(SecretValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<SecretValue, E> {
        Ok(SecretValue::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<SecretValue, E> {
        Ok(SecretValue::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<SecretValue, E> {
        Ok(Number::from_f64(value).map_or(SecretValue::Null, SecretValue::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<SecretValue, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<SecretValue, E> {
        Ok(SecretValue::Text(Zeroizing::new(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<SecretValue, A::Error> {
        let mut list = Vec::new();
        while let Some(Json(element)) = elements.next_element()? {
            list.push(element);
        }
        Ok(SecretValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<SecretValue, A::Error> {
        let mut map = IndexMap::new();
        while let Some((key, Json(value))) = entries.next_entry::<String, Json>()? {
            map.insert(key, value);
        }
        Ok(SecretValue::Map(map))
    }
}
