//! Objects of a diff as people read them: a line that says what would become of each, and its fields as a unified diff.
//! Must not leave out anything that the controller says.

use serde_json::{Map, Value};
use similar::TextDiff;

use crate::application::text;
use crate::manifest;

/// What would become of an object, as the controller spells it, as people read it, and as it is counted.
const CHANGES: [(&str, &str, &str); 4] = [
    ("create", "create", "to create"),
    ("update", "update", "to update"),
    ("delete", "delete", "to delete"),
    ("run", "run hook", "to run as a hook"),
];

/// All objects, with an empty line between.
pub(super) fn written(objects: &Value) -> String {
    let objects = objects.as_array().into_iter().flatten();
    objects.map(object).collect::<Vec<_>>().join("\n")
}

/// So many are to be created, and so on.
pub(super) fn counts(objects: &Value) -> String {
    let count = |change: &str| {
        let objects = objects.as_array().into_iter().flatten();
        objects
            .filter(|object| text(object, "change") == change)
            .count()
    };
    let counts = CHANGES
        .map(|(change, _, counted)| (count(change), counted))
        .into_iter()
        .filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, counted)| format!("{count} {counted}"))
        .collect();
    counts.join(", ")
}

/// How many objects have a problem.
pub(super) fn problems(objects: &Value) -> usize {
    let objects = objects.as_array().into_iter().flatten();
    objects
        .filter(|object| object["problem"].is_string())
        .count()
}

fn object(object: &Value) -> String {
    let mut written = heading(object);
    for (label, field) in [("", "note"), ("problem: ", "problem")] {
        if let Some(said) = object[field].as_str() {
            written += &format!("  {label}{said}\n");
        }
    }
    for (item, becomes) in object["items"].as_object().into_iter().flatten() {
        let becomes = becomes.as_str().unwrap_or_default();
        written += &format!("  {item}: {becomes}\n");
    }
    written + &fields(object)
}

fn heading(object: &Value) -> String {
    let change = text(object, "change");
    let verb = CHANGES.iter().find(|(name, ..)| *name == change);
    let verb = verb.map_or("keep", |(_, verb, _)| verb);
    let [group, kind, name] = ["group", "kind", "name"].map(|field| text(object, field));
    let kind = match group {
        "" => kind.to_owned(),
        group => format!("{group}/{kind}"),
    };
    let name = match object["namespace"].as_str() {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    };
    let beside = [text(object, "place"), text(object, "origin")];
    let beside: Vec<&str> = beside.into_iter().filter(|text| !text.is_empty()).collect();
    match beside.is_empty() {
        true => format!("{verb} {kind} {name}\n"),
        false => format!("{verb} {kind} {name} ({})\n", beside.join("; ")),
    }
}

/// What differs, with three lines around it.
fn fields(object: &Value) -> String {
    let yaml = |field: &str| match &object[field] {
        Value::Object(side) => manifest::yaml(&in_order(side)),
        _ => String::new(),
    };
    let (live, becomes) = (yaml("live"), yaml("becomes"));
    let diff = TextDiff::from_lines(&live, &becomes);
    diff.unified_diff().to_string()
}

/// An object as people write it: what it is comes first.
fn in_order(object: &Map<String, Value>) -> Value {
    const FIRST: [&str; 3] = ["apiVersion", "kind", "metadata"];
    let first = FIRST
        .iter()
        .filter_map(|field| object.get_key_value(*field));
    let rest = object
        .iter()
        .filter(|(field, _)| !FIRST.contains(&field.as_str()));
    first
        .chain(rest)
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_changes_is_shown_with_what_is_around_it_and_items_by_name() {
        let objects = json!([
            {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop", "name": "web", "change": "update",
                "place": "wave 2", "origin": "web.yaml: document 1, line 3",
                "live": {"spec": {"paused": false, "replicas": 1}}, "becomes": {"spec": {"paused": false, "replicas": 2}}},
            {"group": "", "version": "v1", "kind": "Secret", "namespace": "shop", "name": "db", "change": "update",
                "items": {"password": "changed", "user": "removed"}},
            {"group": "", "version": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "old", "change": "delete"},
            {"group": "", "version": "v1", "kind": "Namespace", "name": "shop", "change": "none", "problem": "it is refused"},
        ]);
        let expected = "\
update apps/Deployment shop/web (wave 2; web.yaml: document 1, line 3)
@@ -1,3 +1,3 @@
 spec:
   paused: false
-  replicas: 1
+  replicas: 2

update Secret shop/db
  password: changed
  user: removed

delete ConfigMap shop/old

keep Namespace shop
  problem: it is refused
";
        assert_eq!(written(&objects), expected);
        assert_eq!(counts(&objects), "2 to update, 1 to delete");
        assert_eq!(problems(&objects), 1);
    }

    #[test]
    fn of_a_new_object_everything_is_shown() {
        let object = json!({"group": "", "kind": "ConfigMap", "namespace": "shop", "name": "new", "change": "create",
            "becomes": {"data": {"size": "1"}}});
        let expected = "create ConfigMap shop/new\n@@ -0,0 +1,2 @@\n+data:\n+  size: \"1\"\n";
        assert_eq!(written(&json!([object])), expected);
    }
}
