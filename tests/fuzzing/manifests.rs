//! Fuzz target: the documents of a manifest file as the controller renders them.
//! An input is one YAML or JSON file.

use serde_json::Value;

use super::{limits, manifest, value};
use crate::documents;

/// Stands in values of the corpus, and in no message.
const CANARY: &str = "canary-7f3a";

pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    documents_are_parts_of_the_file_on_the_lines_they_name(text);
    for document in documents::documents(text) {
        match value::yaml(document.text) {
            Ok(value) => is_read_as_it_is_written(&value),
            Err(error) => is_about_this_document(&error, document.text),
        }
    }
    if let Ok(value) = value::json(text) {
        is_read_as_it_is_written(&value);
    }
}

fn documents_are_parts_of_the_file_on_the_lines_they_name(text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    let mut end = 0;
    for (index, document) in documents::documents(text).into_iter().enumerate() {
        assert_eq!(document.number, index + 1);
        let begin = document.text.as_ptr().addr() - text.as_ptr().addr();
        assert!(begin >= end, "documents overlap");
        end = begin + document.text.len();
        let first = document.text.lines().nth(document.line - document.start);
        let line = lines.get(document.line - 1).copied().unwrap_or_default();
        assert!(
            line.ends_with(first.expect("the line is of the document")),
            "{line}"
        );
    }
}

/// What was read can be written as JSON, reads the same as YAML, and as JSON unless it is deeper than JSON may be.
fn is_read_as_it_is_written(read: &Value) {
    // Aliases let a small file mean a large value, though not without limit.
    assert!(
        limits::written(read) <= 2 * limits::TOTAL_BYTES,
        "a value without bounds"
    );
    let written = written(read);
    assert_eq!(value::yaml(&written).as_ref(), Ok(read));
    match value::json(&written) {
        Ok(json) => assert_eq!(&json, read),
        Err(error) => assert!(
            error.problem.contains("recursion limit"),
            "{}",
            error.problem
        ),
    }
    if let Err(message) = manifest::objects(read.clone()) {
        assert!(!message.contains(CANARY), "{message}");
    }
}

/// As JSON that is YAML as well: what YAML has only escaped is escaped.
fn written(value: &Value) -> String {
    let lacks = |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    let write = |c: char| match lacks(c) {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    value.to_string().chars().map(write).collect()
}

fn is_about_this_document(error: &value::Unreadable, text: &str) {
    let lines = text.lines().count().max(1);
    assert!(
        (1..=lines + 1).contains(&error.line),
        "line {} of {lines}",
        error.line
    );
    assert!(!error.problem.contains(CANARY), "{}", error.problem);
}

#[cfg(test)]
#[test]
fn the_corpus_keeps_the_properties() {
    crate::fuzz_replay::replay("manifests", target);
}
