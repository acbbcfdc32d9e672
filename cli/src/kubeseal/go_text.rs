//! Small texts as Go's standard library spells them, because scripts match on them.
//! Must not hold a text that is kubeseal's own: those stand in `texts`.

use std::fmt::Write as _;
use std::io;

/// Go's `%q` of a string.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    text.chars()
        .for_each(|character| push_escaped(&mut quoted, character, '"'));
    quoted.push('"');
    quoted
}

/// Go's `%q` of a character.
pub(super) fn quote_char(character: char) -> String {
    let mut quoted = String::from('\'');
    push_escaped(&mut quoted, character, '\'');
    quoted.push('\'');
    quoted
}

fn push_escaped(text: &mut String, character: char, delimiter: char) {
    match character {
        '\\' => text.push_str("\\\\"),
        '\u{7}' => text.push_str("\\a"),
        '\u{8}' => text.push_str("\\b"),
        '\u{c}' => text.push_str("\\f"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        '\u{b}' => text.push_str("\\v"),
        _ if character == delimiter => {
            text.push('\\');
            text.push(character);
        }
        _ if character.is_ascii_control() => {
            // Writing to a string can't fail.
            let _ = write!(text, "\\x{:02x}", u32::from(character));
        }
        _ if character.is_control() => {
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        }
        _ => text.push(character),
    }
}

/// The system's word for an error without Rust's number: `no such file or directory`.
pub(super) fn system_error(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}
