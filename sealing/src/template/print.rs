//! Values as text, the way `%v` of Go shows them.
//! Bounded: a value can hold itself, and a short one can be very long as text.

use super::MAX_OUTPUT;
use super::text::Text;
use super::time::layout::{month_name, weekday_name};
use super::value::{IntType, Value};
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
