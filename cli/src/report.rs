//! What a person sees. The one file that prints; it must not decide anything.
//!
//! Rules of voice: results go to standard output, everything else to standard error. Lower case, no full stop.
//! `error:` says what failed and names the object, `caused by:` why, `hint:` what to do. Never a secret value.

use std::error::Error as _;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use crate::error::Error;

const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const CYAN: &str = "1;36";

/// Says why the request failed and what can be done about it. A cause that the line above it quotes is not repeated.
pub(crate) fn failure(error: &Error) {
    let mut said = error.to_string();
    label(RED, "error", &said);
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !said.contains(&text) {
            label(RED, "caused by", &text);
            said = text;
        }
        source = cause.source();
    }
    for hint in error.hint().iter().flat_map(|hint| hint.lines()) {
        label(CYAN, "hint", &hint);
    }
}

/// Says what was done in another way than the user may expect.
pub(crate) fn warning(text: impl Display) {
    label(YELLOW, "warning", &text);
}

/// Says what was done, where standard output belongs to the result.
pub(crate) fn note(text: impl Display) {
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes a result to standard output. A reader that went away, such as `head`, has what it wanted.
pub(crate) fn result(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn label(colour: &str, name: &str, text: &dyn Display) {
    let mut stderr = io::stderr().lock();
    let coloured =
        stderr.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let _ = match coloured {
        true => writeln!(stderr, "\u{1b}[{colour}m{name}:\u{1b}[0m {text}"),
        false => writeln!(stderr, "{name}: {text}"),
    };
}
