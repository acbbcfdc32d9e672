//! Why a script gave no health, and on which of its lines. It repeats no stack of calls: that is the machine's, not the script's.

use super::values::cut;

/// What the machine calls a script in its messages. It shortens long names, so the setting's name is put in its place.
pub(super) const CHUNK: &str = "script";

/// Why a script gave no health.
#[derive(Debug)]
pub(super) struct Failure {
    line: Option<usize>,
    text: String,
}

impl Failure {
    /// One that is not about a line.
    pub(super) fn said(text: String) -> Self {
        Self { line: None, text }
    }

    pub(super) fn of(error: &mlua::Error) -> Self {
        let message = message(error);
        let message = message
            .split("\nstack traceback:")
            .next()
            .unwrap_or_default();
        let place = message.strip_prefix(CHUNK).and_then(|rest| {
            let (line, text) = rest.strip_prefix(':')?.split_once(": ")?;
            Some((line.parse().ok()?, text))
        });
        let (line, text) = place.map_or((None, message), |(line, text)| (Some(line), text));
        Self {
            line,
            text: cut(text.to_owned()),
        }
    }

    /// The message, with the setting that holds the script.
    pub(super) fn at(&self, setting: &str) -> String {
        match self.line {
            Some(line) => format!("{setting}, line {line}: {}", self.text),
            None => format!("{setting}: {}", self.text),
        }
    }
}

/// The innermost message, without the crate's own words.
fn message(error: &mlua::Error) -> String {
    match error {
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        mlua::Error::RuntimeError(message) => message.clone(),
        mlua::Error::CallbackError { cause, .. } => message(cause),
        other => other.to_string(),
    }
}
