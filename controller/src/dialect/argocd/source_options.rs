//! The options of a source's tool, as an Application and files beside the source write them.
//! It must not decide which tool renders a source that names none.

use crds::{Application, ApplicationSource, decode};
use serde_json::{Map, Value, json};

use super::{application::SPEC, helm_source, kustomize_source};
use crate::dialect::refusal::Refusal;
use crate::dialect::verdict::walk;
use crate::render::{DirectoryOptions, SourceOptions, Tool};

/// The fields that name a tool. Others of a source are not for files beside it to change.
const TOOLS: [&str; 3] = ["directory", "kustomize", "helm"];

/// What a source says of its tool; `field` is where the source stands. Options that are all at their defaults name no tool, as for Argo CD.
pub(super) fn options(field: &str, source: &ApplicationSource) -> Result<SourceOptions, Refusal> {
    let mut written = Map::new();
    if let Ok(Value::Object(mut fields)) = serde_json::to_value(source) {
        for tool in TOOLS {
            let options = fields.remove(tool);
            let options = options.filter(|options| *options != Value::Object(Map::new()));
            written.extend(options.map(|options| (tool.to_owned(), options)));
        }
    }
    if written.len() > 1 {
        let names: Vec<_> = written.keys().map(String::as_str).collect();
        return Err(Refusal::invalid(
            field,
            format!(
                "found {}, expected options of one tool",
                names.join(" and ")
            ),
        ));
    }
    let tool = if written.contains_key("helm") {
        let field = format!("{field}.helm");
        let options = source.helm.as_ref();
        let options = options.map(|helm| helm_source::options(&field, helm));
        Tool::Helm(Box::new(options.transpose()?.unwrap_or_default()))
    } else if written.contains_key("kustomize") {
        let field = format!("{field}.kustomize");
        let options = source.kustomize.as_ref();
        let options = options.map(|kustomize| kustomize_source::options(&field, kustomize));
        Tool::Kustomize(Box::new(options.transpose()?.unwrap_or_default()))
    } else if written.contains_key("directory") {
        let directory = source.directory.clone().unwrap_or_default();
        Tool::Directory(DirectoryOptions {
            recurse: directory.recurse,
            include: directory.include,
            exclude: directory.exclude,
        })
    } else {
        Tool::Detect
    };
    Ok(SourceOptions {
        tool,
        written,
        ..SourceOptions::default()
    })
}

/// The options with the changes that a file beside the source makes, as a JSON merge patch of the source's fields.
pub(crate) fn changed(
    options: &SourceOptions,
    changes: Value,
) -> Result<SourceOptions, Vec<Refusal>> {
    let changes = match changes {
        Value::Null => Map::new(),
        Value::Object(changes) => changes,
        _ => {
            let message = "is no object, expected fields of spec.source";
            return Err(vec![Refusal::invalid("spec.source", message)]);
        }
    };
    let mut refusals = Vec::new();
    for (field, value) in &changes {
        let path = format!("spec.source.{field}");
        match TOOLS.contains(&field.as_str()) {
            true => walk(SPEC, &path, &without_nulls(value), &mut refusals),
            false => refusals.push(Refusal::invalid(
                path,
                "a file beside the source can't change it",
            )),
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let mut written = Value::Object(options.written.clone());
    merge(&mut written, Value::Object(changes));
    let source = decode::<Application>(&json!({ "spec": { "source": written } }))
        .map_err(|error| vec![Refusal::invalid(error.path, error.message)])?
        .spec
        .source
        .unwrap_or_default();
    let changed = self::options("spec.source", &source).map_err(|refusal| vec![refusal])?;
    Ok(SourceOptions {
        empty_lookup: options.empty_lookup,
        ..changed
    })
}

/// RFC 7386: what is null goes, objects are merged, all else is replaced.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else {
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            fields.shift_remove(&key);
        } else {
            merge(fields.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// A field that is taken away needs to be known, whatever the field may hold.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let fields = fields.map(|(key, value)| (key.clone(), without_nulls(value)));
            Value::Object(fields.collect())
        }
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options_of(source: Value) -> SourceOptions {
        let source = serde_json::from_value(source).unwrap();
        options("spec.source", &source).unwrap()
    }

    #[test]
    fn options_at_their_defaults_name_no_tool() {
        for source in [
            json!({}),
            json!({"helm": {}}),
            json!({"kustomize": {"namePrefix": ""}}),
            json!({"directory": {"recurse": false}}),
        ] {
            assert_eq!(options_of(source.clone()).tool, Tool::Detect, "{source}");
        }
    }

    #[test]
    fn options_of_two_tools_are_refused() {
        let source = json!({"helm": {"skipCrds": true}, "kustomize": {"namePrefix": "a-"}});
        let source = serde_json::from_value(source).unwrap();
        let refusal = options("spec.source", &source).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "spec.source: found kustomize and helm, expected options of one tool"
        );
    }

    #[test]
    fn a_file_changes_single_options() {
        let before = options_of(json!({"helm": {
            "releaseName": "web", "values": "a: 1", "parameters": [{"name": "tag", "value": "1"}]
        }}));
        let changes =
            json!({"helm": {"values": null, "parameters": [{"name": "tag", "value": "2"}]}});
        let after = changed(&before, changes).unwrap();
        let Tool::Helm(options) = after.tool else {
            unreachable!("{after:?}")
        };
        assert_eq!((&*options.release_name, &*options.values), ("web", ""));
        assert_eq!(options.parameters[0].value, "2");
    }

    #[test]
    fn a_file_may_name_the_tool_and_must_not_change_more() {
        let after = changed(
            &SourceOptions::default(),
            json!({"kustomize": {"images": ["web:2"]}}),
        );
        assert!(matches!(after.unwrap().tool, Tool::Kustomize(_)));
        for (changes, refused) in [
            (
                json!({"repoURL": "https://a", "helm": {"newer": 1}}),
                "spec.source.repoURL: a file beside the source can't change it, unknown: spec.source.helm.newer",
            ),
            (
                json!({"directory": {"jsonnet": {"libs": ["a"]}}}),
                "not supported yet: spec.source.directory.jsonnet",
            ),
            (
                json!({"helm": {"valuesObject": "hunter2"}}),
                "spec.source.helm.valuesObject: found a string, expected a map",
            ),
            (
                json!([]),
                "spec.source: is no object, expected fields of spec.source",
            ),
        ] {
            let refusals = changed(&SourceOptions::default(), changes).unwrap_err();
            let texts: Vec<_> = refusals.iter().map(ToString::to_string).collect();
            assert_eq!(texts.join(", "), refused);
        }
    }
}
