//! Live objects of a folder, as the index would keep them.
//! What the object alone doesn't say stands in fields of it that begin with `x-`.

use controller::dialect;
use controller::sync::desired::{Desired, WantedHash};
use controller::sync::key::{GroupKind, ObjectKey, group_version};
use controller::sync::kinds::Kinds;
use controller::sync::world::{Live, LiveState, Take};
use health::Customizations;
use serde_json::{Value, json};

use super::world::text;

pub(crate) fn key_of(object: &Value, kinds: &Kinds) -> ObjectKey {
    let (group, version) = group_version(text(object, "apiVersion"));
    let kind = GroupKind::new(group, text(object, "kind"));
    let namespaced = match kinds.lookup(&kind, version) {
        controller::sync::kinds::Lookup::Known(known) => known.namespaced,
        _ => true,
    };
    let namespace = text(object, "metadata.namespace");
    let namespace = if namespace.is_empty() {
        "demo"
    } else {
        namespace
    };
    ObjectKey::new(
        &kind,
        namespaced.then_some(namespace),
        text(object, "metadata.name"),
    )
}

/// A live object as the index would keep it. `x-state`, `x-tracking`, `x-health` and `x-takes` say what the object alone doesn't.
pub(crate) fn seen(
    object: &Value,
    kinds: &Kinds,
    wanted: &Desired,
    application: &str,
    customizations: &Customizations,
) -> (ObjectKey, Live) {
    let key = key_of(object, kinds);
    let hash = wanted
        .objects
        .get(&key)
        .map(|wanted| wanted.hash)
        .unwrap_or_default();
    let namespace = key.namespace().unwrap_or("demo");
    let own = dialect::tracking_value(application, key.group(), key.kind(), namespace, key.name());
    let tracking = match object["x-tracking"].as_str() {
        Some("none") => None,
        Some(other) => Some(other.to_owned()),
        None => Some(own),
    };
    let live = Live {
        uid: format!("uid-of-{}", key.name()),
        resource_version: "5".into(),
        tracking,
        metadata: json!({"labels": object["metadata"]["labels"], "annotations": object["metadata"]["annotations"]}),
        deleting: object["metadata"]["deletionTimestamp"].is_string(),
        hook_finalizer: object["metadata"]["finalizers"]
            .as_array()
            .is_some_and(|all| all.contains(&dialect::HOOK_FINALIZER.into())),
        secrets: object
            .pointer("/spec/template/metadata/annotations/signet.dev~1secrets")
            .and_then(Value::as_str)
            .map(str::to_owned),
        health: health::health(object, customizations),
        state: state(&object["x-state"], hash),
        takes: takes(&object["x-takes"]),
    };
    (key, live)
}

fn state(hint: &Value, wanted: WantedHash) -> LiveState {
    // For what an earlier commit wanted.
    let older = WantedHash([7; 16]);
    let wanted = match hint["older"] == true {
        true => older,
        false => wanted,
    };
    let message = |field: &str| hint[field].as_str().map(str::to_owned);
    if let Some(fields) = hint["differs"].as_array() {
        let fields = fields
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        return LiveState::Differs { wanted, fields };
    }
    if let Some(message) = message("immutable") {
        return LiveState::Immutable { wanted, message };
    }
    if let Some(message) = message("forbidden") {
        return LiveState::Forbidden { wanted, message };
    }
    if let Some(message) = message("unreadable") {
        return LiveState::Unreadable { wanted, message };
    }
    match hint.as_str() {
        Some("unverified") => LiveState::Unverified,
        Some("older") => LiveState::Matches(older),
        _ => LiveState::Matches(wanted),
    }
}

fn takes(hint: &Value) -> Vec<Take> {
    let take = |take: &Value| Take {
        at: text(take, "at").parse().expect("a time"),
        manager: text(take, "manager").to_owned(),
        field: text(take, "field").to_owned(),
    };
    hint.as_array().into_iter().flatten().map(take).collect()
}
