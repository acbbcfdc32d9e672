//! Reads one scalar as Go's YAML 1.1 reader does, and spells it as Go spells it where text is expected.
//! Must not know where the scalar stands, nor which field it is for.

use sealing::SecretValue;
use sealing::go::float::float32_text;
use sealing::go::integer::{parse_int, parse_uint};
use serde_json::Number;
use zeroize::Zeroizing;

/// What a scalar means. Text is wiped on drop: it may be a secret.
#[derive(Clone, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    /// Canonical decimal spelling of a value that fits 64 bits, signed or unsigned.
    Integer(String),
    Float(f64),
    Text(Zeroizing<String>),
}

impl Scalar {
    /// Resolves a plain scalar (neither quoted nor a block) without a tag.
    pub(crate) fn plain(text: &str) -> Self {
        if let Some(word) = word(text) {
            return word;
        }
        match text.as_bytes().first() {
            Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(text),
            _ => None,
        }
        .unwrap_or_else(|| Self::text(text))
    }

    pub(crate) fn text(text: &str) -> Self {
        Self::Text(Zeroizing::new(text.to_owned()))
    }

    /// The text that Go puts into a field of type string. `null` becomes the empty string.
    pub(crate) fn into_text(self) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Integer(digits) => digits,
            // Go's way from YAML to JSON rounds to 32 bits, and so do kubectl and kubeseal.
            Self::Float(value) => float32_text(value),
            Self::Text(text) => return text,
        })
    }

    pub(crate) fn into_value(self) -> SecretValue {
        match self {
            Self::Null => SecretValue::Null,
            Self::Bool(value) => SecretValue::Bool(value),
            Self::Integer(digits) => digits
                .parse()
                .map_or_else(|_| digits.as_str().into(), SecretValue::Number),
            // JSON has no infinity, and Go has a word for it only where text is expected.
            Self::Float(value) => Number::from_f64(value).map_or_else(
                || SecretValue::Text(Self::Float(value).into_text()),
                SecretValue::Number,
            ),
            Self::Text(text) => SecretValue::Text(text),
        }
    }

    /// What a person calls a value of this kind.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
        }
    }
}

fn word(text: &str) -> Option<Scalar> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

fn number(text: &str) -> Option<Scalar> {
    if text.starts_with('.') {
        return float(text);
    }
    let digits = text.replace('_', "");
    integer(&digits).or_else(|| float(&digits))
}

/// Signed as far as it fits 64 bits, else unsigned.
fn integer(text: &str) -> Option<Scalar> {
    let signed = parse_int(text, 0).map(|number| number.to_string());
    let digits = signed.or_else(|_| parse_uint(text, 0).map(|number| number.to_string()));
    digits.ok().map(Scalar::Integer)
}

/// Floats as go-yaml's pattern takes them: digits, an optional fraction, an optional exponent.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_float = unsigned.bytes().any(|byte| byte.is_ascii_digit())
        && unsigned
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let value: f64 = if is_float {
        text.parse().ok()?
    } else {
        return None;
    };
    value.is_finite().then_some(Scalar::Float(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unquoted_values_become_the_text_that_kubectl_would_send() {
        for (written, sealed) in [
            ("5", "5"),
            ("+5", "5"),
            ("-3", "-3"),
            ("1.10", "1.1"),
            ("3.0", "3"),
            ("1e3", "1000"),
            ("0.0000001", "1e-07"),
            ("0x10", "16"),
            ("010", "8"),
            ("0o17", "15"),
            ("0b11", "3"),
            ("-0b11", "-3"),
            ("1_000", "1000"),
            ("12345678901234567890", "12345678901234567890"),
            ("123456789012345678901234567890", "1.2345679e+29"),
            ("+18446744073709551615", "1.8446744e+19"),
            ("08", "8"),
            ("1e6", "1e+06"),
            ("yes", "true"),
            ("on", "true"),
            ("y", "true"),
            ("Y", "true"),
            ("no", "false"),
            ("Off", "false"),
            ("n", "false"),
            ("null", ""),
            ("~", ""),
            ("", ""),
            ("2024-01-02", "2024-01-02"),
            ("12:30:45", "12:30:45"),
            (".inf", "+Inf"),
            (".nan", "NaN"),
            ("-.inf", "-Inf"),
            (".5", "0.5"),
            ("1-2", "1-2"),
            ("-", "-"),
            ("+", "+"),
            ("..", ".."),
            ("1e", "1e"),
            ("0x", "0x"),
            ("0b", "0b"),
            ("0xFFFFFFFFFFFFFFFFF", "0xFFFFFFFFFFFFFFFFF"),
            ("-1e-400", "-0"),
            ("1.2.3", "1.2.3"),
            ("99999e999", "99999e999"),
            ("0", "0"),
            ("-0", "0"),
            ("YEs", "YEs"),
            ("0.00001", "1e-05"),
        ] {
            assert_eq!(*Scalar::plain(written).into_text(), sealed, "{written}");
        }
    }
}
