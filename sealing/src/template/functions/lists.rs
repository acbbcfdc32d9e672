//! Lists: sprig's list.go. A function makes a new list; the names with `must` do the same as those without.
//! Elements keep their types, of the results only those of `slice` keep the list's.

use super::Param::{Any, Int};
use super::numbers::int;
use super::strings::texts;
use super::{Call, CallError, Element, Function, NIL_DEREFERENCE, Value, failed, function, list};
use crate::template::compare::deep_equal;
use crate::template::value::List;

pub(super) const FUNCTIONS: &[Function] = &[
    function("append", &[Any, Any], push),
    function("chunk", &[Int, Any], chunk),
    function("compact", &[Any], compact),
    function("concat", &[], concat).and(Any),
    function("first", &[Any], first),
    function("has", &[Any, Any], has),
    function("initial", &[Any], initial),
    function("last", &[Any], last),
    function("list", &[], |call| list(Element::Any, call.args.to_vec())).and(Any),
    function("mustAppend", &[Any, Any], push),
    function("mustChunk", &[Int, Any], chunk),
    function("mustCompact", &[Any], compact),
    function("mustFirst", &[Any], first),
    function("mustHas", &[Any, Any], has),
    function("mustInitial", &[Any], initial),
    function("mustLast", &[Any], last),
    function("mustPrepend", &[Any, Any], prepend),
    function("mustPush", &[Any, Any], push),
    function("mustRest", &[Any], rest),
    function("mustReverse", &[Any], reverse),
    function("mustSlice", &[Any], slice).and(Any),
    function("mustUniq", &[Any], uniq),
    function("mustWithout", &[Any], without).and(Any),
    function("prepend", &[Any, Any], prepend),
    function("push", &[Any, Any], push),
    function("rest", &[Any], rest),
    function("reverse", &[Any], reverse),
    function("slice", &[Any], slice).and(Any),
    function("sortAlpha", &[Any], sort_alpha),
    function("tuple", &[], |call| list(Element::Any, call.args.to_vec())).and(Any),
    function("uniq", &[Any], uniq),
    function("without", &[Any], without).and(Any),
];

/// A list argument, or an error that begins so and ends with the sort of type that it is.
fn list_at<'a>(call: &Call<'a>, index: usize, problem: &str) -> Result<&'a List, CallError> {
    match &call.args[index] {
        Value::List(list) => Ok(list),
        Value::Nil => Err(NIL_DEREFERENCE),
        other => Err(CallError::Failed(
            format!("{problem} {}", other.kind()).into(),
        )),
    }
}

fn push(call: &Call<'_>) -> Result<Value, CallError> {
    let items = list_at(call, 0, "Cannot push on type")?.items();
    list(Element::Any, [items, &call.args[1..]].concat())
}

fn prepend(call: &Call<'_>) -> Result<Value, CallError> {
    let items = list_at(call, 0, "Cannot prepend on type")?.items();
    list(Element::Any, [&call.args[1..], items].concat())
}

fn first(call: &Call<'_>) -> Result<Value, CallError> {
    let items = list_at(call, 0, "Cannot find first on type")?.items();
    Ok(items.first().cloned().unwrap_or(Value::Nil))
}

fn last(call: &Call<'_>) -> Result<Value, CallError> {
    let items = list_at(call, 0, "Cannot find last on type")?.items();
    Ok(items.last().cloned().unwrap_or(Value::Nil))
}

fn rest(call: &Call<'_>) -> Result<Value, CallError> {
    match list_at(call, 0, "Cannot find rest on type")?.items() {
        [] => Ok(Value::List(List::nil(Element::Any))),
        [_, rest @ ..] => list(Element::Any, rest.to_vec()),
    }
}

fn initial(call: &Call<'_>) -> Result<Value, CallError> {
    match list_at(call, 0, "Cannot find initial on type")?.items() {
        [] => Ok(Value::List(List::nil(Element::Any))),
        [initial @ .., _] => list(Element::Any, initial.to_vec()),
    }
}

