//! Functions on text: sprig's strings.go, with its order of arguments, the subject last.
//! Lengths and positions count bytes, as they do in Go.

use bstr::ByteSlice as _;

use super::Param::{Any, Int, Text as Str};
use super::{Call, CallError, Function, OUT_OF_RANGE, Value, check_length, failed, function, text};
use crate::go::quote::quote;
use crate::go::unicode::is_space;
use crate::template::print::display;
use crate::template::text::{Text, runes};
use crate::template::value::{List, Value as V};

pub(super) const FUNCTIONS: &[Function] = &[
    function("cat", &[], cat).and(Any),
    function("contains", &[Str, Str], |call| {
        Ok(V::Bool(call.text(1).contains_str(&**call.text(0))))
    }),
    function("hasPrefix", &[Str, Str], |call| {
        Ok(V::Bool(call.text(1).starts_with(call.text(0))))
    }),
    function("hasSuffix", &[Str, Str], |call| {
        Ok(V::Bool(call.text(1).ends_with(call.text(0))))
    }),
    function("indent", &[Int, Str], |call| indented(b"", call)),
    function("join", &[Str, Any], join),
    function("nindent", &[Int, Str], |call| indented(b"\n", call)),
    function("quote", &[], |call| {
        each(call, |text| quote(text).into_bytes())
    })
    .and(Any),
    function("repeat", &[Int, Str], repeat),
    function("replace", &[Str, Str, Str], replace),
    function("split", &[Str, Str], |call| {
        Ok(numbered(&split(call.text(1), call.text(0), -1)))
    }),
    function("splitList", &[Str, Str], |call| {
        Ok(V::List(List::of_texts(
            split(call.text(1), call.text(0), -1).into_iter(),
        )))
    }),
    function("splitn", &[Str, Int, Str], |call| {
        Ok(numbered(&split(call.text(2), call.text(0), call.int(1))))
    }),
    function("squote", &[], |call| {
        each(call, |text| [b"'", text, b"'"].concat())
    })
    .and(Any),
    function("substr", &[Int, Int, Str], substr),
    function("toString", &[Any], |call| call.display(0).map(V::Text)),
    function("toStrings", &[Any], |call| {
        Ok(V::List(List::of_texts(texts(&call.args[0])?.into_iter())))
    }),
    function("trim", &[Str], |call| {
        text(call.text(0).trim_with(is_space))
    }),
    function("trimAll", &[Str, Str], trim_all),
    function("trimPrefix", &[Str, Str], |call| {
        let subject = call.text(1);
        text(subject.strip_prefix(&**call.text(0)).unwrap_or(subject))
    }),
    function("trimSuffix", &[Str, Str], |call| {
        let subject = call.text(1);
        text(subject.strip_suffix(&**call.text(0)).unwrap_or(subject))
    }),
    function("trimall", &[Str, Str], trim_all),
    function("trunc", &[Int, Str], trunc),
];

/// Each argument but nil, formatted, a space between.
fn each(call: &Call<'_>, format: fn(&[u8]) -> Vec<u8>) -> Result<Value, CallError> {
    let present = call.args.iter().filter(|value| !matches!(value, V::Nil));
    let texts: Vec<Vec<u8>> = present
        .map(|value| Ok(format(&display(value)?)))
        .collect::<Result<_, CallError>>()?;
    text(texts.join(&b' '))
}

fn cat(call: &Call<'_>) -> Result<Value, CallError> {
    each(call, <[u8]>::to_vec)
}

/// The items of a list but nil, as texts; anything else as the one item.
pub(super) fn texts(value: &Value) -> Result<Vec<Text>, CallError> {
    let items = match value {
        V::List(list) => list.items(),
        V::Nil => &[],
        other => std::slice::from_ref(other),
    };
    let present = items.iter().filter(|value| !matches!(value, V::Nil));
    present.map(|value| Ok(display(value)?)).collect()
}

fn join(call: &Call<'_>) -> Result<Value, CallError> {
    let separator = call.text(0);
    let parts = texts(&call.args[1])?;
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let gaps = separator.len().checked_mul(parts.len());
    check_length(gaps.and_then(|gaps| gaps.checked_add(length)))?;
    let parts: Vec<&[u8]> = parts.iter().map(|part| &**part).collect();
    text(parts.join(&**separator))
}

