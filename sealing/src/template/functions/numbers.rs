//! Whole numbers and rounding: sprig's numeric.go. Arithmetic wraps at 64 bits, as Go's does.
//! What is no number counts as 0, and is never quoted.

use gotmpl::Value;

use super::Arity::{AtLeast, Exactly};
use super::{Call, CallError, Function, failed, function};

/// Longest list that `until` makes; Go would take any memory it is asked for.
const MAX_COUNT: u64 = 100_000;

pub(super) const FUNCTIONS: &[Function] = &[
    function("add", AtLeast(0), |call| {
        Ok(fold(0, call.args, i64::wrapping_add))
    }),
    function("add1", Exactly(1), |call| {
        Ok(Value::Int(int(&call.args[0]).wrapping_add(1)))
    }),
    function("atoi", Exactly(1), atoi),
    function("div", Exactly(2), |call| divide(call, i64::wrapping_div)),
    function("float64", Exactly(1), |call| {
        Ok(Value::Float(float(&call.args[0])))
    }),
    function("int", Exactly(1), |call| Ok(Value::Int(int(&call.args[0])))),
    function("int64", Exactly(1), |call| {
        Ok(Value::Int(int(&call.args[0])))
    }),
    function("max", AtLeast(1), |call| {
        Ok(fold(int(&call.args[0]), &call.args[1..], i64::max))
    }),
    function("min", AtLeast(1), |call| {
        Ok(fold(int(&call.args[0]), &call.args[1..], i64::min))
    }),
    function("mod", Exactly(2), |call| divide(call, i64::wrapping_rem)),
    function("mul", AtLeast(1), |call| {
        Ok(fold(int(&call.args[0]), &call.args[1..], i64::wrapping_mul))
    }),
    function("round", AtLeast(2), round),
    function("sub", Exactly(2), |call| {
        Ok(Value::Int(
            int(&call.args[0]).wrapping_sub(int(&call.args[1])),
        ))
    }),
    function("until", Exactly(1), until),
];

fn fold(start: i64, values: &[Value], combine: fn(i64, i64) -> i64) -> Value {
    Value::Int(values.iter().map(int).fold(start, combine))
}

fn divide(call: &Call<'_>, operation: fn(i64, i64) -> i64) -> Result<Value, CallError> {
    match int(&call.args[1]) {
        0 => Err(failed("runtime error: integer divide by zero")),
        divisor => Ok(Value::Int(operation(int(&call.args[0]), divisor))),
    }
}

/// Any value as a whole number: text in Go's notation, true as 1, what is neither as 0.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "conversion of numbers that do not fit differs between machines in Go too"
)]
fn int(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        Value::Uint(number) => *number as i64,
        Value::Float(float) => *float as i64,
        Value::Bool(flag) => i64::from(*flag),
        Value::String(text) => parse_int(without_zero_fraction(text)).unwrap_or(0),
        _ => 0,
    }
}

/// `10.00` as `10`: a fraction of zeros only is dropped before text is read as a whole number.
fn without_zero_fraction(text: &str) -> &str {
    match text.rsplit_once('.') {
        Some((whole, fraction))
            if !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0') =>
        {
            whole
        }
        _ => text,
    }
}

/// Go's `ParseInt(text, 0, 64)`: a sign, then 0x, 0o, 0b or 0 for the base, underscores between digits.
fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let (base, digits, prefixed) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..], true),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..], true),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..], true),
        [b'0', _, ..] => (8, &digits[1..], true),
        _ => (10, digits, false),
    };
    let separated =
        digits.ends_with('_') || digits.contains("__") || (digits.starts_with('_') && !prefixed);
    if separated || digits.starts_with(['+', '-']) {
        return None;
    }
    let plain = digits.replace('_', "");
    i64::from_str_radix(&format!("{}{plain}", if negative { "-" } else { "" }), base).ok()
}

/// Any value as a floating point number; what is none as 0.
#[allow(
    clippy::cast_precision_loss,
    reason = "float64(x) in Go loses the same digits"
)]
fn float(value: &Value) -> f64 {
    match value {
        Value::Int(number) => *number as f64,
        Value::Uint(number) => *number as f64,
        Value::Float(float) => *float,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::String(text) => text.parse().unwrap_or(0.0),
        _ => 0.0,
    }
}

/// Go's `Atoi` without its error: a decimal number, and 0 or the nearest end of the range for anything else.
fn atoi(call: &Call<'_>) -> Result<Value, CallError> {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    let number = match call.text(0)?.parse::<i64>() {
        Ok(number) => number,
        Err(error) => match error.kind() {
            PosOverflow => i64::MAX,
            NegOverflow => i64::MIN,
            _ => 0,
        },
    };
    Ok(Value::Int(number))
}

/// `round x places [from]`: up when the part that is cut off is at least `from`, half by default.
fn round(call: &Call<'_>) -> Result<Value, CallError> {
    let places = i32::try_from(call.int(1)?).map_err(|_| failed("too many places"))?;
    let from = match call.args.get(2) {
        None => 0.5,
        Some(number @ (Value::Float(_) | Value::Int(_))) => float(number),
        Some(_) => return Err(call.wrong(2, "float64")),
    };
    let power = 10_f64.powi(places);
    let scaled = power * float(&call.args[0]);
    let rounded = if scaled.fract() >= from {
        scaled.ceil()
    } else {
        scaled.floor()
    };
    Ok(Value::Float(rounded / power))
}

fn until(call: &Call<'_>) -> Result<Value, CallError> {
    let end = call.int(0)?;
    if end.unsigned_abs() > MAX_COUNT {
        return Err(failed("the list would be too long"));
    }
    let numbers: Vec<Value> = if end < 0 {
        (end + 1..=0).rev().map(Value::Int).collect()
    } else {
        (0..end).map(Value::Int).collect()
    };
    Ok(Value::List(numbers.into()))
}
