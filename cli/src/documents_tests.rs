//! Documents with their numbers and lines, and what is no document. Must not know of Secrets.

use super::*;

fn places(text: &str) -> Vec<(usize, usize)> {
    let documents = parse(&Input::Stdin, text).unwrap_or_else(|error| panic!("{error}"));
    documents
        .iter()
        .map(|document| (document.place.document, document.place.line))
        .collect()
}

#[test]
fn documents_know_their_number_and_line_and_empty_ones_are_skipped() {
    assert_eq!(
        places("# nothing\n---\n---\na: 1\n---\n# c\n---\n\nb: 2\n"),
        [(2, 4), (4, 9)]
    );
    assert_eq!(places("\u{feff}a: 1\r\n---\r\nb: 2\r\n"), [(1, 1), (2, 3)]);
    assert_eq!(places(""), []);
    assert_eq!(places("# only a comment\n"), []);
}

#[test]
fn json_objects_may_follow_each_other() {
    assert_eq!(
        places("{\"a\": 1}\n{\n\t\"b\": 2}\n{\"c\": 3}{\"d\": 4}\n"),
        [(1, 1), (2, 2), (3, 4), (4, 4)]
    );
    assert_eq!(places("{\"a\": 1}\n---\nb: 2\n"), [(1, 1), (2, 3)]);
}

#[test]
fn garbage_after_json_is_an_error_and_not_silence() {
    for text in [
        "{\"a\": 1}\ngarbage\n",
        "{\"a\": 1}{\"b\": 2} garbage",
        "{\"a\": 1} {\"b\"",
    ] {
        assert!(parse(&Input::Stdin, text).is_err(), "{text}");
    }
}

#[test]
fn a_syntax_error_names_document_and_line_and_no_content() {
    let Err(error) = parse(&Input::Stdin, "a: 1\n---\nb: [hunter2\nc: 3\n") else {
        panic!("parsed")
    };
    let text = error.to_string();
    assert!(text.starts_with("standard input:"), "{text}");
    assert!(
        text.contains("(document 2)") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn aliases_and_merges_are_expanded_and_the_last_of_duplicate_keys_wins() {
    let text = "base: &b {x: 1, y: 2}\nown:\n  x: 3\n  y: 3\n  <<: *b\n  x: 4\nagain: *b\n";
    let documents = parse(&Input::Stdin, text).unwrap_or_else(|error| panic!("{error}"));
    let value = documents[0]
        .root
        .to_value()
        .unwrap_or_else(|problem| panic!("{}", problem.fault))
        .into_public();
    assert_eq!(value["own"], serde_json::json!({"x": 4, "y": 2}));
    assert_eq!(value["again"], serde_json::json!({"x": 1, "y": 2}));
}

#[test]
fn a_billion_laughs_end_in_an_error() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let previous = format!("*a{}, ", level - 1).repeat(10);
        text += &format!("a{level}: &a{level} [{previous}]\n");
    }
    let documents = parse(&Input::Stdin, &text).unwrap_or_else(|error| panic!("{error}"));
    assert!(documents[0].root.to_value().is_err());
}

#[test]
fn an_alias_of_itself_is_an_error() {
    let documents =
        parse(&Input::Stdin, "a: &a {x: *a}\n").unwrap_or_else(|error| panic!("{error}"));
    assert!(documents[0].root.to_value().is_err());
}

#[test]
fn utf16_is_recognised_with_and_without_a_mark() {
    assert!(is_utf16(b"\xFF\xFEa\0") && is_utf16(b"a\0b\0") && is_utf16(b"\0a\0b"));
    assert!(!is_utf16(b"a: 1") && !is_utf16(b"") && !is_utf16(b"\xEF\xBB\xBFa"));
}
