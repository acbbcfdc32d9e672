//! Reading fields of an object that may lack them. It must not know what they mean.

use serde_json::Value;

/// Group and kind; the group is empty for the core group.
pub(crate) fn group_kind(object: &Value) -> (&str, &str) {
    let api_version = text(object, "/apiVersion");
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    (group, text(object, "/kind"))
}

/// The integer at `pointer`, if there is one.
pub(crate) fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// The integer at `pointer`, zero when it is absent: counters in a status are omitted when zero.
pub(crate) fn count(object: &Value, pointer: &str) -> i64 {
    number(object, pointer).unwrap_or_default()
}

pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    let text = object.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default()
}

pub(crate) fn flag(object: &Value, pointer: &str) -> bool {
    let flag = object.pointer(pointer).and_then(Value::as_bool);
    flag.unwrap_or_default()
}

pub(crate) fn elements<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    let list = object.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten()
}

pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object
        .get("metadata")?
        .get("annotations")?
        .get(key)?
        .as_str()
}
