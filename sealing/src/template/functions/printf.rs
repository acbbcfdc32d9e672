//! `printf`: the engine's, after the arguments that it would print otherwise than Go have been made text.
//! Understands a format just well enough to know which verb prints which argument.

use gotmpl::Value;

use super::{Call, CallError, display, engine, failed};
use crate::template::escape;
use crate::template::value::quoted;

/// One `%…` of a format.
struct Directive {
    /// Offset of the verb.
    verb_at: usize,
    verb: u8,
    /// Flags, width and precision.
    options: Vec<u8>,
}

impl Directive {
    /// Only alignment and width, which mean the same for any text.
    fn is_plain(&self) -> bool {
        self.options
            .iter()
            .all(|option| matches!(option, b'-' | b'*' | b'1'..=b'9'))
    }
}

pub(super) fn printf(call: &Call<'_>) -> Result<Value, CallError> {
    let format = call.text(0)?;
    let mut verbs = format.as_bytes().to_vec();
    let mut args = call.args.to_vec();
    let mut next = 1;
    for directive in directives(format) {
        next += directive
            .options
            .iter()
            .filter(|option| **option == b'*')
            .count();
        let Some(arg) = args.get_mut(next) else { break };
        next += 1;
        if let Some(text) = printed(&directive, arg)? {
            *arg = Value::String(text.into());
            verbs[directive.verb_at] = b's';
        }
    }
    // Only the byte of an ASCII verb has been replaced, so it is text still.
    let format = String::from_utf8(verbs).map_err(|_| failed("incompatible arguments"))?;
    args[0] = Value::String(format.into());
    engine::call(call.name, &args).ok_or(failed("incompatible arguments"))
}

/// The text of an argument that the engine would print in another way: large numbers, and bytes that are no UTF-8.
fn printed(directive: &Directive, arg: &Value) -> Result<Option<String>, CallError> {
    Ok(match (directive.verb, arg) {
        _ if !directive.is_plain() => None,
        (b'v', Value::Float(_)) | (b'v' | b's', Value::List(_) | Value::Map(_)) => {
            Some(display(arg)?)
        }
        (b'q', Value::String(text)) => Some(quoted(text)),
        (b'x', Value::String(text)) => Some(
            escape::decode(text)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        ),
        (b'X', Value::String(text)) => Some(
            escape::decode(text)
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect(),
        ),
        _ => None,
    })
}

/// The directives that take an argument. A format with argument numbers such as `%[1]d` has none for us.
fn directives(format: &str) -> Vec<Directive> {
    let bytes = format.as_bytes();
    let mut directives = Vec::new();
    let mut position = 0;
    while let Some(found) = bytes[position..].iter().position(|byte| *byte == b'%') {
        let start = position + found + 1;
        let options = bytes[start..]
            .iter()
            .copied()
            .take_while(|byte| b"+-# 0123456789.*".contains(byte));
        let options: Vec<u8> = options.collect();
        let verb_at = start + options.len();
        match bytes.get(verb_at) {
            None | Some(b'[') => break,
            Some(b'%') => {}
            Some(&verb) => directives.push(Directive {
                verb_at,
                verb,
                options,
            }),
        }
        position = verb_at + 1;
    }
    directives
}
