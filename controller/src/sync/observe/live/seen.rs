//! One sight of a live object, trimmed while it streams by to what comparing, pruning and health need.
//! It keeps no field of spec, data or status, and no annotation that repeats them.

use health::Customizations;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{api::DynamicObject, core::ApiResource};
use serde_json::{Value, json};

use crate::{
    dialect,
    sync::{
        apply::adoption,
        compare::digest::{self, Digest},
        compare::ownership::is_ours,
        key::{GroupKind, ObjectKey},
        observe::autoscalers::{self, Scaler},
        world::{Health, Live, LiveState, Take},
    },
};

/// kubectl's copy of the whole object: of a Secret it holds the values.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What is kept of an object.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) tracking: Option<String>,
    /// The Application that the tracking id names, when it has the form of one.
    pub(crate) tracking_name: Option<String>,
    /// Labels and annotations.
    pub(crate) metadata: Value,
    pub(crate) deleting: bool,
    pub(crate) hook_finalizer: bool,
    pub(crate) digest: Digest,
    /// Fields of kubectl or Argo CD have to become ours before the next apply.
    pub(crate) needs_adoption: bool,
    /// We applied it: the digest speaks of our fields. Else every write may matter.
    applied: bool,
    /// Who has taken over its replicas.
    pub(crate) scaler: Option<Scaler>,
    /// The workload that it scales itself.
    pub(crate) target: Option<ObjectKey>,
    /// The digest in the template of its Pods of the changes of Secrets that they were started with.
    pub(crate) secrets: Option<String>,
    pub(crate) health: Option<Health>,
}

impl Seen {
    /// Trims a whole object, after judging its health.
    pub(crate) fn whole(
        object: DynamicObject,
        resource: &ApiResource,
        customizations: &Customizations,
    ) -> Seen {
        let DynamicObject {
            mut metadata,
            data: mut value,
            ..
        } = object;
        value["apiVersion"] = resource.api_version.as_str().into();
        value["kind"] = resource.kind.as_str().into();
        value["metadata"] = match customizations.has_script(&resource.group, &resource.kind) {
            true => {
                // The largest part of many objects, and of none the health.
                let managed_fields = metadata.managed_fields.take();
                let whole = json!(metadata);
                metadata.managed_fields = managed_fields;
                whole
            }
            false => what_rules_read(&metadata),
        };
        let secrets = value.pointer("/spec/template/metadata/annotations");
        let secrets = secrets.and_then(|all| all.get(dialect::SECRETS)?.as_str());
        let secrets = secrets.map(str::to_owned);
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        let target = match GroupKind::new(&*resource.group, &*resource.kind) == autoscalers::kind()
        {
            true => autoscalers::target(&value, namespace),
            false => None,
        };
        Seen {
            secrets,
            target,
            ..Seen::of(metadata, health::health(&value, customizations))
        }
    }

    /// Trims the metadata of an object of a kind whose status says nothing of health.
    pub(crate) fn metadata(metadata: ObjectMeta) -> Seen {
        let deletion = json!({ "metadata": {
            "deletionTimestamp": metadata.deletion_timestamp,
            "finalizers": metadata.finalizers,
        }});
        Seen::of(metadata, health::deletion(&deletion))
    }

    fn of(mut metadata: ObjectMeta, health: Option<Health>) -> Seen {
        let digest = digest::of(&metadata);
        let needs_adoption = adoption::may_be_needed(&metadata);
        let applied = metadata.managed_fields.iter().flatten().any(is_ours);
        let scaler = autoscalers::scaler(&metadata);
        let tracking = metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get(dialect::TRACKING_ANNOTATION).cloned());
        if let Some(annotations) = &mut metadata.annotations {
            annotations.remove(LAST_APPLIED);
        }
        Seen {
            tracking_name: tracking
                .as_deref()
                .and_then(dialect::parse_tracking)
                .map(|tracking| tracking.application),
            tracking,
            metadata: json!({ "labels": metadata.labels, "annotations": metadata.annotations }),
            deleting: metadata.deletion_timestamp.is_some(),
            hook_finalizer: has_hook_finalizer(&metadata),
            uid: metadata.uid.unwrap_or_default(),
            resource_version: metadata.resource_version.unwrap_or_default(),
            digest,
            needs_adoption,
            applied,
            scaler,
            target: None,
            secrets: None,
            health,
        }
    }

    /// The object with what comparing it has shown.
    pub(in crate::sync) fn compared(&self, state: LiveState, takes: Vec<Take>) -> Live {
        Live {
            uid: self.uid.clone(),
            resource_version: self.resource_version.clone(),
            tracking: self.tracking.clone(),
            metadata: self.metadata.clone(),
            deleting: self.deleting,
            hook_finalizer: self.hook_finalizer,
            secrets: self.secrets.clone(),
            health: self.health.clone(),
            state,
            takes,
        }
    }

    /// Resource versions are numbers that grow (Kubernetes promises so since 1.35); one that is no number is taken as newer.
    pub(super) fn is_older_than(&self, known: &Seen) -> bool {
        match (
            self.resource_version.parse::<u64>(),
            known.resource_version.parse::<u64>(),
        ) {
            (Ok(this), Ok(known)) => this < known,
            _ => false,
        }
    }

    /// True when it has to be compared again.
    pub(super) fn compares_otherwise(&self, known: &Seen) -> bool {
        self.digest != known.digest
            || (!self.applied && self.resource_version != known.resource_version)
    }

    /// False when nobody would act upon the difference.
    pub(super) fn tells_more_than(&self, known: &Seen) -> bool {
        self.compares_otherwise(known)
            || self.scaler != known.scaler
            || self.secrets != known.secrets
            || self.health != known.health
            || self.deleting != known.deleting
            || self.hook_finalizer != known.hook_finalizer
            || self.tracking != known.tracking
    }
}

/// Of metadata what rules for health read; a script may read all of it.
fn what_rules_read(metadata: &ObjectMeta) -> Value {
    json!({
        "generation": metadata.generation,
        "deletionTimestamp": metadata.deletion_timestamp,
        "finalizers": metadata.finalizers,
        "annotations": metadata.annotations,
    })
}

fn has_hook_finalizer(metadata: &ObjectMeta) -> bool {
    let finalizers = metadata.finalizers.iter().flatten();
    finalizers
        .into_iter()
        .any(|name| name == dialect::HOOK_FINALIZER)
}
