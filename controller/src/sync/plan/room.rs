//! Whether the status of an Application can hold the list of its objects: without that list nothing could be pruned.
//! It counts bytes and compares nothing.

use crate::sync::key::ObjectKey;
use crate::sync::plan::{Comparison, Condition, ConditionKind, SyncStatus};

/// What the list may take. A status has 1 MiB; the rest is for conditions, results and history.
const LARGEST: usize = 960 * 1024;

/// Why the objects of a comparison can't be written down, with what somebody can do about it.
pub(in crate::sync) fn lacks(comparison: &Comparison) -> Option<Condition> {
    let objects = &comparison.objects;
    let entries = objects
        .iter()
        .map(|(key, compared)| entry(key, &compared.version, compared.slot.wave));
    let size: usize = entries.sum();
    (size > LARGEST).then(|| {
        let message = format!(
            "{} objects are too many for one Application: their list takes {} KiB of a status that has {}; \
             nothing is applied or deleted until they are fewer, or divided among several Applications",
            objects.len(),
            size.div_ceil(1024),
            LARGEST / 1024
        );
        Condition::new(ConditionKind::ComparisonError, message)
    })
}

/// Bytes of an object's entry in the list, whatever becomes of the object.
fn entry(key: &ObjectKey, version: &str, wave: i32) -> usize {
    let wave = match wave {
        0 => String::new(),
        wave => wave.to_string(),
    };
    let fields = [
        ("group", key.group()),
        ("version", version),
        ("kind", key.kind()),
        ("namespace", key.namespace_or_empty()),
        ("name", key.name()),
        ("status", SyncStatus::OutOfSync.name()),
        ("syncWave", &wave),
    ];
    // Quotes, colon and comma. The last comma parts it from the next entry.
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    let fields: usize = fields
        .map(|(name, value)| name.len() + value.len() + 6)
        .sum();
    "{}".len() + fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::key::GroupKind;

    #[test]
    fn an_entry_is_counted_as_it_is_written() {
        let kind = GroupKind::new("apps", "Deployment");
        for (namespace, wave) in [(Some("demo"), 0), (None, -12)] {
            let key = ObjectKey::new(&kind, namespace, "web");
            let written = serde_json::to_string(&crds::ResourceStatus {
                group: key.group().to_owned(),
                version: "v1".into(),
                kind: key.kind().to_owned(),
                namespace: key.namespace_or_empty().into(),
                name: key.name().to_owned(),
                status: "OutOfSync".into(),
                sync_wave: wave.into(),
                ..crds::ResourceStatus::default()
            })
            .unwrap();
            // A number has no quotes.
            let quotes = if wave == 0 { 0 } else { 2 };
            assert_eq!(entry(&key, "v1", wave), written.len() + 1 + quotes);
        }
    }
}
