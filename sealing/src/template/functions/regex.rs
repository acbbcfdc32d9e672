//! Regular expressions: sprig's regex.go over Go's regexp. The names with `must` do the same as those without, but for
//! `regexMatch`, which takes what is no expression for one that never matches.
//! How an expression of Go is read is in `syntax`.

#[path = "regex_syntax.rs"]
mod syntax;

use ::regex::bytes::{Captures, Regex, RegexBuilder};

use super::Param::{Int, Text as Str};
use super::{Call, CallError, Element, Function, Value, check_length, failed, function, text};
use crate::go::unicode::{is_digit, is_letter};
use crate::template::text::Text;
use crate::template::value::List;

/// What compiling an expression costs of a rendering's budget: some thousand in all.
const COMPILE_WORK: usize = 64 << 10;

/// Largest compiled expression, in bytes.
const MAX_SIZE: usize = 1 << 20;

pub(super) const FUNCTIONS: &[Function] = &[
    function("mustRegexFind", &[Str, Str], find),
    function("mustRegexFindAll", &[Str, Str, Int], find_all),
    function("mustRegexMatch", &[Str, Str], is_match),
    function("mustRegexReplaceAll", &[Str, Str, Str], replace_all),
    function(
        "mustRegexReplaceAllLiteral",
        &[Str, Str, Str],
        replace_all_literally,
    ),
    function("mustRegexSplit", &[Str, Str, Int], split),
    function("regexFind", &[Str, Str], find),
    function("regexFindAll", &[Str, Str, Int], find_all),
    function("regexMatch", &[Str, Str], |call| match is_match(call) {
        Err(CallError::Failed(_)) => Ok(Value::Bool(false)),
        result => result,
    }),
    function("regexQuoteMeta", &[Str], |call| {
        text(quote_meta(call.text(0)))
    }),
    function("regexReplaceAll", &[Str, Str, Str], replace_all),
    function(
        "regexReplaceAllLiteral",
        &[Str, Str, Str],
        replace_all_literally,
    ),
    function("regexSplit", &[Str, Str, Int], split),
];

/// The expression, the first argument.
fn compiled(call: &Call<'_>) -> Result<Regex, CallError> {
    call.run.spend(call.text(1).len())?;
    call.run.expression(call.text(0), || compile(call))
}

fn compile(call: &Call<'_>) -> Result<Regex, CallError> {
    let source = call.text(0);
    call.run.spend(COMPILE_WORK + source.len() * 64)?;
    let refused = failed("error parsing regexp: not an expression that can be used");
    let source = std::str::from_utf8(source).ok();
    let Some(pattern) = source.and_then(syntax::translate) else {
        return Err(refused);
    };
    let expression = RegexBuilder::new(&pattern).size_limit(MAX_SIZE).build();
    expression.map_err(|_| refused)
}

fn is_match(call: &Call<'_>) -> Result<Value, CallError> {
    Ok(Value::Bool(compiled(call)?.is_match(call.text(1))))
}

fn find(call: &Call<'_>) -> Result<Value, CallError> {
    let found = compiled(call)?
        .find(call.text(1))
        .map(|found| found.as_bytes().to_vec());
    text(found.unwrap_or_default())
}

/// As many matches as asked for; all for a negative number.
fn limit(call: &Call<'_>) -> usize {
    usize::try_from(call.int(2)).unwrap_or(usize::MAX)
}

fn find_all(call: &Call<'_>) -> Result<Value, CallError> {
    let expression = compiled(call)?;
    let found = expression.find_iter(call.text(1)).take(limit(call));
    let found: Vec<Text> = found.map(|found| found.as_bytes().into()).collect();
    Ok(Value::List(match found.is_empty() {
        true => List::nil(Element::Text),
        false => List::of_texts(found.into_iter()),
    }))
}

fn split(call: &Call<'_>) -> Result<Value, CallError> {
    let (expression, subject) = (compiled(call)?, call.text(1));
    let limit = limit(call);
    if limit == 0 {
        return Ok(Value::List(List::nil(Element::Text)));
    }
    if !call.text(0).is_empty() && subject.is_empty() {
        return Ok(Value::List(List::of_texts(std::iter::once(Text::from("")))));
    }
    let mut pieces: Vec<Text> = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in expression.find_iter(subject).take(limit) {
        if pieces.len() + 1 == limit {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            pieces.push(subject[begin..end].into());
        }
        begin = found.end();
    }
    if end != subject.len() {
        pieces.push(subject[begin..].into());
    }
    Ok(Value::List(List::of_texts(pieces.into_iter())))
}

fn replace_all_literally(call: &Call<'_>) -> Result<Value, CallError> {
    replaced(call, |_, out| out.extend_from_slice(call.text(2)))
}

fn replace_all(call: &Call<'_>) -> Result<Value, CallError> {
    replaced(call, |captures, out| expand(call.text(2), captures, out))
}

fn replaced(
    call: &Call<'_>,
    replacement: impl Fn(&Captures<'_>, &mut Vec<u8>),
) -> Result<Value, CallError> {
    let (expression, subject) = (compiled(call)?, call.text(1));
    let mut out = Vec::new();
    let mut rest = 0;
    for captures in expression.captures_iter(subject) {
        let Some(found) = captures.get(0) else { break };
        out.extend_from_slice(&subject[rest..found.start()]);
        replacement(&captures, &mut out);
        check_length(Some(out.len()))?;
        rest = found.end();
    }
    out.extend_from_slice(&subject[rest..]);
    text(out)
}

/// Puts groups into a replacement: `$1`, `$name`, `${1}`, and `$$` for a dollar. A name is as long as it can be, so that
/// `$1x` is the group `1x`; a group that does not exist is empty; any other dollar stands for itself.
fn expand(template: &[u8], captures: &Captures<'_>, out: &mut Vec<u8>) {
    let mut rest = template;
    while let Some(dollar) = rest.iter().position(|byte| *byte == b'$') {
        out.extend_from_slice(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix(b"$") {
            out.push(b'$');
            rest = after;
        } else if let Some((name, after)) = group_name(rest) {
            out.extend_from_slice(group(&name, captures));
            rest = after;
        } else {
            out.push(b'$');
        }
    }
    out.extend_from_slice(rest);
}

fn group_name(text: &[u8]) -> Option<(String, &[u8])> {
    let braced = text.strip_prefix(b"{");
    let start = braced.unwrap_or(text);
    let valid = start
        .utf8_chunks()
        .next()
        .map(|chunk| chunk.valid())
        .unwrap_or_default();
    let is_name =
        |character: &char| is_letter(*character) || is_digit(*character) || *character == '_';
    let name: String = valid.chars().take_while(is_name).collect();
    if name.is_empty() {
        return None;
    }
    let after = &start[name.len()..];
    match braced {
        Some(_) => after.strip_prefix(b"}").map(|after| (name, after)),
        None => Some((name, after)),
    }
}

fn group<'c>(name: &str, captures: &'c Captures<'_>) -> &'c [u8] {
    let is_number =
        name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    let found = match name.parse() {
        Ok(number) if is_number => captures.get(number),
        _ => captures.name(name),
    };
    found.map(|found| found.as_bytes()).unwrap_or_default()
}

/// Go's `QuoteMeta`.
fn quote_meta(subject: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in subject {
        if br"\.+*?()|[]{}^$".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out
}