fn reverse(call: &Call<'_>) -> Result<Value, CallError> {
    let items = list_at(call, 0, "Cannot find reverse on type")?.items();
    list(Element::Any, items.iter().rev().cloned().collect())
}

fn compact(call: &Call<'_>) -> Result<Value, CallError> {
    let items = list_at(call, 0, "Cannot compact on type")?.items();
    list(
        Element::Any,
        items
            .iter()
            .filter(|item| item.is_true())
            .cloned()
            .collect(),
    )
}

fn contains(call: &Call<'_>, items: &[Value], wanted: &Value) -> Result<bool, CallError> {
    for item in items {
        if deep_equal(call.run, wanted, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has(call: &Call<'_>) -> Result<Value, CallError> {
    if matches!(call.args[1], Value::Nil) {
        return Ok(Value::Bool(false));
    }
    let items = list_at(call, 1, "Cannot find has on type")?.items();
    contains(call, items, &call.args[0]).map(Value::Bool)
}

fn uniq(call: &Call<'_>) -> Result<Value, CallError> {
    let mut kept: Vec<Value> = Vec::new();
    for item in list_at(call, 0, "Cannot find uniq on type")?.items() {
        if !contains(call, &kept, item)? {
            kept.push(item.clone());
        }
    }
    list(Element::Any, kept)
}

fn without(call: &Call<'_>) -> Result<Value, CallError> {
    let mut kept = Vec::new();
    for item in list_at(call, 0, "Cannot find without on type")?.items() {
        if !contains(call, &call.args[1..], item)? {
            kept.push(item.clone());
        }
    }
    list(Element::Any, kept)
}

/// `slice list [from [to]]`: a list of the same type.
fn slice(call: &Call<'_>) -> Result<Value, CallError> {
    let whole = list_at(call, 0, "list should be type of slice or array but")?;
    let items = whole.items();
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let bound = |index: usize, default: usize| match call.args.get(index) {
        Some(bound) => usize::try_from(int(bound)).unwrap_or(usize::MAX),
        None => default,
    };
    let part = items.get(bound(1, 0)..bound(2, items.len()));
    let part = part.ok_or(failed("reflect.Value.Slice: slice index out of bounds"))?;
    Ok(Value::List(whole.part(part)))
}

fn concat(call: &Call<'_>) -> Result<Value, CallError> {
    let mut all = Vec::new();
    for arg in call.args {
        match arg {
            Value::List(list) => all.extend_from_slice(list.items()),
            Value::Nil => return Err(NIL_DEREFERENCE),
            other => {
                let message = format!("Cannot concat type {} as list", other.kind());
                return Err(CallError::Failed(message.into()));
            }
        }
    }
    match all.is_empty() {
        true => Ok(Value::List(List::nil(Element::Any))),
        false => list(Element::Any, all),
    }
}

/// Lists of `size` elements; the last may be shorter.
fn chunk(call: &Call<'_>) -> Result<Value, CallError> {
    let items = list_at(call, 1, "Cannot chunk type")?.items();
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let chunks = match usize::try_from(call.int(0)) {
        Ok(size) if size > 0 => items.chunks(size).collect(),
        // Go divides by the size: one below -(length - 1) gives no chunk, any other a negative number of them.
        _ if call.int(0) < 0 && call.int(0) <= 1 - length => Vec::new(),
        _ => return Err(failed("runtime error: makeslice: len out of range")),
    };
    let chunks = chunks
        .into_iter()
        .map(|chunk: &[Value]| list(Element::Any, chunk.to_vec()));
    list(Element::Lists, chunks.collect::<Result<_, _>>()?)
}

fn sort_alpha(call: &Call<'_>) -> Result<Value, CallError> {
    let mut sorted = match &call.args[0] {
        Value::Nil => vec![call.display(0)?],
        value => texts(value)?,
    };
    sorted.sort();
    Ok(Value::List(List::of_texts(sorted.into_iter())))
}
