//! Choices and defaults: sprig's defaults.go.
//! `fail` is here too: its message is the only text of an argument that an error may ever show.

use gotmpl::Value;

use super::Arity::{AtLeast, Exactly};
use super::{Call, CallError, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("coalesce", AtLeast(0), coalesce),
    function("default", AtLeast(1), default),
    function("empty", Exactly(1), |call| {
        Ok(Value::Bool(!call.args[0].is_truthy()))
    }),
    function("fail", Exactly(1), |call| {
        Err(CallError::Echo(call.text(0)?.to_owned()))
    }),
    function("ternary", Exactly(3), ternary),
];

fn coalesce(call: &Call<'_>) -> Result<Value, CallError> {
    let found = call.args.iter().find(|value| value.is_truthy());
    Ok(found.cloned().unwrap_or(Value::Nil))
}

/// `default d x`: `x`, or `d` when `x` is empty or absent.
fn default(call: &Call<'_>) -> Result<Value, CallError> {
    let given = call.args.get(1).filter(|value| value.is_truthy());
    Ok(given.unwrap_or(&call.args[0]).clone())
}

fn ternary(call: &Call<'_>) -> Result<Value, CallError> {
    let chosen = if call.flag(2)? { 0 } else { 1 };
    Ok(call.args[chosen].clone())
}
