//! What a preview does not show: values of Secrets, and what repeats them. Of items it tells what would become of each.
//! It must not compare anything else.

use std::collections::BTreeMap;

use crds::names::sealed_secret;
use serde_json::Value;

use super::Sides;
use super::answer::Item;
use crate::sync::key::ObjectKey;

/// kubectl's copy of the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// All that is shown of a Secret itself, and of its metadata, beside annotations that Git has: other tools keep copies of it in theirs.
const SHOWN: [&str; 5] = ["apiVersion", "kind", "metadata", "type", "immutable"];
const SHOWN_METADATA: [&str; 4] = ["name", "namespace", "labels", "annotations"];

/// Takes the values out of both sides, and tells of each item what would become of it. `annotations` are those that Git has.
pub(super) fn hide(
    key: &ObjectKey,
    annotations: Option<&Value>,
    sides: &mut Sides,
) -> BTreeMap<String, Item> {
    let Sides { live, becomes, .. } = sides;
    let is_secret = key.is("", "Secret");
    let is_sealed = key.is(sealed_secret::GROUP, sealed_secret::KIND);
    for object in live.iter_mut().chain(becomes.iter_mut()) {
        let carried = object.pointer_mut("/metadata/annotations");
        if let Some(carried) = carried.and_then(Value::as_object_mut) {
            let in_git = |name: &str| annotations.is_some_and(|all| all.get(name).is_some());
            carried.retain(|name, _| {
                name != LAST_APPLIED && (!(is_secret || is_sealed) || in_git(name))
            });
        }
    }
    let (places, differs): (&[&[&str]], Item) = if is_secret {
        (&[&["data"], &["stringData"]], Item::Changed)
    } else if is_sealed {
        let places: &[&[&str]] = &[&["spec", "encryptedData"], &["spec", "data"]];
        (places, Item::ReSealed)
    } else {
        return BTreeMap::new();
    };
    let mut items = BTreeMap::new();
    for place in places {
        let (before, after) = (taken(live, place), taken(becomes, place));
        for (name, value) in &before {
            match after.get(name) {
                Some(other) if other == value => {}
                Some(_) => {
                    items.insert(name.clone(), differs);
                }
                None => {
                    items.insert(name.clone(), Item::Removed);
                }
            }
        }
        let added = after.keys().filter(|name| !before.contains_key(*name));
        items.extend(added.map(|name| (name.clone(), Item::Added)));
    }
    for secret in live
        .iter_mut()
        .chain(becomes.iter_mut())
        .filter(|_| is_secret)
    {
        keep(secret, &SHOWN);
        if let Some(metadata) = secret.get_mut("metadata") {
            keep(metadata, &SHOWN_METADATA);
        }
    }
    items
}

fn keep(object: &mut Value, fields: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        object.retain(|field, _| fields.contains(&field.as_str()));
    }
}

/// Takes the items at a place out of an object. What is no map is one item, of the place's name.
fn taken(object: &mut Option<Value>, place: &[&str]) -> BTreeMap<String, Value> {
    let Some((name, above)) = place.split_last() else {
        return BTreeMap::new();
    };
    let parent = above.iter().try_fold(object.as_mut(), |parent, field| {
        Some(parent?.get_mut(*field))
    });
    let parent = parent.flatten().and_then(Value::as_object_mut);
    match parent.and_then(|parent| parent.shift_remove(*name)) {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(Value::Object(items)) => items.into_iter().collect(),
        Some(value) => BTreeMap::from([((*name).to_owned(), value)]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::key::GroupKind;

    fn hidden(kind: &GroupKind, live: Value, becomes: Value) -> (Sides, Vec<(String, Item)>) {
        let mut sides = Sides {
            live: Some(live),
            becomes: Some(becomes),
            ..Sides::default()
        };
        let annotations = json!({ "team": "shop" });
        let key = ObjectKey::new(kind, Some("shop"), "db");
        let items = hide(&key, Some(&annotations), &mut sides);
        (sides, items.into_iter().collect())
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
        let told = [
            ("a", Item::Removed),
            ("b", Item::Changed),
            ("d", Item::Added),
        ];
        assert_eq!(items, told.map(|(name, item)| (name.to_owned(), item)));
        assert_eq!(
            (sides.live, sides.becomes),
            (Some(kept.clone()), Some(kept))
        );
    }

    #[test]
    fn an_item_with_another_ciphertext_is_re_sealed() {
        let sealed =
            |text: &str| json!({"spec": {"encryptedData": {"password": text}, "template": {}}});
        let kind = GroupKind::new(sealed_secret::GROUP, sealed_secret::KIND);
        let (sides, items) = hidden(&kind, sealed("AgA1"), sealed("AgA2"));
        assert_eq!(items, [("password".to_owned(), Item::ReSealed)]);
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
