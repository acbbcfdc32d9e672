//! Objects as the YAML or JSON that kubectl reads, fields in the order people expect.
//! Must not change what an object says.

use crds::SealedSecret;
use crds::names::sealed_secret::{API_VERSION, KIND};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::arguments::Format;

/// A SealedSecret in upstream's field order: kind, apiVersion, metadata, spec with template before encryptedData.
pub(crate) fn sealed_secret(sealed: &SealedSecret) -> Value {
    let mut metadata = Map::new();
    put(&mut metadata, "name", sealed.metadata.name.clone());
    put(
        &mut metadata,
        "namespace",
        sealed.metadata.namespace.clone(),
    );
    put(
        &mut metadata,
        "annotations",
        sealed
            .metadata
            .annotations
            .clone()
            .map(|all| all.into_iter().collect::<Value>()),
    );

    let mut spec = Map::new();
    if let Some(template) = &sealed.spec.template {
        let mut fields = Map::new();
        put(&mut fields, "metadata", template.metadata.clone());
        put(&mut fields, "type", template.type_.clone());
        put(&mut fields, "immutable", template.immutable);
        spec.insert("template".to_owned(), Value::Object(fields));
    }
    let items: Map<String, Value> = sealed
        .spec
        .encrypted_data
        .iter()
        .map(|(key, value)| (key.clone(), value.as_str().into()))
        .collect();
    spec.insert("encryptedData".to_owned(), items.into());

    let mut object = Map::new();
    put(&mut object, "kind", Some(KIND));
    put(&mut object, "apiVersion", Some(API_VERSION));
    put(&mut object, "metadata", Some(metadata));
    put(&mut object, "spec", Some(spec));
    Value::Object(object)
}

/// A field, when there is something to say.
pub(crate) fn put(map: &mut Map<String, Value>, field: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(field.to_owned(), value.into());
    }
}

/// Objects one after the other: YAML documents that begin with `---`, or JSON values with a line break between.
pub(crate) fn write(objects: impl IntoIterator<Item = Value>, format: Format) -> String {
    let mut text = String::new();
    for object in objects {
        match format {
            Format::Yaml => {
                text.push_str("---\n");
                text.push_str(&yaml(&object));
            }
            Format::Json => {
                text.push_str(&json(&object));
                text.push('\n');
            }
        }
    }
    text
}

/// JSON that is YAML as well: YAML has no characters such as U+0080, so they are escaped.
pub(crate) fn json(value: &Value) -> String {
    let text = Zeroizing::new(
        serde_json::to_string_pretty(value)
            .expect("invariant: a JSON value can be written as JSON"),
    );
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                written.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => written.push(character),
        }
    }
    written
}

/// Strings stay on one line: folding would break base64, and YAML 1.1 words such as `yes` are quoted.
pub(crate) fn yaml(value: &Value) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options)
        .expect("invariant: a JSON value can be written as YAML")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::{Input, parse};

    #[test]
    fn what_is_written_as_json_is_yaml_too() {
        let odd = serde_json::json!({ "a": "\u{7f}\u{80}\u{85}\u{9f}\u{a0}é\u{feff}\u{ffff}" });
        let read = parse(&Input::Stdin, &json(&odd)).unwrap();
        assert_eq!(read[0].root.to_value().unwrap().into_public(), odd);
    }

    #[test]
    fn what_is_written_as_yaml_reads_back_as_it_was() {
        let long = "AgA".repeat(500);
        let words = [
            "yes",
            "on",
            "y",
            "1:30",
            "2024-01-01",
            "1_000",
            "0x1F",
            "",
            " a ",
            "a: b",
            "- x",
            "#",
            "null",
            "~",
        ];
        let mut texts: Vec<&str> = words.to_vec();
        texts.extend([
            "two\nlines\n",
            "tab\there",
            "\u{feff}mark",
            "ünïcode 🦀",
            "'\"\\",
            "back\rslash",
            "%",
            "@a",
            "`",
            long.as_str(),
        ]);
        let value = Value::Object(
            texts
                .iter()
                .map(|text| ((*text).to_owned(), Value::from(*text)))
                .collect(),
        );
        let written = write([value.clone(), value.clone()], Format::Yaml);
        let documents =
            parse(&Input::Stdin, &written).unwrap_or_else(|error| panic!("{error}\n{written}"));
        assert_eq!(documents.len(), 2);
        for document in documents {
            let read = document
                .root
                .to_value()
                .unwrap_or_else(|problem| panic!("{}", problem.fault))
                .into_public();
            assert_eq!(read, value, "{written}");
        }
    }
}
