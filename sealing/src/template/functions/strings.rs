//! Functions on text: sprig's strings.go, with its order of arguments, the subject last.
//! Lengths and positions count bytes, as they do in Go.

use std::borrow::Cow;
use std::sync::Arc;

use gotmpl::Value;

use super::Arity::{AtLeast, Exactly};
use super::{
    Call, CallError, Function, OUT_OF_RANGE, bytes, check_length, display, failed, function, text,
};
use crate::template::escape::is_escape;
use crate::template::value::quoted;

pub(super) const FUNCTIONS: &[Function] = &[
    function("cat", AtLeast(0), cat),
    function("contains", Exactly(2), |call| {
        Ok(Value::Bool(call.text(1)?.contains(call.text(0)?)))
    }),
    function("hasPrefix", Exactly(2), |call| {
        Ok(Value::Bool(call.text(1)?.starts_with(call.text(0)?)))
    }),
    function("hasSuffix", Exactly(2), |call| {
        Ok(Value::Bool(call.text(1)?.ends_with(call.text(0)?)))
    }),
    function("indent", Exactly(2), |call| indented("", call)),
    function("join", Exactly(2), join),
    function("lower", Exactly(1), |call| mapped(call.text(0)?, lower)),
    function("nindent", Exactly(2), |call| indented("\n", call)),
    function("nospace", Exactly(1), nospace),
    function("quote", AtLeast(0), |call| each(call, |text| quoted(&text))),
    function("repeat", Exactly(2), repeat),
    function("replace", Exactly(3), replace),
    function("split", Exactly(2), split),
    function("splitList", Exactly(2), split_list),
    function("squote", AtLeast(0), |call| {
        each(call, |text| format!("'{text}'"))
    }),
    function("substr", Exactly(3), substr),
    function("title", Exactly(1), title),
    function("toString", Exactly(1), |call| text(display(&call.args[0])?)),
    function("trim", Exactly(1), |call| {
        text(call.text(0)?.trim_matches(is_space))
    }),
    function("trimAll", Exactly(2), trim_all),
    function("trimPrefix", Exactly(2), trim_prefix),
    function("trimSuffix", Exactly(2), trim_suffix),
    function("trimall", Exactly(2), trim_all),
    function("trunc", Exactly(2), trunc),
    function("untitle", Exactly(1), untitle),
    function("upper", Exactly(1), |call| mapped(call.text(0)?, upper)),
];

/// Go's `unicode.IsSpace`.
fn is_space(character: char) -> bool {
    character.is_whitespace()
}

/// Go's `unicode.ToUpper`: one character for one. Where Unicode's full mapping has more, such as ß to SS, the
/// character stays.
fn upper(character: char) -> char {
    let mut mapped = character.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(single), None) => single,
        _ => character,
    }
}

fn lower(character: char) -> char {
    let mut mapped = character.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(single), None) => single,
        // İ has a simple mapping beside the full one of two characters.
        _ if character == '\u{130}' => 'i',
        _ => character,
    }
}

/// Go's `strings.Map`: character by character; bytes that are no UTF-8 become U+FFFD.
fn mapped(subject: &str, mut map: impl FnMut(char) -> char) -> Result<Value, CallError> {
    let map = |character| {
        if is_escape(character) {
            char::REPLACEMENT_CHARACTER
        } else {
            map(character)
        }
    };
    text(subject.chars().map(map).collect::<String>())
}

/// Each argument but nil, formatted, a space between.
fn each(call: &Call<'_>, format: fn(String) -> String) -> Result<Value, CallError> {
    let present = call
        .args
        .iter()
        .filter(|value| !matches!(value, Value::Nil));
    let texts: Vec<String> = present
        .map(|value| display(value).map(format))
        .collect::<Result<_, _>>()?;
    text(texts.join(" "))
}

/// The arguments but nil, a space between, trimmed as sprig trims its format string.
fn cat(call: &Call<'_>) -> Result<Value, CallError> {
    each(call, std::convert::identity)
}

fn join(call: &Call<'_>) -> Result<Value, CallError> {
    let separator = call.text(0)?;
    let parts: Vec<String> = match &call.args[1] {
        Value::List(items) => {
            let present = items.iter().filter(|value| !matches!(value, Value::Nil));
            present.map(display).collect::<Result<_, _>>()?
        }
        Value::Nil => Vec::new(),
        other => vec![display(other)?],
    };
    let length: usize = parts.iter().map(String::len).sum();
    check_length(
        separator
            .len()
            .checked_mul(parts.len())
            .and_then(|gaps| gaps.checked_add(length)),
    )?;
    text(parts.join(separator))
}

fn indented(prefix: &str, call: &Call<'_>) -> Result<Value, CallError> {
    let subject = call.text(1)?;
    let spaces = count(call, 0)?;
    let lines = subject.matches('\n').count() + 1;
    check_length(
        spaces
            .checked_mul(lines)
            .and_then(|pads| pads.checked_add(subject.len())),
    )?;
    let pad = " ".repeat(spaces);
    text(format!(
        "{prefix}{pad}{}",
        subject.replace('\n', &format!("\n{pad}"))
    ))
}

