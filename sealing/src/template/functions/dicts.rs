//! Dicts: sprig's dict.go. `set`, `unset` and the merging functions change the dict that they are given.
//! Dot is no dict: its values are text, and Go refuses it by its type.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Param::{Any, Dict as Map, Text as Str};
use super::{Call, CallError, Element, Function, Value, display, failed, function, list};
use crate::template::text::Text;
use crate::template::value::{Dict, List};

/// Deepest nesting that is merged or copied.
const MAX_DEPTH: usize = 100;

pub(super) const FUNCTIONS: &[Function] = &[
    function("deepCopy", &[Any], |call| copied(call, &call.args[0], 0)),
    function("dict", &[], dict).and(Any),
    function("dig", &[], dig).and(Any),
    function("get", &[Map, Str], |call| {
        Ok(entry(call, 0, call.text(1)).unwrap_or_else(|| Value::text("")))
    }),
    function("hasKey", &[Map, Str], |call| {
        Ok(Value::Bool(entry(call, 0, call.text(1)).is_some()))
    }),
    function("keys", &[], keys).and(Map),
    function("merge", &[Map], |call| merged(call, false)).and(Map),
    function("mergeOverwrite", &[Map], |call| merged(call, true)).and(Map),
    function("mustDeepCopy", &[Any], |call| {
        copied(call, &call.args[0], 0)
    }),
    function("mustMerge", &[Map], |call| merged(call, false)).and(Map),
    function("mustMergeOverwrite", &[Map], |call| merged(call, true)).and(Map),
    function("omit", &[Map], |call| Ok(chosen(call, false))).and(Str),
    function("pick", &[Map], |call| Ok(chosen(call, true))).and(Str),
    function("pluck", &[Str], pluck).and(Map),
    function("set", &[Map, Str, Any], set),
    function("unset", &[Map, Str], |call| {
        if let Some(dict) = call.dict(0) {
            dict.borrow_mut().remove(&**call.text(1));
        }
        Ok(call.args[0].clone())
    }),
    function("values", &[Map], |call| {
        let entries = call.args[0].entries().unwrap_or_default();
        list(
            Element::Any,
            entries.into_iter().map(|(_, value)| value).collect(),
        )
    }),
];

fn entry(call: &Call<'_>, index: usize, key: &Text) -> Option<Value> {
    call.dict(index)?.borrow().get(key).cloned()
}

/// Keys and values in turn; a last key without a value gets the empty text.
fn dict(call: &Call<'_>) -> Result<Value, CallError> {
    let mut entries = BTreeMap::new();
    for pair in call.args.chunks(2) {
        let value = pair.get(1).cloned().unwrap_or_else(|| Value::text(""));
        entries.insert(display(&pair[0])?, value);
    }
    Ok(call.run.dict(entries))
}

fn set(call: &Call<'_>) -> Result<Value, CallError> {
    let dict = call
        .dict(0)
        .ok_or(failed("assignment to entry in nil map"))?;
    dict.borrow_mut()
        .insert(call.text(1).clone(), call.args[2].clone());
    Ok(call.args[0].clone())
}

/// The keys of all dicts, each dict's sorted; Go gives them in any order.
fn keys(call: &Call<'_>) -> Result<Value, CallError> {
    let keys = call
        .args
        .iter()
        .flat_map(|arg| arg.entries().unwrap_or_default());
    Ok(Value::List(List::of_texts(keys.map(|(key, _)| key))))
}

fn pluck(call: &Call<'_>) -> Result<Value, CallError> {
    let found = (1..call.args.len()).filter_map(|index| entry(call, index, call.text(0)));
    list(Element::Any, found.collect())
}

/// The entries with the given keys, or all others.
fn chosen(call: &Call<'_>, given: bool) -> Value {
    let keys: Vec<&Text> = (1..call.args.len()).map(|index| call.text(index)).collect();
    let entries = call.args[0].entries().unwrap_or_default();
    let chosen = entries
        .into_iter()
        .filter(|(key, _)| keys.contains(&key) == given);
    call.run.dict(chosen.collect())
}

