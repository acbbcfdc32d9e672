//! Whether a workload has to be started anew: which of the items that it uses changed after its Pods started. The same for one of an
//! Application as for any other.
//! Pure; it compares names and versions and never sees a value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::sync::desired::restarts::{Items, SecretItems};
use crate::unseal::ChangedItems;

/// The changes that the Pods of a workload were started with: of each Secret in use the version of each item in use, which is empty
/// where nothing has changed since the Secret was made.
pub type StartedWith = BTreeMap<String, ChangedItems>;

/// Items that have changed, of each Secret.
pub type Changed = BTreeMap<String, BTreeSet<String>>;

/// Stands for all items of a Secret of which nothing else is said. No item has this name.
const OTHERS: &str = "*";

/// A workload, and what is noted on the Secrets that it uses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    /// What its Pods use.
    pub uses: SecretItems,
    /// What is noted on these Secrets.
    pub changed: BTreeMap<String, Arc<ChangedItems>>,
    /// What its Pods were started with; `None` at first sight.
    pub started_with: Option<StartedWith>,
}

impl World {
    /// Of a workload with this annotation. One that can't be read is taken for none.
    pub fn new(
        uses: SecretItems,
        changed: BTreeMap<String, Arc<ChangedItems>>,
        started_with: Option<&str>,
    ) -> Self {
        Self {
            uses,
            changed,
            started_with: started_with.and_then(|text| serde_json::from_str(text).ok()),
        }
    }
}

/// What to do to a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Its Pods know all changes.
    Rest,
    /// Write down what its Pods were started with, and leave them running.
    Note(StartedWith),
    /// Write it down, and start them anew.
    Restart {
        started_with: StartedWith,
        /// Items that have changed, of each Secret.
        changed: Changed,
    },
}

/// Decides.
pub fn plan(world: &World) -> Plan {
    let now = started_with(world);
    let before = match &world.started_with {
        Some(before) if *before == now => return Plan::Rest,
        Some(before) => before,
        None if now.is_empty() => return Plan::Rest,
        None => return Plan::Note(now),
    };
    let changed = changed(before, &now);
    match changed.is_empty() {
        true => Plan::Note(now),
        false => Plan::Restart {
            started_with: now,
            changed,
        },
    }
}

/// What goes into the template of Pods so that they are started anew: a digest of the changes that they are started with.
pub fn digest(started_with: &StartedWith) -> String {
    let mut versions = String::new();
    for (secret, items) in started_with {
        let changed = items.iter().filter(|(_, version)| !version.is_empty());
        versions.extend(changed.map(|(item, version)| format!("{secret}/{item}={version}\n")));
    }
    let digest = Sha256::digest(&versions);
    let first: [u8; 8] = std::array::from_fn(|index| digest[index]);
    format!("{:016x}", u64::from_be_bytes(first))
}

/// Secrets and items by name, for people.
pub fn named(changed: &Changed) -> String {
    let of = |(secret, items): (&String, &BTreeSet<String>)| {
        let items: Vec<_> = items.iter().map(String::as_str).collect();
        format!("{secret} ({})", items.join(", "))
    };
    let secrets: Vec<_> = changed.iter().map(of).collect();
    secrets.join(", ")
}

/// What Pods that are started now are started with. A note that was lost with its Secret is kept here while the item is in use.
fn started_with(world: &World) -> StartedWith {
    let of = |(secret, items): (&String, &Items)| {
        let before = world.started_with.as_ref().and_then(|all| all.get(secret));
        let mut versions: ChangedItems = match items {
            Items::All => [OTHERS.to_owned()].into(),
            Items::Some(items) => items.clone(),
        }
        .into_iter()
        .map(|item| (item, String::new()))
        .collect();
        let noted = world.changed.get(secret).map(|changed| &**changed);
        let noted = before.into_iter().chain(noted);
        let used = noted.flatten().filter(|(item, _)| items.contains(item));
        versions.extend(used.map(|(item, version)| (item.clone(), version.clone())));
        (secret.clone(), versions)
    };
    world.uses.iter().map(of).collect()
}

