//! Fuzz target: the documents of a manifest file as the controller renders them.
//! An input is one YAML or JSON file.

use std::fmt::Write;

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

/// What was read reads the same once written as YAML, and as JSON unless it is deeper than JSON may be.
fn is_read_as_it_is_written(read: &Value) {
    // Aliases let a small file mean a large value, though not without limit.
    assert!(
        limits::written(read) <= 2 * limits::TOTAL_BYTES,
        "a value without bounds"
    );
    let mut yaml = String::new();
    write_yaml(read, &mut yaml);
    assert_eq!(value::yaml(&yaml).as_ref(), Ok(read));
    match value::json(&read.to_string()) {
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

/// Flow style that YAML can read of any value: JSON's keys may be too long there, and some of its characters need an escape.
fn write_yaml(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_yaml(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(fields) => {
            text.push('{');
            for (key, value) in fields {
                text.push_str("? ");
                write_scalar(&Value::from(key.as_str()), text);
                text.push_str(" : ");
                write_yaml(value, text);
                text.push(',');
            }
            text.push('}');
        }
        scalar => write_scalar(scalar, text),
    }
}

fn write_scalar(scalar: &Value, text: &mut String) {
    for character in scalar.to_string().chars() {
        match character {
            '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            }
            _ => text.push(character),
        }
    }
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
