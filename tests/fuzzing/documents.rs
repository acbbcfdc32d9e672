//! Fuzz target: the files that `signet` reads, and the one edit that it makes in them.
//! An input is a YAML or JSON file with any number of documents.

use std::collections::BTreeMap;
use std::ops::Range;

use sealing::SecretValue;

use crate::arguments::Format;
use crate::documents::{Document, Input, parse};
use crate::node::{Content, Node};
use crate::secret::{self, Source};
use crate::{manifest, splice};

/// What takes the place of every sealed value.
const RESEALED: &str = "AgAresealed+/w==";
/// No Secret is as large, and no small file becomes larger by its aliases.
const LARGEST: usize = 16 << 20;
/// Shorter values are part of other words by chance.
const RECOGNIZABLE: usize = 8;

pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let lines = text.lines().count() + 1;
    let documents = match parse(&Input::Stdin, text) {
        Ok(documents) => documents,
        Err(error) => return no_value_is_quoted(&error, text, &[]),
    };
    for document in &documents {
        assert!((1..=lines).contains(&document.place.line));
        what_is_printed_reads_the_same(&document.root);
    }
    for object in documents.into_iter().flat_map(Document::objects) {
        if let Err(error) = Source::new(&object) {
            refusals_name_a_line_and_no_value(&error, text, &object);
        }
        only_the_sealed_values_change(text, &object);
    }
}

/// YAML and JSON of ours mean to our reader what they were made from: `yes` stays text, and 1e3 a number.
fn what_is_printed_reads_the_same(root: &Node) {
    let Ok(value) = root.to_value() else { return };
    let value = value.into_public();
    assert!(value.to_string().len() <= LARGEST, "a value without bounds");
    for format in [Format::Yaml, Format::Json] {
        let printed = manifest::write([value.clone()], format);
        let documents = parse(&Input::Stdin, &printed);
        let documents = documents.expect("what we print can be read");
        let read: Vec<_> = documents
            .iter()
            .map(|read| read.root.to_value().map(SecretValue::into_public))
            .collect();
        // A document of nothing may be none.
        let nothing = value.is_null() && read.is_empty();
        assert!(nothing || read == [Ok(value.clone())], "{printed}");
    }
}

fn refusals_name_a_line_and_no_value(error: &secret::Error, text: &str, object: &Document) {
    let values = ["data", "stringData"].into_iter().flat_map(|field| {
        let map = object.root.get(field);
        map.and_then(|map| map.entries().ok()).unwrap_or_default()
    });
    let values: Vec<String> = values.filter_map(|(_, node)| node.text()).collect();
    no_value_is_quoted(error, text, &values);
}

/// No message has a value in it that stands in the text once, and so is no name as well.
fn no_value_is_quoted(error: &dyn std::error::Error, text: &str, values: &[String]) {
    let cause = error.source().map(ToString::to_string);
    let message = format!("{error} {}", cause.unwrap_or_default());
    for value in values {
        let recognizable = value.len() >= RECOGNIZABLE && text.matches(value).count() == 1;
        assert!(!recognizable || !message.contains(value), "{message}");
    }
}

/// The file with other sealed values reads as before apart from them, and is the same in every byte around them.
fn only_the_sealed_values_change(text: &str, object: &Document) {
    let Some(sealed) = sealed_values(object) else {
        return;
    };
    let values: BTreeMap<String, String> = sealed
        .iter()
        .map(|(item, _)| (item.clone(), RESEALED.to_owned()))
        .collect();
    let Ok(edits) = splice::replace(text, object, &values) else {
        return;
    };
    let Ok(edited) = splice::apply(&Input::Stdin, text, edits) else {
        return;
    };
    let again = parse(&Input::Stdin, &edited).expect("an edited file can be read");
    let again = again.into_iter().flat_map(Document::objects);
    let same = again
        .filter(|again| again.place.document == object.place.document)
        .find(|again| again.root.span.start == object.root.span.start)
        .expect("the object is where it was");
    let resealed = sealed_values(&same).expect("the object has its sealed values");
    for (item, node) in &resealed {
        let value = node.text().unwrap_or_default();
        let joined: String = value.split_ascii_whitespace().collect();
        assert_eq!(joined, RESEALED, "{item}");
    }
    assert_eq!(without(text, &sealed), without(&edited, &resealed));
}

fn sealed_values(object: &Document) -> Option<Vec<(String, &Node)>> {
    object
        .root
        .get("spec")?
        .get("encryptedData")?
        .entries()
        .ok()
}

/// The text between the values, without the white space that ends a block.
fn without<'text>(text: &'text str, values: &[(String, &Node)]) -> Vec<&'text str> {
    let mut ranges: Vec<Range<usize>> =
        values.iter().map(|(_, node)| written(text, node)).collect();
    ranges.sort_by_key(|range| range.start);
    let mut rest = Vec::new();
    let mut end = 0;
    for range in ranges {
        rest.push(&text[end..range.start]);
        end = range.end;
    }
    rest.push(&text[end..]);
    rest
}

fn written(text: &str, node: &Node) -> Range<usize> {
    let range = node.span.clone();
    match &node.content {
        Content::Scalar { .. } => range.start..range.start + text[range].trim_end().len(),
        _ => range,
    }
}

#[cfg(test)]
#[test]
fn the_corpus_keeps_the_properties() {
    crate::fuzz_replay::replay("documents", target);
}
