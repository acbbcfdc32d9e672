//! Go's built-in functions: ours where the engine's differ from Go, the engine's own otherwise.
//! `and` and `or` are not here: the engine evaluates their arguments lazily.

use gotmpl::Value;

use super::Arity::{AtLeast, Exactly};
use super::{
    Call, CallError, Function, TOO_LONG, check_length, display, engine, failed, function, printf,
    text, unsuitable,
};
use crate::template::{escape, value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("call", AtLeast(1), |call| {
        Err(unsuitable("non-function of type", call, 0))
    }),
    function("eq", AtLeast(1), compare),
    function("ge", Exactly(2), compare),
    function("gt", Exactly(2), compare),
    function("html", AtLeast(0), escaped),
    function("index", AtLeast(1), index),
    function("js", AtLeast(0), escaped),
    function("le", Exactly(2), compare),
    function("len", Exactly(1), len),
    function("lt", Exactly(2), compare),
    function("ne", Exactly(2), compare),
    function("not", Exactly(1), |call| {
        Ok(Value::Bool(!call.args[0].is_truthy()))
    }),
    function("print", AtLeast(0), |call| text(printed(call.args)?)),
    function("printf", AtLeast(1), printf::printf),
    function("println", AtLeast(0), println),
    function("urlquery", AtLeast(0), urlquery),
];

/// Length in bytes, elements or entries.
fn len(call: &Call<'_>) -> Result<Value, CallError> {
    let length = match &call.args[0] {
        Value::String(text) => escape::decode(text).len(),
        Value::List(items) => items.len(),
        Value::Map(entries) => entries.len(),
        _ => return Err(unsuitable("len of type", call, 0)),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// `index x k…`: a list's element, a text's byte, a map's entry. An absent entry of dot is empty text, since dot maps
/// text to text in Go; of another map it is nil.
fn index(call: &Call<'_>) -> Result<Value, CallError> {
    if matches!(call.args[0], Value::Nil) {
        return Err(failed("index of untyped nil"));
    }
    call.args[1..]
        .iter()
        .try_fold(call.args[0].clone(), |subject, key| match (&subject, key) {
            (Value::Map(entries), Value::String(key)) => Ok(match entries.get(&**key) {
                Some(found) => found.clone(),
                None if value::is_same(&subject, call.dot) => Value::String("".into()),
                None => Value::Nil,
            }),
            (Value::List(items), Value::Int(index)) => element(items, *index).cloned(),
            (Value::String(text), Value::Int(index)) => {
                element(&escape::decode(text), *index).map(|byte| Value::Int(i64::from(*byte)))
            }
            (Value::Map(_), _) => Err(failed("value has another type than the map's keys")),
            (Value::List(_) | Value::String(_), _) => {
                Err(failed("cannot index slice/array with this type"))
            }
            (Value::Nil, _) => Err(failed("index of untyped nil")),
            _ => Err(failed("can't index item of this type")),
        })
}

fn element<T>(items: &[T], index: i64) -> Result<&T, CallError> {
    let found = usize::try_from(index)
        .ok()
        .and_then(|index| items.get(index));
    found.ok_or(failed("index out of range"))
}

/// Go's `Sprint`: a space between operands when neither is text.
fn printed(values: &[Value]) -> Result<String, CallError> {
    let mut out = String::new();
    let mut after_text = true;
    for (index, value) in values.iter().enumerate() {
        let is_text = matches!(value, Value::String(_));
        if index > 0 && !is_text && !after_text {
            out.push(' ');
        }
        out.push_str(&display(value)?);
        check_length(Some(out.len()))?;
        after_text = is_text;
    }
    Ok(out)
}

fn println(call: &Call<'_>) -> Result<Value, CallError> {
    let texts: Vec<String> = call.args.iter().map(display).collect::<Result<_, _>>()?;
    let line = format!("{}\n", texts.join(" "));
    check_length(Some(line.len()))?;
    text(line)
}

/// What the escaping functions escape: their arguments as `print` gives them, but nil as an action prints it.
fn evaluated(args: &[Value]) -> Result<String, CallError> {
    let shown = |value: &Value| match value {
        Value::Nil => Value::String("<no value>".into()),
        other => other.clone(),
    };
    printed(&args.iter().map(shown).collect::<Vec<_>>())
}

/// Go's `QueryEscape` of what `print` would give of all its arguments.
fn urlquery(call: &Call<'_>) -> Result<Value, CallError> {
    let subject = evaluated(call.args)?;
    let mut out = String::new();
    for &byte in escape::decode(&subject).iter() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    text(out)
}

/// `html` and `js` escape what `print` would give of all their arguments.
fn escaped(call: &Call<'_>) -> Result<Value, CallError> {
    let value = text(evaluated(call.args)?)?;
    engine::call(call.name, &[value]).ok_or(TOO_LONG)
}

/// `eq` and its kin: the engine's own.
fn compare(call: &Call<'_>) -> Result<Value, CallError> {
    if call.args.len() < 2 {
        return Err(failed("missing argument for comparison"));
    }
    engine::call(call.name, call.args).ok_or_else(|| {
        let (left, right) = (call.type_of(0), call.type_of(call.args.len() - 1));
        CallError::Failed(format!("incompatible types for comparison: {left} and {right}").into())
    })
}
