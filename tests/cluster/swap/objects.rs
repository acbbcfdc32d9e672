//! The SealedSecrets of the swap: read from `objects.yaml`, sealed by upstream's kubeseal, created in the cluster.
//! It must not seal with our own code.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::harness::{equal, eventually, kubeseal, run};
use super::peer::{Controller, Install, vector};
use super::record::Record;

/// One line of the table; its head says what the fields mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Object {
    pub(crate) name: String,
    #[serde(default = "usual_namespace")]
    pub(crate) namespace: String,
    #[serde(default)]
    key: Key,
    #[serde(default = "usual_scope")]
    scope: String,
    #[serde(default)]
    secret: Value,
    #[serde(default)]
    sealed: Value,
    before: Option<Value>,
    refused: Option<String>,
    pub(crate) ours: Option<Ours>,
    #[serde(default)]
    pub(crate) rerolled: bool,
    pub(crate) afterwards: Option<String>,
}

/// What ours does differently with an object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ours {
    refused: Option<String>,
    #[serde(default)]
    pub(crate) data: BTreeMap<String, String>,
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Key {
    #[default]
    First,
    Second,
    Third,
    Legacy,
    Unknown,
}

/// Certificate files by key.
pub(crate) type Certificates = BTreeMap<Key, PathBuf>;

fn usual_namespace() -> String {
    "shop".to_owned()
}

fn usual_scope() -> String {
    "strict".to_owned()
}

/// The whole table.
pub(crate) fn read() -> Vec<Object> {
    serde_saphyr::from_str(include_str!("objects.yaml")).expect("objects.yaml is a list of objects")
}

/// Three keys in the order of their making, with the one that was there before and one that is not in the cluster.
#[track_caller]
pub(crate) fn three_keys(install: &Install) -> Certificates {
    let made = [Key::First, Key::Second, Key::Third].map(|key| {
        let path = install.testbed.path(&format!("{key:?}.pem"));
        std::fs::write(&path, install.renew_key()).expect("the testbed's folder is writable");
        (key, path)
    });
    let known = [
        (Key::Legacy, vector("test-cert.pem")),
        (Key::Unknown, vector("test-cert-4096.pem")),
    ];
    made.into_iter().chain(known).collect()
}

/// Creates namespaces, the Secrets that stand there before, and then the SealedSecrets.
#[track_caller]
pub(crate) fn create(objects: &[Object], certificates: &Certificates) {
    let mut namespaces: Vec<_> = objects.iter().map(|object| &object.namespace).collect();
    namespaces.sort();
    namespaces.dedup();
    let namespaces = namespaces.into_iter().map(
        |name| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }),
    );
    create_all(namespaces);
    create_all(objects.iter().filter_map(Object::blocker));
    create_all(objects.iter().map(|object| object.seal(certificates)));
}

/// Creates instead of applying, since applying drops what is null.
#[track_caller]
fn create_all(items: impl Iterator<Item = Value>) {
    let list =
        json!({ "apiVersion": "v1", "kind": "List", "items": Vec::from_iter(items) }).to_string();
    run(
        Command::new("kubectl").args(["create", "-f", "-"]),
        Some(&list),
    )
    .success();
}

/// Waits until the controller has tried every object, and each has the status that it should have.
#[track_caller]
pub(crate) fn settle(install: &Install, objects: &[Object]) {
    eventually("the controller has looked at every object", || {
        let metrics = install.metrics()?;
        let unseen = objects.iter().find(|object| !object.is_counted(&metrics));
        unseen.map_or(Ok(()), |object| Err(object.place()))
    });
    eventually("every status is as it should be", || {
        let record = Record::take(&install.testbed);
        let status = |object: &Object| {
            let live = record.get(&format!("SealedSecret {}", object.place()));
            object.has_status(live, install.runs).err()
        };
        let wrong: Vec<String> = objects.iter().filter_map(status).collect();
        equal(&wrong, &Vec::new())
    });
}

