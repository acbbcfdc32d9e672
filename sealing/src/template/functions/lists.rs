//! Lists and dicts: sprig's list.go and dict.go, as far as they leave their arguments alone.
//! Nothing here changes a value in place.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;

use super::Arity::{AtLeast, Exactly};
use super::{Call, CallError, Function, display, function, unsuitable};

pub(super) const FUNCTIONS: &[Function] = &[
    function("dict", AtLeast(0), dict),
    function("first", Exactly(1), first),
    function("get", Exactly(2), get),
    function("has", Exactly(2), has),
    function("hasKey", Exactly(2), |call| {
        Ok(Value::Bool(call.dict(0)?.contains_key(call.text(1)?)))
    }),
    function("last", Exactly(1), last),
    function("list", AtLeast(0), |call| Ok(Value::List(call.args.into()))),
    function("slice", AtLeast(1), slice),
    function("tuple", AtLeast(0), |call| {
        Ok(Value::List(call.args.into()))
    }),
];

/// A list argument of any element type.
fn items<'a>(call: &Call<'a>, index: usize) -> Result<&'a Arc<[Value]>, CallError> {
    match &call.args[index] {
        Value::List(items) => Ok(items),
        _ => Err(unsuitable(
            &format!("Cannot find {} on type", call.name),
            call,
            index,
        )),
    }
}

fn first(call: &Call<'_>) -> Result<Value, CallError> {
    let items = items(call, 0)?;
    Ok(items.first().cloned().unwrap_or(Value::Nil))
}

fn last(call: &Call<'_>) -> Result<Value, CallError> {
    let items = items(call, 0)?;
    Ok(items.last().cloned().unwrap_or(Value::Nil))
}

fn has(call: &Call<'_>) -> Result<Value, CallError> {
    if matches!(call.args[1], Value::Nil) {
        return Ok(Value::Bool(false));
    }
    let items = items(call, 1)?;
    Ok(Value::Bool(items.contains(&call.args[0])))
}

/// `slice list [from [to]]`.
fn slice(call: &Call<'_>) -> Result<Value, CallError> {
    let items = match &call.args[0] {
        Value::List(items) => items,
        _ => {
            return Err(unsuitable(
                "list should be type of slice or array but",
                call,
                0,
            ));
        }
    };
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let bound = |index: usize, default: usize| match call.args.get(index) {
        Some(_) => usize::try_from(call.int(index)?).map_err(|_| SLICE_OUT_OF_BOUNDS),
        None => Ok(default),
    };
    let (from, to) = (bound(1, 0)?, bound(2, items.len())?);
    let part = items.get(from..to).ok_or(SLICE_OUT_OF_BOUNDS)?;
    Ok(Value::List(part.into()))
}

const SLICE_OUT_OF_BOUNDS: CallError = CallError::Failed(Cow::Borrowed(
    "reflect.Value.Slice: slice index out of bounds",
));

/// Keys and values in turn; a last key without a value gets the empty text.
fn dict(call: &Call<'_>) -> Result<Value, CallError> {
    let mut entries = BTreeMap::new();
    for pair in call.args.chunks(2) {
        let value = pair
            .get(1)
            .cloned()
            .unwrap_or_else(|| Value::String("".into()));
        entries.insert(Arc::from(display(&pair[0])?), value);
    }
    Ok(Value::Map(Arc::new(entries)))
}

fn get(call: &Call<'_>) -> Result<Value, CallError> {
    let found = call.dict(0)?.get(call.text(1)?);
    Ok(found.cloned().unwrap_or_else(|| Value::String("".into())))
}
