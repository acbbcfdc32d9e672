//! Values as text, the way `%v` and `%q` of Go show them.
//! Bounded: a value can hold itself, and a short one can be very long as text.

use super::text::Text;
use super::time::layout::month_name;
use super::time::weekday_name;
use super::value::{IntType, Value};
use super::{MAX_OUTPUT, unicode};
use crate::go::duration;
use crate::go::float::float64_text;

/// Deepest nesting that is printed: lists have a limit of their own, dicts can hold themselves.
const MAX_DEPTH: usize = 200;

/// Text of unreasonable length or depth.
#[derive(Debug)]
pub(super) struct TooLong;

/// What `%v` prints.
pub(super) fn display(value: &Value) -> Result<Text, TooLong> {
    if let Value::Text(text) = value {
        return Ok(text.clone());
    }
    let mut out = Vec::new();
    write(&mut out, value, 0)?;
    Ok(out.into())
}

fn write(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), TooLong> {
    if depth > MAX_DEPTH || out.len() > MAX_OUTPUT {
        return Err(TooLong);
    }
    match value {
        Value::List(list) => {
            out.push(b'[');
            for (index, item) in list.items().iter().enumerate() {
                out.extend((index > 0).then_some(b' '));
                write(out, item, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Dict(_) | Value::Texts(_) => {
            out.extend(b"map[");
            for (index, (key, item)) in value.entries().unwrap_or_default().iter().enumerate() {
                out.extend((index > 0).then_some(b' '));
                out.extend_from_slice(key);
                out.push(b':');
                write(out, item, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Text(text) => out.extend_from_slice(text),
        Value::Certificate(certificate) => {
            let (cert, key) = (&certificate.cert, &certificate.key);
            out.extend([b"{", &**cert, b" ", key, b"}"].concat());
        }
        _ => out.extend(scalar(value).into_bytes()),
    }
    Ok(())
}

/// The text of a value that holds no other.
fn scalar(value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number, int) => int_text(*number, *int),
        Value::Float(float) => float64_text(*float),
        Value::Time(time) => time.to_string(),
        Value::Version(version) => version.to_string(),
        _ => "<nil>".to_owned(),
    }
}

fn int_text(number: i64, int: IntType) -> String {
    match int {
        IntType::Duration => duration::text(number),
        IntType::Month => month_name(number).to_owned(),
        IntType::Weekday => weekday_name(number).to_owned(),
        IntType::Uint64 => number.cast_unsigned().to_string(),
        IntType::Int | IntType::Int64 | IntType::Uint8 => number.to_string(),
    }
}

/// Go's `%q`: the text between double quotes, with everything unprintable escaped.
pub(super) fn quoted(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for chunk in text.utf8_chunks() {
        chunk
            .valid()
            .chars()
            .for_each(|character| push_quoted(&mut out, character, '"'));
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

/// A character as it stands in a literal of Go in these quotes.
pub(super) fn push_quoted(out: &mut String, character: char, quote: char) {
    match character {
        '\\' => out.push_str("\\\\"),
        _ if character == quote => {
            out.push('\\');
            out.push(character);
        }
        '\u{07}' => out.push_str("\\a"),
        '\u{08}' => out.push_str("\\b"),
        '\u{0c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{0b}' => out.push_str("\\v"),
        _ if unicode::is_print(character) => out.push(character),
        '\0'..='\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(character))),
        '\u{80}'..='\u{ffff}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
        _ => out.push_str(&format!("\\U{:08x}", u32::from(character))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_that_of_go() {
        // Read off Go's own %q.
        for (bytes, wanted) in [
            (
                "a\u{301}\u{200b}\u{1}é日\u{a0}\u{1f600}\u{feff}".as_bytes(),
                "\"a\u{301}\\u200b\\x01é日\\u00a0\u{1f600}\\ufeff\"",
            ),
            (b"\xff\x00\x7f\xe2\x80\xa8", r#""\xff\x00\x7f\u2028""#),
            (b"a\"\\\n", r#""a\"\\\n""#),
        ] {
            assert_eq!(quoted(bytes), wanted);
        }
    }
}