impl Object {
    /// True when both controllers have it in effect, the same way, and nobody touches it.
    pub(crate) fn is_healthy(&self) -> bool {
        self.refused.is_none() && self.ours.is_none()
    }

    /// True when ours has nothing new to say of it.
    pub(crate) fn is_settled(&self) -> bool {
        self.ours.is_none() && self.afterwards.is_none()
    }

    pub(crate) fn place(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// The message of the status where it is refused.
    fn refusal(&self, by: Controller) -> Option<&str> {
        let (theirs, ours) = (
            self.refused.as_deref(),
            self.ours.as_ref().map(|ours| ours.refused.as_deref()),
        );
        match by {
            Controller::Ours if self.afterwards.is_some() => None,
            Controller::Ours => ours.unwrap_or(theirs),
            Controller::Upstream => theirs,
            // Upstream does not write a message anew while the status stays False.
            Controller::UpstreamAgain => theirs.map(|theirs| ours.flatten().unwrap_or(theirs)),
        }
    }

    /// True when the controller has tried it: both count its condition then, with labels in any order.
    fn is_counted(&self, metrics: &str) -> bool {
        let labels = [("name", &self.name), ("namespace", &self.namespace)]
            .map(|(label, value)| format!("{label}=\"{value}\""));
        let mut series = metrics
            .lines()
            .filter(|line| line.starts_with("sealed_secrets_controller_condition_info{"));
        series.any(|line| labels.iter().all(|label| line.contains(label)))
    }

    /// `Ok` when the status of the live object is the one that it should have.
    fn has_status(&self, live: &Value, by: Controller) -> Result<(), String> {
        let generation = &live["metadata"]["generation"];
        let expected = match self.refusal(by) {
            None => json!(["True", null, generation]),
            Some(message) => json!(["False", message, generation]),
        };
        let condition = &live["status"]["conditions"][0];
        let observed = &live["status"]["observedGeneration"];
        let seen = json!([condition["status"], condition["message"], observed]);
        equal(&seen, &expected).map_err(|error| format!("{}: {error}", self.place()))
    }

    fn blocker(&self) -> Option<Value> {
        let mut secret = self.bare_secret();
        overlay(&mut secret, self.before.as_ref()?);
        Some(secret)
    }

    fn bare_secret(&self) -> Value {
        let metadata = json!({ "name": self.name, "namespace": self.namespace });
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata })
    }

    fn seal(&self, certificates: &Certificates) -> Value {
        if let Value::String(file) = &self.sealed {
            let text = std::fs::read_to_string(vector(file)).expect("a vector");
            let mut sealed: Value = serde_json::from_str(&text).expect("a vector is JSON");
            // The definition of today's versions demands it.
            sealed["spec"]["encryptedData"] = json!({});
            return sealed;
        }
        let mut secret = self.bare_secret();
        overlay(&mut secret, &self.secret);
        let certificate = certificates[&self.key].display().to_string();
        let args = [
            "--cert",
            &certificate,
            "--scope",
            &self.scope,
            "--allow-empty-data",
        ];
        let sealed = kubeseal(&args, &secret.to_string()).success();
        let mut sealed: Value = serde_json::from_str(&sealed).expect("kubeseal prints JSON");
        overlay(
            &mut sealed,
            &json!({ "metadata": { "name": self.name, "namespace": self.namespace } }),
        );
        overlay(&mut sealed, &self.sealed);
        sealed
    }
}

/// Writes `above` over `below`, objects field by field. Null is a value like others.
fn overlay(below: &mut Value, above: &Value) {
    match (below, above) {
        (_, Value::Null) => {}
        (below @ Value::Object(_), Value::Object(above)) => {
            let below = below.as_object_mut().expect("it is an object");
            above
                .iter()
                .for_each(|(field, value)| overlay_field(below, field, value));
        }
        (below, above) => *below = above.clone(),
    }
}

fn overlay_field(below: &mut Map<String, Value>, field: &str, value: &Value) {
    match below.get_mut(field) {
        Some(old) if !value.is_null() => overlay(old, value),
        _ => drop(below.insert(field.to_owned(), value.clone())),
    }
}
