//! Says which environment variable a value came from that can't be read: nobody typed the flag that clap speaks of.
//! It must not read values: it only looks which variables are set.

use std::ffi::OsString;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, Error};

use super::Settings;

/// The error, with the variable's name where the flag it names is not among those `given`.
pub(super) fn named(mut error: Error, given: &[OsString]) -> Error {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let flag = argument
        .split(['[', '=', ' '])
        .next()
        .unwrap_or_default()
        .to_owned();
    let typed = |word: &OsString| {
        let word = word.to_string_lossy();
        word == flag || word.starts_with(&format!("{flag}="))
    };
    if given.iter().any(typed) {
        return error;
    }
    if let Some(variable) = variable(&flag) {
        let text = format!("the value is that of the environment variable {variable}");
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![text.into()]),
        );
    }
    error
}

/// The variable of a flag, where it is set.
fn variable(flag: &str) -> Option<String> {
    let command = Settings::command();
    let long = flag.strip_prefix("--")?;
    let argument = command
        .get_arguments()
        .find(|argument| argument.get_long() == Some(long))?;
    let variable = argument.get_env()?;
    std::env::var_os(variable)?;
    Some(variable.to_string_lossy().into_owned())
}
