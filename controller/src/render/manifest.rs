//! What makes a document a Kubernetes object, and Lists taken apart. It knows no kind but List.

use serde_json::{Map, Value};

/// The objects of one document: itself, or the items of a List.
///
/// # Errors
/// The first thing that is missing or of the wrong type, in words for the author of the file.
pub(super) fn objects(document: Value) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    collect(document, "", &mut found)?;
    Ok(found)
}

fn collect(value: Value, at: &str, found: &mut Vec<Value>) -> Result<(), String> {
    let Value::Object(mut fields) = value else {
        return Err(format!(
            "{}is {}, expected an object",
            place(at),
            type_of(&value)
        ));
    };
    let api_version = text(&fields, "apiVersion", at)?;
    let kind = text(&fields, "kind", at)?;
    if !is_list(&kind, &fields) {
        check_metadata(&fields, at)?;
        found.push(Value::Object(fields));
        return Ok(());
    }
    let items = match fields.remove("items") {
        Some(Value::Array(items)) => items,
        None | Some(Value::Null) => Vec::new(),
        Some(other) => return Err(format!("{at}items is {}, expected a list", type_of(&other))),
    };
    for (index, mut item) in items.into_iter().enumerate() {
        name_kind(&mut item, &api_version, &kind);
        collect(item, &format!("{at}items[{index}]."), found)?;
    }
    Ok(())
}

/// `kind: List` of any version, and kinds such as `ConfigMapList` that have items.
fn is_list(kind: &str, fields: &Map<String, Value>) -> bool {
    kind == "List" || (kind.ends_with("List") && fields.get("items").is_some_and(Value::is_array))
}

/// Items of a list of one kind may leave their kind to the list.
fn name_kind(item: &mut Value, api_version: &str, list: &str) {
    let Some(kind) = list.strip_suffix("List").filter(|kind| !kind.is_empty()) else {
        return;
    };
    let Value::Object(fields) = item else { return };
    if !fields.contains_key("kind") && !fields.contains_key("apiVersion") {
        fields.insert("apiVersion".to_owned(), api_version.into());
        fields.insert("kind".to_owned(), kind.into());
    }
}

fn check_metadata(fields: &Map<String, Value>, at: &str) -> Result<(), String> {
    let metadata = match fields.get("metadata") {
        Some(Value::Object(metadata)) => metadata,
        None | Some(Value::Null) => return Err(format!("{at}metadata.name is missing")),
        Some(other) => {
            return Err(format!(
                "{at}metadata is {}, expected an object",
                type_of(other)
            ));
        }
    };
    let inside = format!("{at}metadata.");
    // A hook may leave its name to us; who else does, is told where hooks are known.
    let name = match metadata.contains_key("name") || !metadata.contains_key("generateName") {
        true => "name",
        false => "generateName",
    };
    text(metadata, name, &inside)?;
    if !matches!(
        metadata.get("namespace"),
        None | Some(Value::Null | Value::String(_))
    ) {
        text(metadata, "namespace", &inside)?;
    }
    for map in ["labels", "annotations"] {
        check_texts(metadata, map, &inside)?;
    }
    Ok(())
}

/// Kubernetes takes only text in labels and annotations; an unquoted `true` or `1` is the usual mistake.
fn check_texts(metadata: &Map<String, Value>, field: &str, at: &str) -> Result<(), String> {
    let texts = match metadata.get(field) {
        Some(Value::Object(texts)) => texts,
        None | Some(Value::Null) => return Ok(()),
        Some(other) => {
            return Err(format!(
                "{at}{field} is {}, expected an object",
                type_of(other)
            ));
        }
    };
    match texts
        .iter()
        .find(|(_, value)| !value.is_string() && !value.is_null())
    {
        Some((key, value)) => Err(format!(
            "{at}{field}[{key:?}] is {}, expected text: put it in quotes",
            type_of(value)
        )),
        None => Ok(()),
    }
}

fn text(fields: &Map<String, Value>, field: &str, at: &str) -> Result<String, String> {
    match fields.get(field) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.clone()),
        None | Some(Value::Null) => Err(format!("{at}{field} is missing")),
        Some(Value::String(_)) => Err(format!("{at}{field} is empty")),
        Some(other) => Err(format!(
            "{at}{field} is {}, expected text: put it in quotes",
            type_of(other)
        )),
    }
}

fn place(at: &str) -> String {
    if at.is_empty() {
        "the document ".to_owned()
    } else {
        format!("{} ", at.trim_end_matches('.'))
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
