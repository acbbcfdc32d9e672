//! JSON as Go's encoding/json writes and reads it.
//! Works on values of the engine; quotes nothing in errors, because it has none.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use gotmpl::Value;

use super::escape;

/// Compact JSON, keys sorted. `html` escapes `<`, `>` and `&`, as `json.Marshal` does.
pub(super) fn encode(value: &Value, html: bool) -> String {
    let mut out = String::new();
    write_value(&mut out, value, html);
    out
}

fn write_value(out: &mut String, value: &Value, html: bool) {
    match value {
        Value::Nil | Value::Function(_) => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => push_number(out, number),
        Value::Uint(number) => push_number(out, number),
        Value::Float(float) => out.push_str(&float_text(*float)),
        Value::String(text) => write_string(out, text, html),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write_value(out, item, html);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write_string(out, key, html);
                out.push(':');
                write_value(out, item, html);
            }
            out.push('}');
        }
    }
}

fn push_number(out: &mut String, number: &dyn std::fmt::Display) {
    write!(out, "{number}").expect("invariant: writing to a String succeeds");
}

/// ECMAScript's form: an exponent below 1e-6 and from 1e21.
fn float_text(float: f64) -> String {
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        return if size < 1.0 {
            text
        } else {
            text.replace('e', "e+")
        };
    }
    float.to_string()
}

fn write_string(out: &mut String, text: &str, html: bool) {
    out.push('"');
    for chunk in escape::decode(text).utf8_chunks() {
        for character in chunk.valid().chars() {
            write_character(out, character, html);
        }
        for _ in chunk.invalid() {
            out.push_str("\\ufffd");
        }
    }
    out.push('"');
}

fn write_character(out: &mut String, character: char, html: bool) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{08}' => out.push_str("\\b"),
        '\u{0c}' => out.push_str("\\f"),
        '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => push_unicode(out, character),
        '<' | '>' | '&' if html => push_unicode(out, character),
        _ => out.push(character),
    }
}

fn push_unicode(out: &mut String, character: char) {
    write!(out, "\\u{:04x}", u32::from(character))
        .expect("invariant: writing to a String succeeds");
}

/// Reads JSON; all numbers become floating point, and what is no JSON becomes nil.
pub(super) fn decode(text: &str) -> Value {
    let bytes = escape::decode(text);
    let parsed = serde_json::from_str(&String::from_utf8_lossy(&bytes));
    parsed.map_or(Value::Nil, |value: serde_json::Value| from_json(&value))
}

fn from_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(flag) => Value::Bool(*flag),
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Value::String(escape::encode(text.as_bytes()).into()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(from_json).collect()),
        serde_json::Value::Object(entries) => {
            let key = |key: &str| Arc::from(escape::encode(key.as_bytes()));
            let entries = entries
                .iter()
                .map(|(name, value)| (key(name), from_json(value)));
            Value::Map(Arc::new(entries.collect::<BTreeMap<_, _>>()))
        }
    }
}
