//! The workloads that ask to be started anew, and which of them to look at next.
//! It keeps nothing of any other workload, and knows of these what tells whether a look is due.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use kube::api::ObjectMeta;

use crate::dialect::{RESTART, STARTED_WITH, TRACKING_ANNOTATION, parse_tracking};
use crate::sync::key::{GroupKind, ObjectKey};
use crate::unseal::ObjectName;

/// What of a workload's metadata makes a look worth while when it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    uid: Option<String>,
    generation: Option<i64>,
    started_with: Option<String>,
    /// Name of the Application in its tracking id.
    pub(super) application: Option<String>,
}

impl Sight {
    /// A workload that asks to be started anew; `None` for any other, and one that is being deleted.
    pub(super) fn of(key: &ObjectKey, metadata: &ObjectMeta) -> Option<Self> {
        let annotation = |name: &str| metadata.annotations.as_ref()?.get(name);
        let asks = annotation(RESTART).is_some_and(|text| text == "true");
        if !asks || metadata.deletion_timestamp.is_some() {
            return None;
        }
        let tracking = annotation(TRACKING_ANNOTATION).and_then(|text| parse_tracking(text));
        // A copy of an object of an Application is not the Application's.
        let its_own = tracking.filter(|tracking| {
            tracking.names(key.group(), key.kind(), key.namespace(), key.name())
        });
        Some(Self {
            uid: metadata.uid.clone(),
            generation: metadata.generation,
            started_with: annotation(STARTED_WITH).cloned(),
            application: its_own.map(|tracking| tracking.application),
        })
    }
}

/// What one watch tells of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    pub(super) kind: GroupKind,
    /// `None` for the whole cluster.
    pub(super) namespace: Option<String>,
}

impl Scope {
    fn holds(&self, key: &ObjectKey) -> bool {
        let namespace = self.namespace.as_deref();
        key.is(&self.kind.group, &self.kind.kind)
            && namespace.is_none_or(|namespace| key.namespace_or_empty() == namespace)
    }
}

#[derive(Debug)]
struct Kept {
    /// How many lists had begun when a watch showed it last.
    seen: u64,
    sight: Sight,
    /// The Secrets that its Pods use, as the last look found them.
    uses: BTreeSet<String>,
    /// When to look at it.
    due: Option<Instant>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Workloads {
    kept: HashMap<ObjectKey, Kept>,
    /// How many lists have begun.
    lists: u64,
    /// Which of them is or was read last of each scope.
    last: HashMap<Scope, u64>,
}

impl Workloads {
    /// A list begins.
    pub(super) fn begin(&mut self, scope: &Scope) {
        self.lists += 1;
        self.last.insert(scope.clone(), self.lists);
    }

    /// A list is whole: what was not seen since it began has gone.
    pub(super) fn listed(&mut self, scope: &Scope) {
        let began = self.last.get(scope).copied().unwrap_or_default();
        self.kept
            .retain(|key, kept| kept.seen >= began || !scope.holds(key));
    }

    /// A workload as a watch shows it.
    pub(super) fn see(&mut self, key: ObjectKey, sight: Sight) {
        let seen = self.lists;
        let kept = self.kept.entry(key).or_insert_with(|| Kept {
            seen,
            sight: sight.clone(),
            uses: BTreeSet::new(),
            due: Some(Instant::now()),
        });
        kept.seen = seen;
        if kept.sight != sight {
            kept.sight = sight;
            kept.due = Some(Instant::now());
        }
    }

    /// It is not there any more, or asks for nothing.
    pub(super) fn forget(&mut self, key: &ObjectKey) {
        self.kept.remove(key);
    }

    /// Something has changed of a Secret, or of some that nobody knows.
    pub(super) fn secret_changed(&mut self, secret: Option<&ObjectName>) {
        let now = Instant::now();
        let uses = |key: &ObjectKey, kept: &Kept| {
            secret.is_none_or(|secret| {
                key.namespace_or_empty() == secret.namespace && kept.uses.contains(&secret.name)
            })
        };
        for (key, kept) in &mut self.kept {
            if uses(key, kept) {
                kept.due = Some(now);
            }
        }
    }

    /// Applications have come or gone.
    pub(super) fn applications_changed(&mut self) {
        for kept in self.kept.values_mut() {
            if kept.sight.application.is_some() {
                kept.due = Some(Instant::now());
            }
        }
    }

    /// What to look at next, and when.
    pub(super) fn next(&self) -> Option<(Instant, ObjectKey)> {
        let due = self.kept.iter();
        due.filter_map(|(key, kept)| Some((kept.due?, key)))
            .min_by_key(|(due, _)| *due)
            .map(|(due, key)| (due, key.clone()))
    }

    /// It is being looked at.
    pub(super) fn look(&mut self, key: &ObjectKey) {
        if let Some(kept) = self.kept.get_mut(key) {
            kept.due = None;
        }
    }