/// `dig key… default dict`: what lies under the keys.
fn dig(call: &Call<'_>) -> Result<Value, CallError> {
    let [keys @ .., default, dict] = call.args else {
        return Err(failed("dig needs at least three arguments"));
    };
    if keys.is_empty() {
        return Err(failed("dig needs at least three arguments"));
    }
    let mut found = as_dict(dict)?;
    let mut names = keys.iter().map(as_key).collect::<Result<Vec<_>, _>>()?;
    let last = names
        .pop()
        .ok_or(failed("dig needs at least three arguments"))?;
    for name in names {
        let Some(step) = found.borrow().get(name).cloned() else {
            return Ok(default.clone());
        };
        found = as_dict(&step)?;
    }
    let value = found.borrow().get(last).cloned();
    Ok(value.unwrap_or_else(|| default.clone()))
}

fn as_dict(value: &Value) -> Result<Dict, CallError> {
    match value {
        Value::Dict(dict) => Ok(Rc::clone(dict)),
        other => Err(not_a(other, "map[string]interface {}")),
    }
}

fn as_key(value: &Value) -> Result<&Text, CallError> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(not_a(other, "string")),
    }
}

/// What Go's run-time says of a value that is of another type.
fn not_a(value: &Value, wanted: &str) -> CallError {
    let found = match value {
        Value::Nil => "nil",
        other => other.type_name(),
    };
    CallError::Failed(
        format!("interface conversion: interface {{}} is {found}, not {wanted}").into(),
    )
}

/// The first dict, with the entries of the others put in.
fn merged(call: &Call<'_>, overwrite: bool) -> Result<Value, CallError> {
    let into = match &call.args[0] {
        Value::Nil => call.run.dict(BTreeMap::new()),
        dict => dict.clone(),
    };
    for from in &call.args[1..] {
        merge(call, &into, from, overwrite, 0)?;
    }
    Ok(into)
}

/// Puts in what is missing or empty, or everything; dicts are merged in turn.
fn merge(
    call: &Call<'_>,
    into: &Value,
    from: &Value,
    overwrite: bool,
    depth: usize,
) -> Result<(), CallError> {
    if depth > MAX_DEPTH {
        return Err(failed("values are nested too deeply"));
    }
    let Value::Dict(dict) = into else {
        return Err(failed("cannot merge into map[string]string"));
    };
    for (key, new) in from.entries().unwrap_or_default() {
        call.run.spend(key.len())?;
        let old = dict.borrow().get(&key).cloned();
        if matches!(new, Value::Nil) && !overwrite {
            continue;
        }
        if let Some(old) = old {
            let both_maps = old.kind() == "map" && new.kind() == "map";
            if both_maps {
                merge(call, &old, &new, overwrite, depth + 1)?;
            }
            if old.is_true() && (both_maps || !overwrite) {
                continue;
            }
        }
        dict.borrow_mut().insert(key, new);
    }
    Ok(())
}

/// The same with dicts of its own.
fn copied(call: &Call<'_>, value: &Value, depth: usize) -> Result<Value, CallError> {
    call.run.pay_for(value)?;
    if depth > MAX_DEPTH {
        return Err(failed("values are nested too deeply"));
    }
    match value {
        Value::Dict(_) => {
            let mut entries = BTreeMap::new();
            for (key, value) in value.entries().unwrap_or_default() {
                entries.insert(key, copied(call, &value, depth + 1)?);
            }
            Ok(call.run.dict(entries))
        }
        Value::List(whole) if !whole.is_nil() => {
            let items = whole
                .items()
                .iter()
                .map(|item| copied(call, item, depth + 1));
            list(whole.element, items.collect::<Result<_, _>>()?)
        }
        other => Ok(other.clone()),
    }
}