fn indented(prefix: &[u8], call: &Call<'_>) -> Result<Value, CallError> {
    let subject = call.text(1);
    let spaces = count(call)?;
    let lines = subject.find_iter(b"\n").count() + 1;
    let pads = spaces.checked_mul(lines);
    check_length(pads.and_then(|pads| pads.checked_add(subject.len())))?;
    let pad = " ".repeat(spaces);
    let rest = subject.replace("\n", format!("\n{pad}"));
    text([prefix, pad.as_bytes(), &rest].concat())
}

fn repeat(call: &Call<'_>) -> Result<Value, CallError> {
    let times = count(call)?;
    check_length(call.text(1).len().checked_mul(times))?;
    text(call.text(1).repeat(times))
}

/// A number of repetitions, the first argument.
fn count(call: &Call<'_>) -> Result<usize, CallError> {
    usize::try_from(call.int(0)).map_err(|_| failed("strings: negative Repeat count"))
}

fn replace(call: &Call<'_>) -> Result<Value, CallError> {
    let (old, new, subject) = (call.text(0), call.text(1), call.text(2));
    let hits = match old.is_empty() {
        true => subject.len() + 1,
        false => subject.find_iter(&**old).count(),
    };
    let added = new.len().checked_mul(hits);
    check_length(added.and_then(|added| added.checked_add(subject.len())))?;
    if !old.is_empty() {
        return text(subject.replace(&**old, &**new));
    }
    // Go puts the new text before each character and at the end.
    let mut out = new.to_vec();
    for character in split(subject, b"", -1) {
        out.extend_from_slice(&character);
        out.extend_from_slice(new);
    }
    text(out)
}

/// Go's `SplitN`: at most so many pieces, all for a negative number; at each character for an empty separator.
pub(super) fn split(subject: &[u8], separator: &[u8], limit: i64) -> Vec<Text> {
    let limit = match limit {
        0 => return Vec::new(),
        _ => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    if !separator.is_empty() {
        return subject
            .splitn_str(limit, separator)
            .map(Text::from)
            .collect();
    }
    let mut pieces: Vec<Text> = Vec::new();
    let mut start = 0;
    for (begin, end, _) in subject.char_indices() {
        if pieces.len() + 1 == limit {
            break;
        }
        // What is no UTF-8 counts byte by byte.
        let valid = std::str::from_utf8(&subject[begin..end]).is_ok();
        if valid {
            pieces.push(subject[begin..end].into());
        } else {
            pieces.extend(
                subject[begin..end]
                    .iter()
                    .map(|byte| Text::from(&[*byte][..])),
            );
        }
        start = end;
    }
    if start < subject.len() {
        pieces.push(subject[start..].into());
    }
    pieces
}

/// Pieces under `_0`, `_1`, ….
fn numbered(pieces: &[Text]) -> Value {
    let keyed = pieces.iter().enumerate();
    let keyed = keyed.map(|(index, piece)| (Text::from(format!("_{index}")), piece.clone()));
    V::Texts(std::rc::Rc::new(keyed.collect()))
}

fn substr(call: &Call<'_>) -> Result<Value, CallError> {
    let subject = call.text(2);
    let (start, end) = (call.int(0), call.int(1));
    let position = |number: i64| usize::try_from(number).map_err(|_| OUT_OF_RANGE);
    let part = if start < 0 {
        subject.get(..position(end)?)
    } else if end < 0 || position(end)? > subject.len() {
        subject.get(position(start)?..)
    } else {
        subject.get(position(start)?..position(end)?)
    };
    text(part.ok_or(OUT_OF_RANGE)?)
}

fn trim_all(call: &Call<'_>) -> Result<Value, CallError> {
    let set: Vec<char> = runes(call.text(0)).collect();
    text(call.text(1).trim_with(|character| set.contains(&character)))
}

/// The first bytes, or the last ones for a negative number.
fn trunc(call: &Call<'_>) -> Result<Value, CallError> {
    let subject = call.text(1);
    let length = usize::try_from(call.int(0).unsigned_abs()).unwrap_or(usize::MAX);
    if length >= subject.len() {
        return text(&**subject);
    }
    text(match call.int(0) {
        0.. => &subject[..length],
        _ => &subject[subject.len() - length..],
    })
}
