//! The part of an object that given sets of fields own.
//! It knows sets of fields as `managedFields` spells them, and not whose they are.

use serde_json::{Map, Value};

use super::ownership::is_entry;

/// Of `value` what one of the sets names. A set without anything below names all that is below.
pub(super) fn part(value: &Value, sets: &[&Value]) -> Value {
    let is_leaf = |set: &&Value| set.as_object().is_none_or(Map::is_empty);
    if sets.iter().any(is_leaf) {
        return value.clone();
    }
    match value {
        Value::Object(fields) => {
            let owned = fields.iter().filter_map(|(field, value)| {
                let key = format!("f:{field}");
                let below = below(sets, |name| name == key);
                (!below.is_empty()).then(|| (field.clone(), part(value, &below)))
            });
            Value::Object(owned.collect())
        }
        Value::Array(entries) => {
            let owned = entries.iter().filter_map(|entry| {
                let below = below(sets, |name| is_entry(name, entry));
                (!below.is_empty()).then(|| part(entry, &below))
            });
            Value::Array(owned.collect())
        }
        scalar => scalar.clone(),
    }
}

fn below<'a>(sets: &[&'a Value], is_meant: impl Fn(&str) -> bool) -> Vec<&'a Value> {
    let entries = sets.iter().filter_map(|set| set.as_object()).flatten();
    entries
        .filter(|(name, _)| is_meant(name))
        .map(|(_, below)| below)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_a_set_names_is_left() {
        let object = json!({"spec": {"replicas": 2, "paused": true, "list": [{"name": "a", "image": "x", "tty": true}, {"name": "b"}],
            "finalizers": ["one", "two"], "selector": {"app": "web"}}, "status": {}});
        let first = json!({"f:spec": {"f:replicas": {}, "f:selector": {},
            "f:list": {"k:{\"name\":\"a\"}": {".": {}, "f:image": {}}}}});
        let second = json!({"f:spec": {"f:finalizers": {"v:\"two\"": {}}}});
        let owned = json!({"spec": {"replicas": 2, "list": [{"image": "x"}], "finalizers": ["two"], "selector": {"app": "web"}}});
        assert_eq!(part(&object, &[&first, &second]), owned);
    }
}
