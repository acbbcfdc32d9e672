//! Types of values: sprig's reflect.go.
//! Tells nothing of a value but its type.

use super::Param::{Any, Text as Str};
use super::{Function, Value, function, text};
use crate::template::compare::deep_equal;

pub(super) const FUNCTIONS: &[Function] = &[
    function("deepEqual", &[Any, Any], |call| {
        deep_equal(call.run, &call.args[0], &call.args[1]).map(Value::Bool)
    }),
    function("kindIs", &[Str, Any], |call| {
        Ok(Value::Bool(
            **call.text(0) == *call.args[1].kind().as_bytes(),
        ))
    }),
    function("kindOf", &[Any], |call| text(call.args[0].kind())),
    function("typeIs", &[Str, Any], |call| {
        Ok(Value::Bool(
            **call.text(0) == *call.args[1].type_name().as_bytes(),
        ))
    }),
    function("typeIsLike", &[Str, Any], |call| {
        let (wanted, name) = (call.text(0), call.args[1].type_name().as_bytes());
        let pointer = name.strip_prefix(b"*") == Some(&**wanted);
        Ok(Value::Bool(**wanted == *name || pointer))
    }),
    function("typeOf", &[Any], |call| text(call.args[0].type_name())),
];
