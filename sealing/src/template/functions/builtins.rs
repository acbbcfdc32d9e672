//! Go's own functions.
//! `and` and `or` are here by name; that they stop early is the executor's work.

use super::Param::{Any, Text as Str};
use super::{
    Call, CallError, Function, TooLong, Value, check_length, display, failed, function, printf,
    text,
};
use crate::go::unicode::is_print;
use crate::template::compare::{equal, order};
use crate::template::text::Text;
use crate::template::value::IntType;

pub(super) const FUNCTIONS: &[Function] = &[
    function("and", &[Any], nothing).and(Any).lazy(false),
    function("call", &[Any], call).and(Any),
    function("eq", &[Any], eq).and(Any),
    function("ge", &[Any, Any], |call| ordered(call, |less, _| !less)),
    function("gt", &[Any, Any], |call| {
        ordered(call, |less, equal| !less && !equal)
    }),
    function("html", &[], |call| text(escape_html(&evaluated(call)?))).and(Any),
    function("index", &[Any], index).and(Any),
    function("js", &[], |call| text(escape_js(&evaluated(call)?))).and(Any),
    function("le", &[Any, Any], |call| {
        ordered(call, |less, equal| less || equal)
    }),
    function("len", &[Any], len),
    function("lt", &[Any, Any], |call| ordered(call, |less, _| less)),
    function("ne", &[Any, Any], |call| {
        Ok(Value::Bool(!equal(&call.args[0], &call.args[1])?))
    }),
    function("not", &[Any], |call| {
        Ok(Value::Bool(!call.args[0].is_true()))
    }),
    function("or", &[Any], nothing).and(Any).lazy(true),
    function("print", &[], |call| text(printed(call.args)?)).and(Any),
    function("printf", &[Str], printf::printf).and(Any),
    function("println", &[], println).and(Any),
    function("urlquery", &[], |call| {
        text(escape_query(&evaluated(call)?))
    })
    .and(Any),
];

/// The executor answers for the functions that are lazy.
fn nothing(_: &Call<'_>) -> Result<Value, CallError> {
    Ok(Value::Nil)
}

/// No value of a template is a function.
fn call(call: &Call<'_>) -> Result<Value, CallError> {
    match &call.args[0] {
        Value::Nil => Err(failed("call of nil")),
        other => Err(unsuitable("non-function of type", other)),
    }
}

/// The function refuses an argument for its type, which the message ends with.
fn unsuitable(message: &str, value: &Value) -> CallError {
    CallError::Failed(format!("{message} {}", value.type_name()).into())
}

fn eq(call: &Call<'_>) -> Result<Value, CallError> {
    let [left, others @ ..] = call.args else {
        return Err(failed("missing argument for comparison"));
    };
    if others.is_empty() {
        return Err(failed("missing argument for comparison"));
    }
    for right in others {
        if equal(left, right)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// Go builds all orders on `lt` and `eq`, so that what is not a number is greater than all.
fn ordered(call: &Call<'_>, decide: fn(bool, bool) -> bool) -> Result<Value, CallError> {
    let (left, right) = (&call.args[0], &call.args[1]);
    let less = order(left, right)?.is_some_and(std::cmp::Ordering::is_lt);
    Ok(Value::Bool(decide(less, equal(left, right)?)))
}

/// Length in bytes, elements or entries.
fn len(call: &Call<'_>) -> Result<Value, CallError> {
    let length = match &call.args[0] {
        Value::Text(text) => text.len(),
        Value::List(list) => list.items().len(),
        Value::Dict(dict) => dict.borrow().len(),
        Value::Texts(texts) => texts.len(),
        Value::Nil => return Err(failed("len of type nil")),
        other => return Err(unsuitable("len of type", other)),
    };
    Ok(Value::size(length))
}

/// `index x k…`: a list's element, a text's byte, a map's entry. An absent entry of dot is empty text, since dot maps
/// text to text; of a dict it is nil.
fn index(call: &Call<'_>) -> Result<Value, CallError> {
    if matches!(call.args[0], Value::Nil) {
        return Err(failed("index of untyped nil"));
    }
    let mut found = call.args[0].clone();
    for key in &call.args[1..] {
        found = match (&found, key) {
            (Value::Dict(dict), Value::Text(key)) => {
                dict.borrow().get(key).cloned().unwrap_or(Value::Nil)
            }
            (Value::Texts(texts), Value::Text(key)) => texts
                .get(key)
                .cloned()
                .map_or_else(|| Value::text(""), Value::Text),
            (Value::List(list), key) => element(list.items(), key)?.clone(),
            (Value::Text(text), key) => Value::Int((*element(text, key)?).into(), IntType::Uint8),
            (Value::Dict(_) | Value::Texts(_), Value::Nil) => {
                return Err(failed("value is nil; should be of type string"));
            }
            (Value::Dict(_) | Value::Texts(_), key) => {
                return Err(CallError::Failed(
                    format!("value has type {}; should be string", key.type_name()).into(),
                ));
            }
            (Value::Nil, _) => return Err(failed("index of nil pointer")),
            (other, _) => return Err(unsuitable("can't index item of type", other)),
        };
    }
    Ok(found)
}

/// Go's messages quote the index, which may be a secret.
fn element<'v, T>(items: &'v [T], key: &Value) -> Result<&'v T, CallError> {
    match key {
        Value::Int(index, _) => {
            let found = usize::try_from(*index)
                .ok()
                .and_then(|index| items.get(index));
            found.ok_or(failed("index out of range"))
        }
        Value::Nil => Err(failed("cannot index slice/array with nil")),
        other => Err(unsuitable("cannot index slice/array with type", other)),
    }
}

