//! Choices: sprig's defaults.go, and `fail`. Empty is what `if` takes for false.
//! No message of a template's own leaves this file but as an echo.

use super::Param::{Any, Bool, Text as Str};
use super::{CallError, Function, Value, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("all", &[], |call| {
        Ok(Value::Bool(call.args.iter().all(Value::is_true)))
    })
    .and(Any),
    function("any", &[], |call| {
        Ok(Value::Bool(call.args.iter().any(Value::is_true)))
    })
    .and(Any),
    function("coalesce", &[], |call| {
        let found = call.args.iter().find(|value| value.is_true());
        Ok(found.cloned().unwrap_or(Value::Nil))
    })
    .and(Any),
    function("default", &[Any], |call| {
        let given = call.args.get(1).filter(|value| value.is_true());
        Ok(given.unwrap_or(&call.args[0]).clone())
    })
    .and(Any),
    function("empty", &[Any], |call| {
        Ok(Value::Bool(!call.args[0].is_true()))
    }),
    function("fail", &[Str], |call| {
        Err(CallError::Echo(call.text(0).lossy().into_owned()))
    }),
    function("ternary", &[Any, Any, Bool], |call| {
        Ok(call.args[usize::from(!call.flag(2))].clone())
    }),
];
