//! Scalars written where text is wanted: `port: 5432` in `stringData` means the text `5432`.
//! Follows Go's YAML reader, since that is what users of kubeseal and kubectl are used to.

use serde_json::Number;
use zeroize::Zeroizing;

use crate::go::float::float32_text;
use crate::secret_value::SecretValue;

/// The text of a scalar. Lists and maps come back as they are.
pub(crate) fn into_text(value: SecretValue) -> Result<Zeroizing<String>, SecretValue> {
    Ok(Zeroizing::new(match value {
        SecretValue::Text(text) => return Ok(text),
        SecretValue::Bool(flag) => flag.to_string(),
        SecretValue::Number(number) => number_text(&number),
        SecretValue::Null => String::new(),
        SecretValue::List(_) | SecretValue::Map(_) => return Err(value),
    }))
}

/// Whole numbers as they are, others in 32 bit precision, so that a number of 30 digits really loses some.
fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float32_text(float),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_become_the_text_that_go_makes_of_them() {
        for (value, text) in [
            (json!(5), "5"),
            (json!(-3), "-3"),
            (
                json!(12_345_678_901_234_567_890_u64),
                "12345678901234567890",
            ),
            (json!(1.10), "1.1"),
            (json!(3.0), "3"),
            (json!(1e3), "1000"),
            (json!(1e7), "1e+07"),
            (json!(0.000_000_1), "1e-07"),
            (
                json!(123_456_789_012_345_678_901_234_567_890.0),
                "1.2345679e+29",
            ),
            (json!(true), "true"),
            (json!(null), ""),
            (json!("x"), "x"),
        ] {
            assert_eq!(
                into_text(value.into()).map(|text| text.to_string()),
                Ok(text.to_owned())
            );
        }
        assert!(into_text(json!([]).into()).is_err());
    }
}
