//! What must hold after a fault: the cluster is what Git says, nothing was made anew or pruned wrongly, and whatever the controller
//! has written was its to write.

use std::collections::{BTreeMap, BTreeSet};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

use crate::harness::{equal, eventually};
use crate::record::{Write, deletions, writes};
use crate::shop::Shop;
use crate::version::Version;

/// Requests to delete one object: a process that is killed, or asks while nobody answers, asks once more.
const DELETIONS: usize = 3;

/// Kind and name.
type Identity = (String, String);

impl Shop {
    /// Waits until the cluster is what this version says, and nothing else is there that was not.
    #[track_caller]
    pub(crate) fn holds(&self, version: &Version, commit: &str) {
        self.scene.operation("Succeeded", commit);
        self.scene.sync_status("Synced", commit);
        eventually("the Application is healthy", || {
            let status = &self.scene.app()["status"];
            equal(&status["health"]["status"], &"Healthy".into())
                .map_err(|error| format!("{error}\n{status:#}"))
        });
        let number = version.number;
        let value = number.to_string();
        let mut expected: BTreeMap<Identity, String> = ["settings", "late"]
            .map(|name| (id("ConfigMap", name), value.clone()))
            .into();
        expected.insert(id("ConfigMap", &format!("old-{number}")), value.clone());
        expected.insert(id("ConfigMap", "kept"), "1".to_owned());
        expected.insert(id("SealedSecret", "login"), String::new());
        expected.insert(id("Deployment", "web"), format!("web:{value}"));
        let inventory: BTreeSet<_> = expected.keys().cloned().collect();
        assert_eq!(self.inventory(), inventory, "the inventory at {commit}");
        expected
            .extend(["nobodys", "strangers"].map(|name| (id("ConfigMap", name), "0".to_owned())));
        expected.insert(id("Secret", "login"), value);
        expected.extend(["migrate", "smoke"].map(|name| (id("Job", name), String::new())));
        eventually("the cluster holds what Git says", || {
            equal(&self.objects(), &expected)
        });
    }

    /// The objects of the destination, each with what distinguishes its versions.
    fn objects(&self) -> BTreeMap<Identity, String> {
        let objects = self.live().into_iter();
        objects
            .filter(|object| object["metadata"]["namespace"] == self.scene.to.as_str())
            .map(|object| (identity(&object), content(&object)))
            .collect()
    }

    /// What stays the same while nobody makes an object anew. Hooks are made anew by each operation.
    pub(crate) fn uids(&self) -> BTreeMap<Identity, Value> {
        let objects = self
            .live()
            .into_iter()
            .filter(|object| object["kind"] != "Job");
        objects
            .map(|object| (identity(&object), object["metadata"]["uid"].clone()))
            .collect()
    }

    /// Fails where an object of before is another one now. Those may have gone that Git dropped.
    #[track_caller]
    pub(crate) fn has_kept(&self, before: &BTreeMap<Identity, Value>) {
        let now = self.uids();
        for (identity, uid) in before
            .iter()
            .filter(|((_, name), _)| !name.starts_with("old-"))
        {
            assert_eq!(
                now.get(identity),
                Some(uid),
                "{identity:?} is not the object of before"
            );
        }
    }

    fn live(&self) -> Vec<Value> {
        let kinds = [
            "configmaps",
            "secrets",
            "sealedsecrets",
            "deployments",
            "jobs",
        ];
        let of_kind = |kind| {
            [&self.scene.to, &self.neighbours]
                .map(|namespace| self.scene.testbed.objects(namespace, kind))
                .concat()
        };
        let mut objects: Vec<_> = kinds.into_iter().flat_map(of_kind).collect();
        objects.retain(|object| object["metadata"]["name"] != "kube-root-ca.crt");
        objects
    }

    fn inventory(&self) -> BTreeSet<Identity> {
        let status = &self.scene.app()["status"];
        let entries = status["resources"].as_array().into_iter().flatten();
        entries
            .map(|entry| id(&text(&entry["kind"]), &text(&entry["name"])))
            .collect()
    }

    /// Fails where the controller has written what is none of its business, has deleted what no version dropped, or where the
    /// hooks before and after a sync have run more or less often than this.
    #[track_caller]
    pub(crate) fn has_written_its_own(&self, before: usize, after: usize) {
        let writes = writes(&self.scene.testbed, &self.account);
        let foreign: Vec<_> = writes.iter().filter(|write| !self.is_ours(write)).collect();
        assert!(foreign.is_empty(), "{foreign:#?}");
        let runs = |hook: &str| {
            let made = |write: &&Write| {
                write.resource == "jobs" && write.name == hook && write.code == 201
            };
            writes.iter().filter(made).count()
        };
        assert_eq!(
            [runs("migrate"), runs("smoke")],
            [before, after],
            "runs of the hooks"
        );
        let deletes = writes
            .iter()
            .filter(|write| write.verb.starts_with("delete"));
        let dropped =
            |write: &&Write| !(write.resource == "jobs" || write.name.starts_with("old-"));
        let wrong: Vec<_> = deletes.filter(dropped).collect();
        assert!(wrong.is_empty(), "deleted: {wrong:#?}");
        let deletions = deletions(&self.scene.testbed, &self.account, "configmaps");
        let most = deletions.values().max().copied().unwrap_or_default();
        assert!(most <= DELETIONS, "deleted again and again: {deletions:?}");
    }

    fn is_ours(&self, write: &Write) -> bool {
        let Write {
            namespace,
            resource,
            name,
            ..
        } = write;
        let (kind, _) = resource.split_once('/').unwrap_or((resource, ""));
        let known = match kind {
            "configmaps" => {
                ["settings", "late", "kept"].contains(&name.as_str()) || name.starts_with("old-")
            }
            "secrets" | "sealedsecrets" => name == "login",
            "deployments" => name == "web",
            "jobs" => ["migrate", "smoke"].contains(&name.as_str()),
            _ => kind == "events",
        };
        let theirs = *namespace == self.neighbours && kind == "configmaps" && name == "theirs";
        *namespace == self.scene.own || (*namespace == self.scene.to && known) || theirs
    }
}

fn id(kind: &str, name: &str) -> Identity {
    (kind.to_owned(), name.to_owned())
}

fn identity(object: &Value) -> Identity {
    id(&text(&object["kind"]), &text(&object["metadata"]["name"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What distinguishes versions of an object.
fn content(object: &Value) -> String {
    match object["kind"].as_str() {
        Some("ConfigMap") => text(&object["data"]["value"]),
        Some("Deployment") => text(&object["spec"]["template"]["spec"]["containers"][0]["image"]),
        Some("Secret") => {
            let password = BASE64_STANDARD.decode(text(&object["data"]["password"]));
            String::from_utf8(password.unwrap_or_default()).unwrap_or_default()
        }
        _ => String::new(),
    }
}