/// Items with another version than before. One that was not used before was not changed: the edit of the template started the Pods.
fn changed(before: &StartedWith, now: &StartedWith) -> Changed {
    let of = |(secret, versions): (&String, &ChangedItems)| {
        let before = before.get(secret)?;
        let differs = |(item, version): &(&String, &String)| {
            let before = before.get(*item).or_else(|| before.get(OTHERS));
            before.is_some_and(|before| before != *version)
        };
        let differing = versions.iter().filter(differs);
        let items: BTreeSet<String> = differing.map(|(item, _)| item.clone()).collect();
        (!items.is_empty()).then(|| (secret.clone(), items))
    };
    now.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(items: &[&str]) -> Items {
        Items::Some(items.iter().map(|item| (*item).to_owned()).collect())
    }

    fn versions(items: &[(&str, &str)]) -> ChangedItems {
        let pair = |(item, version): &(&str, &str)| ((*item).to_owned(), (*version).to_owned());
        items.iter().map(pair).collect()
    }

    /// A workload that uses these items of the Secret `db`, on which this is noted.
    fn world(uses: Items, changed: &[(&str, &str)]) -> World {
        World {
            uses: [("db".to_owned(), uses)].into(),
            changed: [("db".to_owned(), Arc::new(versions(changed)))].into(),
            ..World::default()
        }
    }

    /// The same once it was done what is due, and was due only what must not start Pods.
    #[track_caller]
    fn noted(world: World) -> World {
        match plan(&world) {
            Plan::Note(started_with) => {
                let started_with = Some(started_with);
                let after = World {
                    started_with,
                    ..world
                };
                assert_eq!(plan(&after), Plan::Rest);
                after
            }
            plan => panic!("{plan:?}"),
        }
    }

    /// The same with this noted on the Secret.
    fn then(world: &World, changed: &[(&str, &str)]) -> World {
        let changed = Arc::new(versions(changed));
        World {
            changed: [("db".to_owned(), changed)].into(),
            ..world.clone()
        }
    }

    /// Which items start its Pods anew, and the workload after that.
    #[track_caller]
    fn restarted(world: World) -> (Vec<String>, World) {
        match plan(&world) {
            Plan::Restart {
                started_with,
                changed,
            } => {
                let after = World {
                    started_with: Some(started_with),
                    ..world
                };
                assert_eq!(plan(&after), Plan::Rest);
                (changed.into_values().flatten().collect(), after)
            }
            plan => panic!("{plan:?}"),
        }
    }

    #[test]
    fn at_first_sight_what_has_changed_is_noted_and_nothing_started() {
        assert_eq!(plan(&World::default()), Plan::Rest);
        noted(world(some(&["a"]), &[]));
        noted(world(some(&["a"]), &[("a", "7")]));
        noted(world(Items::All, &[("a", "7")]));
    }

    #[test]
    fn each_change_of_an_item_in_use_starts_its_pods_once() {
        for uses in [some(&["a"]), Items::All] {
            let seen = noted(world(uses.clone(), &[]));
            let (items, after) = restarted(then(&seen, &[("a", "7")]));
            assert_eq!(items, ["a"]);
            let (items, _) = restarted(then(&after, &[("a", "8")]));
            assert_eq!(items, ["a"]);
        }
    }

    #[test]
    fn an_item_that_is_not_in_use_starts_nothing() {
        let seen = noted(world(some(&["a"]), &[("a", "7")]));
        assert_eq!(plan(&then(&seen, &[("a", "7"), ("b", "8")])), Plan::Rest);
    }

    #[test]
    fn another_use_of_secrets_is_noted_since_the_edit_started_the_pods() {
        let seen = noted(world(some(&["a"]), &[("a", "7"), ("b", "8")]));
        for uses in [some(&["a", "b"]), some(&["b"]), Items::All] {
            noted(World {
                uses: [("db".to_owned(), uses)].into(),
                ..seen.clone()
            });
        }
        let mut more = seen.clone();
        more.uses.insert("tls".to_owned(), Items::All);
        let changed = Arc::new(versions(&[("tls.key", "9")]));
        more.changed.insert("tls".to_owned(), changed);
        noted(more);
        noted(World {
            uses: SecretItems::new(),
            ..seen
        });
    }

    #[test]
    fn a_secret_that_comes_back_without_notes_starts_nothing() {
        let seen = noted(world(Items::All, &[("a", "7")]));
        let gone = World {
            changed: BTreeMap::new(),
            ..seen
        };
        assert_eq!(plan(&gone), Plan::Rest);
        assert_eq!(restarted(then(&gone, &[("a", "9")])).0, ["a"]);
    }

    #[test]
    fn a_note_that_can_not_be_read_is_a_first_sight() {
        let World { uses, changed, .. } = world(Items::All, &[("a", "7")]);
        let read = |text| World::new(uses.clone(), changed.clone(), Some(text));
        noted(read("what is this"));
        restarted(read(r#"{"db":{"*":""}}"#));
    }

    #[test]
    fn a_digest_tells_changes_apart_and_nothing_else() {
        let with = |items: &[(&str, &str)]| digest(&[("db".to_owned(), versions(items))].into());
        let first = with(&[("a", "7")]);
        assert_eq!(first.len(), 16);
        assert_eq!(with(&[("a", "7"), ("*", "")]), first);
        for others in [&[("a", "8")][..], &[("b", "7")], &[("a", "7"), ("b", "7")]] {
            assert_ne!(with(others), first);
        }
    }

    #[test]
    fn secrets_and_items_are_named() {
        let items = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        let changed = [
            ("db".to_owned(), items(&["password", "user"])),
            ("tls".to_owned(), items(&["tls.key"])),
        ];
        assert_eq!(named(&changed.into()), "db (password, user), tls (tls.key)");
    }
}