/// Go's `Sprint`: a space between operands when neither is text.
fn printed(values: &[Value]) -> Result<Vec<u8>, CallError> {
    let mut out = Vec::new();
    let mut after_text = true;
    for value in values {
        let is_text = matches!(value, Value::Text(_));
        if !is_text && !after_text {
            out.push(b' ');
        }
        out.extend_from_slice(&display(value)?);
        check_length(Some(out.len()))?;
        after_text = is_text;
    }
    Ok(out)
}

fn println(call: &Call<'_>) -> Result<Value, CallError> {
    let texts: Vec<Text> = call
        .args
        .iter()
        .map(display)
        .collect::<Result<_, TooLong>>()?;
    let texts: Vec<&[u8]> = texts.iter().map(|text| &**text).collect();
    let line = [&texts.join(&b' '), &b"\n"[..]].concat();
    check_length(Some(line.len()))?;
    text(line)
}

/// What the escaping functions escape: their arguments as `print` gives them, but nil as an action prints it.
fn evaluated(call: &Call<'_>) -> Result<Vec<u8>, CallError> {
    let shown = |value: &Value| match value {
        Value::Nil => Value::text("<no value>"),
        other => other.clone(),
    };
    printed(&call.args.iter().map(shown).collect::<Vec<_>>())
}

fn escape_html(subject: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(subject.len());
    for byte in subject {
        match byte {
            0 => out.extend("\u{fffd}".bytes()),
            b'"' => out.extend(b"&#34;"),
            b'\'' => out.extend(b"&#39;"),
            b'&' => out.extend(b"&amp;"),
            b'<' => out.extend(b"&lt;"),
            b'>' => out.extend(b"&gt;"),
            _ => out.push(*byte),
        }
    }
    out
}

fn escape_js(subject: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(subject.len());
    for chunk in subject.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' | '\'' | '"' => out.extend(format!("\\{character}").bytes()),
                '<' | '>' | '&' | '=' | '\0'..='\u{1f}' => {
                    out.extend(format!("\\u{:04X}", u32::from(character)).bytes());
                }
                ' '..='\u{7f}' => out.push(u8::try_from(character).unwrap_or(b' ')),
                _ if is_print(character) => out.extend(character.to_string().bytes()),
                _ => out.extend(format!("\\u{:04X}", u32::from(character)).bytes()),
            }
        }
        // A byte that is no UTF-8 counts as U+FFFD, which is printed as it stands.
        out.extend_from_slice(chunk.invalid());
    }
    out
}

/// Go's `QueryEscape`.
fn escape_query(subject: &[u8]) -> String {
    let mut out = String::new();
    for &byte in subject {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
