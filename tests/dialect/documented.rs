//! Reads the lists of what the tools document.
//! It knows nothing of our verdicts.

use serde_json::{Value, json};

/// The lines of a list: what kind of thing it is, and its name or path.
pub(crate) fn documented(file: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(super::folder().join(file)).expect("a list");
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (kind, name) = line.split_once(' ').expect("a kind and a name");
            (kind.to_owned(), name.to_owned())
        })
        .collect()
}

/// The first part of a path, and the smallest value that has something at the rest of it.
pub(crate) fn sample(path: &str) -> (String, Value) {
    let (root, rest) = path.split_once('.').expect("a path with a dot");
    let value =
        rest.split('.')
            .rev()
            .fold(json!("x"), |inner, part| match part.strip_suffix("[]") {
                Some(name) => json!({ name: [inner] }),
                None => json!({ part: inner }),
            });
    (root.to_owned(), value)
}
