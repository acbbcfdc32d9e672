//! YAML as Go's library writes it, compared with what was read off the real program. Must not read YAML.

use serde_json::{Value, json};

use super::*;

fn written(value: Value) -> String {
    document(&value.into()).to_string()
}

#[test]
fn texts_take_the_style_that_go_gives_them() {
    // Read off kubeseal v0.36.6, as annotations at this depth.
    for (text, expected) in [
        ("yes", "\"yes\""),
        ("a: b", "'a: b'"),
        ("a\nb\n", "|\n        a\n        b"),
        ("a\nb", "|-\n        a\n        b"),
        ("  a\nb\n\n", "|2+\n          a\n        b\n"),
        ("a\tb", "\"a\\tb\""),
        ("🦀 and more", "\"\\U0001F980 and more\""),
        ("2024-01-02", "\"2024-01-02\""),
        ("2024-13-02", "2024-13-02"),
        ("1:30", "\"1:30\""),
        ("12", "\"12\""),
        ("", "\"\""),
        ("null", "\"null\""),
        (" x ", "' x '"),
        ("a #b", "'a #b'"),
        ("say \"hi\": 'x'", "'say \"hi\": ''x'''"),
        ("<&>", "<&>"),
        ("- x", "'- x'"),
        ("? x", "'? x'"),
        ("\u{feff}x", "\"\\uFEFF\\x78\""),
        ("~x", "~x"),
        ("<<", "<<"),
        ("=", "="),
        ("@a", "'@a'"),
        ("0o7", "\"0o7\""),
        ("08", "\"08\""),
        ("1_000", "\"1_000\""),
        ("0b1", "\"0b1\""),
        (".", "."),
        (".inf", "\".inf\""),
        ("+", "+"),
        ("ünï", "ünï"),
        ("a\u{2028}b c", "'a\u{2028}        b c'"),
    ] {
        let value = json!({"spec": {"metadata": {"annotations": {"k": text}}}});
        let all = format!("spec:\n  metadata:\n    annotations:\n      k: {expected}\n");
        assert_eq!(written(value), all, "{text:?}");
    }
}

#[test]
fn a_document_with_odd_texts_is_written_as_go_writes_it() {
    // `odd-texts.out` is what kubeseal v0.36.6 makes of these annotations.
    let annotations: Value =
        serde_json::from_str(include_str!("golden/odd-texts.json")).expect("JSON");
    let value = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
    assert_eq!(written(value), include_str!("golden/odd-texts.yaml"));
}

#[test]
fn lists_are_not_indented_and_maps_in_them_begin_on_the_line_of_the_dash() {
    let value = json!({
        "finalizers": ["a", "yes"],
        "owners": [{"uid": "", "controller": true, "deep": {"a": 1}}, {"kind": null}],
        "none": [], "empty": {}, "nested": [["a", []], {}],
    });
    assert_eq!(
        written(value),
        "empty: {}\nfinalizers:\n- a\n- \"yes\"\nnested:\n- - a\n  - []\n- {}\nnone: []\nowners:\n\
         - controller: true\n  deep:\n    a: 1\n  uid: \"\"\n- kind: null\n"
    );
}

#[test]
fn keys_are_in_the_order_of_go_yaml() {
    let keys = [
        "a10", "a9", "A1", "1", "10", "9", "_u", "-", "a01", "a1", "ab", "a",
    ];
    let mut sorted = keys;
    sorted.sort_by(|left, right| key_order(left, right));
    assert_eq!(
        sorted,
        [
            "-", "_u", "1", "9", "10", "A1", "a", "a1", "a01", "a9", "a10", "ab"
        ]
    );
}
