//! Places inside of one object, and taking out what stands there.
//! It must not know which rule found them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::dialect::TRACKING_ANNOTATION;

/// From a value to one inside of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Field(String),
    Index(usize),
}

/// From the object to the place.
pub(super) type Path = Vec<Step>;

/// Sorted, so that of one list a later entry comes after an earlier one.
pub(super) type Paths = BTreeSet<Path>;

impl Step {
    pub(super) fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        match self {
            Step::Field(name) => value.as_object()?.get(name),
            Step::Index(index) => value.as_array()?.get(*index),
        }
    }

    pub(super) fn of_mut<'a>(&self, value: &'a mut Value) -> Option<&'a mut Value> {
        match self {
            Step::Field(name) => value.as_object_mut()?.get_mut(name),
            Step::Index(index) => value.as_array_mut()?.get_mut(*index),
        }
    }
}

/// Removes what stands at these places. A map that nothing is left of goes too: an empty one would ask for something.
pub(super) fn remove(object: &mut Value, paths: &Paths) {
    // From the last to the first, so that a place is still where it was found.
    for path in paths.iter().rev() {
        take_out(object, path);
    }
}

fn take_out(value: &mut Value, path: &[Step]) {
    let Some((step, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        match (value, step) {
            (Value::Object(map), Step::Field(name)) => drop(map.shift_remove(name)),
            (Value::Array(list), Step::Index(index)) if *index < list.len() => {
                list.remove(*index);
            }
            _ => {}
        }
        return;
    }
    let Some(inside) = step.of_mut(value) else {
        return;
    };
    let was_empty = is_empty_map(inside);
    take_out(inside, rest);
    if !was_empty
        && is_empty_map(inside)
        && let (Value::Object(map), Step::Field(name)) = (value, step)
    {
        map.shift_remove(name);
    }
}

fn is_empty_map(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// Puts back what says which object this is, and whose.
pub(super) fn restore_identity(object: &mut Value, original: &Value) {
    for pointer in [
        &["apiVersion"][..],
        &["kind"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "annotations", TRACKING_ANNOTATION],
    ] {
        let found = pointer.iter().try_fold(original, |at, name| at.get(name));
        if let Some(value) = found {
            set(object, pointer, value);
        }
    }
}

fn set(object: &mut Value, names: &[&str], value: &Value) {
    let mut at = object;
    for name in names {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[*name];
    }
    if at != value {
        *at = value.clone();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> Path {
        let step = |name: &str| match name.parse() {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Field(name.to_owned()),
        };
        text.split('.').map(step).collect()
    }

    fn without(object: &Value, paths: &[&str]) -> Value {
        let mut object = object.clone();
        remove(&mut object, &paths.iter().map(|text| path(text)).collect());
        object
    }

    #[test]
    fn entries_of_a_list_are_removed_as_they_were_found() {
        let object = json!({"list": ["a", "b", {"x": 1, "y": 2}, "d"]});
        assert_eq!(
            without(&object, &["list.0", "list.2.x", "list.3"]),
            json!({"list": ["b", {"y": 2}]})
        );
        assert_eq!(
            without(&object, &["list.2.x", "list.2"]),
            json!({"list": ["a", "b", "d"]})
        );
    }

    #[test]
    fn a_map_goes_with_its_last_field_and_an_entry_of_a_list_stays() {
        let object =
            json!({"spec": {"strategy": {"type": "Recreate"}, "paused": true}, "list": [{"x": 1}]});
        assert_eq!(
            without(&object, &["spec.strategy.type", "list.0.x"]),
            json!({"spec": {"paused": true}, "list": [{}]})
        );
        assert_eq!(without(&object, &["spec.none.type"]), object);
    }

    #[test]
    fn name_and_tracking_id_are_put_back() {
        let object = json!({"kind": "ConfigMap", "metadata": {"name": "a", "annotations": {TRACKING_ANNOTATION: "x", "more": "y"}}});
        let mut stripped = without(&object, &["kind", "metadata"]);
        restore_identity(&mut stripped, &object);
        assert_eq!(
            stripped,
            json!({"kind": "ConfigMap", "metadata": {"name": "a", "annotations": {TRACKING_ANNOTATION: "x"}}})
        );
    }
}
