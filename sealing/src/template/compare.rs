//! When values are equal, in the two ways that Go's templates know: `eq` looks at numbers, `deepEqual` at everything.
//! Changes nothing; a value that holds itself is no trap, because depth is bounded.

use std::cmp::Ordering;

use super::functions::{CallError, failed};
use super::run::Run;
use super::value::Value;

/// Deepest nesting that is compared.
const MAX_DEPTH: usize = 200;

/// What `reflect.DeepEqual` says: types count, so that an int is not an int64.
pub(super) fn deep_equal(run: &Run<'_>, left: &Value, right: &Value) -> Result<bool, CallError> {
    equal_at(run, left, right, 0)
}

fn equal_at(run: &Run<'_>, left: &Value, right: &Value, depth: usize) -> Result<bool, CallError> {
    run.spend(0)?;
    if depth > MAX_DEPTH {
        return Err(failed("values are nested too deeply"));
    }
    match (left, right) {
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Int(left, int), Value::Int(right, other)) => Ok(left == right && int == other),
        (Value::Float(left), Value::Float(right)) => Ok(left == right),
        (Value::Text(left), Value::Text(right)) => Ok(left == right),
        (Value::Texts(left), Value::Texts(right)) => Ok(left == right),
        (Value::Time(left), Value::Time(right)) => Ok(left == right),
        (Value::Version(left), Value::Version(right)) => Ok(left == right),
        (Value::Certificate(left), Value::Certificate(right)) => Ok(left == right),
        (Value::List(left), Value::List(right)) => {
            let alike = left.element == right.element
                && left.is_nil() == right.is_nil()
                && left.items().len() == right.items().len();
            Ok(alike && all_equal(run, left.items().iter().zip(right.items()), depth)?)
        }
        (Value::Dict(one), Value::Dict(other)) if std::rc::Rc::ptr_eq(one, other) => Ok(true),
        (Value::Dict(one), Value::Dict(other)) => {
            let (one, other) = (one.borrow(), other.borrow());
            if !one.keys().eq(other.keys()) {
                return Ok(false);
            }
            all_equal(run, one.values().zip(other.values()), depth)
        }
        _ => Ok(false),
    }
}

fn all_equal<'v>(
    run: &Run<'_>,
    mut pairs: impl Iterator<Item = (&'v Value, &'v Value)>,
    depth: usize,
) -> Result<bool, CallError> {
    pairs.try_fold(true, |equal, (left, right)| {
        Ok(equal && equal_at(run, left, right, depth + 1)?)
    })
}

/// What sort of basic type a value has, as far as comparing goes.
#[derive(PartialEq, Eq)]
enum Basic {
    None,
    Bool,
    Int,
    Uint,
    Float,
    Text,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Int(_, int) if int.is_unsigned() => Basic::Uint,
        Value::Int(..) => Basic::Int,
        Value::Float(_) => Basic::Float,
        Value::Text(_) => Basic::Text,
        _ => Basic::None,
    }
}

/// Go's `eq` of two values.
pub(super) fn equal(left: &Value, right: &Value) -> Result<bool, CallError> {
    match (left, right) {
        (Value::Nil, _) | (_, Value::Nil) => Ok(is_nil(left) && is_nil(right)),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Int(..), Value::Int(..)) => Ok(number(left) == number(right)),
        (Value::Float(left), Value::Float(right)) => Ok(left == right),
        (Value::Text(left), Value::Text(right)) => Ok(left == right),
        _ if basic(left) != basic(right) => Err(incompatible(left, right)),
        (Value::Time(left), Value::Time(right)) => Ok(left == right),
        (Value::Certificate(left), Value::Certificate(right)) => Ok(left == right),
        (Value::Version(left), Value::Version(right)) => Ok(std::rc::Rc::ptr_eq(left, right)),
        _ if left.kind() != right.kind() => Err(CallError::Failed(
            format!(
                "non-comparable types {}, {}",
                left.type_name(),
                right.type_name()
            )
            .into(),
        )),
        _ if is_nil(left) || is_nil(right) => Ok(is_nil(left) && is_nil(right)),
        (Value::List(_) | Value::Dict(_) | Value::Texts(_), _) => Err(CallError::Failed(
            format!("non-comparable type {}", right.type_name()).into(),
        )),
        _ => Ok(false),
    }
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::List(list) => list.is_nil(),
        _ => false,
    }
}

fn number(value: &Value) -> i128 {
    match value {
        Value::Int(number, int) if int.is_unsigned() => number.cast_unsigned().into(),
        Value::Int(number, _) => (*number).into(),
        _ => 0,
    }
}

/// Go's order of two values; `None` where one is not a number.
pub(super) fn order(left: &Value, right: &Value) -> Result<Option<Ordering>, CallError> {
    match (left, right) {
        (Value::Int(..), Value::Int(..)) => Ok(Some(number(left).cmp(&number(right)))),
        (Value::Float(left), Value::Float(right)) => Ok(left.partial_cmp(right)),
        (Value::Text(left), Value::Text(right)) => Ok(Some(left.cmp(right))),
        _ if basic(left) == Basic::None
            || basic(right) == Basic::None
            || basic(left) == basic(right) =>
        {
            Err(failed("invalid type for comparison"))
        }
        _ => Err(incompatible(left, right)),
    }
}

fn incompatible(left: &Value, right: &Value) -> CallError {
    let (left, right) = (left.type_name(), right.type_name());
    CallError::Failed(format!("incompatible types for comparison: {left} and {right}").into())
}
