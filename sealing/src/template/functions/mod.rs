//! The functions that a template may call, and how one is called.
//! None of them reads anything but its arguments; see `names` for those that are still to come.

mod builtins;
mod encoding;
mod engine;
mod lists;
mod logic;
pub(super) mod names;
mod numbers;
mod printf;
mod strings;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;

use super::{MAX_OUTPUT, crypto, escape, value};

/// A function by its name in templates.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) arity: Arity,
    pub(super) call: fn(&Call<'_>) -> Result<Value, CallError>,
}

/// A row of a table of functions.
pub(super) const fn function(
    name: &'static str,
    arity: Arity,
    call: fn(&Call<'_>) -> Result<Value, CallError>,
) -> Function {
    Function { name, arity, call }
}

/// How many arguments a function takes.
#[derive(Clone, Copy)]
pub(super) enum Arity {
    Exactly(usize),
    AtLeast(usize),
}

impl Arity {
    pub(super) fn admits(self, count: usize) -> bool {
        match self {
            Self::Exactly(wanted) => count == wanted,
            Self::AtLeast(least) => count >= least,
        }
    }
}

/// All functions, by subject.
const TABLES: [&[Function]; 7] = [
    builtins::FUNCTIONS,
    crypto::FUNCTIONS,
    encoding::FUNCTIONS,
    lists::FUNCTIONS,
    logic::FUNCTIONS,
    numbers::FUNCTIONS,
    strings::FUNCTIONS,
];

/// Finds a function by name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    TABLES
        .into_iter()
        .flatten()
        .find(|function| function.name == name)
}

/// Why a call failed, in words that hold no value: a position and a type name may be published, a value never.
#[derive(Debug)]
pub(super) enum CallError {
    /// An argument of the wrong type. `found` is `None` for nil.
    Argument {
        index: usize,
        expected: &'static str,
        found: Option<&'static str>,
    },
    /// This number of arguments is not what the function takes.
    ArgumentCount(usize),
    /// The function refuses. Made of fixed words and names of types.
    Failed(Cow<'static, str>),
    /// A message that an argument of the call supplied: shown only when the template spells it out.
    Echo(String),
}

/// One call: the arguments, the piped one last.
pub(super) struct Call<'a> {
    pub(super) name: &'static str,
    pub(super) args: &'a [Value],
    /// The template's data, to tell its text values from those of other maps.
    pub(super) dot: &'a Value,
}

impl<'a> Call<'a> {
    fn wrong(&self, index: usize, expected: &'static str) -> CallError {
        CallError::Argument {
            index,
            expected,
            found: value::type_name(&self.args[index], self.dot),
        }
    }

    /// The Go type of an argument, for messages.
    fn type_of(&self, index: usize) -> &'static str {
        value::type_name(&self.args[index], self.dot).unwrap_or("nil")
    }

    fn text(&self, index: usize) -> Result<&'a str, CallError> {
        match &self.args[index] {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong(index, "string")),
        }
    }

    /// A text argument as the bytes that Go would see.
    pub(in crate::template) fn bytes(&self, index: usize) -> Result<Cow<'a, [u8]>, CallError> {
        self.text(index).map(escape::decode)
    }

    fn int(&self, index: usize) -> Result<i64, CallError> {
        match &self.args[index] {
            Value::Int(number) => Ok(*number),
            _ => Err(self.wrong(index, "int")),
        }
    }

    fn flag(&self, index: usize) -> Result<bool, CallError> {
        match &self.args[index] {
            Value::Bool(flag) => Ok(*flag),
            _ => Err(self.wrong(index, "bool")),
        }
    }

    /// A dict; dot is none, because its values have another type in Go.
    fn dict(&self, index: usize) -> Result<&'a BTreeMap<Arc<str>, Value>, CallError> {
        match &self.args[index] {
            Value::Map(map) if !value::is_same(&self.args[index], self.dot) => Ok(map),
            _ => Err(self.wrong(index, "map[string]interface {}")),
        }
    }
}

/// The function refuses, in fixed words.
fn failed(message: &'static str) -> CallError {
    CallError::Failed(Cow::Borrowed(message))
}

/// The function refuses an argument for its type, which the message ends with.
fn unsuitable(message: &str, call: &Call<'_>, index: usize) -> CallError {
    CallError::Failed(format!("{message} {}", call.type_of(index)).into())
}

/// Any value as text, as `%v` prints it.
fn display(value: &Value) -> Result<String, CallError> {
    value::text(value, MAX_OUTPUT).map_err(|_| TOO_LONG)
}

fn text(text: impl Into<Arc<str>>) -> Result<Value, CallError> {
    Ok(Value::String(text.into()))
}

/// Bytes as a text value.
fn bytes(bytes: &[u8]) -> Result<Value, CallError> {
    text(escape::encode(bytes))
}

/// Refuses to make a text of more than [`MAX_OUTPUT`] bytes, before memory is taken for it.
fn check_length(length: Option<usize>) -> Result<(), CallError> {
    match length {
        Some(length) if length <= MAX_OUTPUT => Ok(()),
        _ => Err(TOO_LONG),
    }
}

const TOO_LONG: CallError =
    CallError::Failed(Cow::Borrowed("the result is larger than a Secret can be"));

/// What Go's run-time error says when a slice expression is outside its operand.
const OUT_OF_RANGE: CallError =
    CallError::Failed(Cow::Borrowed("runtime error: slice bounds out of range"));
