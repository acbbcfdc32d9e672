//! What an Application wants in the cluster: its rendered manifests, normalised, stamped, hashed and put in order.
//! The value is the same as long as render, kinds and policy are, so it is made once and shared; it knows no live object.

pub(super) mod consumers;
pub(super) mod exclusions;
pub(super) mod normalise;
pub(super) mod pods;
pub(super) mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::dialect::{
    ApplyPolicy, ObjectDefaults, ObjectPolicy, Refusal, TRACKING_ANNOTATION, object_policy,
    tracking_value,
};
use crate::render::Manifest;
use crate::sync::desired::consumers::secrets_used;
use crate::sync::desired::pods::{containers, pod_spec};
use crate::sync::key::{GroupKind, ObjectKey, group_version};
use crate::sync::kinds::{Kinds, Lookup};
use crate::sync::plan::order::{arrange, is_definition, is_sealed_secret};
use crate::sync::plan::{Condition, ConditionKind, Slot};

/// One object as it will be applied.
#[derive(Clone, PartialEq)]
pub struct Wanted {
    /// Who it is.
    pub key: ObjectKey,
    /// Version of the `apiVersion` it is written in, without the group.
    pub version: String,
    /// Normalised and stamped with its tracking id: the exact body of the server-side apply.
    pub object: Value,
    /// Changes when, and only when, `object` changes.
    pub hash: WantedHash,
    /// Where it was written.
    pub origin: Origin,
    /// What its annotations ask for, or what in it is not accepted: then it is not applied.
    pub policy: Result<ObjectPolicy, Vec<Refusal>>,
    /// When it is applied: in its own wave, or earlier when something earlier needs it.
    pub slot: Slot,
}

impl Wanted {
    /// How it is written. What is refused is not written at all.
    pub(in crate::sync) fn apply_policy(&self) -> ApplyPolicy {
        let policy = self.policy.as_ref();
        policy.map(|policy| policy.apply).unwrap_or_default()
    }

    pub(in crate::sync) fn own_slot(&self) -> Slot {
        Slot::sync(self.policy.as_ref().map_or(0, |policy| policy.wave))
    }
}

/// The object may hold values of a plain Secret, so only its name and hash are shown.
impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wanted({} at {})", self.key, self.hash)
    }
}

/// SHA-256 over the normalised object's JSON, shortened to 16 bytes: long enough that two objects never meet by chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WantedHash(pub [u8; 16]);

impl WantedHash {
    /// The hash of a normalised object.
    pub fn of(object: &Value) -> Self {
        let digest = Sha256::digest(object.to_string());
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        Self(hash)
    }
}

impl fmt::Display for WantedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Where a manifest stands in the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Path of the file, from the repository's root.
    pub file: String,
    /// Which document of the file, from 1.
    pub document: usize,
    /// First line of the document, from 1; none where a program wrote it.
    pub line: Option<usize>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            document,
            line,
        } = self;
        match line {
            Some(line) => write!(f, "{file}: document {document}, line {line}"),
            None => write!(f, "{file}: document {document}"),
        }
    }
}

/// A CustomResourceDefinition among the wanted objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The definition itself.
    pub key: ObjectKey,
    /// Scope of the kind it defines.
    pub namespaced: bool,
    /// Versions it serves.
    pub versions: BTreeSet<String>,
}

/// All that an Application wants, and what was noticed while it was normalised.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    /// Every object once.
    pub objects: BTreeMap<ObjectKey, Wanted>,
    /// The keys of `objects` in the order in which they are applied.
    pub order: Vec<ObjectKey>,
    /// For each wanted SealedSecret, the wanted objects that use its Secret.
    pub users: BTreeMap<ObjectKey, BTreeSet<ObjectKey>>,
    /// The same the other way round: for each object that uses such a Secret, its SealedSecrets.
    pub uses: BTreeMap<ObjectKey, BTreeSet<ObjectKey>>,
    /// Kinds that this very source defines.
    pub definitions: BTreeMap<GroupKind, Definition>,
    /// Images that its pods run, for `status.summary`.
    pub images: BTreeSet<String>,
    /// Repeated and excluded objects, repeated list entries.
    pub warnings: Vec<Condition>,
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
    link_secrets(&mut desired);
    desired.images = desired.objects.values().flat_map(images).collect();
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
    let wanted = wanted(
        inputs,
        &manifest.object,
        key.clone(),
        version,
        origin,
        namespace.is_none(),
        &mut desired.warnings,
    );
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
    normalise::set_namespace(&mut object, key.namespace.as_deref());
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
    let namespace = key.namespace.as_deref().unwrap_or(inputs.namespace);
    tracking_value(
        inputs.application_id,
        &key.group,
        &key.kind,
        namespace,
        &key.name,
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

fn name_of(object: &Value) -> &str {
    text(object, "/metadata/name")
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn definitions(manifests: &[&Manifest]) -> BTreeMap<GroupKind, Definition> {
    let mut found = BTreeMap::new();
    for manifest in manifests {
        let object = &manifest.object;
        let key = ObjectKey::new(&kind_of(object).0, None, name_of(object));
        if is_definition(&key) {
            let kind = GroupKind::new(
                text(object, "/spec/group"),
                text(object, "/spec/names/kind"),
            );
            let definition = Definition {
                key,
                namespaced: text(object, "/spec/scope") != "Cluster",
                versions: served_versions(object),
            };
            found.insert(kind, definition);
        }
    }
    found
}

fn served_versions(definition: &Value) -> BTreeSet<String> {
    let versions = definition
        .pointer("/spec/versions")
        .and_then(Value::as_array);
    let served = |version: &&Value| version.get("served") != Some(&Value::Bool(false));
    versions
        .into_iter()
        .flatten()
        .filter(served)
        .map(|version| text(version, "/name").to_owned())
        .collect()
}

fn link_secrets(desired: &mut Desired) {
    let sealed = desired.objects.keys().filter(|key| is_sealed_secret(key));
    desired.users = sealed.map(|key| (key.clone(), BTreeSet::new())).collect();
    for (key, wanted) in &desired.objects {
        for name in secrets_used(&wanted.object, key) {
            let sealed = sealed_secret_key(key.namespace.as_deref(), name);
            if let Some(users) = desired.users.get_mut(&sealed) {
                users.insert(key.clone());
                desired.uses.entry(key.clone()).or_default().insert(sealed);
            }
        }
    }
}

fn sealed_secret_key(namespace: Option<&str>, name: &str) -> ObjectKey {
    use crds::names::sealed_secret::{GROUP, KIND};
    ObjectKey::new(&GroupKind::new(GROUP, KIND), namespace, name)
}

fn images(wanted: &Wanted) -> Vec<String> {
    let spec = pod_spec(&wanted.object, &wanted.key);
    let containers = spec.into_iter().flat_map(containers);
    containers
        .filter_map(|container| container.get("image")?.as_str())
        .map(str::to_owned)
        .collect()
}
