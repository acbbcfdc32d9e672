//! Sets of fields as `managedFields` spells them: `f:` a field, `k:` the entry of a list by its keys, `v:` by its value.
//! It must not know whose they are.

use serde_json::{Map, Value};

/// A set without anything below it: the field is owned as a whole.
pub(crate) fn is_leaf(fields: &Value) -> bool {
    fields.as_object().is_some_and(Map::is_empty)
}

/// The part of a set that speaks of one list entry, with its name in the set.
pub(crate) fn entry_of<'a>(fields: &'a Value, entry: &Value) -> Option<(&'a str, &'a Value)> {
    let found = fields
        .as_object()?
        .iter()
        .find(|(key, _)| is_entry(key, entry))?;
    Some((found.0, found.1))
}

/// Whether a name in a set, `k:{"name":"web"}` or `v:"x"`, means this list entry.
pub(crate) fn is_entry(key: &str, entry: &Value) -> bool {
    if let Some(value) = key.strip_prefix("v:") {
        return serde_json::from_str::<Value>(value).is_ok_and(|value| value == *entry);
    }
    let Some(Ok(Value::Object(keys))) = key.strip_prefix("k:").map(serde_json::from_str) else {
        return false;
    };
    // A key field that Git leaves to its default (`protocol`) does not tell entries apart.
    keys.iter()
        .all(|(field, value)| entry.get(field).is_none_or(|own| own == value))
}

/// Of `value` what one of the sets names. A set without anything below names all that is below.
pub(crate) fn part(value: &Value, sets: &[&Value]) -> Value {
    if sets.iter().any(|set| is_leaf(set)) {
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
