//! Whole numbers, floating point and rounding: sprig's numeric.go. Arithmetic wraps at 64 bits, as Go's does.
//! What is no number counts as 0, and is never quoted.

use super::Param::{Any, Float, Int, Text as Str};
use super::{Call, CallError, Element, Function, Value, display, failed, function, list, text};
use crate::go::float::parse_float;
use crate::go::integer::{NotInt, parse_int};
use crate::template::decimal::Decimal;
use crate::template::value::IntType;

/// Longest list of numbers that is made; Go would take any memory it is asked for.
const MAX_COUNT: usize = 100_000;

pub(super) const FUNCTIONS: &[Function] = &[
    function("add", &[], |call| Ok(fold(0, call.args, i64::wrapping_add))).and(Any),
    function("add1", &[Any], |call| {
        Ok(Value::int64(int(&call.args[0]).wrapping_add(1)))
    }),
    function("add1f", &[Any], |call| {
        exactly(call, &call.args[0], &[Value::int(1)], Decimal::plus)
    }),
    function("addf", &[], |call| {
        exactly(call, &Value::int(0), call.args, Decimal::plus)
    })
    .and(Any),
    function("atoi", &[Str], atoi),
    function("biggest", &[Any], max).and(Any),
    function("ceil", &[Any], |call| {
        Ok(Value::Float(float(&call.args[0]).ceil()))
    }),
    function("div", &[Any, Any], |call| divide(call, i64::wrapping_div)),
    function("divf", &[Any], divf).and(Any),
    function("float64", &[Any], |call| {
        Ok(Value::Float(float(&call.args[0])))
    }),
    function("floor", &[Any], |call| {
        Ok(Value::Float(float(&call.args[0]).floor()))
    }),
    function("int", &[Any], |call| Ok(Value::int(int(&call.args[0])))),
    function("int64", &[Any], |call| Ok(Value::int64(int(&call.args[0])))),
    function("max", &[Any], max).and(Any),
    function("maxf", &[Any], |call| Ok(extreme(call, f64::max))).and(Any),
    function("min", &[Any], |call| {
        Ok(fold(int(&call.args[0]), &call.args[1..], i64::min))
    })
    .and(Any),
    function("minf", &[Any], |call| Ok(extreme(call, f64::min))).and(Any),
    function("mod", &[Any, Any], |call| divide(call, i64::wrapping_rem)),
    function("mul", &[Any], |call| {
        Ok(fold(int(&call.args[0]), &call.args[1..], i64::wrapping_mul))
    })
    .and(Any),
    function("mulf", &[Any], |call| {
        exactly(call, &call.args[0], &call.args[1..], Decimal::times)
    })
    .and(Any),
    function("round", &[Any, Int], round).and(Float),
    function("seq", &[], seq).and(Int),
    function("sub", &[Any, Any], |call| {
        Ok(Value::int64(
            int(&call.args[0]).wrapping_sub(int(&call.args[1])),
        ))
    }),
    function("subf", &[Any], |call| {
        exactly(call, &call.args[0], &call.args[1..], Decimal::minus)
    })
    .and(Any),
    function("toDecimal", &[Any], to_decimal),
    function("until", &[Int], |call| {
        let end = call.int(0);
        numbers(steps(0, end, if end < 0 { -1 } else { 1 })?)
    }),
    function("untilStep", &[Int, Int, Int], |call| {
        numbers(steps(call.int(0), call.int(1), call.int(2))?)
    }),
];

fn fold(start: i64, values: &[Value], combine: fn(i64, i64) -> i64) -> Value {
    Value::int64(values.iter().map(int).fold(start, combine))
}

fn max(call: &Call<'_>) -> Result<Value, CallError> {
    Ok(fold(int(&call.args[0]), &call.args[1..], i64::max))
}

/// The greatest or least; what is not a number wins.
fn extreme(call: &Call<'_>, better: fn(f64, f64) -> f64) -> Value {
    let floats = call.args.iter().map(float);
    let found = floats.reduce(|left, right| {
        if left.is_nan() || right.is_nan() {
            f64::NAN
        } else {
            better(left, right)
        }
    });
    Value::Float(found.unwrap_or_default())
}

fn divide(call: &Call<'_>, operation: fn(i64, i64) -> i64) -> Result<Value, CallError> {
    match int(&call.args[1]) {
        0 => Err(failed("runtime error: integer divide by zero")),
        divisor => Ok(Value::int64(operation(int(&call.args[0]), divisor))),
    }
}

fn decimal(value: &Value) -> Result<Decimal, CallError> {
    let float = float(value);
    Decimal::of(float).ok_or_else(|| {
        CallError::Echo(format!(
            "Cannot create a Decimal from {}",
            crate::go::float::float64_text(float)
        ))
    })
}

