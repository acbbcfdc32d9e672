//! The destination namespace: when an operation makes it, and whether it carries what the Application says of it.
//! A Namespace that the source renders is an object like any other and no business of this file.

use std::collections::BTreeMap;

use crds::{ApplicationSpec, ManagedNamespaceMetadata};

use crate::dialect::NamespaceMetadata;
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::recorded;
use crate::sync::plan::steps::Work;
use crate::sync::plan::{Comparison, Operation, PlannedStep, Step, SyncStatus};
use crate::sync::world::{DestinationNamespace, World};

/// The destination namespace, where it does not carry what it should, or carries what it should not any more.
pub(in crate::sync) fn difference(world: &World, terms: &Terms<'_>) -> Option<ObjectKey> {
    if !is_managed(terms) {
        return None;
    }
    let nothing = NamespaceMetadata::default();
    let wanted = terms.intent.namespace_metadata.as_ref();
    let wanted = wanted.unwrap_or(&nothing);
    let carried = &world.namespace_metadata;
    let carries =
        holds(&carried.labels, &wanted.labels) && holds(&carried.annotations, &wanted.annotations);
    let application = &world.application;
    let others = recorded::namespace_metadata(&application.status)
        .is_some_and(|recorded| *recorded != said(&application.spec));
    let exists = world.destination_namespace == DestinationNamespace::Exists;
    (exists && (!carries || others)).then(|| key(&terms.intent.destination.namespace))
}

fn holds(carried: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    let is_carried = |(key, value): (&String, &String)| carried.get(key) == Some(value);
    wanted.iter().all(is_carried)
}

/// What the namespace carries is the Application's business.
fn is_managed(terms: &Terms<'_>) -> bool {
    terms.options.create_namespace && !is_rendered(terms)
}

/// What the Application says of it, redacted as it is where that is recorded.
fn said(spec: &ApplicationSpec) -> ManagedNamespaceMetadata {
    let policy = spec.sync_policy.as_ref();
    let said = policy.and_then(|policy| policy.managed_namespace_metadata.clone());
    said.unwrap_or_default()
}

fn is_rendered(terms: &Terms<'_>) -> bool {
    let namespace = &terms.intent.destination.namespace;
    terms.desired().objects.contains_key(&key(namespace))
}

/// The key of a namespace.
pub(in crate::sync) fn key(name: &str) -> ObjectKey {
    ObjectKey::new(&GroupKind::new("", "Namespace"), None, name)
}

/// The status of the Application, with its namespace.
pub(in crate::sync) fn lowers(namespace: Option<&ObjectKey>, objects: SyncStatus) -> SyncStatus {
    match (namespace, objects) {
        (Some(_), SyncStatus::Synced) => SyncStatus::OutOfSync,
        (_, objects) => objects,
    }
}

/// What the operation does about the namespace now.
pub(in crate::sync) fn step(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    operation: &Operation,
    work: &Work,
) -> Option<Step> {
    let namespace = &terms.intent.destination.namespace;
    let lands_there = |step: &PlannedStep| {
        let key = match &step.step {
            Step::RunHook(run) => Some(&run.key),
            step => step.written(),
        };
        key.is_some_and(|key| key.namespace() == Some(namespace.as_str()))
    };
    let missing = world.destination_namespace == DestinationNamespace::Missing;
    if missing && operation.create_namespace && work.now.iter().any(lands_there) {
        let carries = is_managed(terms) && terms.intent.namespace_metadata.is_some();
        return match (is_rendered(terms), carries) {
            (true, _) => None,
            (false, true) => Some(Step::ApplyNamespace(namespace.clone())),
            (false, false) => Some(Step::CreateNamespace(namespace.clone())),
        };
    }
    let differs = comparison.namespace.as_ref();
    let covered = differs.filter(|key| operation.scope.covers(key))?;
    Some(Step::ApplyNamespace(covered.name().to_owned()))
}
