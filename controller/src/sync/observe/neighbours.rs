//! Who is beside an Application: Argo CD's application controller, at work in a namespace whose Applications we would sync, and other
//! Applications, with objects in its Namespaces and of kinds that it defines.
//! It only looks; who is in the way of whom is said by the plan.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use futures::future::join;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use kube::{Api, Client, ResourceExt, runtime::watcher};
use serde_json::Value;

use crate::dialect::argocd::APPLICATION_CONTROLLER_SELECTOR;
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::observe::follow::{Change, follow};
use crate::sync::plan::holders::group_defined_by;

/// Application controllers at work, by namespace.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    working: Mutex<HashMap<String, BTreeSet<(&'static str, String)>>>,
}

impl Neighbours {
    /// Follows one namespace for ever, and tells what changed; each of its two listings is told when it is whole.
    pub(crate) async fn follow(&self, client: Client, namespace: &str, tell: impl Fn(News)) {
        let config = watcher::Config::default().labels(APPLICATION_CONTROLLER_SELECTOR);
        let stateful = follow(
            Api::<StatefulSet>::namespaced(client.clone(), namespace),
            config.clone(),
            |change| {
                let replicas = |set: &StatefulSet| set.spec.replicas;
                tell(self.take_in(namespace, "StatefulSet", change, replicas));
            },
        );
        let deployed = follow(
            Api::<Deployment>::namespaced(client, namespace),
            config,
            |change| {
                let replicas = |deployment: &Deployment| deployment.spec.replicas;
                tell(self.take_in(namespace, "Deployment", change, replicas));
            },
        );
        join(stateful, deployed).await;
    }

    /// An Argo CD application controller with replicas lives there.
    pub(crate) fn at_work(&self, namespace: &str) -> bool {
        let working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        working
            .get(namespace)
            .is_some_and(|found| !found.is_empty())
    }

    fn take_in<K: ResourceExt>(
        &self,
        namespace: &str,
        kind: &'static str,
        change: Change<K>,
        replicas: impl Fn(&K) -> Option<i32>,
    ) -> News {
        let (name, works) = match change {
            Change::Listed(object) | Change::Changed(object) => {
                (object.name_any(), replicas(&object) != Some(0))
            }
            Change::Gone { name, .. } => (name, false),
            Change::Whole => return News::Whole,
        };
        let mut working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        let found = working.entry(namespace.to_owned()).or_default();
        let before = !found.is_empty();
        if works {
            found.insert((kind, name));
        } else {
            found.remove(&(kind, name));
        }
        if before == found.is_empty() {
            News::Changed
        } else {
            News::Nothing
        }
    }
}

/// What a change means for the Applications of the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Nothing,
    Changed,
    Whole,
}

/// An object in the inventory of an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) key: ObjectKey,
    pub(super) version: String,
    /// The Application's name in tracking ids.
    pub(super) application: String,
}

/// What these Applications list in the Namespaces, and of the groups of the definitions, among `holders`: one object in each Namespace,
/// and one of each kind. Inventories have thousands of entries, so an entry that is not asked for costs no more than a look.
pub(super) fn listed(
    applications: &BTreeMap<String, Arc<Value>>,
    holders: &BTreeSet<ObjectKey>,
) -> Vec<Listed> {
    let mut sought = Sought::of(holders);
    let mut found = Vec::new();
    for (application, object) in applications {
        let resources = object.pointer("/status/resources");
        for entry in resources.and_then(Value::as_array).into_iter().flatten() {
            let text = |field: &str| entry[field].as_str().unwrap_or_default();
            let (group, kind, namespace) = (text("group"), text("kind"), text("namespace"));
            if !text("name").is_empty() && sought.takes(group, kind, namespace) {
                found.push(Listed {
                    key: ObjectKey::of(group, kind, namespace, text("name")),
                    version: text("version").to_owned(),
                    application: application.clone(),
                });
            }
        }
    }
    found
}

/// What is still looked for.
struct Sought<'a> {
    /// Namespaces in which nothing was found yet.
    namespaces: BTreeSet<&'a str>,
    /// Groups of definitions.
    groups: BTreeSet<&'a str>,
    /// Kinds of these groups that were found: few, whatever the number of their objects.
    kinds: Vec<GroupKind>,
}

impl<'a> Sought<'a> {
    fn of(holders: &'a BTreeSet<ObjectKey>) -> Self {
        let namespaces = holders.iter().filter(|key| key.is("", "Namespace"));
        Self {
            namespaces: namespaces.map(ObjectKey::name).collect(),
            groups: holders.iter().filter_map(group_defined_by).collect(),
            kinds: Vec::new(),
        }
    }

    /// The first object of its place or kind is taken.
    fn takes(&mut self, group: &str, kind: &str, namespace: &str) -> bool {
        let mut kinds = self.kinds.iter();
        let is_of_new_kind =
            self.groups.contains(group) && !kinds.any(|known| known.is(group, kind));
        if is_of_new_kind {
            self.kinds.push(GroupKind::new(group, kind));
        }
        self.namespaces.remove(namespace) || is_of_new_kind
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listing(entries: &[[&str; 4]]) -> Arc<Value> {
        let entries = entries.iter().map(|[group, kind, namespace, name]| {
            json!({"group": group, "version": "v1", "kind": kind, "namespace": namespace, "name": name})
        });
        Arc::new(json!({"status": {"resources": entries.collect::<Vec<_>>()}}))
    }

    #[test]
    fn of_other_applications_one_object_of_each_namespace_and_kind_is_told() {
        let applications = BTreeMap::from([
            ("not-synced".to_owned(), Arc::new(json!({}))),
            (
                "other".to_owned(),
                listing(&[
                    ["", "Namespace", "", "extra"],
                    ["", "ConfigMap", "elsewhere", "a"],
                    ["apps", "Deployment", "extra", "web"],
                    ["", "Service", "extra", "web"],
                    ["example.com", "Gadget", "elsewhere", "a"],
                ]),
            ),
            (
                "team_third".to_owned(),
                listing(&[
                    ["", "ConfigMap", "extra", "late"],
                    ["example.com", "Gadget", "elsewhere", "b"],
                    ["example.com", "Widget", "elsewhere", "c"],
                    ["sub.example.com", "Widget", "elsewhere", "d"],
                ]),
            ),
        ]);
        let holders = BTreeSet::from([
            ObjectKey::of("", "Namespace", "", "extra"),
            ObjectKey::of("", "Namespace", "", "empty"),
            ObjectKey::of(
                "apiextensions.k8s.io",
                "CustomResourceDefinition",
                "",
                "widgets.example.com",
            ),
        ]);
        let found = listed(&applications, &holders).into_iter();
        let found: Vec<_> = found
            .map(|found| format!("{}: {}", found.application, found.key))
            .collect();
        assert_eq!(
            found,
            [
                "other: apps/Deployment extra/web",
                "other: example.com/Gadget elsewhere/a",
                "team_third: example.com/Widget elsewhere/c",
            ]
        );
    }
}
