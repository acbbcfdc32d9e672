//! Fields that a manager owns in the live object, found in it or in the wanted one.
//! It must not know which managers don't count.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::Value;

use super::fields::{Path, Paths, Step};
use crate::field_set::{is_entry, is_leaf};

/// Adds the places of what an entry of `managedFields` owns.
pub(super) fn owned(entry: &ManagedFieldsEntry, object: &Value, found: &mut Paths) {
    if let Some(fields) = &entry.fields_v1 {
        collect(&fields.0, object, &mut Path::new(), found);
    }
}

fn collect(fields: &Value, value: &Value, at: &mut Path, found: &mut Paths) {
    for (key, below) in fields.as_object().into_iter().flatten() {
        let Some(step) = step(key, value) else {
            continue;
        };
        let Some(inside) = step.of(value) else {
            continue;
        };
        // A map is shared, whoever made it; an entry of a list is its maker's.
        let whole = is_leaf(below) || (matches!(step, Step::Index(_)) && below.get(".").is_some());
        at.push(step);
        match whole {
            true => drop(found.insert(at.clone())),
            false => collect(below, inside, at, found),
        }
        at.pop();
    }
}

fn step(key: &str, value: &Value) -> Option<Step> {
    match key.strip_prefix("f:") {
        Some(field) => Some(Step::Field(field.to_owned())),
        None => {
            let mut entries = value.as_array()?.iter();
            entries
                .position(|entry| is_entry(key, entry))
                .map(Step::Index)
        }
    }
}
