//! From the text of one document to a value, read as Go's YAML and JSON decoders of Kubernetes read it.
//! Its messages repeat nothing of the text, since that may be a Secret.

use serde_json::{Number, Value};
use serde_saphyr::{Options, options::DuplicateKeyPolicy};

use super::limits;

/// Schemas of large CustomResourceDefinitions nest some 60 deep; the crate's own limit of 64 is too near.
const DEPTH: usize = 200;
/// A document is at most as large as all files together may be; one node takes at least two bytes of it.
const NODES: usize = limits::TOTAL_BYTES / 2;
/// Values that aliases of one document may stand for: each takes some hundred bytes of memory and none of text.
const ALIASED: usize = 100_000;

/// Why a text is no value, and where: counted from the beginning of the text, from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    pub(super) problem: String,
}

/// Reads one YAML document.
pub(super) fn yaml(text: &str) -> Result<Value, Unreadable> {
    let mut value = serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let before = error
            .location()
            .and_then(|location| usize::try_from(location.span().offset()).ok());
        Unreadable {
            line: line_after(text, before.unwrap_or(0)),
            problem: problem(&error.to_string()),
        }
    })?;
    whole_numbers(&mut value);
    Ok(value)
}

/// Reads a JSON file, which is one document.
pub(super) fn json(text: &str) -> Result<Value, Unreadable> {
    let mut value = serde_json::from_str(text).map_err(|error| {
        let problem = format!("not JSON: {}", without_place(&error.to_string()));
        Unreadable {
            line: error.line().max(1),
            problem,
        }
    })?;
    whole_numbers(&mut value);
    Ok(value)
}

/// YAML 1.1 with Go's leniency: the last of two equal keys wins, `0644` is octal, `yes` is true.
fn options() -> Options {
    serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        legacy_octal_numbers: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_depth: DEPTH,
            max_documents: 1,
            max_nodes: NODES,
            max_events: 2 * NODES,
            max_recorded_anchor_events: ALIASED,
            max_recorded_anchor_bytes: limits::TOTAL_BYTES,
            max_total_scalar_bytes: limits::TOTAL_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: ALIASED,
        },
    }
}

/// The crate's limits are of no use to the author of a file; what they mean is.
fn problem(message: &str) -> String {
    if message.contains("budget breached") || message.contains("alias replay limit") {
        "deeper, or larger with its aliases written out, than one document may be".to_owned()
    } else if message.starts_with("non-finite float") {
        "not YAML: a number is out of range, expected text in quotes".to_owned()
    } else {
        format!("not YAML: {}", without_place(message))
    }
}

/// The line on which a character stands that has so many before it. To YAML a lone carriage return ends a line as well, but
/// not to editors, nor to what cuts a file into documents.
fn line_after(text: &str, characters: usize) -> usize {
    let before = text.chars().take(characters);
    before.filter(|&character| character == '\n').count() + 1
}

/// The message without the place, which callers give in lines of the file, and without advice for programmers.
fn without_place(message: &str) -> &str {
    let message = message.split(" at line ").next().unwrap_or(message);
    message.split("; use ").next().unwrap_or(message)
}

/// Go writes `1.0`, `1e3` and `-0` as the JSON numbers 1, 1000 and 0, and integer fields accept them.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(whole) = number.as_f64().filter(|_| number.is_f64()).and_then(whole) {
                *number = whole;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Past 2^53 a double no longer tells neighbouring integers apart.
const EXACT: f64 = 9_007_199_254_740_992.0;

#[expect(
    clippy::cast_possible_truncation,
    reason = "the number is whole and below 2^53"
)]
fn whole(number: f64) -> Option<Number> {
    (number.fract() == 0.0 && number.abs() <= EXACT).then(|| Number::from(number as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_is_read_as_go_reads_it() {
        for (text, expected) in [
            (
                "a: yes\nb: off\nc: 'no'",
                json!({"a": true, "b": false, "c": "no"}),
            ),
            (
                "a: 0644\nb: 0o17\nc: 0x1F\nd: 1_000",
                json!({"a": 420, "b": 15, "c": 31, "d": 1000}),
            ),
            (
                "a: 08\nb: 1.0\nc: 1e3\nd: 1.5",
                json!({"a": 8, "b": 1, "c": 1000, "d": 1.5}),
            ),
            (
                "a: 1:30\nb: 2024-01-01\nc: 1.2.3",
                json!({"a": "1:30", "b": "2024-01-01", "c": "1.2.3"}),
            ),
            ("a: 1\na: 2", json!({"a": 2})),
            (
                "b: &b {x: 1}\nc:\n  <<: *b\n  y: 2",
                json!({"b": {"x": 1}, "c": {"x": 1, "y": 2}}),
            ),
            ("1: a\ntrue: b", json!({"1": "a", "true": "b"})),
            (
                "a: !!binary aGVsbG8=\nb: !x z",
                json!({"a": "hello", "b": "z"}),
            ),
            ("a:\nb: ~", json!({"a": null, "b": null})),
        ] {
            assert_eq!(yaml(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_message_names_the_line_and_repeats_no_value() {
        let error = yaml("a: 1\npassword: 'hunter2\n").unwrap_err();
        assert_eq!(
            (error.line, error.problem.as_str()),
            (2, "not YAML: unclosed quote")
        );
        for (text, problem) in [
            (
                "a: 1\ntoken: 12e45678901",
                "not YAML: a number is out of range, expected text in quotes",
            ),
            (
                "a: 1\ntoken: *hunter2",
                "not YAML: alias references unknown anchor",
            ),
        ] {
            let error = yaml(text).unwrap_err();
            assert_eq!((error.line, error.problem.as_str()), (2, problem));
        }
        let error = yaml("data: hunter2\n  key: hunter2\n").unwrap_err();
        assert!(
            error.line == 2 && !error.problem.contains("hunter2"),
            "{}",
            error.problem
        );
        let error = yaml("a: 1\n# to YAML\r\r\rlines of their own\n b: 'x").unwrap_err();
        assert_eq!(error.line, 2);
        let error = json("{\n\"password\": hunter2}").unwrap_err();
        assert_eq!(
            (error.line, error.problem.as_str()),
            (2, "not JSON: expected value")
        );
    }

    #[test]
    fn a_document_may_nest_deep_but_not_without_end() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(yaml(&nested(DEPTH - 5)).is_ok());
        let blocks = |depth: usize| {
            (0..depth)
                .map(|level| format!("{}a:\n", " ".repeat(level)))
                .collect::<String>()
        };
        assert!(yaml(&blocks(DEPTH - 5)).is_ok());
        assert!(yaml(&blocks(DEPTH + 5)).is_err());
        assert!(yaml(&nested(100_000)).is_err());
        assert!(json(&nested(100_000)).is_err());
    }

    #[test]
    fn aliases_that_multiply_are_stopped() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let before = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", "));
        }
        assert!(yaml(&bomb).is_err());
    }
}
