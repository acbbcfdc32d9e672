//! What a preview does not show: values of Secrets, and what repeats them. Of items it tells what would become of each.
//! It must not compare anything else.

use serde_json::Value;

use super::Sides;
use crate::sync::items::{Items, holds_secrets, places};
use crate::sync::key::ObjectKey;
use crds::names::application;

/// kubectl's copy of the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// All that is shown of a Secret itself, and of its metadata, beside annotations that Git has: other tools keep copies of it in theirs.
const SHOWN: [&str; 5] = ["apiVersion", "kind", "metadata", "type", "immutable"];
const SHOWN_METADATA: [&str; 4] = ["name", "namespace", "labels", "annotations"];

/// Takes the values out of both sides, and tells of each item what would become of it. `annotations` are those that Git has.
pub(super) fn hide(key: &ObjectKey, annotations: Option<&Value>, sides: &mut Sides) -> Items {
    let Sides { live, becomes, .. } = sides;
    let items = Items::between(key, live.as_ref(), becomes.as_ref());
    let holds_secrets = holds_secrets(key);
    let is_secret = key.is("", "Secret");
    let is_application = key.is(application::GROUP, application::KIND);
    for object in live.iter_mut().chain(becomes) {
        let carried = object.pointer_mut("/metadata/annotations");
        if let Some(carried) = carried.and_then(Value::as_object_mut) {
            let in_git = |name: &str| annotations.is_some_and(|all| all.get(name).is_some());
            carried.retain(|name, _| name != LAST_APPLIED && (!holds_secrets || in_git(name)));
        }
        for place in places(key) {
            take_out(object, place);
        }
        // What somebody asks a child for is not of Git.
        if let Some(fields) = object.as_object_mut().filter(|_| is_application) {
            fields.remove("operation");
        }
        if is_secret {
            keep(object, &SHOWN);
            if let Some(metadata) = object.get_mut("metadata") {
                keep(metadata, &SHOWN_METADATA);
            }
        }
    }
    items
}

fn keep(object: &mut Value, fields: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        object.retain(|field, _| fields.contains(&field.as_str()));
    }
}

fn take_out(object: &mut Value, place: &str) {
    let Some((above, name)) = place.rsplit_once('/') else {
        return;
    };
    if let Some(Value::Object(parent)) = object.pointer_mut(above) {
        parent.shift_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use crds::names::sealed_secret;
    use serde_json::json;

    use super::*;
    use crate::sync::key::GroupKind;

    fn hidden(kind: &GroupKind, live: Value, becomes: Value) -> (Sides, Items) {
        let mut sides = Sides {
            live: Some(live),
            becomes: Some(becomes),
            ..Sides::default()
        };
        let annotations = json!({ "team": "shop" });
        let key = ObjectKey::new(kind, Some("shop"), "db");
        let items = hide(&key, Some(&annotations), &mut sides);
        (sides, items)
    }

    #[test]
    fn of_a_secret_only_what_becomes_of_its_items_is_told() {
        let kept = json!({"type": "Opaque", "metadata": {"annotations": {"team": "shop"}}});
        let with = |data: Value| {
            let mut secret = kept.clone();
            secret["data"] = data;
            secret["metadata"]["annotations"][LAST_APPLIED] = "hunter2".into();
            secret["metadata"]["annotations"]["kapp.k14s.io/original"] = "hunter2".into();
            secret["stringdata"] = json!({"e": "hunter2"});
            secret
        };
        let live = with(json!({"a": "hunter2", "b": "hunter2", "c": "hunter2"}));
        let becomes = with(json!({"b": "hunter3", "c": "hunter2", "d": "hunter2"}));
        let (sides, items) = hidden(&GroupKind::new("", "Secret"), live, becomes);
        assert_eq!(items.to_string(), "a removed, b changed, d added");
        assert_eq!(
            (sides.live, sides.becomes),
            (Some(kept.clone()), Some(kept))
        );
    }

    #[test]
    fn of_a_sealed_secret_everything_but_its_items_is_shown() {
        let sealed =
            |text: &str| json!({"spec": {"encryptedData": {"password": text}, "template": {}}});
        let kind = GroupKind::new(sealed_secret::GROUP, sealed_secret::KIND);
        let (sides, items) = hidden(&kind, sealed("AgA1"), sealed("AgA2"));
        assert_eq!(items.to_string(), "password re-sealed");
        assert_eq!(sides.live, Some(json!({"spec": {"template": {}}})));
    }

    #[test]
    fn of_other_objects_only_the_copy_in_an_annotation_is_hidden() {
        let map = json!({"data": {"size": "1"}, "metadata": {"annotations": {}}});
        let mut live = map.clone();
        live["metadata"]["annotations"][LAST_APPLIED] = "{}".into();
        let (sides, items) = hidden(&GroupKind::new("", "ConfigMap"), live, map.clone());
        assert_eq!((sides.live, sides.becomes), (Some(map.clone()), Some(map)));
        assert!(items.is_empty());
    }
}