    /// Which Secrets its Pods use.
    pub(super) fn uses(&mut self, key: &ObjectKey, secrets: BTreeSet<String>) {
        if let Some(kept) = self.kept.get_mut(key) {
            kept.uses = secrets;
        }
    }

    /// It was written: that is no news.
    pub(super) fn wrote(&mut self, key: &ObjectKey, metadata: &ObjectMeta) {
        if let (Some(kept), Some(sight)) = (self.kept.get_mut(key), Sight::of(key, metadata)) {
            kept.sight = sight;
        }
    }

    /// It has to be looked at again.
    pub(super) fn again(&mut self, key: &ObjectKey, pause: Duration) {
        if let Some(kept) = self.kept.get_mut(key) {
            kept.due = Some(Instant::now() + pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind() -> GroupKind {
        GroupKind::new("apps", "Deployment")
    }

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new(&kind(), Some("demo"), name)
    }

    fn see(workloads: &mut Workloads, name: &str, metadata: &ObjectMeta) {
        let sight = Sight::of(&key(name), metadata).unwrap();
        workloads.see(key(name), sight);
    }

    fn metadata(generation: i64, annotations: &serde_json::Value) -> ObjectMeta {
        let metadata = json!({ "uid": "1", "generation": generation, "annotations": annotations });
        serde_json::from_value(metadata).unwrap()
    }

    fn asks() -> serde_json::Value {
        json!({ RESTART: "true" })
    }

    /// Names of those to look at; afterwards all of them were.
    fn due(workloads: &mut Workloads) -> Vec<String> {
        let mut due = Vec::new();
        while let Some((_, key)) = workloads.next() {
            workloads.look(&key);
            due.push(key.name().to_owned());
        }
        due.sort();
        due
    }

    #[test]
    fn only_what_says_so_asks_for_it() {
        let asks_by = |annotations| Sight::of(&key("web"), &metadata(1, &annotations)).is_some();
        assert!(asks_by(asks()));
        assert!(!asks_by(json!({ "other": "true" })));
        assert!(!asks_by(json!({ RESTART: "false" })));
    }

    #[test]
    fn a_look_is_due_when_the_workload_changes_or_a_secret_that_it_uses() {
        let mut workloads = Workloads::default();
        for name in ["one", "two"] {
            see(&mut workloads, name, &metadata(1, &asks()));
        }
        assert_eq!(due(&mut workloads), ["one", "two"]);
        see(&mut workloads, "one", &metadata(1, &asks()));
        assert!(due(&mut workloads).is_empty());
        see(&mut workloads, "one", &metadata(2, &asks()));
        assert_eq!(due(&mut workloads), ["one"]);

        workloads.uses(&key("two"), ["db".to_owned()].into());
        let secret = |namespace: &str, name: &str| ObjectName {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        for other in [secret("demo", "tls"), secret("elsewhere", "db")] {
            workloads.secret_changed(Some(&other));
            assert!(due(&mut workloads).is_empty());
        }
        workloads.secret_changed(Some(&secret("demo", "db")));
        assert_eq!(due(&mut workloads), ["two"]);
        workloads.secret_changed(None);
        assert_eq!(due(&mut workloads), ["one", "two"]);
    }

    #[test]
    fn what_has_an_application_is_looked_at_when_applications_come_and_go() {
        let mut workloads = Workloads::default();
        let tracked = |name: &str| json!({ RESTART: "true", TRACKING_ANNOTATION: format!("shop:apps/Deployment:demo/{name}") });
        see(&mut workloads, "web", &metadata(1, &tracked("web")));
        see(&mut workloads, "copy", &metadata(1, &tracked("web")));
        assert_eq!(due(&mut workloads).len(), 2);
        workloads.applications_changed();
        assert_eq!(due(&mut workloads), ["web"]);
    }

    #[test]
    fn what_a_new_list_does_not_show_has_gone() {
        let whole = Scope {
            kind: kind(),
            namespace: None,
        };
        for (namespace, goes) in [(None, true), (Some("demo"), true), (Some("other"), false)] {
            let scope = Scope {
                namespace: namespace.map(str::to_owned),
                ..whole.clone()
            };
            let mut workloads = Workloads::default();
            workloads.begin(&whole);
            see(&mut workloads, "stays", &metadata(1, &asks()));
            see(&mut workloads, "goes", &metadata(1, &asks()));
            workloads.listed(&whole);
            assert_eq!(due(&mut workloads), ["goes", "stays"]);
            workloads.begin(&scope);
            see(&mut workloads, "stays", &metadata(1, &asks()));
            workloads.listed(&scope);
            assert_eq!(
                !workloads.kept.contains_key(&key("goes")),
                goes,
                "{namespace:?}"
            );
            assert!(workloads.kept.contains_key(&key("stays")));
            assert!(due(&mut workloads).is_empty());
        }
    }
}
