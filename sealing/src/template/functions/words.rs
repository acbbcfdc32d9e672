//! Shortening, wrapping and picking at text: what sprig takes from goutils.
//! Works on bytes even where that breaks characters apart, because goutils does.

use bstr::ByteSlice as _;

use super::Param::{Int, Text as Str};
use super::{Call, CallError, Function, Value, check_length, function, text};
use crate::go::unicode::is_space;

pub(super) const FUNCTIONS: &[Function] = &[
    function("abbrev", &[Int, Str], |call| {
        let (width, subject) = (call.int(0), call.text(1));
        text(if width < 4 {
            subject.to_vec()
        } else {
            abbreviated(subject, 0, width)
        })
    }),
    function("abbrevboth", &[Int, Int, Str], abbrevboth),
    function("hello", &[], |_| text("Hello!")),
    function("initials", &[Str], |call| text(initials(call.text(0)))),
    function("nospace", &[Str], |call| text(without_space(call.text(0)))),
    function("plural", &[Str, Str, Int], |call| {
        Ok(call.args[usize::from(call.int(2) != 1)].clone())
    }),
    function("wrap", &[Int, Str], |call| {
        wrapped(call.text(1), call.int(0), b"", false)
    }),
    function("wrapWith", &[Int, Str, Str], |call| {
        wrapped(call.text(2), call.int(0), call.text(1), true)
    }),
];

const MARKER: &[u8] = b"...";

fn abbrevboth(call: &Call<'_>) -> Result<Value, CallError> {
    let (left, right, subject) = (call.int(0), call.int(1), call.text(2));
    if right < 4 || left > 0 && right < 7 {
        return text(&**subject);
    }
    text(abbreviated(subject, left, right))
}

/// The part of at most `limit` bytes that begins about `offset`, with marks where something is left out. A width of at
/// least 4, or 7 beyond the first bytes, is the caller's care.
fn abbreviated(subject: &[u8], offset: i64, limit: i64) -> Vec<u8> {
    let width = usize::try_from(limit).unwrap_or(0).max(4);
    let length = subject.len();
    if length <= width {
        return subject.to_vec();
    }
    let kept = width - MARKER.len();
    // A negative offset lies before the beginning and has the effect of none.
    let offset = usize::try_from(offset).unwrap_or(0).min(length);
    let offset = if length - offset < kept {
        length - kept
    } else {
        offset
    };
    if offset <= 4 {
        return [&subject[..kept], MARKER].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    if offset + kept < length {
        let rest = abbreviated(&subject[offset..], 0, limit - 3);
        return [MARKER, &rest].concat();
    }
    [MARKER, &subject[length - kept..]].concat()
}

/// The first byte of each word, as a character.
fn initials(subject: &[u8]) -> String {
    let mut out = String::new();
    let mut after_gap = true;
    for &byte in subject {
        let character = char::from(byte);
        if is_space(character) {
            after_gap = true;
        } else if after_gap {
            out.push(character);
            after_gap = false;
        }
    }
    out
}

/// Without white space. Where there is any, each other byte becomes a character of that number.
fn without_space(subject: &[u8]) -> Vec<u8> {
    let is_gap = |byte: &&u8| is_space(char::from(**byte));
    if !subject.iter().any(|byte| is_gap(&byte)) {
        return subject.to_vec();
    }
    let kept = subject.iter().filter(|byte| !is_gap(byte));
    kept.map(|byte| char::from(*byte))
        .collect::<String>()
        .into_bytes()
}

/// Lines of at most `limit` bytes where words allow it, or everywhere.
fn wrapped(
    subject: &[u8],
    width: i64,
    line_end: &[u8],
    breaks_words: bool,
) -> Result<Value, CallError> {
    let line_end = if line_end.is_empty() { b"\n" } else { line_end };
    let width = usize::try_from(width).unwrap_or(0).max(1);
    check_length(line_end.len().checked_mul(subject.len() / width + 1))?;
    let mut out = Vec::new();
    let mut rest = subject;
    while rest.len() > width {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let (line, skipped) = match rest[..=width].rfind_byte(b' ') {
            Some(space) => (&rest[..space], 1),
            None if breaks_words => (&rest[..width], 0),
            None => match rest[width..].find_byte(b' ') {
                Some(space) => (&rest[..width + space], 1),
                None => break,
            },
        };
        out.extend_from_slice(line);
        out.extend_from_slice(line_end);
        check_length(Some(out.len()))?;
        rest = &rest[line.len() + skipped..];
    }
    out.extend_from_slice(rest);
    text(out)
}
