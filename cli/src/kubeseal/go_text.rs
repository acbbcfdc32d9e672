//! Small texts as Go's standard library spells them, because scripts match on them.
//! Must not hold a text that is kubeseal's own: those stand in `texts`.

use std::io;

pub(super) use sealing::go::quote::{quote, quote_char};

/// What Kubernetes' decoder says of a kind that it does not know.
pub(super) fn unregistered(kind: &str, version: &str) -> String {
    format!(
        "no kind {} is registered for version {} in scheme \"pkg/runtime/scheme.go:111\"",
        quote(kind),
        quote(version)
    )
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
