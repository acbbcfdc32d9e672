//! Items of Secrets and SealedSecrets, and what becomes of each: their names, never a value.
//! It must not compare anything else.

use std::collections::BTreeMap;
use std::fmt;

use crds::names::sealed_secret;
use serde::Serialize;
use serde_json::Value;

use super::key::ObjectKey;

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// It was not there.
    Added,
    /// Another value.
    Changed,
    /// Another ciphertext: the value may be the same.
    ReSealed,
    /// It was there.
    Removed,
}

impl Item {
    fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::ReSealed => "re-sealed",
            Self::Removed => "removed",
        }
    }
}

/// What becomes of the items of an object, by name. Displayed as `password re-sealed, user added`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Items(BTreeMap<String, Item>);

impl Items {
    /// Between an object as it was and as it is to be, either of which may be none.
    pub(in crate::sync) fn between(
        key: &ObjectKey,
        before: Option<&Value>,
        after: Option<&Value>,
    ) -> Self {
        let mut items = BTreeMap::new();
        for place in places(key) {
            let (before, after) = (at(before, place), at(after, place));
            for name in before.keys().chain(after.keys()) {
                let becomes = match (before.get(name), after.get(name)) {
                    (None, _) => Item::Added,
                    (_, None) => Item::Removed,
                    (was, is) if was == is => continue,
                    _ if is_secret(key) => Item::Changed,
                    _ => Item::ReSealed,
                };
                items.insert((*name).to_owned(), becomes);
            }
        }
        Self(items)
    }

    /// Nothing becomes of any item.
    pub(in crate::sync) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, item)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {}", item.name())?;
        }
        Ok(())
    }
}

/// Its items are values of secrets: it is a Secret or a SealedSecret.
pub(in crate::sync) fn holds_secrets(key: &ObjectKey) -> bool {
    !places(key).is_empty()
}

/// Pointers to the maps that hold the items of an object; none of most kinds.
pub(in crate::sync) fn places(key: &ObjectKey) -> &'static [&'static str] {
    if is_secret(key) {
        &["/data", "/stringData"]
    } else if key.is(sealed_secret::GROUP, sealed_secret::KIND) {
        &["/spec/encryptedData", "/spec/data"]
    } else {
        &[]
    }
}

fn is_secret(key: &ObjectKey) -> bool {
    key.is("", "Secret")
}

/// The items at a place. What is no map is one item, of the place's name.
fn at<'a>(object: Option<&'a Value>, place: &'a str) -> BTreeMap<&'a str, &'a Value> {
    match object.and_then(|object| object.pointer(place)) {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(Value::Object(items)) => {
            let items = items.iter().map(|(name, value)| (name.as_str(), value));
            items.collect()
        }
        Some(value) => {
            let name = place.rsplit('/').next().unwrap_or(place);
            BTreeMap::from([(name, value)])
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::key::GroupKind;

    fn told(group: &str, kind: &str, before: &Value, after: &Value) -> String {
        let key = ObjectKey::new(&GroupKind::new(group, kind), Some("shop"), "db");
        Items::between(&key, Some(before), Some(after)).to_string()
    }

    #[test]
    fn of_each_item_its_name_is_told_and_what_becomes_of_it() {
        let secret = |data: Value| json!({ "data": data });
        let before = secret(json!({"a": "hunter2", "b": "hunter2", "c": "hunter2"}));
        let after = secret(json!({"b": "hunter3", "c": "hunter2", "d": "hunter2"}));
        assert_eq!(
            told("", "Secret", &before, &after),
            "a removed, b changed, d added"
        );
    }

    #[test]
    fn an_item_with_another_ciphertext_is_re_sealed() {
        let sealed =
            |text: &str| json!({"spec": {"encryptedData": {"password": text}, "template": {}}});
        assert_eq!(
            told(
                sealed_secret::GROUP,
                sealed_secret::KIND,
                &sealed("AgA1"),
                &sealed("AgA2")
            ),
            "password re-sealed"
        );
    }

    #[test]
    fn what_is_no_map_is_one_item_and_never_shown() {
        let before = json!({"data": "hunter2"});
        assert_eq!(
            told("", "Secret", &before, &json!({"data": null})),
            "data removed"
        );
    }

    #[test]
    fn no_other_kind_has_items() {
        let map = |size: &str| json!({"data": {"size": size}});
        assert_eq!(told("", "ConfigMap", &map("1"), &map("2")), "");
    }
}