/// Decimal arithmetic without loss, rounded at the end. Products grow, and are paid for.
fn exactly(
    call: &Call<'_>,
    first: &Value,
    others: &[Value],
    operation: fn(&Decimal, &Decimal) -> Decimal,
) -> Result<Value, CallError> {
    let mut result = decimal(first)?;
    for other in others {
        result = operation(&result, &decimal(other)?);
        call.run.spend(result.size())?;
    }
    Ok(Value::Float(result.to_float()))
}

fn divf(call: &Call<'_>) -> Result<Value, CallError> {
    let mut result = decimal(&call.args[0])?;
    for other in &call.args[1..] {
        result = result
            .divided_by(&decimal(other)?)
            .ok_or(failed("decimal division by 0"))?;
    }
    Ok(Value::Float(result.to_float()))
}

/// Any value as a whole number: text in Go's notation, true as 1, what is neither as 0.
pub(super) fn int(value: &Value) -> i64 {
    match value {
        Value::Int(_, IntType::Duration) => 0,
        Value::Int(number, _) => *number,
        Value::Float(float) => truncated(*float),
        Value::Bool(flag) => i64::from(*flag),
        Value::Text(text) => parse_int(without_zero_fraction(&text.lossy()), 0).unwrap_or(0),
        _ => 0,
    }
}

/// What does not fit becomes the least number, as on the machines that controllers run on.
#[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
fn truncated(float: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&float) {
        float as i64
    } else {
        i64::MIN
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

/// Any value as a floating point number; what is none as 0.
#[allow(
    clippy::cast_precision_loss,
    reason = "float64(x) in Go loses the same digits"
)]
pub(super) fn float(value: &Value) -> f64 {
    match value {
        Value::Int(_, IntType::Duration) => 0.0,
        Value::Int(number, IntType::Uint64) => number.cast_unsigned() as f64,
        Value::Int(number, _) => *number as f64,
        Value::Float(float) => *float,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Text(text) => parse_float(&text.lossy()).unwrap_or(0.0),
        _ => 0.0,
    }
}

/// Go's `Atoi` without its error: a decimal number, and 0 or the nearest end of the range for anything else.
fn atoi(call: &Call<'_>) -> Result<Value, CallError> {
    Ok(Value::int(match parse_int(&call.text(0).lossy(), 10) {
        Ok(number) | Err(NotInt::Range(number)) => number,
        Err(NotInt::Syntax) => 0,
    }))
}

/// Reads the text of any value as an octal number, for file modes; what is none as 0.
fn to_decimal(call: &Call<'_>) -> Result<Value, CallError> {
    let text = display(&call.args[0])?;
    Ok(Value::int64(parse_int(&text.lossy(), 8).unwrap_or(0)))
}

/// `round x places [from]`: up when the part that is cut off is at least `from`, half by default.
fn round(call: &Call<'_>) -> Result<Value, CallError> {
    let places = i32::try_from(call.int(1)).map_err(|_| failed("too many places"))?;
    let from = call.args.get(2).map_or(0.5, float);
    let power = 10_f64.powi(places);
    let scaled = power * float(&call.args[0]);
    let rounded = if scaled.fract() >= from {
        scaled.ceil()
    } else {
        scaled.floor()
    };
    Ok(Value::Float(rounded / power))
}

/// From start up or down to before the end.
fn steps(start: i64, end: i64, step: i64) -> Result<Vec<i64>, CallError> {
    let mut numbers = Vec::new();
    if (end < start) == (step >= 0) || step == 0 {
        return Ok(numbers);
    }
    let mut next = Some(start);
    while let Some(number) = next.filter(|number| (*number < end) == (step > 0) && *number != end) {
        if numbers.len() == MAX_COUNT {
            return Err(failed("the list would be too long"));
        }
        numbers.push(number);
        next = number.checked_add(step);
    }
    Ok(numbers)
}

fn numbers(numbers: Vec<i64>) -> Result<Value, CallError> {
    list(Element::Int, numbers.into_iter().map(Value::int).collect())
}

/// Numbers as text, the end included: `seq end`, `seq start end`, `seq start step end`.
fn seq(call: &Call<'_>) -> Result<Value, CallError> {
    let params: Vec<i64> = (0..call.args.len()).map(|index| call.int(index)).collect();
    let towards = |start, end| if end < start { -1 } else { 1 };
    let (start, step, end) = match params[..] {
        [end] => (1, towards(1, end), end),
        [start, end] => (start, towards(start, end), end),
        [start, step, end] if end >= start || step <= 0 => (start, step, end),
        _ => return text(""),
    };
    let numbers = steps(start, end.saturating_add(towards(start, end)), step)?;
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    text(texts.join(" "))
}
