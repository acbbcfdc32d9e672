//! Is everything that is wanted there? A pure comparison of a wanted object with a live one.
//! A difference found here is only a reason to ask the API server by a dry-run: defaults and other
//! spellings of one quantity are its business. What is returned names fields and never holds a value.

pub(in crate::sync) mod asked;
pub(in crate::sync) mod close;
pub mod digest;
pub mod ownership;
mod unwanted;

use serde_json::Value;

/// Names of the fields of `wanted` that `live` lacks or has otherwise: `spec.template.spec.containers[0].image`.
/// Fields of `live` that `wanted` does not mention don't matter. Lists have to agree in length and order.
pub fn differences(wanted: &Value, live: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(wanted, Some(live), &mut String::new(), &mut found);
    found
}

fn compare(wanted: &Value, live: Option<&Value>, path: &mut String, found: &mut Vec<String>) {
    match (wanted, live) {
        // An empty map or list may mean something (`emptyDir: {}`); `null` asks for nothing.
        (Value::Null, None) => {}
        (Value::Object(wanted), Some(Value::Object(live))) => {
            for (field, value) in wanted {
                let length = path.len();
                push_field(path, field);
                compare(value, live.get(field), path, found);
                path.truncate(length);
            }
        }
        (Value::Array(wanted), Some(Value::Array(live))) if wanted.len() == live.len() => {
            for (index, value) in wanted.iter().enumerate() {
                let length = path.len();
                path.push_str(&format!("[{index}]"));
                compare(value, live.get(index), path, found);
                path.truncate(length);
            }
        }
        (wanted, Some(live)) if same_scalar(wanted, live) => {}
        _ => found.push(path.clone()),
    }
}

fn push_field(path: &mut String, field: &str) {
    if field.contains(['.', '/']) {
        path.push_str(&format!("[{field}]"));
        return;
    }
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(field);
}

fn same_scalar(wanted: &Value, live: &Value) -> bool {
    match (wanted, live) {
        (Value::Null, Value::Null) => true,
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (wanted, live) => wanted == live,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_git_does_not_mention_do_not_matter() {
        let wanted = json!({"spec": {"replicas": 2}});
        let live = json!({"spec": {"replicas": 2, "paused": false}, "status": {}});
        assert!(differences(&wanted, &live).is_empty());
    }

    #[test]
    fn a_difference_is_named_by_its_path_without_its_value() {
        let wanted = json!({"data": {"password": "bmV3", "user": "dQ=="},
            "metadata": {"annotations": {"signet.dev/restart": "true"}}});
        let live = json!({"data": {"password": "b2xk", "user": "dQ=="}, "metadata": {}});
        let mut found = differences(&wanted, &live);
        found.sort();
        assert_eq!(found, ["data.password", "metadata.annotations"]);
    }

    #[test]
    fn lists_agree_in_length_and_order() {
        let wanted = json!({"args": ["a", "b"], "ports": [{"port": 80}]});
        assert_eq!(
            differences(&wanted, &json!({"args": ["b", "a"], "ports": []})),
            ["args[0]", "args[1]", "ports"]
        );
    }

    #[test]
    fn null_asks_for_nothing_but_an_empty_map_is_in_doubt() {
        let wanted = json!({"metadata": {"annotations": null}});
        assert!(differences(&wanted, &json!({"metadata": {}})).is_empty());
        let volume = json!({"name": "cache", "emptyDir": {}});
        let replaced = json!({"name": "cache", "hostPath": {"path": "/"}});
        assert_eq!(differences(&volume, &replaced), ["emptyDir"]);
    }

    #[test]
    fn equal_numbers_in_two_spellings_are_equal_and_quantities_are_left_to_the_dry_run() {
        assert!(differences(&json!({"a": 1.0}), &json!({"a": 1})).is_empty());
        assert_eq!(
            differences(&json!({"cpu": "0.5"}), &json!({"cpu": "500m"})),
            ["cpu"]
        );
    }
}
