//! Input as kubeseal's decoder takes it, compared with what was read off the real program. Must not seal.

use sealing::SecretInput;

use super::*;
use crate::kubeseal::schema::{SEALED_SECRET, SECRET};

fn read(text: &str) -> Vec<SecretInput> {
    let objects = parse(&Input::Stdin, text.as_bytes(), &SECRET);
    let objects = objects.unwrap_or_else(|error| panic!("{error}: {text}"));
    objects
        .into_iter()
        .map(|object| SecretInput::from_value(object.value).expect("a Secret"))
        .collect()
}

fn item(text: &str) -> String {
    let secrets = read(text);
    assert_eq!(secrets.len(), 1, "{text}");
    let value = secrets[0].items.values().next().expect("an item");
    String::from_utf8_lossy(value.expose()).into_owned()
}

fn failure(text: &str) -> String {
    match parse(&Input::Stdin, text.as_bytes(), &SECRET) {
        Ok(objects) => panic!("read {} objects: {text}", objects.len()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn scalars_become_the_text_that_kubeseal_seals() {
    // Observed with kubeseal, spec by spec.
    for (written, sealed) in [
        ("5", "5"),
        ("+5", "5"),
        ("-3", "-3"),
        ("1.10", "1.1"),
        ("3.0", "3"),
        ("1e3", "1000"),
        ("0.0000001", "1e-07"),
        ("0x10", "16"),
        ("010", "8"),
        ("0o17", "15"),
        ("0b11", "3"),
        ("1_000", "1000"),
        ("12345678901234567890", "12345678901234567890"),
        ("123456789012345678901234567890", "1.2345679e+29"),
        ("yes", "true"),
        ("on", "true"),
        ("y", "true"),
        ("Y", "true"),
        ("true", "true"),
        ("no", "false"),
        ("Off", "false"),
        ("n", "false"),
        ("null", ""),
        ("~", ""),
        ("", ""),
        ("2024-01-02", "2024-01-02"),
        ("12:30:45", "12:30:45"),
        (".inf", "+Inf"),
        (".nan", "NaN"),
        ("!!binary aGVsbG8=", "hello"),
        ("'010'", "010"),
        ("\"yes\"", "yes"),
        ("!!str 5", "5"),
    ] {
        let text = format!("kind: Secret\nstringData:\n  a: {written}\n");
        assert_eq!(item(&text), sealed, "{written}");
    }
    assert_eq!(item("{\"stringData\": {\"q\": 5}}"), "5");
}

#[test]
fn keys_become_text_too() {
    for (written, key) in [
        ("1", "1"),
        ("true", "true"),
        ("1.5", "1.5"),
        ("y", "true"),
        ("0x10", "16"),
        (".inf", ".inf"),
        ("'y'", "y"),
    ] {
        let secrets = read(&format!("stringData:\n  {written}: v\n"));
        let keys: Vec<&String> = secrets[0].items.keys().collect();
        assert_eq!(keys, [key], "{written}");
    }
    assert!(failure("stringData: {null: v}").contains("a key is null"));
}

#[test]
fn fields_are_found_in_any_case_and_the_last_of_equal_keys_wins() {
    assert_eq!(item("KIND: Secret\nDATA: {a: aGk=}\n"), "hi");
    assert_eq!(item("stringData: {a: x}\nstringData: {a: z}\n"), "z");
    assert_eq!(item("data: {a: aGk=}\nstringData: {a: text}\n"), "text");
    assert_eq!(item("data: {a: \"aG\\nk=\"}\n"), "hi");
    assert_eq!(item("data: {a: null}\n"), "");
}

#[test]
fn documents_come_as_yaml_as_json_and_mixed() {
    const DOCUMENT: &str = "stringData: {a: b}\n";
    for (text, count) in [
        ("", 0),
        ("# nothing\n", 0),
        ("---\n---\n# c\n---\n", 0),
        ("{}", 0),
        ("unknown: field\n", 0),
        ("stringData: {a: b}\r\n---\r\nstringData: {a: b}\r\n", 2),
        (
            "\u{feff}stringData: {a: b}\n--- # c\nstringData: {a: b}\n",
            2,
        ),
        (
            "{\"stringData\":{\"a\":\"b\"}}{\"stringData\":{\"a\":\"b\"}}\n {\"stringData\":{\"a\":\"b\"}}",
            3,
        ),
        ("{\"stringData\":{\"a\":\"\\ud83e\\udd80\"}}\n", 1),
        (
            "{\"stringData\":{\"a\":\"b\"}}\n---\nstringData: {a: b}\n",
            2,
        ),
        ("{stringData: {a: b}}\n", 1),
        ("%YAML 1.1\n---\nstringData: {a: b}\n...\n", 1),
        ("stringData: {a: b}\n...\n# c\n...\n", 1),
        ("data: {}\n", 1),
    ] {
        assert_eq!(read(text).len(), count, "{text:?}");
    }
    assert_eq!(read(&format!("{DOCUMENT}---\n{DOCUMENT}---\n")).len(), 2);
}

#[test]
fn what_can_not_be_read_is_an_error_and_never_passed_over() {
    const GOOD: &str = "stringData: {a: b}\n";
    for text in ["a: [b\n", "[a]\n", "words\n", "stringData: {a: *x}\n"] {
        let alone = failure(text);
        assert!(
            alone.starts_with(
                "no secrets found. Ensure the input is valid and UTF-8 encoded\ncaused by: "
            ),
            "{alone}"
        );
        failure(&format!("{text}---\n{GOOD}"));
        let behind = failure(&format!("{GOOD}---\n{text}"));
        assert!(!behind.contains("no secrets found"), "{behind}");
    }
    for text in [
        "{\"stringData\":{\"a\":\"b\"}} garbage",
        "{\"stringData\":{\"a\":\"b\"}}{\"stringData\":{\"a\":\"b\"}} garbage",
        "{\"stringData\":{\"a\":\"b\"}}{\"kind\"",
        "stringData: {a: b}\n--- garbage\n",
        "stringData: {a: b}\n...\nstringData: {a: b}\n",
        "stringData: {a: b}\n...\na: [b\n",
        "{stringData: {a: b}} garbage\n",
        "{stringData: {a: b}}\ngarbage: [\n",
    ] {
        failure(text);
    }
    assert!(parse(&Input::Stdin, b"\xff\xfea\0", &SECRET).is_err());
}

#[test]
fn wrong_types_are_told_in_go_s_words() {
    // Read off kubeseal v0.36.6.
    const YAML: &str = "error unmarshaling JSON: while decoding JSON: ";
    for (text, told) in [
        (
            "kind: yes\n",
            "json: cannot unmarshal bool into Go struct field Secret.TypeMeta.kind of type string",
        ),
        (
            "kind: S\nstringData: [a]\n",
            "json: cannot unmarshal array into Go struct field Secret.stringData of type map[string]string",
        ),
        (
            "kind: S\nstringData: {a: {}}\n",
            "json: cannot unmarshal object into Go struct field Secret.stringData of type string",
        ),
        (
            "kind: S\ndata: {a: 5}\n",
            "json: cannot unmarshal number into Go struct field Secret.data of type []uint8",
        ),
        (
            "kind: S\ndata: {a: '!!'}\n",
            "illegal base64 data at input byte 0",
        ),
        (
            "metadata: {name: a, labels: {a: [b]}}\n",
            "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            "metadata: {generation: 'x'}\n",
            "json: cannot unmarshal string into Go struct field ObjectMeta.metadata.generation of type int64",
        ),
        (
            "kind: S\nimmutable: 'x'\n",
            "json: cannot unmarshal string into Go struct field Secret.immutable of type bool",
        ),
        (
            "kind: S\ntype: [x]\n",
            "json: cannot unmarshal array into Go struct field Secret.type of type v1.SecretType",
        ),
        (
            "metadata: {creationTimestamp: x}\n",
            "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\"",
        ),
    ] {
        assert_eq!(failure(text), format!("{YAML}{told}"), "{text}");
    }
    let json = "{\"kind\":\"S\",\"stringData\":{\"a\":[\"x\"]}}";
    assert_eq!(
        failure(json),
        "json: cannot unmarshal array into Go struct field Secret.stringData of type string"
    );
}

#[test]
fn an_object_comes_out_in_go_s_order_without_what_is_empty() {
    let text = "status: {}\nspec:\n  encryptedData: {b: AgA=, a: 5}\n  template:\n    data: {z: null, a: ''}\n    metadata:\n      \
        creationTimestamp: null\n      labels: {}\n      managedFields: [{time: '2024-01-01T00:00:00.5+01:00', manager: y}]\n      \
        name: x\n    type: ''\nmetadata: {uid: '', name: x, generation: 0}\nkind: SealedSecret\nunknown: 1\n";
    let objects = parse(&Input::Stdin, text.as_bytes(), &SEALED_SECRET);
    let objects = objects.unwrap_or_else(|error| panic!("{error}"));
    let written = crate::kubeseal::go_json::compact(&objects[0].value);
    assert_eq!(
        *written,
        "{\"kind\":\"SealedSecret\",\"metadata\":{\"name\":\"x\"},\"spec\":{\"template\":{\"metadata\":{\"name\":\"x\",\
         \"managedFields\":[{\"manager\":\"true\",\"time\":\"2023-12-31T23:00:00Z\"}]},\"data\":{\"a\":\"\",\"z\":null}},\
         \"encryptedData\":{\"a\":\"\",\"b\":\"AgA=\"}},\"status\":{}}"
    );
}
