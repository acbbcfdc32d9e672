//! Decoding one object at a time, with an error that names the object and the path.
//! It must not judge what it decodes: whether a value is supported is decided elsewhere.

use std::fmt;

use k8s_openapi::Resource;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// One object does not have the shape of its kind. The others are not affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// `Kind namespace/name`, as far as they are known.
    pub object: String,
    /// Path of the field, like `spec.source.path` or `spec.sources[1]`; empty when it is the object itself.
    pub path: String,
    /// What was found and what was expected.
    pub message: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            object,
            path,
            message,
        } = self;
        match path.as_str() {
            "" => write!(f, "{object}: {message}"),
            _ => write!(f, "{object}: {path}: {message}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Decodes one object as `T`. A `null` where a typed field stands counts as absent, as it does for Go.
///
/// Lists and watches are made on untyped objects and each item is decoded alone by this function,
/// so that one odd object never hides the others.
///
/// # Errors
/// [`DecodeError`] when the object is of another kind or a field has the wrong type.
pub fn decode<T: Resource + DeserializeOwned>(object: &Value) -> Result<T, DecodeError> {
    let error = |path: String, message: String| DecodeError {
        object: describe::<T>(object),
        path,
        message,
    };
    check_type::<T>(object).map_err(|(path, message)| error(path, message))?;
    if let Ok(decoded) = T::deserialize(object) {
        return Ok(decoded);
    }
    let without_nulls = drop_nulls(object);
    T::deserialize(&without_nulls).map_err(|cause| {
        let path = locate::<T>(&without_nulls);
        error(render(&path), cause.to_string())
    })
}

fn check_type<T: Resource>(object: &Value) -> Result<(), (String, String)> {
    for (field, expected) in [("apiVersion", T::API_VERSION), ("kind", T::KIND)] {
        match object.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::String(found)) if found == expected => {}
            Some(found) => {
                return Err((
                    field.into(),
                    format!("found {found}, expected \"{expected}\""),
                ));
            }
        }
    }
    Ok(())
}

fn describe<T: Resource>(object: &Value) -> String {
    let metadata = |field| {
        object
            .pointer(&format!("/metadata/{field}"))
            .and_then(Value::as_str)
    };
    match (metadata("namespace"), metadata("name")) {
        (Some(namespace), Some(name)) => format!("{} {namespace}/{name}", T::KIND),
        (None, Some(name)) => format!("{} {name}", T::KIND),
        _ => format!("{} without a name", T::KIND),
    }
}

fn drop_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                kept.map(|(key, value)| (key.clone(), drop_nulls(value)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(drop_nulls).collect()),
        other => other.clone(),
    }
}

#[derive(Clone)]
enum Step {
    Key(String),
    Index(usize),
}

/// Finds the innermost value that alone keeps the object from decoding. All fields of our types are
/// optional, so an object that holds nothing but that value shows the fault, and any other does not.
fn locate<T: DeserializeOwned>(object: &Value) -> Vec<Step> {
    let mut path = Vec::new();
    let mut value = object;
    loop {
        let faulty = children(value).into_iter().find(|(step, child)| {
            let mut candidate = path.clone();
            candidate.push(step.clone());
            T::deserialize(wrap(&candidate, child)).is_err()
        });
        let Some((step, child)) = faulty else {
            return path;
        };
        path.push(step);
        value = child;
    }
}

fn children(value: &Value) -> Vec<(Step, &Value)> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, child)| (Step::Key(key.clone()), child))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, child)| (Step::Index(i), child))
            .collect(),
        _ => Vec::new(),
    }
}

/// The smallest object that holds `value` at `path`.
fn wrap(path: &[Step], value: &Value) -> Value {
    path.iter()
        .rev()
        .fold(value.clone(), |inner, step| match step {
            Step::Key(key) => Value::Object(Map::from_iter([(key.clone(), inner)])),
            Step::Index(_) => Value::Array(vec![inner]),
        })
}

fn render(path: &[Step]) -> String {
    path.iter().fold(String::new(), |text, step| match step {
        Step::Key(key) if text.is_empty() => key.clone(),
        Step::Key(key) => format!("{text}.{key}"),
        Step::Index(index) => format!("{text}[{index}]"),
    })
}
