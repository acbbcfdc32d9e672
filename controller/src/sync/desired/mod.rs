//! What an Application wants in the cluster: its rendered manifests, normalised, stamped, hashed and put in order.
//! The value is the same as long as render, kinds and policy are, so it is made once and shared; it knows no live object.

pub(in crate::sync) mod consumers;
mod definitions;
pub(super) mod exclusions;
pub(super) mod hooks;
mod ignored;
mod links;
pub(super) mod normalise;
pub(super) mod pods;
pub mod restarts;
pub(super) mod secrets;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::dialect::{
    ObjectDefaults, Refusal, Role, TRACKING_ANNOTATION, object_policy, role, tracking_value,
};
use crate::ignore::{Ignored, Rules};
use crate::render::Manifest;
use crate::sync::desired::definitions::definitions;
use crate::sync::desired::hooks::{Hook, HookId};
use crate::sync::desired::pods::{containers, pod_spec};
use crate::sync::desired::restarts::SecretItems;
use crate::sync::key::{GroupKind, ObjectKey, group_version};
use crate::sync::kinds::{Kinds, Lookup};
use crate::sync::plan::order::arrange;
use crate::sync::plan::{Condition, ConditionKind, Slot};
pub use definitions::Definition;
pub use wanted::{Origin, Wanted, WantedHash};

/// All that an Application wants, and what was noticed while it was normalised.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    /// Every object once.
    pub objects: BTreeMap<ObjectKey, Wanted>,
    /// What operations make in their phases.
    pub hooks: BTreeMap<HookId, Hook>,
    /// Objects that ask to be left alone: neither applied nor deleted.
    pub left_alone: BTreeSet<ObjectKey>,
    /// The keys of `objects` in the order in which they are applied.
    pub order: Vec<ObjectKey>,
    /// For each wanted object that uses Secrets which wanted SealedSecrets make, these SealedSecrets.
    pub uses: BTreeMap<ObjectKey, BTreeSet<ObjectKey>>,
    /// For each workload that is restarted when a Secret changes, what of which Secrets its Pods use.
    pub secret_items: BTreeMap<ObjectKey, SecretItems>,
    /// Kinds that this very source defines.
    pub definitions: BTreeMap<GroupKind, Definition>,
    /// Images that its pods run, for `status.summary`.
    pub images: BTreeSet<String>,
    /// Repeated and excluded objects, repeated list entries.
    pub warnings: Vec<Condition>,
    /// A rule for differences was not done within its limits: the next look tries it again.
    pub overran: bool,
}

impl Desired {
    /// Everything that may be made: objects, and what hooks make.
    pub(in crate::sync) fn all(&self) -> impl Iterator<Item = &Wanted> {
        let hooks = self.hooks.values().map(|hook| &hook.wanted);
        self.objects.values().chain(hooks)
    }

    /// Git speaks of it, but not as of an object that is kept: a hook, or what is left alone.
    pub(in crate::sync) fn is_apart(&self, key: &ObjectKey) -> bool {
        let hook = |hook: &Hook| !hook.generated && hook.id.key == *key;
        self.left_alone.contains(key) || self.hooks.values().any(hook)
    }
}

/// What `desired` is made from: equal inputs give an equal value.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The renders of all sources, one after the other.
    pub manifests: &'a [&'a Manifest],
    /// Kinds of the destination cluster: they say which objects have a namespace.
    pub kinds: &'a Kinds,
    /// The Application in tracking ids.
    pub application_id: &'a str,
    /// The destination namespace; empty when the Application names none.
    pub namespace: &'a str,
    /// What the Application says of all its objects.
    pub defaults: ObjectDefaults,
    /// Live workloads whose `spec.replicas` has been taken over by an autoscaler: Git's number is left out for them.
    /// A workload whose replicas only we own does not belong here: leaving the field out would scale it to one.
    pub scaled: &'a BTreeSet<ObjectKey>,
    /// Differences that don't count.
    pub ignored: &'a Rules,
    /// A manager whose fields become ours, beside kubectl and Argo CD.
    pub predecessor: Option<&'a Arc<str>>,
}

/// Normalises a render. Of an object that is written twice the last one counts.
pub fn desired(inputs: &Inputs<'_>) -> Desired {
    let mut desired = Desired {
        definitions: definitions(inputs.manifests),
        ..Desired::default()
    };
    for manifest in inputs.manifests {
        add(inputs, manifest, &mut desired);
    }
    links::link_secrets(&mut desired);
    desired.secret_items = secret_items(&desired);
    desired.images = desired.all().flat_map(images).collect();
    arrange(&mut desired);
    desired
}

