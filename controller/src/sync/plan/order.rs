//! In which order objects are applied: slots, within a slot the kinds' ranks, and what others stand on in front of them.
//! It looks at wanted objects only; when a step is due is decided elsewhere.

use std::collections::BTreeMap;

use crate::sync::desired::Desired;
use crate::sync::desired::hooks::Hook;
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::plan::Slot;

/// Kinds in the order in which they are applied inside a wave; every other kind comes last.
const RANKS: [&str; 30] = [
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// Where an object stands: slot, rank, and what goes in front among equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    slot: Slot,
    rank: usize,
    front: Front,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Front {
    Namespace,
    Definition,
    SealedSecret,
    Other,
}

/// Rank of a kind inside a wave. A SealedSecret stands where its Secret would.
pub(in crate::sync) fn rank(key: &ObjectKey) -> usize {
    let kind = if is_sealed_secret(key) {
        "Secret"
    } else {
        key.kind()
    };
    RANKS
        .iter()
        .position(|ranked| *ranked == kind)
        .unwrap_or(RANKS.len())
}

/// True for a `SealedSecret`.
pub(in crate::sync) fn is_sealed_secret(key: &ObjectKey) -> bool {
    key.is(
        crds::names::sealed_secret::GROUP,
        crds::names::sealed_secret::KIND,
    )
}

/// True for a `CustomResourceDefinition`.
pub(in crate::sync) fn is_definition(key: &ObjectKey) -> bool {
    key.is("apiextensions.k8s.io", "CustomResourceDefinition")
}

/// True for a `Namespace`.
pub(in crate::sync) fn is_namespace(key: &ObjectKey) -> bool {
    key.is("", "Namespace")
}

/// Sorts the wanted objects and gives each its slot. What others stand on moves in front of the first of them,
/// also into an earlier slot: a SealedSecret before its users, a definition before its objects, a Namespace before all in it.
pub(in crate::sync) fn arrange(desired: &mut Desired) {
    let mut places: BTreeMap<ObjectKey, Place> = desired
        .objects
        .iter()
        .map(|(key, wanted)| (key.clone(), place(key, wanted.own_slot())))
        .collect();
    let hooks = desired.hooks.values();
    let hooks: Vec<(&Hook, Place)> = hooks
        .map(|hook| (hook, place(&hook.id.key, hook.slot())))
        .collect();
    let secrets = |key: &ObjectKey| desired.uses.get(key).into_iter().flatten();
    let of_objects = places
        .iter()
        .flat_map(|(key, place)| secrets(key).map(|secret| (secret.clone(), *place)));
    let of_hooks = hooks
        .iter()
        .flat_map(|(hook, place)| hook.secrets.iter().map(|secret| (secret.clone(), *place)));
    let firsts = firsts(of_objects.chain(of_hooks));
    bubble(&mut places, firsts);
    let definition =
        |key: &ObjectKey| Some(desired.definitions.get(&key.group_kind())?.key.clone());
    let firsts = firsts_on(&places, &hooks, definition);
    bubble(&mut places, firsts);
    let firsts = firsts_on(&places, &hooks, namespace);
    bubble(&mut places, firsts);
    let mut order: Vec<(Place, ObjectKey)> = places
        .into_iter()
        .map(|(key, place)| (place, key))
        .collect();
    order.sort();
    for (place, key) in &order {
        if let Some(wanted) = desired.objects.get_mut(key) {
            wanted.slot = place.slot;
        }
    }
    desired.order = order.into_iter().map(|(_, key)| key).collect();
}

/// The first place of what stands on each object.
fn firsts(standing: impl Iterator<Item = (ObjectKey, Place)>) -> BTreeMap<ObjectKey, Place> {
    let mut firsts: BTreeMap<ObjectKey, Place> = BTreeMap::new();
    for (key, place) in standing {
        let first = firsts.entry(key).or_insert(place);
        *first = place.min(*first);
    }
    firsts
}

/// The same where the key of an object or hook tells what it stands on.
fn firsts_on(
    places: &BTreeMap<ObjectKey, Place>,
    hooks: &[(&Hook, Place)],
    on: impl Fn(&ObjectKey) -> Option<ObjectKey>,
) -> BTreeMap<ObjectKey, Place> {
    let hooks = hooks.iter().map(|(hook, place)| (&hook.id.key, place));
    let all = places.iter().chain(hooks);
    firsts(all.filter_map(|(key, place)| Some((on(key)?, *place))))
}

/// The Namespace that an object lies in.
fn namespace(key: &ObjectKey) -> Option<ObjectKey> {
    let name = key.namespace()?;
    Some(ObjectKey::new(&GroupKind::new("", "Namespace"), None, name))
}

fn place(key: &ObjectKey, slot: Slot) -> Place {
    let front = match key {
        key if is_namespace(key) => Front::Namespace,
        key if is_definition(key) => Front::Definition,
        key if is_sealed_secret(key) => Front::SealedSecret,
        _ => Front::Other,
    };
    Place {
        slot,
        rank: rank(key),
        front,
    }
}

/// Moves objects in front of the first that stands on them.
fn bubble(places: &mut BTreeMap<ObjectKey, Place>, firsts: BTreeMap<ObjectKey, Place>) {
    for (key, first) in firsts {
        if let Some(place) = places.get_mut(&key)
            && (first.slot, first.rank) < (place.slot, place.rank)
        {
            place.slot = first.slot;
            place.rank = first.rank;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Argo CD has it, from what all else lies in to what leads to all else.
    const ORDER: [&[&str]; 12] = [
        &["Namespace"],
        // What limits Pods has to be there before they are.
        &["NetworkPolicy", "ResourceQuota", "LimitRange"],
        &["PodSecurityPolicy", "PodDisruptionBudget"],
        // What they are made with.
        &["ServiceAccount", "Secret", "ConfigMap"],
        &["StorageClass", "PersistentVolume", "PersistentVolumeClaim"],
        &["CustomResourceDefinition"],
        // What they may do, each role before those that it is given to.
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
        // A Pod is told of the Services that were there before it.
        &["Service"],
        &["DaemonSet", "Pod", "ReplicationController", "ReplicaSet"],
        &[
            "Deployment",
            "HorizontalPodAutoscaler",
            "StatefulSet",
            "Job",
            "CronJob",
        ],
        &["IngressClass", "Ingress", "APIService"],
        // Any other kind.
        &["Widget"],
    ];

    #[test]
    fn kinds_that_others_need_come_first() {
        let order: Vec<&str> = ORDER.concat();
        let key = |kind: &&str| ObjectKey::of("", kind, "demo", "a");
        let mut keys: Vec<ObjectKey> = order.iter().map(key).collect();
        keys.sort();
        keys.sort_by_key(|key| place(key, Slot::sync(0)));
        let sorted: Vec<&str> = keys.iter().map(ObjectKey::kind).collect();
        assert_eq!(sorted, order);
    }
}
