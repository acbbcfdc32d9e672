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
        let (path, found) = locate::<T>(&without_nulls);
        error(render(&path), without_value(&cause.to_string(), found))
    })
}

/// What can be read of an object, and whether that is all of it: a field that can't be counts as absent.
#[must_use]
pub fn decode_fields<T: DeserializeOwned + Default>(object: &Value) -> (T, bool) {
    let without_nulls = || T::deserialize(&drop_nulls(object));
    if let Ok(decoded) = T::deserialize(object).or_else(|_| without_nulls()) {
        return (decoded, true);
    }
    let fields = object.as_object().into_iter().flatten();
    let fields = fields.map(|(name, value)| (name.clone(), drop_nulls(value)));
    let is_readable = |(name, value): &(String, Value)| {
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        T::deserialize(Value::Object(alone)).is_ok()
    };
    let readable = Value::Object(fields.filter(is_readable).collect());
    (T::deserialize(readable).unwrap_or_default(), false)
}

/// Decodes a part of an object, all of whose fields are optional.
///
/// # Errors
/// The place in it, what was found there by its type, and what was expected.
pub fn decode_part<T: DeserializeOwned>(part: &Value) -> Result<T, String> {
    T::deserialize(part).map_err(|cause| {
        let (path, found) = locate::<T>(part);
        let problem = without_value(&cause.to_string(), found);
        format!("{}: {problem}", render(&path))
    })
}

/// Of what was found its type alone is told: it may be a password in a wrong place.
fn without_value(message: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    // The last one: a text that was found may hold the same words.
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("found {found}, expected {expected}"),
        None => format!("found {found} that does not fit"),
    }
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
fn locate<T: DeserializeOwned>(object: &Value) -> (Vec<Step>, &Value) {
    let mut path = Vec::new();
    let mut value = object;
    while T::deserialize(wrap(&path, &emptied(value))).is_ok() {
        let faulty = children(value).into_iter().find(|(step, child)| {
            let mut candidate = path.clone();
            candidate.push(step.clone());
            T::deserialize(wrap(&candidate, child)).is_err()
        });
        let Some((step, child)) = faulty else {
            break;
        };
        path.push(step);
        value = child;
    }
    (path, value)
}

/// A value of the same shape without anything in it: when it fails too, the shape is at fault.
fn emptied(value: &Value) -> Value {
    match value {
        Value::Object(_) => Value::Object(Map::new()),
        Value::Array(_) => Value::Array(Vec::new()),
        other => other.clone(),
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{decode, decode_fields};
    use crate::{AppProject, Application, ApplicationStatus};

    fn application(spec: &Value) -> Value {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": { "namespace": "signet", "name": "shop" }, "spec": spec,
        })
    }

    #[test]
    fn of_an_object_with_odd_fields_the_others_are_read() {
        let read = |object: &Value| {
            let (status, is_whole) = decode_fields::<ApplicationStatus>(object);
            (json!(status), is_whole)
        };
        let inventory = json!([{"kind": "Pod", "name": "a"}]);
        let whole = json!({"resources": inventory});
        assert_eq!(read(&whole), (whole.clone(), true));
        let nulls = json!({"resources": inventory, "history": null, "sync": null});
        assert_eq!(read(&nulls), (whole.clone(), true));
        let odd = json!({"resources": inventory, "history": [{"id": "a"}], "sync": null});
        assert_eq!(read(&odd), (whole, false));
        assert_eq!(read(&json!(5)), (json!({}), false));
    }

    #[test]
    fn an_error_names_the_object_and_the_innermost_path() {
        for (spec, path) in [
            (json!({ "source": { "repoURL": 5 } }), "spec.source.repoURL"),
            (
                json!({ "project": "default", "sources": [{ "repoURL": "a" }, { "path": ["b"] }] }),
                "spec.sources[1].path",
            ),
            (
                json!({ "syncPolicy": { "automated": { "prune": "yes" } } }),
                "spec.syncPolicy.automated.prune",
            ),
            (
                json!({ "syncPolicy": { "syncOptions": ["a", 5] } }),
                "spec.syncPolicy.syncOptions[1]",
            ),
            (json!({ "source": "here" }), "spec.source"),
            (json!(5), "spec"),
        ] {
            let error = decode::<Application>(&application(&spec)).expect_err("an odd object");
            assert_eq!(error.object, "Application signet/shop");
            assert_eq!(error.path, path);
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("Application signet/shop: {path}: found a")),
                "{error}"
            );
        }
    }

    #[test]
    fn what_was_found_is_told_by_its_type() {
        for (field, found, told) in [
            (
                "valuesObject",
                json!("hunter2, expected b"),
                "found a string, expected a map",
            ),
            (
                "parameters",
                json!("hunter2"),
                "found a string, expected a sequence",
            ),
            (
                "values",
                json!({ "hunter2": 1 }),
                "found an object, expected a string",
            ),
            (
                "values",
                json!(["hunter2"]),
                "found a list, expected a string",
            ),
            ("skipCrds", json!(1), "found a number, expected a boolean"),
            ("version", json!(true), "found a boolean, expected a string"),
        ] {
            let spec = json!({ "sources": [{ "helm": { field: found } }] });
            let error = decode::<Application>(&application(&spec)).expect_err("an odd object");
            assert_eq!(
                (error.path, error.message.as_str()),
                (format!("spec.sources[0].helm.{field}"), told)
            );
        }
    }

    #[test]
    fn an_object_of_another_kind_is_refused_by_name() {
        let mut object = application(&json!({}));
        object["kind"] = json!("ApplicationSet");
        let error = decode::<Application>(&object).expect_err("another kind");
        assert_eq!(
            error.to_string(),
            r#"Application signet/shop: kind: found "ApplicationSet", expected "Application""#
        );
    }

    #[test]
    fn an_item_of_a_list_carries_no_type_and_is_decoded_all_the_same() {
        let object = json!({ "metadata": { "name": "default" }, "spec": { "sourceRepos": ["*"] } });
        assert_eq!(
            decode::<AppProject>(&object)
                .expect("a project")
                .spec
                .source_repos,
            ["*"]
        );
    }

    #[test]
    fn null_counts_as_absent() {
        let spec = json!({ "project": null, "sources": null, "destination": null, "syncPolicy": { "automated": null } });
        let decoded: Application = decode(&application(&spec)).expect("an Application");
        assert_eq!(decoded.spec.sources, []);
        assert_eq!(decoded.spec.sync_policy.expect("a policy").automated, None);
    }

    #[test]
    fn nothing_of_a_users_is_dropped() {
        let spec = json!({
            "project": "default",
            "source": { "repoURL": "https://a", "newer": { "x": [1, null] }, "helm": { "valuesObject": { "a": null } } },
            "destination": { "server": "https://kubernetes.default.svc", "also": true },
            "syncPolicy": { "automated": {}, "retry": { "limit": 0, "backoff": { "factor": 3, "newer": "y" } } },
            "newer": 5,
        });
        let decoded: Application = decode(&application(&spec)).expect("an Application");
        assert_eq!(serde_json::to_value(&decoded.spec).expect("JSON"), spec);
        assert_eq!(decoded.spec.extra["newer"], 5);
    }

    #[test]
    fn an_object_without_anything_is_decoded() {
        assert_eq!(
            decode::<Application>(&json!({})).expect("an Application"),
            Application::default()
        );
    }
}
