//! Applications as a person or a script looks at them and asks for something.
//! Must not need more of an Application than is there: Argo CD's are read as well as ours.

use std::time::Duration;

use crds::names::application::{API_VERSION, GROUP, KIND, PLURAL, VERSION};
use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::cluster::{self, Cluster};

/// Written to ask for a fresh look at Git; the controller removes it when it has looked.
const REFRESH_ANNOTATION: &str = "argocd.argoproj.io/refresh";
/// How the message of an operation begins that waits for an approval.
const ASKING: &str = "waiting for pruning confirmation";
/// Digits of a commit, and as many of them as Git shows.
const COMMIT: usize = 40;
const SHORT_COMMIT: usize = 7;

/// The Applications of one namespace, or of all.
pub(crate) struct Applications<'cluster> {
    cluster: &'cluster Cluster,
    api: Api<DynamicObject>,
    namespace: String,
    place: String,
}

/// One Application.
#[derive(Clone, Debug)]
pub(crate) struct Application(pub(crate) DynamicObject);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    #[error("there is no Application {name} in {place}")]
    Missing { name: String, place: String },
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Cluster(error) => error.hint(),
            Self::Missing { .. } => {
                Some("`signet app list --all-namespaces` shows what there is".to_owned())
            }
        }
    }
}

impl<'cluster> Applications<'cluster> {
    pub(crate) fn all(cluster: &'cluster Cluster) -> Self {
        let api = Api::all_with(cluster.client(), &resource());
        Self {
            cluster,
            api,
            namespace: String::new(),
            place: "the cluster".to_owned(),
        }
    }

    /// In the namespace given, else in the controller's.
    pub(crate) fn within(cluster: &'cluster Cluster, namespace: Option<&str>) -> Self {
        let namespace = namespace.unwrap_or_else(|| cluster.namespace());
        let api = Api::namespaced_with(cluster.client(), namespace, &resource());
        Self {
            cluster,
            api,
            namespace: namespace.to_owned(),
            place: format!("namespace {namespace}"),
        }
    }

    /// Their namespace; empty where they are of all.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    pub(crate) fn list(&self) -> Result<Vec<Application>, Error> {
        let action = format!("list Applications in {}", self.place);
        let list = self
            .cluster
            .ask(&action, self.api.list(&ListParams::default()))?;
        Ok(list.items.into_iter().map(Application).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Result<Application, Error> {
        let action = format!("read Application {name} in {}", self.place);
        self.cluster
            .ask(&action, self.api.get(name))
            .map(Application)
            .map_err(|error| self.missing(name, error))
    }

    /// Puts an operation into the request slot, where the controller takes it.
    pub(crate) fn request(&self, name: &str, operation: &Value) -> Result<(), Error> {
        self.merge(
            name,
            &format!("sync Application {name}"),
            json!({ "operation": operation }),
        )
    }

    pub(crate) fn request_refresh(&self, name: &str) -> Result<(), Error> {
        let patch = json!({ "metadata": { "annotations": { REFRESH_ANNOTATION: "normal" } } });
        self.merge(name, &format!("refresh Application {name}"), patch)
    }

    /// A merge patch. `action` completes the sentence "cannot …".
    pub(crate) fn merge(&self, name: &str, action: &str, patch: Value) -> Result<(), Error> {
        let patch = Patch::Merge(patch);
        let patched = self.cluster.ask(
            action,
            self.api.patch(name, &PatchParams::default(), &patch),
        );
        patched.map(drop).map_err(|error| self.missing(name, error))
    }

    /// Watches until `reached` says so. `None` when the time is over.
    pub(crate) fn wait(
        &self,
        name: &str,
        time: Duration,
        reached: impl Fn(&Application) -> bool,
    ) -> Result<Option<Application>, Error> {
        let wanted = |object: Option<&DynamicObject>| {
            object.is_some_and(|object| reached(&Application(object.clone())))
        };
        let found = self.cluster.watch(
            &format!("Application {name}"),
            time,
            &self.api,
            name,
            wanted,
        )?;
        Ok(found.map(Application))
    }

    fn missing(&self, name: &str, error: cluster::Error) -> Error {
        match error.is_missing() {
            true => Error::Missing {
                name: name.to_owned(),
                place: self.place.clone(),
            },
            false => error.into(),
        }
    }
}

impl Application {
    pub(crate) fn name(&self) -> String {
        self.0.name_any()
    }

    pub(crate) fn namespace(&self) -> String {
        self.0.namespace().unwrap_or_default()
    }

