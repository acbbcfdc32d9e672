//! The body of an apply that leaves alone what does not count.
//! It must not decide what that is: the rules do.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::{Map, Value};

use super::fields::{self, Step};
use super::{Ignored, Problem};
use crate::field_set::{self, entry_of, is_entry, is_leaf};

/// What is wanted without what does not count; of that, what is in `ours`, our own field set, as it is in the live object.
/// Left out, the API server would remove it for nobody wants it any more.
///
/// # Errors
/// When a jq path is not done within its limits.
pub(crate) fn body(
    ignored: &Ignored,
    wanted: &Value,
    live: &Value,
    managed: &[ManagedFieldsEntry],
    ours: Option<&Value>,
) -> Result<Value, Problem> {
    let mut body = ignored.strip(wanted, managed)?;
    if let Some(ours) = ours {
        for path in ignored.paths(live, managed)? {
            keep(&mut body, live, ours, &path);
        }
    }
    fields::restore_identity(&mut body, wanted);
    Ok(body)
}

/// Carries over what stands at `path` of `live`, as far as it is ours.
fn keep(body: &mut Value, live: &Value, ours: &Value, path: &[Step]) {
    if let Some(value) = owned(live, Some(ours), path) {
        put(body, live, Some(ours), path, value);
    }
}

/// What stands at `path`, as far as the set names it. Below a field that is ours as a whole the set is `None`.
fn owned(live: &Value, ours: Option<&Value>, path: &[Step]) -> Option<Value> {
    let Some((step, rest)) = path.split_first() else {
        return Some(ours.map_or_else(|| live.clone(), |ours| field_set::part(live, &[ours])));
    };
    let inside = step.of(live)?;
    owned(inside, part(ours, step, inside)?.1, rest)
}

/// Puts a value where it stands in `live`. Entries of a list are found by their keys; one that is not wanted is not made.
fn put(body: &mut Value, live: &Value, ours: Option<&Value>, path: &[Step], value: Value) {
    let Some((step, rest)) = path.split_first() else {
        *body = value;
        return;
    };
    let Some(inside) = step.of(live) else {
        return;
    };
    let Some((key, below)) = part(ours, step, inside) else {
        return;
    };
    match (body, step) {
        (Value::Object(map), Step::Field(name)) => {
            if !map.contains_key(name) {
                let Some(empty) = container(rest) else {
                    return;
                };
                map.insert(name.clone(), empty);
            }
            put(&mut map[name], inside, below, rest, value);
        }
        (Value::Array(list), Step::Index(index)) if rest.is_empty() => {
            list.insert((*index).min(list.len()), value);
        }
        (Value::Array(list), Step::Index(index)) => {
            let same = match key {
                Some(key) => list.iter_mut().find(|entry| is_entry(key, entry)),
                None => list.get_mut(*index),
            };
            if let Some(next) = same {
                put(next, inside, below, rest, value);
            }
        }
        _ => {}
    }
}

/// What has to be made for the rest of a path to stand in, where that makes no entry of a list up.
fn container(rest: &[Step]) -> Option<Value> {
    match rest {
        [] => Some(Value::Null),
        [Step::Index(_)] => Some(Value::Array(Vec::new())),
        [Step::Field(_), rest @ ..] => container(rest).map(|_| Value::Object(Map::new())),
        [Step::Index(_), ..] => None,
    }
}

/// The part of a set one step further, and for the entry of a list its name there; `None` when that is not ours.
fn part<'a>(
    ours: Option<&'a Value>,
    step: &Step,
    inside: &Value,
) -> Option<(Option<&'a str>, Option<&'a Value>)> {
    let Some(ours) = ours.filter(|ours| !is_leaf(ours)) else {
        return Some((None, None));
    };
    match step {
        Step::Field(name) => Some((None, Some(ours.get(format!("f:{name}"))?))),
        Step::Index(_) => {
            let (key, below) = entry_of(ours, inside)?;
            Some((Some(key), Some(below)))
        }
    }
}