fn add(inputs: &Inputs<'_>, manifest: &Manifest, desired: &mut Desired) {
    let (kind, version) = kind_of(&manifest.object);
    let origin = Origin {
        file: manifest.file.clone(),
        document: manifest.document,
        line: manifest.line,
    };
    let namespace = namespace_of(inputs, manifest, &kind, &version, &desired.definitions);
    let key = ObjectKey::new(
        &kind,
        namespace.unwrap_or_default(),
        name_of(&manifest.object),
    );
    if exclusions::is_excluded(&kind) {
        let message = format!(
            "{origin}: {key} is left out: objects of this kind are made by the cluster, not by Git"
        );
        desired.warnings.push(Condition::new(
            ConditionKind::ExcludedResourceWarning,
            message,
        ));
        return;
    }
    // One that can't be read is an object that is refused.
    let role = role(&manifest.object["metadata"]).unwrap_or(Role::Object);
    if let Role::LeftAlone(why) = &role {
        let message = |why| {
            format!("{origin}: {key} is left out: a sync does not run hooks of the type {why}")
        };
        let excluded = |why| Condition::new(ConditionKind::ExcludedResourceWarning, message(why));
        desired.warnings.extend(why.as_ref().map(excluded));
        desired.left_alone.insert(key);
        return;
    }
    let mut wanted = wanted(
        inputs,
        &manifest.object,
        key.clone(),
        version,
        origin,
        namespace.is_none(),
        &mut desired.warnings,
    );
    if let Role::Hook(policy) = &role {
        hooks::add(&mut desired.hooks, &wanted, policy, &mut desired.warnings);
        return;
    }
    if text(&manifest.object, "/metadata/name").is_empty() {
        wanted.policy = Err(vec![no_name()]);
    }
    desired.overran |= ignored::leave_out(inputs.ignored, inputs.application_id, &mut wanted);
    let at = wanted.origin.clone();
    if let Some(earlier) = desired.objects.insert(key.clone(), wanted) {
        let message = format!(
            "{key} is written more than once: what counts is {at}, not {}",
            earlier.origin
        );
        desired.warnings.push(Condition::new(
            ConditionKind::RepeatedResourceWarning,
            message,
        ));
    }
}

fn wanted(
    inputs: &Inputs<'_>,
    manifest: &Value,
    key: ObjectKey,
    version: String,
    origin: Origin,
    homeless: bool,
    warnings: &mut Vec<Condition>,
) -> Wanted {
    let mut object = manifest.clone();
    for path in normalise::normalise(&mut object, &key) {
        let message =
            format!("{origin}: {key}: {path} is written more than once: the last one counts");
        warnings.push(Condition::new(
            ConditionKind::RepeatedResourceWarning,
            message,
        ));
    }
    normalise::set_namespace(&mut object, key.namespace());
    if inputs.scaled.contains(&key) {
        normalise::drop_replicas(&mut object);
    }
    let policy = object_policy(
        object.get("metadata").unwrap_or(&Value::Null),
        inputs.defaults,
    );
    normalise::annotate(&mut object, TRACKING_ANNOTATION, &tracking(inputs, &key));
    Wanted {
        hash: WantedHash::of(&object),
        ignored: Ignored::default(),
        predecessor: inputs.predecessor.cloned(),
        policy: if homeless {
            Err(vec![no_namespace()])
        } else {
            policy
        },
        slot: Slot::sync(0),
        key,
        version,
        object,
        origin,
    }
}

fn tracking(inputs: &Inputs<'_>, key: &ObjectKey) -> String {
    let namespace = key.namespace().unwrap_or(inputs.namespace);
    tracking_value(
        inputs.application_id,
        key.group(),
        key.kind(),
        namespace,
        key.name(),
    )
}

fn no_name() -> Refusal {
    Refusal::invalid(
        "metadata.generateName",
        "expected a name: only hooks have generated ones",
    )
}

fn no_namespace() -> Refusal {
    Refusal::invalid(
        "metadata.namespace",
        "it is empty, and so is spec.destination.namespace of the Application",
    )
}

/// `Some(None)` for a cluster-scoped object, `None` for a namespaced one that names no namespace anywhere.
fn namespace_of<'a>(
    inputs: &Inputs<'a>,
    manifest: &'a Manifest,
    kind: &GroupKind,
    version: &str,
    definitions: &BTreeMap<GroupKind, Definition>,
) -> Option<Option<&'a str>> {
    let written = manifest
        .object
        .pointer("/metadata/namespace")
        .and_then(Value::as_str);
    let namespace = written
        .filter(|namespace| !namespace.is_empty())
        .unwrap_or(inputs.namespace);
    let namespaced = match (inputs.kinds.lookup(kind, version), definitions.get(kind)) {
        (Lookup::Known(known), _) => known.namespaced,
        (_, Some(definition)) => definition.namespaced,
        // A guess that is never acted on: an object of an unknown kind is neither applied nor deleted.
        (_, None) => true,
    };
    match (namespaced, namespace) {
        (false, _) => Some(None),
        (true, "") => None,
        (true, namespace) => Some(Some(namespace)),
    }
}

fn kind_of(object: &Value) -> (GroupKind, String) {
    let (group, version) = group_version(text(object, "/apiVersion"));
    (
        GroupKind::new(group, text(object, "/kind")),
        version.to_owned(),
    )
}

/// The name, or what a generated one begins with.
fn name_of(object: &Value) -> &str {
    match text(object, "/metadata/name") {
        "" => text(object, "/metadata/generateName"),
        name => name,
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn images(wanted: &Wanted) -> Vec<String> {
    let spec = pod_spec(&wanted.object, &wanted.key);
    let containers = spec.into_iter().flat_map(containers);
    containers
        .filter_map(|container| container.get("image")?.as_str())
        .map(str::to_owned)
        .collect()
}

fn secret_items(desired: &Desired) -> BTreeMap<ObjectKey, SecretItems> {
    let restarted = desired.objects.values().filter(|wanted| {
        let policy = wanted.policy.as_ref();
        policy.is_ok_and(|policy| policy.restarts)
    });
    let used = restarted.map(|wanted| {
        let items = restarts::secret_items(&wanted.object, &wanted.key);
        (wanted.key.clone(), items)
    });
    used.filter(|(_, items)| !items.is_empty()).collect()
}
