//! The list of flags as pflag lays it out.
//! Must not print, and knows no flag by name.

use super::flag_table::{FLAGS, Flag};
use super::flag_value::Kind;
use super::go_text::quote;

/// One line per flag: spelling, word for the value, description, default.
pub(super) fn list() -> String {
    let listed = || FLAGS.iter().filter(|flag| flag.deprecated.is_none());
    let width = listed().map(|flag| left(flag).len()).max().unwrap_or(0);
    listed()
        .map(|flag| {
            let (left, right) = (left(flag), right(flag));
            format!("{left:width$}   {right}\n")
        })
        .collect()
}

fn left(flag: &Flag) -> String {
    let start = match flag.shorthand {
        Some(_) => format!("  {}", flag.spelling()),
        None => format!("      {}", flag.spelling()),
    };
    match flag.kind.noun() {
        "" => start,
        noun => format!("{start} {noun}"),
    }
}

fn right(flag: &Flag) -> String {
    match (flag.default, flag.kind) {
        ("", _) => flag.help.to_owned(),
        (text, Kind::Text | Kind::Scope) => format!("{} (default {})", flag.help, quote(text)),
        (text, _) => format!("{} (default {text})", flag.help),
    }
}