    /// The text at a JSON pointer; empty where there is none.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.0
            .data
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The elements at a JSON pointer; none where there is no list.
    pub(crate) fn elements(&self, pointer: &str) -> &[Value] {
        self.0
            .data
            .pointer(pointer)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    pub(crate) fn sync_status(&self) -> &str {
        self.text("/status/sync/status")
    }

    pub(crate) fn health(&self) -> &str {
        self.text("/status/health/status")
    }

    /// Where its objects come from: `spec.source`, or each of `spec.sources`.
    pub(crate) fn sources(&self) -> &[Value] {
        match (
            self.elements("/spec/sources"),
            self.0.data.pointer("/spec/source"),
        ) {
            ([], Some(source)) => std::slice::from_ref(source),
            (sources, _) => sources,
        }
    }

    /// The spec as it is written; null where there is none.
    pub(crate) fn spec(&self) -> &Value {
        &self.0.data["spec"]
    }

    pub(crate) fn resource_version(&self) -> &str {
        self.0
            .metadata
            .resource_version
            .as_deref()
            .unwrap_or_default()
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.0.annotations().get(key).map(String::as_str)
    }

    /// What of each source was compared with the cluster last: a commit, or the version of a chart.
    pub(crate) fn revisions(&self) -> Vec<String> {
        revisions_of(&self.0.data["status"]["sync"])
    }

    /// The same as one text, commits shortened.
    pub(crate) fn revision(&self) -> String {
        shortened(&self.revisions())
    }

    pub(crate) fn phase(&self) -> &str {
        self.text("/status/operationState/phase")
    }

    /// The operation that runs or ran last, and how it stands; null where there was none.
    pub(crate) fn operation_state(&self) -> &Value {
        &self.0.data["status"]["operationState"]
    }

    /// The revisions that the operation stays at, else those that it was asked for.
    pub(crate) fn operation_revisions(&self) -> Option<Vec<String>> {
        let state = self.operation_state();
        let parts = [&state["syncResult"], &state["operation"]["sync"]];
        parts.into_iter().find_map(stated_revisions)
    }

    /// The request that the controller has not taken up yet; null where there is none.
    pub(crate) fn request(&self) -> &Value {
        &self.0.data["operation"]
    }

    /// Whether an operation is under way.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.phase(), "Running" | "Terminating")
    }

    /// Whether an operation is asked for or under way.
    pub(crate) fn is_operating(&self) -> bool {
        !self.request().is_null() || self.is_running()
    }

    pub(crate) fn is_deleting(&self) -> bool {
        self.0.metadata.deletion_timestamp.is_some()
    }

    /// Whether the operation goes on only once somebody approves a deletion. One that a request takes the place of does not go on.
    pub(crate) fn is_asking(&self) -> bool {
        self.phase() == "Running"
            && self.request().is_null()
            && self
                .text("/status/operationState/message")
                .starts_with(ASKING)
    }

    pub(crate) fn is_refreshing(&self) -> bool {
        self.0.annotations().contains_key(REFRESH_ANNOTATION)
    }

    /// The object as kubectl shows it.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = self.0.clone();
        object.metadata.managed_fields = None;
        let mut value = json!({ "apiVersion": API_VERSION, "kind": KIND });
        if let (Some(map), Ok(Value::Object(fields))) =
            (value.as_object_mut(), serde_json::to_value(object))
        {
            map.extend(fields);
        }
        value
    }
}

/// The text of a field; empty where there is none.
pub(crate) fn text<'value>(value: &'value Value, field: &str) -> &'value str {
    value[field].as_str().unwrap_or_default()
}

/// The fields `revision` or `revisions` of a part of a status: one for each source.
pub(crate) fn revisions_of(part: &Value) -> Vec<String> {
    match part["revisions"].as_array().map(Vec::as_slice) {
        None | Some([]) => vec![text(part, "revision").to_owned()],
        Some(revisions) => {
            let text = |revision: &Value| revision.as_str().unwrap_or_default().to_owned();
            revisions.iter().map(text).collect()
        }
    }
}

/// The same, where it states any.
pub(crate) fn stated_revisions(part: &Value) -> Option<Vec<String>> {
    let revisions = revisions_of(part);
    let is_stated = revisions.iter().any(|revision| !revision.is_empty());
    is_stated.then_some(revisions)
}

/// Whether an operation dealt with some objects alone, or wrote none.
pub(crate) fn is_partial(state: &Value) -> bool {
    let sync = &state["operation"]["sync"];
    let names_some = |resources: &Vec<Value>| !resources.is_empty();
    sync["dryRun"] == true || sync["resources"].as_array().is_some_and(names_some)
}

/// Revisions as one text, commits as Git shortens them.
pub(crate) fn shortened(revisions: &[String]) -> String {
    let short = |revision: &String| match revision.len() {
        COMMIT => revision.get(..SHORT_COMMIT).unwrap_or(revision).to_owned(),
        _ => revision.clone(),
    };
    revisions.iter().map(short).collect::<Vec<_>>().join(", ")
}

fn resource() -> ApiResource {
    ApiResource {
        group: GROUP.to_owned(),
        version: VERSION.to_owned(),
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        plural: PLURAL.to_owned(),
    }
}