fn repeat(call: &Call<'_>) -> Result<Value, CallError> {
    let subject = call.text(1)?;
    let times = count(call, 0)?;
    check_length(subject.len().checked_mul(times))?;
    text(subject.repeat(times))
}

/// A number of repetitions.
fn count(call: &Call<'_>, index: usize) -> Result<usize, CallError> {
    usize::try_from(call.int(index)?).map_err(|_| failed("strings: negative Repeat count"))
}

fn replace(call: &Call<'_>) -> Result<Value, CallError> {
    let (old, new, subject) = (call.text(0)?, call.text(1)?, call.text(2)?);
    let hits = subject.matches(old).count();
    check_length(
        new.len()
            .checked_mul(hits)
            .and_then(|added| added.checked_add(subject.len())),
    )?;
    text(subject.replace(old, new))
}

fn pieces<'a>(call: &Call<'a>) -> Result<Vec<Value>, CallError> {
    let (separator, subject): (&str, &'a str) = (call.text(0)?, call.text(1)?);
    let value = |piece: Cow<'_, str>| Value::String(Arc::from(piece));
    Ok(if separator.is_empty() {
        subject
            .chars()
            .map(|character| value(character.to_string().into()))
            .collect()
    } else {
        subject
            .split(separator)
            .map(|piece| value(piece.into()))
            .collect()
    })
}

fn split_list(call: &Call<'_>) -> Result<Value, CallError> {
    Ok(Value::List(pieces(call)?.into()))
}

fn split(call: &Call<'_>) -> Result<Value, CallError> {
    let numbered = pieces(call)?.into_iter().enumerate();
    let entries = numbered.map(|(index, piece)| (Arc::from(format!("_{index}")), piece));
    Ok(Value::Map(Arc::new(entries.collect())))
}

/// Without white space. Where there is any, every byte becomes the character of its number: sprig's own mistake, kept
/// because the result is part of what people deploy.
fn nospace(call: &Call<'_>) -> Result<Value, CallError> {
    let subject = call.bytes(0)?;
    let kept: String = subject
        .iter()
        .map(|byte| char::from(*byte))
        .filter(|character| !is_space(*character))
        .collect();
    if kept.chars().count() == subject.len() {
        return Ok(call.args[0].clone());
    }
    bytes(kept.as_bytes())
}

fn trim_all(call: &Call<'_>) -> Result<Value, CallError> {
    let cutset = call.text(0)?;
    text(
        call.text(1)?
            .trim_matches(|character| cutset.contains(character)),
    )
}

fn trim_prefix(call: &Call<'_>) -> Result<Value, CallError> {
    let subject = call.text(1)?;
    text(subject.strip_prefix(call.text(0)?).unwrap_or(subject))
}

fn trim_suffix(call: &Call<'_>) -> Result<Value, CallError> {
    let subject = call.text(1)?;
    text(subject.strip_suffix(call.text(0)?).unwrap_or(subject))
}

/// The first `n` bytes, or for a negative `n` the last.
fn trunc(call: &Call<'_>) -> Result<Value, CallError> {
    let (size, subject) = (call.int(0)?, call.bytes(1)?);
    let wanted = usize::try_from(size.unsigned_abs()).unwrap_or(usize::MAX);
    if wanted >= subject.len() {
        return Ok(call.args[1].clone());
    }
    bytes(if size < 0 {
        &subject[subject.len() - wanted..]
    } else {
        &subject[..wanted]
    })
}

/// `subject[start:end]` in bytes; a negative start is the beginning, an end outside the text is its end.
fn substr(call: &Call<'_>) -> Result<Value, CallError> {
    let (start, end, subject) = (call.int(0)?, call.int(1)?, call.bytes(2)?);
    let end = match usize::try_from(end) {
        Ok(end) if end <= subject.len() => end,
        _ if start < 0 => return Err(OUT_OF_RANGE),
        _ => subject.len(),
    };
    bytes(
        subject
            .get(usize::try_from(start).unwrap_or(0)..end)
            .ok_or(OUT_OF_RANGE)?,
    )
}

/// Go's `strings.Title`: an upper-case letter after everything that is no letter, digit or underscore.
fn title(call: &Call<'_>) -> Result<Value, CallError> {
    let mut after_separator = true;
    let capitalise = |character: char| {
        let mapped = if after_separator {
            upper(character)
        } else {
            character
        };
        after_separator = if character.is_ascii() {
            !(character.is_ascii_alphanumeric() || character == '_')
        } else {
            !character.is_alphanumeric() && is_space(character)
        };
        mapped
    };
    mapped(call.text(0)?, capitalise)
}

/// A lower-case letter at the beginning of each word, words being parted by white space.
fn untitle(call: &Call<'_>) -> Result<Value, CallError> {
    let mut after_space = true;
    let uncapitalise = |character: char| {
        let mapped = if after_space {
            lower(character)
        } else {
            character
        };
        after_space = is_space(character);
        mapped
    };
    mapped(call.text(0)?, uncapitalise)
}
