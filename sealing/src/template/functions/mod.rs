//! The functions that a template may call, and how one is called.
//! None of them reads anything but its arguments and the given surroundings.

mod builtins;
mod casing;
mod dates;
mod dicts;
mod encoding;
mod floats;
mod lists;
mod logic;
mod numbers;
mod paths;
mod printf;
mod random;
mod regex;
mod strings;
mod types;
mod urls;
mod verbs;
mod versions;
mod words;

use std::borrow::Cow;

use super::arguments::Param;
use super::print::{TooLong, display};
use super::run::Run;
use super::text::Text;
use super::value::{Dict, Element, List, Value};
use super::{MAX_OUTPUT, crypto};

/// A function by its name in templates.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) params: &'static [Param],
    /// Type of any number of further arguments.
    pub(super) rest: Option<Param>,
    /// Whether it gives something else each time it is called.
    pub(super) varies: bool,
    /// Evaluates its arguments one by one, up to one of this truth.
    pub(super) lazy: Option<bool>,
    pub(super) call: fn(&Call<'_>) -> Result<Value, CallError>,
}

/// A function with these parameters.
pub(super) const fn function(
    name: &'static str,
    params: &'static [Param],
    call: fn(&Call<'_>) -> Result<Value, CallError>,
) -> Function {
    Function {
        name,
        params,
        rest: None,
        varies: false,
        lazy: None,
        call,
    }
}

impl Function {
    /// Takes any number of arguments more.
    const fn and(self, rest: Param) -> Self {
        Self {
            rest: Some(rest),
            ..self
        }
    }

    /// Gives something else each time it is called.
    pub(super) const fn varying(self) -> Self {
        Self {
            varies: true,
            ..self
        }
    }

    const fn lazy(self, until: bool) -> Self {
        Self {
            lazy: Some(until),
            ..self
        }
    }

    /// The type of an argument.
    pub(super) fn param(&self, index: usize) -> Param {
        let fixed = self.params.get(index).copied();
        fixed.or(self.rest).unwrap_or(Param::Any)
    }
}

/// All functions, by the headings of docs/templates.md.
const GROUPS: [(&str, &[&[Function]]); 12] = [
    ("Go's own", &[builtins::FUNCTIONS]),
    (
        "text",
        &[strings::FUNCTIONS, words::FUNCTIONS, casing::FUNCTIONS],
    ),
    ("regular expressions", &[regex::FUNCTIONS]),
    ("choices and types", &[logic::FUNCTIONS, types::FUNCTIONS]),
    ("lists", &[lists::FUNCTIONS]),
    ("dicts", &[dicts::FUNCTIONS]),
    ("numbers", &[numbers::FUNCTIONS]),
    ("encodings", &[encoding::FUNCTIONS]),
    ("dates", &[dates::FUNCTIONS]),
    (
        "paths, URLs and versions",
        &[paths::FUNCTIONS, urls::FUNCTIONS, versions::FUNCTIONS],
    ),
    ("cryptography", crypto::FUNCTIONS),
    ("randomness", &[random::FUNCTIONS]),
];

/// Finds a function by name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    GROUPS
        .iter()
        .flat_map(|(_, tables)| *tables)
        .flat_map(|table| *table)
        .find(|function| function.name == name)
}

/// Why a call failed.
#[derive(Debug)]
pub(super) enum CallError {
    /// Made of fixed words and names of types, so that it can be published.
    Failed(Cow<'static, str>),
    /// A message that holds an argument: shown only where the template spells all arguments out.
    Echo(String),
    /// The budget is spent.
    TooMuch,
    TooOften,
}

impl CallError {
    /// In Go's words; `literal` when all arguments stand in the template itself.
    pub(super) fn message(&self, name: &str, literal: bool) -> String {
        match self {
            Self::Failed(message) => format!("error calling {name}: {message}"),
            Self::Echo(message) if literal => format!("error calling {name}: {message}"),
            Self::Echo(_) => format!(
                "error calling {name}: (its message is not shown, since it may hold a secret)"
            ),
            Self::TooMuch => "the template makes more text than a Secret can hold".to_owned(),
            Self::TooOften => "the template loops too often".to_owned(),
        }
    }
}

impl From<TooLong> for CallError {
    fn from(_: TooLong) -> Self {
        failed("the result is larger than a Secret can be")
    }
}

/// One call: the arguments, which are of the types that the function says, the piped one last.
pub(super) struct Call<'a> {
    pub(super) args: &'a [Value],
    pub(super) run: &'a Run<'a>,
}

impl<'a> Call<'a> {
    pub(super) fn text(&self, index: usize) -> &'a Text {
        match &self.args[index] {
            Value::Text(text) => text,
            _ => unreachable!("invariant: the signature says text"),
        }
    }

    pub(super) fn int(&self, index: usize) -> i64 {
        match &self.args[index] {
            Value::Int(number, _) => *number,
            _ => unreachable!("invariant: the signature says number"),
        }
    }

    fn flag(&self, index: usize) -> bool {
        matches!(self.args[index], Value::Bool(true))
    }

    /// A dict, or `None` for nil.
    fn dict(&self, index: usize) -> Option<&'a Dict> {
        match &self.args[index] {
            Value::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// Items of a list of anything; nil has none.
    pub(super) fn items(&self, index: usize) -> &'a [Value] {
        match &self.args[index] {
            Value::List(list) => list.items(),
            _ => &[],
        }
    }

    /// Any argument as text, as `%v` prints it.
    pub(super) fn display(&self, index: usize) -> Result<Text, CallError> {
        Ok(display(&self.args[index])?)
    }

    /// Random bytes.
    pub(super) fn random<const N: usize>(&self) -> Result<[u8; N], CallError> {
        let mut bytes = [0; N];
        match (self.run.fill)(&mut bytes) {
            true => Ok(bytes),
            false => Err(failed("the random number generator failed")),
        }
    }
}

/// The function refuses, in fixed words.
pub(super) const fn failed(message: &'static str) -> CallError {
    CallError::Failed(Cow::Borrowed(message))
}

/// Text as a result.
fn text(text: impl Into<Text>) -> Result<Value, CallError> {
    Ok(Value::text(text))
}

/// A list as a result.
fn list(element: Element, items: Vec<Value>) -> Result<Value, CallError> {
    let list = List::new(element, items);
    list.map(Value::List)
        .ok_or(failed("lists are nested too deeply"))
}

/// Refuses to make a text of more than [`MAX_OUTPUT`] bytes, before memory is taken for it.
fn check_length(length: Option<usize>) -> Result<(), CallError> {
    match length {
        Some(length) if length <= MAX_OUTPUT => Ok(()),
        _ => Err(TooLong.into()),
    }
}

/// What Go's run-time error says when a slice expression is outside its operand.
pub(super) const OUT_OF_RANGE: CallError = failed("runtime error: slice bounds out of range");

/// What Go says where a function looks at the type of nil.
const NIL_DEREFERENCE: CallError =
    failed("runtime error: invalid memory address or nil pointer dereference");

#[cfg(test)]
mod tests;
