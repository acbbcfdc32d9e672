//! Fuzz target: a template over items that no error may quote.
//! An input is the template's text; each line `====` begins the value of a further item.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;

use crate::TemplateError;
use crate::base64;
use crate::fuzz_envelope::dice::Dice;
use crate::secret_bytes::SecretBytes;
use crate::surroundings::Surroundings;
use crate::template::{Dot, MAX_OUTPUT, Rendered, Template};

/// Begins a further item.
const NEXT_ITEM: &str = "\n====\n";
/// Stands in every item, and in no message.
const CANARY: &str = "canary7f3a";
/// The same for items that are numbers.
const CANARY_NUMBER: &str = "90817264531";

/// Values that functions read in their own ways, and like to quote when they can't.
const ITEMS: [(&str, &str); 12] = [
    ("password", CANARY),
    ("number", CANARY_NUMBER),
    (
        "json",
        r#"{"user":"canary7f3a","list":[1,"canary7f3a",null,{"a":2.5}]}"#,
    ),
    ("brokenJson", r#"{"user":canary7f3a}"#),
    ("lines", "canary7f3a\nb\n\nc\n"),
    ("base64", "Y2FuYXJ5N2YzYQ=="),
    ("pattern", "canary7f3a(["),
    ("version", "1.2.3-canary7f3a"),
    (
        "url",
        "https://user:canary7f3a@host:8080/path?query=1#fragment",
    ),
    ("date", "canary7f3a-11-24"),
    ("duration", "90817264531xs"),
    (
        "pem",
        "-----BEGIN PRIVATE KEY-----\ncanary7f3a\n-----END PRIVATE KEY-----\n",
    ),
];

pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (source, values) = text.split_once(NEXT_ITEM).unwrap_or((text, ""));
    let template = match Template::parse("main", source) {
        Ok(template) => template,
        Err(error) => return quotes_no_item(source, &error),
    };
    let texts = [("main".to_owned(), source.to_owned())];
    let dot = Dot::new(&items(values), texts.iter().map(|(key, text)| (key, text)));
    let rendered = at_random(&template, &dot, 1);
    match &rendered {
        Ok(output) => is_bounded_and_literal_without_actions(source, output.text.expose()),
        Err(error) => quotes_no_item(source, error),
    }
    if rendered.as_ref().is_ok_and(|rendered| !rendered.varies) {
        let again = at_random(&template, &dot, 2);
        assert_eq!(again, rendered, "varies, and does not say so");
    }
}

fn items(values: &str) -> BTreeMap<String, SecretBytes> {
    let known = ITEMS.map(|(item, value)| (item.to_owned(), value.as_bytes().to_vec()));
    let binary = ("binary".to_owned(), vec![0xff, 0, 0xfe, b'a', 0x80]);
    let further = values.split(NEXT_ITEM).enumerate();
    let further = further.map(|(index, value)| (format!("item{index}"), value.as_bytes().to_vec()));
    known
        .into_iter()
        .chain([binary])
        .chain(further)
        .map(|(item, value)| (item, SecretBytes::from(value)))
        .collect()
}

/// Renders at a moment and with dice that both come from `chance`.
fn at_random(template: &Template<'_>, dot: &Dot, chance: u64) -> Result<Rendered, TemplateError> {
    let mut dice = Dice(chance);
    let moment = Timestamp::from_second(i64::try_from(chance).unwrap_or(0) * 1_000_000_000);
    let surroundings =
        Surroundings::new(moment.expect("a moment in the next centuries"), &mut dice);
    template.render(dot, &surroundings)
}

fn is_bounded_and_literal_without_actions(source: &str, output: &[u8]) {
    assert!(output.len() <= MAX_OUTPUT, "{} bytes", output.len());
    if !source.contains("{{") {
        assert_eq!(output, source.as_bytes());
    }
}

/// Neither as it is nor in other letters, in base64 or in hex; what the template itself says may be told.
fn quotes_no_item(source: &str, error: &TemplateError) {
    let message = bare(&error.to_string());
    let source = bare(source);
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    for form in [
        CANARY,
        CANARY_NUMBER,
        &hex,
        &base64::encode(CANARY.as_bytes()),
    ] {
        let form = bare(form);
        let quoted = message.contains(&form) && !source.contains(&form);
        assert!(!quoted, "{error}");
    }
}

/// Letters and digits alone, small: what escaping, quoting and spelling leave of a text.
fn bare(text: &str) -> String {
    let kept = text.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
#[test]
fn the_corpus_keeps_the_properties() {
    crate::fuzz_replay::replay("templates", target);
}
