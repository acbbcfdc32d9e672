//! Values of the engine as Go sees them: their types and their text.
//! Opens nothing and calls nothing.

use std::fmt::{self, Write as _};

use gotmpl::Value;

use super::escape;
use crate::go_number::float64_text;

/// The Go type that a value would have; `None` for nil. `dot` is the one map whose values are all text.
pub(super) fn type_name(value: &Value, dot: &Value) -> Option<&'static str> {
    match value {
        Value::Nil => None,
        Value::Bool(_) => Some("bool"),
        Value::Int(_) => Some("int"),
        Value::Uint(_) => Some("uint"),
        Value::Float(_) => Some("float64"),
        Value::String(_) => Some("string"),
        Value::List(_) => Some("[]interface {}"),
        Value::Map(_) if is_same(value, dot) => Some("map[string]string"),
        Value::Map(_) => Some("map[string]interface {}"),
        Value::Function(_) => Some("func"),
    }
}

/// Whether two maps are one and the same.
pub(super) fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Map(left), Value::Map(right)) => std::sync::Arc::ptr_eq(left, right),
        _ => false,
    }
}

/// What `%v` prints, cut where it grows past `limit` bytes; the engine's own text differs for large numbers.
pub(super) fn text(value: &Value, limit: usize) -> Result<String, TooLong> {
    let mut out = Bounded {
        text: String::new(),
        limit,
    };
    write_value(&mut out, value).map_err(|_| TooLong)?;
    Ok(out.text)
}

/// Text of unreasonable length.
#[derive(Debug)]
pub(super) struct TooLong;

struct Bounded {
    text: String,
    limit: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.text.len() + part.len() > self.limit {
            return Err(fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}

fn write_value(out: &mut Bounded, value: &Value) -> fmt::Result {
    match value {
        Value::Nil => out.write_str("<nil>"),
        Value::Float(float) => out.write_str(&float64_text(*float)),
        Value::String(text) => out.write_str(text),
        Value::List(items) => {
            out.write_char('[')?;
            for (index, item) in items.iter().enumerate() {
                out.write_str(if index == 0 { "" } else { " " })?;
                write_value(out, item)?;
            }
            out.write_char(']')
        }
        Value::Map(entries) => {
            out.write_str("map[")?;
            for (index, (key, item)) in entries.iter().enumerate() {
                write!(out, "{}{key}:", if index == 0 { "" } else { " " })?;
                write_value(out, item)?;
            }
            out.write_char(']')
        }
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Function(_) => {
            write!(out, "{value}")
        }
    }
}

/// Go's `%q`: the text between double quotes, with everything unprintable escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for chunk in escape::decode(text).utf8_chunks() {
        for character in chunk.valid().chars() {
            push_quoted(&mut out, character);
        }
        for byte in chunk.invalid() {
            push(&mut out, format_args!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

fn push_quoted(out: &mut String, character: char) {
    match character {
        '"' | '\\' => push(out, format_args!("\\{character}")),
        '\u{07}' => out.push_str("\\a"),
        '\u{08}' => out.push_str("\\b"),
        '\u{0c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{0b}' => out.push_str("\\v"),
        ' '..='~' => out.push(character),
        '\0'..='\u{7f}' => push(out, format_args!("\\x{:02x}", u32::from(character))),
        _ if is_printable(character) => out.push(character),
        '\u{80}'..='\u{ffff}' => push(out, format_args!("\\u{:04x}", u32::from(character))),
        _ => push(out, format_args!("\\U{:08x}", u32::from(character))),
    }
}

/// Letters, marks, numbers, punctuation and symbols, as far as the standard library knows. In second place, because
/// `escape_debug` treats a mark at the beginning of a text as unprintable.
fn is_printable(character: char) -> bool {
    !character.is_whitespace()
        && !format!("a{character}")
            .escape_debug()
            .to_string()
            .contains('\\')
}

fn push(out: &mut String, arguments: fmt::Arguments<'_>) {
    out.write_fmt(arguments)
        .expect("invariant: writing to a String succeeds");
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
            assert_eq!(quoted(&escape::encode(bytes)), wanted);
        }
    }
}
