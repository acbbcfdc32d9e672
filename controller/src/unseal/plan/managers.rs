//! Who wrote what of a Secret, as the API server records it in `managedFields`.
//! It must not decide what becomes of a Secret.

use std::collections::BTreeMap;

use crds::names::FIELD_MANAGER;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use k8s_openapi::jiff::Timestamp;

/// Takes away the labels and annotations that we wrote.
pub(super) fn drop_ours(metadata: &mut ObjectMeta) {
    let labels = written_by_us(metadata, "f:labels");
    let annotations = written_by_us(metadata, "f:annotations");
    without(&mut metadata.labels, &labels);
    without(&mut metadata.annotations, &annotations);
}

/// Who wrote the Secret last, beside us.
pub fn rival(metadata: &ObjectMeta) -> Option<&str> {
    let others = entries(metadata).filter(|entry| manager(entry) != FIELD_MANAGER);
    others
        .max_by_key(|entry| entry.time.as_ref().map_or(Timestamp::MIN, |time| time.0))
        .map(manager)
}

/// True when we wrote items of the Secret as what came out of a SealedSecret, and not as a manifest that sync applies.
pub(super) fn has_our_items(metadata: &ObjectMeta) -> bool {
    entries(metadata)
        .filter(|entry| {
            manager(entry) == FIELD_MANAGER && entry.operation.as_deref() == Some("Update")
        })
        .filter_map(|entry| entry.fields_v1.as_ref())
        .any(|fields| fields.0.get("f:data").is_some())
}

/// Keys below `f:metadata` / `map` in the entries of our manager.
fn written_by_us(metadata: &ObjectMeta, map: &str) -> Vec<String> {
    let ours = entries(metadata).filter(|entry| manager(entry) == FIELD_MANAGER);
    let fields = ours.filter_map(|entry| {
        let fields = &entry.fields_v1.as_ref()?.0;
        fields.get("f:metadata")?.get(map)?.as_object()
    });
    fields
        .flat_map(serde_json::Map::keys)
        .filter_map(|key| key.strip_prefix("f:"))
        .map(str::to_owned)
        .collect()
}

fn entries(metadata: &ObjectMeta) -> impl Iterator<Item = &ManagedFieldsEntry> {
    let all = metadata.managed_fields.iter().flatten();
    all.filter(|entry| entry.subresource.is_none())
}

fn manager(entry: &ManagedFieldsEntry) -> &str {
    entry.manager.as_deref().unwrap_or("somebody")
}

fn without(map: &mut Option<BTreeMap<String, String>>, keys: &[String]) {
    if let Some(map) = map {
        map.retain(|key, _| !keys.contains(key));
    }
}
