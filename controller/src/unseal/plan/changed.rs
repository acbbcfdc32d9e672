//! Which items of a Secret have changed since it was made: noted on the Secret in the same write as their values, so that neither a
//! restart nor an equal value that was sealed anew counts as a change. It must not note anything that a value could be told by.

use std::collections::{BTreeMap, BTreeSet};

use crds::SealedSecret;
use crds::names::CHANGED;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Names of items, each with the version of the SealedSecret that changed it last.
pub type ChangedItems = BTreeMap<String, String>;

/// What is noted on a Secret. What can't be read is taken for nothing.
pub fn items(metadata: &ObjectMeta) -> ChangedItems {
    let annotations = metadata.annotations.as_ref();
    let noted = annotations.and_then(|annotations| annotations.get(CHANGED));
    let noted = noted.and_then(|noted| serde_json::from_str(noted).ok());
    noted.unwrap_or_default()
}

/// Notes on the new Secret what is noted on the old one, and what this version of the SealedSecret changes. A version that was put
/// into effect before changes nothing: it puts right what somebody else did.
pub(super) fn note(sealed: &SealedSecret, existing: &Secret, new: &mut Secret, settled: bool) {
    let mut noted = items(&existing.metadata);
    if !settled {
        let version = sealed.metadata.resource_version.clone().unwrap_or_default();
        let changed = differing(existing.data.as_ref(), new.data.as_ref());
        noted.extend(changed.into_iter().map(|item| (item, version.clone())));
    }
    if !noted.is_empty() {
        let text = serde_json::json!(noted).to_string();
        let annotations = new.metadata.annotations.get_or_insert_default();
        annotations.insert(CHANGED.to_owned(), text);
    }
}

/// Items that were added, that have another value, and that have gone.
fn differing(
    old: Option<&BTreeMap<String, ByteString>>,
    new: Option<&BTreeMap<String, ByteString>>,
) -> BTreeSet<String> {
    let names = [old, new].into_iter().flatten().flat_map(BTreeMap::keys);
    let value = |items: Option<&BTreeMap<String, ByteString>>, name: &String| {
        items.and_then(|items| items.get(name)).cloned()
    };
    let differs = |name: &&String| value(old, name) != value(new, name);
    names.filter(differs).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(version: &str) -> SealedSecret {
        let mut sealed = SealedSecret::default();
        sealed.metadata.resource_version = Some(version.to_owned());
        sealed
    }

    fn secret(items: &[(&str, &str)]) -> Secret {
        let item = |(name, value): &(&str, &str)| {
            let value = ByteString(value.as_bytes().to_vec());
            ((*name).to_owned(), value)
        };
        Secret {
            data: Some(items.iter().map(item).collect()),
            ..Secret::default()
        }
    }

    /// What is noted once `new` has taken the place of `old`.
    fn noted(version: &str, old: &Secret, new: &Secret, settled: bool) -> Vec<(String, String)> {
        let mut written = new.clone();
        note(&sealed(version), old, &mut written, settled);
        items(&written.metadata).into_iter().collect()
    }

    fn pair(item: &str, version: &str) -> (String, String) {
        (item.to_owned(), version.to_owned())
    }

    #[test]
    fn only_items_with_another_value_are_noted() {
        let old = secret(&[("same", "1"), ("other", "1"), ("gone", "1")]);
        let new = secret(&[("same", "1"), ("other", "2"), ("added", "1")]);
        let changed = ["added", "gone", "other"].map(|item| pair(item, "7"));
        assert_eq!(noted("7", &old, &new, false), changed);
        assert_eq!(noted("8", &old, &old, false), []);
    }

    #[test]
    fn what_was_noted_stays_until_the_item_changes_again() {
        let old = secret(&[("a", "1"), ("b", "1")]);
        let mut second = secret(&[("a", "2"), ("b", "1")]);
        note(&sealed("7"), &old, &mut second, false);
        let third = secret(&[("a", "2"), ("b", "2")]);
        let both = [pair("a", "7"), pair("b", "8")];
        assert_eq!(noted("8", &second, &third, false), both);
        assert_eq!(noted("9", &second, &second, false), [pair("a", "7")]);
    }

    #[test]
    fn a_repair_of_what_somebody_edited_is_no_change() {
        let edited = secret(&[("a", "theirs")]);
        assert_eq!(noted("7", &edited, &secret(&[("a", "1")]), true), []);
    }
}
